"""A corrected film: what is covered is covered to the last pixel, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_app.imaging.correction import FilmCorrection, corrected, covered, shown_sha256
from reader_app.imaging.display import gray_bone_bright, to_display
from reader_app.imaging.geometry import Box
from reader_app.imaging.radiograph import Radiograph, RadiographHeader
from reader_app.imaging.spacing import Spacing, SpacingKind

ROWS, COLUMNS = 40, 60
BOXES = st.builds(Box, st.floats(-20, 70), st.floats(-20, 50), st.floats(0, 80), st.floats(0, 60))


def film(*, inverse: bool = False) -> Radiograph:
    pixels = np.random.default_rng(1).integers(100, 4000, (ROWS, COLUMNS)).astype(np.uint16)
    header = RadiographHeader(Path("film.dcm"), "DICOM", ROWS, COLUMNS, 12)
    return Radiograph(header, pixels, inverse_polarity=inverse)


@given(box=BOXES)
def test_a_box_covers_every_pixel_that_it_touches_and_no_other(box: Box) -> None:
    hidden = covered((ROWS, COLUMNS), [box])
    for row in range(ROWS):
        for column in (0, 1, COLUMNS // 2, COLUMNS - 1):
            overlap_x = min(box.right, column + 1) - max(box.x, column)
            overlap_y = min(box.bottom, row + 1) - max(box.y, row)
            if overlap_x > 0 and overlap_y > 0:
                assert hidden[row, column]
            elif overlap_x < 0 or overlap_y < 0:
                assert not hidden[row, column]


@pytest.mark.parametrize("inverse", [False, True])
@given(boxes=st.lists(BOXES, min_size=1, max_size=3))
def test_what_is_boxed_out_is_black_on_screen_and_the_rest_is_as_it_was(
    inverse: bool, boxes: list[Box]
) -> None:
    before = film(inverse=inverse)
    after = corrected(before, FilmCorrection(box_outs=tuple(boxes)))
    hidden = covered((ROWS, COLUMNS), boxes)
    assert np.array_equal(after.pixels[~hidden], before.pixels[~hidden])
    if hidden.any():
        shown = to_display(after)
        assert np.unique(shown[hidden]).tolist() == [shown.min()]


def test_a_polarity_turns_screen_and_networks_alike() -> None:
    before = film()
    after = corrected(before, FilmCorrection(inverse_polarity=True))
    assert np.array_equal(to_display(after), 255 - to_display(before))
    bright, dark = gray_bone_bright(before), gray_bone_bright(after)
    assert np.corrcoef(bright.ravel(), dark.ravel())[0, 1] == pytest.approx(-1)
    again = corrected(after, FilmCorrection(inverse_polarity=False))
    assert np.array_equal(to_display(again), to_display(before))


def test_a_film_without_corrections_is_the_film_itself() -> None:
    before = film()
    assert corrected(before, FilmCorrection()) is before


def test_millimetres_replace_those_of_the_file() -> None:
    spacing = Spacing(0.15, 0.15, SpacingKind.CALIBRATED, "Calibrated by a marker of 25 mm.")
    assert corrected(film(), FilmCorrection(spacing=spacing)).header.spacing == spacing


def test_what_stands_for_the_picture_changes_with_the_picture_only() -> None:
    own = "a" * 64
    spacing = Spacing(0.15, 0.15, SpacingKind.CALIBRATED, "")
    box = Box(1, 2, 3, 4)
    assert shown_sha256(own, FilmCorrection()) == own
    assert shown_sha256(own, FilmCorrection(spacing=spacing)) == own
    others = [
        FilmCorrection(inverse_polarity=True),
        FilmCorrection(inverse_polarity=False),
        FilmCorrection(box_outs=(box,)),
        FilmCorrection(box_outs=(box, box.moved(1, 0))),
        FilmCorrection(inverse_polarity=True, box_outs=(box,)),
    ]
    assert len({own, *(shown_sha256(own, each) for each in others)}) == len(others) + 1
    whole = FilmCorrection(box_outs=(Box(1, 2, 3, 4),))
    assert shown_sha256(own, whole) == shown_sha256(own, FilmCorrection(box_outs=(Box(1.0, 2.0, 3.0, 4.0),)))
