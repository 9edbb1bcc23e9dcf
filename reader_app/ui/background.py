"""The one way to leave the UI thread.

::

    Operation(lambda job: import_films(study, actor, folder, progress=job.report))
        .progress(self._show_progress)      # Progress
        .success(self._show_report)         # what the work returned
        .failure(self._show_sentence)       # ReaderError; without it a message box shows the sentence
        .done(self._enable_buttons)         # always, after success, failure or bug
        .run(self)

All callbacks run in the UI thread. They are dropped once the parent widget is gone, and the work is
told to stop. What the work does must not touch a widget. Anything that it raises beside `ReaderError`
is a bug of ours: it goes to the log and into the bug dialog.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QCoreApplication, QObject, QThread, Signal, Slot
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from reader_app.errors import ReaderError
from reader_app.operations.progress import Progress
from reader_app.ui.faults import report_bug, show_fault

T = TypeVar("T")


class Job:
    """What the work sees of the outside: where to report, and whether to stop."""

    def __init__(self, send: Callable[[Progress], None]) -> None:
        self._send = send
        self._stop = Event()

    def report(self, progress: Progress) -> None:
        """Tell how far the work is; cheap enough for every film."""
        self._send(progress)

    def cancelled(self) -> bool:
        """Whether the work should stop at the next good place."""
        return self._stop.is_set()

    def cancel(self) -> None:
        """Ask the work to stop; it may take until the end of its current film."""
        self._stop.set()


class _Worker(QThread):
    """One piece of work in one thread; lives in the UI thread, so its slots run there.

    It belongs to the application rather than to the parent widget: a thread must outlive a window
    that is closed while it runs.
    """

    succeeded = Signal(object)
    failed = Signal(object)
    moved = Signal(object)

    def __init__(self, operation: Operation[Any], parent: QWidget) -> None:
        super().__init__(QCoreApplication.instance())
        self._operation = operation
        self._parent = parent
        self.job = Job(self.moved.emit)
        self.succeeded.connect(self._deliver_success)
        self.failed.connect(self._deliver_failure)
        self.moved.connect(self._deliver_progress)
        self.finished.connect(self.deleteLater)
        parent.destroyed.connect(self.job.cancel)

    def run(self) -> None:
        """Do the work; called by Qt in the new thread."""
        try:
            result = self._operation.work(self.job)
        except Exception as error:  # noqa: BLE001 - whatever it is, the UI thread decides what to say
            self.failed.emit(error)
        else:
            self.succeeded.emit(result)

    @Slot(object)
    def _deliver_progress(self, progress: Progress) -> None:
        if isValid(self._parent) and self._operation.on_progress is not None:
            self._operation.on_progress(progress)

    @Slot(object)
    def _deliver_success(self, result: object) -> None:
        if not isValid(self._parent):
            return
        try:
            if self._operation.on_success is not None:
                self._operation.on_success(result)
        finally:
            self._deliver_done()

    @Slot(object)
    def _deliver_failure(self, error: Exception) -> None:
        if not isValid(self._parent):
            if not isinstance(error, ReaderError):
                report_bug(None, error)
            return
        try:
            if not isinstance(error, ReaderError):
                report_bug(self._parent, error)
            elif self._operation.on_failure is not None:
                self._operation.on_failure(error)
            else:
                show_fault(self._parent, error)
        finally:
            self._deliver_done()

    def _deliver_done(self) -> None:
        if isValid(self._parent) and self._operation.on_done is not None:
            self._operation.on_done()


class Running:
    """A piece of work under way."""

    def __init__(self, worker: _Worker) -> None:
        self._worker = worker
        self._job = worker.job

    def cancel(self) -> None:
        """Ask it to stop; success or failure is still delivered."""
        self._job.cancel()

    def active(self) -> bool:
        """Whether its thread still runs."""
        return isValid(self._worker) and self._worker.isRunning()


class Operation(Generic[T]):
    """A piece of work to be done off the UI thread.

    Parameters
    ----------
    work
        Called once in a thread of its own, with the `Job` to report to.
    """

    def __init__(self, work: Callable[[Job], T]) -> None:
        self.work = work
        self.on_success: Callable[[T], object] | None = None
        self.on_failure: Callable[[ReaderError], object] | None = None
        self.on_progress: Callable[[Progress], object] | None = None
        self.on_done: Callable[[], object] | None = None

    def success(self, callback: Callable[[T], object]) -> Operation[T]:
        """Call this with what the work returned."""
        self.on_success = callback
        return self

    def failure(self, callback: Callable[[ReaderError], object]) -> Operation[T]:
        """Call this with the fault, in place of the message box."""
        self.on_failure = callback
        return self

    def progress(self, callback: Callable[[Progress], object]) -> Operation[T]:
        """Call this with each `Progress` that the work reports."""
        self.on_progress = callback
        return self

    def done(self, callback: Callable[[], object]) -> Operation[T]:
        """Call this at the end whatever came out of it: the place to enable buttons again."""
        self.on_done = callback
        return self

    def run(self, parent: QWidget) -> Running:
        """Start; must be called in the UI thread."""
        worker = _Worker(self, parent)
        worker.start()
        return Running(worker)


def finish_all(application: QObject, *, milliseconds: int = 10_000) -> bool:
    """Ask all work to stop and wait for it; for the end of the app.

    Returns
    -------
    bool
        Whether every thread ended in time.
    """
    workers = application.findChildren(_Worker)
    for worker in workers:
        worker.job.cancel()
    ended = [worker.wait(milliseconds) for worker in workers]
    return all(ended)
