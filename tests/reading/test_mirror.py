"""What is shown mirrored comes back from the mirror as it was, and every grade keeps its joint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PySide6.QtCore import QPointF

from reader_app.imaging.geometry import Box, Laterality
from reader_app.imaging.overlay_planes import Overlay
from reader_app.imaging.radiograph import Radiograph, RadiographHeader
from reader_app.imaging.spacing import Spacing, SpacingKind
from reader_app.protocols.model import Item, Protocol
from reader_app.reading.case import Case, CaseFilm, GradeKey, Joint, JointSide, grade_keys
from reader_app.reading.change import BoxChange, Change, Exclusion, GradeChange, MeasurementChange
from reader_app.reading.commands import KeepMeasurement, MoveBox, SetGrade
from reader_app.reading.measurement import KeptMeasurement, Point, measured
from reader_app.reading.mirror import (
    CaseMirror,
    mirrored_heatmap,
    mirrored_point,
    mirrored_radiograph,
    snapped,
    snapped_command,
    snapped_point,
)
from reader_app.reading.pregrade import Heatmap
from reader_app.reading.session import ReadingContent, ReadingSession
from reader_app.ui.film.heat import crop_to_film

WIDTHS = st.integers(1, 20_000)
PLACES = st.floats(-20_000, 20_000, allow_nan=False)
EXTENTS = st.floats(0, 20_000, allow_nan=False)
BOXES = st.builds(Box, PLACES, PLACES, EXTENTS, EXTENTS)
POINTS: st.SearchStrategy[Point] = st.tuples(PLACES, PLACES)
KL = Item("kl")


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Cases of one or two films, each with one joint, with both, or with the whole film as well."""
    films = []
    for number in range(1, draw(st.integers(1, 2)) + 1):
        sides = draw(
            st.sampled_from(
                [
                    (JointSide.RIGHT, JointSide.LEFT),
                    (JointSide.LEFT,),
                    (JointSide.UNSTATED,),
                    (JointSide.RIGHT, JointSide.LEFT, JointSide.WHOLE),
                ]
            )
        )
        joints = tuple(
            Joint(10 * number + place, number, side, draw(st.none() | BOXES.map(snapped)))
            for place, side in enumerate(sides)
        )
        films.append(CaseFilm(number, "", joints, "a" * 64, columns=draw(WIDTHS)))
    return Case(1, tuple(films))


@st.composite
def changes(draw: st.DrawFn, case: Case) -> Change:
    joint = draw(st.sampled_from(case.joints))
    film = case.film_of(joint.id).radiograph_id
    spacing = Spacing(0.1, 0.2, SpacingKind.CALIBRATED, "")

    def box() -> Box | None:
        return draw(st.none() | BOXES.map(snapped))

    def kept() -> KeptMeasurement | None:
        start, end = draw(POINTS.map(snapped_point)), draw(POINTS.map(snapped_point))
        length = KeptMeasurement(film, start, end, measured(start, end, spacing))
        return draw(st.sampled_from([None, length]))

    return Change(
        "any",
        grades=(GradeChange(GradeKey(joint.id, KL), None, 2),),
        boxes=(BoxChange(joint.id, box(), box()),),
        measurements=(MeasurementChange(1, kept(), kept()),),
    )


@given(case=cases())
def test_a_case_comes_back_from_the_mirror_as_it_was(case: Case) -> None:
    mirror = CaseMirror(case)
    there = mirror.case(case)
    assert CaseMirror(there).case(there) == case
    assert mirror.case(there) == case
    assert {joint.id for joint in there.joints} == {joint.id for joint in case.joints}


@given(case=cases())
def test_what_looks_like_the_right_joint_comes_first_and_keeps_its_number(case: Case) -> None:
    there = CaseMirror(case).case(case)
    for before, after in zip(case.films, there.films, strict=True):
        sides = [joint.side for joint in after.joints]
        assert sides == sorted(sides, key=list(JointSide).index)
        shown = {joint.id: joint.side for joint in after.joints}
        for joint in before.joints:
            swapped = {JointSide.RIGHT: JointSide.LEFT, JointSide.LEFT: JointSide.RIGHT}
            assert shown[joint.id] is swapped.get(joint.side, joint.side)


@given(case=cases(), data=st.data())
def test_a_change_comes_back_bit_by_bit(case: Case, data: st.DataObject) -> None:
    change = data.draw(changes(case))
    mirror = CaseMirror(case)
    assert mirror.change(mirror.change(change)) == change
    assert mirror.change(change).grades == change.grades, "grades belong to joints, not to places"
    assert mirror.change(change).inverse() == mirror.change(change.inverse())


@given(case=cases(), data=st.data())
def test_what_a_reading_holds_comes_back_and_lengths_stay_as_long(case: Case, data: st.DataObject) -> None:
    change = data.draw(changes(case))
    session = ReadingContent(
        grades={change.grades[0].key: 2},
        boxes={each.joint_id: each.after for each in change.boxes if each.after},
        exclusions={case.joints[0].id: Exclusion("prosthesis", "left")},
        measurements={each.number: each.after for each in change.measurements if each.after},
    )
    mirror = CaseMirror(case)
    there = mirror.content(session)
    assert mirror.content(there) == session
    assert (there.grades, there.exclusions) == (session.grades, session.exclusions)
    for number, kept in there.measurements.items():
        assert kept.measurement == session.measurements[number].measurement


@given(box=BOXES, point=POINTS, columns=WIDTHS)
def test_rounding_to_the_grid_makes_the_mirror_exact_and_moves_nothing_visibly(
    box: Box, point: Point, columns: int
) -> None:
    fixed = snapped(box)
    assert fixed.mirrored(columns).mirrored(columns) == fixed
    assert snapped(fixed) == fixed
    assert abs(fixed.x - box.x) <= 1 / 2048
    assert abs(fixed.width - box.width) <= 1 / 2048
    there = snapped_point(point)
    assert mirrored_point(mirrored_point(there, columns), columns) == there


@given(
    to_film=arrays(np.float64, (2, 3), elements=st.integers(-5000, 5000).map(float)),
    columns=WIDTHS,
    place=st.tuples(st.integers(0, 12), st.integers(0, 12)),
)
def test_a_heatmap_lands_where_its_film_went(
    to_film: np.ndarray[tuple[int, int], np.dtype[np.float64]], columns: int, place: tuple[int, int]
) -> None:
    heatmap = Heatmap(np.zeros((12, 12), np.float32), to_film)
    there = mirrored_heatmap(heatmap, columns)
    assert np.array_equal(mirrored_heatmap(there, columns).to_film, to_film)
    # On the screen, where boxes count from pixel edges.
    spot = QPointF(*map(float, place))
    before, after = crop_to_film(heatmap).map(spot), crop_to_film(there).map(spot)
    assert after == QPointF(columns - before.x(), before.y())


@given(
    pixels=arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9))),
    side=st.sampled_from(Laterality),
    data=st.data(),
)
def test_a_film_comes_back_pixel_by_pixel(
    pixels: np.ndarray[tuple[int, int], np.dtype[np.uint16]], side: Laterality, data: st.DataObject
) -> None:
    rows, columns = pixels.shape
    mask = data.draw(arrays(np.bool_, pixels.shape))
    header = RadiographHeader(Path("film.dcm"), "DICOM", rows, columns, 16, laterality=side)
    film = Radiograph(header, pixels, collimated=Box(0, 0, 1, rows), overlays=(Overlay("drawn", mask),))
    there = mirrored_radiograph(film)
    assert np.array_equal(there.pixels, pixels[:, ::-1])
    assert np.array_equal(there.overlays[0].mask, mask[:, ::-1])
    assert there.collimated == Box(columns - 1, 0, 1, rows)
    back = mirrored_radiograph(there)
    assert np.array_equal(back.pixels, pixels)
    assert (back.header, back.collimated, back.overlays) == (film.header, film.collimated, film.overlays)


def test_a_reader_of_a_mirrored_film_grades_the_joint_that_is_meant(protocol: Protocol, case: Case) -> None:
    stored = replace(case, films=tuple(replace(film, columns=500) for film in case.films))
    mirror = CaseMirror(stored)
    shown = mirror.case(stored)
    session = ReadingSession(protocol, shown)
    seen_as_right = next(joint for joint in shown.films[0].joints if joint.side is JointSide.RIGHT)
    assert stored.joint(seen_as_right.id).side is JointSide.LEFT
    assert seen_as_right.box == Box(100, 10, 100, 100)
    key = next(key for key in grade_keys(protocol, shown) if key.joint_id == seen_as_right.id)
    code = protocol.item_scale(key.item).codes[-1]
    told = mirror.change(session.plan(SetGrade(key, code)))
    assert told.grades == (GradeChange(key, None, code),)
    dragged = session.plan(snapped_command(MoveBox(seen_as_right.id, Box(90.123456, 10, 100, 100))))
    (box,) = mirror.change(dragged).boxes
    assert box.after is not None
    assert box.after.x == pytest.approx(500 - 190.123456, abs=1e-3)
    kept = snapped_command(
        KeepMeasurement(11, (1.23456789, 2), (3, 4), Spacing(1, 1, SpacingKind.GEOMETRY, ""))
    )
    assert isinstance(kept, KeepMeasurement)
    assert kept.start == snapped_point(kept.start)
