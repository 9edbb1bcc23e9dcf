"""What a ruler on a film says: pixels always, millimetres only where the film vouches for them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reader_app.imaging.spacing import Spacing, SpacingKind

Point = tuple[float, float]
"""(x, y) in film pixels."""

_HOW = {
    SpacingKind.CALIBRATED: "calibrated",
    SpacingKind.GEOMETRY: "by geometry",
    SpacingKind.MAGNIFICATION_CORRECTED: "magnification corrected",
    SpacingKind.AT_DETECTOR: "at detector",
}
_CONSEQUENCE = ", so nothing can be measured in mm"


@dataclass(frozen=True)
class Measurement:
    """A length with the kind of calibration that it rests on.

    Parameters
    ----------
    pixels
        Length in film pixels. Where rows and columns lie at different distances it says little by itself.
    mm
        Length in millimetres, None where the film forbids measuring.
    kind
        Where the millimetres hold; `SpacingKind.UNKNOWN` where there are none.
    reason
        One sentence: where the millimetres come from, or why there are none.
    """

    pixels: float
    mm: float | None
    kind: SpacingKind
    reason: str

    @property
    def words(self) -> str:
        """What is written beside the ruler, e.g. "23.4 mm at detector"."""
        if self.mm is None:
            return f"{self.pixels:.0f} px: no millimetres because {_cause(self.reason)}"
        return f"{self.mm:.1f} mm {_HOW[self.kind]}"


@dataclass(frozen=True)
class KeptMeasurement:
    """A length that a reader kept with the reading: where it was measured, and all that it rests on.

    What was measured is stored, not measured again: it stays what the reader saw, also where the
    calibration of the film is corrected afterwards.

    Attributes
    ----------
    start, end
        (x, y) in film pixels.
    """

    radiograph_id: int
    start: Point
    end: Point
    measurement: Measurement

    @property
    def words(self) -> str:
        """What is written beside the line."""
        return self.measurement.words


def measured(start: Point, end: Point, spacing: Spacing) -> Measurement:
    """Measure from one point of a film to another.

    Parameters
    ----------
    start, end
        (x, y) in film pixels.
    spacing
        The film's, after all corrections.

    Raises
    ------
    ValueError
        If a coordinate is not finite.
    """
    dx, dy = end[0] - start[0], end[1] - start[1]
    if not (math.isfinite(dx) and math.isfinite(dy)):
        raise ValueError(f"a ruler needs finite points: {start!r}, {end!r}")
    return Measurement(math.hypot(dx, dy), spacing.distance_mm(dx, dy), spacing.kind, spacing.reason)


def _cause(reason: str) -> str:
    """Return a sentence as the clause after "because"; names of DICOM attributes keep their capital."""
    clause = reason.strip().rstrip(".").removesuffix(_CONSEQUENCE)
    first = clause.partition(" ")[0]
    is_name = any(letter.isupper() for letter in first[1:]) or not first
    return clause if is_name else clause[0].lower() + clause[1:]
