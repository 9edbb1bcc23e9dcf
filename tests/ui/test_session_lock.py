"""The window covers itself while nobody is there, and lets the same person back to where they stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from reader_app.operations.study import Study, open_study
from reader_app.store.accounts import WRONG_BEFORE_LOCK
from reader_app.store.pins import SessionPin
from reader_app.ui.main_window import MainWindow
from reader_app.ui.role_pages import ReaderRolePage
from reader_app.ui.session.idle_watch import IdleWatch
from reader_app.ui.session.pin_dialog import PinDialog


@dataclass
class Hands:
    """A clock that stands still until it is moved."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def window(qtbot: QtBot, study_folder: Path, passwords: dict[str, str], hands: Hands) -> Iterator[MainWindow]:
    """A window in which Anna has a case of hers open."""
    shown = MainWindow()
    qtbot.addWidget(shown)
    shown.session.watch._now = hands
    shown.show()
    shown.open_study(study_folder)
    qtbot.waitUntil(shown.login.isVisible)
    shown.login.name.setText("Anna")
    shown.login.password.setText(passwords["Anna"])
    shown.login.enter.click()
    qtbot.waitUntil(lambda: isinstance(shown.page, ReaderRolePage), timeout=20_000)
    page = shown.page
    assert isinstance(page, ReaderRolePage)
    qtbot.waitUntil(lambda: page.worklist.model.rowCount() > 0, timeout=20_000)
    page.worklist.open_next()
    qtbot.waitUntil(lambda: page.reading is not None and page.reading.ready, timeout=20_000)
    yield shown
    shown.close()


def reader_page(window: MainWindow) -> ReaderRolePage:
    assert isinstance(window.page, ReaderRolePage)
    return window.page


def unlock(qtbot: QtBot, window: MainWindow, secret: str) -> None:
    cover = window.session.cover
    cover.secret.setText(secret)
    QTest.keyClick(cover.secret, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not cover.busy or not window.session.is_locked, timeout=20_000)


def test_after_the_minutes_of_the_design_everything_is_covered(window: MainWindow, hands: Hands) -> None:
    minutes = window.study.design.session_minutes if window.study else 0
    assert minutes > 0
    hands.seconds += 60 * minutes - 1
    assert not window.session.watch.check()
    hands.seconds += 1
    assert window.session.watch.check()
    assert window.session.is_locked
    reading = reader_page(window).reading
    assert reading is not None
    assert not reading.isVisible()
    assert not reading.flow.clock.counting
    for said in (window.windowTitle(), window._who.text()):
        assert "Anna" not in said
        assert "Six knees" not in said


def test_the_case_is_exactly_as_it_was_after_the_password(
    qtbot: QtBot, window: MainWindow, passwords: dict[str, str]
) -> None:
    reading = reader_page(window).reading
    assert reading is not None
    QTest.keyClick(reading, Qt.Key.Key_3)
    case, key = reading.open_case, reading.current_key
    assert case is not None
    window.session.lock()
    QTest.keyClick(window.session.cover.secret, Qt.Key.Key_3)
    unlock(qtbot, window, passwords["Anna"])
    qtbot.waitUntil(lambda: not window.session.is_locked, timeout=20_000)
    assert reading.isVisible()
    assert reading.open_case is case
    assert reading.current_key == key
    assert "Anna" in window.windowTitle()
    assert window.session.watch.running


def test_a_wrong_password_keeps_the_cover_and_counts(qtbot: QtBot, window: MainWindow) -> None:
    window.session.lock()
    for _ in range(WRONG_BEFORE_LOCK):
        unlock(qtbot, window, "not hers at all")
        assert window.session.is_locked
    assert "locked until" in window.session.cover.fault.text()


def test_a_pin_opens_until_it_was_wrong_three_times(
    qtbot: QtBot, window: MainWindow, passwords: dict[str, str]
) -> None:
    window.session.set_pin(SessionPin("2580"))
    window.session.lock()
    unlock(qtbot, window, "2580")
    qtbot.waitUntil(lambda: not window.session.is_locked, timeout=20_000)
    window.session.lock()
    assert "PIN" in window.session.cover.words.text()
    for _ in range(3):
        unlock(qtbot, window, "0852")
        assert window.session.is_locked
    assert "password" in window.session.cover.words.text()
    unlock(qtbot, window, "2580")
    assert window.session.is_locked, "a PIN that is used up opens nothing"
    unlock(qtbot, window, passwords["Anna"])
    qtbot.waitUntil(lambda: not window.session.is_locked, timeout=20_000)


def test_somebody_else_can_log_in_and_the_pin_is_forgotten(qtbot: QtBot, window: MainWindow) -> None:
    window.session.set_pin(SessionPin("2580"))
    window.session.lock()
    window.session.cover.log_out.click()
    qtbot.waitUntil(window.login.isVisible)
    assert not window.session.is_locked
    assert not window.session.has_pin
    assert not window.session.watch.running


def test_a_dialog_is_hidden_with_the_rest_and_comes_back(
    qtbot: QtBot, window: MainWindow, passwords: dict[str, str]
) -> None:
    window.choose_pin()
    (dialog,) = window.findChildren(PinDialog)
    assert dialog.isVisible()
    window.session.lock()
    assert not dialog.isVisible()
    unlock(qtbot, window, passwords["Anna"])
    qtbot.waitUntil(dialog.isVisible, timeout=20_000)
    dialog.reject()


def test_keys_behind_the_cover_do_nothing(window: MainWindow) -> None:
    reading = reader_page(window).reading
    assert reading is not None
    assert reading.open_case is not None
    before = len(reading.open_case.session.open_keys())
    window.session.lock()
    QTest.keyClick(window, Qt.Key.Key_2)
    QTest.keyClick(window, Qt.Key.Key_Question, Qt.KeyboardModifier.ShiftModifier)
    assert len(reading.open_case.session.open_keys()) == before
    assert QApplication.activeModalWidget() is None


@pytest.mark.parametrize("digits", ["123", "123456789", "12a4", "1111", "١٢٣٤"])
def test_a_pin_that_will_not_do_is_refused(digits: str) -> None:
    from reader_app.errors import AccountError

    with pytest.raises(AccountError):
        SessionPin(digits)


def test_only_what_hands_do_counts_as_a_sign_of_life(qtbot: QtBot, hands: Hands) -> None:
    watch = IdleWatch(hands)
    went: list[bool] = []
    watch.idle.connect(lambda: went.append(True))
    watch.start(60.0)
    here, there = QPointF(5, 5), QPointF(9, 9)

    def move(to: QPointF) -> QMouseEvent:
        return QMouseEvent(
            QEvent.Type.MouseMove,
            to,
            to,
            Qt.MouseButton.NoButton,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
        )

    press = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier)
    watch.eventFilter(watch, move(here))
    for sign_of_life, event in ((False, move(here)), (True, move(there)), (True, press)):
        hands.seconds += 40
        watch.eventFilter(watch, event)
        hands.seconds += 30
        assert watch.check() is not sign_of_life, event
        watch.start(60.0)
    for unmoved in (QEvent(QEvent.Type.UpdateRequest), QEvent(QEvent.Type.Expose)):
        hands.seconds += 40
        watch.eventFilter(watch, unmoved)
        hands.seconds += 30
        assert watch.check()
        watch.start(60.0)
    watch.stop()
    watch.deleteLater()


def test_a_key_that_comes_too_late_covers_and_is_not_for_the_page(qtbot: QtBot, hands: Hands) -> None:
    watch = IdleWatch(hands)
    watch.start(60.0)
    hands.seconds += 3600
    press = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_3, Qt.KeyboardModifier.NoModifier)
    assert watch.eventFilter(watch, press), "after a night asleep, the first key must not grade"
    assert not watch.running
    watch.deleteLater()


def test_a_design_without_minutes_never_covers(qtbot: QtBot, hands: Hands) -> None:
    watch = IdleWatch(hands)
    watch.start(0.0)
    hands.seconds += 1e6
    assert not watch.check()
    watch.deleteLater()


def test_the_study_is_still_open_behind_the_cover(window: MainWindow, study_folder: Path) -> None:
    window.session.lock()
    assert isinstance(window.study, Study)
    with open_study(study_folder) as other:
        assert other.config.id == window.study.config.id
