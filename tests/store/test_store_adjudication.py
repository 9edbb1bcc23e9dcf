"""Adjudication in the store: what is called for, who settles it and how, what a coordinator takes back."""

from __future__ import annotations

import pytest

from reader_app.errors import GradeError, NotAllowed
from reader_app.imaging.geometry import Box
from reader_app.protocols.model import Arm, Presentation, Resolution, Trigger, TriggerKind
from reader_app.reading.adjudication import Method
from reader_app.reading.change import BoxChange, Change
from reader_app.reading.design import WithinRule
from reader_app.reading.planned import PlannedEntry, Purpose
from reader_app.store import (
    adjudication_sights,
    adjudications,
    amendments,
    cases,
    designs,
    exclusion_checks,
    journal,
    readings,
    reopening,
    results,
)
from reader_app.store.adjudication_records import ItemPlace
from reader_app.store.records import Role
from tests.store.adjudicating import (
    AT,
    LEFT,
    MATCH,
    RIGHT,
    adjudicator,
    assigned,
    codes,
    queue,
    read,
    settle,
    two_differ,
)
from tests.store.conftest import BUNDLE, KL, STAMPS, Study, film, set_grade
from tests.store.rules import RULES, rules


@pytest.fixture
def two_read(study: Study) -> Study:
    """One film: Rita says 1 and Rolf 3 on the right joint, both 1 on the left one."""
    return two_differ(study)


# What is called for -------------------------------------------------------------------------------


def test_only_what_the_readers_differ_on_is_called_for(two_read: Study) -> None:
    (one,) = queue(two_read)
    assert (one.at, one.gravity, one.title) == (AT, 2, "Case 0001")
    assert codes([one]) == [(RIGHT, [1, 3])]


def test_the_gravest_comes_first(study: Study) -> None:
    study.add_cases(*(film(f"P{number}") for number in range(3)))
    assigned(study, "Rita", "Rolf")
    for name, higher in (("Rita", 0), ("Rolf", 1)):
        for place in range(1, 4):
            opened = study.open(study.person(name, Role.READER), place)
            for joint in opened.case.joints:
                study.commit(
                    study.person(name, Role.READER),
                    opened,
                    set_grade(joint.id, KL, 1 + higher * opened.case.id),
                )
            study.lock(study.person(name, Role.READER), opened)
    found = queue(study)
    assert [(one.gravity, one.place) for one in found] == [(3, 3), (3, 3), (2, 2), (2, 2), (1, 1), (1, 1)]
    blind = queue(study, rules(third_blind=True))
    assert [one.place for one in blind] == [1, 1, 2, 2, 3, 3], "an order by gravity would tell"


def test_a_third_reader_who_is_not_done_keeps_the_case_back(two_read: Study) -> None:
    assigned(two_read, "Roxana")
    assert queue(two_read) == ()
    with pytest.raises(NotAllowed, match="not ready"):
        adjudication_sights.case(two_read.db, adjudicator(two_read), RULES, 1)
    read(two_read, "Roxana", 3)
    (one,) = queue(two_read)
    assert [letter for letter, _ in one.grades] == ["A", "B", "C"]


def test_of_a_split_design_only_cases_of_two_readers_come(study: Study) -> None:
    study.add_cases(film("P1"), film("P2"), film("P3"))
    study.assign(study.person("Rita", Role.READER), only=[1, 2])
    study.assign(study.person("Rolf", Role.READER), only=[1, 3])
    for _ in range(2):
        read(study, "Rita", 1)
        read(study, "Rolf", 3)
    assert {one.case_id for one in queue(study)} == {1}
    with pytest.raises(NotAllowed, match="not ready"):
        adjudication_sights.case(study.db, adjudicator(study), RULES, 2)


def test_a_hidden_re_read_is_no_second_opinion(two_read: Study) -> None:
    rita = two_read.person("Rita", Role.READER)
    again = PlannedEntry(1, 2, 2, Arm.UNAIDED, purpose=Purpose.REREAD, after=(1, 1))
    cases.assign(two_read.db, two_read.coordinator, rita.account_id, [again])
    before = codes(queue(two_read))
    assert before, "an open re-read does not keep the case back"
    read(two_read, "Rita", 7, 7)
    assert codes(queue(two_read)) == before


def test_of_a_crossover_the_unaided_readings_count(study: Study) -> None:
    study.add_cases(film("P1"))
    orders = {"Rita": (Arm.UNAIDED, Arm.AIDED), "Rolf": (Arm.AIDED, Arm.UNAIDED)}
    for name, arms in orders.items():
        entries = [PlannedEntry(1, n, n, arm, period=n) for n, arm in enumerate(arms, start=1)]
        reader = study.person(name, Role.READER)
        cases.assign(study.db, study.coordinator, reader.account_id, entries)
    read(study, "Rita", 1)
    read(study, "Rolf", 7)  # aided
    assert queue(study) == (), "Rolf has not read it without the AI yet"
    read(study, "Rolf", 3)
    assert codes(queue(study)) == [(RIGHT, [1, 3])], "through before Rita's aided period"
    read(study, "Rita", 8)  # aided
    assert codes(queue(study)) == [(RIGHT, [1, 3])]


def test_of_unaided_then_aided_the_aided_reading_counts(study: Study) -> None:
    study.add_cases(film("P1"))
    study.assign(study.person("Rita", Role.READER), Arm.UNAIDED_THEN_AIDED)
    study.assign(study.person("Rolf", Role.READER))
    read(study, "Rolf", 3)
    rita = study.person("Rita", Role.READER)
    for code in (1, 2):
        opened = study.open(rita)
        before = opened.content.grades
        for joint in opened.case.joints:
            known = next((given for key, given in before.items() if key.joint_id == joint.id), None)
            wanted = code if joint.id == RIGHT else 1
            if known != wanted:
                study.commit(rita, opened, set_grade(joint.id, KL, wanted, known))
        assert queue(study) == ()
        study.lock(rita, opened)
    assert codes(queue(study)) == [(RIGHT, [2, 3])]


def test_amended_grades_are_judged_as_they_are_now(two_read: Study) -> None:
    reading = study_reading(two_read, "Rolf")
    rolf = two_read.person("Rolf", Role.READER)
    amendments.amend(two_read.db, rolf, reading, RIGHT, KL, after=2, reason="looked again")
    assert codes(queue(two_read)) == [(RIGHT, [1, 2])]
    amendments.amend(two_read.db, rolf, reading, RIGHT, KL, after=1, reason="and again")
    assert queue(two_read) == ()


def study_reading(study: Study, name: str) -> int:
    reader = study.person(name, Role.READER)
    return readings.open_reading(
        study.db, reader, readings.worklist(study.db, reader)[0].assignment_id, **STAMPS
    ).reading_id


def test_what_differs_within_the_rule_is_not_called_for(two_read: Study) -> None:
    above = Trigger(TriggerKind.DIFFERENCE_ABOVE, above=2)
    assert queue(two_read, rules(Resolution.THIRD_FINAL, above)) == ()
    assert queue(two_read, rules(Resolution.THIRD_FINAL, above, within=WithinRule.OPEN)) == ()


def test_the_direction_of_change_is_looked_at_over_the_visits_of_a_case(study: Study) -> None:
    """Rita sees 1 then 2, Rolf 2 then 2: the first visit is where they differ, so that one is called for."""
    study.add_cases(
        film("P1", "Baseline", 0), film("P1", "Month 48", 1), presentation=Presentation.PAIRED_ORDERED
    )
    assigned(study, "Rita", "Rolf")
    for name, given in (("Rita", (1, 2)), ("Rolf", (2, 2))):
        reader = study.person(name, Role.READER)
        opened = study.open(reader)
        for shown, code in zip(opened.case.films, given, strict=True):
            study.commit(reader, opened, set_grade(shown.joints[0].id, KL, code))
        study.lock(reader, opened)
    direction = rules(Resolution.THIRD_FINAL, Trigger(TriggerKind.DIRECTION_OF_CHANGE))
    (one,) = queue(study, direction)
    assert (one.visit, codes([one])) == ("Baseline", [(1, [1, 2])])


# Exclusions ---------------------------------------------------------------------------------------


@pytest.fixture
def one_excludes(study: Study) -> Study:
    """Rita grades the left joint 1, Rolf excludes it for its quality: a second look is asked for."""
    study.add_cases(film("P0001"))
    assigned(study, "Rita", "Rolf")
    read(study, "Rita", 1)
    read(study, "Rolf", 1, left_out="quality")
    return study


def look_again(study: Study, *, confirmed: bool) -> None:
    asked = [name for name in ("Rita", "Roxana") if waits_for(study, name)]
    exclusion_checks.save_check(
        study.db,
        study.person(asked[0], Role.READER),
        RULES.protocol,
        [LEFT],
        confirmed=confirmed,
        note="",
    )


def waits_for(study: Study, name: str) -> bool:
    return bool(exclusion_checks.waiting(study.db, study.person(name, Role.READER), RULES.protocol))


def test_while_an_exclusion_waits_for_its_check_nobody_is_called(one_excludes: Study) -> None:
    assert queue(one_excludes) == ()


def test_a_confirmed_exclusion_is_final(one_excludes: Study) -> None:
    look_again(one_excludes, confirmed=True)
    assert queue(one_excludes) == ()


def test_a_rejected_exclusion_leaves_one_grade_for_the_adjudicator(one_excludes: Study) -> None:
    look_again(one_excludes, confirmed=False)
    (one,) = queue(one_excludes)
    assert codes([one]) == [(LEFT, [1])], "what stands beside an exclusion is no grade"
    ((graded, _),) = one.grades
    assert {graded, *one.rejected} == {"A", "B"}
    (hidden,) = queue(one_excludes, rules(third_blind=True))
    assert (hidden.grades, hidden.rejected) == ((), ()), "who excluded it tells as much as a grade"
    after = adjudications.settle_item(
        one_excludes.db, adjudicator(one_excludes), MATCH, one.at, code=2, rationale=""
    )
    assert after.needs_consensus, "it matches no grade"


def test_the_design_in_force_counts_whatever_an_older_window_says(two_read: Study) -> None:
    assert queue(two_read)[0].grades
    blind = rules(third_blind=True).design
    designs.set_design(two_read.db, two_read.coordinator, blind, reason="the third reader is to be blind")
    (one,) = queue(two_read, RULES)
    assert (one.hidden, one.grades) == (True, ())
    with pytest.raises(NotAllowed, match="once you have graded"):
        adjudication_sights.marks(two_read.db, adjudicator(two_read), RULES, 1)
    shown = rules(pregrade_shown=True)
    with pytest.raises(NotAllowed, match="keeps the AI"):
        adjudication_sights.pregrades(two_read.db, adjudicator(two_read), shown, 1, BUNDLE)


# Settling -----------------------------------------------------------------------------------------


def test_a_decision_is_replaced_by_the_same_adjudicator_only(two_read: Study) -> None:
    assert settle(two_read, 2, MATCH, why=" because ").needs_consensus
    assert cases.counts(two_read.db, two_read.coordinator).adjudicated == 0
    with pytest.raises(GradeError, match="Another adjudicator"):
        settle(two_read, 1, MATCH, who="Agnes")
    by_hand = settle(two_read, 3, MATCH, why="seen")
    assert by_hand.settled is not None
    (mine,) = adjudications.settled(two_read.db, adjudicator(two_read))
    assert mine == by_hand.settled
    assert (mine.code, mine.third_code, mine.method, mine.adjudicator, mine.rationale) == (
        3,
        3,
        Method.THIRD_READER,
        "Adam",
        "seen",
    )
    assert [each.adjudicator for each in adjudications.settled(two_read.db, adjudicator(two_read, "Agnes"))]
    assert results.all_settled(two_read.db, two_read.person("Ada", Role.AUDITOR)) == (mine,)
    assert told(two_read, "adjudication.settle") == [
        {"before": None, "third_code": 2, "code": None, "method": None},
        {"before": [2, None], "third_code": 3, "code": 3, "method": "third reader"},
    ]


def told(study: Study, verb: str) -> list[dict[str, object]]:
    entries = journal.entries(study.db, study.person("Ada", Role.AUDITOR))
    wanted = ("before", "third_code", "code", "method")
    return [{key: entry.payload[key] for key in wanted} for entry in entries if entry.verb == verb]


def test_nothing_is_settled_that_is_not_called_for(two_read: Study) -> None:
    adam = adjudicator(two_read)
    for elsewhere in (ItemPlace(1, LEFT, KL), ItemPlace(1, 99, KL)):
        with pytest.raises(GradeError, match="do not differ"):
            adjudications.settle_item(two_read.db, adam, RULES, elsewhere, code=1, rationale="")
    with pytest.raises(GradeError, match="is not a grade"):
        settle(two_read, 77)
    with pytest.raises(NotAllowed, match="not ready"):
        adjudications.settle_item(two_read.db, adam, RULES, ItemPlace(9, 1, KL), code=1, rationale="")
    assert told(two_read, "adjudication.settle") == []


def test_the_readers_boxes_come_under_their_letters(study: Study) -> None:
    study.add_cases(film("P0001"))
    assigned(study, "Rita", "Rolf")
    rita = study.person("Rita", Role.READER)
    opened = study.open(rita)
    study.commit(rita, opened, Change("move-box", boxes=(BoxChange(RIGHT, None, Box(5, 6, 70, 80)),)))
    for joint in opened.case.joints:
        study.commit(rita, opened, set_grade(joint.id, KL, 1))
    study.lock(rita, opened)
    read(study, "Rolf", 3)
    (one,) = queue(study)
    marks = adjudication_sights.marks(study.db, adjudicator(study), RULES, 1)
    of_rita = next(letter for letter, code in one.grades if code == 1)
    assert {mark.letter: dict(mark.boxes) for mark in marks} == {
        of_rita: {RIGHT: Box(5, 6, 70, 80)},
        next(letter for letter, code in one.grades if code == 3): {},
    }


# Taking back --------------------------------------------------------------------------------------


def test_a_coordinator_sees_what_is_settled_but_no_grade_and_sends_it_back(two_read: Study) -> None:
    settle(two_read, 3, why="a prosthetic hint")
    cora = two_read.coordinator
    (place,) = reopening.settled_places(two_read.db, cora)
    assert (place.title, place.item, place.final, place.method, place.adjudicator) == (
        "Case 0001",
        KL,
        True,
        Method.THIRD_READER,
        "Adam",
    )
    assert not {"code", "third_code", "rationale"} & set(vars(place))
    with pytest.raises(GradeError, match="needs a reason"):
        reopening.reopen(two_read.db, cora, 1, RIGHT, KL, reason="  ")
    reopening.reopen(two_read.db, cora, 1, RIGHT, KL, reason="wrong film in front")
    assert reopening.settled_places(two_read.db, cora) == ()
    (one,) = queue(two_read)
    assert one.settled is None
    entry = journal.entries(two_read.db, two_read.person("Ada", Role.AUDITOR))[-1]
    assert entry.verb == "adjudication.reopen"
    assert entry.payload["reason"] == "wrong film in front"
    was = entry.payload["was"]
    assert isinstance(was, dict)
    assert (was["code"], was["third_code"], was["rationale"]) == (3, 3, "a prosthetic hint")
    with pytest.raises(GradeError, match="Nothing is settled"):
        reopening.reopen(two_read.db, cora, 1, RIGHT, KL, reason="again")
    assert settle(two_read, 1, who="Agnes").settled is not None, "any adjudicator may take it up"
