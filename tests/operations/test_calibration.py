"""Calibration through the verbs: feedback after the lock, the gate, another attempt, and what never shows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from reader_app.errors import NotAllowed, NotQualified, StudyError
from reader_app.operations import adjudicate, calibration, quality, read
from reader_app.operations.consensus import locked_results
from reader_app.operations.status import status
from reader_app.operations.study import Study, open_study
from reader_app.protocols.model import Arm
from reader_app.reading.design import Calibration
from reader_app.store import calibration_readings, journal, qualifications
from reader_app.store.records import Actor
from tests.operations.calibration_studies import (
    CALIBRATION,
    SET,
    flawless,
    lock_case,
    make_calibrated,
    opened,
    read_on,
    references,
    upside_down,
)

People = dict[str, Actor]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_calibrated(tmp_path_factory.mktemp("calibrated"))


@pytest.fixture
def calibrated(template: Path, tmp_path: Path) -> Iterator[tuple[Study, People]]:
    shutil.copytree(template, tmp_path / "study")
    with opened(tmp_path / "study") as found:
        yield found


def test_the_set_comes_first_and_holds_every_grade(calibrated: tuple[Study, People]) -> None:
    study, people = calibrated
    known = references(study, people["Ada"])
    first = [
        read.open_case(study, people["Rita"], entry.assignment_id)
        for entry in read.worklist(study, people["Rita"])[:SET]
    ]
    joints = [joint.id for case in first for joint in case.case.joints]
    assert sorted(known[joint] for joint in joints) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_live_cases_stay_closed_until_the_set_is_read(calibrated: tuple[Study, People]) -> None:
    study, people = calibrated
    live = read.worklist(study, people["Rita"])[SET]
    with pytest.raises(NotQualified, match="10 calibration cases are left") as refused:
        read.open_case(study, people["Rita"], live.assignment_id)
    assert refused.value.assignment_id == read.worklist(study, people["Rita"])[0].assignment_id
    read_on(study, people, "Rita", flawless, cases=SET - 1)
    with pytest.raises(NotQualified, match="1 calibration case is left"):
        read.open_case(study, people["Rita"], live.assignment_id)


def test_after_each_lock_the_reader_sees_the_reference_beside_the_own_grade(
    calibrated: tuple[Study, People],
) -> None:
    study, people = calibrated
    known = references(study, people["Ada"])
    entry = read.worklist(study, people["Rita"])[0]
    case = read.open_case(study, people["Rita"], entry.assignment_id)
    (joint,) = case.case.joints
    given = (known[joint.id] + 2) % 5
    locked = lock_case(study, people["Rita"], case, lambda _joint: given)
    assert locked.calibration is not None
    assert locked.calibration.gate is None
    shown = locked.calibration.feedback
    assert shown is not None
    assert (shown.locked, shown.total) == (1, SET)
    (row,) = shown.rows
    assert row.given is not None
    assert (row.given.code, row.reference.code) == (given, known[joint.id])
    assert row.steps == given - known[joint.id]


def test_nothing_of_the_reference_shows_before_the_lock_nor_to_another_reader(
    calibrated: tuple[Study, People],
) -> None:
    study, people = calibrated
    entry = read.worklist(study, people["Rita"])[0]
    case = read.open_case(study, people["Rita"], entry.assignment_id)
    reading = case.reading.reading_id
    assert calibration.feedback(study, people["Rita"], reading) is None
    lock_case(study, people["Rita"], case, lambda _joint: 0)
    assert calibration.feedback(study, people["Rita"], reading) is not None
    assert calibration.feedback(study, people["Rolf"], reading) is None
    for other in ("Cora", "Adam", "Ada"):
        with pytest.raises(NotAllowed):
            calibration.feedback(study, people[other], reading)


def test_a_reader_who_agrees_passes_at_the_last_lock_and_live_cases_open(
    calibrated: tuple[Study, People],
) -> None:
    study, people = calibrated
    locks = read_on(study, people, "Rita", flawless, cases=SET)
    outcomes = [lock.calibration.gate for lock in locks if lock.calibration is not None]
    assert outcomes[:-1] == [None] * (SET - 1)
    gate = outcomes[-1]
    assert gate is not None
    assert (gate.attempt, gate.passed) == (1, True)
    (feature,) = gate.features
    assert (feature.feature_id, feature.kappa, feature.grades) == ("KL", 1.0, SET)
    assert feature.low is not None
    assert 0.6 <= feature.low < 1.0
    live = read_on(study, people, "Rita", flawless, cases=1)
    assert live[0].calibration is None


def test_a_reader_who_disagrees_is_told_by_how_much_and_stays_out(calibrated: tuple[Study, People]) -> None:
    study, people = calibrated
    gate = read_on(study, people, "Rita", upside_down, cases=SET)[-1].calibration
    assert gate is not None
    assert gate.gate is not None
    assert not gate.gate.passed
    live = read.worklist(study, people["Rita"])[SET]
    with pytest.raises(NotQualified, match="was not passed") as refused:
        read.open_case(study, people["Rita"], live.assignment_id)
    assert "grant another attempt" in refused.value.next_step
    # The other reader's gate is another matter.
    read_on(study, people, "Rolf", flawless, cases=SET + 1)


def test_a_set_that_is_locked_but_not_judged_is_judged_when_a_live_case_opens(
    calibrated: tuple[Study, People], monkeypatch: pytest.MonkeyPatch
) -> None:
    study, people = calibrated
    read_on(study, people, "Rita", flawless, cases=SET - 1)
    with monkeypatch.context() as ended:
        # As if the program had ended right after the lock.
        ended.setattr(read, "after_lock", _ends)
        with pytest.raises(KeyboardInterrupt):
            read_on(study, people, "Rita", flawless, cases=1)
    assert qualifications.own_qualification(study.database, people["Rita"]).attempts == ()
    read_on(study, people, "Rita", flawless, cases=1)
    assert qualifications.own_qualification(study.database, people["Rita"]).qualified


def _ones(_reference: int) -> int:
    return 1


def _threes(_reference: int) -> int:
    return 3


def _ends(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_another_attempt_comes_before_live_cases_and_is_judged_by_itself(
    calibrated: tuple[Study, People],
) -> None:
    study, people = calibrated
    read_on(study, people, "Rita", upside_down, cases=SET)
    assert quality.grant_attempt(study, people["Cora"], " rita ", reason="Trained again.") == SET
    live = read.worklist(study, people["Rita"])[SET]
    with pytest.raises(NotQualified, match="10 calibration cases are left"):
        read.open_case(study, people["Rita"], live.assignment_id)
    gate = read_on(study, people, "Rita", flawless, cases=SET)[-1].calibration
    assert gate is not None
    assert gate.gate is not None
    assert (gate.gate.attempt, gate.gate.passed) == (2, True)
    state = qualifications.own_qualification(study.database, people["Rita"])
    assert [attempt.passed for attempt in state.attempts] == [False, True]
    read.open_case(study, people["Rita"], live.assignment_id)
    told = [
        (entry.verb, entry.payload.get("reason"))
        for entry in journal.entries(study.database, people["Ada"], limit=10_000)
        if entry.verb.startswith("qualification.")
    ]
    assert told == [
        ("qualification.judge", None),
        ("qualification.repeat", "Trained again."),
        ("qualification.judge", None),
    ]


def test_another_attempt_closes_live_cases_again_after_a_pass(calibrated: tuple[Study, People]) -> None:
    study, people = calibrated
    read_on(study, people, "Rita", flawless, cases=SET)
    quality.grant_attempt(study, people["Cora"], "Rita", reason="Her grades have drifted.")
    live = read.worklist(study, people["Rita"])[SET]
    with pytest.raises(NotQualified):
        read.open_case(study, people["Rita"], live.assignment_id)


@pytest.mark.parametrize(
    ("reader", "reason", "says"),
    [
        ("Rita", " ", "needs a reason"),
        ("Rita", "Why not.", "10 calibration cases of the present attempt left"),
        ("Nobody", "Why not.", "no reader “Nobody”"),
        ("Adam", "Why not.", "no reader “Adam”"),
    ],
)
def test_an_attempt_that_cannot_be_granted_is_refused_in_words(
    calibrated: tuple[Study, People], reader: str, reason: str, says: str
) -> None:
    study, people = calibrated
    before = journal.verify_chain(study.database)
    with pytest.raises(StudyError, match=says):
        quality.grant_attempt(study, people["Cora"], reader, reason=reason)
    assert journal.verify_chain(study.database) == before


def test_only_a_coordinator_grants_and_readers_see_no_quality(calibrated: tuple[Study, People]) -> None:
    study, people = calibrated
    read_on(study, people, "Rita", upside_down, cases=SET)
    for name in ("Rita", "Rolf", "Adam", "Ada"):
        with pytest.raises(NotAllowed):
            quality.grant_attempt(study, people[name], "Rita", reason="Please.")
    for name in ("Rita", "Rolf", "Adam"):
        with pytest.raises(NotAllowed):
            quality.quality(study, people[name])


def test_controls_come_back_without_a_word_and_make_the_chart(calibrated: tuple[Study, People]) -> None:
    study, people = calibrated
    total = len(read.worklist(study, people["Rita"]))
    live = 20
    assert total == SET + live + live // 2
    read_on(study, people, "Rita", flawless, cases=SET)
    locks = read_on(study, people, "Rita", lambda code: min(code + 2, 4), cases=total - SET)
    assert all(lock.calibration is None for lock in locks)
    rita, rolf = quality.quality(study, people["Cora"])
    assert (rita.words, rolf.words) == ("Passed", "Reading the calibration set")
    (drift,) = rita.drift
    assert (len(drift.base_at), len(drift.controls_at)) == (SET, live // 2)
    assert drift.alarms
    assert "higher" in drift.alarms[0].words
    assert rolf.drift == ()


def test_no_control_is_told_from_a_live_case_by_what_its_reader_gets(
    calibrated: tuple[Study, People],
) -> None:
    study, people = calibrated
    read_on(study, people, "Rita", flawless, cases=SET)
    opened_cases = [
        read.open_case(study, people["Rita"], entry.assignment_id)
        for entry in read.worklist(study, people["Rita"])[SET : SET + 6]
    ]
    places = {case.reading.place for case in opened_cases}
    assert places == set(range(SET + 1, SET + 7))
    assert not any("control" in repr(case.reading) for case in opened_cases)
    assert not any("calibration" in repr(case.reading) for case in opened_cases)


def test_calibration_is_no_part_of_the_results(calibrated: tuple[Study, People]) -> None:
    study, people = calibrated
    for reader in ("Rita", "Rolf"):
        total = len(read.worklist(study, people[reader]))
        read_on(study, people, reader, flawless, cases=total)
    found = locked_results(study, people["Ada"])
    points = calibration_readings.calibration_points(
        study.database, people["Ada"], lambda joint: [("KL", joint.joint_id, joint.joint_id)]
    )
    assert len(points) == 2 * (SET + 10)
    assert len(found.grades) == 2 * 20
    assert not {point.reading_id for point in points} & {grade.reading_id for grade in found.grades}


def test_without_feedback_only_the_result_shows(tmp_path: Path) -> None:
    folder = make_calibrated(tmp_path, Calibration(cases=5, feedback=False, min_kappa=0.1))
    with opened(folder) as (study, people):
        locks = read_on(study, people, "Rita", flawless, cases=5)
        assert [lock.calibration for lock in locks[:-1]] == [None] * 4
        last = locks[-1].calibration
        assert last is not None
        assert last.feedback is None
        assert last.gate is not None


def test_without_a_gate_the_set_is_read_first_and_everybody_passes(tmp_path: Path) -> None:
    folder = make_calibrated(tmp_path, Calibration(cases=5))
    with opened(folder) as (study, people):
        live = read.worklist(study, people["Rita"])[5]
        with pytest.raises(NotQualified):
            read.open_case(study, people["Rita"], live.assignment_id)
        gate = read_on(study, people, "Rita", upside_down, cases=5)[-1].calibration
        assert gate is not None
        assert gate.gate is not None
        assert gate.gate.passed
        read.open_case(study, people["Rita"], live.assignment_id)


def test_a_gate_without_reference_grades_is_said_to_the_reader(tmp_path: Path) -> None:
    folder = make_calibrated(tmp_path, Calibration(cases=5, source="nobody", min_kappa=0.6))
    with opened(folder) as (study, people):
        live = read.worklist(study, people["Rita"])[0]
        with pytest.raises(NotQualified, match="there is none for you") as refused:
            read.open_case(study, people["Rita"], live.assignment_id)
        assert "reference grades" in refused.value.next_step


def test_of_a_case_read_twice_the_feedback_waits_for_the_second_lock(tmp_path: Path) -> None:
    folder = make_calibrated(tmp_path, CALIBRATION, arm=Arm.UNAIDED_THEN_AIDED)
    with opened(folder) as (study, people):
        entry = read.worklist(study, people["Rita"])[0]
        first = read.open_case(study, people["Rita"], entry.assignment_id)
        assert lock_case(study, people["Rita"], first, lambda _joint: 0).calibration is None
        assert calibration.feedback(study, people["Rita"], first.reading.reading_id) is None
        second = read.open_case(study, people["Rita"], entry.assignment_id)
        shown = lock_case(study, people["Rita"], second, lambda _joint: 1).calibration
        assert shown is not None
        assert shown.feedback is not None
        (row,) = shown.feedback.rows
        assert row.given is not None
        assert row.given.code == 1


def test_what_was_judged_is_there_after_the_study_is_opened_again(template: Path, tmp_path: Path) -> None:
    shutil.copytree(template, tmp_path / "study")
    with opened(tmp_path / "study") as (study, people):
        read_on(study, people, "Rita", upside_down, cases=SET)
        before = quality.quality(study, people["Cora"])
    with open_study(tmp_path / "study") as study:
        assert quality.quality(study, people["Cora"]) == before


def test_the_count_of_cases_is_of_live_ones(calibrated: tuple[Study, People]) -> None:
    study, people = calibrated
    assert status(study, people["Cora"]).cases == 30 - SET


def test_nobody_adjudicates_or_checks_what_was_read_for_calibration(
    calibrated: tuple[Study, People],
) -> None:
    study, people = calibrated
    known = references(study, people["Ada"])
    for reader, code in (("Rita", 1), ("Rolf", 3)):
        total = len(read.worklist(study, people[reader]))
        read_on(study, people, reader, flawless, cases=SET)
        # Controls are graded apart as well, and are nobody's to settle.
        read_on(study, people, reader, {1: _ones, 3: _threes}[code], cases=total - SET)
    queue = adjudicate.queue(study, people["Adam"])
    live = {grade.joint_id for grade in locked_results(study, people["Ada"]).grades}
    assert {each.joint_id for each in queue} == live
    assert len(live) == len(known) - SET
