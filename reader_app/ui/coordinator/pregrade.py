"""Letting the networks grade the study, or saying in words why they cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.section import Section
from reader_app.ui.labels import counted, heading, hint
from reader_app.ui.rows_table import RowsTable
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.ai.bundle import Bundle
    from reader_app.operations.pregrade import PregradeReport
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor, StudyCounts

JOB = "Pre-grade"


class PregradeSection(Section):
    """Which bundle there is, how many joints it has graded, and a way to grade the rest."""

    def __init__(self, study: Study, actor: Actor, *, jobs: JobsPanel, writes: bool) -> None:
        super().__init__(study, actor, jobs=jobs, writes=writes)
        self.bundle = hint("Looking for the bundle …")
        self.start = QPushButton("&Pre-grade what is missing")
        self.start.setEnabled(False)
        self.result = hint()
        self.used = hint()
        self.faults = RowsTable(("Joint", "Why it has no pre-grade"), name="Joints without a pre-grade")
        self._faults_title = heading("Joints that could not be pre-graded", factor=1.1)
        self._ready = False
        self._running = False
        self._lay_out()
        self._show_faults(())
        self.start.clicked.connect(self.run)

    def first_focus(self) -> QWidget:
        """The button."""
        return self.start

    def show_counts(self, counts: StudyCounts) -> None:
        """Show how much of the study has pre-grades, and whether a bundle has come meanwhile."""
        if not self._ready:
            self._look_for_bundle()
        self.used.setText(
            "\n".join(
                f"{use.joints:,} of {counted(counts.joints, 'joint')} pre-graded by {use.bundle_id} "
                f"{use.bundle_version}."
                for use in counts.pregraded
            )
            or f"No pre-grade yet for any of {counted(counts.joints, 'joint')}."
        )

    def run(self) -> None:
        """Pre-grade every joint that this bundle has not graded yet."""
        if not self.start.isEnabled() or not self.writes:
            return
        self._running = True
        self.start.setEnabled(False)

        def work(job: Job) -> PregradeReport:
            from reader_app.operations.pregrade import pregrade

            return pregrade(
                self.study,
                self.actor,
                progress=job.report,
                cancelled=job.cancelled,
            )

        self.jobs.start(JOB, work, success=self._tell, failure=self.failed.emit, done=self._ended)

    def _look_for_bundle(self) -> None:
        def work(_job: Job) -> Bundle:
            from reader_app.operations.bundles import bundle_of

            return bundle_of(self.study)

        Operation(work).success(self._show_bundle).failure(self._show_no_bundle).run(self)

    def _show_bundle(self, bundle: Bundle) -> None:
        self.bundle.setText(f"Bundle {bundle.id}, version {bundle.version}, SHA-256 {bundle.sha256[:12]} …")
        self._ready = True
        self.start.setEnabled(self.writes and not self._running)

    def _show_no_bundle(self, fault: ReaderError) -> None:
        from reader_app.settings import data_folder

        self.bundle.setText(
            f"{fault.what}\n\nReading works without pre-grades. To add a bundle, put its folder (it holds "
            f"bundle.toml) into {self.study.folder / 'bundles'} for this study, or into "
            f"{data_folder() / 'bundles'} for every study on this computer. Then press F5."
        )

    def _tell(self, report: PregradeReport) -> None:
        left = f" {report.pending:,} are left." if report.pending else ""
        failed = f" {len(report.faults):,} could not be pre-graded." if report.faults else ""
        how = "Stopped: " if report.cancelled else ""
        sentence = f"{how}{counted(report.done, 'joint')} pre-graded with {report.bundle_id}.{failed}{left}"
        self.result.setText(sentence)
        self._show_faults(tuple((str(fault.joint_id), fault.reason) for fault in report.faults))
        self.said.emit(sentence, "Start again to go on; what is done stays done." if report.cancelled else "")

    def _ended(self) -> None:
        self._running = False
        self.start.setEnabled(self._ready and self.writes)
        self.changed.emit()

    def _show_faults(self, rows: tuple[tuple[str, str], ...]) -> None:
        self.faults.set_rows(rows)
        self.faults.setVisible(bool(rows))
        self._faults_title.setVisible(bool(rows))

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.addWidget(self.start)
        line.addWidget(self.result, 1)
        self.start.setVisible(self.writes)
        self.column.addWidget(self.bundle)
        self.column.addWidget(self.used)
        self.column.addSpacing(SPACING)
        self.column.addLayout(line)
        self.column.addSpacing(SPACING)
        self.column.addWidget(self._faults_title)
        self.column.addWidget(self.faults, 1)
        self.column.addStretch()
