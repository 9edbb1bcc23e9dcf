"""What each role comes to after log-in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.actions import ActionSet, Place
from reader_app.ui.adjudication.page import AdjudicationPage
from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.page import CoordinatorPage
from reader_app.ui.display.display_gate import DisplayGate
from reader_app.ui.reading.worklist_page import WorklistPage

if TYPE_CHECKING:
    from reader_app.operations.pregrade import WarmWorkers
    from reader_app.operations.study import Study
    from reader_app.reading.worklist import Upcoming, WorklistEntry, WorklistView
    from reader_app.store.records import Actor
    from reader_app.ui.reading.page import ReadingPage
    from reader_app.ui.reading.quality_page import QualityPage


class RolePage(QWidget):
    """What the window needs of the page of a role.

    Attributes
    ----------
    failed, said
        A `ReaderError`, or what was done and what can follow, to be shown above the page.
    study_changed
        The `Study` under another design.
    """

    failed = Signal(object)
    said = Signal(str, str)
    study_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.inside = QStackedWidget()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.inside)

    @property
    def place(self) -> Place:
        """Where the person is now."""
        raise NotImplementedError

    def may_leave(self) -> bool:
        """Return whether nothing would be lost; else the page asks what becomes of it."""
        return True

    def pause(self) -> None:
        """Nobody is at the screen: whatever counts time stops until somebody does something again."""

    def leave(self) -> None:
        """Let go of what the page holds; called before it is thrown away."""


class StudyRolePage(RolePage):
    """The study's page, for coordinators and, to look only, for auditors."""

    def __init__(
        self, study: Study, actor: Actor, *, jobs: JobsPanel, writes: bool, warm: WarmWorkers | None = None
    ) -> None:
        super().__init__()
        self.study_page = CoordinatorPage(study, actor, jobs=jobs, writes=writes, warm=warm)
        self.study_page.failed.connect(self.failed)
        self.study_page.said.connect(self.said)
        self.study_page.study_changed.connect(self.study_changed)
        self.inside.addWidget(self.study_page)

    @property
    def place(self) -> Place:
        """The study's page, or its list of films."""
        return self.study_page.place

    def may_leave(self) -> bool:
        """Return whether no design is being made; else it is asked what becomes of it."""
        return self.study_page.may_leave()

    def leave(self) -> None:
        """Let go of the films."""
        self.study_page.leave()


class AdjudicatorRolePage(RolePage):
    """The adjudicator's queue."""

    def __init__(self, study: Study, actor: Actor) -> None:
        super().__init__()
        self.queue_page = AdjudicationPage(study, actor)
        self.queue_page.failed.connect(self.failed)
        self.queue_page.said.connect(self.said)
        self.inside.addWidget(self.queue_page)

    @property
    def place(self) -> Place:
        """The queue."""
        return Place.ADJUDICATION

    def leave(self) -> None:
        """Let go of the films."""
        self.queue_page.leave()


class ReaderRolePage(RolePage):
    """The worklist, and the reading screen when a case is open."""

    def __init__(self, study: Study, actor: Actor, *, warm: WarmWorkers | None = None) -> None:
        super().__init__()
        self._study = study
        self._actor = actor
        self._warm = warm
        self._last_place = 0
        self._views = 0
        self.worklist = WorklistPage()
        self.reading: ReadingPage | None = None
        self.quality: QualityPage | None = None
        self.inside.addWidget(self.worklist)
        self.display = DisplayGate(study, actor, self.inside)
        self.display.failed.connect(self.failed)
        self.display.told.connect(lambda sentence: self.said.emit(sentence, ""))
        self.worklist.open_requested.connect(self.open_case)
        self.worklist.view_wanted.connect(self.refresh)
        self.worklist.checks.clicked.connect(self.open_checks)
        self.worklist.page_wanted.connect(self._fetch)
        self._actions = ActionSet(
            self.worklist,
            Place.WORKLIST,
            {
                "case-open": self.worklist.open_marked,
                "case-continue": self.worklist.open_next,
                "quality-checks": self.open_checks,
                "refresh": self.refresh,
            },
        )
        self.refresh()

    @property
    def place(self) -> Place:
        """The worklist, the test pattern, a quality check, or the case that is open."""
        if self.display.page is not None:
            return Place.DISPLAY
        if self.inside.currentWidget() is self.quality:
            return Place.QUALITY
        return Place.WORKLIST if self.inside.currentWidget() is self.worklist else Place.READING

    def refresh(self) -> None:
        """Read the worklist again."""
        states, last_place = self.worklist.filter.states, self._last_place
        self._views += 1
        number = self._views

        def work(_job: Job) -> WorklistView:
            from reader_app.operations import read

            return read.worklist_view(self._study, self._actor, states=states, last_place=last_place)

        def show(view: WorklistView) -> None:
            if number == self._views:
                self.worklist.show_view(view)

        Operation(work).success(show).failure(self.failed.emit).run(self)
        self._count_checks()

    def _count_checks(self) -> None:
        """See how many films of other readers wait to be looked at."""

        def work(_job: Job) -> int:
            from reader_app.operations import exclusions

            return len(exclusions.waiting(self._study, self._actor))

        Operation(work).success(self.worklist.show_checks).failure(self.failed.emit).run(self)

    def open_checks(self) -> None:
        """Ask about the films that other readers could not grade; the test pattern comes first where due."""
        if not self.worklist.checks.isVisible():
            return
        try:
            if self.display.holds_back(self.open_checks):
                return
        except ReaderError as fault:
            self.failed.emit(fault)
            return
        page = self._quality_page()
        self.inside.setCurrentWidget(page)
        page.start()

    def _fetch(self, first: int) -> None:
        """Read another page of the worklist that is shown."""
        states, number = self.worklist.filter.states, self._views

        def work(_job: Job) -> tuple[WorklistEntry, ...]:
            from reader_app.operations import read

            return read.worklist_page(self._study, self._actor, states=states, first=first)

        def show(rows: tuple[WorklistEntry, ...]) -> None:
            if number == self._views:
                self.worklist.model.add_page(first, rows)

        def tell(fault: ReaderError) -> None:
            if number == self._views:
                self.worklist.model.page_failed(first)
            self.failed.emit(fault)

        Operation(work).success(show).failure(tell).run(self)

    def open_case(self, assignment_id: int) -> None:
        """Show a case on the reading screen; where it is due, the test pattern of the screen comes first."""
        try:
            if self.display.holds_back(partial(self.open_case, assignment_id)):
                return
        except ReaderError as fault:
            self.failed.emit(fault)
            return
        reading = self._reading_page()
        try:
            reading.start(assignment_id)
        except ReaderError as fault:
            self.failed.emit(fault)
            return
        self.inside.setCurrentWidget(reading)
        reading.setFocus()

    def pause(self) -> None:
        """Stop the clock of the open case."""
        if self.reading is not None:
            self.reading.flow.clock.suspend()

    def leave(self) -> None:
        """Keep the time spent on the open case and let go of its films."""
        if self.reading is not None:
            self.reading.release()

    def _reading_page(self) -> ReadingPage:
        # Made at the first case: a reader sees the worklist before the film view is loaded.
        if self.reading is None:
            from reader_app.ui.reading.desk import StudyDesk
            from reader_app.ui.reading.page import ReadingPage

            self.reading = ReadingPage(StudyDesk(self._study, self._actor, warm=self._warm))
            self.reading.left.connect(self._back)
            self.reading.finished.connect(self._finished)
            self.reading.rested.connect(self._rest)
            self.reading.locked.connect(self._remember)
            self.inside.addWidget(self.reading)
        return self.reading

    def _quality_page(self) -> QualityPage:
        if self.quality is None:
            from reader_app.ui.reading.quality_page import QualityPage

            self.quality = QualityPage(self._study, self._actor)
            self.quality.left.connect(self._back_from_checks)
            self.quality.finished.connect(self._checked)
            self.inside.addWidget(self.quality)
        return self.quality

    def _back_from_checks(self) -> None:
        if self.quality is not None:
            self.quality.leave()
        self.inside.setCurrentWidget(self.worklist)
        self.refresh()

    def _checked(self) -> None:
        self._back_from_checks()
        self.said.emit("Every quality check is answered.", "Thank you; the worklist goes on.")

    def _remember(self, place: int) -> None:
        self._last_place = place

    def _finished(self) -> None:
        self._back()
        self.said.emit("Every case of your worklist is locked.", "Thank you; nothing is left to read.")

    def _rest(self, upcoming: Upcoming) -> None:
        from reader_app.ui.reading.course import rest_words

        self._back()
        self.said.emit(rest_words(upcoming), "What you have read is kept.")

    def _back(self) -> None:
        if self.reading is not None:
            case = self.reading.open_case
            if case is not None and not case.locked:
                # The mark comes back to the case that was left, not to the one after it.
                self._last_place = case.reading.place - 1
            self.reading.close_case()
        self.inside.setCurrentWidget(self.worklist)
        self.refresh()


def page_for(study: Study, actor: Actor, *, jobs: JobsPanel, warm: WarmWorkers | None = None) -> RolePage:
    """Return the page that an account comes to after log-in.

    Parameters
    ----------
    warm
        The networks that stay while the study is open; None starts some whenever they are asked.
    """
    from reader_app.store.records import Role

    match actor.role:
        case Role.READER:
            return ReaderRolePage(study, actor, warm=warm)
        case Role.ADJUDICATOR:
            return AdjudicatorRolePage(study, actor)
        case Role.COORDINATOR:
            return StudyRolePage(study, actor, jobs=jobs, writes=True, warm=warm)
        case Role.AUDITOR:
            return StudyRolePage(study, actor, jobs=jobs, writes=False)
