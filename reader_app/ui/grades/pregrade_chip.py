"""What the AI says of one item of one joint, drawn: grade, bars on the scale, the expected grade, doubt."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from reader_app.ai.doubt import SUREST, share_text
from reader_app.protocols.model import Scale
from reader_app.reading.pregrade import PreGrade
from reader_app.ui.grades.pregrade_words import (
    head_of,
    likeliest,
    tool_tip_of,
    wordings,
)
from reader_app.ui.theme import Colour, scaled_font

MARKER = 5.0
"""Height of the marker of the expected grade below the axis, in widget pixels."""


def _fitting(known: tuple[str, ...], metrics: QFontMetricsF, width: float) -> str:
    """Return the doubt in the longest wording that fits; it must never be cut."""
    return next((text for text in known if metrics.horizontalAdvance(text) <= width), known[-1])


class PregradeChip(QWidget):
    """Shows one pre-grade, or in words why there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._pregrade: PreGrade | None = None
        self._scale: Scale | None = None
        self._note = ""
        self._current = False

    def show_pregrade(self, pregrade: PreGrade, scale: Scale, *, current: bool) -> None:
        """Show a pre-grade on the scale of its item."""
        self._pregrade, self._scale, self._note, self._current = pregrade, scale, "", current
        self.setToolTip(tool_tip_of(pregrade, scale))
        self.update()

    def show_note(self, note: str, *, current: bool = False) -> None:
        """Show why there is no pre-grade."""
        self._pregrade, self._scale, self._note, self._current = None, None, note, current
        self.setToolTip(note)
        self.update()

    @property
    def text(self) -> str:
        """What the chip says, as one line."""
        if self._pregrade is None:
            return self._note
        words = wordings(self._pregrade)[0]
        head = head_of(self._pregrade)
        return f"{head}, {words}" if words else head

    def sizeHint(self) -> QSize:
        """Return room for the head, the bars and one line of doubt."""
        line = QFontMetricsF(self.font()).lineSpacing()
        return QSize(150, int(line * 2.2 + 62 + 2 * MARKER))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the chip."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75)
        edge = Colour.AI.qcolor if self._current and self._pregrade else Colour.LINE.qcolor
        painter.setPen(QPen(edge, 1.25))
        painter.setBrush(Colour.FIELD.qcolor)
        painter.drawRoundedRect(frame, 5, 5)
        inner = frame.adjusted(8, 5, -8, -5)
        if self._pregrade is None or self._scale is None:
            painter.setPen(Colour.MUTED.qcolor)
            painter.drawText(inner, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._note)
        else:
            self._paint_pregrade(painter, inner, self._pregrade, self._scale)
        painter.end()

    def _paint_pregrade(self, painter: QPainter, inner: QRectF, pregrade: PreGrade, scale: Scale) -> None:
        bold = scaled_font(self.font(), 1.15, bold=True)
        line = QFontMetricsF(bold).lineSpacing()
        head = QRectF(inner.left(), inner.top(), inner.width(), line)
        painter.setFont(bold)
        painter.setPen(Colour.AI.qcolor)
        painter.drawText(head, Qt.AlignmentFlag.AlignLeft, head_of(pregrade))
        painter.setFont(self.font())
        low = QRectF(inner.left(), inner.bottom() - line, inner.width(), line)
        painter.setPen(Colour.WARNING.qcolor)
        metrics = QFontMetricsF(self.font())
        shown = _fitting(wordings(pregrade), metrics, low.width())
        painter.drawText(low, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        # Beside the grade where there is room, else beside the doubt, else in the tool tip alone.
        beside = head.width() - QFontMetricsF(bold).horizontalAdvance(head_of(pregrade)) - 8
        under = low.width() - metrics.horizontalAdvance(shown) - 8
        expected, short = f"expected {pregrade.expected:.1f}", f"exp. {pregrade.expected:.1f}"
        places = ((expected, beside, head), (short, beside, head), (short, under, low))
        painter.setPen(Colour.MUTED.qcolor)
        for text, room, where in places:
            if metrics.horizontalAdvance(text) <= room:
                painter.drawText(where, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
                break
        bars = QRectF(inner.left(), head.bottom() + 2, inner.width(), low.top() - head.bottom() - 4)
        self._paint_bars(painter, bars, pregrade, scale)

    def _paint_bars(self, painter: QPainter, area: QRectF, pregrade: PreGrade, scale: Scale) -> None:
        small = scaled_font(self.font(), 0.85)
        metrics = QFontMetricsF(small)
        foot = area.bottom() - metrics.height() - MARKER
        width = area.width() / len(scale.levels)
        likelier = likeliest(pregrade)
        painter.setFont(small)
        for place, level in enumerate(scale.levels):
            share = pregrade.probabilities.get(level.code, 0.0)
            left = area.left() + place * width
            chosen = level.code == pregrade.code
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(Colour.AI.qcolor if chosen else Colour.AI.faded(0.45))
            # A bar that is full to the brim would say that the networks are certain.
            height = max(min(share, SUREST) * (foot - area.top()), 1.0)
            painter.drawRect(QRectF(left + 2, foot - height, width - 4, height))
            if level.code == likelier:
                painter.setPen(Colour.WARNING.qcolor)
                above = QRectF(left - width, foot - height - metrics.height(), 3 * width, metrics.height())
                painter.drawText(above, Qt.AlignmentFlag.AlignCenter, share_text(share))
            painter.setPen(Colour.TEXT.qcolor if chosen else Colour.MUTED.qcolor)
            painter.drawText(
                QRectF(left, foot + MARKER, width, metrics.height()),
                Qt.AlignmentFlag.AlignCenter,
                str(level.code),
            )
        painter.setPen(QPen(Colour.LINE.qcolor, 1.0))
        painter.drawLine(QPointF(area.left(), foot), QPointF(area.right(), foot))
        self._paint_expected(painter, expected_place(pregrade, scale) * width + area.left(), foot)

    def _paint_expected(self, painter: QPainter, x: float, foot: float) -> None:
        """Mark the expected grade where it lies on the scale."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(Colour.TEXT.qcolor)
        tip = QPointF(x, foot + 0.5)
        half = QPointF(MARKER * 0.8, 0.0)
        below = tip + QPointF(0.0, MARKER)
        painter.drawPolygon(QPolygonF([tip, below + half, below - half]))


def expected_place(pregrade: PreGrade, scale: Scale) -> float:
    """Return where the expected grade lies on the scale, in levels from its left edge.

    The middle of a level is half a level from its edge; between two levels it lies as far as between
    their codes, which need not be neighbours.
    """
    codes = [float(level.code) for level in scale.levels]
    value = min(max(pregrade.expected, codes[0]), codes[-1])
    place = next((number for number, code in enumerate(codes) if code >= value), len(codes) - 1)
    if place == 0:
        return 0.5
    share = (value - codes[place - 1]) / (codes[place] - codes[place - 1])
    return place - 0.5 + share
