"""Millimetres of one film by something on it whose true size is known, such as a ball or a disc of steel."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reader_app.errors import ImageError
from reader_app.imaging.spacing import Spacing, SpacingKind, checked_spacing

SMALLEST_MARKER_MM, LARGEST_MARKER_MM = 1.0, 500.0
SHORTEST_LINE_PX = 10.0
"""Below this an end that is set one pixel amiss would cost a tenth of every length."""

_NOTEWORTHY = 1.3


@dataclass(frozen=True)
class MarkerLine:
    """A line across a marker of known size.

    Parameters
    ----------
    marker_mm
        True length of what the line spans, such as the diameter of a ball.
    start, end
        (x, y) in film pixels.
    """

    marker_mm: float
    start: tuple[float, float]
    end: tuple[float, float]

    @property
    def pixels(self) -> float:
        """Length of the line in film pixels."""
        return math.dist(self.start, self.end)


def calibrated_spacing(line: MarkerLine, own: Spacing, shape: tuple[int, int]) -> Spacing:
    """Work out millimetres per pixel from a marker in the plane of what is to be measured.

    Where the file says that rows and columns lie at different distances, their ratio is kept: one line
    cannot tell two numbers.

    Parameters
    ----------
    line
        Across the marker.
    own
        What the file itself says, for the ratio.
    shape
        Rows and columns of the film.

    Returns
    -------
    Spacing
        Of the kind `SpacingKind.CALIBRATED`.

    Raises
    ------
    ImageError
        If marker, line or result is implausible.
    """
    if not SMALLEST_MARKER_MM <= line.marker_mm <= LARGEST_MARKER_MM:  # refuses NaN too
        raise ImageError(
            f"A marker of {line.marker_mm:g} mm cannot calibrate a film.",
            f"Give the marker's true size, {SMALLEST_MARKER_MM:g} to {LARGEST_MARKER_MM:g} mm.",
        )
    rows, columns = shape
    for x, y in (line.start, line.end):
        if not (0 <= x <= columns and 0 <= y <= rows):
            raise ImageError(
                f"The line across the marker ends outside the film, at {x:g}, {y:g}.",
                f"Set both ends on the film of {columns} x {rows} pixels.",
            )
    if line.pixels < SHORTEST_LINE_PX:
        raise ImageError(
            f"The line across the marker has {line.pixels:.1f} pixels, too few to calibrate a film.",
            "Zoom in and draw it from edge to edge of the marker.",
        )
    ratio = own.row_mm / own.column_mm if own.row_mm is not None and own.column_mm is not None else 1.0
    dx, dy = line.end[0] - line.start[0], line.end[1] - line.start[1]
    column_mm = line.marker_mm / math.hypot(dx, dy * ratio)
    found = checked_spacing(
        column_mm * ratio,
        column_mm,
        kind=SpacingKind.CALIBRATED,
        reason=f"Calibrated by a marker of {line.marker_mm:g} mm",
        shape=shape,
    )
    if not found.measurable:
        raise ImageError(
            f"A marker of {line.marker_mm:g} mm over {line.pixels:.0f} pixels does not calibrate this film. "
            f"{found.reason}",
            "Check the marker's size and both ends of the line.",
        )
    return found


def calibration_doubt(found: Spacing, own: Spacing) -> str:
    """Return a sentence where a calibration is far from what the file itself says, else an empty text."""
    if found.column_mm is None or own.column_mm is None:
        return ""
    ratio = found.column_mm / own.column_mm
    if 1 / _NOTEWORTHY <= ratio <= _NOTEWORTHY:
        return ""
    return (
        f"The marker gives {found.column_mm:.3f} mm a pixel, the film itself {own.column_mm:.3f} mm "
        f"{own.kind.value}: they differ by {abs(ratio - 1):.0%}. Check the marker's size and the line."
    )
