"""The few kinds of text that pages are made of, so that all pages speak in one voice."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QLabel, QSizePolicy, QVBoxLayout, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.theme import SPACING, Colour, colour_text, fill_background, scaled_font


def heading(text: str, parent: QWidget | None = None, *, factor: float = 1.7) -> QLabel:
    """Return the title of a page or of a part of it."""
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setFont(scaled_font(label.font(), factor, bold=True))
    return label


def hint(text: str = "", parent: QWidget | None = None) -> QLabel:
    """Return text that is there to be found, not to be seen first; it breaks where it must."""
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    colour_text(label, Colour.MUTED)
    return label


def show_indicator(button: QAbstractButton) -> None:
    """Make the empty circle or square of a choice visible on a dark surface."""
    palette = button.palette()
    palette.setColor(QPalette.ColorRole.Base, Colour.LINE.qcolor)
    button.setPalette(palette)


def counted(number: int, word: str) -> str:
    """Return a number with its word, in the plural where there is not one: "1 file", "12 files"."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def light_up_when_checked(button: QAbstractButton) -> None:
    """Show in the accent that a switch is on: the dark style's own difference is too small to see."""
    plain = QPalette(button.palette())
    lit = QPalette(plain)
    lit.setColor(QPalette.ColorRole.Button, Colour.ACCENT_DEEP.qcolor)

    def show_state(checked: bool) -> None:
        button.setPalette(lit if checked else plain)

    button.toggled.connect(show_state)
    show_state(button.isChecked())


class ElidedHeading(QLabel):
    """A heading that shortens its text to the room there is; the tool tip has the whole of it."""

    def __init__(self, text: str, parent: QWidget | None = None, *, factor: float = 1.7) -> None:
        super().__init__(parent)
        self._whole = text
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(scaled_font(self.font(), factor, bold=True))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setAccessibleName(text)
        super().setText(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: shorten the text anew."""
        super().resizeEvent(event)
        shown = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, self.width())
        self.setText(shown)
        self.setToolTip("" if shown == self._whole else self._whole)


class FaultLine(QLabel):
    """One fault in words, beside what caused it; takes no room while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.MinimumExpanding)
        colour_text(self, Colour.DANGER)
        self.hide()

    def say(self, fault: ReaderError | str) -> None:
        """Show a fault, or a sentence about one."""
        self.setText(str(fault))
        self.show()

    def clear(self) -> None:
        """Take the sentence away."""
        super().clear()
        self.hide()


class Card(QFrame):
    """A raised surface that holds what belongs together; `body` is its layout."""

    def __init__(self, parent: QWidget | None = None, *, margin: int = 2 * SPACING) -> None:
        super().__init__(parent)
        fill_background(self, Colour.RAISED)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(margin, margin, margin, margin)
        self.body.setSpacing(SPACING)


class Figure(QWidget):
    """A number with the word for what it counts."""

    def __init__(self, word: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 3 * SPACING, 0)
        layout.setSpacing(0)
        self._number = heading("–", factor=1.6)
        layout.addWidget(self._number)
        layout.addWidget(hint(word))
        self._word = word

    @property
    def number(self) -> str:
        """The number, as text."""
        return self._number.text()

    def set_number(self, text: str) -> None:
        """Show the number, as text."""
        self._number.setText(text)
        self.setAccessibleName(f"{self._word}: {text}")
