"""Two figures of the same joints against each other, and resampling within strata of a reference."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from reader_app.agreement.kappa import kappa_influence
from reader_app.agreement.ratings import PairTable, RatingPairs
from reader_app.agreement.result import (
    NEGLIGIBLE_ERROR,
    Estimate,
    Interval,
    IntervalMethod,
    Reason,
    Result,
    SignificanceTest,
    TestResult,
    Undefined,
    check_level,
    normal_quantile,
    symmetric_interval,
    two_sided_p,
)
from reader_app.agreement.weights import Weights


def compare_kappas(
    one: RatingPairs, other: RatingPairs, weights: Weights, *, level: float = 0.95
) -> TestResult:
    """Test whether two raters agree equally well with the same reference on the same joints.

    Parameters
    ----------
    one, other
        Reference and rater; the references, joint by joint, must be the same.
    weights, level
        As for `kappa.cohen_kappa`.

    Returns
    -------
    SignificanceTest or Undefined
        z test of the difference; its error is that of the difference of the two influence functions,
        joints taken as independent. ``known`` has both kappas.
    """
    if one.n != other.n or not np.array_equal(one.first, other.first):
        raise ValueError("the two kappas must have the same joints and the same reference")
    first, second = (kappa_influence(pairs.table, weights) for pairs in (one, other))
    if isinstance(first, Undefined):
        return first
    if isinstance(second, Undefined):
        return second
    n, difference = one.n, first[0] - second[0]
    spread = first[1][one.first, one.second] - second[1][other.first, other.second]
    error = math.sqrt(float(spread @ spread)) / n
    known = {"kappa_a": first[0], "kappa_b": second[0]}
    if error < NEGLIGIBLE_ERROR:
        return Undefined(Reason.ZERO_VARIANCE_DIFFERENCE, known=known | {"difference": difference})
    interval = symmetric_interval(
        difference, error, quantile=normal_quantile(level), level=level, method=IntervalMethod.NORMAL
    )
    z = difference / error
    return SignificanceTest(z, two_sided_p(z), None, Estimate(difference, n, error, interval), known)


def stratified_bootstrap(
    table: PairTable,
    statistic: Callable[[PairTable], Result],
    *,
    seed: int,
    replicates: int = 2000,
    level: float = 0.95,
) -> Result:
    """Percentile interval from resampling joints within each grade of the reference.

    Parameters
    ----------
    table
        Rows are the reference. How often the reference has each grade stays as it is.
    statistic
        What is estimated.
    seed, replicates, level
        As for `kappa.bootstrap_kappa`.
    """
    check_level(level)
    whole = statistic(table)
    if isinstance(whole, Undefined):
        return whole
    generator = np.random.default_rng(seed)
    k = len(table.categories)
    drawn = np.zeros((replicates, k, k), dtype=np.int64)
    for grade, row in enumerate(table.counts):
        if total := int(row.sum()):
            drawn[:, grade] = generator.multinomial(total, row / total, replicates)
    results = [statistic(PairTable(table.categories, counts)) for counts in drawn]
    values = [result.value for result in results if isinstance(result, Estimate)]
    known = {"replicates": float(replicates), "undefined_replicates": float(replicates - len(values))}
    if 2 * len(values) <= replicates:
        return Estimate(whole.value, whole.n, None, Undefined(Reason.REPLICATES_UNDEFINED), known)
    error = float(np.std(values, ddof=1))
    if error < NEGLIGIBLE_ERROR:
        return Estimate(whole.value, whole.n, 0.0, Undefined(Reason.ZERO_VARIANCE), known)
    low, high = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2])
    method = IntervalMethod.STRATIFIED_BOOTSTRAP_PERCENTILE
    return Estimate(whole.value, whole.n, error, Interval(float(low), float(high), level, method), known)
