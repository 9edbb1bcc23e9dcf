"""Grades against the journal: what somebody writes past the store is found."""

from __future__ import annotations

import pytest

from reader_app.imaging.geometry import Box
from reader_app.protocols.model import Arm
from reader_app.reading.change import BoxChange, Change
from reader_app.store import journal, replay
from reader_app.store.records import Role
from tests.store.conftest import JSN, KL, Study, exclude, film, set_grade


@pytest.fixture
def busy(written: Study) -> Study:
    """Besides Rita's locked readings, an open one with everything, and one in two stages."""
    rolf, roxana = (written.person(name, Role.READER) for name in ("Rolf", "Roxana"))
    written.assign(rolf)
    opened = written.open(rolf)
    right, left = (joint.id for joint in opened.case.joints)
    for change in (
        set_grade(right, KL, 1),
        set_grade(right, KL, 2, before=1),
        set_grade(right, JSN, 1),
        set_grade(right, JSN, None, before=1),
        Change("move-box", boxes=(BoxChange(right, None, Box(0.1, 2, 3.7, 4)),)),
        exclude(left, note="metal"),
    ):
        written.commit(rolf, opened, change)
    written.add_cases(film("P0003"))
    written.assign(roxana, Arm.UNAIDED_THEN_AIDED)
    first = written.open(roxana)
    written.commit(roxana, first, set_grade(first.case.joints[0].id, KL, 1))
    written.lock(roxana, first)
    second = written.open(roxana)
    written.commit(roxana, second, set_grade(first.case.joints[0].id, KL, 3, before=1))
    return written


def test_an_untouched_study_is_what_its_journal_tells(busy: Study) -> None:
    report = replay.verify_readings(busy.db)
    assert (report.ok, report.readings, report.reason) == (True, 5, "")


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE grade SET code = 4 WHERE reading_id = 3", "not those of the journal"),
        ("UPDATE grade SET code = 4 WHERE reading_id = 1", "not those of the journal"),
        ("DELETE FROM grade WHERE reading_id = 1", "not those of the journal"),
        ("DELETE FROM exclusion", "not those of the journal"),
        ("UPDATE reading_box SET box_x = 9", "not those of the journal"),
        ("UPDATE reading SET locked_at = NULL WHERE id = 1", "lock was taken off"),
        ("UPDATE reading SET content_sha256 = 'abc' WHERE id = 2", "signature"),
        ("UPDATE reading SET locked_at = 'now' WHERE id = 3", "does not tell so"),
        (
            "INSERT INTO grade (reading_id, joint_id, item, code, pregrade_in_sight, at) "
            "SELECT reading_id, joint_id, 'new', 1, false, at FROM grade WHERE reading_id = 2",
            "not those of the journal",
        ),
        (
            "INSERT INTO reading SELECT 99, assignment_id, 'other', '', '', '', '', NULL, NULL, NULL, 0, 0 "
            "FROM reading WHERE id = 1",
            "does not tell of it",
        ),
        ("DELETE FROM reading WHERE id = 3", "missing"),
    ],
)
def test_a_grade_written_past_the_store_is_found(busy: Study, statement: str, reason: str) -> None:
    busy.past_the_store(statement)
    assert journal.verify_chain(busy.db).ok, "the chain alone does not see it"
    report = replay.verify_readings(busy.db)
    assert not report.ok
    assert reason in report.reason
    assert report.first_broken is not None
