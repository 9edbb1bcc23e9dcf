"""The window: which page is in front, who is at the screen, and what is said above the page.

It moves between pages and tells faults; what a page does, the page does itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QLabel, QMainWindow, QMenu, QMessageBox, QStackedWidget, QVBoxLayout, QWidget

from reader_app.errors import ReaderError
from reader_app.settings import APP_NAME, remember_study
from reader_app.ui.actions import ActionSet, Group, Place
from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.error_dialog import NoticeBar
from reader_app.ui.login_page import LoginPage
from reader_app.ui.session.session_lock import SessionLock
from reader_app.ui.start_page import StartPage
from reader_app.ui.theme import SPACING, Colour, colour_text

if TYPE_CHECKING:
    from reader_app.operations.pregrade import WarmWorkers
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor
    from reader_app.ui.role_pages import RolePage

SMALLEST = (1024, 640)
USUAL = (1600, 1000)


class MainWindow(QMainWindow):
    """Start page, log-in page, and the page of whoever logged in."""

    def __init__(self) -> None:
        super().__init__()
        self.study: Study | None = None
        self.actor: Actor | None = None
        self.page: RolePage | None = None
        self._warm: WarmWorkers | None = None
        self._opening = False
        self._dialog: QWidget | None = None
        self._after_jobs: Callable[[], None] | None = None
        self.notice = NoticeBar()
        self.stack = QStackedWidget()
        self.jobs = JobsPanel()
        self.start = StartPage()
        self.login = LoginPage()
        self.stack.addWidget(self.start)
        self.stack.addWidget(self.login)
        self._who = QLabel()
        self._lay_out()
        self.actions_everywhere = self._make_actions()
        self._fill_menus()
        self.start.open_requested.connect(self.open_study)
        self.start.create_requested.connect(self.create_study)
        self.start.failed.connect(self.notice.show_fault)
        self.login.log_in_requested.connect(self._log_in)
        self.login.leave_requested.connect(self.close_study)
        self.jobs.changed.connect(self._go_on_after_jobs)
        self.session.locked.connect(self._covered)
        self.session.unlocked.connect(self._show_who)
        self.session.log_out_requested.connect(self.log_out)
        self._show_who()

    # Studies ------------------------------------------------------------------------------------

    def open_study(self, folder: Path) -> None:
        """Open a study folder and ask who is at the screen; a fault is said above the page."""
        if self._opening:
            return
        self._opening = True
        self.start.show_opening(folder)
        self.notice.dismiss()

        def work(_job: Job) -> Study:
            from reader_app.operations.study import open_study

            return open_study(folder)

        def done() -> None:
            self._opening = False
            self.start.show_opening(None)

        Operation(work).success(self._show_log_in).failure(self.notice.show_fault).done(done).run(self)

    def create_study(self) -> None:
        """Ask for a new study."""
        from reader_app.ui.new_study_dialog import NewStudyDialog

        dialog = NewStudyDialog(self)
        dialog.created.connect(self._show_made)
        dialog.open()

    def close_study(self) -> None:
        """Go back to the choice of studies."""
        self._when_idle(self._close_study)

    def _close_study(self) -> None:
        self._leave_page()
        self.actor = None
        self._let_networks_go()
        if self.study is not None:
            self.study.close()
            self.study = None
        self.notice.dismiss()
        self.stack.setCurrentWidget(self.start)
        self._show_who()

    def _show_made(self, study: Study, coordinator: str) -> None:
        self._show_log_in(study, name=coordinator)
        self.notice.show_message(
            f"The study “{study.config.title}” is made.",
            "Log in as coordinator to import radiographs and add readers.",
        )

    def _show_log_in(self, study: Study, *, name: str = "") -> None:
        self._leave_page()
        self._let_networks_go()
        if self.study is not None:
            self.study.close()
        self.study = study
        self.actor = None
        folder, title = study.folder, study.config.title
        Operation(lambda _job: remember_study(folder, title=title)).failure(self.notice.show_fault).run(self)
        self._show_login_page(study, name=name)

    def _show_login_page(self, study: Study, *, name: str = "") -> None:
        protocol = study.protocol
        about = f"{protocol.title} ({protocol.id}, version {protocol.version})"
        self.login.show_study(study.config.title, about, name=name)
        self.stack.setCurrentWidget(self.login)
        self._show_who()

    # Accounts -----------------------------------------------------------------------------------

    def _log_in(self, name: str, password: str) -> None:
        study = self.study
        if study is None:
            return

        def work(_job: Job) -> Actor:
            from reader_app.operations.log_in import log_in

            return log_in(study, name, password)

        Operation(work).success(self._enter).failure(self.login.show_fault).done(
            lambda: self.login.set_busy(busy=False)
        ).run(self)

    def _enter(self, actor: Actor) -> None:
        # The study may have been closed while name and password were checked.
        if self.study is None:
            return
        from reader_app.operations.pregrade import WarmWorkers
        from reader_app.ui.role_pages import page_for

        self.actor = actor
        self._warm = self._warm or WarmWorkers()
        self.notice.dismiss()
        page = page_for(self.study, actor, jobs=self.jobs, warm=self._warm)
        page.failed.connect(self.notice.show_fault)
        page.said.connect(self.notice.show_message)
        page.study_changed.connect(self._take_study)
        self.page = page
        self.stack.addWidget(page)
        self.stack.setCurrentWidget(page)
        self.session.begin(self.study, actor)
        self._show_who()

    def _let_networks_go(self) -> None:
        """End the processes of the AI, which stay over log-outs, in the background."""
        warm, self._warm = self._warm, None
        if warm is not None:
            Operation(lambda _job: warm.close()).run(self)

    def choose_pin(self) -> None:
        """Ask for a PIN that unlocks the window until the log out."""
        from reader_app.ui.session.pin_dialog import PinDialog

        dialog = PinDialog(self)
        dialog.chosen.connect(self.session.set_pin)
        dialog.open()

    def _covered(self) -> None:
        if self.page is not None:
            self.page.pause()
        self._show_who()

    def _take_study(self, study: Study) -> None:
        self.study = study

    def log_out(self) -> None:
        """Let somebody else log in to the same study."""
        self._when_idle(self._log_out)

    def _log_out(self) -> None:
        study = self.study
        if study is None:
            return
        self._leave_page()
        self.actor = None
        self.notice.dismiss()
        self._show_login_page(study)

    def _leave_page(self) -> None:
        self.session.end()
        page, self.page = self.page, None
        if page is not None:
            page.leave()
            self.stack.removeWidget(page)
            page.deleteLater()

    # Work under way -----------------------------------------------------------------------------

    def _when_idle(self, then: Callable[[], None]) -> None:
        """Do it now, or ask first where a job would have to be stopped or something typed be lost."""
        if self.page is not None and not self.page.may_leave():
            return
        if not self.jobs.titles:
            then()
            return
        if self._dialog is not None:
            return
        running = " and ".join(title.lower() for title in self.jobs.titles)
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle(APP_NAME)
        box.setIcon(QMessageBox.Icon.Question)
        box.setText(f"There is work under way: {running}.")
        box.setInformativeText("What is done so far stays done, and it can be started again later.")
        stop = box.addButton("&Stop it and go on", QMessageBox.ButtonRole.AcceptRole)
        stay = box.addButton("&Keep working", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        box.setEscapeButton(stay)
        self._dialog = box

        def answered() -> None:
            self._dialog = None
            if box.clickedButton() is stop:
                self._after_jobs = then
                self.jobs.stop_all()
                self._go_on_after_jobs()

        box.finished.connect(answered)
        box.open()

    def _go_on_after_jobs(self) -> None:
        if self._after_jobs is not None and not self.jobs.titles:
            then, self._after_jobs = self._after_jobs, None
            then()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt: ask before work is stopped; then leave everything tidy."""
        if self.jobs.titles or (self.page is not None and not self.page.may_leave()):
            event.ignore()
            self._when_idle(self._close_again)
            return
        self._close_study()
        super().closeEvent(event)

    def _close_again(self) -> None:
        self.close()

    # Furniture ----------------------------------------------------------------------------------

    def show_keys(self) -> None:
        """Show all keys that are valid on the page in front."""
        from reader_app.ui.keys_sheet import KeysSheet

        grading = self.place in (Place.READING, Place.ADJUDICATION)
        KeysSheet(self.place, self.study.protocol if grading and self.study else None, self).open()

    @property
    def place(self) -> Place:
        """Where the person is, for the keys."""
        if self.page is not None:
            return self.page.place
        return Place.START

    def show_fault(self, fault: ReaderError) -> None:
        """Say a fault above the page."""
        self.notice.show_fault(fault)

    def _full_screen(self, wanted: bool) -> None:
        if wanted:
            self.showFullScreen()
        else:
            self.showNormal()

    def _make_actions(self) -> ActionSet:
        return ActionSet(
            self,
            Place.EVERYWHERE,
            {
                "session-lock": self.session.lock,
                "session-pin": self.choose_pin,
                "log-out": self.log_out,
                "study-close": self.close_study,
                "keys": self.show_keys,
                "full-screen": self._full_screen,
                "quit": self.close,
            },
        )

    def _fill_menus(self) -> None:
        study, window = QMenu("&Study", self), QMenu("&Window", self)
        self.actions_everywhere.fill_menu(study, [Group.STUDY])
        self.actions_everywhere.fill_menu(window, [Group.APP])
        self.menuBar().addMenu(study)
        self.menuBar().addMenu(window)
        self._who.setContentsMargins(0, 0, 2 * SPACING, 0)
        colour_text(self._who, Colour.MUTED)
        self.menuBar().setCornerWidget(self._who)

    def _show_who(self) -> None:
        """Name study and account in the title bar and beside the menus; nothing of both while locked."""
        covered = self.session.is_locked
        names = [self.study.config.title] if self.study else []
        if self.actor is not None:
            names.append(f"{self.actor.name}, {self.actor.role.value}")
        if covered:
            names = ["Locked"]
        self.setWindowTitle(" – ".join([*names, APP_NAME]))
        self._who.setText("  ·  ".join(names))
        self.menuBar().adjustSize()
        self.actions_everywhere.enable(["log-out"], self.actor is not None)
        self.actions_everywhere.enable(["study-close"], self.study is not None and not covered)
        self.actions_everywhere.enable(
            ["session-lock", "session-pin"], self.actor is not None and not covered
        )
        self.actions_everywhere.enable(["keys"], not covered)

    def _lay_out(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notice)
        column.addWidget(self.stack, 1)
        column.addWidget(self.jobs)
        self.session = SessionLock(inside)
        self.setCentralWidget(self.session)
        self.setMinimumSize(*SMALLEST)
        self.resize(*USUAL)
