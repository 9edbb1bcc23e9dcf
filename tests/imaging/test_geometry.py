from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reader_app.imaging.geometry import Box, Laterality, Side

numbers = st.integers(-500, 500).map(float)
extents = st.integers(0, 500).map(float)
boxes = st.builds(Box, numbers, numbers, extents, extents)


@given(boxes, numbers, numbers)
@settings(deadline=None)
def test_moving_there_and_back_changes_nothing(box: Box, dx: float, dy: float) -> None:
    assert box.moved(dx, dy).moved(-dx, -dy) == box


@given(boxes)
@settings(deadline=None)
def test_mirroring_twice_changes_nothing_and_keeps_the_extent(box: Box) -> None:
    assert box.mirrored(1000).mirrored(1000) == box
    assert box.mirrored(1000).area == box.area


@given(boxes, st.integers(1, 400), st.integers(1, 400))
@settings(deadline=None)
def test_a_clipped_box_lies_on_the_film(box: Box, rows: int, columns: int) -> None:
    clipped = box.clipped(rows, columns)
    assert 0 <= clipped.x <= clipped.right <= columns
    assert 0 <= clipped.y <= clipped.bottom <= rows
    assert clipped.clipped(rows, columns) == clipped


@given(boxes, boxes)
@settings(deadline=None)
def test_overlap_is_symmetric_and_a_share(one: Box, other: Box) -> None:
    assert one.iou(other) == pytest.approx(other.iou(one))
    assert 0.0 <= one.iou(other) <= 1.0


def test_overlap_by_hand() -> None:
    assert Box(0, 0, 10, 10).iou(Box(5, 0, 10, 10)) == pytest.approx(50 / 150)
    assert Box(0, 0, 10, 10).iou(Box(0, 0, 10, 10)) == 1.0
    assert Box(0, 0, 10, 10).iou(Box(10, 0, 10, 10)) == 0.0
    assert Box(2, 4, 10, 20).centre == (7.0, 14.0)


@pytest.mark.parametrize(
    "bad", [(0, 0, -1, 1), (0, 0, 1, -1), (float("nan"), 0, 1, 1), (0, float("inf"), 1, 1)]
)
def test_an_impossible_box_is_refused(bad: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="a box"):
        Box(*bad)


def test_sides_of_a_laterality() -> None:
    assert Laterality.BILATERAL.sides == (Side.RIGHT, Side.LEFT)
    assert Laterality.LEFT.sides == (Side.LEFT,)
    assert Laterality.UNKNOWN.sides == ()
    assert Side.RIGHT.other is Side.LEFT
