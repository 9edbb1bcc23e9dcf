"""What the AI says of one item of one joint: grade, probabilities on the scale, and doubt in words."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from reader_app.protocols.model import Scale
from reader_app.reading.pregrade import PreGrade
from reader_app.ui.theme import Colour, scaled_font

UNSURE_ENTROPY = 0.6
"""Share of the highest entropy that the scale allows, from which on the chip says "uncertain"."""
UNSURE_CONFIDENCE = 0.5


UNLIKE_TRAINING = "unlike the training images"
SHORTER = {UNLIKE_TRAINING: ("unlike training images", "unlike training")}
"""Shorter wordings for narrow chips."""


def doubt(pregrade: PreGrade) -> str:
    """Return in words why the pre-grade should be doubted; empty if nothing speaks against it.

    Unlike the training images goes first: there the probabilities themselves mean little.
    """
    if pregrade.unlike_training:
        return UNLIKE_TRAINING
    levels = len(pregrade.probabilities)
    entropy_share = pregrade.entropy / math.log2(levels) if levels > 1 else 0.0
    if entropy_share > UNSURE_ENTROPY or pregrade.confidence < UNSURE_CONFIDENCE:
        return "uncertain"
    return ""


def head_of(pregrade: PreGrade) -> str:
    """Return grade and probability, e.g. "AI: 2  (64 %)"."""
    return f"AI: {pregrade.code}  ({pregrade.confidence * 100:.0f} %)"


def likeliest(pregrade: PreGrade) -> int | None:
    """Return the grade that is likelier than the one given; None where that is the likeliest itself.

    A bundle may decide by the expected grade, which lies between two likely ones.
    """
    code, probability = max(pregrade.probabilities.items(), key=lambda pair: pair[1])
    return code if probability > pregrade.confidence else None


def wordings(pregrade: PreGrade) -> tuple[str, ...]:
    """Return what stands below the grade, the longest wording first; all say the same in less room."""
    words, likelier = doubt(pregrade), likeliest(pregrade)
    if likelier is None:
        return (words, *SHORTER.get(words, ()))
    share = f"{likelier} ({pregrade.probabilities[likelier] * 100:.0f} %)"
    if pregrade.unlike_training:
        # In little room the likelier grade is told above its bar alone.
        return (f"{words}, most likely {share}", f"unlike training, rather {likelier}", *SHORTER[words])
    return (f"{words}, most likely {share}", f"most likely {share}", f"likeliest {share}", f"rather {share}")


def tool_tip_of(pregrade: PreGrade, scale: Scale) -> str:
    """Return all probabilities and where the pre-grade comes from."""
    lines = [
        f"{level.code} {level.label}: {pregrade.probabilities.get(level.code, 0.0) * 100:.1f} %"
        for level in scale.levels
    ]
    source = pregrade.provenance
    lines.append(f"expected grade {pregrade.expected:.2f}, entropy {pregrade.entropy:.2f} bits")
    lines.append(f"bundle {source.bundle_id} {source.bundle_version} ({source.bundle_sha256[:12]})")
    lines.append(f"made {source.made_at}")
    return "\n".join(lines)


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
        return QSize(150, int(line * 2.2 + 62))

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
        foot = area.bottom() - metrics.height()
        width = area.width() / len(scale.levels)
        likelier = likeliest(pregrade)
        painter.setFont(small)
        for place, level in enumerate(scale.levels):
            share = pregrade.probabilities.get(level.code, 0.0)
            left = area.left() + place * width
            chosen = level.code == pregrade.code
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(Colour.AI.qcolor if chosen else Colour.AI.faded(0.45))
            height = max(share * (foot - area.top()), 1.0)
            painter.drawRect(QRectF(left + 2, foot - height, width - 4, height))
            if level.code == likelier:
                painter.setPen(Colour.WARNING.qcolor)
                above = QRectF(left - width, foot - height - metrics.height(), 3 * width, metrics.height())
                painter.drawText(above, Qt.AlignmentFlag.AlignCenter, f"{share * 100:.0f} %")
            painter.setPen(Colour.TEXT.qcolor if chosen else Colour.MUTED.qcolor)
            painter.drawText(
                QRectF(left, foot, width, metrics.height()), Qt.AlignmentFlag.AlignCenter, str(level.code)
            )
        painter.setPen(QPen(Colour.LINE.qcolor, 1.0))
        painter.drawLine(QPointF(area.left(), foot), QPointF(area.right(), foot))
