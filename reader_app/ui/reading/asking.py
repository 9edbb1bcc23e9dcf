"""Asking for the pre-grade of the case on the screen: in the background, with a way to stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from reader_app.errors import ReaderError
from reader_app.operations.case_pregrades import NOT_YET
from reader_app.operations.progress import Progress
from reader_app.operations.read import OpenCase
from reader_app.reading.case import GradeKey
from reader_app.ui.actions import key_text, spec
from reader_app.ui.background import Job, Operation, Running
from reader_app.ui.grades.pregrade_box import PregradeBox
from reader_app.ui.labels import counted
from reader_app.ui.reading.course import Message, Tone, fault_message
from reader_app.ui.reading.desk import ReadingDesk

if TYPE_CHECKING:
    from reader_app.operations.pregrade import PregradeReport

BEING_MADE = "The pre-grade of this joint is being made."
STARTING = "The AI is getting ready …"
STOPPING = "Stopping …"


class CaseAsking(QObject):
    """Asks for one case at a time; the answer to a case that was left is stored and not shown.

    Attributes
    ----------
    changed
        It began, got on, or came to an end.
    answered(int)
        Pre-grades of a case have been made, by the number of its reading.
    said(Message)
        Something is to be told.
    """

    changed = Signal()
    answered = Signal(int)
    said = Signal(object)

    def __init__(self, desk: ReadingDesk, parent: QWidget) -> None:
        super().__init__(parent)
        self._desk = desk
        self._owner = parent
        self._running: Running | None = None
        self._reading_id = 0
        self._progress = Progress(0, 0, STARTING)
        self._faults: dict[int, str] = {}

    @property
    def busy(self) -> bool:
        """Whether the AI is at a case that was asked for."""
        return self._running is not None

    def progress_of(self, case: OpenCase) -> Progress | None:
        """Return how far the AI is with a case; None while it is not at it."""
        return self._progress if self.busy and case.reading.reading_id == self._reading_id else None

    def silent(self, case: OpenCase) -> dict[GradeKey, str]:
        """Return why items of a case have no pre-grade, with what is known since it was opened."""
        at_it = self.progress_of(case) is not None
        return {key: self._why(key, words, at_it=at_it) for key, words in case.silent.items()}

    def show_in(self, action: QAction, box: PregradeBox, case: OpenCase) -> None:
        """Offer to ask or to stop, as it is just now, and show how far the AI is."""
        may = self.busy or (case.askable and not case.locked)
        key = key_text(spec("pregrade-ask"))
        action.setText(f"Stop  ({key})" if self.busy else f"Ask the AI now  ({key})")
        action.setEnabled(may)
        box.show_ask(self.progress_of(case), offered=may)

    def toggle(self, case: OpenCase | None) -> None:
        """Ask for the case; or stop, where the AI is at it already."""
        if self._running is not None:
            self._running.cancel()
            self._progress = Progress(self._progress.done, self._progress.total, STOPPING)
            self.changed.emit()
        elif case is not None and case.askable:
            self._ask(case)

    def stop(self) -> None:
        """Ask what is under way to stop; its answer is dropped."""
        self._reading_id = 0
        if self._running is not None:
            self._running.cancel()

    def _why(self, key: GradeKey, words: str, *, at_it: bool) -> str:
        if words != NOT_YET:
            return words
        if at_it:
            return BEING_MADE
        fault = self._faults.get(key.joint_id)
        return f"This joint could not be pre-graded: {fault}" if fault else words

    def _ask(self, case: OpenCase) -> None:
        self._reading_id = case.reading.reading_id
        self._progress = Progress(0, 0, STARTING)

        def work(job: Job) -> PregradeReport:
            return self._desk.ask(case, progress=job.report, cancelled=job.cancelled)

        operation = Operation(work).progress(self._tell).success(self._take).failure(self._refuse)
        self._running = operation.run(self._owner)
        self.changed.emit()

    def _tell(self, progress: Progress) -> None:
        if self._progress.what != STOPPING:
            self._progress = progress
            self.changed.emit()

    def _take(self, report: PregradeReport) -> None:
        for fault in report.faults:
            self._faults[fault.joint_id] = fault.reason
        reading_id = self._end()
        if report.done:
            self.answered.emit(reading_id)
        if reading_id:
            self.said.emit(_outcome(report))
        self.changed.emit()

    def _refuse(self, fault: ReaderError) -> None:
        if self._end():
            self.said.emit(fault_message(fault))
        self.changed.emit()

    def _end(self) -> int:
        reading_id, self._reading_id, self._running = self._reading_id, 0, None
        return reading_id


def _outcome(report: PregradeReport) -> Message:
    if report.cancelled:
        return Message("Stopped: what was pre-graded until then is kept.")
    if report.faults:
        failed = counted(len(report.faults), "joint")
        return Message(f"{failed} could not be pre-graded: {report.faults[0].reason}", Tone.WARNING)
    notes = " ".join(report.notes)
    return Message(f"{counted(report.done, 'joint')} pre-graded. {notes}".strip())
