"""Changing something after the signature: from what to what, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from reader_app.protocols.model import Item
from reader_app.reading.change import Exclusion
from reader_app.ui.decision_dialog import DecisionDialog
from reader_app.ui.fields import secret_field, wide_form
from reader_app.ui.labels import hint

WIDTH = 520


@dataclass(frozen=True)
class Amended:
    """One thing that can be chosen.

    Attributes
    ----------
    item
        The item whose grade changes; None for the exclusion of the joint.
    """

    words: str
    item: Item | None
    after: int | Exclusion | None


Store = Callable[[Amended, str, str], None]
"""Stores what was chosen, with its reason and the password; called in a thread of its own."""


class AmendDialog(DecisionDialog):
    """Asks what is to be changed and for the reason, which stands in the report.

    Parameters
    ----------
    title, now
        What is amended, and how it stands.
    choices
        What it can become.
    password
        Whether the password is asked for.

    Signals
    -------
    amended()
        It is stored; the dialog has closed.
    """

    amended = Signal()

    def __init__(
        self,
        title: str,
        now: str,
        choices: tuple[Amended, ...],
        *,
        password: bool,
        store: Store,
        parent: QWidget,
    ) -> None:
        super().__init__("Amend", width=WIDTH, words="&Amend", busy_words="Storing …", parent=parent)
        self.amend = self.go
        self._store = store
        self._choices = choices
        self._asks_password = password
        self.choice = QComboBox()
        self.choice.setAccessibleName("To")
        self.choice.addItems([each.words for each in choices])
        self.choice.setCurrentIndex(-1)
        self.choice.setPlaceholderText("Choose")
        self.reason = QLineEdit()
        self.reason.setAccessibleName("Why")
        self.reason.setPlaceholderText("It stands in the report")
        self.password = secret_field("Password")
        form = wide_form()
        form.addRow("From", hint(now))
        form.addRow("&To", self.choice)
        form.addRow("&Why", self.reason)
        if password:
            form.addRow("&Password", self.password)
        about = hint("What you signed is kept beside the amendment, and both are reported.")
        secret = (self.password,) if password else ()
        self._lay_out(title, about, form, fields=(self.choice, self.reason, *secret))

    def _decide(self) -> None:
        place = self.choice.currentIndex()
        reason, typed = self.reason.text(), self.password.text()
        if place < 0:
            self._ask_for(self.choice, "Choose what it becomes.")
        elif not reason.strip():
            self._ask_for(self.reason, "Say in a few words why it is changed.")
        elif self._asks_password and not typed:
            self._ask_for(self.password, "Type your password.")
        else:
            self._carry_out(
                lambda: self._store(self._choices[place], reason, typed), lambda _none: self.amended.emit()
            )
