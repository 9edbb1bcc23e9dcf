"""Exclusions that a second reader confirms or rejects: who is asked, when, and what they cannot learn."""

from __future__ import annotations

import dataclasses

import pytest

from reader_app.errors import NotAllowed
from reader_app.protocols.loader import find_protocol
from reader_app.protocols.model import Arm
from reader_app.reading.adjudication import ExclusionState
from reader_app.reading.change import Change, Exclusion, ExclusionChange
from reader_app.store import amendments, exclusion_checks, journal
from reader_app.store.exclusion_records import CheckCounts, QualityCheck
from reader_app.store.records import Actor, OpenReading, Role
from tests.store.conftest import KL, Study, film, set_grade

PROTOCOL = find_protocol("hip-oarsi")
POOR = "poor-quality"
REPLACED = "replacement"
OWN_WORDS = "too dark to see anything"
CODE = 97979


def impossible(opened: OpenReading, *joint_ids: int, reason: str = POOR) -> Change:
    """Exclude joints of a reading, all of them where none is named."""
    wanted = joint_ids or tuple(joint.id for joint in opened.case.joints)
    return Change(
        "exclude-joint",
        exclusions=tuple(ExclusionChange(id_, None, Exclusion(reason, OWN_WORDS)) for id_ in wanted),
    )


def excludes(study: Study, reader: Actor, *, reason: str = POOR, lock: bool = True) -> OpenReading:
    """Exclude the whole first film of a worklist after having graded a joint of it."""
    opened = study.open(reader)
    study.commit(reader, opened, set_grade(opened.case.joints[0].id, KL, CODE))
    study.commit(reader, opened, impossible(opened, reason=reason))
    if lock:
        study.lock(reader, opened)
    return opened


def reads(study: Study, reader: Actor) -> OpenReading:
    opened = study.open(reader)
    for joint in opened.case.joints:
        study.commit(reader, opened, set_grade(joint.id, KL, 1))
    study.lock(reader, opened)
    return opened


def asked(study: Study, reader: Actor) -> tuple[QualityCheck, ...]:
    return exclusion_checks.waiting(study.db, reader, PROTOCOL)


def answer(study: Study, reader: Actor, *, confirmed: bool, note: str = "") -> None:
    (check,) = asked(study, reader)
    exclusion_checks.save_check(study.db, reader, PROTOCOL, check.joint_ids, confirmed=confirmed, note=note)


def states(study: Study) -> dict[tuple[int, int], ExclusionState]:
    return exclusion_checks.exclusion_states(study.db, study.person("Ada", Role.AUDITOR), PROTOCOL)


def counts(study: Study) -> CheckCounts:
    return exclusion_checks.check_counts(study.db, study.coordinator, PROTOCOL)


@dataclasses.dataclass(frozen=True)
class Shared:
    """A film with two joints that Rita and Rolf both have."""

    study: Study
    rita: Actor
    rolf: Actor


@pytest.fixture
def shared(study: Study) -> Shared:
    study.add_cases(film("P0001"))
    rita, rolf = (study.person(name, Role.READER) for name in ("Rita", "Rolf"))
    study.assign(rita)
    study.assign(rolf)
    return Shared(study, rita, rolf)


def test_the_other_reader_is_asked_once_both_have_locked_their_own_reading(shared: Shared) -> None:
    study, rita, rolf = shared.study, shared.rita, shared.rolf
    opened = excludes(study, rita, lock=False)
    assert states(study) == {}
    study.lock(rita, opened)
    assert set(states(study).values()) == {ExclusionState.WAITING}
    assert asked(study, rolf) == (), "he has not read the case himself"
    reads(study, rolf)
    (check,) = asked(study, rolf)
    assert check.joint_ids == tuple(joint.id for joint in opened.case.joints)
    assert (check.film.radiograph_id, check.reason_id) == (opened.case.films[0].radiograph_id, POOR)
    assert asked(study, rita) == (), "nobody checks what is their own"
    assert asked(study, study.person("Roxana", Role.READER)) == (), "the case has readers enough"


def test_a_question_tells_nothing_of_who_graded_what(shared: Shared) -> None:
    excludes(shared.study, shared.rita)
    reads(shared.study, shared.rolf)
    (check,) = asked(shared.study, shared.rolf)
    text = repr(check)
    for hidden in ("Rita", OWN_WORDS, str(CODE), "P0001", "Baseline", "/films/"):
        assert hidden not in text
    assert {field.name for field in dataclasses.fields(check)} == {"film", "joint_ids", "reason_id"}
    assert check.film.visit == ""
    assert all(joint.box is None for joint in check.film.joints)


@pytest.mark.parametrize(
    ("confirmed", "state"), [(True, ExclusionState.CONFIRMED), (False, ExclusionState.REJECTED)]
)
def test_one_answer_holds_for_the_film_and_is_journaled(
    shared: Shared, confirmed: bool, state: ExclusionState
) -> None:
    study = shared.study
    opened = excludes(study, shared.rita)
    reads(study, shared.rolf)
    assert counts(study) == CheckCounts(waiting=2)
    answer(study, shared.rolf, confirmed=confirmed, note="I see it so")
    joints = [joint.id for joint in opened.case.joints]
    assert states(study) == {(opened.reading_id, joint): state for joint in joints}
    assert counts(study) == CheckCounts(confirmed=2 * confirmed, rejected=2 * (not confirmed))
    auditor = study.person("Ada", Role.AUDITOR)
    told = journal.entries(study.db, auditor)[-2:]
    assert [(entry.verb, entry.account_id, entry.payload) for entry in told] == [
        (
            "exclusion.check",
            shared.rolf.account_id,
            {"reading": opened.reading_id, "joint": joint, "confirmed": confirmed, "note": "I see it so"},
        )
        for joint in joints
    ]
    assert [
        (record.joint_id, record.checker, record.confirmed, record.note)
        for record in exclusion_checks.all_checks(study.db, auditor)
    ] == [(joint, "Rolf", confirmed, "I see it so") for joint in joints]


def test_an_answer_is_given_once_for_the_whole_question(shared: Shared) -> None:
    opened = excludes(shared.study, shared.rita)
    reads(shared.study, shared.rolf)
    one = opened.case.joints[0].id
    with pytest.raises(NotAllowed, match="not open to you"):
        exclusion_checks.save_check(shared.study.db, shared.rolf, PROTOCOL, [one], confirmed=True, note="")
    answer(shared.study, shared.rolf, confirmed=True)
    assert asked(shared.study, shared.rolf) == ()
    with pytest.raises(NotAllowed, match="not open to you"):
        exclusion_checks.save_check(
            shared.study.db,
            shared.rolf,
            PROTOCOL,
            [joint.id for joint in opened.case.joints],
            confirmed=False,
            note="no",
        )


@pytest.mark.parametrize("second", [POOR, REPLACED])
def test_what_both_readers_exclude_is_confirmed_without_a_question(shared: Shared, second: str) -> None:
    excludes(shared.study, shared.rita)
    excludes(shared.study, shared.rolf, reason=second)
    assert set(states(shared.study).values()) == {ExclusionState.CONFIRMED}
    assert asked(shared.study, shared.rolf) == asked(shared.study, shared.rita) == ()


def test_only_the_joints_that_the_other_reader_graded_are_asked_about(shared: Shared) -> None:
    study = shared.study
    opened = excludes(study, shared.rita)
    mine = study.open(shared.rolf)
    right, left = (joint.id for joint in mine.case.joints)
    study.commit(shared.rolf, mine, impossible(mine, right))
    study.commit(shared.rolf, mine, set_grade(left, KL, 2))
    study.lock(shared.rolf, mine)
    (check,) = asked(study, shared.rolf)
    assert check.joint_ids == (left,)
    assert states(study)[(opened.reading_id, right)] is ExclusionState.CONFIRMED


def test_a_reason_that_needs_no_second_look_is_confirmed_at_once(shared: Shared) -> None:
    excludes(shared.study, shared.rita, reason=REPLACED)
    reads(shared.study, shared.rolf)
    assert set(states(shared.study).values()) == {ExclusionState.CONFIRMED}
    assert asked(shared.study, shared.rolf) == ()
    assert counts(shared.study) == CheckCounts(), "nothing of it ever needed a look"


def test_where_a_case_has_one_reader_any_other_may_be_asked(study: Study) -> None:
    study.add_cases(film("P0001"))
    rita, rolf, roxana = (study.person(name, Role.READER) for name in ("Rita", "Rolf", "Roxana"))
    study.assign(rita)
    excludes(study, rita)
    assert asked(study, rita) == ()
    assert len(asked(study, rolf)) == len(asked(study, roxana)) == 1
    answer(study, roxana, confirmed=False, note="I can grade it")
    assert asked(study, rolf) == (), "one answer is enough"
    assert set(states(study).values()) == {ExclusionState.REJECTED}


def test_who_still_has_to_read_the_case_is_not_asked_before(study: Study) -> None:
    study.add_cases(film("P0001"))
    rita, rolf, roxana = (study.person(name, Role.READER) for name in ("Rita", "Rolf", "Roxana"))
    study.assign(rita)
    excludes(study, rita)
    study.assign(rolf)
    assert asked(study, rolf) == ()
    assert asked(study, roxana) == (), "the case has a second reader now"


def test_the_unaided_stage_asks_nobody_before_the_aided_one_is_locked(study: Study) -> None:
    study.add_cases(film("P0001"))
    rita, rolf = (study.person(name, Role.READER) for name in ("Rita", "Rolf"))
    study.assign(rita, Arm.UNAIDED_THEN_AIDED)
    study.assign(rolf)
    reads(study, rolf)
    excludes(study, rita)
    assert states(study) == {}
    second = study.open(rita)
    study.lock(rita, second)
    assert {reading for reading, _ in states(study)} == {second.reading_id}
    assert len(asked(study, rolf)) == 1


@pytest.mark.parametrize("purpose", ["re-read", "calibration", "control"])
def test_only_readings_that_count_are_asked_about(shared: Shared, purpose: str) -> None:
    excludes(shared.study, shared.rita)
    reads(shared.study, shared.rolf)
    assert len(asked(shared.study, shared.rolf)) == 1
    shared.study.past_the_store(
        f"UPDATE assignment SET purpose = '{purpose}' WHERE account_id = {shared.rita.account_id}"
    )
    assert states(shared.study) == {}
    assert asked(shared.study, shared.rolf) == ()


def test_an_exclusion_that_was_amended_away_is_asked_about_no_more(shared: Shared) -> None:
    study = shared.study
    opened = excludes(study, shared.rita)
    reads(study, shared.rolf)
    right, left = (joint.id for joint in opened.case.joints)
    amendments.amend(
        study.db, shared.rita, opened.reading_id, right, None, after=None, reason="it can be graded after all"
    )
    (check,) = asked(study, shared.rolf)
    assert check.joint_ids == (left,)


def test_the_film_is_open_to_whoever_is_asked_and_for_as_long(study: Study) -> None:
    study.add_cases(film("P0001"))
    rita, rolf = (study.person(name, Role.READER) for name in ("Rita", "Rolf"))
    study.assign(rita)
    opened = study.open(rita)
    film_id = opened.case.films[0].radiograph_id
    with pytest.raises(NotAllowed, match="not asked"):
        exclusion_checks.film_source(study.db, rolf, PROTOCOL, film_id)
    excludes(study, rita)
    assert exclusion_checks.film_source(study.db, rolf, PROTOCOL, film_id).path.startswith("/films/")
    with pytest.raises(NotAllowed, match="not asked"):
        exclusion_checks.film_source(study.db, rolf, PROTOCOL, film_id + 1)
    answer(study, rolf, confirmed=True)
    with pytest.raises(NotAllowed, match="not asked"):
        exclusion_checks.film_source(study.db, rolf, PROTOCOL, film_id)


def test_the_coordinator_sees_how_many_wait_and_not_what_was_said(shared: Shared) -> None:
    study = shared.study
    excludes(study, shared.rita)
    reads(study, shared.rolf)
    answer(study, shared.rolf, confirmed=False, note="visible")
    assert counts(study).rejected == 2
    for call in (
        lambda: exclusion_checks.all_checks(study.db, study.coordinator),
        lambda: exclusion_checks.exclusion_states(study.db, study.coordinator, PROTOCOL),
    ):
        with pytest.raises(NotAllowed, match="before the study is frozen"):
            call()
    verbs = {entry.verb for entry in journal.entries(study.db, study.coordinator)}
    assert "exclusion.check" not in verbs
