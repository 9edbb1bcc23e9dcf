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


class Method(StrEnum):
    """How a final grade came about."""

    AGREED = "agreed"
    WITHIN_RULE = "within rule"
    """Different, but not so far apart that the protocol's rule calls the adjudicator: the worse stands."""
    THIRD_READER = "third reader"
    CONSENSUS_SESSION = "consensus session"
    MEDIAN = "median"
    MAJORITY = "majority"
    WORST = "worst"
    SINGLE_READER = "single reader"


class Outcome(StrEnum):
    """What the rule says of a set of grades."""

    FINAL = "final"
    NEEDS_ADJUDICATOR = "needs adjudicator"
    NEEDS_CONSENSUS = "needs consensus session"
    SIDE_BY_SIDE = "side by side"
    """The readers differ and the protocol has no rule for this feature: their grades stand as they are."""
    UNGRADED = "ungraded"


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
    previous: Sequence[int] | None = None,
) -> Verdict:
    """Apply a rule to the readers' grades of one item, before any adjudicator spoke.

    Parameters
    ----------
    codes
        The grades of the readers who graded it, one each.
    rule
        None where the protocol has none for the feature.
    previous
        The same readers' grades at the visit before, for rules on the direction of change.
    """
    if not codes:
        return Verdict(Outcome.UNGRADED)
    gravity = max(codes) - min(codes)
    if len(codes) == 1:
        return Verdict(Outcome.FINAL, codes[0], Method.SINGLE_READER)
    if rule is None:
        if gravity == 0:
            return Verdict(Outcome.FINAL, codes[0], Method.AGREED)
        return Verdict(Outcome.SIDE_BY_SIDE, gravity=gravity)
    if gravity == 0 and not _any_triggered(rule.triggers, codes, previous):
        return Verdict(Outcome.FINAL, codes[0], Method.AGREED)
    match rule.resolution:
        case Resolution.MEDIAN:
            return Verdict(Outcome.FINAL, _median(codes), Method.MEDIAN, gravity)
        case Resolution.WORST:
            return Verdict(Outcome.FINAL, max(codes), Method.WORST, gravity)
        case Resolution.MAJORITY if (winner := _majority(codes)) is not None:
            return Verdict(Outcome.FINAL, winner, Method.MAJORITY, gravity)
    if not _any_triggered(rule.triggers, codes, previous):
        return Verdict(Outcome.FINAL, max(codes), Method.WITHIN_RULE, gravity)
    return Verdict(Outcome.NEEDS_ADJUDICATOR, gravity=gravity)


def settle(rule: AdjudicationRule | None, codes: Sequence[int], third: int) -> Verdict:
    """Apply the rule once the adjudicator has given the third grade.

    A third grade that must match one of the two and does not asks for a consensus session.
    """
    gravity = max(codes) - min(codes) if codes else 0
    if rule is None:
        return Verdict(Outcome.FINAL, third, Method.THIRD_READER, gravity)
    if rule.resolution is Resolution.LIVE_CONSENSUS:
        return Verdict(Outcome.FINAL, third, Method.CONSENSUS_SESSION, gravity)
    if rule.resolution is Resolution.THIRD_IF_MATCH and third not in codes:
        return Verdict(Outcome.NEEDS_CONSENSUS, gravity=gravity)
    return Verdict(Outcome.FINAL, third, Method.THIRD_READER, gravity)


def _any_triggered(triggers: Sequence[Trigger], codes: Sequence[int], previous: Sequence[int] | None) -> bool:
    return any(_triggered(trigger, codes, previous) for trigger in triggers)


def _triggered(trigger: Trigger, codes: Sequence[int], previous: Sequence[int] | None) -> bool:
    match trigger.kind:
        case TriggerKind.ANY_DIFFERENCE:
            return len(set(codes)) > 1
        case TriggerKind.DIFFERENCE_ABOVE:
            return trigger.above is not None and max(codes) - min(codes) > trigger.above
        case TriggerKind.ACROSS_CUT:
            return trigger.cut is not None and min(codes) <= trigger.cut < max(codes)
        case TriggerKind.DIRECTION_OF_CHANGE:
            if previous is None or len(previous) != len(codes):
                return False
            return len({_sign(now - before) for now, before in zip(codes, previous, strict=True)}) > 1
    return False


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _median(codes: Sequence[int]) -> int:
    # Between two grades lies no grade: an even number of readers takes the worse of the middle two.
    return statistics.median_high(codes)


def _majority(codes: Sequence[int]) -> int | None:
    (code, count), *_ = Counter(codes).most_common(1)
    return code if 2 * count > len(codes) else None
