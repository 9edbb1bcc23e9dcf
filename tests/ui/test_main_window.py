"""The window: everybody comes to their own page, faults are told in words, and nothing is left behind."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from threading import Event

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox
from pytestqt.qtbot import QtBot

from reader_app.app import display_found, study_argument
from reader_app.errors import ReaderError, StudyError
from reader_app.settings import recent_studies
from reader_app.ui.actions import Place
from reader_app.ui.background import Job
from reader_app.ui.error_dialog import BugDialog, BugReporter
from reader_app.ui.main_window import MainWindow
from reader_app.ui.new_study_dialog import NewStudyDialog
from reader_app.ui.role_pages import AdjudicatorRolePage, ReaderRolePage, StudyRolePage

PATIENCE = 20_000


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = MainWindow()
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    return window


LogIn = Callable[[str], None]


@pytest.fixture
def log_in(qtbot: QtBot, window: MainWindow, passwords: dict[str, str]) -> LogIn:
    def by_keyboard(name: str) -> None:
        login = window.login
        qtbot.waitUntil(login.isVisible, timeout=PATIENCE)
        login.name.clear()
        QTest.keyClicks(login.name, name)
        QTest.keyClick(login.name, Qt.Key.Key_Return)
        QTest.keyClicks(login.password, passwords[name])
        QTest.keyClick(login.password, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: window.page is not None, timeout=PATIENCE)

    return by_keyboard


def opened(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    window.open_study(folder)
    qtbot.waitUntil(lambda: window.study is not None, timeout=PATIENCE)


@pytest.mark.parametrize(
    ("name", "kind", "place"),
    [
        ("Anna", ReaderRolePage, Place.WORKLIST),
        ("Zoe", AdjudicatorRolePage, Place.ADJUDICATION),
        ("Carla", StudyRolePage, Place.COORDINATOR),
        ("Otto", StudyRolePage, Place.COORDINATOR),
    ],
)
def test_each_role_comes_to_its_own_page(
    qtbot: QtBot, window: MainWindow, study_folder: Path, log_in: LogIn, name: str, kind: type, place: Place
) -> None:
    opened(qtbot, window, study_folder)
    log_in(name)
    assert isinstance(window.page, kind)
    assert window.place is place
    assert "Six knees" in window.windowTitle()
    assert name in window.windowTitle()


def test_logging_out_leaves_nothing_of_the_account(
    qtbot: QtBot, window: MainWindow, study_folder: Path, log_in: LogIn
) -> None:
    opened(qtbot, window, study_folder)
    log_in("Anna")
    QTest.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(window.login.isVisible)
    assert window.actor is None
    assert "Anna" not in window.windowTitle()
    assert window.login.name.text() == ""
    assert window.login.password.text() == ""
    log_in("Zoe")
    assert isinstance(window.page, AdjudicatorRolePage)


def test_a_wrong_password_is_said_on_the_page_and_can_be_corrected(
    qtbot: QtBot, window: MainWindow, study_folder: Path, log_in: LogIn
) -> None:
    opened(qtbot, window, study_folder)
    qtbot.waitUntil(window.login.isVisible)
    QTest.keyClicks(window.login.name, "Anna")
    QTest.keyClicks(window.login.password, "not her password")
    QTest.keyClick(window.login.password, Qt.Key.Key_Return)
    qtbot.waitUntil(window.login.fault.isVisible, timeout=PATIENCE)
    assert "wrong" in window.login.fault.text().lower()
    assert window.page is None
    log_in("Anna")


def test_a_folder_that_is_no_study_is_told_in_words(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    window.open_study(tmp_path / "empty")
    qtbot.waitUntil(lambda: bool(window.notice.text), timeout=PATIENCE)
    assert "is not a study" in window.notice.text
    assert window.start.isVisible()


def test_an_opened_study_is_remembered(qtbot: QtBot, window: MainWindow, study_folder: Path) -> None:
    opened(qtbot, window, study_folder)
    qtbot.waitUntil(lambda: [recent.title for recent in recent_studies()] == ["Six knees"])
    QTest.keyClick(window, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.start.isVisible() and window.start.recent.rowCount() == 1)
    assert window.study is None


def test_a_study_is_made_in_the_dialog_and_waits_for_its_coordinator(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    QTest.keyClick(window.start, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    (dialog,) = window.findChildren(NewStudyDialog)
    dialog.title.setText("A new study")
    dialog.folder.setText(str(tmp_path / "made"))
    dialog.coordinator.setText("Carla")
    dialog.password.setText("carla-coordinates")
    dialog.again.setText("carla-coordinatse")
    dialog.make.click()
    assert "differ" in dialog.fault.text()
    dialog.again.setText("carla-coordinates")
    dialog.unaided.setChecked(True)
    dialog.copy.setChecked(True)
    assert dialog.shifted.isChecked(), "the usual choice keeps no true day"
    dialog.dropped.setChecked(True)
    dialog.characteristics.setChecked(False)
    dialog.make.click()
    qtbot.waitUntil(lambda: window.study is not None, timeout=PATIENCE)
    assert window.study is not None
    assert window.study.design.arm.value == "unaided"
    assert window.study.config.images.value == "copy"
    assert window.study.config.privacy.dates.value == "dropped"
    assert not window.study.config.privacy.characteristics
    assert window.login.name.text() == "Carla"
    assert "is made" in window.notice.text


def test_a_folder_that_is_not_empty_is_refused_in_the_dialog(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine", encoding="utf-8")
    window.create_study()
    (dialog,) = window.findChildren(NewStudyDialog)
    for field, text in (
        (dialog.title, "A study"),
        (dialog.folder, str(tmp_path / "full")),
        (dialog.coordinator, "Carla"),
        (dialog.password, "carla-coordinates"),
        (dialog.again, "carla-coordinates"),
    ):
        field.setText(text)
    dialog.make.click()
    qtbot.waitUntil(lambda: "not empty" in dialog.fault.text(), timeout=PATIENCE)
    assert dialog.make.isEnabled()
    assert (tmp_path / "full" / "letter.txt").read_text(encoding="utf-8") == "mine"
    dialog.reject()


def test_a_reader_reads_from_the_worklist_and_comes_back(
    qtbot: QtBot, window: MainWindow, study_folder: Path, log_in: LogIn
) -> None:
    opened(qtbot, window, study_folder)
    log_in("Anna")
    page = window.page
    assert isinstance(page, ReaderRolePage)
    qtbot.waitUntil(lambda: page.worklist.model.rowCount() == 6, timeout=PATIENCE)
    QTest.keyClick(page.worklist.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.reading is not None and page.reading.ready, timeout=PATIENCE)
    assert window.place is Place.READING
    assert page.reading is not None
    QTest.keyClick(page.reading, Qt.Key.Key_2)
    QTest.keyClick(page.reading, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.place is Place.WORKLIST)
    qtbot.waitUntil(lambda: "1 started" in page.worklist.progress, timeout=PATIENCE)


class SlowJob:
    """Work that goes on until it is told to stop."""

    def __init__(self) -> None:
        self.begun = Event()

    def __call__(self, job: Job) -> str:
        self.begun.set()
        while not job.cancelled():
            Event().wait(0.01)
        return "stopped"


@pytest.fixture
def busy(qtbot: QtBot, window: MainWindow) -> list[str]:
    """A window with a job under way, and what came of the job."""
    ended: list[str] = []
    work = SlowJob()
    window.jobs.start("Pre-grade", work, success=ended.append, failure=lambda fault: ended.append(str(fault)))
    qtbot.waitUntil(work.begun.is_set)
    return ended


def question(window: MainWindow) -> QMessageBox:
    (box,) = [box for box in window.findChildren(QMessageBox) if box.isVisible()]
    return box


def test_closing_while_a_job_runs_asks_and_staying_keeps_it(
    qtbot: QtBot, window: MainWindow, busy: list[str]
) -> None:
    assert not window.close()
    box = question(window)
    assert "pre-grade" in box.text()
    next(button for button in box.buttons() if "Keep" in button.text()).click()
    assert window.isVisible()
    assert window.jobs.titles == ("Pre-grade",)
    assert busy == []
    window.jobs.stop_all()
    qtbot.waitUntil(lambda: busy == ["stopped"] and not window.jobs.titles, timeout=PATIENCE)


def test_closing_while_a_job_runs_stops_it_and_then_closes(
    qtbot: QtBot, window: MainWindow, busy: list[str]
) -> None:
    window.close()
    next(button for button in question(window).buttons() if "Stop" in button.text()).click()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=PATIENCE)
    assert busy == ["stopped"]


def test_the_jobs_panel_is_there_only_while_work_is(
    qtbot: QtBot, window: MainWindow, busy: list[str]
) -> None:
    assert window.jobs.isVisible()
    window.jobs.stop_all()
    qtbot.waitUntil(lambda: not window.jobs.isVisible(), timeout=PATIENCE)
    assert busy == ["stopped"]


def test_a_fault_in_a_job_comes_back_as_its_sentence(qtbot: QtBot, window: MainWindow) -> None:
    def fail(_job: Job) -> None:
        raise StudyError("The disk is full.", "Free some space.")

    window.jobs.start("Import", fail, success=lambda _none: None, failure=window.notice.show_fault)
    qtbot.waitUntil(lambda: window.notice.text == "The disk is full. Free some space.", timeout=PATIENCE)


def test_what_nobody_caught_is_told_and_the_app_lives_on(qtbot: QtBot, window: MainWindow) -> None:
    reporter = BugReporter(window)
    before = sys.excepthook
    reporter.install()
    try:
        for _ in range(2):
            fault = ValueError("a fault of ours")
            sys.excepthook(ValueError, fault, None)
        qtbot.waitUntil(lambda: bool(window.findChildren(BugDialog)))
    finally:
        reporter.uninstall()
    assert sys.excepthook is before
    (dialog,) = window.findChildren(BugDialog)
    assert "ValueError: a fault of ours" in dialog.report
    dialog.copy()
    assert "ValueError: a fault of ours" in QApplication.clipboard().text()
    dialog.reject()
    qtbot.waitUntil(lambda: not window.findChildren(BugDialog))
    assert window.isVisible()


def test_a_bug_in_a_job_is_told_with_the_log_and_the_job_ends(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    handler = RotatingFileHandler(tmp_path / "reader-app.log", encoding="utf-8")
    logging.getLogger().addHandler(handler)
    try:
        window.jobs.start("Import", lambda _job: 1 // 0, success=print, failure=print)
        qtbot.waitUntil(lambda: bool(window.findChildren(BugDialog)), timeout=PATIENCE)
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    assert window.jobs.titles == ()
    (dialog,) = window.findChildren(BugDialog)
    said = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert str(tmp_path / "reader-app.log") in said
    assert "ZeroDivisionError" in (tmp_path / "reader-app.log").read_text(encoding="utf-8")
    dialog.reject()


def test_the_notice_goes_with_escape(qtbot: QtBot, window: MainWindow) -> None:
    window.show_fault(StudyError("Something is wrong.", "Do this."))
    assert window.notice.text == "Something is wrong. Do this."
    QTest.keyClick(window.notice, Qt.Key.Key_Escape)
    assert window.notice.text == ""


def test_after_a_log_out_the_next_person_types_a_name(
    qtbot: QtBot, window: MainWindow, study_folder: Path, log_in: LogIn
) -> None:
    opened(qtbot, window, study_folder)
    log_in("Anna")
    window.log_out()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is not None)
    assert QApplication.focusWidget() is window.login.name


@pytest.mark.parametrize("size", [(1600, 1000), (1280, 720)])
def test_no_page_asks_for_more_room_than_the_screen(
    qtbot: QtBot, window: MainWindow, study_folder: Path, log_in: LogIn, size: tuple[int, int]
) -> None:
    opened(qtbot, window, study_folder)
    for name in ("Carla", "Zoe", "Anna"):
        log_in(name)
        window.resize(*size)
        QApplication.processEvents()
        assert (window.width(), window.height()) == size
        window.log_out()


@pytest.mark.parametrize(
    ("environment", "platform", "found"),
    [
        ({}, "linux", False),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", True),
        ({"DISPLAY": ":987"}, "linux", False),
        ({"DISPLAY": "elsewhere:0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-9", "XDG_RUNTIME_DIR": "/nowhere"}, "linux", False),
        ({}, "darwin", True),
        ({}, "win32", True),
    ],
)
def test_a_missing_display_is_noticed_before_qt_gives_up(
    environment: dict[str, str], platform: str, found: bool
) -> None:
    assert display_found(environment, platform=platform) is found


def test_the_window_takes_one_study_and_no_options(tmp_path: Path) -> None:
    assert study_argument([]) is None
    assert study_argument([str(tmp_path)]) == tmp_path
    with pytest.raises(ReaderError, match="no option --fast"):
        study_argument(["--fast"])
    with pytest.raises(ReaderError, match="one study, not 2"):
        study_argument(["a", "b"])


def test_recent_studies_hold_no_more_than_place_and_title(
    qtbot: QtBot, window: MainWindow, study_folder: Path, log_in: LogIn, tmp_path: Path
) -> None:
    """What is kept outside the study must not tell who read what."""
    opened(qtbot, window, study_folder)
    log_in("Anna")
    qtbot.waitUntil(lambda: bool(recent_studies()))
    for file in (tmp_path / "home").rglob("*.json"):
        assert "Anna" not in json.dumps(json.loads(file.read_text(encoding="utf-8")))
