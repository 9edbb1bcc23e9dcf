"""Percent agreement and Cohen's kappa of two raters, joints independent or clustered by participant."""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from reader_app.agreement.proportion import clustered_proportion, wilson_proportion
from reader_app.agreement.ratings import Booleans, ClusterTables, Floats, PairTable, RatingPairs
from reader_app.agreement.result import (
    NEGLIGIBLE_ERROR,
    Estimate,
    Interval,
    IntervalMethod,
    Reason,
    Result,
    Undefined,
    check_level,
    normal_quantile,
    symmetric_interval,
    t_quantile,
)
from reader_app.agreement.weights import Weights, disagreement_weights


class ClusterVariance(StrEnum):
    """How the dependence of a participant's joints enters the interval of a kappa."""

    SANDWICH_T = "sandwich_t"
    SANDWICH_NORMAL = "sandwich_normal"
    JACKKNIFE_T = "jackknife_t"


def percent_agreement(table: PairTable, *, within: int = 0, level: float = 0.95) -> Result:
    """Share of joints whose grades differ by at most `within` steps, joints taken as independent."""
    n = table.n
    if n == 0:
        return _no_pairs()
    return wilson_proportion(n - table.apart(within + 1), n, level=level)


def clustered_percent_agreement(pairs: RatingPairs, *, within: int = 0, level: float = 0.95) -> Result:
    """Share of joints whose grades differ by at most `within` steps, clustered by participant."""
    if pairs.n == 0:
        return _no_pairs()
    return clustered_proportion(np.abs(pairs.first - pairs.second) <= within, pairs.clusters, level=level)


def weighted_percent_agreement(table: PairTable, weights: Weights | Floats) -> Result:
    """Mean agreement weight of the joints, without correction for chance."""
    if table.n == 0:
        return _no_pairs()
    disagreement = _disagreement(weights, len(table.categories))
    return Estimate(1 - float((disagreement * table.counts).sum()) / table.n, table.n)


def cohen_kappa(table: PairTable, weights: Weights | Floats, *, level: float = 0.95) -> Result:
    """Cohen's kappa with the Fleiss-Cohen-Everitt standard error, joints taken as independent.

    Parameters
    ----------
    table
        Counts over the full scale.
    weights
        Named weights, or disagreement weights of shape (k, k) as `weights.scaled_disagreement` makes them.
    level
        Confidence level of the interval: estimate plus and minus z times the error, not truncated.

    Returns
    -------
    Estimate or Undefined
        ``known`` has ``p_observed`` and ``p_expected``. Undefined without pairs, and where both raters
        gave one and the same grade throughout (0/0).

    Notes
    -----
    Cohen J. Psychol Bull 1968;70:213-220. Fleiss JL, Cohen J, Everitt BS. Psychol Bull 1969;72:323-327,
    equation 14, written as the variance of the influence function.
    """
    parts = _parts(table, weights)
    if isinstance(parts, Undefined):
        return parts
    error = math.sqrt(max(float((table.counts * parts.influence**2).sum()), 0.0)) / table.n
    interval = symmetric_interval(
        parts.kappa, error, quantile=normal_quantile(level), level=level, method=IntervalMethod.NORMAL
    )
    return Estimate(parts.kappa, table.n, _clean(error), interval, parts.known)


def clustered_kappa(
    pairs: RatingPairs,
    weights: Weights | Floats,
    *,
    level: float = 0.95,
    variance: ClusterVariance = ClusterVariance.JACKKNIFE_T,
) -> Result:
    """Cohen's kappa with an interval robust to the dependence of a participant's joints.

    Parameters
    ----------
    pairs
        Grades of the joints that both raters graded, with their participants.
    weights
        As for `cohen_kappa`.
    level
        Confidence level; the interval is symmetric and not truncated.
    variance
        ``JACKKNIFE_T``, the default, leaves out one of K participants at a time and takes the t quantile
        with K-1 degrees of freedom. ``SANDWICH_NORMAL`` is the published delta method: influences summed
        within participant, no small-sample factor, normal quantile. ``SANDWICH_T`` multiplies its
        variance by K/(K-1) and takes the t quantile. From a few hundred participants on they are the
        same; with a few dozen the jackknife comes nearest to its level, and still falls short of it with
        quadratic weights. In 1,500 simulated studies of 30 participants with two joints each, nominal
        95 % intervals that could be computed held the truth, in the order above, in 94.8, 92.7 and
        93.9 % (linear weights) and in 92.9, 89.8 and 91.2 % (quadratic weights).

    Returns
    -------
    Estimate or Undefined
        ``known`` has ``n_participants``, ``standard_error_independent`` (joints taken as independent) and
        ``design_effect``, the ratio of the variances without the small-sample factor.

    Notes
    -----
    Yang Z, Zhou M. Stat Med 2014;33:4425-4448 and 2015;34:1869-1885.
    """
    parts = _parts(pairs.table, weights)
    if isinstance(parts, Undefined):
        return parts
    tables, k, n = pairs.cluster_tables, pairs.n_clusters, pairs.n
    known = parts.known | {"n_participants": float(k)}
    if k < 2:
        return Estimate(parts.kappa, n, None, Undefined(Reason.TOO_FEW_PARTICIPANTS), known)
    sums = tables.tables @ parts.influence.ravel()
    linearised = float(tables.frequency @ sums**2) / n**2
    independent = float((pairs.table.counts * parts.influence**2).sum()) / n**2
    known["standard_error_independent"] = math.sqrt(independent)
    if independent > NEGLIGIBLE_ERROR**2:
        known["design_effect"] = linearised / independent
    match variance:
        case ClusterVariance.SANDWICH_T:
            error, method = math.sqrt(linearised * k / (k - 1)), IntervalMethod.CLUSTER_T
        case ClusterVariance.SANDWICH_NORMAL:
            error, method = math.sqrt(linearised), IntervalMethod.CLUSTER_NORMAL
        case ClusterVariance.JACKKNIFE_T:
            jackknife = _jackknife_error(tables, parts.disagreement)
            if isinstance(jackknife, Undefined):
                return Estimate(parts.kappa, n, None, jackknife, known)
            error, method = jackknife, IntervalMethod.CLUSTER_JACKKNIFE_T
    normal = variance is ClusterVariance.SANDWICH_NORMAL
    quantile = normal_quantile(level) if normal else t_quantile(level, k - 1)
    interval = symmetric_interval(parts.kappa, error, quantile=quantile, level=level, method=method)
    return Estimate(parts.kappa, n, _clean(error), interval, known)


def bootstrap_kappa(
    pairs: RatingPairs, weights: Weights | Floats, *, seed: int, replicates: int = 1000, level: float = 0.95
) -> Result:
    """Cohen's kappa with a percentile interval from resampling participants.

    Resampling K participants with replacement is drawing how often each distinct participant's table
    comes up, which is multinomial; so all replicates are one draw and one matrix product.

    Parameters
    ----------
    pairs, weights, level
        As for `clustered_kappa`.
    seed
        Seed of the draws; the same seed gives the same interval.
    replicates
        Number of bootstrap replicates. Those in which kappa is 0/0 are left out and counted in
        ``known["undefined_replicates"]``; if they are the majority there is no interval.
    """
    check_level(level)
    parts = _parts(pairs.table, weights)
    if isinstance(parts, Undefined):
        return parts
    known = parts.known | {"n_participants": float(pairs.n_clusters), "replicates": float(replicates)}
    if pairs.n_clusters < 2:
        return Estimate(parts.kappa, pairs.n, None, Undefined(Reason.TOO_FEW_PARTICIPANTS), known)
    tables = pairs.cluster_tables
    draws = np.random.default_rng(seed).multinomial(
        tables.n_clusters, tables.frequency / tables.n_clusters, size=replicates
    )
    values, defined = kappas_of_tables(draws @ tables.tables, parts.disagreement)
    known["undefined_replicates"] = float(replicates - int(defined.sum()))
    if 2 * int(defined.sum()) <= replicates:
        return Estimate(parts.kappa, pairs.n, None, Undefined(Reason.REPLICATES_UNDEFINED), known)
    error = float(np.std(values[defined], ddof=1))
    if error < NEGLIGIBLE_ERROR:
        return Estimate(parts.kappa, pairs.n, 0.0, Undefined(Reason.ZERO_VARIANCE), known)
    low, high = np.quantile(values[defined], [0.5 - level / 2, 0.5 + level / 2])
    interval = Interval(float(low), float(high), level, IntervalMethod.CLUSTER_BOOTSTRAP_PERCENTILE)
    return Estimate(parts.kappa, pairs.n, error, interval, known)


def kappa_influence(table: PairTable, weights: Weights | Floats) -> tuple[float, Floats] | Undefined:
    """Cohen's kappa with the influence of a joint in each cell on it, shape (k, k)."""
    parts = _parts(table, weights)
    return parts if isinstance(parts, Undefined) else (parts.kappa, parts.influence)


def kappas_of_tables(flat: NDArray[np.int64], disagreement: Floats) -> tuple[Floats, Booleans]:
    """Kappa of many tables at once.

    Parameters
    ----------
    flat
        Shape (b, k * k): counts.
    disagreement
        Shape (k, k): disagreement weights.

    Returns
    -------
    values, defined
        Shape (b,) each; where `defined` is False (0/0) the value is meaningless.
    """
    k = len(disagreement)
    tables = flat.reshape(-1, k, k).astype(np.float64)
    rows, columns, n = tables.sum(axis=2), tables.sum(axis=1), tables.sum(axis=(1, 2))
    observed = tables.reshape(-1, k * k) @ disagreement.ravel() * n
    expected = ((rows @ disagreement) * columns).sum(axis=1)
    defined = expected > 0
    values = 1 - np.divide(observed, expected, out=np.zeros_like(observed), where=defined)
    return values, defined


class _Parts:
    """Kappa of a table with the influence of each cell on it."""

    def __init__(self, table: PairTable, disagreement: Floats) -> None:
        share = table.counts / table.n
        rows, columns = share.sum(axis=1), share.sum(axis=0)
        observed = float((disagreement * share).sum())
        expected = float(rows @ disagreement @ columns)
        by_row, by_column = disagreement @ columns, rows @ disagreement
        self.disagreement = disagreement
        self.kappa = 1 - observed / expected
        self.influence: Floats = (
            observed * (by_row[:, None] + by_column[None, :] - 2 * expected) / expected
            - (disagreement - observed)
        ) / expected
        self.known = {"p_observed": 1 - observed, "p_expected": 1 - expected}


def _parts(table: PairTable, weights: Weights | Floats) -> _Parts | Undefined:
    if table.n == 0:
        return _no_pairs()
    disagreement = _disagreement(weights, len(table.categories))
    rows, columns = table.counts.sum(axis=1), table.counts.sum(axis=0)
    # On counts this is exactly 0 if and only if both raters gave one and the same grade throughout.
    if float(rows @ disagreement @ columns) == 0:
        agreed = float(np.trace(table.counts)) / table.n
        return Undefined(Reason.NO_VARIATION, known={"percent_agreement": agreed, "n": table.n})
    return _Parts(table, disagreement)


def _jackknife_error(tables: ClusterTables, disagreement: Floats) -> float | Undefined:
    """Delete-one-participant jackknife standard error."""
    total = tables.frequency @ tables.tables
    values, defined = kappas_of_tables(total[None, :] - tables.tables, disagreement)
    if not defined.all():
        return Undefined(
            Reason.NO_VARIATION, "without one of the participants every grade is the same single grade"
        )
    k = tables.n_clusters
    centred = values - float(tables.frequency @ values) / k
    return math.sqrt((k - 1) / k * float(tables.frequency @ centred**2))


def _disagreement(weights: Weights | Floats, size: int) -> Floats:
    if isinstance(weights, Weights):
        return disagreement_weights(weights, size)
    if weights.shape != (size, size):
        raise ValueError(f"a scale of {size} grades needs {size} x {size} weights, not {weights.shape}")
    return weights


def _no_pairs() -> Undefined:
    return Undefined(Reason.NO_PAIRS, known={"n_pairs": 0})


def _clean(error: float) -> float:
    """Turn rounding noise about zero into zero, so that it is not printed as a tiny error."""
    return 0.0 if error < NEGLIGIBLE_ERROR else error
