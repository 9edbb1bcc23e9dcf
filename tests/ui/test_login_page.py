"""Logging in: by keyboard alone, with every fault in words."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from reader_app.errors import AccountLocked, WrongPassword
from reader_app.ui.login_page import LoginPage


@pytest.fixture
def page(qtbot: QtBot) -> LoginPage:
    page = LoginPage()
    qtbot.addWidget(page)
    page.show_study("Six knees", "Knee, Kellgren-Lawrence grade")
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    return page


def test_name_and_password_by_keyboard_alone(qtbot: QtBot, page: LoginPage) -> None:
    qtbot.waitUntil(page.name.hasFocus)
    QTest.keyClicks(page.name, " Anna ")
    QTest.keyClick(page.name, Qt.Key.Key_Return)
    qtbot.waitUntil(page.password.hasFocus)
    QTest.keyClicks(page.password, "anna reads ")
    with qtbot.waitSignal(page.log_in_requested) as asked:
        QTest.keyClick(page.password, Qt.Key.Key_Return)
    # The name is trimmed; a password is taken as it is typed.
    assert asked.args == ["Anna", "anna reads "]


def test_nothing_is_asked_with_an_empty_field(qtbot: QtBot, page: LoginPage) -> None:
    with qtbot.assertNotEmitted(page.log_in_requested):
        QTest.keyClick(page.password, Qt.Key.Key_Return)
        assert page.fault.text() == "Type your name."
        page.name.setText("Anna")
        QTest.keyClick(page.password, Qt.Key.Key_Return)
        assert page.fault.text() == "Type your password."


def test_a_second_enter_does_not_ask_twice(qtbot: QtBot, page: LoginPage) -> None:
    page.name.setText("Anna")
    page.password.setText("secret words")
    asked: list[str] = []
    page.log_in_requested.connect(lambda name, _password: asked.append(name))
    QTest.keyClick(page.password, Qt.Key.Key_Return)
    QTest.keyClick(page.password, Qt.Key.Key_Return)
    page.enter.click()
    assert asked == ["Anna"]


def test_a_fault_is_said_and_the_password_is_typed_again(qtbot: QtBot, page: LoginPage) -> None:
    page.name.setText("Anna")
    page.password.setText("wrong words")
    QTest.keyClick(page.password, Qt.Key.Key_Return)
    page.show_fault(WrongPassword("Name or password is wrong.", "Type both again."))
    assert page.fault.isVisible()
    assert page.fault.text() == "Name or password is wrong. Type both again."
    assert page.password.text() == ""
    assert page.name.text() == "Anna"
    assert page.password.isEnabled()
    qtbot.waitUntil(page.password.hasFocus)


def test_the_sentence_of_a_locked_account_is_not_cut(qtbot: QtBot, page: LoginPage) -> None:
    page.show_fault(
        AccountLocked(
            "This account is locked until 11:45, after five wrong passwords in a row.",
            "Wait, or ask a coordinator to unlock it.",
        )
    )
    qtbot.waitUntil(lambda: page.fault.height() >= page.fault.heightForWidth(page.fault.width()))


@pytest.mark.parametrize(
    ("text", "modifier", "hinted"),
    [
        ("A", Qt.KeyboardModifier.NoModifier, True),
        ("A", Qt.KeyboardModifier.ShiftModifier, False),
        ("a", Qt.KeyboardModifier.NoModifier, False),
        ("a", Qt.KeyboardModifier.ShiftModifier, True),
        ("7", Qt.KeyboardModifier.NoModifier, False),
    ],
)
def test_caps_lock_is_guessed_from_what_is_typed(
    page: LoginPage, text: str, modifier: Qt.KeyboardModifier, hinted: bool
) -> None:
    from PySide6.QtCore import QCoreApplication, QEvent
    from PySide6.QtGui import QKeyEvent

    key = Qt.Key(ord(text.upper()))
    QCoreApplication.sendEvent(page.password, QKeyEvent(QEvent.Type.KeyPress, key, modifier, text))
    assert page.caps_lock_hinted is hinted


def test_another_study_is_one_button_away(qtbot: QtBot, page: LoginPage) -> None:
    with qtbot.waitSignal(page.leave_requested):
        QTest.keyClick(page.leave, Qt.Key.Key_Space)
