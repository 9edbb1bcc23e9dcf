"""What a statistic is: an estimate with its uncertainty, or undefined with the reason.

A coefficient that cannot be computed is never NaN, 0 or 1. It is an `Undefined` that says why and
keeps what is known all the same (how many pairs, how often they agreed). An estimate whose interval
cannot be computed keeps its value and carries an `Undefined` in the interval's place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Reason(StrEnum):
    """Why a statistic or an interval is undefined."""

    NO_PAIRS = "no_pairs"
    NO_VARIATION = "no_variation"
    ZERO_VARIANCE = "zero_variance_estimate"
    TOO_FEW_PARTICIPANTS = "too_few_participants"
    TOO_FEW_SUBJECTS = "too_few_subjects"
    TOO_FEW_POSITIVE_OR_NEGATIVE = "too_few_positive_or_negative"
    ONE_CLASS = "one_class"
    GRADE_NEVER_TRUE = "grade_never_true"
    GRADE_NEVER_GIVEN = "grade_never_given"
    ZERO_DENOMINATOR = "zero_denominator"
    REPLICATES_UNDEFINED = "replicates_undefined"
    NO_COMPLETE_CASE = "no_complete_case"
    NO_DISCORDANT_PAIRS = "no_discordant_pairs"
    NO_MARGINAL_INFORMATION = "no_marginal_information"
    ZERO_VARIANCE_DIFFERENCE = "zero_variance_difference"
    TOO_FEW_PAIRS = "too_few_pairs"
    NOT_COMPUTED = "not_computed"


_SENTENCES: Mapping[Reason, str] = {
    Reason.NO_PAIRS: "no joint was graded by both",
    Reason.NO_VARIATION: "every grade is the same single grade, so agreement beyond chance is 0/0",
    Reason.ZERO_VARIANCE: "the estimated variance is 0, so no interval can be given",
    Reason.TOO_FEW_PARTICIPANTS: "an interval clustered by participant needs at least two participants",
    Reason.TOO_FEW_SUBJECTS: "fewer than two subjects",
    Reason.TOO_FEW_POSITIVE_OR_NEGATIVE: "an interval needs at least two positive and two negative joints",
    Reason.ONE_CLASS: "the reference has only one class",
    Reason.GRADE_NEVER_TRUE: "the reference never has this grade",
    Reason.GRADE_NEVER_GIVEN: "this grade was never given",
    Reason.ZERO_DENOMINATOR: "there is nothing to divide by",
    Reason.REPLICATES_UNDEFINED: "the coefficient is undefined in most bootstrap replicates",
    Reason.NO_COMPLETE_CASE: "no joint was graded by all",
    Reason.NO_DISCORDANT_PAIRS: "no two grades differ, so there is nothing to test",
    Reason.NO_MARGINAL_INFORMATION: "no two grades differ, so both give every grade equally often",
    Reason.ZERO_VARIANCE_DIFFERENCE: "the difference has no variance, so there is nothing to test it against",
    Reason.TOO_FEW_PAIRS: "the spread of differences needs at least two pairs",
    Reason.NOT_COMPUTED: "not computed for this statistic",
}


class IntervalMethod(StrEnum):
    """How an interval was made; the report prints the sentence of `describe`."""

    NORMAL = "normal"
    T = "t"
    JACKKNIFE_T = "jackknife_t"
    F = "f"
    STRATIFIED_BOOTSTRAP_PERCENTILE = "stratified_bootstrap_percentile"
    WILSON = "wilson"
    CLUSTER_NORMAL = "cluster_normal"
    CLUSTER_T = "cluster_t"
    CLUSTER_JACKKNIFE_T = "cluster_jackknife_t"
    CLUSTER_BOOTSTRAP_PERCENTILE = "cluster_bootstrap_percentile"
    CLUSTER_WILSON = "cluster_wilson"
    DELONG = "delong"
    CLUSTER_DELONG = "cluster_delong"
    ONE_STEP_OFF = "one_step_off"

    def describe(self) -> str:
        """Give one clause that names the method and its source."""
        return _METHODS[self]


_METHODS: Mapping[IntervalMethod, str] = {
    IntervalMethod.NORMAL: "normal approximation with the large-sample standard error",
    IntervalMethod.T: "Student's t with the linearised standard error",
    IntervalMethod.JACKKNIFE_T: "delete-one-joint jackknife, t quantile with n-1 degrees of freedom",
    IntervalMethod.F: "F distribution of the mean squares (Shrout and Fleiss 1979; McGraw and Wong 1996)",
    IntervalMethod.STRATIFIED_BOOTSTRAP_PERCENTILE: (
        "percentiles of a bootstrap that resamples joints within each grade of the reference"
    ),
    IntervalMethod.WILSON: "Wilson score interval",
    IntervalMethod.CLUSTER_NORMAL: "linearised standard error summed within participant, normal quantile",
    IntervalMethod.CLUSTER_T: (
        "linearised standard error summed within participant, factor K/(K-1) and t quantile with K-1 "
        "degrees of freedom for K participants"
    ),
    IntervalMethod.CLUSTER_JACKKNIFE_T: (
        "delete-one-participant jackknife, t quantile with K-1 degrees of freedom for K participants"
    ),
    IntervalMethod.CLUSTER_BOOTSTRAP_PERCENTILE: "percentiles of a bootstrap that resamples participants",
    IntervalMethod.CLUSTER_WILSON: (
        "Wilson score interval at the effective sample size that the clustering by participant leaves"
    ),
    IntervalMethod.DELONG: "DeLong standard error, normal quantile, truncated to [0, 1]",
    IntervalMethod.CLUSTER_DELONG: (
        "DeLong components summed within participant (Obuchowski 1997), normal quantile, truncated to [0, 1]"
    ),
    IntervalMethod.ONE_STEP_OFF: (
        "no two grades differ; the lower end is that of the delete-one-participant jackknife as if one grade "
        "had been one step off, the one that lowers it most"
    ),
}


@dataclass(frozen=True, slots=True)
class Undefined:
    """A statistic that has no value.

    Parameters
    ----------
    reason
        Why, as a code that programs can test.
    text
        Why, in words; empty for the usual sentence of `reason`.
    known
        What is still known, by name (for example ``n`` and ``percent_agreement``).
    """

    reason: Reason
    text: str = ""
    known: Mapping[str, float] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return self.text or _SENTENCES[self.reason]


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval.

    Parameters
    ----------
    low, high
        Its ends, in the unit of the estimate.
    level
        Its confidence level, for example 0.95.
    method
        How it was made.
    """

    low: float
    high: float
    level: float
    method: IntervalMethod

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise ValueError("the ends of an interval must be finite")

    def within(self, low: float, high: float) -> Interval:
        """Cut the interval to the range [low, high] that the statistic can take at all."""
        return Interval(max(self.low, low), min(self.high, high), self.level, self.method)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic that has a value.

    Parameters
    ----------
    value
        The point estimate.
    n
        Number of joints (or pairs) that it rests on.
    standard_error
        Its standard error, or None where the statistic has none.
    interval
        Its confidence interval, or why there is none.
    known
        What else came out on the way, by name (``p_observed``, ``n_participants``, ``design_effect`` ...).
    """

    value: float
    n: int
    standard_error: float | None = None
    interval: Interval | Undefined = field(default_factory=lambda: Undefined(Reason.NOT_COMPUTED))
    known: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError("an estimate must be finite; what has no value is Undefined")


Result = Estimate | Undefined
"""What every statistic of this room returns."""


@dataclass(frozen=True, slots=True)
class SignificanceTest:
    """A test of a hypothesis.

    Parameters
    ----------
    statistic
        Its statistic: chi-squared, or a standard normal deviate.
    p
        Two-sided p-value.
    degrees
        Degrees of freedom of chi-squared, None for a normal deviate.
    difference
        What is tested, where it is a difference of two estimates.
    known
        What else came out on the way, by name.
    """

    statistic: float
    p: float
    degrees: int | None = None
    difference: Estimate | None = None
    known: Mapping[str, float] = field(default_factory=dict)


TestResult = SignificanceTest | Undefined
"""What every test of this room returns."""

NEGLIGIBLE_ERROR = 1e-12
"""A standard error below this is rounding noise about an exact zero (perfect agreement, constant readers)."""


def normal_quantile(level: float) -> float:
    """Two-sided quantile of the normal distribution: 1.96 for level 0.95."""
    from statistics import NormalDist

    check_level(level)
    return NormalDist().inv_cdf(0.5 + level / 2)


def t_quantile(level: float, degrees: int) -> float:
    """Two-sided quantile of Student's t with `degrees` (>= 1) degrees of freedom."""
    from scipy.special import stdtrit

    check_level(level)
    return float(stdtrit(degrees, 0.5 + level / 2))


def two_sided_p(z: float) -> float:
    """Two-sided p-value of a standard normal deviate."""
    return math.erfc(abs(z) / math.sqrt(2))


def check_level(level: float) -> None:
    """Raise `ValueError` unless 0 < level < 1."""
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, not {level}")


def symmetric_interval(
    value: float, error: float, *, quantile: float, level: float, method: IntervalMethod
) -> Interval | Undefined:
    """Estimate plus and minus quantile times standard error; undefined where the error is 0."""
    if error < NEGLIGIBLE_ERROR:
        return Undefined(Reason.ZERO_VARIANCE)
    return Interval(value - quantile * error, value + quantile * error, level, method)


def bounded(result: Result, low: float, high: float) -> Result:
    """Cut the interval of a result to the range that the statistic can take; the estimate stays."""
    if isinstance(result, Undefined) or isinstance(result.interval, Undefined):
        return result
    return replace(result, interval=result.interval.within(low, high))
