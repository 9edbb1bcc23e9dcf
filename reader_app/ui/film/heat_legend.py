"""What the colours of a heatmap mean: a strip of them with its words."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from reader_app.ui.film.heat import HeatLayer
from reader_app.ui.film.heat_colours import heat_colours, signed_colours
from reader_app.ui.theme import SPACING, Colour, scaled_font

PLAIN_WORDS = ("Heatmap: yellow weighed most for this grade", "yellow weighed most")
SIGNED_WORDS = ("Heatmap: red raises the grade, blue lowers it", "red raises the grade, blue lowers")
STRIP_WIDTH = 64.0
STOPS = 16


class HeatLegend(QWidget):
    """Takes no room while there is no heatmap upon the film."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFont(scaled_font(self.font(), 0.92))
        self._signed = False
        self.hide()

    @property
    def text(self) -> str:
        """What the legend says; empty while it is away."""
        return self._words()[0] if not self.isHidden() else ""

    def show_layer(self, layer: HeatLayer | None) -> None:
        """Explain the heatmap that lies upon the film."""
        self.setVisible(layer is not None)
        if layer is not None:
            self._signed = layer.signed
            self.setAccessibleName(self._words()[0])
            self.setToolTip(self._words()[0])
            self.update()

    def _words(self) -> tuple[str, ...]:
        return SIGNED_WORDS if self._signed else PLAIN_WORDS

    def sizeHint(self) -> QSize:
        """Return room for one line."""
        return QSize(200, int(QFontMetricsF(self.font()).lineSpacing()) + 2)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the strip and its words, in as many as fit."""
        painter = QPainter(self)
        metrics = QFontMetricsF(self.font())
        strip = QRectF(0, self.height() / 2 - 4, STRIP_WIDTH, 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_gradient(strip, signed=self._signed))
        painter.drawRoundedRect(strip, 2, 2)
        left = strip.right() + SPACING
        room = self.width() - left
        words = self._words()
        shown = next((text for text in words if metrics.horizontalAdvance(text) <= room), words[-1])
        painter.setPen(Colour.TEXT.qcolor)
        painter.drawText(QRectF(left, 0, room, self.height()), Qt.AlignmentFlag.AlignVCenter, shown)
        painter.end()


def _gradient(strip: QRectF, *, signed: bool) -> QLinearGradient:
    """Return the colours as they lie upon a film: the weaker, the more film shines through."""
    colours = signed_colours() if signed else heat_colours()
    gradient = QLinearGradient(strip.topLeft(), strip.topRight())
    for stop in range(STOPS + 1):
        share = stop / STOPS
        red, green, blue = (int(value) for value in colours[round(share * (len(colours) - 1))])
        strength = abs(2 * share - 1) if signed else share
        colour = QColor(red, green, blue)
        colour.setAlphaF(min(1.0, 0.1 + 0.9 * strength))
        gradient.setColorAt(share, colour)
    return gradient
