"""How one grade of the grid is painted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from reader_app.protocols.model import Level
from reader_app.ui.theme import Colour, scaled_font

_TALL = 36.0
"""From this height on key and label stand one below the other."""


@dataclass(frozen=True)
class CellLook:
    """What is to be seen of one grade.

    Attributes
    ----------
    given
        It is the reader's grade.
    suggested
        It is the AI's grade, and the AI may be seen.
    elsewhere
        The reader gave it to the same joint at the other visit.
    worded
        Its label is written beside its key.
    before
        It was the reader's grade until the AI appeared, and is no more.
    contrary
        It is the AI's grade beside another one of the reader's, and the two are to be compared.
    """

    given: bool = False
    excluded: bool = False
    hover: bool = False
    worded: bool = False
    suggested: bool = False
    elsewhere: bool = False
    before: bool = False
    contrary: bool = False


def words_fit(levels: Sequence[Level], rect: QRectF, font: QFont) -> bool:
    """Say whether the labels of all grades fit into cells of this size: all are written, or none."""
    if rect.height() >= _TALL:
        metrics = QFontMetricsF(scaled_font(font, 0.85))
        return all(metrics.horizontalAdvance(level.label) <= rect.width() - 4 for level in levels)
    metrics = QFontMetricsF(scaled_font(font, bold=True))
    return all(
        metrics.horizontalAdvance(f"{level.key}  {level.label}") <= rect.width() - 14 for level in levels
    )


def paint_cell(painter: QPainter, level: Level, rect: QRectF, font: QFont, look: CellLook) -> None:
    """Draw the button of one grade."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_fill(look))
    painter.drawRoundedRect(rect, 3, 3)
    given = look.given and not look.excluded
    ink = Colour.BACKDROP if given else Colour.FAINT if look.excluded else Colour.TEXT
    _paint_words(painter, level, rect, font, look=look, ink=ink)
    if look.suggested:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(Colour.AI_DEEP.qcolor if look.given else Colour.AI.qcolor)
        painter.drawEllipse(QPointF(rect.right() - 5, rect.top() + 5), 2.5, 2.5)
    for framed, colour in ((look.contrary, Colour.AI), (look.before, Colour.ACCENT)):
        if framed and not look.excluded:
            # Where both stand on one grade, the one lies within the other.
            inset = 3.0 if look.contrary and colour is Colour.ACCENT else 1.0
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour.qcolor, 2.0))
            painter.drawRoundedRect(rect.adjusted(inset, inset, -inset, -inset), 3, 3)
    if look.elsewhere:
        painter.setPen(QPen(ink.qcolor, 1.5))
        foot = rect.bottom() - 2.5
        painter.drawLine(QPointF(rect.center().x() - 6, foot), QPointF(rect.center().x() + 6, foot))


def _fill(look: CellLook) -> QColor:
    if look.excluded:
        return Colour.LINE.qcolor if look.given else Colour.FIELD.qcolor
    if look.given:
        return Colour.ACCENT.qcolor
    return Colour.LINE.qcolor if look.hover else Colour.RAISED.qcolor


def _paint_words(
    painter: QPainter, level: Level, rect: QRectF, font: QFont, *, look: CellLook, ink: Colour
) -> None:
    painter.setPen(ink.qcolor)
    centre = Qt.AlignmentFlag.AlignCenter
    if rect.height() < _TALL or not look.worded:
        larger = 1.25 if rect.height() >= _TALL else 1.0
        painter.setFont(scaled_font(font, larger, bold=look.given))
        painter.drawText(rect, centre, f"{level.key}  {level.label}" if look.worded else level.key)
        return
    painter.setFont(scaled_font(font, 1.25, bold=look.given))
    painter.drawText(rect.adjusted(0, 2, 0, -rect.height() * 0.42), centre, level.key)
    painter.setFont(scaled_font(font, 0.85))
    painter.drawText(rect.adjusted(0, rect.height() * 0.52, 0, -2), centre, level.label)
