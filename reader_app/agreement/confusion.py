"""A reader or the AI against a reference: confusion matrix, per-grade figures, presence at a cut."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reader_app.agreement.proportion import clustered_proportion, wilson_proportion
from reader_app.agreement.ratings import Booleans, Floats, PairTable, RatingPairs
from reader_app.agreement.result import (
    NEGLIGIBLE_ERROR,
    Estimate,
    IntervalMethod,
    Reason,
    Result,
    Undefined,
    symmetric_interval,
    t_quantile,
)


@dataclass(frozen=True, slots=True)
class GradePerformance:
    """One grade against all others.

    Parameters
    ----------
    code
        The grade.
    support
        Number of joints that have it in the reference.
    recall, specificity, precision, negative_predictive_value
        Shares with Wilson intervals, joints taken as independent; undefined for an empty denominator.
    f1
        Harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN).
    """

    code: int
    support: int
    recall: Result
    specificity: Result
    precision: Result
    negative_predictive_value: Result
    f1: Result


def per_grade(table: PairTable, *, level: float = 0.95) -> tuple[GradePerformance, ...]:
    """Figures of each grade of the scale; rows of `table` are the reference, columns what is judged."""
    counts, total = table.counts, table.n
    found = []
    for position, code in enumerate(table.categories.codes):
        hit = int(counts[position, position])
        true, given = int(counts[position].sum()), int(counts[:, position].sum())
        rejected = total - true - given + hit
        found.append(
            GradePerformance(
                code=code,
                support=true,
                recall=_share(hit, true, Reason.GRADE_NEVER_TRUE, level=level),
                specificity=_share(rejected, total - true, Reason.ONE_CLASS, level=level),
                precision=_share(hit, given, Reason.GRADE_NEVER_GIVEN, level=level),
                negative_predictive_value=_share(
                    rejected, total - given, Reason.ZERO_DENOMINATOR, level=level
                ),
                f1=_f1(hit, true, given, total),
            )
        )
    return tuple(found)


def macro_f1(table: PairTable) -> Result:
    """Mean F1 over the grades that occur in the reference or were given."""
    values = [grade.f1.value for grade in per_grade(table) if isinstance(grade.f1, Estimate)]
    if not values:
        return _nothing()
    return Estimate(math.fsum(values) / len(values), table.n, known={"grades_averaged": len(values)})


def mean_squared_error(table: PairTable) -> Result:
    """Mean squared difference of the codes of the two columns."""
    if table.n == 0:
        return _nothing()
    codes = np.asarray(table.categories.codes, dtype=np.float64)
    squares = (codes[:, None] - codes[None, :]) ** 2
    return Estimate(float((squares * table.counts).sum()) / table.n, table.n)


def accuracy(table: PairTable, *, level: float = 0.95) -> Result:
    """Share of joints on the diagonal, Wilson interval, joints taken as independent."""
    if table.n == 0:
        return _nothing()
    return wilson_proportion(int(np.trace(table.counts)), table.n, level=level)


def balanced_accuracy(table: PairTable) -> Result:
    """Mean recall over the grades that occur in the reference; ``known`` says over how many."""
    if table.n == 0:
        return _nothing()
    value, _, present = _balanced(table)
    return Estimate(value, table.n, known={"grades_averaged": present})


def clustered_balanced_accuracy(pairs: RatingPairs, *, level: float = 0.95) -> Result:
    """Balanced accuracy with an interval clustered by participant.

    The standard error is the linearised one, summed within participant, with the factor K/(K-1) and the
    t quantile with K-1 degrees of freedom; the interval is truncated to [0, 1].
    """
    table = pairs.table
    if table.n == 0:
        return _nothing()
    value, influence, present = _balanced(table)
    k = pairs.n_clusters
    known = {"grades_averaged": float(present), "n_participants": float(k)}
    if k < 2:
        return Estimate(value, table.n, None, Undefined(Reason.TOO_FEW_PARTICIPANTS), known)
    tables = pairs.cluster_tables
    sums = tables.tables @ influence.ravel()
    error = math.sqrt(float(tables.frequency @ sums**2) * k / (k - 1)) / table.n
    interval = symmetric_interval(
        value, error, quantile=t_quantile(level, k - 1), level=level, method=IntervalMethod.CLUSTER_T
    )
    bounded = interval if isinstance(interval, Undefined) else interval.within(0, 1)
    return Estimate(value, table.n, 0.0 if error < NEGLIGIBLE_ERROR else error, bounded, known)


@dataclass(frozen=True, slots=True)
class PresencePerformance:
    """Presence against absence at a cut of the scale.

    Parameters
    ----------
    sensitivity, specificity, positive_predictive_value, negative_predictive_value
        Shares of joints with their intervals.
    """

    sensitivity: Result
    specificity: Result
    positive_predictive_value: Result
    negative_predictive_value: Result


def presence(table: PairTable, present_from: int, *, level: float = 0.95) -> PresencePerformance:
    """Figures at the cut "position >= present_from", Wilson intervals, joints taken as independent.

    Parameters
    ----------
    table
        Rows = reference, columns = what is judged.
    present_from
        Position on the scale from which a finding counts as present, at least 1.
    level
        Confidence level.
    """
    cut = present_from
    tn, fp = int(table.counts[:cut, :cut].sum()), int(table.counts[:cut, cut:].sum())
    fn, tp = int(table.counts[cut:, :cut].sum()), int(table.counts[cut:, cut:].sum())
    return PresencePerformance(
        _share(tp, tp + fn, Reason.ONE_CLASS, level=level),
        _share(tn, tn + fp, Reason.ONE_CLASS, level=level),
        _share(tp, tp + fp, Reason.GRADE_NEVER_GIVEN, level=level),
        _share(tn, tn + fn, Reason.GRADE_NEVER_GIVEN, level=level),
    )


def clustered_presence(pairs: RatingPairs, present_from: int, *, level: float = 0.95) -> PresencePerformance:
    """As `presence`, from joints with their participants and with intervals clustered by participant."""
    true, given = pairs.first >= present_from, pairs.second >= present_from

    def share(hits: Booleans, of: Booleans, empty: Reason) -> Result:
        if not of.any():
            return Undefined(empty, known={"numerator": 0, "denominator": 0})
        return clustered_proportion(hits[of], pairs.clusters[of], level=level)

    return PresencePerformance(
        share(given, true, Reason.ONE_CLASS),
        share(~given, ~true, Reason.ONE_CLASS),
        share(true, given, Reason.GRADE_NEVER_GIVEN),
        share(~true, ~given, Reason.GRADE_NEVER_GIVEN),
    )


def _balanced(table: PairTable) -> tuple[float, Floats, int]:
    """Mean recall, influence of each cell on it times the number of joints, number of grades averaged."""
    supports = table.counts.sum(axis=1)
    used = supports > 0
    grades = int(used.sum())
    recalls = np.divide(np.diagonal(table.counts), supports, out=np.zeros(len(supports)), where=used)
    per_joint = np.divide(table.n, supports * grades, out=np.zeros(len(supports)), where=used)
    influence: Floats = (np.eye(len(supports)) - recalls[:, None]) * per_joint[:, None]
    return float(recalls.sum()) / grades, influence, grades


def _share(hits: int, total: int, empty: Reason, *, level: float) -> Result:
    if total == 0:
        return Undefined(empty, known={"numerator": 0, "denominator": 0})
    return wilson_proportion(hits, total, level=level)


def _f1(hit: int, true: int, given: int, n: int) -> Result:
    if true + given == 0:
        return Undefined(Reason.ZERO_DENOMINATOR, "this grade occurs in neither column")
    return Estimate(2 * hit / (true + given), n)


def _nothing() -> Undefined:
    return Undefined(Reason.NO_PAIRS, known={"n_pairs": 0})
