"""What stands before everything while nobody is at the screen: who is expected back, nothing else."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.labels import Card, FaultLine, heading, hint
from reader_app.ui.theme import SPACING, Colour, fill_background

CARD_WIDTH = 460


class LockCover(QWidget):
    """Asks for password or PIN.

    Signals
    -------
    unlock_requested(str)
        What was typed.
    log_out_requested()
        Somebody else wants to log in.
    """

    unlock_requested = Signal(str)
    log_out_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        fill_background(self, Colour.BACKDROP)
        self.title = heading("", factor=1.4)
        self.title.setWordWrap(True)
        self.words = hint()
        self.secret = QLineEdit()
        self.secret.setEchoMode(QLineEdit.EchoMode.Password)
        self.fault = FaultLine()
        self.unlock = QPushButton("&Unlock")
        self.log_out = QPushButton("&Someone else: log out")
        self._pin = False
        self._lay_out()
        self.secret.returnPressed.connect(self._ask)
        self.unlock.clicked.connect(self._ask)
        self.log_out.clicked.connect(self.log_out_requested)

    @property
    def busy(self) -> bool:
        """Whether what was typed is being checked."""
        return not self.secret.isEnabled()

    def prepare(self, name: str, *, pin: bool) -> None:
        """Ask somebody for the PIN of the session, or for the password."""
        self.title.setText(f"{name}, the window is locked")
        self.ask_for(pin=pin)
        self.fault.clear()
        self.set_busy(busy=False)

    def ask_for(self, *, pin: bool) -> None:
        """Ask for PIN or password."""
        self._pin = pin
        what = "PIN" if pin else "password"
        self.secret.clear()
        self.secret.setPlaceholderText(f"Your {what}")
        self.secret.setAccessibleName("PIN" if pin else "Password")
        self.words.setText(
            f"Type your {what} and go on where you stopped. What you have graded is stored; work under way "
            "goes on."
        )

    def show_fault(self, fault: ReaderError) -> None:
        """Say why it stays locked and let it be tried again."""
        self.set_busy(busy=False)
        self.fault.say(fault)
        self.secret.clear()
        self.secret.setFocus()

    def set_busy(self, *, busy: bool) -> None:
        """Hold the fields while what was typed is checked."""
        for widget in (self.secret, self.unlock, self.log_out):
            widget.setEnabled(not busy)
        self.unlock.setText("Checking …" if busy else "&Unlock")

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: what is typed goes into the field."""
        super().showEvent(event)
        self.secret.setFocus()

    def _ask(self) -> None:
        if self.busy:
            return
        if not self.secret.text():
            self.fault.say(f"Type your {'PIN' if self._pin else 'password'}.")
            self.secret.setFocus()
            return
        self.fault.clear()
        self.set_busy(busy=True)
        self.unlock_requested.emit(self.secret.text())

    def _lay_out(self) -> None:
        card = Card(margin=4 * SPACING)
        card.setFixedWidth(CARD_WIDTH)
        buttons = QHBoxLayout()
        buttons.addWidget(self.log_out)
        buttons.addStretch()
        buttons.addWidget(self.unlock)
        for widget in (self.title, self.words, self.secret, self.fault):
            card.body.addWidget(widget)
        card.body.addSpacing(SPACING)
        card.body.addLayout(buttons)
        middle = QHBoxLayout()
        middle.addStretch()
        middle.addWidget(card)
        middle.addStretch()
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addLayout(middle)
        layout.addStretch(3)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        QWidget.setTabOrder(self.secret, self.unlock)
        QWidget.setTabOrder(self.unlock, self.log_out)
