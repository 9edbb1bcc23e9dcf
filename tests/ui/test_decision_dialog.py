"""What every dialog that decides something shares: once, not closed meanwhile, and tried again."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from reader_app.errors import StudyBusy
from reader_app.ui.decision_dialog import DecisionDialog
from reader_app.ui.error_dialog import BugDialog
from reader_app.ui.fields import secret_field

WORDS = "&Do it"


class Question(DecisionDialog):
    """Does nothing until it may, and then ends as the test says."""

    def __init__(self, parent: QWidget, *, ends: Exception | None = None) -> None:
        super().__init__("Question", width=300, words=WORDS, parent=parent)
        self.may = threading.Event()
        self.begun: list[str] = []
        self.told: list[int] = []
        self._ends = ends
        self.reason = QLineEdit()
        self.password = secret_field("Password")
        self._lay_out("A question", self.reason, self.password, fields=(self.reason, self.password))

    def _decide(self) -> None:
        typed = self.password.text()
        if not typed:
            self._ask_for(self.password, "Type your password.")
            return
        self.begun.append(typed)

        def work() -> int:
            assert self.may.wait(60)
            if self._ends is not None:
                raise self._ends
            return 7

        self._carry_out(work, self.told.append)


@pytest.fixture
def owner(qtbot: QtBot) -> Iterator[QWidget]:
    made = QWidget()
    qtbot.addWidget(made)
    made.show()
    yield made
    for each in made.findChildren(Question):
        each.may.set()


def ask(owner: QWidget, *, ends: Exception | None = None) -> Question:
    dialog = Question(owner, ends=ends)
    dialog.open()
    dialog.reason.setText("because")
    dialog.password.setText("secret")
    return dialog


def test_enter_decides_once_and_nothing_closes_the_dialog_meanwhile(owner: QWidget, qtbot: QtBot) -> None:
    dialog = ask(owner)
    told = dialog.told
    QTest.keyClick(dialog.password, Qt.Key.Key_Return)
    assert (dialog.go.text(), dialog.back.isEnabled()) == ("Checking …", False)
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    dialog.check()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.close(), "the window's own button means the same as Esc"
    assert dialog.isVisible()
    assert dialog.begun == ["secret"]
    dialog.may.set()
    qtbot.waitUntil(lambda: told == [7])
    qtbot.waitUntil(lambda: not isValid(dialog))


def test_what_is_missing_is_said_and_gets_the_keyboard(owner: QWidget) -> None:
    dialog = ask(owner)
    dialog.password.clear()
    dialog.go.click()
    assert "password" in dialog.fault.text()
    assert dialog.focusWidget() is dialog.password
    assert dialog.begun == []


def test_after_a_refusal_only_what_was_typed_unseen_is_typed_again(owner: QWidget, qtbot: QtBot) -> None:
    dialog = ask(owner, ends=StudyBusy("The study is in use.", "Try again."))
    dialog.go.click()
    dialog.may.set()
    qtbot.waitUntil(lambda: "in use" in dialog.fault.text())
    assert (dialog.reason.text(), dialog.password.text()) == ("because", "")
    assert dialog.focusWidget() is dialog.password
    assert (dialog.go.text(), dialog.go.isEnabled()) == (WORDS, True)
    dialog.password.setText("another")
    QTest.keyClick(dialog.password, Qt.Key.Key_Return)
    assert dialog.begun == ["secret", "another"]
    qtbot.waitUntil(dialog.go.isEnabled)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_a_bug_leaves_nobody_with_a_dialog_that_stays(
    owner: QWidget, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    dialog = ask(owner, ends=ZeroDivisionError("a bug of ours"))
    dialog.go.click()
    dialog.may.set()
    qtbot.waitUntil(lambda: dialog.findChild(BugDialog) is not None)
    qtbot.waitUntil(dialog.go.isEnabled)
    assert "a bug of ours" in caplog.text
    bug = dialog.findChild(BugDialog)
    assert bug is not None
    bug.close()
    dialog.reject()
    assert not dialog.isVisible()
    assert dialog.told == []
