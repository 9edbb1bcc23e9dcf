"""Choosing a PIN for the session, so that coming back takes a few digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.background import Job, Operation
from reader_app.ui.labels import FaultLine, heading, hint
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.store.pins import SessionPin

WIDTH = 420


class PinDialog(QDialog):
    """Asks for a PIN twice.

    Signals
    -------
    chosen(SessionPin)
        It will do; the dialog has closed.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("PIN for this session")
        self.setFixedWidth(WIDTH)
        self.pin, self.again = QLineEdit(), QLineEdit()
        for field, words in ((self.pin, "4 to 8 digits"), (self.again, "The same again")):
            field.setEchoMode(QLineEdit.EchoMode.Password)
            field.setPlaceholderText(words)
            field.setAccessibleName(words)
        self.fault = FaultLine()
        self.use = QPushButton("&Use it")
        self.use.setDefault(True)
        self.back = QPushButton("&Back")
        self.back.setAutoDefault(False)
        self._lay_out()
        self.use.clicked.connect(self.check)
        self.back.clicked.connect(self.reject)
        self.pin.setFocus()

    def check(self) -> None:
        """Take the PIN if both fields agree and it will do."""
        if not self.use.isEnabled():
            return
        digits = self.pin.text()
        if digits != self.again.text():
            self._refuse("The two differ: type the same PIN twice.")
            return
        self.use.setEnabled(False)

        def work(_job: Job) -> SessionPin:
            from reader_app.operations.unlock import choose_pin

            return choose_pin(digits)

        Operation(work).success(self._take).failure(self._refuse).run(self)

    def _take(self, pin: SessionPin) -> None:
        self.accept()
        self.chosen.emit(pin)

    def _refuse(self, fault: ReaderError | str) -> None:
        self.use.setEnabled(True)
        self.fault.say(fault)
        for field in (self.pin, self.again):
            field.clear()
        self.pin.setFocus()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.back)
        buttons.addWidget(self.use)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACING, 2 * SPACING, 3 * SPACING, 2 * SPACING)
        column.setSpacing(int(1.5 * SPACING))
        column.addWidget(heading("PIN for this session", factor=1.2))
        column.addWidget(
            hint(
                "It unlocks this window in place of your password until you log out, and is never stored. "
                "After three wrong ones the password is asked for."
            )
        )
        column.addWidget(self.pin)
        column.addWidget(self.again)
        column.addWidget(self.fault)
        column.addLayout(buttons)
