"""Changing something after the signature: from what to what, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from reader_app.errors import ReaderError
from reader_app.protocols.model import Item
from reader_app.reading.change import Exclusion
from reader_app.ui.background import Job, Operation
from reader_app.ui.labels import FaultLine, heading, hint
from reader_app.ui.theme import SPACING

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


class AmendDialog(QDialog):
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
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Amend")
        self.setFixedWidth(WIDTH)
        self._store = store
        self._choices = choices
        self._storing = False
        self.choice = QComboBox()
        self.choice.setAccessibleName("To")
        self.choice.addItems([each.words for each in choices])
        self.choice.setCurrentIndex(-1)
        self.choice.setPlaceholderText("Choose")
        self.reason = QLineEdit()
        self.reason.setAccessibleName("Why")
        self.reason.setPlaceholderText("It stands in the report")
        self.password = QLineEdit()
        self.password.setAccessibleName("Password")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self._asks_password = password
        self.fault = FaultLine()
        self.amend = QPushButton("&Amend")
        self.amend.setDefault(True)
        self.back = QPushButton("&Back")
        self.back.setAutoDefault(False)
        self._lay_out(title, now)
        self.amend.clicked.connect(self.check)
        self.back.clicked.connect(self.reject)
        self.choice.setFocus()

    def check(self) -> None:
        """Store what was chosen, once; say what is missing."""
        if self._storing:
            return
        place = self.choice.currentIndex()
        typed = self.password.text()
        if place < 0:
            self._ask_for(self.choice, "Choose what it becomes.")
        elif not self.reason.text().strip():
            self._ask_for(self.reason, "Say in a few words why it is changed.")
        elif self._asks_password and not typed:
            self._ask_for(self.password, "Type your password.")
        else:
            self._start(self._choices[place], self.reason.text(), typed)

    def reject(self) -> None:
        """Qt: go back, but not while it is being stored."""
        if not self._storing:
            super().reject()

    def _start(self, chosen: Amended, reason: str, password: str) -> None:
        self._set_storing(on=True)

        def work(_job: Job) -> None:
            self._store(chosen, reason, password)

        Operation(work).success(lambda _none: self._done()).failure(self._refuse).run(self)

    def _done(self) -> None:
        self._storing = False
        self.accept()
        self.amended.emit()

    def _refuse(self, fault: ReaderError) -> None:
        self._set_storing(on=False)
        self.password.clear()
        self.fault.say(fault)
        self.adjustSize()

    def _ask_for(self, field: QWidget, sentence: str) -> None:
        self.fault.say(sentence)
        self.adjustSize()
        field.setFocus()

    def _set_storing(self, *, on: bool) -> None:
        self._storing = on
        for widget in (self.choice, self.reason, self.password, self.amend, self.back):
            widget.setEnabled(not on)
        self.amend.setText("Storing …" if on else "&Amend")
        if on:
            self.fault.clear()

    def _lay_out(self, title: str, now: str) -> None:
        form = QFormLayout()
        form.setSpacing(int(1.5 * SPACING))
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow("From", hint(now))
        form.addRow("&To", self.choice)
        form.addRow("&Why", self.reason)
        if self._asks_password:
            form.addRow("&Password", self.password)
        else:
            self.password.hide()
            self.password.setParent(self)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.back)
        buttons.addWidget(self.amend)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACING, 2 * SPACING, 3 * SPACING, 2 * SPACING)
        column.setSpacing(int(1.5 * SPACING))
        column.addWidget(heading(title, factor=1.2))
        column.addWidget(hint("What you signed is kept beside the amendment, and both are reported."))
        column.addLayout(form)
        column.addWidget(self.fault)
        column.addLayout(buttons)
