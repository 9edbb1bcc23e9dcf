"""Freezing a study, or opening it again: what is unfinished, why it is done now, and the password."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from reader_app.errors import ReaderError
from reader_app.ui.background import Job, Operation
from reader_app.ui.labels import FaultLine, heading, hint, show_indicator
from reader_app.ui.theme import SPACING, Colour, colour_text

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


class FreezeDialog(QDialog):
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
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(words[0])
        self.setFixedWidth(WIDTH)
        self._carry_out = carry_out
        self._busy = False
        self.unfinished = hint("\n".join(unfinished))
        self.all_the_same = QCheckBox("Freeze it &all the same")
        self.reason = QLineEdit()
        self.reason.setAccessibleName("Why")
        self.reason.setPlaceholderText("It stands in the journal")
        self.password = QLineEdit()
        self.password.setAccessibleName("Password")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.fault = FaultLine()
        self.go = QPushButton(words[2])
        self.go.setDefault(True)
        self.back = QPushButton("&Back")
        self.back.setAutoDefault(False)
        self._name = words[2]
        self._lay_out(words, ask=bool(unfinished))
        self.go.clicked.connect(self.check)
        self.back.clicked.connect(self.reject)
        (self.all_the_same if unfinished else self.reason).setFocus()

    def check(self) -> None:
        """Do it, once; say what is missing."""
        if self._busy:
            return
        reason, password = self.reason.text(), self.password.text()
        if not self.all_the_same.isHidden() and not self.all_the_same.isChecked():
            self._ask_for(self.all_the_same, "Say that it is to be frozen although it is not finished.")
        elif not reason.strip():
            self._ask_for(self.reason, "Say in a sentence why it is done now.")
        elif not password:
            self._ask_for(self.password, "Type your password.")
        else:
            self._set_busy(on=True)

            def work(_job: Job) -> None:
                self._carry_out(password, reason)

            Operation(work).success(lambda _none: self._finish()).failure(self._refuse).run(self)

    def reject(self) -> None:
        """Qt: go back, but not while it is being done."""
        if not self._busy:
            super().reject()

    def _finish(self) -> None:
        self._busy = False
        self.accept()
        self.done_for_good.emit()

    def _refuse(self, fault: ReaderError) -> None:
        self._set_busy(on=False)
        self.password.clear()
        self._ask_for(self.password, fault)

    def _ask_for(self, field: QWidget, sentence: ReaderError | str) -> None:
        self.fault.say(sentence)
        self.adjustSize()
        field.setFocus()

    def _set_busy(self, *, on: bool) -> None:
        self._busy = on
        for widget in (self.all_the_same, self.reason, self.password, self.go, self.back):
            widget.setEnabled(not on)
        self.go.setText("Checking …" if on else self._name)
        if on:
            self.fault.clear()

    def _lay_out(self, words: tuple[str, str, str], *, ask: bool) -> None:
        form = QFormLayout()
        form.setSpacing(int(1.5 * SPACING))
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow("&Why", self.reason)
        form.addRow("&Password", self.password)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.back)
        buttons.addWidget(self.go)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACING, 2 * SPACING, 3 * SPACING, 2 * SPACING)
        column.setSpacing(int(1.5 * SPACING))
        column.addWidget(heading(words[0], factor=1.2))
        column.addWidget(hint(words[1]))
        colour_text(self.unfinished, Colour.WARNING)
        show_indicator(self.all_the_same)
        for widget in (self.unfinished, self.all_the_same):
            column.addWidget(widget)
            widget.setVisible(ask)
        column.addLayout(form)
        column.addWidget(self.fault)
        column.addLayout(buttons)
