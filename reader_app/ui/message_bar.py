"""One line at the foot of a page: what just happened, and what can be done next."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from reader_app.ui.icons import icon
from reader_app.ui.theme import Colour, colour_text, fill_background


class MessageBar(QWidget):
    """Always in place, so that a message never moves the film."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        fill_background(self, Colour.SURFACE)
        self._sign = QLabel()
        self._text = QLabel()
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._hint = QLabel()
        colour_text(self._hint, Colour.FAINT)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 10, 4)
        row.addWidget(self._sign)
        row.addWidget(self._text, 1)
        row.addWidget(self._hint)
        self.setMinimumHeight(28)
        self.clear()

    @property
    def text(self) -> str:
        """What is being said."""
        return self._text.text()

    def hint(self, text: str) -> None:
        """Set the keys that stand at the right end."""
        self._hint.setText(text)
        self._make_room()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: a narrow bar keeps the message and gives up the keys."""
        super().resizeEvent(event)
        self._make_room()

    def say(self, text: str, colour: Colour = Colour.MUTED) -> None:
        """Say something that needs no action."""
        self._show("", text, colour)

    def warn(self, text: str) -> None:
        """Say something that the reader has to see before going on."""
        self._show("warning", text, Colour.WARNING)

    def fault(self, text: str) -> None:
        """Say what went wrong and what to do."""
        self._show("fault", text, Colour.DANGER)

    def clear(self) -> None:
        """Say nothing."""
        self._show("", "", Colour.MUTED)

    def _show(self, sign: str, text: str, colour: Colour) -> None:
        self._sign.setVisible(bool(sign))
        if sign:
            self._sign.setPixmap(icon(sign, colour).pixmap(QSize(16, 16), self.devicePixelRatioF()))
        self._text.setText(text)
        self._text.setToolTip(text)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        colour_text(self._text, colour)
        self._make_room()

    def _make_room(self) -> None:
        """Show the keys only where the whole message fits beside them."""
        text = self._text.fontMetrics().horizontalAdvance(self._text.text())
        taken = 3 * self._row.spacing() + 20 + 32 + self._hint.sizeHint().width()  # margins, sign, keys
        self._hint.setVisible(not self._text.text() or text + taken <= self.width())
