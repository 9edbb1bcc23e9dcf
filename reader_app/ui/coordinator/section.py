"""What the sections of the coordinator's page have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor, StudyCounts


class Section(QWidget):
    """One part of a study's page.

    Parameters
    ----------
    jobs
        Where long work runs.
    writes
        Whether the acting account may change the study; an auditor may not.

    Attributes
    ----------
    failed
        A `ReaderError` to be said.
    said
        What was done and what can follow, in words.
    changed
        The study's counts are no longer what they were.
    study_changed
        The `Study` under another design.
    """

    failed = Signal(object)
    said = Signal(str, str)
    changed = Signal()
    study_changed = Signal(object)

    def __init__(self, study: Study, actor: Actor, *, jobs: JobsPanel, writes: bool) -> None:
        super().__init__()
        self.study = study
        self.actor = actor
        self.jobs = jobs
        self.writes = writes
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(2 * SPACING, 2 * SPACING, 2 * SPACING, SPACING)
        self.column.setSpacing(SPACING)

    def take_study(self, study: Study) -> None:
        """Work on with the study as it is now; folder and database stay the same."""
        self.study = study

    def show_counts(self, counts: StudyCounts) -> None:
        """Show what changed; called whenever the counts were read again."""
        del counts

    def first_focus(self) -> QWidget:
        """Return the widget that has the keyboard when the section is opened."""
        return self
