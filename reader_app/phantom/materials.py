"""What X-rays pass: linear attenuation of the tissues in three energy bins.

Mass attenuation coefficients are those of the ICRU-44 tissues in the tables of Hubbell and Seltzer
(NIST Standard Reference Database 126) at 40, 60 and 80 keV, times the densities of ICRU-44.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from reader_app.phantom.solids import Field

ENERGIES_KEV = (40.0, 60.0, 80.0)


class Tissue(StrEnum):
    """Materials of the phantom."""

    MUSCLE = "muscle"
    FAT = "fat"
    BONE = "bone"
    LEAD = "lead"


# g/cm3 and cm2/g per energy bin. Lead stands for the side marker.
_DENSITY = {Tissue.MUSCLE: 1.05, Tissue.FAT: 0.95, Tissue.BONE: 1.92, Tissue.LEAD: 11.35}
_MASS_ATTENUATION = {
    Tissue.MUSCLE: (0.2688, 0.2048, 0.1823),
    Tissue.FAT: (0.2396, 0.1974, 0.1800),
    Tissue.BONE: (0.6655, 0.3148, 0.2229),
    Tissue.LEAD: (14.36, 5.021, 2.419),
}


def attenuation_per_mm(tissue: Tissue) -> tuple[float, float, float]:
    """Linear attenuation coefficients of a tissue in 1/mm for `ENERGIES_KEV`."""
    low, middle, high = (value * _DENSITY[tissue] / 10.0 for value in _MASS_ATTENUATION[tissue])
    return low, middle, high


def spectrum(kv: float) -> tuple[float, float, float]:
    """Shares of the three energy bins in the quanta of a filtered tungsten beam at `kv`.

    A smooth stand-in for a measured spectrum: the higher the voltage, the harder the beam.
    """
    centres = np.asarray(ENERGIES_KEV)
    peak = 0.36 * kv + 17.0
    shares = np.exp(-0.5 * ((centres - peak) / 15.0) ** 2) * (centres < kv + 5.0)
    shares /= shares.sum()
    return float(shares[0]), float(shares[1]), float(shares[2])


@dataclass(frozen=True)
class Paths:
    """Millimetres of each tissue along every ray of a film; all arrays share one shape."""

    muscle: Field
    fat: Field
    bone: Field
    lead: Field | None = None
