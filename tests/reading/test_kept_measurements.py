"""Lengths that are kept with a reading: numbered, undone and redone like all else, closed by the lock."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from reader_app.errors import GradeError
from reader_app.imaging.spacing import Spacing, SpacingKind, unknown_spacing
from reader_app.protocols.model import Protocol
from reader_app.reading.case import Case
from reader_app.reading.change import Change, MeasurementChange
from reader_app.reading.commands import KeepMeasurement, RemoveMeasurement
from reader_app.reading.session import ReadingContent, ReadingSession

FILM, OTHER_FILM = 11, 12
DETECTOR = Spacing(0.2, 0.2, SpacingKind.AT_DETECTOR, "ImagerPixelSpacing alone.")
POINTS = st.tuples(st.floats(0, 2500), st.floats(0, 3000))


def keep(start: tuple[float, float] = (10, 20), end: tuple[float, float] = (110, 20)) -> KeepMeasurement:
    return KeepMeasurement(FILM, start, end, DETECTOR)


def commands() -> SearchStrategy[KeepMeasurement | RemoveMeasurement]:
    films = st.sampled_from([FILM, OTHER_FILM, 99])
    spacings = st.sampled_from([DETECTOR, unknown_spacing("The file gives no pixel spacing.")])
    return st.one_of(
        st.builds(KeepMeasurement, films, POINTS, POINTS, spacings),
        st.builds(RemoveMeasurement, st.integers(1, 4)),
    )


def test_a_kept_length_carries_all_that_it_rests_on(protocol: Protocol, case: Case) -> None:
    session = ReadingSession(protocol, case)
    session.apply(session.plan(keep()))
    kept = session.measurements[1]
    assert (kept.radiograph_id, kept.start, kept.end) == (FILM, (10, 20), (110, 20))
    assert kept.measurement.pixels == 100.0
    assert kept.measurement.mm == pytest.approx(20.0)
    assert kept.measurement.kind is SpacingKind.AT_DETECTOR
    assert kept.measurement.reason == "ImagerPixelSpacing alone."
    assert kept.words == "20.0 mm at detector"


def test_without_millimetres_the_pixels_and_the_reason_are_kept(protocol: Protocol, case: Case) -> None:
    session = ReadingSession(protocol, case)
    session.apply(session.plan(KeepMeasurement(FILM, (0, 0), (3, 4), unknown_spacing("No spacing."))))
    length = session.measurements[1].measurement
    assert (length.pixels, length.mm, length.kind, length.reason) == (
        5.0,
        None,
        SpacingKind.UNKNOWN,
        "No spacing.",
    )


def test_several_on_a_film_have_numbers_of_their_own(protocol: Protocol, case: Case) -> None:
    session = ReadingSession(protocol, case)
    for _ in range(3):
        session.apply(session.plan(keep()))
    session.apply(session.plan(RemoveMeasurement(1)))
    session.apply(session.plan(keep()))
    assert list(session.measurements) == [2, 3, 4]


def test_a_length_of_nothing_or_on_a_foreign_film_is_refused(protocol: Protocol, case: Case) -> None:
    session = ReadingSession(protocol, case)
    with pytest.raises(GradeError, match="no length"):
        session.plan(keep(end=(10, 20)))
    with pytest.raises(GradeError, match="not belong to the case"):
        session.plan(KeepMeasurement(99, (0, 0), (3, 4), DETECTOR))


def test_removing_what_is_not_there_changes_nothing(protocol: Protocol, case: Case) -> None:
    assert ReadingSession(protocol, case).plan(RemoveMeasurement(1)).empty


def test_once_locked_nothing_is_kept_or_removed(protocol: Protocol, case: Case) -> None:
    session = ReadingSession(protocol, case)
    session.apply(session.plan(keep()))
    session.mark_locked()
    for command in (keep(), RemoveMeasurement(1)):
        with pytest.raises(GradeError, match="locked"):
            session.plan(command)
    assert list(session.measurements) == [1]


def test_a_length_says_on_which_film_it_lies_and_touches_no_joint(protocol: Protocol, case: Case) -> None:
    change = ReadingSession(protocol, case).plan(keep())
    assert change.radiograph_ids == {FILM}
    assert not change.joint_ids
    assert not change.empty
    assert change.inverse().radiograph_ids == {FILM}


@settings(max_examples=60, deadline=None)
@given(wanted=st.lists(commands(), max_size=10))
def test_undo_leads_back_redo_forth_and_the_changes_alone_make_the_state(
    protocol: Protocol, case: Case, wanted: list[KeepMeasurement | RemoveMeasurement]
) -> None:
    session = ReadingSession(protocol, case)
    changes: list[Change] = []
    states = [session.measurements]
    for command in wanted:
        try:
            change = session.plan(command)
        except GradeError:
            continue
        session.apply(change)
        if not change.empty:
            changes.append(change)
            states.append(session.measurements)
    for expected in reversed(states[:-1]):
        undo = session.plan_undo()
        assert undo is not None
        session.apply(undo)
        assert session.measurements == expected
    for expected in states[1:]:
        redo = session.plan_redo()
        assert redo is not None
        session.apply(redo)
        assert session.measurements == expected
    stored: dict[int, MeasurementChange] = {}
    for change in changes:
        for line in change.measurements:
            before = stored.get(line.number)
            assert line.before == (before.after if before else None)
            stored[line.number] = line
    kept = {number: line.after for number, line in stored.items() if line.after is not None}
    reopened = ReadingSession(protocol, case, ReadingContent(measurements=kept))
    assert reopened.measurements == session.measurements
