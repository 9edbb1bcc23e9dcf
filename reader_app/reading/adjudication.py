"""How several readings of one joint become one final grade. Pure rules over protocol data.

Source of the rules: the resolutions that the published studies used (third reader final, third
final where it matches one of the two, median, majority, worst, consensus session).
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from reader_app.protocols.model import (
    AdjudicationRule,
    Resolution,
    Trigger,
    TriggerKind,
)
from reader_app.reading.design import WithinRule

_SETTLES_ITSELF = (Resolution.MEDIAN, Resolution.WORST)
"""Resolutions that never call a person."""


class Method(StrEnum):
    """How a final grade came about."""

    AGREED = "agreed"
    WITHIN_RULE = "within rule"
    """Different, but not so far apart that the rule calls the adjudicator: the design says what stands."""
    THIRD_READER = "third reader"
    CONSENSUS_SESSION = "consensus session"
    MEDIAN = "median"
    MAJORITY = "majority"
    WORST = "worst"
    SINGLE_READER = "single reader"


class ExclusionState(StrEnum):
    """Where one reader's exclusion of a joint stands."""

    WAITING = "waiting"
    """A second reader has not looked yet."""
    CONFIRMED = "confirmed"
    """The joint is out: a second reader agrees, or the reason needs no second look."""
    REJECTED = "rejected"
    """A second reader finds that the joint can be graded."""


class Outcome(StrEnum):
    """What the rule says of a set of grades."""

    FINAL = "final"
    NEEDS_ADJUDICATOR = "needs adjudicator"
    NEEDS_CONSENSUS = "needs consensus session"
    SIDE_BY_SIDE = "side by side"
    """The readers differ and nothing makes one grade of theirs: they stand as they are."""
    UNGRADED = "ungraded"
    EXCLUDED = "excluded"
    WAITING = "waiting for the check of an exclusion"


@dataclass(frozen=True)
class Verdict:
    """What a rule makes of the grades of one item.

    Attributes
    ----------
    code, method
        The final grade and how it came about; None unless `outcome` is final.
    gravity
        How far apart the readers are, in grades; sorts the adjudicator's queue.
    """

    outcome: Outcome
    code: int | None = None
    method: Method | None = None
    gravity: int = 0


def judge(
    rule: AdjudicationRule | None,
    codes: Sequence[int],
    *,
    neighbours: Sequence[Sequence[int]] = (),
    within: WithinRule = WithinRule.WORST,
    rejected: bool = False,
) -> Verdict:
    """Apply a rule to the readers' grades of one item, before any adjudicator spoke.

    Readers who differ on the direction of change differ on the grade of at least one of the two visits:
    the adjudicator is called for the visits on which they do, not for one on which all gave the same.

    Parameters
    ----------
    codes
        The grades of the readers who graded it, one each.
    rule
        None where neither design nor protocol has one for the feature.
    neighbours
        The same readers' grades at the visit before and at the visit after, where there are such visits;
        for rules on the direction of change.
    within
        What becomes of grades that differ but call nobody.
    rejected
        Whether a further reader excluded the joint and a second look found that it can be graded: a single
        grade then does not stand alone where the rule knows an adjudicator.
    """
    gravity = max(codes) - min(codes) if codes else 0
    if len(codes) < 2 and rejected and rule is not None and rule.resolution not in _SETTLES_ITSELF:
        return Verdict(Outcome.NEEDS_ADJUDICATOR)
    if not codes:
        return Verdict(Outcome.UNGRADED)
    if len(codes) == 1:
        return Verdict(Outcome.FINAL, codes[0], Method.SINGLE_READER)
    if gravity == 0:
        return Verdict(Outcome.FINAL, codes[0], Method.AGREED)
    if rule is None:
        return Verdict(Outcome.SIDE_BY_SIDE, gravity=gravity)
    if not any(_triggered(trigger, codes, neighbours) for trigger in rule.triggers):
        return _within(within, codes, gravity)
    return _resolved(rule.resolution, codes, gravity)


def settle(rule: AdjudicationRule | None, codes: Sequence[int], third: int) -> Verdict:
    """Apply the rule once the adjudicator has given the third grade.

    A third grade that must match one of the readers' and does not asks for a consensus session; where no
    reader gave a grade there is nothing to match.
    """
    gravity = max(codes) - min(codes) if codes else 0
    if rule is not None and rule.resolution is Resolution.LIVE_CONSENSUS:
        return Verdict(Outcome.FINAL, third, Method.CONSENSUS_SESSION, gravity)
    if rule is not None and rule.resolution is Resolution.THIRD_IF_MATCH and codes and third not in codes:
        return Verdict(Outcome.NEEDS_CONSENSUS, gravity=gravity)
    return Verdict(Outcome.FINAL, third, Method.THIRD_READER, gravity)


def _resolved(resolution: Resolution, codes: Sequence[int], gravity: int) -> Verdict:
    match resolution:
        case Resolution.MEDIAN:
            return Verdict(Outcome.FINAL, _median(codes), Method.MEDIAN, gravity)
        case Resolution.WORST:
            return Verdict(Outcome.FINAL, max(codes), Method.WORST, gravity)
        case Resolution.MAJORITY if (winner := _majority(codes)) is not None:
            return Verdict(Outcome.FINAL, winner, Method.MAJORITY, gravity)
    return Verdict(Outcome.NEEDS_ADJUDICATOR, gravity=gravity)


def _within(within: WithinRule, codes: Sequence[int], gravity: int) -> Verdict:
    match within:
        case WithinRule.WORST:
            return Verdict(Outcome.FINAL, max(codes), Method.WITHIN_RULE, gravity)
        case WithinRule.MEDIAN:
            return Verdict(Outcome.FINAL, _median(codes), Method.WITHIN_RULE, gravity)
        case WithinRule.OPEN:
            return Verdict(Outcome.SIDE_BY_SIDE, gravity=gravity)


def _triggered(trigger: Trigger, codes: Sequence[int], neighbours: Sequence[Sequence[int]]) -> bool:
    match trigger.kind:
        case TriggerKind.ANY_DIFFERENCE:
            return len(set(codes)) > 1
        case TriggerKind.DIFFERENCE_ABOVE:
            return trigger.above is not None and max(codes) - min(codes) > trigger.above
        case TriggerKind.ACROSS_CUT:
            return trigger.cut is not None and min(codes) <= trigger.cut < max(codes)
        case TriggerKind.DIRECTION_OF_CHANGE:
            return any(_directions_differ(codes, other) for other in neighbours)
    return False


def _directions_differ(codes: Sequence[int], other: Sequence[int]) -> bool:
    if len(codes) != len(other):
        return False
    return len({_sign(one - two) for one, two in zip(codes, other, strict=True)}) > 1


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _median(codes: Sequence[int]) -> int:
    # Between two grades lies no grade: an even number of readers takes the worse of the middle two.
    return statistics.median_high(codes)


def _majority(codes: Sequence[int]) -> int | None:
    (code, count), *_ = Counter(codes).most_common(1)
    return code if 2 * count > len(codes) else None
