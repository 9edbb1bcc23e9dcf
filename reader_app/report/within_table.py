"""The table of agreement within readers, from hidden re-reads. Layout only."""

from __future__ import annotations

from reader_app.report import numbers
from reader_app.report.model import Report
from reader_app.report.tables import Cell, Row, Table


def within_table(report: Report) -> Table:
    """One row per reader and feature."""
    interval = f"[{100 * report.level:g}\xa0%\xa0CI]"
    heads = (
        "Reader",
        "Feature",
        "Grades given twice (participants)",
        f"Agreement, % {interval}",
        f"Kappa {interval}",
        "Weights",
    )
    table = Table(heads)
    previous = ""
    for line in report.within:
        opens = line.reader != previous
        previous = line.reader
        count = f"{numbers.count(line.n_grades)} ({numbers.count(line.n_participants)})"
        cells = (
            Cell(line.reader if opens else ""),
            Cell(line.label),
            Cell(count, value=line.n_grades, number=True),
            table.figure(line.percent_agreement, as_percent=True),
            table.figure(line.kappa, strong=True),
            Cell(line.weights.value),
        )
        table.rows.append(Row(cells, opens=opens))
    return table
