"""What the commands on a study print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reader_app.agreement.result import Result, Undefined
from reader_app.cli.screen import Screen
from reader_app.store.records import ImportFault, StudyCounts

if TYPE_CHECKING:  # these load more than printing needs
    from reader_app.operations.import_films import ImportReport
    from reader_app.operations.plan_import import ImportPlan
    from reader_app.operations.pregrade import PregradeReport
    from reader_app.operations.report import ReportFiles
    from reader_app.operations.verify import VerifyReport

FAULTS_SHOWN = 50
FOUND_WRONG = 1


def show_import(report: ImportReport, screen: Screen, *, as_json: bool) -> int:
    """Print what an import did; 1 if there was nothing but faults."""
    if as_json:
        screen.json(
            {
                "added": report.added,
                "known": report.known,
                "duplicates": report.duplicates,
                "faults": [{"path": str(fault.path), "reason": fault.reason} for fault in report.faults],
                "notes": list(report.notes),
            }
        )
    else:
        screen.line(
            f"{counted(report.added, 'radiograph')} added, {report.known} known already, "
            f"{counted(report.duplicates, 'duplicate')}, {counted(len(report.faults), 'file')} not imported."
        )
        for fault in report.faults[:FAULTS_SHOWN]:
            screen.line(f"  not imported: {_with_path(str(fault.path), fault.reason)}")
        if len(report.faults) > FAULTS_SHOWN:
            screen.line(f"  and {len(report.faults) - FAULTS_SHOWN} more: “reader-app status STUDY --faults”")
        for note in report.notes:
            screen.line(f"  note: {note}")
    nothing = not report.added + report.known + report.duplicates
    return FOUND_WRONG if report.faults and nothing else 0


def show_plan(plan: ImportPlan, films: int, table: Path, screen: Screen, *, as_json: bool) -> int:
    """Print what an import would bring; 1 if there was nothing but faults."""
    if as_json:
        screen.json(
            {
                "planned": plan.planned,
                "incomplete": plan.incomplete,
                "known": plan.known,
                "refused": plan.refused,
                "notes": list(plan.notes),
                "table": str(table),
            }
        )
    else:
        screen.line(
            f"{counted(plan.planned, 'radiograph')} to be imported, {plan.incomplete} of them incomplete, "
            f"{plan.known} known already, {counted(plan.refused, 'file')} that cannot be imported."
        )
        screen.line(f"{counted(films, 'film')} written to {table}; correct it and import with --manifest.")
        for note in plan.notes:
            screen.line(f"  note: {note}")
    return FOUND_WRONG if plan.refused and not plan.planned + plan.known else 0


def show_pregrade(report: PregradeReport, screen: Screen, *, as_json: bool) -> int:
    """Print what a run of the networks did; 1 if there was nothing but faults."""
    if as_json:
        screen.json(
            {
                "bundle": report.bundle_id,
                "version": report.bundle_version,
                "done": report.done,
                "pending": report.pending,
                "seconds": round(report.seconds, 3),
                "joints_per_second": round(report.joints_per_second, 3),
                "notes": list(report.notes),
                "faults": [{"joint": fault.joint_id, "reason": fault.reason} for fault in report.faults],
            }
        )
    else:
        screen.line(
            f"{counted(report.done, 'joint')} pre-graded with {report.bundle_id} {report.bundle_version}, "
            f"{report.pending} left, {len(report.faults)} not possible."
        )
        if report.done:
            screen.line(f"{report.joints_per_second:.2f} joints per second, {report.seconds:.0f} s in all.")
        for note in report.notes:
            screen.line(f"  note: {note}")
        for fault in report.faults[:FAULTS_SHOWN]:
            screen.line(f"  joint {fault.joint_id}: {fault.reason}")
        if len(report.faults) > FAULTS_SHOWN:
            screen.line(f"  and {len(report.faults) - FAULTS_SHOWN} more")
    return FOUND_WRONG if report.faults and not report.done else 0


def show_status(
    title: str,
    counts: StudyCounts,
    faults: Sequence[ImportFault] | None,
    screen: Screen,
    *,
    duplicates: Sequence[ImportFault] | None = None,
    notices: Sequence[str] = (),
    as_json: bool,
) -> None:
    """Print how far a study is, and what else its coordinator should know."""
    if as_json:
        values = _status_values(title, counts, faults) | {"notices": list(notices)}
        if duplicates is not None:
            values["import_duplicates"] = _with_reasons(duplicates)
        screen.json(values)
        return
    screen.table(
        ("What", "Count"),
        [
            ("participants", str(counts.participants)),
            ("radiographs", str(counts.radiographs)),
            ("joints", str(counts.joints)),
            ("cases", str(counts.cases)),
            ("files not imported", str(counts.faults)),
            ("grades settled by adjudication", str(counts.adjudicated)),
        ],
        title=title,
    )
    for notice in notices:
        screen.line(notice)
    if counts.readers:
        screen.line()
        screen.table(
            ("Reader", "Locked", "Open", "Assigned"),
            [(one.name, str(one.locked), str(one.open), str(one.total)) for one in counts.readers],
        )
    if counts.pregraded:
        screen.line()
        screen.table(
            ("Bundle", "Version", "SHA-256", "Joints"),
            [
                (use.bundle_id, use.bundle_version, use.bundle_sha256[:12], str(use.joints))
                for use in counts.pregraded
            ],
        )
    if faults:
        screen.line()
        screen.table(
            ("Since", "Not imported, because"),
            [(fault.at[:19], _with_path(fault.path, fault.reason)) for fault in faults],
        )
    if duplicates:
        screen.line()
        screen.table(
            ("Since", "Not counted a second time, because"),
            [(each.at[:19], _with_path(each.path, each.reason)) for each in duplicates],
        )


def _status_values(
    title: str, counts: StudyCounts, faults: Sequence[ImportFault] | None
) -> dict[str, object]:
    values: dict[str, object] = {
        "title": title,
        "participants": counts.participants,
        "radiographs": counts.radiographs,
        "joints": counts.joints,
        "cases": counts.cases,
        "faults": counts.faults,
        "adjudicated": counts.adjudicated,
        "readers": [
            {"name": one.name, "locked": one.locked, "open": one.open, "total": one.total}
            for one in counts.readers
        ],
        "pregraded": [
            {
                "bundle": use.bundle_id,
                "version": use.bundle_version,
                "sha256": use.bundle_sha256,
                "joints": use.joints,
            }
            for use in counts.pregraded
        ],
    }
    if faults is not None:
        values["import_faults"] = _with_reasons(faults)
    return values


def _with_reasons(files: Sequence[ImportFault]) -> list[dict[str, str]]:
    return [{"path": file.path, "reason": file.reason, "at": file.at} for file in files]


def show_report(files: ReportFiles, screen: Screen) -> None:
    """Print the figures at the heart of a report and where it lies."""
    rows = [
        (
            comparison.target.label,
            f"{comparison.first} – {comparison.second}",
            str(comparison.n_joints),
            figure(comparison.kappa_linear),
            figure(comparison.kappa_quadratic),
        )
        for comparison in files.report.comparisons
    ]
    if rows:
        screen.table(("Graded", "Who", "Joints", "Linear kappa", "Quadratic kappa"), rows)
    for note in files.report.notes:
        screen.line(f"note: {note}")
    for path in files.files:
        screen.line(str(path))


def show_verify(report: VerifyReport, screen: Screen, *, as_json: bool) -> int:
    """Print what was checked and what is wrong; 1 if anything is."""
    if as_json:
        screen.json(
            {
                "ok": report.ok,
                "checked": list(report.checked),
                "faults": list(report.faults),
                "notes": list(report.notes),
            }
        )
    else:
        for sentence in report.checked:
            screen.line(f"ok: {sentence}")
        for sentence in report.notes:
            screen.line(f"note: {sentence}")
        for sentence in report.faults:
            screen.line(f"FAULT: {sentence}")
        screen.line(
            "Everything that was checked is as it was."
            if report.ok
            else f"{counted(len(report.faults), 'fault')} found."
        )
    return 0 if report.ok else FOUND_WRONG


def figure(result: Result) -> str:
    """Return a statistic with its interval, or why it has none."""
    if isinstance(result, Undefined):
        return f"undefined: {result.sentence}"
    if isinstance(result.interval, Undefined):
        return f"{result.value:.3f}"
    return f"{result.value:.3f} ({result.interval.low:.3f} to {result.interval.high:.3f})"


def counted(number: int, noun: str) -> str:
    """Return “1 file” or “3 files”."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _with_path(path: str, reason: str) -> str:
    """Return the reason, which names the file if it did not already."""
    return reason if path in reason else f"{path}: {reason}"
