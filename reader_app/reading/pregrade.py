"""The AI's grade of one item of one joint, with what is needed to doubt it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reader_app.imaging.geometry import Box
from reader_app.protocols.model import Item
from reader_app.reading.case import GradeKey


@dataclass(frozen=True)
class Provenance:
    """How a pre-grade was made; everything that is needed to make it again.

    Attributes
    ----------
    pixel_sha256
        What the networks saw: of the film's stored pixels, together with their corrections where it has any.
    details
        Further facts as text: device, threads, batch size, library versions, seconds, fall-backs.
    """

    bundle_id: str
    bundle_version: str
    bundle_sha256: str
    protocol_sha256: str
    software: str
    pixel_sha256: str
    made_at: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PreGrade:
    """The AI's grade of one item.

    Attributes
    ----------
    probabilities
        By grade code of the scale, calibrated, adding up to 1.
    code
        The grade that the bundle's decision rule gives.
    out_of_distribution
        Distance from the training images; `unlike_training` says whether it is past the threshold.
    box
        Where the networks looked, in film pixels.
    spread
        The standard deviation of the expected grade over the members of the ensemble and their mirror
        images, in grades; 0 where there is one network only.
    remark
        A sentence on how the joint was found, such as that a side marker contradicts its position; empty
        where there is nothing to say.
    """

    key: GradeKey
    probabilities: Mapping[int, float]
    code: int
    out_of_distribution: float
    unlike_training: bool
    box: Box
    provenance: Provenance
    spread: float = 0.0
    remark: str = ""

    @property
    def expected(self) -> float:
        """The probability-weighted mean of the grade codes."""
        return sum(code * p for code, p in self.probabilities.items())

    @property
    def entropy(self) -> float:
        """The entropy of the probabilities, in bits."""
        return -sum(p * math.log2(p) for p in self.probabilities.values() if p > 0)

    @property
    def confidence(self) -> float:
        """The probability of the grade given."""
        return self.probabilities.get(self.code, 0.0)


def speaking_for(found: Mapping[GradeKey, PreGrade], key: GradeKey) -> PreGrade | None:
    """Return the pre-grade that speaks of what a key grades: its own, or that of its feature as a whole.

    Published networks give one grade for a feature that readers grade site by site: that of the worse site.
    """
    own = found.get(key)
    if own is not None or key.item.site_id is None:
        return own
    return found.get(GradeKey(key.joint_id, Item(key.item.feature_id)))


@dataclass(frozen=True)
class Heatmap:
    """Where a head looked.

    Attributes
    ----------
    values
        (rows, columns) float32 on the grid of the network's crop: in 0..1, or in -1..1 where `signed`.
    to_film
        2 x 3 affine: film (x, y) = to_film @ (column, row, 1), pixel centres at whole numbers.
    signed
        Whether what speaks against the grade is told as well, with values below 0.
    """

    values: NDArray[np.float32]
    to_film: NDArray[np.float64]
    signed: bool = False
