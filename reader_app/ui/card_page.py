"""A page with one card in its middle that asks who is there."""

from __future__ import annotations

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.labels import Card, FaultLine

CARD_WIDTH = 460


class CardPage(QWidget):
    """Checks a secret once: its fields are held meanwhile, and a refusal is said beside them.

    Who derives from it fills a `Card` and hands it over with `_place`.

    Attributes
    ----------
    fault
        What is missing, or why it did not work.
    """

    _secret: QLineEdit
    _go: QPushButton
    _also: tuple[QWidget, ...]
    _words: str

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fault = FaultLine()

    @property
    def busy(self) -> bool:
        """Whether what was typed is being checked."""
        return not self._secret.isEnabled()

    def show_fault(self, fault: ReaderError) -> None:
        """Say why it did not work and let it be tried again."""
        self.set_busy(busy=False)
        self._secret.clear()
        self._ask_for(self._secret, fault)

    def set_busy(self, *, busy: bool) -> None:
        """Hold the fields while what was typed is checked."""
        for widget in (self._secret, self._go, *self._also):
            widget.setEnabled(not busy)
        self._go.setText("Checking …" if busy else self._words)

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: the field to type into has the keyboard."""
        super().showEvent(event)
        self._take_keyboard()

    def _take_keyboard(self) -> None:
        self._secret.setFocus()

    def _ask_for(self, field: QWidget, sentence: ReaderError | str) -> None:
        self.fault.say(sentence)
        field.setFocus()

    def _hold(self) -> None:
        self.fault.clear()
        self.set_busy(busy=True)

    def _place(self, card: Card, *, secret: QLineEdit, go: QPushButton, also: tuple[QWidget, ...]) -> None:
        """Put the card in the middle.

        Parameters
        ----------
        secret, go
            What is typed unseen, and the button that has it checked.
        also
            What else is held meanwhile.
        """
        self._secret, self._go, self._also, self._words = secret, go, also, go.text()
        card.setFixedWidth(CARD_WIDTH)
        # Stretches rather than an alignment: an aligned card would not grow with a long fault.
        middle = QHBoxLayout()
        middle.addStretch()
        middle.addWidget(card)
        middle.addStretch()
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addLayout(middle)
        layout.addStretch(3)
