"""The rules of a protocol: what warns, what excludes, what is adjudicated, how a study is read by default."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Comparison(StrEnum):
    """How a condition compares a grade with its code."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    AT_LEAST = ">="
    AT_MOST = "<="
    ABOVE = ">"
    BELOW = "<"


_COMPARE: dict[Comparison, Callable[[int, int], bool]] = {
    Comparison.EQUAL: operator.eq,
    Comparison.NOT_EQUAL: operator.ne,
    Comparison.AT_LEAST: operator.ge,
    Comparison.AT_MOST: operator.le,
    Comparison.ABOVE: operator.gt,
    Comparison.BELOW: operator.lt,
}


@dataclass(frozen=True)
class Condition:
    """One comparison of a cross-check.

    `site_id` is None for a feature without sites and for the final grade of a feature whose sites
    are combined.
    """

    feature_id: str
    site_id: str | None
    comparison: Comparison
    code: int

    def holds(self, code: int) -> bool:
        """Say whether a grade with this code meets the condition."""
        return _COMPARE[self.comparison](code, self.code)


@dataclass(frozen=True)
class CrossCheck:
    """A combination of grades that is unlikely to be meant; it warns when all conditions hold."""

    id: str
    title: str
    conditions: tuple[Condition, ...]
    message: str


class ExclusionScope(StrEnum):
    """What an exclusion takes out of the study."""

    JOINT = "joint"
    RADIOGRAPH = "radiograph"


@dataclass(frozen=True)
class ExclusionReason:
    """Why a reader may decline to grade; `needs_confirmation` asks a second reader."""

    id: str
    title: str
    scope: ExclusionScope
    needs_confirmation: bool


class TriggerKind(StrEnum):
    """Which kind of disagreement sends a grade to adjudication."""

    ANY_DIFFERENCE = "any-difference"
    DIFFERENCE_ABOVE = "difference-above"
    ACROSS_CUT = "across-cut"
    DIRECTION_OF_CHANGE = "direction-of-change"


@dataclass(frozen=True)
class Trigger:
    """One kind of disagreement.

    Parameters
    ----------
    kind
        What is looked at.
    above
        For `DIFFERENCE_ABOVE`: the largest difference that is still accepted.
    cut
        For `ACROSS_CUT`: the last code below the cut, so that 1 means 0-1 | 2-4.
    """

    kind: TriggerKind
    above: int | None = None
    cut: int | None = None


class Resolution(StrEnum):
    """How the final grade comes about once a trigger has fired."""

    THIRD_FINAL = "third-final"
    THIRD_IF_MATCH = "third-if-match"
    MEDIAN = "median"
    MAJORITY = "majority"
    WORST = "worst"
    LIVE_CONSENSUS = "live-consensus"


@dataclass(frozen=True)
class AdjudicationRule:
    """For some features: when readings are adjudicated (any trigger is enough) and how that ends."""

    feature_ids: tuple[str, ...]
    triggers: tuple[Trigger, ...]
    resolution: Resolution


class Presentation(StrEnum):
    """How the visits of a participant are shown."""

    SINGLE = "single"
    PAIRED_ORDERED = "paired-ordered"
    PAIRED_BLINDED = "paired-blinded"


class Arm(StrEnum):
    """What of the AI a reading shows."""

    UNAIDED = "unaided"
    AIDED = "aided"
    UNAIDED_THEN_AIDED = "unaided-then-aided"
    """Two readings in a row: the first is locked before the second, with the AI, begins."""
    CROSSOVER = "crossover"
    """Every case twice, with and without the AI, a washout between; only of a design, never of a reading."""


@dataclass(frozen=True)
class ReadingDefaults:
    """The reading design that a study under this protocol starts from.

    `block_size` counts cases; `reread_percent` is the share of hidden re-reads, 0 to 100.
    """

    readers_per_case: int
    presentation: Presentation
    arm: Arm
    block_size: int
    reread_percent: int
