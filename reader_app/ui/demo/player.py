"""Presses keys in a window as a person would, waits as a person would, and takes pictures."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from PySide6.QtCore import QEventLoop, QKeyCombination, Qt, QTimer
from PySide6.QtGui import QColor, QKeySequence, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QWidget

from reader_app.ui.session.session_lock import SessionLock

MOST_TABS = 80
PATIENCE_SECONDS = 180.0


class StuckError(RuntimeError):
    """The window did not come to where the play goes on: a bug of ours, never of the user."""


class KeyPlayer:
    """Drives one window by its keyboard.

    Parameters
    ----------
    window
        The main window, shown.
    pictures
        Where screenshots go, numbered; None takes none.
    pause_ms
        How long to rest after each key, so that a person can follow; 0 offscreen.
    tell
        Told of each picture.
    """

    def __init__(
        self,
        window: QWidget,
        *,
        pictures: Path | None = None,
        pause_ms: int = 0,
        tell: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        self.window = window
        self.pictures = pictures
        self.taken: list[Path] = []
        self._pause_ms = pause_ms
        self._tell = tell
        self._session = window.findChild(SessionLock)

    def press(self, *keys: str) -> None:
        """Press keys one after the other, each in Qt's portable text, such as ``3`` or ``Ctrl+Return``."""
        for key in keys:
            pressed = _combination(key)
            QTest.keyClick(self._target(), pressed.key(), pressed.keyboardModifiers())
            self.rest()

    def write(self, text: str) -> None:
        """Type a text where the keyboard is."""
        QTest.keyClicks(self._target(), text)
        self.rest()

    def go_to(self, field: QWidget) -> None:
        """Press Tab until a field has the keyboard.

        Raises
        ------
        StuckError
            If Tab does not lead there: then it cannot be used by keyboard alone.
        """
        for _ in range(MOST_TABS):
            if field.hasFocus():
                return
            QTest.keyClick(self._target(), Qt.Key.Key_Tab)
            self.rest()
        raise StuckError(f"Tab does not lead to {field.accessibleName() or type(field).__name__}.")

    def fill(self, field: QLineEdit, text: str) -> None:
        """Go to a text field and type into it, in place of what is there."""
        self.go_to(field)
        self.press("Ctrl+A")
        self.write(text)

    def choose(self, field: QComboBox, data: object) -> None:
        """Go to a list and press Up or Down until an entry is chosen.

        Raises
        ------
        StuckError
            If it has no such entry.
        """
        wanted = field.findData(data)
        if wanted < 0:
            raise StuckError(f"The list has no entry {data!r}.")
        self.go_to(field)
        while field.currentIndex() != wanted:
            self.press("Down" if field.currentIndex() < wanted else "Up")

    def wait(self, until: Callable[[], bool], *, what: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Let the window work until something is so.

        Raises
        ------
        StuckError
            If it does not come about in time.
        """
        end = time.monotonic() + seconds
        while not until():
            if self._session is not None:
                # Who plays is at the screen, also while only watching.
                self._session.watch.touch()
            if time.monotonic() > end:
                raise StuckError(f"Waited {seconds:.0f} s in vain: {what}.")
            self.settle(20)

    def rest(self) -> None:
        """Let the window draw, and a person look where one is watching."""
        if self._pause_ms:
            self.settle(self._pause_ms)
        else:
            QApplication.processEvents()

    def settle(self, milliseconds: int) -> None:
        """Let the window run for a while."""
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def shot(self, name: str) -> None:
        """Take a picture of the window, with the dialog that is open over it."""
        if self.pictures is None:
            return
        QApplication.processEvents()
        self.pictures.mkdir(parents=True, exist_ok=True)
        picture = self.window.grab()
        dialog = QApplication.activeModalWidget()
        if dialog is not None and dialog is not self.window:
            # In the middle, where a window manager puts it; offscreen there is none.
            place = self.window.rect().center() - dialog.rect().center()
            painter = QPainter(picture)
            painter.fillRect(picture.rect(), QColor(0, 0, 0, 150))
            painter.drawPixmap(place, dialog.grab())
            painter.setPen(dialog.palette().light().color())
            painter.drawRect(dialog.rect().translated(place))
            painter.end()
        path = self.pictures / f"{len(self.taken) + 1:02d}-{name}.png"
        picture.save(str(path))
        self.taken.append(path)
        self._tell(f"picture {path.name}")

    def _target(self) -> QWidget:
        if QApplication.activeWindow() is None:
            # Offscreen there is no window manager that gives the keyboard back when a dialog closes.
            self.window.activateWindow()
            QApplication.processEvents()
        dialog = QApplication.activeModalWidget() or QApplication.activePopupWidget()
        top = dialog or self.window
        focus = QApplication.focusWidget()
        return focus if focus is not None and (focus is top or top.isAncestorOf(focus)) else top


def _combination(key: str) -> QKeyCombination:
    # The type information of Qt's bindings does not know that a sequence can be indexed.
    return cast(QKeyCombination, cast(Any, QKeySequence(key))[0])
