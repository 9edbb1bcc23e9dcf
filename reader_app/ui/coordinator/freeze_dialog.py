"""Freezing a study, or opening it again: what is unfinished, why it is done now, and the password."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QWidget

from reader_app.ui.decision_dialog import DecisionDialog
from reader_app.ui.fields import secret_field, wide_form
from reader_app.ui.labels import hint, show_indicator
from reader_app.ui.theme import Colour, colour_text

WIDTH = 560

FREEZE = (
    "Freeze the study",
    "No grade can change any more, readers and adjudicators are kept out, and you see the results.",
    "&Freeze",
)
UNFREEZE = (
    "Unfreeze the study",
    "The study can be read and adjudicated again. The journal keeps that its results had been looked at.",
    "&Unfreeze",
)


class FreezeDialog(DecisionDialog):
    """Asks for a reason and the password.

    Parameters
    ----------
    words
        Title, what it does, and the name of the button: `FREEZE` or `UNFREEZE`.
    unfinished
        What is still to be done, one sentence each; then it must be said that it is done all the same.
    carry_out
        Called with password and reason, in a thread of its own.

    Signals
    -------
    done_for_good()
        It is done; the dialog has closed.
    """

    done_for_good = Signal()

    def __init__(
        self,
        words: tuple[str, str, str],
        unfinished: Sequence[str],
        carry_out: Callable[[str, str], object],
        parent: QWidget,
    ) -> None:
        title, about, button = words
        super().__init__(title, width=WIDTH, words=button, parent=parent)
        self._freeze = carry_out
        self.unfinished = hint("\n".join(unfinished))
        colour_text(self.unfinished, Colour.WARNING)
        self.all_the_same = QCheckBox("Freeze it &all the same")
        show_indicator(self.all_the_same)
        self.reason = QLineEdit()
        self.reason.setAccessibleName("Why")
        self.reason.setPlaceholderText("It stands in the journal")
        self.password = secret_field("Password")
        form = wide_form()
        form.addRow("&Why", self.reason)
        form.addRow("&Password", self.password)
        accept = (self.all_the_same,) if unfinished else ()
        self._lay_out(
            title,
            hint(about),
            self.unfinished,
            self.all_the_same,
            form,
            fields=(*accept, self.reason, self.password),
        )
        for widget in (self.unfinished, self.all_the_same):
            widget.setVisible(bool(unfinished))

    def _decide(self) -> None:
        reason, password = self.reason.text(), self.password.text()
        if not self.all_the_same.isHidden() and not self.all_the_same.isChecked():
            self._ask_for(self.all_the_same, "Say that it is to be frozen although it is not finished.")
        elif not reason.strip():
            self._ask_for(self.reason, "Say in a sentence why it is done now.")
        elif not password:
            self._ask_for(self.password, "Type your password.")
        else:
            self._carry_out(lambda: self._freeze(password, reason), lambda _result: self.done_for_good.emit())
