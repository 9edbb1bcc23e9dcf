"""A calibration case beside the reference: one row an item, one column a joint, visits side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from reader_app.operations.calibration import FeedbackRow
from reader_app.reading.case import Joint
from reader_app.ui.theme import Colour, scaled_font

ROW_HEIGHT = 25.0
HEAD_HEIGHT = 40.0
GAP = 8.0
_COLUMN = 84.0
"""The narrowest column that holds two grades and their difference."""
_LABEL = 150.0
_GRAVE = 2
"""From so many steps on a difference stands out more."""


@dataclass(frozen=True)
class FeedbackColumn:
    """One joint.

    Attributes
    ----------
    film
        Which film it lies on, empty where there is only one.
    """

    film: str
    joint: Joint


@dataclass(frozen=True)
class FeedbackSection:
    """Joints that are graded alike."""

    columns: tuple[FeedbackColumn, ...]
    rows: tuple[FeedbackRow, ...]

    @property
    def titles(self) -> tuple[str, ...]:
        """The items, each once, in reading order."""
        return tuple(dict.fromkeys(row.title for row in self.rows))

    @property
    def named(self) -> bool:
        """Whether the films are named above the joints."""
        return any(column.film for column in self.columns)

    def row(self, title: str, joint_id: int) -> FeedbackRow | None:
        """Return one item of one joint, None where it has no reference."""
        return next((row for row in self.rows if row.title == title and row.joint_id == joint_id), None)


def difference_words(row: FeedbackRow) -> str:
    """Return the difference in words."""
    if row.steps is None:
        return "excluded"
    if row.steps == 0:
        return "same"
    return f"{abs(row.steps)} {'higher' if row.steps > 0 else 'lower'}"


def difference_sign(row: FeedbackRow) -> str:
    """Return the difference in two or three characters that need no colour."""
    if row.steps is None:
        return "–"
    if row.steps == 0:
        return "="
    return f"{'▲' if row.steps > 0 else '▼'} {abs(row.steps)}"


class FeedbackTable(QWidget):
    """Draws the sections one below the other; what differs stands out by sign, word and colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._sections: tuple[FeedbackSection, ...] = ()

    def show_sections(self, sections: Sequence[FeedbackSection]) -> None:
        """Show these; replaces what was shown."""
        self._sections = tuple(section for section in sections if section.rows)
        self.setAccessibleDescription("\n".join(self.lines()))
        self.updateGeometry()
        self.update()

    def lines(self) -> tuple[str, ...]:
        """Return what is drawn, as text."""
        return tuple(_line(section, row) for section in self._sections for row in section.rows)

    def sizeHint(self) -> QSize:
        """Return the room that all rows need."""
        height = sum(self._height(section) for section in self._sections)
        joints = max((len(section.columns) for section in self._sections), default=1)
        return QSize(int(self._label_width + joints * (_COLUMN + GAP)), int(height))

    def minimumSizeHint(self) -> QSize:
        """Return the same: nothing is squeezed."""
        return self.sizeHint()

    @property
    def _label_width(self) -> float:
        metrics = QFontMetricsF(self.font())
        widths = (metrics.horizontalAdvance(title) for section in self._sections for title in section.titles)
        return float(min(max(widths, default=0.0) + GAP, _LABEL))

    def _height(self, section: FeedbackSection) -> float:
        return HEAD_HEIGHT + (ROW_HEIGHT if section.named else 0.0) + ROW_HEIGHT * len(section.titles) + GAP

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw all sections."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top = 0.0
        for section in self._sections:
            self._paint_section(painter, section, top)
            top += self._height(section)
        painter.end()

    def _paint_section(self, painter: QPainter, section: FeedbackSection, top: float) -> None:
        if section.named:
            painter.setFont(scaled_font(self.font(), bold=True))
            painter.setPen(Colour.TEXT.qcolor)
            before = ""
            for place, column in enumerate(section.columns):
                if column.film != before:
                    rect = self._column(section, place, top)
                    rect.setWidth(2 * rect.width())
                    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, column.film)
                before = column.film
            top += ROW_HEIGHT
        for place, column in enumerate(section.columns):
            self._paint_head(painter, self._column(section, place, top), column.joint)
        for number, title in enumerate(section.titles):
            line = top + HEAD_HEIGHT + number * ROW_HEIGHT
            painter.setFont(self.font())
            painter.setPen(Colour.TEXT.qcolor)
            label = QRectF(0.0, line, self._label_width - GAP / 2, ROW_HEIGHT)
            shown = QFontMetricsF(self.font()).elidedText(title, Qt.TextElideMode.ElideRight, label.width())
            painter.drawText(label, Qt.AlignmentFlag.AlignVCenter, shown)
            for place, column in enumerate(section.columns):
                row = section.row(title, column.joint.id)
                if row is not None:
                    self._paint_row(painter, self._column(section, place, line), row)

    def _column(self, section: FeedbackSection, place: int, top: float) -> QRectF:
        count = max(len(section.columns), 1)
        width = (self.width() - self._label_width - GAP * (count - 1)) / count
        return QRectF(self._label_width + place * (width + GAP), top, width, ROW_HEIGHT)

    def _paint_head(self, painter: QPainter, rect: QRectF, joint: Joint) -> None:
        painter.setFont(scaled_font(self.font(), bold=True))
        painter.setPen(Colour.MUTED.qcolor)
        whole = QRectF(rect.left(), rect.top(), rect.width(), HEAD_HEIGHT / 2)
        painter.drawText(whole, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, joint.side.label)
        painter.setFont(scaled_font(self.font(), 0.85))
        below = whole.translated(0.0, HEAD_HEIGHT / 2 - 3)
        given, reference, rest = _parts(below)
        centre = Qt.AlignmentFlag.AlignCenter
        painter.drawText(given, centre, "you")
        painter.drawText(reference, centre, "ref.")
        painter.setPen(QPen(Colour.LINE.qcolor, 1.0))
        foot = below.bottom() + 1
        painter.drawLine(QPointF(rect.left(), foot), QPointF(rest.right(), foot))

    def _paint_row(self, painter: QPainter, rect: QRectF, row: FeedbackRow) -> None:
        given, reference, rest = _parts(rect)
        colour = _colour(row)
        centre = Qt.AlignmentFlag.AlignCenter
        if row.steps:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour.faded(0.16))
            painter.drawRoundedRect(rect.adjusted(0.0, 1.5, 0.0, -1.5), 3, 3)
        painter.setFont(scaled_font(self.font(), 1.05, bold=True))
        painter.setPen(Colour.ACCENT.qcolor)
        painter.drawText(given, centre, "–" if row.given is None else row.given.key)
        painter.setPen(Colour.TEXT.qcolor)
        painter.drawText(reference, centre, row.reference.key)
        painter.setFont(scaled_font(self.font(), 0.95, bold=bool(row.steps)))
        painter.setPen(colour.qcolor)
        painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter, difference_sign(row))


def _parts(rect: QRectF) -> tuple[QRectF, QRectF, QRectF]:
    """Return where the reader's grade, the reference and the difference stand in a column."""
    cell = 24.0
    given = QRectF(rect.left() + 2, rect.top(), cell, rect.height())
    reference = given.translated(cell, 0.0)
    rest = QRectF(reference.right() + 6, rect.top(), rect.right() - reference.right() - 6, rect.height())
    return given, reference, rest


def _colour(row: FeedbackRow) -> Colour:
    if row.steps is None:
        return Colour.MUTED
    if row.steps == 0:
        return Colour.GOOD
    return Colour.DANGER if abs(row.steps) >= _GRAVE else Colour.WARNING


def _line(section: FeedbackSection, row: FeedbackRow) -> str:
    column = next(column for column in section.columns if column.joint.id == row.joint_id)
    given = "excluded" if row.given is None else row.given.key
    side = column.joint.side.label
    head = f"{column.film}, {side}" if column.film else side
    return f"{head}, {row.title}: you {given}, reference {row.reference.key}, {difference_words(row)}"
