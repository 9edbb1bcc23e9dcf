"""From several readings to one final grade: the rules that the published studies used."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reader_app.protocols.model import (
    AdjudicationRule,
    Arm,
    Item,
    Presentation,
    Protocol,
    Resolution,
    Trigger,
    TriggerKind,
)
from reader_app.reading.adjudication import ExclusionState, Method, Outcome, Verdict, judge, settle
from reader_app.reading.case import JointSide
from reader_app.reading.consensus import (
    JointVisit,
    judge_joint,
    reader_finals,
    trivial_proposal,
    visit_neighbours,
)
from reader_app.reading.design import Adjudicating, ReadingDesign, WithinRule

ANY = Trigger(TriggerKind.ANY_DIFFERENCE)
ABOVE_1 = Trigger(TriggerKind.DIFFERENCE_ABOVE, above=1)
ACROSS = Trigger(TriggerKind.ACROSS_CUT, cut=1)
DIRECTION = Trigger(TriggerKind.DIRECTION_OF_CHANGE)

CODES = st.lists(st.integers(0, 4), min_size=1, max_size=5)
TRIGGERS = st.lists(st.sampled_from([ANY, ABOVE_1, ACROSS, DIRECTION]), min_size=1, unique=True)


def rule(resolution: Resolution, *triggers: Trigger) -> AdjudicationRule:
    return AdjudicationRule(("kl",), triggers or (ANY,), resolution)


@pytest.mark.parametrize("resolution", list(Resolution))
def test_agreement_stands_without_adjudicator(resolution: Resolution) -> None:
    verdict = judge(rule(resolution), [2, 2])
    assert (verdict.outcome, verdict.code, verdict.gravity) == (Outcome.FINAL, 2, 0)
    assert verdict.method is Method.AGREED


@pytest.mark.parametrize(
    ("triggers", "codes", "called"),
    [
        ((ANY,), [0, 1], True),
        ((ABOVE_1,), [0, 1], False),
        ((ABOVE_1,), [0, 2], True),
        ((ACROSS,), [0, 1], False),
        ((ACROSS,), [1, 2], True),
        ((ACROSS,), [2, 4], False),
        ((ABOVE_1, ACROSS), [1, 2], True),
    ],
)
def test_what_calls_the_adjudicator(triggers: tuple[Trigger, ...], codes: list[int], called: bool) -> None:
    verdict = judge(rule(Resolution.THIRD_FINAL, *triggers), codes)
    if called:
        assert verdict.outcome is Outcome.NEEDS_ADJUDICATOR
        assert verdict.code is None
    else:
        assert (verdict.code, verdict.method) == (max(codes), Method.WITHIN_RULE)
    assert verdict.gravity == max(codes) - min(codes)


@pytest.mark.parametrize(
    ("first", "second", "called"),
    [
        ([1, 2], [1, 2], (False, False)),
        ([1, 1], [1, 2], (False, True)),
        ([1, 1], [2, 3], (False, False)),
        ([1, 2], [3, 3], (False, False)),
        # The second visit is agreed on: what the direction hangs on is the grade of the first.
        ([2, 1], [2, 2], (True, False)),
        ([0, 1], [1, 0], (True, True)),
    ],
)
def test_the_direction_of_change_calls_the_adjudicator_where_the_readers_differ(
    first: list[int], second: list[int], called: tuple[bool, bool]
) -> None:
    direction = rule(Resolution.THIRD_IF_MATCH, DIRECTION)
    verdicts = (judge(direction, first, neighbours=[second]), judge(direction, second, neighbours=[first]))
    assert tuple(verdict.outcome is Outcome.NEEDS_ADJUDICATOR for verdict in verdicts) == called


def test_without_another_visit_there_is_no_direction() -> None:
    assert judge(rule(Resolution.THIRD_FINAL, DIRECTION), [1, 3]).method is Method.WITHIN_RULE


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=4), st.randoms())
def test_the_rule_on_direction_knows_neither_who_read_first_nor_which_way_time_runs(
    pairs: list[tuple[int, int]], random: Random
) -> None:
    direction = rule(Resolution.THIRD_FINAL, DIRECTION)

    def calls(visits: list[tuple[int, int]]) -> set[bool]:
        one, other = [list(codes) for codes in zip(*visits, strict=True)]
        return {
            judge(direction, codes, neighbours=[near]).outcome is Outcome.NEEDS_ADJUDICATOR
            for codes, near in ((one, other), (other, one))
        }

    called = calls(pairs)
    mixed = list(pairs)
    random.shuffle(mixed)
    assert calls(mixed) == called
    assert calls([(after, before) for before, after in pairs]) == called
    # Nobody is called exactly where all readers saw the same direction.
    directions = {(after > before) - (after < before) for before, after in pairs}
    assert (True in called) is (len(directions) > 1)


@pytest.mark.parametrize(
    ("within", "code", "outcome"),
    [
        (WithinRule.WORST, 3, Outcome.FINAL),
        (WithinRule.MEDIAN, 2, Outcome.FINAL),
        (WithinRule.OPEN, None, Outcome.SIDE_BY_SIDE),
    ],
)
def test_the_design_says_what_becomes_of_differences_that_call_nobody(
    within: WithinRule, code: int | None, outcome: Outcome
) -> None:
    verdict = judge(
        rule(Resolution.THIRD_FINAL, Trigger(TriggerKind.DIFFERENCE_ABOVE, above=2)),
        [2, 2, 3, 1],
        within=within,
    )
    assert (verdict.code, verdict.outcome) == (code, outcome)
    assert verdict.method is (Method.WITHIN_RULE if code is not None else None)


def test_what_is_resolved_without_a_person_still_needs_its_trigger() -> None:
    median = rule(Resolution.MEDIAN, ABOVE_1)
    assert judge(median, [1, 1, 2]).method is Method.WITHIN_RULE
    assert judge(median, [1, 1, 3]).method is Method.MEDIAN


@pytest.mark.parametrize(
    ("resolution", "codes", "code", "method"),
    [
        (Resolution.MEDIAN, [1, 2, 4], 2, Method.MEDIAN),
        (Resolution.MEDIAN, [1, 2], 2, Method.MEDIAN),
        (Resolution.WORST, [0, 3, 1], 3, Method.WORST),
        (Resolution.MAJORITY, [1, 1, 3], 1, Method.MAJORITY),
    ],
)
def test_rules_that_need_nobody(resolution: Resolution, codes: list[int], code: int, method: Method) -> None:
    verdict = judge(rule(resolution), codes)
    assert (verdict.outcome, verdict.code, verdict.method) == (Outcome.FINAL, code, method)


def test_without_a_majority_the_adjudicator_is_called() -> None:
    assert judge(rule(Resolution.MAJORITY), [1, 2]).outcome is Outcome.NEEDS_ADJUDICATOR
    assert judge(rule(Resolution.MAJORITY), [1, 2, 3]).outcome is Outcome.NEEDS_ADJUDICATOR


@pytest.mark.parametrize("resolution", list(Resolution))
def test_a_rejected_exclusion_leaves_one_grade_that_does_not_stand_alone(resolution: Resolution) -> None:
    verdict = judge(rule(resolution), [2], rejected=True)
    if resolution in (Resolution.MEDIAN, Resolution.WORST):
        assert verdict.method is Method.SINGLE_READER, "these rules know nobody who could be called"
    else:
        assert verdict.outcome is Outcome.NEEDS_ADJUDICATOR
        assert judge(rule(resolution), [], rejected=True).outcome is Outcome.NEEDS_ADJUDICATOR
    assert judge(rule(resolution), [2, 2, 2], rejected=True).method is Method.AGREED


def test_the_third_grade_must_match_only_what_there_is() -> None:
    match = rule(Resolution.THIRD_IF_MATCH)
    assert settle(match, [], 2).code == 2
    assert settle(match, [1], 2).outcome is Outcome.NEEDS_CONSENSUS


@given(CODES, TRIGGERS, st.integers(0, 4))
def test_a_third_grade_that_must_match_never_ends_in_a_grade_that_no_reader_gave(
    codes: list[int], triggers: list[Trigger], third: int
) -> None:
    verdict = settle(rule(Resolution.THIRD_IF_MATCH, *triggers), codes, third)
    assert verdict.code in (*codes, None)
    assert (verdict.code is None) is (verdict.outcome is Outcome.NEEDS_CONSENSUS)


def test_one_reader_and_none() -> None:
    single = judge(rule(Resolution.THIRD_FINAL), [3])
    assert (single.code, single.method) == (3, Method.SINGLE_READER)
    assert judge(rule(Resolution.THIRD_FINAL), []).outcome is Outcome.UNGRADED


def test_a_feature_without_rule_stands_side_by_side() -> None:
    assert judge(None, [1, 2]).outcome is Outcome.SIDE_BY_SIDE
    assert judge(None, [2, 2]).method is Method.AGREED


def test_the_third_reader_decides_as_the_rule_says() -> None:
    third = settle(rule(Resolution.THIRD_FINAL), [1, 3], 2)
    assert (third.code, third.method) == (2, Method.THIRD_READER)
    match = settle(rule(Resolution.THIRD_IF_MATCH), [1, 3], 3)
    assert (match.code, match.method) == (3, Method.THIRD_READER)
    neither = settle(rule(Resolution.THIRD_IF_MATCH), [1, 3], 2)
    assert (neither.outcome, neither.code) == (Outcome.NEEDS_CONSENSUS, None)
    together = settle(rule(Resolution.LIVE_CONSENSUS), [1, 3], 2)
    assert (together.code, together.method) == (2, Method.CONSENSUS_SESSION)


@settings(max_examples=150, deadline=None)
@given(CODES, TRIGGERS, st.sampled_from(list(Resolution)), st.randoms())
def test_a_verdict_does_not_depend_on_who_read_first(
    codes: list[int], triggers: list[Trigger], resolution: Resolution, random: Random
) -> None:
    mixed = list(codes)
    random.shuffle(mixed)
    one = judge(rule(resolution, *triggers), codes)
    assert judge(rule(resolution, *triggers), mixed) == one
    if one.outcome is Outcome.FINAL:
        assert one.code in codes, "a final grade is a grade that somebody gave"
    else:
        assert one.code is None
        assert one.method is None


DESIGN = ReadingDesign(presentation=Presentation.PAIRED_ORDERED, arm=Arm.UNAIDED, seed=1)

# Whole joints -----------------------------------------------------------------------------------


def graded(protocol: Protocol, code: int, **changed: int) -> dict[Item, int]:
    """All items of a joint in one grade, some of them in another, named with _ for the colon."""
    grades = {item: min(code, max(protocol.item_scale(item).codes)) for item in protocol.items}
    for key, other in changed.items():
        grades[Item.parse(key.replace("_", ":"))] = other
    return grades


def test_the_worst_site_is_the_readers_final(protocol: Protocol) -> None:
    finals = reader_finals(protocol, JointSide.RIGHT, graded(protocol, 0, FO_superior=1, FO_inferior=3))
    assert finals[Item("FO")] == 3
    assert finals[Item("KL")] == 0
    assert Item("FO", "superior") not in finals


def test_a_feature_that_is_not_graded_whole_has_no_final(protocol: Protocol) -> None:
    grades = graded(protocol, 1)
    del grades[Item("FO", "superior")]
    assert Item("FO") not in reader_finals(protocol, JointSide.RIGHT, grades)


def test_readers_who_differ_by_site_but_not_in_the_final_agree(protocol: Protocol) -> None:
    finals = {
        "A": reader_finals(protocol, JointSide.RIGHT, graded(protocol, 0, FO_superior=2)),
        "B": reader_finals(protocol, JointSide.RIGHT, graded(protocol, 0, FO_inferior=2)),
    }
    verdict = judge_joint(protocol, DESIGN, JointSide.RIGHT, finals)[Item("FO")]
    assert (verdict.code, verdict.method) == (2, Method.AGREED)


def judged(protocol: Protocol, design: ReadingDesign = DESIGN, **excluded: ExclusionState) -> Verdict:
    finals = {
        letter: reader_finals(protocol, JointSide.RIGHT, graded(protocol, code))
        for letter, code in (("A", 0), ("B", 2))
    }
    return judge_joint(protocol, design, JointSide.RIGHT, finals, excluded=excluded)[Item("KL")]


def test_an_exclusion_that_is_confirmed_takes_the_joint_out(protocol: Protocol) -> None:
    assert judged(protocol, A=ExclusionState.CONFIRMED) == Verdict(Outcome.EXCLUDED)


def test_nothing_is_decided_while_an_exclusion_waits_for_its_check(protocol: Protocol) -> None:
    assert judged(protocol, A=ExclusionState.WAITING) == Verdict(Outcome.WAITING)


def test_an_exclusion_that_is_rejected_goes_to_the_adjudicator(protocol: Protocol) -> None:
    verdict = judged(protocol, A=ExclusionState.REJECTED)
    assert verdict.outcome is Outcome.NEEDS_ADJUDICATOR
    assert verdict.gravity == 0, "one grade is left, there is nothing to be apart from"


def test_the_rules_of_the_design_come_before_those_of_the_protocol(protocol: Protocol) -> None:
    worst = AdjudicationRule(("KL",), (ANY,), Resolution.WORST)
    design = replace(DESIGN, adjudication=Adjudicating(rules=(worst,)))
    assert judged(protocol).outcome is not judged(protocol, design).outcome
    assert judged(protocol, design).method is Method.WORST


def test_the_visits_beside_a_joint_are_found_by_time_not_by_place() -> None:
    right, left = JointSide.RIGHT, JointSide.LEFT
    shown = [
        JointVisit(1, right, 2),
        JointVisit(2, left, 2),
        JointVisit(3, right, 0),
        JointVisit(4, right, 1),
    ]
    assert visit_neighbours(shown) == {3: (None, 4), 4: (3, 1), 1: (4, None), 2: (None, None)}


def test_two_films_of_one_visit_are_no_change() -> None:
    right = JointSide.RIGHT
    shown = [JointVisit(1, right, 0), JointVisit(2, right, 0), JointVisit(3, right, 1)]
    assert visit_neighbours(shown) == {1: (None, 3), 2: (None, 3), 3: (2, None)}


@given(st.lists(st.integers(0, 4), min_size=1, max_size=4), TRIGGERS, st.sampled_from(list(Resolution)))
def test_only_what_crosses_no_cut_is_proposed_to_be_settled_in_a_batch(
    protocol: Protocol, codes: list[int], triggers: list[Trigger], resolution: Resolution
) -> None:
    chosen = AdjudicationRule(("KL",), tuple(triggers), resolution)
    design = replace(DESIGN, adjudication=Adjudicating(rules=(chosen,)))
    proposed = trivial_proposal(protocol, design, Item("KL"), codes)
    present_from = protocol.feature("KL").present_from
    assert present_from is not None
    one_side = len({code >= present_from for code in codes}) == 1
    small = max(codes) - min(codes) == 1 and one_side
    allowed = resolution is not Resolution.LIVE_CONSENSUS and DIRECTION not in triggers
    assert proposed == (max(codes) if small and allowed else None)
