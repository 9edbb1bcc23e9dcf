"""The agreement report at a glance, and buttons that write it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.background import Job
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.section import Section
from reader_app.ui.icons import icon
from reader_app.ui.labels import counted, hint, show_indicator
from reader_app.ui.rows_table import RowsTable
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.agreement.result import Result
    from reader_app.operations.report import ReportFiles
    from reader_app.operations.study import Study
    from reader_app.report.model import Comparison, Report
    from reader_app.store.records import Actor, StudyCounts

JOB, EXPORT = "Report", "Consensus"
FOLDER, EXPORT_FOLDER = "report", "consensus"
_KINDS = {
    "readers": "Reader and reader",
    "reader_consensus": "Reader and consensus",
    "ai_consensus": "AI and consensus",
    "ai_reader": "AI and reader",
}


class ReportSection(Section):
    """Figures of the report as they stand now; HTML, CSV and JSON at the press of a button."""

    def __init__(self, study: Study, actor: Actor, *, jobs: JobsPanel, writes: bool) -> None:
        super().__init__(study, actor, jobs=jobs, writes=writes)
        self.make = QPushButton(icon("chart"), "Make the &report")
        self.make.setToolTip("Computes all figures and writes HTML, CSV and JSON into the study's exports.")
        self.export = QPushButton(icon("export"), "Export &consensus and flow")
        self.export.setToolTip(
            "Writes every reading with the final grade as CSV and JSON, and the flow of the study as a "
            "drawing, into the study's exports."
        )
        self.names = QCheckBox("Readers by &name")
        self.names.setToolTip("Else they appear as Reader 1, Reader 2 and so on.")
        self.show_html = QPushButton("Open in the &browser")
        self.show_folder = QPushButton("Open the &folder")
        self.words = hint(
            "The report gives agreement by feature and pair of readers with 95 % intervals clustered by "
            "participant, confusion matrices, the AI against readers and consensus, and how every final "
            "grade came about. It counts locked readings only, and the coordinator sees it once the study is "
            "frozen, under “Progress”."
        )
        self.flow = hint()
        self.table = RowsTable(
            ("Between", "Feature", "Who", "Joints", "Same grade", "Weights", "Kappa", "95 % interval"),
            name="Agreement",
        )
        self.table.set_widths(180, 230, 190, 70, 100, 100, 80)
        show_indicator(self.names)
        self._made: ReportFiles | None = None
        self._lay_out()
        self._show_made()
        self.make.clicked.connect(self.run)
        self.export.clicked.connect(self.run_export)
        self.show_html.clicked.connect(self._open_html)
        self.show_folder.clicked.connect(self._open_folder)

    @property
    def folder(self) -> Path:
        """Where the report is written."""
        return self.study.folder / "exports" / FOLDER

    def first_focus(self) -> QWidget:
        """The button."""
        return self.make

    def show_counts(self, counts: StudyCounts) -> None:
        """Say whether there is anything to report yet."""
        locked = sum(reader.locked for reader in counts.readers)
        total = sum(reader.total for reader in counts.readers)
        if self._made is None:
            self.flow.setText(f"{locked:,} of {counted(total, 'reading')} locked.")

    def run(self) -> None:
        """Compute and write the report."""
        if not self.make.isEnabled():
            return
        self.make.setEnabled(False)
        folder, names = self.folder, self.names.isChecked()

        def work(_job: Job) -> ReportFiles:
            from reader_app.operations.report import make_report

            return make_report(self.study, self.actor, folder, names=names)

        self.jobs.start(
            JOB, work, success=self._tell, failure=self._fail, done=lambda: self.make.setEnabled(True)
        )

    def run_export(self) -> None:
        """Write the consensus and the drawing of the flow."""
        if not self.export.isEnabled():
            return
        self.export.setEnabled(False)
        folder, names = self.study.folder / "exports" / EXPORT_FOLDER, self.names.isChecked()

        def work(_job: Job) -> tuple[Path, ...]:
            from reader_app.operations.export_consensus import export_results

            return export_results(self.study, self.actor, folder, names=names)

        def tell(files: tuple[Path, ...]) -> None:
            written = ", ".join(path.name for path in files)
            self.said.emit(f"{written} are written to {folder}.", "")

        self.jobs.start(
            EXPORT, work, success=tell, failure=self._fail, done=lambda: self.export.setEnabled(True)
        )

    def _tell(self, files: ReportFiles) -> None:
        self._made = files
        self.table.set_rows([line_of(comparison) for comparison in files.report.comparisons])
        self.flow.setText("\n".join((flow_line(files.report), *files.report.notes)))
        self._show_made()
        self.said.emit(f"The report is written to {self.folder}.", "")

    def _fail(self, fault: ReaderError) -> None:
        self.failed.emit(fault)

    def _show_made(self) -> None:
        for widget in (self.show_html, self.show_folder):
            widget.setEnabled(self._made is not None)
        self.table.setVisible(self._made is not None)

    def _open_html(self) -> None:
        if self._made is not None:
            self._open(self._made.html)

    def _open_folder(self) -> None:
        self._open(self.folder)

    def _open(self, path: Path) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            self.failed.emit(
                ReaderError("This computer has no program that opens it.", f"It lies at {path}.")
            )

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(SPACING)
        line.addWidget(self.make)
        line.addWidget(self.export)
        line.addWidget(self.names)
        line.addStretch()
        line.addWidget(self.show_html)
        line.addWidget(self.show_folder)
        self.column.addWidget(self.words)
        self.column.addLayout(line)
        self.column.addWidget(self.flow)
        self.column.addWidget(self.table, 1)
        self.column.addStretch()


def flow_line(report: Report) -> str:
    """Return the counts of the study's flow in one line."""
    return "  ·  ".join(f"{step.label}: {step.count:,}" for step in report.flow)


def line_of(comparison: Comparison) -> tuple[str, ...]:
    """Return one comparison as a row: kappa with the protocol's weights and its interval."""
    kappa = comparison.protocol_kappa
    return (
        _KINDS[comparison.kind.value],
        comparison.target.label,
        f"{comparison.first} / {comparison.second}",
        f"{comparison.n_joints:,}",
        _percent(comparison.percent_agreement),
        comparison.weights.value,
        _value(kappa),
        _interval(kappa),
    )


def _percent(result: Result) -> str:
    from reader_app.agreement.result import Estimate

    return f"{result.value:.1%}" if isinstance(result, Estimate) else "–"


def _value(result: Result) -> str:
    from reader_app.agreement.result import Estimate

    return f"{result.value:.2f}" if isinstance(result, Estimate) else "–"


def _interval(result: Result) -> str:
    from reader_app.agreement.result import Estimate, Interval

    if not isinstance(result, Estimate):
        return result.sentence
    if not isinstance(result.interval, Interval):
        return result.interval.sentence
    return f"{result.interval.low:.2f} to {result.interval.high:.2f}"
