"""Two columns of grades to one `Comparison`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reader_app.agreement import confusion, kappa, roc
from reader_app.agreement.ratings import MISSING, Floats, PairTable, RatingPairs, Ratings
from reader_app.agreement.result import Estimate, Reason, Result, Undefined, bounded
from reader_app.agreement.weights import Weights
from reader_app.report.grid import GradeGrid
from reader_app.report.model import (
    Comparison,
    ComparisonKind,
    ConfusionMatrix,
    FeatureInfo,
    GradeFigures,
    OperatingPoint,
    Performance,
    RocPoint,
    Target,
)


@dataclass(frozen=True)
class Comparer:
    """Compares raters of a grid at one confidence level.

    Parameters
    ----------
    grid
        The grades.
    labels
        Name of each rater of the grid, as printed.
    level
        Confidence level.
    """

    grid: GradeGrid
    labels: tuple[str, ...]
    level: float

    def compare(self, kind: ComparisonKind, target: Target, first: int, second: int) -> Comparison:
        """Compare two raters; the first is the reference except between readers."""
        feature = self.grid.features[target.feature]
        pairs = self._pairs(target, first, second)

        def kappa_with(weights: Weights) -> Result:
            return bounded(kappa.clustered_kappa(pairs, weights, level=self.level), -1, 1)

        return Comparison(
            kind=kind,
            target=target,
            first=self.labels[first],
            second=self.labels[second],
            weights=feature.weights,
            n_joints=pairs.n,
            n_participants=pairs.n_clusters,
            percent_agreement=kappa.clustered_percent_agreement(pairs, level=self.level),
            within_one=kappa.clustered_percent_agreement(pairs, within=1, level=self.level),
            kappa=kappa_with(Weights.NONE),
            kappa_linear=kappa_with(Weights.LINEAR),
            kappa_quadratic=kappa_with(Weights.QUADRATIC),
            two_or_more_apart=pairs.table.apart(2),
            matrix=_matrix(feature, pairs.table),
            performance=None
            if kind is ComparisonKind.READERS
            else self._performance(kind, target, pairs, first=first),
        )

    def _pairs(self, target: Target, first: int, second: int) -> RatingPairs:
        columns = [self.grid.column(target, rater).positions for rater in (first, second)]
        categories = self.grid.categories(target.feature)
        return Ratings(categories, np.stack(columns, axis=1), self.grid.participants).pair(0, 1)

    def _performance(
        self, kind: ComparisonKind, target: Target, pairs: RatingPairs, *, first: int
    ) -> Performance:
        feature = self.grid.features[target.feature]
        grades = tuple(
            GradeFigures(grade.code, grade.support, grade.recall, grade.precision, grade.f1)
            for grade in confusion.per_grade(pairs.table, level=self.level)
        )
        balanced = confusion.clustered_balanced_accuracy(pairs, level=self.level)
        if feature.present_from is None:
            return Performance(balanced, grades)
        cut = pairs.categories.position(feature.present_from)
        presence = confusion.clustered_presence(pairs, cut, level=self.level)
        found = Performance(balanced, grades, presence.sensitivity, presence.specificity)
        if kind is ComparisonKind.READER_CONSENSUS:
            return found
        area, curve = self._roc(target, first, cut)
        points = self._operating_points(target, first, cut) if kind is ComparisonKind.AI_CONSENSUS else ()
        return Performance(balanced, grades, presence.sensitivity, presence.specificity, area, curve, points)

    def _roc(self, target: Target, reference: int, cut: int) -> tuple[Result, tuple[RocPoint, ...]]:
        score = self.grid.score(target)
        if score is None:
            return Undefined(Reason.NOT_COMPUTED, "the pre-grades have no probabilities"), ()
        truth = self.grid.column(target, reference).positions
        usable = (truth != MISSING) & ~np.isnan(score)
        if not usable.any():
            return Undefined(Reason.NO_PAIRS, known={"n_pairs": 0}), ()
        positive = truth[usable] >= cut
        scores: Floats = score[usable]
        area = roc.auc(positive, scores, clusters=self.grid.participants[usable], level=self.level)
        curve = tuple(
            RocPoint(point.threshold, point.false_positive_rate, point.true_positive_rate)
            for point in roc.roc_points(positive, scores)
        )
        return area, curve

    def _operating_points(self, target: Target, reference: int, cut: int) -> tuple[OperatingPoint, ...]:
        points = []
        for reader, label in enumerate(self.grid.readers):
            table = self._pairs(target, reference, reader).table
            found = confusion.presence(table, cut, level=self.level)
            if isinstance(found.sensitivity, Estimate) and isinstance(found.specificity, Estimate):
                points.append(OperatingPoint(label, 1 - found.specificity.value, found.sensitivity.value))
        return tuple(points)


def _matrix(feature: FeatureInfo, table: PairTable) -> ConfusionMatrix:
    rows = []
    for row in table.counts:
        total = int(row.sum())
        rows.append(tuple(100 * float(count) / total if total else None for count in row))
    counts = tuple(tuple(int(count) for count in row) for row in table.counts)
    return ConfusionMatrix(feature.levels, counts, tuple(rows))
