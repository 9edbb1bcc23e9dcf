"""A design in the making, seen from the window: not lost at log-out, and in force for who comes next."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QHBoxLayout, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from reader_app.ui.coordinator.design_section import DesignSection
from reader_app.ui.coordinator.design_wizard.fields import Field, Step
from reader_app.ui.coordinator.design_wizard.wizard import DesignWizard
from reader_app.ui.labels import ElidedHeading
from reader_app.ui.main_window import MainWindow
from reader_app.ui.role_pages import StudyRolePage

PATIENCE = 20_000
CONTROL = Qt.KeyboardModifier.ControlModifier


class Screen:
    """The window with Carla at her study."""

    def __init__(self, qtbot: QtBot, folder: Path, passwords: dict[str, str]) -> None:
        self.qtbot = qtbot
        self.passwords = passwords
        self.window = MainWindow()
        qtbot.addWidget(self.window)
        with qtbot.waitActive(self.window):
            self.window.show()
            self.window.activateWindow()
        self.window.open_study(folder)
        qtbot.waitUntil(lambda: self.window.study is not None, timeout=PATIENCE)
        self.enter("Carla")

    def enter(self, name: str) -> None:
        login = self.window.login
        self.qtbot.waitUntil(login.isVisible, timeout=PATIENCE)
        login.name.setText(name)
        login.password.setText(self.passwords[name])
        QTest.keyClick(login.password, Qt.Key.Key_Return)
        self.qtbot.waitUntil(lambda: self.window.page is not None, timeout=PATIENCE)

    @property
    def section(self) -> DesignSection:
        page = self.window.page
        assert isinstance(page, StudyRolePage)
        return page.study_page.design

    def wizard(self) -> DesignWizard:
        page = self.window.page
        assert isinstance(page, StudyRolePage)
        page.study_page.open_section(self.section)
        self.section.open_wizard()
        self.qtbot.waitUntil(lambda: self.section.wizard is not None, timeout=PATIENCE)
        wizard = self.section.wizard
        assert wizard is not None
        wizard.model.set(Field.SESSION, 44)
        wizard.pages[Step.SIGNING].edited.emit()
        return wizard


@pytest.fixture
def screen(qtbot: QtBot, study_folder: Path, passwords: dict[str, str]) -> Screen:
    return Screen(qtbot, study_folder, passwords)


def test_logging_out_with_an_unfinished_design_asks_first(qtbot: QtBot, screen: Screen) -> None:
    wizard = screen.wizard()
    screen.window.log_out()
    assert screen.window.actor is not None
    box = wizard.findChild(QMessageBox)
    assert isinstance(box, QMessageBox)
    (forget,) = (button for button in box.buttons() if "Forget" in button.text())
    forget.click()
    screen.window.log_out()
    assert screen.window.actor is None


def test_closing_the_window_with_an_unfinished_design_asks_first(qtbot: QtBot, screen: Screen) -> None:
    wizard = screen.wizard()
    screen.window.close()
    assert screen.window.isVisible()
    box = wizard.findChild(QMessageBox)
    assert isinstance(box, QMessageBox)
    (forget,) = (button for button in box.buttons() if "Forget" in button.text())
    forget.click()
    screen.window.close()
    assert not screen.window.isVisible()


def test_whoever_logs_in_next_works_under_the_new_design(qtbot: QtBot, screen: Screen) -> None:
    wizard = screen.wizard()
    wizard.go(Step.PREVIEW)
    qtbot.waitUntil(wizard.force.isEnabled, timeout=PATIENCE)
    wizard.put_in_force()
    qtbot.waitUntil(lambda: screen.section.wizard is None, timeout=PATIENCE)
    study = screen.window.study
    assert study is not None
    assert study.design.session_minutes == 44
    screen.window.log_out()
    screen.enter("Anna")
    assert screen.window.study is study


def test_the_page_fits_a_small_screen_with_all_its_tabs(screen: Screen) -> None:
    page = screen.window.page
    assert isinstance(page, StudyRolePage)
    screen.window.resize(1280, 720)
    assert screen.window.size() == QSize(1280, 720)
    bar = page.study_page.tabs.tabBar()
    last = bar.tabRect(bar.count() - 1)
    assert last.right() <= bar.width() <= 1280
    assert last.height() >= bar.fontMetrics().height() + 8


def test_a_long_title_is_shortened_and_told_in_full(qtbot: QtBot) -> None:
    title = "A study with very many sponsors, " * 9
    room = QWidget()
    qtbot.addWidget(room)
    shown = ElidedHeading(title)
    line = QHBoxLayout(room)
    line.addWidget(shown)
    assert room.minimumSizeHint().width() < 100, "a title pushes nothing"
    room.resize(300, 40)
    room.show()
    assert shown.text().endswith("…")
    assert shown.toolTip() == title
    room.resize(9000, 40)
    assert (shown.text(), shown.toolTip()) == (title, "")
