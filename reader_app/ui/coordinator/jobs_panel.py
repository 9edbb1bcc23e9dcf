"""Long work under way: what it is, how far it is, and a way to stop it. The window never waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from reader_app.errors import ReaderError
from reader_app.operations.progress import Progress
from reader_app.ui.background import Job, Operation, Running
from reader_app.ui.labels import hint
from reader_app.ui.theme import SPACING, Colour, fill_background

T = TypeVar("T")


class _JobRow(QWidget):
    """One piece of work in the panel."""

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.title = title
        self._note = hint()
        self._note.setWordWrap(False)
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setFixedWidth(280)
        self._bar.setAccessibleName(title)
        self.stop = QPushButton("Stop")
        self.stop.setAccessibleName(f"Stop: {title}")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * SPACING)
        layout.addWidget(QLabel(title))
        layout.addWidget(self._bar)
        layout.addWidget(self._note, 1)
        layout.addWidget(self.stop)

    def show_progress(self, progress: Progress) -> None:
        """Show how far the work is."""
        self._bar.setRange(0, progress.total)
        self._bar.setValue(progress.done)
        count = f"{progress.done:,} of {progress.total:,}" if progress.total else ""
        self._note.setText("  ·  ".join(part for part in (count, progress.pace, progress.what) if part))

    def show_stopping(self) -> None:
        """Say that the work has been asked to stop."""
        self.stop.setEnabled(False)
        self._note.setText("Stopping …")


class JobsPanel(QFrame):
    """All long work of the window; hidden while there is none.

    Attributes
    ----------
    changed
        Emitted when a job starts, moves or ends.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        fill_background(self, Colour.RAISED)
        self._jobs: dict[_JobRow, Running] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(2 * SPACING, SPACING, 2 * SPACING, SPACING)
        self._layout.setSpacing(SPACING // 2)
        self.hide()

    @property
    def titles(self) -> tuple[str, ...]:
        """What is under way."""
        return tuple(row.title for row in self._jobs)

    def start(
        self,
        title: str,
        work: Callable[[Job], T],
        *,
        success: Callable[[T], object],
        failure: Callable[[ReaderError], object],
        done: Callable[[], object] | None = None,
    ) -> None:
        """Start a piece of work; the callbacks come back in the UI thread."""
        row = _JobRow(title, self)
        self._layout.addWidget(row)

        def ended() -> None:
            del self._jobs[row]
            row.deleteLater()
            self._layout.removeWidget(row)
            self.setVisible(bool(self._jobs))
            if done is not None:
                done()
            self.changed.emit()

        operation = Operation(work).progress(row.show_progress).success(success).failure(failure).done(ended)
        running = operation.run(self)
        self._jobs[row] = running
        row.stop.clicked.connect(lambda: self._stop(row))
        self.show()
        self.changed.emit()

    def stop(self, title: str) -> None:
        """Ask the work of this title to stop."""
        for row in self._jobs:
            if row.title == title:
                self._stop(row)

    def stop_all(self) -> None:
        """Ask all work to stop; each ends at its next good place."""
        for row in self._jobs:
            self._stop(row)

    def _stop(self, row: _JobRow) -> None:
        self._jobs[row].cancel()
        row.show_stopping()
