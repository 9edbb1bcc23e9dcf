"""A ruler gives millimetres only where the film vouches for them, and says which kind they are."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_app.imaging.spacing import Spacing, SpacingKind, SpacingTags, dicom_spacing, unknown_spacing
from reader_app.reading.measurement import measured

SHAPE = (3000, 2500)
POINTS = st.tuples(st.floats(0, 2500), st.floats(0, 3000))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (SpacingKind.CALIBRATED, "20.0 mm calibrated"),
        (SpacingKind.GEOMETRY, "20.0 mm by geometry"),
        (SpacingKind.MAGNIFICATION_CORRECTED, "20.0 mm magnification corrected"),
        (SpacingKind.AT_DETECTOR, "20.0 mm at detector"),
    ],
)
def test_a_length_is_written_with_where_it_holds(kind: SpacingKind, words: str) -> None:
    measurement = measured((10, 20), (110, 20), Spacing(0.2, 0.2, kind, "Said so."))
    assert measurement.pixels == 100.0
    assert measurement.mm == pytest.approx(20.0)
    assert measurement.words == words
    assert (measurement.kind, measurement.reason) == (kind, "Said so.")


def test_every_kind_that_has_millimetres_has_words() -> None:
    for kind in set(SpacingKind) - {SpacingKind.UNKNOWN}:
        assert " mm " in measured((0, 0), (3, 4), Spacing(1, 1, kind, "")).words


@pytest.mark.parametrize(
    ("tags", "clause"),
    [
        (SpacingTags(), "the file gives no pixel spacing"),
        (SpacingTags(pixel_spacing=(0, 0), calibration_type="GEOMETRY"), "PixelSpacing corrected for"),
        (SpacingTags(imager_spacing=(0.1,)), "ImagerPixelSpacing does not hold two numbers"),
    ],
)
def test_without_millimetres_the_ruler_counts_pixels_and_says_why(tags: SpacingTags, clause: str) -> None:
    words = measured((0, 0), (164, 0), dicom_spacing(tags, SHAPE)).words
    assert words.startswith(f"164 px: no millimetres because {clause}")
    assert "nothing can be measured" not in words
    assert not words.endswith(".")


def test_a_reason_that_is_empty_does_not_break_the_words() -> None:
    assert measured((0, 0), (3, 4), unknown_spacing("")).words.startswith("5 px: no millimetres")


@given(start=POINTS, end=POINTS, row=st.floats(0.05, 1), column=st.floats(0.05, 1))
def test_length_is_that_of_the_step_in_millimetres_and_the_same_backwards(
    start: tuple[float, float], end: tuple[float, float], row: float, column: float
) -> None:
    spacing = Spacing(row, column, SpacingKind.CALIBRATED, "")
    there, back = measured(start, end, spacing), measured(end, start, spacing)
    across, down = (end[0] - start[0]) * column, (end[1] - start[1]) * row
    assert there.mm == pytest.approx(math.sqrt(across**2 + down**2))
    assert there.mm == pytest.approx(back.mm)
    assert there.pixels == pytest.approx(back.pixels)


def test_a_point_that_is_no_number_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="finite"):
        measured((0, 0), (math.nan, 1), unknown_spacing("x"))
