"""Millimetres by a marker: right in every direction, and refused in words where they cannot be."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reader_app.errors import ImageError
from reader_app.imaging.calibration import (
    LARGEST_MARKER_MM,
    SHORTEST_LINE_PX,
    SMALLEST_MARKER_MM,
    MarkerLine,
    calibrated_spacing,
    calibration_doubt,
)
from reader_app.imaging.spacing import Spacing, SpacingKind, unknown_spacing

SHAPE = (2000, 2000)
NOTHING = unknown_spacing("The file gives no pixel spacing, so nothing can be measured in mm.")


def own(row_mm: float, column_mm: float, kind: SpacingKind = SpacingKind.AT_DETECTOR) -> Spacing:
    return Spacing(row_mm, column_mm, kind, "As the file says.")


@given(
    angle=st.floats(0, 2 * math.pi),
    column_mm=st.floats(0.08, 0.9),
    ratio=st.floats(0.55, 1.8),
    marker_mm=st.floats(10, 60),
)
def test_a_marker_of_true_size_gives_back_the_true_spacing(
    angle: float, column_mm: float, ratio: float, marker_mm: float
) -> None:
    """A line of the marker's length, laid in any direction on a film whose pixels are known."""
    assume(0.06 < column_mm * ratio < 0.95)
    dx, dy = (
        marker_mm * math.cos(angle) / column_mm,
        marker_mm * math.sin(angle) / (column_mm * ratio),
    )
    line = MarkerLine(marker_mm, (1000, 1000), (1000 + dx, 1000 + dy))
    # The file knows the shape of its pixels, but a wrong size of them.
    found = calibrated_spacing(line, own(0.2 * ratio, 0.2), SHAPE)
    assert found.kind is SpacingKind.CALIBRATED
    assert found.column_mm == pytest.approx(column_mm)
    assert found.row_mm == pytest.approx(column_mm * ratio)
    assert found.distance_mm(dx, dy) == pytest.approx(marker_mm), "the marker measures its own size"


@given(angle=st.floats(0, 2 * math.pi), pixels=st.floats(50, 900))
def test_without_millimetres_in_the_file_pixels_are_square(angle: float, pixels: float) -> None:
    end = (1000 + pixels * math.cos(angle), 1000 + pixels * math.sin(angle))
    found = calibrated_spacing(MarkerLine(25, (1000, 1000), end), NOTHING, SHAPE)
    assert found.row_mm == found.column_mm == pytest.approx(25 / pixels)
    assert found.reason == "Calibrated by a marker of 25 mm."


@pytest.mark.parametrize(
    "marker_mm",
    [0, -25, math.nan, math.inf, SMALLEST_MARKER_MM - 0.1, LARGEST_MARKER_MM + 1],
)
def test_a_marker_of_an_impossible_size_is_refused(marker_mm: float) -> None:
    with pytest.raises(ImageError, match="cannot calibrate a film"):
        calibrated_spacing(MarkerLine(marker_mm, (100, 100), (300, 100)), NOTHING, SHAPE)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ((100, 100), (100, 100), "0.0 pixels, too few"),
        ((100, 100), (100 + SHORTEST_LINE_PX - 1, 100), "too few"),
        ((-1, 100), (300, 100), "outside the film"),
        ((100, 100), (300, 2001), "outside the film"),
        ((100, 100), (math.nan, 100), "outside the film"),
    ],
)
def test_a_line_that_says_too_little_is_refused(
    start: tuple[float, float], end: tuple[float, float], words: str
) -> None:
    with pytest.raises(ImageError, match=words) as refusal:
        calibrated_spacing(MarkerLine(25, start, end), NOTHING, SHAPE)
    assert refusal.value.next_step


@pytest.mark.parametrize(
    ("marker_mm", "pixels", "words"),
    [(1, 1500, "absurd"), (500, 20, "absurd"), (500, 200, "film of 5000 x 5000 mm")],
)
def test_millimetres_that_no_radiograph_has_are_refused(marker_mm: float, pixels: float, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        calibrated_spacing(MarkerLine(marker_mm, (100, 100), (100 + pixels, 100)), NOTHING, SHAPE)


@pytest.mark.parametrize(("pixels", "doubtful"), [(125, False), (97, False), (95, True), (170, True)])
def test_a_calibration_far_from_what_the_film_says_is_pointed_out(pixels: float, doubtful: bool) -> None:
    stated = own(0.2, 0.2)
    found = calibrated_spacing(MarkerLine(25, (100, 100), (100 + pixels, 100)), stated, SHAPE)
    doubt = calibration_doubt(found, stated)
    assert bool(doubt) is doubtful
    if doubtful:
        assert "0.200 mm at detector" in doubt
        assert f"{25 / pixels:.3f} mm" in doubt


def test_nothing_is_doubted_where_the_film_says_nothing() -> None:
    found = calibrated_spacing(MarkerLine(25, (0, 0), (0, 30)), NOTHING, SHAPE)
    assert calibration_doubt(found, NOTHING) == ""
