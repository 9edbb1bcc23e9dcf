"""Shares of joints with Wilson intervals, joints independent or clustered by participant."""

from __future__ import annotations

import math

import numpy as np

from reader_app.agreement.ratings import Booleans, Positions
from reader_app.agreement.result import (
    Estimate,
    Interval,
    IntervalMethod,
    Reason,
    Result,
    Undefined,
    normal_quantile,
    t_quantile,
)


def wilson_proportion(hits: int, total: int, *, level: float = 0.95) -> Result:
    """Share hits / total with the Wilson score interval, for independent joints.

    Notes
    -----
    Wilson EB. J Am Stat Assoc 1927;22:209-212.
    """
    if total == 0:
        return Undefined(Reason.ZERO_DENOMINATOR, known={"numerator": 0, "denominator": 0})
    share = hits / total
    interval = _wilson(
        share, float(total), quantile=normal_quantile(level), level=level, method=IntervalMethod.WILSON
    )
    error = math.sqrt(share * (1 - share) / total)
    return Estimate(share, total, error, interval, {"numerator": hits, "denominator": total})


def clustered_proportion(hits: Booleans, clusters: Positions, *, level: float = 0.95) -> Result:
    """Share of joints with `hits`, with an interval that knows which joints share a participant.

    The variance is that of a ratio of participants' totals. It sets an effective number of joints,
    never larger than the true one, at which the Wilson interval is taken with a t quantile. Where all
    or none are hits there is no variance to estimate, and each participant counts as one joint.

    Parameters
    ----------
    hits
        Shape (n,), Boolean: one entry per joint of the denominator.
    clusters
        Shape (n,): participant of each joint, any integers.
    level
        Confidence level.

    Notes
    -----
    Korn EL, Graubard BI. Surv Methodol 1998;24:193-201; Dean N, Pagano M. J Surv Stat Methodol
    2015;3:484-503.
    """
    n = len(hits)
    if n == 0:
        return Undefined(Reason.ZERO_DENOMINATOR, known={"numerator": 0, "denominator": 0})
    _, cluster = np.unique(clusters, return_inverse=True)
    k = int(cluster.max()) + 1
    total = int(hits.sum())
    share = total / n
    known = {"numerator": float(total), "denominator": float(n), "n_participants": float(k)}
    if k < 2:
        return Estimate(share, n, None, Undefined(Reason.TOO_FEW_PARTICIPANTS), known)
    sums = np.bincount(cluster, weights=hits - share, minlength=k).astype(np.float64)
    variance = float(sums @ sums) / n**2 * k / (k - 1)
    independent = share * (1 - share) / n
    if 0 < total < n:
        effective = min(float(n), share * (1 - share) / variance) if variance > 0 else float(n)
        known["design_effect"] = variance / independent
    else:
        effective = float(k)
    interval = _wilson(
        share, effective, quantile=t_quantile(level, k - 1), level=level, method=IntervalMethod.CLUSTER_WILSON
    )
    return Estimate(share, n, math.sqrt(variance), interval, known)


def _wilson(share: float, n: float, *, quantile: float, level: float, method: IntervalMethod) -> Interval:
    z2 = quantile**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = quantile / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # At a share of 0 or 1 the formula reaches the bound exactly; rounding must not miss it or push past.
    low = 0.0 if share == 0 else max(0.0, centre - half)
    high = 1.0 if share == 1 else min(1.0, centre + half)
    return Interval(low, high, level, method)
