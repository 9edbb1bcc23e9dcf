"""Letting the networks grade the study, or saying in words why they cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.bundle_choice import BundleChoice
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.joint_rows import JointRows
from reader_app.ui.coordinator.section import Section
from reader_app.ui.labels import counted, hint
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.operations.pregrade import PregradeReport, WarmWorkers
    from reader_app.operations.pregrade_notes import JointNote
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor, BundleUse, StudyCounts

JOB = "Pre-grade"


class PregradeSection(Section):
    """Which bundles there are, how many joints each has graded, and a way to grade the rest.

    Attributes
    ----------
    film_wanted(int)
        The coordinator wants to see a film, by its number.
    """

    film_wanted = Signal(int)

    def __init__(
        self, study: Study, actor: Actor, *, jobs: JobsPanel, writes: bool, warm: WarmWorkers | None = None
    ) -> None:
        super().__init__(study, actor, jobs=jobs, writes=writes)
        self._warm = warm
        self.choice = BundleChoice(study, actor, writes=writes)
        self.start = QPushButton("&Pre-grade what is missing")
        self.compare = QPushButton("&Compare two bundles …")
        self.result = hint()
        self.used = hint()
        self.faults = JointRows("Joints that could not be pre-graded", "Why it has no pre-grade")
        self.remarks = JointRows("Remarks on how joints were found", "Remark")
        self._bundles: tuple[BundleUse, ...] = ()
        self._looked = False
        self._running = False
        self._lay_out()
        self.start.clicked.connect(self.run)
        self.compare.clicked.connect(self.open_comparison)
        self.choice.chosen.connect(self._choose)
        self.choice.said.connect(self.said)
        for rows in (self.faults, self.remarks):
            rows.film_wanted.connect(self.film_wanted)
        self._enable()

    def first_focus(self) -> QWidget:
        """The button, or else the way to install a bundle."""
        return self.start if self.start.isEnabled() else self.choice.folder

    def show_counts(self, counts: StudyCounts) -> None:
        """Show how much of the study has pre-grades, and whether a bundle has come meanwhile."""
        if not self._looked or self.choice.current is None:
            self._looked = True
            self.choice.refresh()
        self._bundles = counts.pregraded
        self.compare.setEnabled(len(counts.pregraded) > 1)
        self.compare.setToolTip("" if len(counts.pregraded) > 1 else "Two bundles must have pre-graded here.")
        self.used.setText(
            "\n".join(
                f"{use.joints:,} of {counted(counts.joints, 'joint')} pre-graded by {use.bundle_id} "
                f"{use.bundle_version}."
                for use in counts.pregraded
            )
            or f"No pre-grade yet for any of {counted(counts.joints, 'joint')}."
        )
        self._read_remarks()

    def run(self) -> None:
        """Pre-grade every joint that the chosen bundle has not graded yet."""
        listed = self.choice.current
        if not self.start.isEnabled() or not self.writes or listed is None:
            return
        self._running = True
        self._enable()
        folder = str(listed.placed.folder)

        def work(job: Job) -> tuple[PregradeReport, tuple[JointNote, ...]]:
            from reader_app.operations.pregrade import pregrade
            from reader_app.operations.pregrade_notes import fault_notes

            report = pregrade(
                self.study,
                self.actor,
                bundle=folder,
                warm=self._warm,
                progress=job.report,
                cancelled=job.cancelled,
            )
            return report, fault_notes(self.study, self.actor, report.faults)

        self.jobs.start(JOB, work, success=self._tell, failure=self.failed.emit, done=self._ended)

    def open_comparison(self) -> None:
        """Hold two bundles that pre-graded here against each other."""
        from reader_app.ui.coordinator.compare_dialog import CompareDialog

        CompareDialog(self.study, self.actor, self._bundles, self).open()

    def _read_remarks(self) -> None:
        listed = self.choice.current
        if listed is None or listed.bundle is None:
            self.remarks.show_rows(())
            return
        sha256 = listed.bundle.sha256

        def work(_job: Job) -> tuple[JointNote, ...]:
            from reader_app.operations.pregrade_notes import remark_notes

            return remark_notes(self.study, self.actor, sha256)

        Operation(work).success(self.remarks.show_rows).failure(self.failed.emit).run(self)

    def _choose(self) -> None:
        self._enable()
        self._read_remarks()

    def _enable(self) -> None:
        listed = self.choice.current
        usable = listed is not None and listed.bundle is not None
        self.start.setEnabled(usable and self.writes and not self._running)

    def _tell(self, done: tuple[PregradeReport, tuple[JointNote, ...]]) -> None:
        report, faults = done
        left = f" {report.pending:,} are left." if report.pending else ""
        failed = f" {len(report.faults):,} could not be pre-graded." if report.faults else ""
        how = "Stopped: " if report.cancelled else ""
        sentence = f"{how}{counted(report.done, 'joint')} pre-graded with {report.bundle_id}.{failed}{left}"
        pace = f"  {report.joints_per_second:.1f} joints per second." if report.done else ""
        self.result.setText("  ".join((sentence + pace, *report.notes)))
        self.faults.show_rows(faults)
        self.said.emit(sentence, "Start again to go on; what is done stays done." if report.cancelled else "")

    def _ended(self) -> None:
        self._running = False
        self._enable()
        self.changed.emit()

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.addWidget(self.start)
        line.addWidget(self.compare)
        line.addWidget(self.result, 1)
        self.start.setVisible(self.writes)
        self.column.addWidget(self.choice)
        self.column.addWidget(self.used)
        self.column.addLayout(line)
        self.column.addSpacing(SPACING)
        # One below the other: the reasons are sentences and need the whole width.
        self.column.addWidget(self.faults, 1)
        self.column.addWidget(self.remarks, 1)
        self.column.addStretch()
