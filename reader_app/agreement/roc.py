"""Receiver operating characteristic: curve, area with DeLong's interval, joints independent or clustered."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reader_app.agreement.ratings import Booleans, Floats, Positions
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
    normal_quantile,
    symmetric_interval,
    two_sided_p,
)


@dataclass(frozen=True, slots=True)
class RocPoint:
    """One operating point: the shares at or above `threshold` (None: nothing is called present)."""

    threshold: float | None
    false_positive_rate: float
    true_positive_rate: float


def roc_points(positive: Booleans, score: Floats) -> tuple[RocPoint, ...]:
    """Corners of the ROC curve from (0, 0) to (1, 1); empty where the truth has one class only.

    Parameters
    ----------
    positive
        Shape (n,): the truth.
    score
        Shape (n,): higher means rather present. Tied scores make one point, so that the trapezoids
        under the curve sum to the area of `auc`.

    Notes
    -----
    Points on a straight line between two others are left out: they do not change the curve.
    """
    if not positive.any() or positive.all():
        return ()
    order = np.argsort(-score, kind="stable")
    ordered, hits = score[order], positive[order]
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    tp = np.append(0, np.cumsum(hits)[last])
    fp = np.append(0, np.cumsum(~hits)[last])
    rise, run = np.diff(tp), np.diff(fp)
    bends = np.append(True, np.append(rise[:-1] * run[1:] != rise[1:] * run[:-1], True))
    thresholds: list[float | None] = [None, *(float(value) for value in ordered[last])]
    return tuple(
        RocPoint(thresholds[i], float(fp[i] / fp[-1]), float(tp[i] / tp[-1])) for i in np.flatnonzero(bends)
    )


def auc(
    positive: Booleans, score: Floats, *, clusters: Positions | None = None, level: float = 0.95
) -> Result:
    """Area under the ROC curve with DeLong's interval, truncated to [0, 1].

    Parameters
    ----------
    positive
        Shape (n,): the truth.
    score
        Shape (n,), finite: higher means rather present; ties count one half.
    clusters
        Shape (n,): participants. If given, the components are summed within participant (Obuchowski);
        with one joint per participant that is DeLong's variance again.
    level
        Confidence level.

    Returns
    -------
    Estimate or Undefined
        ``known`` has ``n_positive`` and ``n_negative``. Undefined if the truth has one class only.

    Notes
    -----
    DeLong ER et al. Biometrics 1988;44:837-845. Obuchowski NA. Biometrics 1997;53:567-578.
    """
    components = _components(positive, score)
    if isinstance(components, Undefined):
        return components
    n = len(positive)
    known = components.known
    if clusters is not None:
        known = known | {"n_participants": float(len(np.unique(clusters)))}
    variance = _variance(components, components, clusters)
    if isinstance(variance, Undefined):
        return Estimate(components.area, n, None, variance, known)
    error = math.sqrt(max(variance, 0.0))
    method = IntervalMethod.DELONG if clusters is None else IntervalMethod.CLUSTER_DELONG
    interval = symmetric_interval(
        components.area, error, quantile=normal_quantile(level), level=level, method=method
    )
    bounded: Interval | Undefined = interval if isinstance(interval, Undefined) else interval.within(0, 1)
    return Estimate(components.area, n, 0.0 if error < NEGLIGIBLE_ERROR else error, bounded, known)


def average_precision(positive: Booleans, score: Floats) -> Result:
    """Step sum of precision over recall at the distinct thresholds; ``known`` has the ``baseline``."""
    n_positive = int(positive.sum())
    if n_positive in (0, len(positive)):
        return _one_class(n_positive, len(positive) - n_positive)
    order = np.argsort(-score, kind="stable")
    ordered, hits = score[order], positive[order]
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    found = np.cumsum(hits)[last]
    steps = np.diff(np.append(0, found)) / n_positive
    value = float((steps * found / (last + 1)).sum())
    return Estimate(value, len(positive), known={"baseline": n_positive / len(positive)})


def compare_auc(
    positive: Booleans,
    score: Floats,
    other_score: Floats,
    *,
    clusters: Positions | None = None,
    level: float = 0.95,
) -> TestResult:
    """Test whether two scores of the same joints have the same area (DeLong, or Obuchowski with clusters).

    Parameters
    ----------
    positive, score, clusters, level
        As for `auc`.
    other_score
        Shape (n,): the score to compare with.

    Returns
    -------
    SignificanceTest or Undefined
        z test of the difference of the areas; ``known`` has both. Undefined if the truth has one class
        only, or if the difference has no variance (identical scores, or both without any overlap).
    """
    one, other = _components(positive, score), _components(positive, other_score)
    if isinstance(one, Undefined):
        return one
    if isinstance(other, Undefined):
        return other
    difference = one.area - other.area
    change = _Components(difference, positive, one.deviation - other.deviation, {})
    variance = _variance(change, change, clusters)
    if isinstance(variance, Undefined):
        return variance
    error = math.sqrt(max(variance, 0.0))
    if error < NEGLIGIBLE_ERROR:
        return Undefined(Reason.ZERO_VARIANCE_DIFFERENCE, known={"auc_difference": difference})
    method = IntervalMethod.DELONG if clusters is None else IntervalMethod.CLUSTER_DELONG
    interval = symmetric_interval(
        difference, error, quantile=normal_quantile(level), level=level, method=method
    )
    z = difference / error
    known = {"auc1": one.area, "auc2": other.area}
    estimate = Estimate(difference, len(positive), error, interval, known)
    return SignificanceTest(z, two_sided_p(z), None, estimate, known)


@dataclass(frozen=True, slots=True, eq=False)
class _Components:
    """DeLong's structural components: `value` - `area` of each joint, weighted by its class."""

    area: float
    positive: Booleans
    deviation: Floats
    known: dict[str, float]


def _components(positive: Booleans, score: Floats) -> _Components | Undefined:
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if n_positive == 0 or n_negative == 0:
        return _one_class(n_positive, n_negative)
    overall = _midranks(score)
    value = np.empty(len(score))
    value[positive] = (overall[positive] - _midranks(score[positive])) / n_negative
    value[~positive] = 1 - (overall[~positive] - _midranks(score[~positive])) / n_positive
    area = float(value[positive].mean())
    deviation = (value - area) / np.where(positive, n_positive, n_negative)
    return _Components(area, positive, deviation, {"n_positive": n_positive, "n_negative": n_negative})


def _variance(one: _Components, other: _Components, clusters: Positions | None) -> float | Undefined:
    """(Co)variance of two areas over the same joints, from their components."""
    positive = one.positive
    if clusters is None:
        clusters = np.arange(len(positive))
    _, numbered = np.unique(clusters, return_inverse=True)
    k = int(numbered.max()) + 1
    with_positive = len(np.unique(numbered[positive]))
    with_negative = len(np.unique(numbered[~positive]))
    if k < 2:
        return Undefined(Reason.TOO_FEW_PARTICIPANTS)
    if min(with_positive, with_negative) < 2:
        return Undefined(Reason.TOO_FEW_POSITIVE_OR_NEGATIVE)

    def sums(components: _Components, of: Booleans) -> Floats:
        summed = np.bincount(numbered, weights=np.where(of, components.deviation, 0.0), minlength=k)
        return np.asarray(summed, dtype=np.float64)

    one_pos, one_neg = sums(one, positive), sums(one, ~positive)
    other_pos, other_neg = sums(other, positive), sums(other, ~positive)
    return float(
        one_pos @ other_pos * with_positive / (with_positive - 1)
        + one_neg @ other_neg * with_negative / (with_negative - 1)
        + (one_pos @ other_neg + one_neg @ other_pos) * k / (k - 1)
    )


def _midranks(values: Floats) -> Floats:
    """Ranks 1 .. n, ties sharing their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[inverse]
    return ranks


def _one_class(n_positive: int, n_negative: int) -> Undefined:
    return Undefined(Reason.ONE_CLASS, known={"n_positive": n_positive, "n_negative": n_negative})
