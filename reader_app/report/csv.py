"""The report as tidy CSV tables: UTF-8, comma, one observation a row, numbers at full precision.

Shares are between 0 and 1. A figure that has no value has an empty cell, and its reason in words in the
column ``reason``.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence

from reader_app.agreement.result import Estimate, Interval, Result
from reader_app.report import numbers
from reader_app.report.amendments import COLUMNS
from reader_app.report.flow import flow_rows
from reader_app.report.model import Comparison, Report, Target
from reader_app.report.statistics import statistics

_NUMBER = re.compile(r"[+-]?[0-9.]+")

_COMPARED = ("comparison", "feature", "site", "target", "derived", "final", "first", "second")
_JOINT = ("participant", "visit", "radiograph", "side", "feature", "site")


def csv_tables(report: Report) -> Mapping[str, str]:
    """Render all tables, by file name."""
    return {
        "statistics.csv": _statistics(report),
        "confusion.csv": _confusion(report),
        "roc.csv": _roc(report),
        "distributions.csv": _distributions(report),
        "consensus.csv": _consensus(report),
        "flow.csv": _flow(report),
        "exclusions.csv": _exclusions(report),
        "ungraded.csv": _ungraded(report),
        "amendments.csv": _amendments(report),
        "within_readers.csv": _within(report),
        "study.csv": _study(report),
    }


def _statistics(report: Report) -> str:
    heads = (
        *_COMPARED, "n_joints", "n_participants", "statistic", "grade",
        "value", "standard_error", "low", "high", "level", "method", "reason",
    )  # fmt: skip
    rows = (
        (
            *_compared(found.comparison),
            found.comparison.n_joints,
            found.comparison.n_participants,
            found.name,
            found.grade,
            *_figures(found.result),
        )
        for found in statistics(report)
    )
    return csv_text(heads, rows)


def _figures(result: Result) -> tuple[object, ...]:
    if not isinstance(result, Estimate):
        return (None, None, None, None, None, None, numbers.reason(result))
    interval = result.interval if isinstance(result.interval, Interval) else None
    ends = (interval.low, interval.high, interval.level, interval.method.value) if interval else (None,) * 4
    return (result.value, result.standard_error, *ends, numbers.reason(result))


def _confusion(report: Report) -> str:
    heads = (*_COMPARED, "row_grade", "column_grade", "count", "row_percent")
    rows = (
        (
            *_compared(comparison),
            comparison.matrix.levels[i].code,
            comparison.matrix.levels[j].code,
            count,
            comparison.matrix.row_percent[i][j],
        )
        for comparison in report.comparisons
        for i, line in enumerate(comparison.matrix.counts)
        for j, count in enumerate(line)
    )
    return csv_text(heads, rows)


def _roc(report: Report) -> str:
    heads = (*_COMPARED, "threshold", "false_positive_rate", "true_positive_rate")
    rows = (
        (*_compared(comparison), point.threshold, point.false_positive_rate, point.true_positive_rate)
        for comparison in report.comparisons
        if comparison.performance is not None
        for point in comparison.performance.roc
    )
    return csv_text(heads, rows)


def _distributions(report: Report) -> str:
    levels = {feature.id: feature.levels for feature in report.features}
    rows: list[tuple[object, ...]] = []
    for found in report.distributions:
        head = (*_target(found.target), found.rater)
        for level, count in zip(levels[found.target.feature], found.counts, strict=True):
            rows.append((*head, level.code, level.label, count))
        rows.append((*head, None, "not graded", found.ungraded))
    return csv_text(
        ("feature", "site", "target", "derived", "final", "rater", "grade", "label", "count"), rows
    )


def _consensus(report: Report) -> str:
    readers = [f"grade: {reader}" for reader in report.readers]
    heads = (*_JOINT, *readers, "pregrade", "final", "method", "adjudicator", "rationale")
    rows = (
        (
            *(getattr(line, name) for name in _JOINT),
            *line.grades,
            line.pregrade,
            line.final,
            line.method,
            line.adjudicator,
            line.rationale,
        )
        for line in report.consensus
    )
    return csv_text(heads, rows)


def _flow(report: Report) -> str:
    rows = flow_rows(report.flow_numbers) if report.flow_numbers is not None else ()
    return csv_text(
        ("level", "part", "radiographs", "joints"),
        ((level, part, count.radiographs, count.joints) for level, part, count in rows),
    )


def _exclusions(report: Report) -> str:
    heads = ("participant", "visit", "radiograph", "side", "reason", "reader", "status")
    return csv_text(heads, (tuple(getattr(line, name) for name in heads) for line in report.exclusions))


def _amendments(report: Report) -> str:
    return csv_text(COLUMNS, (tuple(getattr(line, name) for name in COLUMNS) for line in report.amendments))


def _ungraded(report: Report) -> str:
    heads = (*_JOINT, "rater", "reason")
    return csv_text(heads, (tuple(getattr(line, name) for name in heads) for line in report.ungraded))


def _within(report: Report) -> str:
    heads = (
        "reader", "feature", "label", "n_grades", "n_participants", "statistic",
        "value", "standard_error", "low", "high", "level", "method", "reason",
    )  # fmt: skip
    rows = (
        (line.reader, line.feature, line.label, line.n_grades, line.n_participants, name, *_figures(result))
        for line in report.within
        for name, result in (
            ("percent_agreement", line.percent_agreement),
            (f"kappa_{line.weights.value}", line.kappa),
        )
    )
    return csv_text(heads, rows)


def _study(report: Report) -> str:
    study = report.study
    rows: list[tuple[object, ...]] = [
        (name, getattr(study, name))
        for name in (
            "title", "study_id", "protocol_id", "protocol_title", "protocol_version", "protocol_sha256",
            "bundle_id", "bundle_version", "bundle_sha256", "software", "design_seed", "created_at",
            "phantom",
            "aided",
        )
    ]  # fmt: skip
    rows += [("schema_version", report.schema_version), ("level", report.level)]
    rows += [(f"design: {what}", how) for what, how in study.design]
    rows += [(f"flow: {step.id}", step.count) for step in report.flow]
    rows += [
        (f"provenance: {found.target.label}: {found.method}", found.count) for found in report.provenance
    ]
    rows += [("reader", reader) for reader in report.readers]
    rows += [("method", sentence) for sentence in report.methods]
    rows += [("note", note) for note in report.notes]
    return csv_text(("name", "value"), rows)


def _compared(comparison: Comparison) -> tuple[object, ...]:
    return (comparison.kind.value, *_target(comparison.target), comparison.first, comparison.second)


def _target(target: Target) -> tuple[object, ...]:
    return (target.feature, target.site, target.label, target.derived, target.final)


def csv_text(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Render one table; what a spreadsheet could take for a formula is written as text."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_safe(head) for head in heads])
    writer.writerows([_safe(value) for value in row] for row in rows)
    return stream.getvalue()


def _safe(value: object) -> str:
    """Write a value so that a spreadsheet cannot take a name for a formula.

    Words that begin like a formula get an apostrophe before them, which spreadsheets take for "text".
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    text = str(value)
    if text[:1] in {"=", "+", "-", "@", "\t", "\r"} and not _NUMBER.fullmatch(text):
        return "'" + text
    return text
