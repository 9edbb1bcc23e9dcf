"""Calibration in the store, on both engines: what the gate asks, what it keeps, and re-reads as pairs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from reader_app.errors import NotAllowed, NotQualified
from reader_app.protocols.model import Arm, Presentation
from reader_app.reading.case import JointSide
from reader_app.reading.design import Calibration, ReadingDesign
from reader_app.reading.ordering import ReferencedFilm
from reader_app.reading.planned import CasePurpose, PlannedEntry, Purpose
from reader_app.store import (
    calibration_readings,
    case_plans,
    cases,
    designs,
    films,
    journal,
    qualifications,
    rereads,
    worklists,
)
from reader_app.store.qualification_records import CalibrationJoint, Judgement
from reader_app.store.records import Actor, ReferenceGrade, Role
from reader_app.store.tables import qualification
from tests.store.conftest import JSN, KL, SEED, Study, exclude, film, set_grade

GATE = ReadingDesign(
    Presentation.SINGLE, Arm.UNAIDED, SEED, calibration=Calibration(cases=2, source="panel", min_kappa=0.6)
)
RESULT = {"kl": {"passed": False, "words": "KL: kappa 0.12, and the lower end must reach 0.60"}}


def referenced(number: int, code: int) -> tuple[ReferenceGrade, ...]:
    return (
        ReferenceGrade(JointSide.RIGHT, KL, code, "panel"),
        ReferenceGrade(JointSide.LEFT, KL, number % 5, "panel"),
        ReferenceGrade(JointSide.RIGHT, KL, (code + 1) % 5, "archive"),
    )


def prepare(study: Study, design: ReadingDesign = GATE) -> Actor:
    """Make two calibration cases and one live case, and give them to Rita."""
    designs.set_design(study.db, study.coordinator, design, reason="")
    new = [film(f"P{number}", references=referenced(number, number % 5)) for number in range(3)]
    films.add_radiographs(study.db, study.coordinator, new)
    ids = [place.radiograph_id for place in cases.film_places_without_case(study.db, study.coordinator)]
    for purpose, chosen in ((CasePurpose.CALIBRATION, ids[:2]), (CasePurpose.LIVE, ids[2:])):
        cases.add_cases(
            study.db,
            study.coordinator,
            [(each,) for each in chosen],
            presentation=Presentation.SINGLE,
            purpose=purpose,
        )
    rita = study.person("Rita", Role.READER)
    first, second, live = cases.case_ids(study.db, study.coordinator)
    entries = [
        PlannedEntry(first, 1, 1, Arm.UNAIDED, Purpose.CALIBRATION),
        PlannedEntry(second, 1, 2, Arm.UNAIDED, Purpose.CALIBRATION),
        PlannedEntry(live, 1, 3, Arm.UNAIDED),
        PlannedEntry(first, 2, 4, Arm.UNAIDED, Purpose.CONTROL),
    ]
    cases.assign(study.db, study.coordinator, rita.account_id, entries)
    return rita


def read_place(study: Study, reader: Actor, place: int, code: int = 1) -> int:
    reading = study.open(reader, place)
    for joint in reading.case.joints:
        study.commit(reader, reading, set_grade(joint.id, KL, code))
    study.lock(reader, reading)
    return reading.reading_id


def fails(_joints: Sequence[CalibrationJoint]) -> Judgement:
    return Judgement(False, RESULT)


def passes(_joints: Sequence[CalibrationJoint]) -> Judgement:
    return Judgement(True, {})


def test_films_with_a_reference_by_the_source_are_told_with_their_gravest_grade(study: Study) -> None:
    new = [
        film("P0", references=referenced(0, 3)),
        film("P1"),
        film("P2", references=(ReferenceGrade(JointSide.RIGHT, KL, 2, "archive"),)),
    ]
    films.add_radiographs(study.db, study.coordinator, new)

    def found(source: str) -> tuple[ReferencedFilm, ...]:
        return case_plans.referenced_films(study.db, study.coordinator, source=source)

    assert [(each.radiograph_id, each.severity) for each in found("panel")] == [(1, 3)]
    assert [(each.radiograph_id, each.severity) for each in found("")] == [(1, 4), (3, 2)]


def test_the_judging_sees_every_joint_with_reference_and_grade_and_nobody_else_does(study: Study) -> None:
    rita = prepare(study)
    seen: list[CalibrationJoint] = []

    def judging(joints: Sequence[CalibrationJoint]) -> Judgement:
        seen.extend(joints)
        return Judgement(True, {"kl": {"passed": True}})

    read_place(study, rita, 1)
    assert qualifications.judge(study.db, rita, judging) is None
    assert seen == []
    second = study.open(rita, 2)
    right, left = second.case.joints
    study.commit(rita, second, set_grade(right.id, KL, 4))
    study.commit(rita, second, exclude(left.id))
    study.lock(rita, second)
    outcome = qualifications.judge(study.db, rita, judging)
    assert outcome is not None
    assert (outcome.attempt, outcome.passed) == (1, True)
    assert [(joint.reference, joint.given) for joint in seen] == [
        ({KL: 0}, {KL: 1}),
        ({KL: 0}, {KL: 1}),
        ({KL: 1}, {KL: 4}),
        ({KL: 1}, None),
    ]
    assert [joint.cluster for joint in seen] == [0, 0, 1, 1]
    assert qualifications.judge(study.db, rita, judging) is None
    assert len(seen) == 4


def test_of_several_sources_the_first_by_name_counts_where_the_design_names_none(study: Study) -> None:
    anybody = ReadingDesign(Presentation.SINGLE, Arm.UNAIDED, SEED, calibration=Calibration(cases=2))
    rita = prepare(study, anybody)
    reading = read_place(study, rita, 1)
    found = calibration_readings.own_feedback(study.db, rita, reading)
    assert found is not None
    assert found[0].reference == {KL: 1}


def test_the_gate_says_how_many_are_left_then_that_they_wait_for_judgement_then_the_outcome(
    study: Study,
) -> None:
    rita = prepare(study)
    with pytest.raises(NotQualified, match="2 calibration cases are left"):
        study.open(rita, 3)
    read_place(study, rita, 1)
    read_place(study, rita, 2)
    with pytest.raises(NotQualified) as due:
        study.open(rita, 3)
    assert due.value.judgement_due
    qualifications.judge(study.db, rita, fails)
    with pytest.raises(NotQualified, match="was not passed") as failed:
        study.open(rita, 3)
    assert not failed.value.judgement_due
    with pytest.raises(NotQualified):
        study.open(rita, 4)


def test_another_attempt_takes_the_next_passes_and_is_judged_on_its_own_readings(study: Study) -> None:
    rita = prepare(study)
    read_place(study, rita, 1, code=0)
    read_place(study, rita, 2, code=0)
    qualifications.judge(study.db, rita, fails)
    entries = qualifications.grant_attempt(study.db, study.coordinator, rita.account_id, reason="Trained.")
    # The first case has a control as its second pass already.
    assert [(entry.pass_number, entry.place, entry.purpose) for entry in entries] == [
        (3, 5, Purpose.CALIBRATION),
        (2, 6, Purpose.CALIBRATION),
    ]
    cases.assign(study.db, study.coordinator, rita.account_id, entries)
    with pytest.raises(NotQualified, match="2 calibration cases are left"):
        study.open(rita, 3)
    given: list[object] = []

    def judging(joints: Sequence[CalibrationJoint]) -> Judgement:
        given.extend(joint.given for joint in joints)
        return Judgement(True, {})

    read_place(study, rita, 5, code=2)
    read_place(study, rita, 6, code=2)
    outcome = qualifications.judge(study.db, rita, judging)
    assert outcome is not None
    assert (outcome.attempt, given) == (2, [{KL: 2}] * 4)
    study.open(rita, 3)
    (state,) = [
        each
        for each in qualifications.qualifications(study.db, study.coordinator)
        if each.account_id == rita.account_id
    ]
    assert (state.attempt, state.locked, state.total, state.qualified) == (2, 2, 2, True)


def test_feedback_is_for_the_reader_of_a_locked_calibration_case_alone(study: Study) -> None:
    rita = prepare(study)
    rolf = study.person("Rolf", Role.READER)
    opened = study.open(rita, 1)
    assert calibration_readings.own_feedback(study.db, rita, opened.reading_id) is None
    reading = read_place(study, rita, 1)
    assert calibration_readings.own_feedback(study.db, rita, reading) is not None
    assert calibration_readings.own_feedback(study.db, rolf, reading) is None
    read_place(study, rita, 2)
    qualifications.judge(study.db, rita, passes)
    for place in (3, 4):
        live_or_control = read_place(study, rita, place)
        assert calibration_readings.own_feedback(study.db, rita, live_or_control) is None


def test_a_design_without_feedback_gives_none_whoever_asks(study: Study) -> None:
    silent = Calibration(cases=2, source="panel", feedback=False)
    rita = prepare(study, ReadingDesign(Presentation.SINGLE, Arm.UNAIDED, SEED, calibration=silent))
    reading = read_place(study, rita, 1)
    assert calibration_readings.own_feedback(study.db, rita, reading) is None


def test_points_count_what_is_compared_and_hold_no_grade(study: Study) -> None:
    rita = prepare(study)
    read_place(study, rita, 1, code=2)
    read_place(study, rita, 2, code=2)
    qualifications.judge(study.db, rita, passes)
    study.clock.pass_by(timedelta(days=1))
    read_place(study, rita, 4, code=3)
    found = calibration_readings.calibration_points(
        study.db,
        study.coordinator,
        lambda joint: [("kl", joint.reference[KL], joint.given[KL])] if joint.given else [],
        source="panel",
    )
    assert [(p.attempt, p.grades, p.mean_difference, p.agreed) for p in found] == [
        (1, 2, 2.0, 0),
        (1, 2, 1.0, 0),
        (0, 2, 3.0, 0),
    ]
    assert found[2].at > found[1].at


def test_an_outcome_is_never_changed_nor_taken_away(study: Study) -> None:
    rita = prepare(study)
    read_place(study, rita, 1)
    read_place(study, rita, 2)
    qualifications.judge(study.db, rita, fails)
    for statement in (update(qualification).values(passed=True), delete(qualification)):
        with pytest.raises(DBAPIError), study.db.writing() as connection:
            connection.execute(statement)
    (told,) = [
        entry
        for entry in journal.entries(study.db, study.person("Ada", Role.AUDITOR), limit=1000)
        if entry.verb == "qualification.judge"
    ]
    assert told.payload == {"reader": rita.account_id, "attempt": 1, "passed": False, "result": RESULT}


def test_re_reads_come_as_pairs_with_the_first_reading_as_it_was_signed(study: Study) -> None:
    first, second = study.add_cases(film("P1"), film("P2"))
    rita, ada = study.person("Rita", Role.READER), study.person("Ada", Role.AUDITOR)
    entries = [
        PlannedEntry(first, 1, 1, Arm.UNAIDED),
        PlannedEntry(second, 1, 2, Arm.UNAIDED),
        PlannedEntry(first, 2, 3, Arm.UNAIDED, Purpose.REREAD, after=(first, 1)),
    ]
    cases.assign(study.db, study.coordinator, rita.account_id, entries)
    for place in (1, 2):
        read_place(study, rita, place, code=1)
    assert rereads.pairs(study.db, ada) == ()
    again = study.open(rita, 3)
    right, left = again.case.joints
    study.commit(rita, again, set_grade(right.id, KL, 3))
    study.commit(rita, again, set_grade(right.id, JSN, 2))
    study.commit(rita, again, exclude(left.id))
    study.lock(rita, again)
    found = rereads.pairs(study.db, ada)
    assert [(pair.side, pair.first, pair.again) for pair in found] == [
        (JointSide.RIGHT, {KL: 1}, {KL: 3, JSN: 2}),
        (JointSide.LEFT, {KL: 1}, {}),
    ]
    assert {pair.reader for pair in found} == {"Rita"}
    with pytest.raises(NotAllowed, match="before the study is frozen"):
        rereads.pairs(study.db, study.coordinator)
    for name, role in (("Rita", Role.READER), ("Adam", Role.ADJUDICATOR)):
        with pytest.raises(NotAllowed):
            rereads.pairs(study.db, study.person(name, role))


def test_calibration_cases_come_next_wherever_they_stand(study: Study) -> None:
    rita = prepare(study)

    def next_places(after: int) -> list[int]:
        found = worklists.next_cases(study.db, rita, after_place=after, limit=3)
        upcoming = worklists.next_case(study.db, rita, after_place=after).entry
        assert upcoming is not None
        assert upcoming == found[0]
        return [entry.place for entry in found]

    assert next_places(0) == [1, 2]
    assert next_places(1) == [2, 1]
    read_place(study, rita, 1)
    read_place(study, rita, 2)
    qualifications.judge(study.db, rita, fails)
    assert next_places(2)[0] == 3
    entries = qualifications.grant_attempt(study.db, study.coordinator, rita.account_id, reason="Trained.")
    cases.assign(study.db, study.coordinator, rita.account_id, entries)
    assert next_places(2) == [5, 6]
