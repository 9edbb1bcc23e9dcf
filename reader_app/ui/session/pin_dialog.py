"""Choosing a PIN for the session, so that coming back takes a few digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from reader_app.ui.decision_dialog import DecisionDialog
from reader_app.ui.fields import secret_field
from reader_app.ui.labels import hint

if TYPE_CHECKING:
    from reader_app.store.pins import SessionPin

WIDTH = 420
TITLE = "PIN for this session"
_ABOUT = (
    "It unlocks this window in place of your password until you log out, and is never stored. After three "
    "wrong ones the password is asked for."
)


class PinDialog(DecisionDialog):
    """Asks for a PIN twice.

    Signals
    -------
    chosen(SessionPin)
        It will do; the dialog has closed.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(TITLE, width=WIDTH, words="&Use it", parent=parent)
        self.pin, self.again = (
            secret_field(words, placeholder=words) for words in ("4 to 8 digits", "The same again")
        )
        self._lay_out(TITLE, hint(_ABOUT), self.pin, self.again, fields=(self.pin, self.again))

    def _decide(self) -> None:
        digits = self.pin.text()
        if digits != self.again.text():
            self._refuse("The two differ: type the same PIN twice.")
            return

        def choose() -> SessionPin:
            from reader_app.operations.unlock import choose_pin

            return choose_pin(digits)

        self._carry_out(choose, self.chosen.emit)
