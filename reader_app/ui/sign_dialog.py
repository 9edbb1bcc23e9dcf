"""What a reader signs, and the password for it, where the study asks for one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from reader_app.store.proofs import Proof
from reader_app.ui.decision_dialog import DecisionDialog
from reader_app.ui.fields import secret_field
from reader_app.ui.labels import hint

WIDTH = 460


class SignDialog(DecisionDialog):
    """Shows what is signed and asks for the password: Enter signs, Esc goes back to the case.

    Parameters
    ----------
    title
        What is signed.
    meaning
        What the signature says.
    prove
        Checks a password; called in a thread of its own, as that takes a moment on purpose.

    Signals
    -------
    proven(Proof)
        The password was right; the dialog has closed.
    """

    proven = Signal(object)

    def __init__(self, title: str, meaning: str, prove: Callable[[str], Proof], parent: QWidget) -> None:
        super().__init__("Sign", width=WIDTH, words="&Sign", parent=parent)
        self._prove = prove
        self.meaning = hint(f"“{meaning}”")
        self.password = secret_field("Password", placeholder="Your password")
        self._lay_out(
            title, self.meaning, self.password, fields=(self.password,), keys="Enter signs, Esc goes back."
        )

    def _decide(self) -> None:
        typed = self.password.text()
        if not typed:
            self._ask_for(self.password, "Type your password.")
        else:
            self._carry_out(lambda: self._prove(typed), self.proven.emit)
