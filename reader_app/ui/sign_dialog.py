"""What a reader signs, and the password for it, where the study asks for one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from reader_app.errors import ReaderError
from reader_app.store.proofs import Proof
from reader_app.ui.background import Job, Operation
from reader_app.ui.labels import FaultLine, heading, hint
from reader_app.ui.theme import SPACING

WIDTH = 460


class SignDialog(QDialog):
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
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Sign")
        self.setFixedWidth(WIDTH)
        self._prove = prove
        self._checking = False
        self.meaning = hint(f"“{meaning}”")
        self.password = QLineEdit()
        self.password.setAccessibleName("Password")
        self.password.setPlaceholderText("Your password")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.fault = FaultLine()
        self.sign = QPushButton("&Sign")
        self.sign.setDefault(True)
        self.back = QPushButton("&Back")
        self.back.setAutoDefault(False)
        self._lay_out(title)
        self.sign.clicked.connect(self.check)
        self.back.clicked.connect(self.reject)
        self.password.setFocus()

    def check(self) -> None:
        """Check the password that was typed; a second press meanwhile does nothing."""
        if self._checking:
            return
        typed = self.password.text()
        if not typed:
            self.fault.say("Type your password.")
            self.password.setFocus()
            return
        self._set_checking(on=True)

        def work(_job: Job) -> Proof:
            return self._prove(typed)

        Operation(work).success(self._take).failure(self._refuse).run(self)

    def reject(self) -> None:
        """Qt: go back, but not between the check of the password and its answer."""
        if not self._checking:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt: the window's own button means the same as Esc."""
        if self._checking:
            event.ignore()
        else:
            super().closeEvent(event)

    def _take(self, proof: Proof) -> None:
        self._checking = False
        self.accept()
        self.proven.emit(proof)

    def _refuse(self, fault: ReaderError) -> None:
        self._set_checking(on=False)
        self.fault.say(fault)
        self.password.clear()
        self.password.setFocus()
        self.adjustSize()

    def _set_checking(self, *, on: bool) -> None:
        self._checking = on
        for widget in (self.password, self.sign, self.back):
            widget.setEnabled(not on)
        self.sign.setText("Checking …" if on else "&Sign")
        if on:
            self.fault.clear()

    def _lay_out(self, title: str) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(hint("Enter signs, Esc goes back."), 1)
        buttons.addWidget(self.back)
        buttons.addWidget(self.sign)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACING, 2 * SPACING, 3 * SPACING, 2 * SPACING)
        column.setSpacing(int(1.5 * SPACING))
        column.addWidget(heading(title, factor=1.2))
        column.addWidget(self.meaning)
        column.addWidget(self.password)
        column.addWidget(self.fault)
        column.addLayout(buttons)
