"""Sides and boxes on a film: x to the right, y down, in film pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum


class Side(StrEnum):
    """Side of the body that one joint belongs to."""

    RIGHT = "R"
    LEFT = "L"

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.LEFT if self is Side.RIGHT else Side.RIGHT


class Laterality(StrEnum):
    """Which sides a radiograph shows (DICOM Image Laterality, PS3.3 C.7.6.1.1.1 and 10.5)."""

    RIGHT = "R"
    LEFT = "L"
    BILATERAL = "B"
    UNKNOWN = "U"

    @property
    def sides(self) -> tuple[Side, ...]:
        """Sides in sight: none where the laterality is unknown."""
        if self is Laterality.BILATERAL:
            return (Side.RIGHT, Side.LEFT)
        if self is Laterality.UNKNOWN:
            return ()
        return (Side(self.value),)


@dataclass(frozen=True)
class Box:
    """An upright rectangle in film pixels.

    Parameters
    ----------
    x, y
        Upper left corner; pixel (row, column) covers ``x`` in [column, column + 1).
    width, height
        Extent in pixels, zero or more.

    Raises
    ------
    ValueError
        If a number is not finite or an extent is negative.
    """

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for value in (self.x, self.y, self.width, self.height)):
            raise ValueError(f"a box needs finite numbers: {self!r}")
        if self.width < 0 or self.height < 0:
            raise ValueError(f"a box cannot have a negative extent: {self!r}")

    @property
    def right(self) -> float:
        """Right edge, ``x + width``."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Lower edge, ``y + height``."""
        return self.y + self.height

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box as (x, y)."""
        return (self.x + self.width / 2, self.y + self.height / 2)

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height

    def moved(self, dx: float, dy: float) -> Box:
        """Return the box shifted by (dx, dy) pixels."""
        return replace(self, x=self.x + dx, y=self.y + dy)

    def clipped(self, rows: int, columns: int) -> Box:
        """Return the part inside a film of rows x columns; empty (width or height 0) if it lies outside."""
        left = min(max(self.x, 0.0), float(columns))
        top = min(max(self.y, 0.0), float(rows))
        right = min(max(self.right, 0.0), float(columns))
        bottom = min(max(self.bottom, 0.0), float(rows))
        return Box(left, top, max(right - left, 0.0), max(bottom - top, 0.0))

    def mirrored(self, columns: int) -> Box:
        """Return the box on the film flipped left to right."""
        return replace(self, x=columns - self.right)

    def iou(self, other: Box) -> float:
        """Intersection over union with another box, 0 to 1; 0 where both are empty."""
        overlap_width = min(self.right, other.right) - max(self.x, other.x)
        overlap_height = min(self.bottom, other.bottom) - max(self.y, other.y)
        if overlap_width <= 0 or overlap_height <= 0:
            return 0.0
        overlap = overlap_width * overlap_height
        return overlap / (self.area + other.area - overlap)
