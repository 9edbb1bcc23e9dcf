"""What the app says when something goes wrong.

A `ReaderError` is a sentence in a calm bar at the top of the window: it blocks nothing. Anything else
is a bug of ours: it is written to the log and told in a dialog, and the app lives on.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from reader_app.errors import ReaderError
from reader_app.settings import software_version
from reader_app.ui.icons import icon
from reader_app.ui.labels import heading, hint
from reader_app.ui.theme import SPACING, Colour, fill_background

log = logging.getLogger(__name__)
_ICON = 20


class NoticeBar(QFrame):
    """One sentence and the next step, above the page; the cross takes it away, and so does the next step."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        fill_background(self, Colour.RAISED)
        self._sign = QLabel()
        self._what = QLabel()
        self._next_step = hint()
        for label in (self._what, self._next_step):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = QToolButton()
        close.setIcon(icon("close"))
        close.setAutoRaise(True)
        close.setToolTip("Take this message away")
        close.setAccessibleName("Take this message away")
        # By mouse only: a message must never draw the keyboard away from what is being graded.
        close.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        close.clicked.connect(self.dismiss)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._what)
        words.addWidget(self._next_step)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * SPACING, SPACING, SPACING, SPACING)
        layout.setSpacing(2 * SPACING)
        layout.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    @property
    def text(self) -> str:
        """What the bar says now; empty while it is away."""
        if self.isHidden():
            return ""
        return f"{self._what.text()} {self._next_step.text()}".strip()

    def show_fault(self, fault: ReaderError) -> None:
        """Say what is wrong and what can be done."""
        self._show("warning", Colour.WARNING, fault.what, fault.next_step)

    def show_message(self, what: str, next_step: str = "") -> None:
        """Say something that is no fault."""
        self._show("locked", Colour.GOOD, what, next_step)

    def dismiss(self) -> None:
        """Take the message away."""
        self.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: Escape inside the bar takes it away."""
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def _show(self, sign: str, colour: Colour, what: str, next_step: str) -> None:
        self._sign.setPixmap(icon(sign, colour).pixmap(_ICON, _ICON))
        self._what.setText(what)
        self._next_step.setText(next_step)
        self._next_step.setVisible(bool(next_step))
        self.setAccessibleName(f"{what} {next_step}".strip())
        self.show()


class BugDialog(QDialog):
    """Says that something unexpected happened, where it is written down, and lets it be copied.

    Parameters
    ----------
    trace
        The traceback as text.
    log_file
        Where the same is written down; None where no log could be opened.
    """

    def __init__(self, trace: str, *, log_file: Path | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Something unexpected happened")
        self.report = f"{software_version()}, Python {sys.version.split()[0]} on {sys.platform}\n\n{trace}"
        words = QLabel(
            "This is a fault of the software, not of what you did. Every grade that was shown as given is "
            "stored. You can close this message and work on."
        )
        words.setWordWrap(True)
        where = hint(
            f"It is written down in {log_file}."
            if log_file
            else "No log file could be written; copy the text below."
        )
        where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text = QPlainTextEdit(self.report)
        text.setReadOnly(True)
        text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        text.setTabChangesFocus(True)
        self.copy_button = QPushButton("&Copy for a report")
        self.copy_button.clicked.connect(self.copy)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.copy_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * SPACING, 3 * SPACING, 3 * SPACING, 2 * SPACING)
        layout.setSpacing(SPACING)
        layout.addWidget(heading("Something unexpected happened", factor=1.3))
        layout.addWidget(words)
        layout.addWidget(where)
        layout.addWidget(text, 1)
        layout.addWidget(buttons)
        self.resize(720, 420)

    def copy(self) -> None:
        """Put the whole report on the clipboard."""
        QGuiApplication.clipboard().setText(self.report)
        self.copy_button.setText("Copied")


def current_log_file() -> Path | None:
    """Return the file that the log goes to; None where it goes to none."""
    handlers = logging.getLogger().handlers
    return next((Path(h.baseFilename) for h in handlers if isinstance(h, RotatingFileHandler)), None)


def tell_bug(parent: QWidget, fault: BaseException) -> BugDialog | None:
    """Write a bug of ours down and tell it above the window of a widget.

    One dialog at a time: while it is open, what follows is only written to the log, so a fault that
    repeats with every paint does not bury the screen.

    Returns
    -------
    BugDialog or None
        The dialog; None where one is open already.
    """
    window = parent.window()
    trace = write_bug(fault)
    if any(dialog.isVisible() for dialog in window.findChildren(BugDialog)):
        return None
    dialog = BugDialog(trace, log_file=current_log_file(), parent=window)
    # open(), not exec(): the event loop of the app goes on, and so does the app.
    dialog.open()
    return dialog


def write_bug(fault: BaseException) -> str:
    """Write a bug of ours to the log; return its traceback as text."""
    trace = "".join(traceback.format_exception(fault))
    log.error("unexpected %s\n%s", type(fault).__name__, trace)
    return trace


class BugReporter(QObject):
    """Takes in every exception that nobody caught, from any thread, and tells it in the UI thread."""

    _told = Signal(object)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._before: Callable[..., object] | None = None
        self._told.connect(lambda fault: tell_bug(self._window, fault), Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Take over `sys.excepthook`."""
        self._before = sys.excepthook
        sys.excepthook = self._hook

    def uninstall(self) -> None:
        """Give `sys.excepthook` back."""
        if self._before is not None:
            sys.excepthook = self._before
            self._before = None

    def _hook(self, kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, fault, trace)
            return
        self._told.emit(fault)
