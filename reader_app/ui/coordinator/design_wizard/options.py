"""A few choices one below the other, each explained in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QLabel, QRadioButton, QVBoxLayout, QWidget

from reader_app.ui.labels import hint, show_indicator

_INDENT = 26


@dataclass(frozen=True)
class Option:
    """One of a few choices: its value, its name, and a sentence that explains it."""

    value: object
    title: str
    about: str = ""


class OptionList(QWidget):
    """Radio buttons with their sentences; the arrow keys go through them.

    Signals
    -------
    chosen(object)
        The value that was chosen by hand.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: list[QRadioButton] = []
        self._abouts: list[QLabel] = []
        self._values: list[object] = []
        self._group = QButtonGroup(self)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)

    def add(self, option: Option) -> None:
        """Add a choice at the end."""
        button = QRadioButton(option.title, self)
        button.setAccessibleDescription(option.about)
        show_indicator(button)
        button.toggled.connect(partial(self._toggled, option.value))
        about = hint(option.about, self)
        about.setContentsMargins(_INDENT, 0, 0, 4)
        about.setVisible(bool(option.about))
        self._group.addButton(button)
        self._values.append(option.value)
        self.buttons.append(button)
        self._abouts.append(about)
        self._column.addWidget(button)
        self._column.addWidget(about)

    def replace_last(self, option: Option) -> None:
        """Give the last choice another value, name and sentence."""
        self._values[-1] = option.value
        self.buttons[-1].setText(option.title)
        self.buttons[-1].toggled.disconnect()
        self.buttons[-1].toggled.connect(partial(self._toggled, option.value))
        self._abouts[-1].setText(option.about)

    def show_value(self, value: object) -> None:
        """Mark the choice with this value; none where there is no such choice."""
        # A group that must have a choice would keep the one before.
        self._group.setExclusive(False)
        for button, own in zip(self.buttons, self._values, strict=True):
            button.blockSignals(True)
            button.setChecked(own == value)
            button.blockSignals(False)
        self._group.setExclusive(True)
        marked = next((button for button in self.buttons if button.isChecked()), self.buttons[0])
        self.setFocusProxy(marked)

    def _toggled(self, value: object, checked: bool) -> None:
        if checked:
            self.chosen.emit(value)
