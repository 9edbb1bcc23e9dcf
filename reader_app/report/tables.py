"""From the report model to the tables that a page prints: headings, cells, footnotes. Layout only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from reader_app.agreement.result import Estimate, Interval, Result
from reader_app.agreement.weights import Weights
from reader_app.report import numbers
from reader_app.report.model import Comparison, ComparisonKind, FeatureInfo, Report, Target

MAX_CONSENSUS_ROWS = 200
"""Joints that a page lists; a cohort has thousands, and all of them are in the tables beside it."""

SHORT_LABEL = 34
"""Characters up to which a label stays on one line."""


@dataclass(frozen=True)
class Cell:
    """One cell.

    Parameters
    ----------
    text
        What is printed.
    value, low, high
        The figures behind it at full precision, carried along in the page.
    interval
        The interval as printed, empty if there is none.
    mark, footnote
        Marks of the footnotes: why something is missing, and a remark.
    number
        Whether the cell holds a figure (aligned right).
    short
        Whether the text is short enough to stay on one line.
    strong, muted
        How it is set.
    """

    text: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    interval: str = ""
    mark: str = ""
    footnote: str = ""
    number: bool = False
    short: bool = False
    strong: bool = False
    muted: bool = False


@dataclass(frozen=True)
class Row:
    """One row; `opens` where a new group of rows begins, `minor` for what is no final grade."""

    cells: tuple[Cell, ...]
    opens: bool = False
    minor: bool = False


@dataclass
class Table:
    """A table with its footnotes, which are collected while its cells are made."""

    heads: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    def mark(self, note: str) -> str:
        """Return the mark of a footnote, the same for the same words."""
        if not note:
            return ""
        return self.notes.setdefault(note, _letters(len(self.notes)))

    def figure(self, result: Result | None, *, as_percent: bool = False, strong: bool = False) -> Cell:
        """Make the cell of a result; None is a figure that this comparison does not have."""
        if result is None:
            return Cell("", number=True)
        interval = result.interval if isinstance(result, Estimate) else None
        known = interval if isinstance(interval, Interval) else None
        return Cell(
            numbers.value_text(result, as_percent=as_percent),
            value=result.value if isinstance(result, Estimate) else None,
            low=known.low if known else None,
            high=known.high if known else None,
            interval=numbers.interval_text(result, as_percent=as_percent),
            mark=self.mark(numbers.reason(result)),
            number=True,
            strong=strong,
        )


def agreement_table(comparisons: Sequence[Comparison], *, level: float) -> Table:
    """Agreement of pairs of raters: one row per target and pair."""
    ci = _interval_head(level)
    several = not one_pair(comparisons)
    table = Table(
        (
            "Feature",
            *(("Raters",) if several else ()),
            "Joints (participants)",
            f"Agreement, % {ci}",
            "≥\xa02\xa0grades apart",
            f"Kappa, linear weights {ci}",
            f"Kappa, quadratic weights {ci}",
        )
    )
    binary = "on a scale of two grades the weights make no difference"
    for number, comparison in enumerate(comparisons):
        opens = _opens(comparisons, number)
        two = len(comparison.matrix.levels) == 2
        kappas: tuple[Cell, ...]
        if two:
            one = replace(table.figure(comparison.kappa, strong=True), footnote=table.mark(binary))
            kappas = (one, replace(one, strong=False))
        else:
            kappas = (
                table.figure(comparison.kappa_linear, strong=comparison.weights is Weights.LINEAR),
                table.figure(comparison.kappa_quadratic, strong=comparison.weights is Weights.QUADRATIC),
            )
        table.rows.append(
            Row(
                (
                    Cell(comparison.target.label if opens else ""),
                    *(
                        (Cell(pair_label(comparison), short=len(pair_label(comparison)) <= SHORT_LABEL),)
                        if several
                        else ()
                    ),
                    _joints(comparison),
                    table.figure(comparison.percent_agreement, as_percent=True),
                    Cell("" if two else numbers.count(comparison.two_or_more_apart), number=True),
                    *kappas,
                ),
                opens=opens,
                minor=not comparison.target.final,
            )
        )
    return table


def performance_table(comparisons: Sequence[Comparison], *, level: float, area: bool) -> Table:
    """Raters judged by a reference: one row per target and rater; with the ROC area for the AI."""
    ci = _interval_head(level)
    several = not one_pair(comparisons)
    heads = ["Feature", *(("Raters",) if several else ()), "Joints (participants)"]
    heads += [f"Balanced accuracy, % {ci}", f"Sensitivity, % {ci}", f"Specificity, % {ci}"]
    heads += [f"AUC of presence {ci}"] if area else []
    table = Table(tuple(heads))
    for number, comparison in enumerate(comparisons):
        performance = comparison.performance
        if performance is None:
            continue
        opens = _opens(comparisons, number)
        cells = [
            Cell(comparison.target.label if opens else ""),
            *(
                (Cell(pair_label(comparison), short=len(pair_label(comparison)) <= SHORT_LABEL),)
                if several
                else ()
            ),
            _joints(comparison),
            table.figure(performance.balanced_accuracy, as_percent=True),
            table.figure(performance.sensitivity, as_percent=True),
            table.figure(performance.specificity, as_percent=True),
        ]
        cells += [table.figure(performance.auc)] if area else []
        table.rows.append(Row(tuple(cells), opens=opens, minor=not comparison.target.final))
    return table


def grade_table(comparisons: Sequence[Comparison], *, level: float) -> Table:
    """Recall, precision and F1 per grade of each final target."""
    ci = _interval_head(level)
    table = Table(
        ("Feature", "Grade", "Joints in the reference", f"Recall, % {ci}", f"Precision, % {ci}", "F1")
    )
    for comparison in comparisons:
        if comparison.performance is None or not comparison.target.final:
            continue
        for place, grade in enumerate(comparison.performance.grades):
            level_ = comparison.matrix.levels[place]
            table.rows.append(
                Row(
                    (
                        Cell(comparison.target.label if place == 0 else ""),
                        Cell(f"{level_.code} {level_.label}"),
                        Cell(numbers.count(grade.support), value=grade.support, number=True),
                        table.figure(grade.recall, as_percent=True),
                        table.figure(grade.precision, as_percent=True),
                        table.figure(grade.f1),
                    ),
                    opens=place == 0,
                )
            )
    return table


def distribution_table(report: Report, feature: FeatureInfo) -> Table:
    """How often each rater gave each grade of a feature."""
    heads = ("Target", "Rater", *(f"{level.code} {level.label}" for level in feature.levels), "Not graded")
    table = Table(heads)
    previous: Target | None = None
    for found in report.distributions:
        if found.target.feature != feature.id:
            continue
        opens = found.target != previous
        previous = found.target
        cells = [Cell(found.target.label if opens else ""), Cell(found.rater)]
        cells += [Cell(numbers.count(n), value=n, number=True, muted=n == 0) for n in found.counts]
        cells.append(
            Cell(numbers.count(found.ungraded), value=found.ungraded, number=True, muted=not found.ungraded)
        )
        table.rows.append(Row(tuple(cells), opens=opens, minor=not found.target.final))
    return table


def provenance_table(report: Report) -> Table:
    """How the final grades came about: one column per method."""
    methods = tuple(dict.fromkeys(found.method for found in report.provenance))
    table = Table(("Feature", *(method.capitalize() for method in methods)))
    for target in dict.fromkeys(found.target for found in report.provenance):
        by_method = {found.method: found.count for found in report.provenance if found.target == target}
        cells = [Cell(target.label)]
        for method in methods:
            n = by_method.get(method, 0)
            cells.append(Cell(numbers.count(n), value=n, number=True, muted=n == 0))
        table.rows.append(Row(tuple(cells), opens=True, minor=not target.final))
    return table


def consensus_table(report: Report) -> tuple[Table, int]:
    """Grades that the readers did not share, the first of them, with the number of all such grades."""
    labels = _target_labels(report)
    disputed = [
        line for line in report.consensus if len({code for code in line.grades if code is not None}) > 1
    ]
    heads = (
        "Participant",
        "Visit",
        "Side",
        "Feature",
        *report.readers,
        "AI",
        "Final",
        "How",
        "By",
        "Rationale",
    )
    table = Table(heads)
    for line in disputed[:MAX_CONSENSUS_ROWS]:
        codes = [Cell(_code(code), number=True) for code in (*line.grades, line.pregrade)]
        table.rows.append(
            Row(
                (
                    Cell(line.participant),
                    Cell(line.visit),
                    Cell(line.side),
                    Cell(labels.get((line.feature, line.site), line.feature)),
                    *codes,
                    Cell(_code(line.final), number=True, strong=True),
                    Cell(line.method),
                    Cell(line.adjudicator or ""),
                    Cell(line.rationale),
                )
            )
        )
    return table, len(disputed)


def exclusion_table(report: Report) -> Table:
    """What readers left out."""
    table = Table(("Participant", "Visit", "Radiograph", "Side", "Reason", "Reader", "Second reader"))
    for line in report.exclusions:
        texts = (
            line.participant, line.visit, line.radiograph, line.side, line.reason, line.reader, line.status,
        )  # fmt: skip
        table.rows.append(Row(tuple(Cell(text) for text in texts)))
    return table


def amendment_table(report: Report) -> Table:
    """What was changed after it was signed."""
    table = Table(("When", "Reader", "Participant", "Visit", "Side", "What", "From", "To", "Why"))
    labels = _target_labels(report)
    for line in report.amendments:
        what = labels.get((line.feature, line.site), line.feature)
        texts = (
            numbers.moment(line.at), line.reader, line.participant, line.visit, line.side, what, line.before,
            line.after, line.reason,
        )  # fmt: skip
        table.rows.append(Row(tuple(Cell(text) for text in texts)))
    return table


def ungraded_table(report: Report) -> tuple[Table, int]:
    """Grades that are missing, the first of them, with the number of all."""
    labels = _target_labels(report)
    table = Table(("Participant", "Visit", "Side", "Feature", "Rater", "Why"))
    for line in report.ungraded[:MAX_CONSENSUS_ROWS]:
        label = labels.get((line.feature, line.site), line.feature)
        texts = (line.participant, line.visit, line.side, label, line.rater, line.reason)
        table.rows.append(Row(tuple(Cell(text) for text in texts)))
    return table, len(report.ungraded)


def pair_label(comparison: Comparison) -> str:
    """Name the two raters; a reference stands second, as in "AI against consensus"."""
    if comparison.kind is ComparisonKind.READERS:
        return f"{comparison.first} – {comparison.second}"
    reference = comparison.first
    if comparison.kind is not ComparisonKind.AI_READER:
        reference = reference.lower()
    return f"{comparison.second} against {reference}"


def one_pair(comparisons: Sequence[Comparison]) -> bool:
    """Tell whether all comparisons are of the same two raters, so that a table need not repeat them."""
    return len({(comparison.first, comparison.second) for comparison in comparisons}) <= 1


def finals(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """Keep the comparisons of what the protocol takes as final."""
    return tuple(comparison for comparison in comparisons if comparison.target.final)


def _interval_head(level: float) -> str:
    return f"[{100 * level:g}\xa0%\xa0CI]"


def _joints(comparison: Comparison) -> Cell:
    text = f"{numbers.count(comparison.n_joints)} ({numbers.count(comparison.n_participants)})"
    return Cell(text, value=comparison.n_joints, number=True)


def _opens(comparisons: Sequence[Comparison], number: int) -> bool:
    return number == 0 or comparisons[number - 1].target != comparisons[number].target


def _target_labels(report: Report) -> dict[tuple[str, str | None], str]:
    return {(found.target.feature, found.target.site): found.target.label for found in report.distributions}


def _code(code: int | None) -> str:
    return numbers.NOT_DEFINED if code is None else str(code)


def _letters(number: int) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    return alphabet[number % 26] * (number // 26 + 1)
