"""What stands before everything while nobody is at the screen: who is expected back, nothing else."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from reader_app.ui.card_page import CardPage
from reader_app.ui.fields import secret_field
from reader_app.ui.labels import Card, heading, hint
from reader_app.ui.theme import SPACING, Colour, fill_background


class LockCover(CardPage):
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
        self.secret = secret_field("Password")
        self.unlock = QPushButton("&Unlock")
        self.log_out = QPushButton("&Someone else: log out")
        self._pin = False
        self._lay_out()
        self.secret.returnPressed.connect(self._ask)
        self.unlock.clicked.connect(self._ask)
        self.log_out.clicked.connect(self.log_out_requested)

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

    def _ask(self) -> None:
        if self.busy:
            return
        if not self.secret.text():
            self._ask_for(self.secret, f"Type your {'PIN' if self._pin else 'password'}.")
            return
        self._hold()
        self.unlock_requested.emit(self.secret.text())

    def _lay_out(self) -> None:
        card = Card(margin=4 * SPACING)
        buttons = QHBoxLayout()
        buttons.addWidget(self.log_out)
        buttons.addStretch()
        buttons.addWidget(self.unlock)
        for widget in (self.title, self.words, self.secret, self.fault):
            card.body.addWidget(widget)
        card.body.addSpacing(SPACING)
        card.body.addLayout(buttons)
        self._place(card, secret=self.secret, go=self.unlock, also=(self.log_out,))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        QWidget.setTabOrder(self.secret, self.unlock)
        QWidget.setTabOrder(self.unlock, self.log_out)
