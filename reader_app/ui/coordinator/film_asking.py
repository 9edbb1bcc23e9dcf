"""The coordinator asks for the pre-grade of one film: in the jobs panel, with its way to stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from reader_app.errors import ReaderError
from reader_app.ui.background import Job
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.labels import counted

if TYPE_CHECKING:
    from reader_app.operations.correct_film import FilmEntry
    from reader_app.operations.pregrade import PregradeReport, WarmWorkers
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor

JOB = "Pre-grade this film"


class FilmAsking(QObject):
    """Asks for one film at a time.

    Attributes
    ----------
    said(str), failed(ReaderError)
        What came of it.
    done()
        Pre-grades were made: the study's counts are no longer what they were.
    """

    said = Signal(str)
    failed = Signal(object)
    done = Signal()

    def __init__(
        self, study: Study, actor: Actor, *, jobs: JobsPanel, warm: WarmWorkers | None, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._study, self._actor, self._jobs, self._warm = study, actor, jobs, warm
        self._busy = False

    def toggle(self, entry: FilmEntry | None) -> None:
        """Ask for the film; or stop, where the networks are at one already."""
        if self._busy:
            self._jobs.stop(JOB)
            return
        if entry is None:
            return
        radiograph_id = entry.radiograph_id
        self._busy = True

        def work(job: Job) -> PregradeReport:
            from reader_app.operations.ask_pregrade import ask_for_film

            return ask_for_film(
                self._study,
                self._actor,
                radiograph_id,
                warm=self._warm,
                progress=job.report,
                cancelled=job.cancelled,
            )

        self._jobs.start(JOB, work, success=self._tell, failure=self._refuse, done=self._end)

    def _tell(self, report: PregradeReport) -> None:
        self.said.emit(outcome_words(report))
        if report.done:
            self.done.emit()

    def _refuse(self, fault: ReaderError) -> None:
        self.failed.emit(fault)

    def _end(self) -> None:
        self._busy = False


def outcome_words(report: PregradeReport) -> str:
    """Return in words what came of asking for one film."""
    if report.cancelled:
        return "Stopped: what was pre-graded until then is kept."
    if report.faults:
        failed = counted(len(report.faults), "joint")
        return f"{failed} of this film could not be pre-graded: {report.faults[0].reason}"
    if not report.done:
        return f"Every joint of this film has its pre-grade by {report.bundle_id} {report.bundle_version}."
    made = f"{counted(report.done, 'joint')} pre-graded by {report.bundle_id} {report.bundle_version}."
    return " ".join((made, *report.notes))
