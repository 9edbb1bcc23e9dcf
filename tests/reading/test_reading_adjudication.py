"""From several readings to one final grade: the rules that the published studies used."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reader_app.protocols.model import AdjudicationRule, Item, Protocol, Resolution, Trigger, TriggerKind
from reader_app.reading.adjudication import Method, Outcome, judge, settle
from reader_app.reading.case import Case, JointSide
from reader_app.reading.consensus import earlier_joint, judge_joint, reader_finals

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
    ("previous", "codes", "called"),
    [
        ([1, 2], [1, 2], False),
        ([1, 1], [1, 2], True),
        ([1, 1], [2, 3], False),
        ([2, 1], [2, 2], True),
        (None, [1, 3], False),
    ],
)
def test_the_direction_of_change_calls_the_adjudicator(
    previous: list[int] | None, codes: list[int], called: bool
) -> None:
    verdict = judge(rule(Resolution.THIRD_IF_MATCH, DIRECTION), codes, previous=previous)
    assert (verdict.outcome is Outcome.NEEDS_ADJUDICATOR) is called


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
    codes: list[int], triggers: list[Trigger], resolution: Resolution, random: object
) -> None:
    mixed = list(codes)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    one = judge(rule(resolution, *triggers), codes)
    assert judge(rule(resolution, *triggers), mixed) == one
    if one.outcome is Outcome.FINAL:
        assert one.code in codes, "a final grade is a grade that somebody gave"
    else:
        assert one.code is None
        assert one.method is None


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
    verdict = judge_joint(protocol, JointSide.RIGHT, finals)[Item("FO")]
    assert (verdict.code, verdict.method) == (2, Method.AGREED)


def test_the_earlier_joint_is_the_same_side_on_the_film_before(case: Case) -> None:
    assert [earlier_joint(case, joint.id) for joint in case.joints] == [None, None, 1, 2]
