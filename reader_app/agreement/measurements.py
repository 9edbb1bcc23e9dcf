"""Agreement of measurements on a continuous scale: intraclass correlation, limits of agreement."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from reader_app.agreement.ratings import Floats
from reader_app.agreement.result import (
    Estimate,
    Interval,
    IntervalMethod,
    Reason,
    Result,
    Undefined,
    check_level,
    t_quantile,
)


class Icc(StrEnum):
    """Form of the intraclass correlation, in the notation of Shrout and Fleiss."""

    ONE_WAY = "icc1_1"
    TWO_WAY_RANDOM = "icc2_1"
    TWO_WAY_MIXED = "icc3_1"
    TWO_WAY_RANDOM_MEAN = "icc2_k"
    TWO_WAY_MIXED_MEAN = "icc3_k"
    ONE_WAY_MEAN = "icc1_k"


_SINGLE = {
    Icc.ONE_WAY_MEAN: Icc.ONE_WAY,
    Icc.TWO_WAY_RANDOM_MEAN: Icc.TWO_WAY_RANDOM,
    Icc.TWO_WAY_MIXED_MEAN: Icc.TWO_WAY_MIXED,
}


def intraclass_correlation(values: Floats, form: Icc, *, level: float = 0.95) -> Result:
    """Intraclass correlation of the joints that all raters measured.

    Parameters
    ----------
    values
        Shape (n joints, k raters), NaN where missing.
    form
        Which one; those of the mean of k raters step the single one and its interval up by
        Spearman-Brown.
    level
        Confidence level of the interval, which is that of the F distribution.

    Notes
    -----
    Shrout PE, Fleiss JL. Psychol Bull 1979;86:420-428. McGraw KO, Wong SP. Psychol Methods 1996;1:30-46.
    """
    check_level(level)
    complete = values[~np.isnan(values).any(axis=1)]
    n, k = complete.shape
    known = {"n": float(n), "k": float(k)}
    if n < 2 or k < 2:
        words = "the intraclass correlation needs at least two joints measured by all, and two raters"
        return Undefined(Reason.TOO_FEW_SUBJECTS, words, known)
    if np.ptp(complete) == 0:
        return Undefined(Reason.NO_VARIATION, "all values are the same: 0/0", known)
    single = _SINGLE.get(form, form)
    squares = _MeanSquares.of(complete)
    value = _single(single, squares)
    low, high = _interval(single, squares, value, level)
    if form in _SINGLE:
        value, low, high = (k * rho / (1 + (k - 1) * rho) for rho in (value, low, high))
    if not all(math.isfinite(number) for number in (value, low, high)):
        return Undefined(Reason.ZERO_VARIANCE, "the residual variance is 0", known)
    return Estimate(value, n, None, Interval(low, high, level, IntervalMethod.F), known)


@dataclass(frozen=True, slots=True)
class _MeanSquares:
    """Mean squares between joints, between raters, of the residual, and within joints."""

    n: int
    k: int
    joints: float
    raters: float
    residual: float
    within: float

    @classmethod
    def of(cls, values: Floats) -> _MeanSquares:
        n, k = values.shape
        grand = values.mean()
        joints = k * float(((values.mean(axis=1) - grand) ** 2).sum())
        raters = n * float(((values.mean(axis=0) - grand) ** 2).sum())
        total = float(((values - grand) ** 2).sum())
        residual = max(total - joints - raters, 0.0)
        return cls(
            n,
            k,
            joints / (n - 1),
            raters / (k - 1),
            residual / ((n - 1) * (k - 1)),
            (raters + residual) / (n * (k - 1)),
        )


def _single(form: Icc, ms: _MeanSquares) -> float:
    match form:
        case Icc.ONE_WAY:
            return (ms.joints - ms.within) / (ms.joints + (ms.k - 1) * ms.within)
        case Icc.TWO_WAY_RANDOM:
            spread = ms.k * (ms.raters - ms.residual) / ms.n
            return (ms.joints - ms.residual) / (ms.joints + (ms.k - 1) * ms.residual + spread)
        case _:
            return (ms.joints - ms.residual) / (ms.joints + (ms.k - 1) * ms.residual)


def _interval(form: Icc, ms: _MeanSquares, value: float, level: float) -> tuple[float, float]:
    n, k, upper = ms.n, ms.k, 0.5 + level / 2
    if form is Icc.TWO_WAY_RANDOM:
        a = k * value / (n * (1 - value)) if value < 1 else math.inf
        b = 1 + k * value * (n - 1) / (n * (1 - value)) if value < 1 else math.inf
        parts = (a * ms.raters) ** 2 / (k - 1) + (b * ms.residual) ** 2 / ((n - 1) * (k - 1))
        freedom = (a * ms.raters + b * ms.residual) ** 2 / parts if parts > 0 else math.nan
        low_f, high_f = _f(upper, n - 1, freedom), _f(upper, freedom, n - 1)
        rest = k * ms.raters + (k * n - k - n) * ms.residual
        return (
            n * (ms.joints - low_f * ms.residual) / (low_f * rest + n * ms.joints),
            n * (high_f * ms.joints - ms.residual) / (rest + n * high_f * ms.joints),
        )
    one_way = form is Icc.ONE_WAY
    error = ms.within if one_way else ms.residual
    freedom = n * (k - 1) if one_way else (n - 1) * (k - 1)
    if error == 0:
        return math.nan, math.nan
    ratio = ms.joints / error
    low, high = ratio / _f(upper, n - 1, freedom), ratio * _f(upper, freedom, n - 1)
    return (low - 1) / (low + k - 1), (high - 1) / (high + k - 1)


def _f(share: float, over: float, under: float) -> float:
    from scipy.special import fdtri

    return float(fdtri(over, under, share))


@dataclass(frozen=True, slots=True)
class BlandAltman:
    """Limits of agreement.

    Parameters
    ----------
    n
        Number of pairs.
    bias
        Mean difference with its t interval, in the unit of the measurement.
    sd
        Standard deviation of the differences.
    lower, upper
        Limits of agreement, bias -/+ z sd.
    lower_interval, upper_interval
        Their intervals with the error s sqrt(1/n + z^2 / (2 (n-1))) of 1999.
    lower_interval_1986, upper_interval_1986
        The same with the error sqrt(3/n) s of 1986, for comparison with older papers.
    """

    n: int
    bias: Estimate
    sd: float
    lower: float
    upper: float
    lower_interval: Interval
    upper_interval: Interval
    lower_interval_1986: Interval
    upper_interval_1986: Interval


def bland_altman(
    first: Floats, second: Floats, *, level: float = 0.95, z: float = 1.96
) -> BlandAltman | Undefined:
    """Bias and limits of agreement of first minus second, pairs taken as independent.

    Notes
    -----
    Bland JM, Altman DG. Lancet 1986;1:307-310; Stat Methods Med Res 1999;8:135-160.
    """
    difference = first - second
    difference = difference[~np.isnan(difference)]
    n = len(difference)
    if n < 2:
        known = {"n": float(n)} | ({"bias": float(difference[0])} if n else {})
        return Undefined(Reason.TOO_FEW_PAIRS, known=known)
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    t = t_quantile(level, n - 1)

    def around(centre: float, error: float) -> Interval:
        return Interval(centre - t * error, centre + t * error, level, IntervalMethod.T)

    error = sd / math.sqrt(n)
    newer, older = sd * math.sqrt(1 / n + z**2 / (2 * (n - 1))), sd * math.sqrt(3 / n)
    lower, upper = bias - z * sd, bias + z * sd
    return BlandAltman(
        n,
        Estimate(bias, n, error, around(bias, error)),
        sd,
        lower,
        upper,
        around(lower, newer),
        around(upper, newer),
        around(lower, older),
        around(upper, older),
    )
