"""The study's page: what there is, and what a coordinator does with it; an auditor sees the same."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from reader_app.ui.actions import ActionSet, Place, key_text, spec
from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.accounts import AccountsSection
from reader_app.ui.coordinator.design_section import DesignSection
from reader_app.ui.coordinator.films_section import FilmsSection
from reader_app.ui.coordinator.import_section import ImportSection
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.pregrade import PregradeSection
from reader_app.ui.coordinator.progress import ProgressSection
from reader_app.ui.coordinator.quality_section import QualitySection
from reader_app.ui.coordinator.report_page import ReportSection
from reader_app.ui.coordinator.section import Section
from reader_app.ui.coordinator.settled_section import SettledSection
from reader_app.ui.labels import ElidedHeading, Figure, hint
from reader_app.ui.tabs import RoomyTabBar
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.operations.pregrade import WarmWorkers
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor, StudyCounts


class CoordinatorPage(QWidget):
    """Counts at the top, the sections below; the counts are read again whenever something changed.

    Parameters
    ----------
    writes
        False for an auditor: everything is shown and nothing can be changed.
    warm
        The networks that stay while the study is open; None starts some whenever they are asked.

    Attributes
    ----------
    failed, said
        A `ReaderError`, or what was done, to be shown by the window.
    study_changed
        The `Study` under another design.
    """

    failed = Signal(object)
    said = Signal(str, str)
    study_changed = Signal(object)

    def __init__(
        self, study: Study, actor: Actor, *, jobs: JobsPanel, writes: bool, warm: WarmWorkers | None = None
    ) -> None:
        super().__init__()
        self._study = study
        self._actor = actor
        self.importing = ImportSection(study, actor, jobs=jobs, writes=writes)
        self.films = FilmsSection(study, actor, jobs=jobs, writes=writes, warm=warm)
        self.pregrading = PregradeSection(study, actor, jobs=jobs, writes=writes, warm=warm)
        self.accounts = AccountsSection(study, actor, jobs=jobs, writes=writes)
        self.design = DesignSection(study, actor, jobs=jobs, writes=writes)
        self.progress = ProgressSection(study, actor, jobs=jobs, writes=writes)
        self.settled = SettledSection(study, actor, jobs=jobs, writes=writes)
        self.quality = QualitySection(study, actor, jobs=jobs, writes=writes)
        self.report = ReportSection(study, actor, jobs=jobs, writes=writes)
        self._figures = {
            word: Figure(word)
            for word in ("participants", "radiographs", "joints", "cases", "pre-graded", "settled")
        }
        self._writes = writes
        self._frozen: datetime | None = None
        self.progress.freezing.shown.connect(self._take_frozen)
        self.pregrading.film_wanted.connect(self._show_film)
        self._about = hint()
        self.tabs = QTabWidget()
        self.tabs.setTabBar(RoomyTabBar())
        self._lay_out(writes=writes)
        self._make_actions(writes=writes)
        self.tabs.currentChanged.connect(lambda _place: self._focus_section())

    @property
    def sections(self) -> tuple[tuple[Section, str, str], ...]:
        """The sections with their titles and the actions that lead to them."""
        return (
            (self.importing, "Radiographs", "import"),
            (self.films, "Films", "films"),
            (self.accounts, "Accounts", "account-add"),
            (self.design, "Design", "design"),
            (self.pregrading, "Pre-grades", "pregrade"),
            (self.progress, "Progress", ""),
            (self.settled, "Adjudication", "reopen"),
            (self.quality, "Quality", "quality"),
            (self.report, "Report", "report"),
        )

    @property
    def place(self) -> Place:
        """Which keys are valid: the list of films has its own, and so have films about to be imported."""
        section = self.tabs.currentWidget()
        if section is self.importing and self.importing.planning:
            return Place.IMPORT
        return Place.FILMS if section is self.films else Place.COORDINATOR

    def leave(self) -> None:
        """Let go of the films; to be called before the page is thrown away."""
        self.importing.leave()
        self.films.leave()

    def may_leave(self) -> bool:
        """Return whether nothing would be lost; else it is asked what becomes of it."""
        return self.design.may_leave()

    def figure(self, word: str) -> str:
        """Return the number above a word, as text."""
        return self._figures[word].number

    def refresh(self) -> None:
        """Read the counts again."""

        def work(_job: Job) -> StudyCounts:
            from reader_app.operations.status import status

            return status(self._study, self._actor)

        Operation(work).success(self._show_counts).failure(self.failed.emit).run(self)

    def _take_study(self, study: Study) -> None:
        self._study = study
        for section, _, _ in self.sections:
            section.take_study(study)
        self._say_about()
        self.study_changed.emit(study)

    def _say_about(self) -> None:
        protocol, design = self._study.protocol, self._study.design
        about = f"{protocol.title}  ·  {design.arm.value}  ·  {design.presentation.value}"
        if not self._writes:
            about += "  ·  you can look, not change"
        if self._frozen is not None:
            about += f"  ·  frozen since {self._frozen.astimezone():%Y-%m-%d %H:%M}"
        self._about.setText(about)

    def _take_frozen(self, since: datetime | None) -> None:
        self._frozen = since
        self._say_about()

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: fresh counts whenever the page comes back."""
        super().showEvent(event)
        self.refresh()
        self._focus_section()

    def _show_counts(self, counts: StudyCounts) -> None:
        numbers = {
            "participants": counts.participants,
            "radiographs": counts.radiographs,
            "joints": counts.joints,
            "cases": counts.cases,
            "pre-graded": counts.pregraded[-1].joints if counts.pregraded else 0,
            "settled": counts.adjudicated,
        }
        for word, number in numbers.items():
            self._figures[word].set_number(f"{number:,}")
        for section, _, _ in self.sections:
            section.show_counts(counts)

    def _lay_out(self, *, writes: bool) -> None:
        title = QVBoxLayout()
        title.setSpacing(2)
        title.addWidget(ElidedHeading(self._study.config.title))
        title.addWidget(self._about)
        self._say_about()
        head = QHBoxLayout()
        head.addLayout(title, 1)
        for figure in self._figures.values():
            head.addWidget(figure)
        for section, name, action_id in self.sections:
            place = self.tabs.addTab(section, name)
            if action_id:
                self.tabs.setTabToolTip(place, key_text(spec(action_id)))
            section.failed.connect(self.failed)
            section.said.connect(self.said)
            section.changed.connect(self.refresh)
            section.study_changed.connect(self._take_study)
        self.tabs.setDocumentMode(True)
        if not writes:
            self.tabs.setCurrentWidget(self.progress)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * SPACING, 2 * SPACING, 3 * SPACING, 2 * SPACING)
        layout.setSpacing(2 * SPACING)
        layout.addLayout(head)
        layout.addWidget(self.tabs, 1)

    def _make_actions(self, *, writes: bool) -> None:
        handlers = {
            "refresh": self.refresh,
            "films": lambda: self.open_section(self.films),
            "quality": lambda: self.open_section(self.quality),
            "report": lambda: self.open_section(self.report),
            "reopen": lambda: self.open_section(self.settled),
            "design": lambda: self.open_section(self.design),
        }
        if writes:
            handlers |= {
                "import": lambda: self.open_section(self.importing),
                "pregrade": lambda: self.open_section(self.pregrading),
                "account-add": lambda: self.open_section(self.accounts),
            }
        self._actions = ActionSet(self, Place.COORDINATOR, handlers)

    def open_section(self, section: Section) -> None:
        """Bring a section to the front and the keyboard into it."""
        self.tabs.setCurrentWidget(section)
        self._focus_section()

    def _show_film(self, radiograph_id: int) -> None:
        self.open_section(self.films)
        self.films.show_film(radiograph_id)

    def _focus_section(self) -> None:
        section = self.tabs.currentWidget()
        if isinstance(section, Section):
            section.first_focus().setFocus()
