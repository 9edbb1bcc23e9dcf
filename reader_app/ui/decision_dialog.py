"""A question that is answered once: fields, the button that decides, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.background import Job, Operation
from reader_app.ui.fields import is_secret
from reader_app.ui.labels import FaultLine, heading, hint
from reader_app.ui.theme import SPACING

T = TypeVar("T")


class DecisionDialog(QDialog):
    """Asks, does what was decided in a thread of its own, and closes once it is done.

    Enter decides and Esc goes back. While it is being done a second Enter does nothing, and neither Esc
    nor the window's own button closes the dialog. A refusal is said beside the fields, and what was typed
    unseen is typed again.

    Parameters
    ----------
    title
        Of the window.
    width
        In logical pixels; the height follows from what is said.
    words
        What the button that decides says.
    busy_words
        What it says while it is being done.

    Attributes
    ----------
    go, back
        The button that decides, and the one that does not.
    fault
        What is missing, or why it was refused.
    """

    def __init__(
        self, title: str, *, width: int, words: str, parent: QWidget, busy_words: str = "Checking …"
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setFixedWidth(width)
        self._words, self._busy_words = words, busy_words
        self._fields: tuple[QWidget, ...] = ()
        self._busy = False
        self.fault = FaultLine()
        self.go = QPushButton(words)
        self.go.setDefault(True)
        self.back = QPushButton("&Back")
        self.back.setAutoDefault(False)
        self.go.clicked.connect(self.check)
        self.back.clicked.connect(self.reject)

    def check(self) -> None:
        """Do what was decided, once; say what is missing."""
        if not self._busy:
            self._decide()

    def reject(self) -> None:
        """Qt: go back, but not while it is being done; the window's own button comes here too."""
        if not self._busy:
            super().reject()

    def _decide(self) -> None:
        """Ask for what is missing with `_ask_for`, or else carry the decision out with `_carry_out`."""
        raise NotImplementedError

    def _carry_out(self, work: Callable[[], T], tell: Callable[[T], object]) -> None:
        """Do it off the window's thread, then close and tell what came of it."""
        self._hold(on=True)

        def do(_job: Job) -> T:
            return work()

        def finish(result: T) -> None:
            self._busy = False
            self.accept()
            tell(result)

        # Released after a bug of ours too, which is neither: nobody is to be left with a dialog that stays.
        Operation(do).success(finish).failure(self._refuse).done(partial(self._hold, on=False)).run(self)

    def _refuse(self, fault: ReaderError | str) -> None:
        """Say why not; the keyboard goes to what was typed unseen, or else to the first field."""
        self._hold(on=False)
        secrets = [field for field in self._fields if isinstance(field, QLineEdit) and is_secret(field)]
        for field in secrets:
            field.clear()
        self._ask_for(secrets[0] if secrets else self._fields[0], fault)

    def _ask_for(self, field: QWidget, sentence: ReaderError | str) -> None:
        self.fault.say(sentence)
        self.adjustSize()
        field.setFocus()

    def _hold(self, *, on: bool) -> None:
        self._busy = on
        for widget in (*self._fields, self.go, self.back):
            widget.setEnabled(not on)
        self.go.setText(self._busy_words if on else self._words)
        if on:
            self.fault.clear()

    def _lay_out(
        self, title: str, *rows: QWidget | QLayout, fields: tuple[QWidget, ...], keys: str = ""
    ) -> None:
        """Put the rows between the title and the buttons.

        Parameters
        ----------
        fields
            What is filled in; the first has the keyboard.
        keys
            What the keys do, beside the buttons.
        """
        self._fields = fields
        buttons = QHBoxLayout()
        if keys:
            buttons.addWidget(hint(keys), 1)
        else:
            buttons.addStretch()
        buttons.addWidget(self.back)
        buttons.addWidget(self.go)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACING, 2 * SPACING, 3 * SPACING, 2 * SPACING)
        column.setSpacing(int(1.5 * SPACING))
        column.addWidget(heading(title, factor=1.2))
        for row in (*rows, self.fault, buttons):
            if isinstance(row, QWidget):
                column.addWidget(row)
            else:
                column.addLayout(row)
        fields[0].setFocus()
