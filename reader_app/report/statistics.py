"""Every figure of a report as one flat row, for tables that programs read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reader_app.agreement.result import Result
from reader_app.report.model import Comparison, Performance, Report


@dataclass(frozen=True, slots=True)
class Statistic:
    """One figure with whom and what it is about; `grade` only where it is about a single grade."""

    comparison: Comparison
    name: str
    result: Result
    grade: int | None = None


def statistics(report: Report) -> Iterator[Statistic]:
    """Go through all figures of a report, in its order."""
    for comparison in report.comparisons:
        for name in ("percent_agreement", "within_one", "kappa", "kappa_linear", "kappa_quadratic"):
            yield Statistic(comparison, name, getattr(comparison, name))
        if comparison.performance is not None:
            yield from _performance(comparison, comparison.performance)


def _performance(comparison: Comparison, performance: Performance) -> Iterator[Statistic]:
    for name in ("balanced_accuracy", "sensitivity", "specificity", "auc"):
        result = getattr(performance, name)
        if result is not None:
            yield Statistic(comparison, name, result)
    for grade in performance.grades:
        for name in ("recall", "precision", "f1"):
            yield Statistic(comparison, name, getattr(grade, name), grade.code)
