"""A reader's own readings: every keystroke stored, nothing overwritten, nothing changed after the lock."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from reader_app.errors import GradeError, NotAllowed
from reader_app.imaging.geometry import Box
from reader_app.protocols.model import Arm, Presentation
from reader_app.reading.case import GradeKey, JointSide
from reader_app.reading.change import BoxChange, Change, Exclusion
from reader_app.reading.session import ReadingContent
from reader_app.reading.worklist import ReadingState
from reader_app.store import journal, pregrades, readings
from reader_app.store.content import load_content
from reader_app.store.records import Actor, Role
from tests.plain_worklists import progress_of
from tests.store.conftest import BUNDLE, JSN, KL, SIGNING, STAMPS, Study, exclude, film, set_grade


@pytest.fixture
def reader(study: Study) -> Actor:
    study.add_cases(film("P0001"), film("P0002"), film("P0003"))
    reader = study.person("Rita", Role.READER)
    study.assign(reader)
    return reader


def test_a_change_is_there_after_reopening_whatever_it_changed(study: Study, reader: Actor) -> None:
    opened = study.open(reader)
    right, left = (joint.id for joint in opened.case.joints)
    study.commit(reader, opened, set_grade(right, KL, 3))
    study.commit(reader, opened, set_grade(right, JSN, 2))
    study.commit(reader, opened, Change("move-box", boxes=(BoxChange(right, None, Box(1.5, 2, 30, 40)),)))
    study.commit(reader, opened, exclude(left, note="metal"))
    again = study.open(reader)
    assert again.reading_id == opened.reading_id
    assert again.content.grades == {GradeKey(right, KL): 3, GradeKey(right, JSN): 2}
    assert again.content.boxes == {right: Box(1.5, 2, 30, 40)}
    assert again.content.exclusions == {left: Exclusion("prosthesis", "metal")}
    assert not again.content.locked


def test_every_change_can_be_taken_back_by_its_inverse(study: Study, reader: Actor) -> None:
    opened = study.open(reader)
    right, left = (joint.id for joint in opened.case.joints)
    before = opened.content
    changes = [
        set_grade(right, KL, 3),
        set_grade(right, KL, 4, before=3),
        Change("move-box", boxes=(BoxChange(right, None, Box(1, 2, 3, 4)),)),
        exclude(left),
    ]
    for change in changes:
        study.commit(reader, opened, change)
    for change in reversed(changes):
        study.commit(reader, opened, change.inverse())
    assert study.open(reader).content == before


@pytest.mark.parametrize(("before", "after"), [(None, 1), (2, 1), (2, None)])
def test_a_grade_that_was_changed_elsewhere_is_not_overwritten(
    study: Study, reader: Actor, before: int | None, after: int | None
) -> None:
    opened = study.open(reader)
    joint = opened.case.joints[0].id
    study.commit(reader, opened, set_grade(joint, KL, 3))
    with pytest.raises(GradeError, match="changed elsewhere"):
        study.commit(reader, opened, set_grade(joint, KL, after, before=before))
    assert study.open(reader).content.grades == {GradeKey(joint, KL): 3}


def test_a_change_is_stored_whole_or_not_at_all(study: Study, reader: Actor) -> None:
    opened = study.open(reader)
    right, left = (joint.id for joint in opened.case.joints)
    study.commit(reader, opened, set_grade(left, KL, 1))
    entries = journal.verify_chain(study.db).entries
    both = Change(
        "accept-pre-grade", grades=(*set_grade(right, KL, 2).grades, *set_grade(left, KL, 2).grades)
    )
    with pytest.raises(GradeError):
        study.commit(reader, opened, both)
    assert study.open(reader).content.grades == {GradeKey(left, KL): 1}
    assert journal.verify_chain(study.db).entries == entries


def test_a_locked_reading_refuses_every_change(study: Study, reader: Actor) -> None:
    opened = study.open(reader)
    right, left = (joint.id for joint in opened.case.joints)
    study.commit(reader, opened, set_grade(right, KL, 3))
    study.lock(reader, opened, seconds=12.5)
    for change in (set_grade(right, KL, 1, before=3), set_grade(left, KL, 1), exclude(left)):
        with pytest.raises(GradeError, match="locked"):
            study.commit(reader, opened, change)
    with pytest.raises(GradeError, match="locked"):
        study.lock(reader, opened)
    readings.add_active_time(study.db, reader, opened.reading_id, 100.0)
    again = study.open(reader)
    assert again.content.locked
    assert again.content.grades == {GradeKey(right, KL): 3}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE grade SET code = 0",
        "DELETE FROM grade",
        "INSERT INTO grade (reading_id, joint_id, item, code, pregrade_in_sight, at) "
        "SELECT reading_id, joint_id, 'other', 1, false, at FROM grade",
        "DELETE FROM exclusion",
        "UPDATE reading_box SET box_x = 0",
        "UPDATE reading SET locked_at = NULL",
        "DELETE FROM reading",
    ],
)
def test_the_database_itself_guards_a_locked_reading(study: Study, reader: Actor, statement: str) -> None:
    opened = study.open(reader)
    right, left = (joint.id for joint in opened.case.joints)
    study.commit(reader, opened, set_grade(right, KL, 3))
    study.commit(reader, opened, Change("move-box", boxes=(BoxChange(right, None, Box(1, 2, 3, 4)),)))
    study.commit(reader, opened, exclude(left))
    study.lock(reader, opened)
    with pytest.raises(IntegrityError, match="locked reading"), study.db.writing() as connection:
        connection.exec_driver_sql(statement)


def test_the_worklist_tells_state_and_number_of_grades(study: Study, reader: Actor) -> None:
    first, second = study.open(reader, 1), study.open(reader, 2)
    for joint in first.case.joints:
        study.commit(reader, first, set_grade(joint.id, KL, 1))
    study.lock(reader, first)
    study.commit(reader, second, set_grade(second.case.joints[0].id, KL, 1))
    study.commit(reader, second, set_grade(second.case.joints[0].id, KL, 2, before=1))
    study.commit(reader, second, set_grade(second.case.joints[0].id, JSN, 2))
    study.commit(reader, second, set_grade(second.case.joints[0].id, JSN, None, before=2))
    entries = readings.worklist(study.db, reader)
    assert [entry.state for entry in entries] == [
        ReadingState.LOCKED,
        ReadingState.OPEN,
        ReadingState.WAITING,
    ]
    assert [entry.graded for entry in entries] == [2, 1, 0]
    assert [entry.place for entry in entries] == [1, 2, 3]
    assert readings.worklist(study.db, reader, first_place=2, limit=1) == entries[1:2]
    assert readings.worklist_progress(study.db, reader) == progress_of(entries)


def test_a_joint_of_another_case_is_refused(study: Study, reader: Actor) -> None:
    first, second = study.open(reader, 1), study.open(reader, 2)
    with pytest.raises(NotAllowed):
        study.commit(reader, first, set_grade(second.case.joints[0].id, KL, 1))


def test_the_grade_remembers_whether_a_pre_grade_was_in_sight_and_how_long(study: Study) -> None:
    study.add_cases(film("P0001"))
    reader = study.person("Rita", Role.READER)
    study.assign(reader, Arm.AIDED)
    opened = study.open(reader)
    right, left = (joint.id for joint in opened.case.joints)
    for joint, in_sight, seconds in ((right, True, 4.25), (left, False, 6.5)):
        readings.commit_change(
            study.db,
            reader,
            opened.reading_id,
            set_grade(joint, KL, 1),
            pregrade_in_sight=in_sight,
            in_sight_seconds=seconds,
        )
    auditor = study.person("Ada", Role.AUDITOR)
    told = [
        (entry.payload["pregrade_in_sight"], entry.payload["in_sight_seconds"], entry.account_id)
        for entry in journal.entries(study.db, auditor)
        if entry.verb == "reading.set-grade"
    ]
    assert told == [(True, 4.25, reader.account_id), (False, 6.5, reader.account_id)]
    with study.db.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT pregrade_in_sight, in_sight_seconds FROM grade ORDER BY joint_id"
        ).all()
    assert [(bool(seen), seconds) for seen, seconds in rows] == [(True, 4.25), (False, 6.5)]


def test_an_unaided_reading_cannot_claim_that_the_ai_was_in_sight(study: Study, reader: Actor) -> None:
    opened = study.open(reader)
    with pytest.raises(ValueError, match="unaided"):
        study.commit(reader, opened, set_grade(opened.case.joints[0].id, KL, 1), in_sight=True)
    assert study.open(reader).content.grades == {}


def test_unaided_then_aided_is_two_readings_and_the_first_stays(study: Study) -> None:
    study.add_cases(film("P0001"))
    study.pregrade_all()
    reader = study.person("Rita", Role.READER)
    study.assign(reader, Arm.UNAIDED_THEN_AIDED)
    first = study.open(reader)
    joint = first.case.joints[0].id
    study.commit(reader, first, set_grade(joint, KL, 1))
    assert (first.arm, first.case.joints[0].box) == (Arm.UNAIDED, None)
    study.lock(reader, first)
    assert readings.worklist(study.db, reader)[0].state is ReadingState.OPEN
    second = study.open(reader)
    assert second.reading_id != first.reading_id
    assert (second.arm, second.content.grades, second.content.locked) == (
        Arm.AIDED,
        {GradeKey(joint, KL): 1},
        False,
    )
    assert second.case.joints[0].box is not None
    study.commit(reader, second, set_grade(joint, KL, 2, before=1))
    study.lock(reader, second)
    assert readings.worklist(study.db, reader)[0].state is ReadingState.LOCKED
    with study.db.reading() as connection:
        kept = connection.exec_driver_sql("SELECT reading_id, code FROM grade ORDER BY reading_id").all()
    assert [tuple(row) for row in kept] == [(first.reading_id, 1), (second.reading_id, 2)]


def test_nothing_of_the_ai_is_fetched_before_the_first_reading_is_locked(study: Study) -> None:
    study.add_cases(film("P0001"))
    study.pregrade_all()
    reader = study.person("Rita", Role.READER)
    study.assign(reader, Arm.UNAIDED_THEN_AIDED)

    def fetched(reading_id: int) -> tuple[int, bool]:
        said = pregrades.pregrades_for_reading(study.db, reader, reading_id, BUNDLE)
        heat = pregrades.heatmap_file(study.db, reader, reading_id, joint, BUNDLE)
        return len(said), heat is not None

    first = study.open(reader)
    joint = first.case.joints[0].id
    assert (first.ai_follows, first.first) == (True, None)
    assert fetched(first.reading_id) == (0, False)
    # Even a row of the aided reading that somebody slipped in opens nothing while the first is not locked.
    with study.db.writing() as connection:
        slipped_in = connection.exec_driver_sql(
            "INSERT INTO reading (assignment_id, arm, protocol_sha256, design_sha256, software, opened_at, "
            "active_seconds, in_sight_seconds) SELECT assignment_id, 'aided', '', '', '', '', 0, 0 "
            "FROM reading RETURNING id"
        ).scalar_one()
    assert fetched(slipped_in) == (0, False)
    with study.db.writing() as connection:
        connection.exec_driver_sql("DELETE FROM reading WHERE arm = 'aided'")
    study.commit(reader, first, set_grade(joint, KL, 1))
    study.lock(reader, first)
    assert fetched(first.reading_id) == (0, False), "the locked first reading itself shows nothing"
    assert readings.worklist(study.db, reader)[0].first_locked
    second = study.open(reader)
    assert fetched(second.reading_id) == (4, True)
    assert (second.ai_follows, second.first) == (False, study_content(study, first.reading_id))
    assert second.first is not None
    assert second.first.grades == {GradeKey(joint, KL): 1}


def study_content(study: Study, reading_id: int) -> ReadingContent:
    with study.db.reading() as connection:
        return load_content(connection, reading_id, locked=True)


@pytest.mark.parametrize(
    ("presentation", "told"),
    [
        (Presentation.SINGLE, {("",)}),
        (Presentation.PAIRED_ORDERED, {("Baseline", "Month 48")}),
        (Presentation.PAIRED_BLINDED, {("", "")}),
    ],
)
def test_a_reader_hears_of_visits_only_where_the_presentation_tells(
    study: Study, presentation: Presentation, told: set[tuple[str, ...]]
) -> None:
    study.add_cases(film("P0001", "Baseline", 0), film("P0001", "Month 48", 1), presentation=presentation)
    reader = study.person("Rita", Role.READER)
    study.assign(reader)
    shown = {
        tuple(shown.visit for shown in study.open(reader, entry.place).case.films)
        for entry in readings.worklist(study.db, reader)
    }
    assert shown == told


def test_assigning_again_appends_and_never_moves(study: Study, reader: Actor) -> None:
    before = readings.worklist(study.db, reader)
    study.add_cases(film("P0004"), film("P0005"))
    study.assign(reader)
    after = readings.worklist(study.db, reader)
    assert after[: len(before)] == before
    assert [entry.place for entry in after] == [1, 2, 3, 4, 5]
    study.assign(reader)
    assert readings.worklist(study.db, reader) == after


def test_joints_hang_right_before_left(study: Study) -> None:
    study.add_cases(film("P0001", sides=(JointSide.WHOLE, JointSide.LEFT, JointSide.RIGHT)))
    reader = study.person("Rita", Role.READER)
    study.assign(reader)
    sides = [joint.side for joint in study.open(reader).case.joints]
    assert sides == [JointSide.RIGHT, JointSide.LEFT, JointSide.WHOLE]


def test_active_time_adds_up(study: Study, reader: Actor) -> None:
    opened = study.open(reader)
    readings.add_active_time(study.db, reader, opened.reading_id, 10.0)
    readings.add_active_time(study.db, reader, opened.reading_id, 5.5)
    study.lock(reader, opened, seconds=0.25)
    with study.db.reading() as connection:
        assert connection.exec_driver_sql("SELECT active_seconds FROM reading").scalar() == 15.75


def test_the_time_with_the_ai_in_sight_adds_up_over_visits_and_crashes(study: Study) -> None:
    study.add_cases(film("P0001"))
    reader = study.person("Rita", Role.READER)
    study.assign(reader, Arm.AIDED)
    opened = study.open(reader)
    readings.add_active_time(study.db, reader, opened.reading_id, 10.0, in_sight_seconds=7.0)
    assert study.open(reader).in_sight_seconds == 7.0
    # The program ends without having been told of the time of this visit; the grade knows it.
    change = set_grade(opened.case.joints[0].id, KL, 1)
    readings.commit_change(
        study.db, reader, opened.reading_id, change, pregrade_in_sight=True, in_sight_seconds=9.5
    )
    assert study.open(reader).in_sight_seconds == 9.5
    readings.lock_reading(
        study.db, reader, opened.reading_id, active_seconds=1.0, in_sight_seconds=0.5, signing=SIGNING
    )
    with study.db.reading() as connection:
        row = connection.exec_driver_sql("SELECT active_seconds, in_sight_seconds FROM reading").one()
    assert tuple(row) == (11.0, 10.0)


def test_opening_a_case_of_nobody_is_refused(study: Study, reader: Actor) -> None:
    with pytest.raises(NotAllowed):
        readings.open_reading(study.db, reader, 999, **STAMPS)
