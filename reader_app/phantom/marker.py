"""Lead letters on the film."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from reader_app.phantom.projection import Raster
from reader_app.phantom.solids import Field

# Strokes on a grid of 4 wide by 6 high, as polylines.
_STROKES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "R": (
        ((0, 0), (0, 6)),
        ((0, 6), (2.4, 6), (3.4, 5.5), (3.6, 4.5), (3.3, 3.5), (2.4, 3.0), (0, 3.0)),
        ((1.9, 3.0), (3.8, 0)),
    ),
    "L": (((0, 6), (0, 0), (3.4, 0)),),
}


def letter(
    raster: Raster, name: str, *, place: tuple[float, float], height_mm: float = 15.0, lead_mm: float = 1.2
) -> Field:
    """Millimetres of lead of one letter whose lower left corner is at `place` (x, z)."""
    lead = np.zeros(raster.shape, np.float32)
    unit = height_mm / 6.0
    x0, z0 = place
    margin = 2.0 * unit
    rows, columns = raster.part((x0 - margin, x0 + 4 * unit + margin, z0 - margin, z0 + height_mm + margin))
    x = (raster.x[columns] - x0)[None, :]
    z = (raster.z[rows] - z0)[:, None]
    nearest = np.full((z.size, x.size), 1e3, np.float32)
    for stroke in _STROKES[name]:
        for (ax, az), (bx, bz) in pairwise(stroke):
            dx, dz = (bx - ax) * unit, (bz - az) * unit
            along = ((x - ax * unit) * dx + (z - az * unit) * dz) / (dx * dx + dz * dz)
            along = np.clip(along, 0, 1)
            gap = np.hypot(x - ax * unit - along * dx, z - az * unit - along * dz)
            nearest = np.minimum(nearest, gap.astype(np.float32))
    lead[rows, columns] = np.float32(lead_mm) * np.clip(0.5 + (0.42 * unit - nearest) / 0.3, 0, 1)
    return lead
