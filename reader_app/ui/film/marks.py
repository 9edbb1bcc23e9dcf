"""What is drawn upon a film: joint boxes with their handles, side letters, labels in the corners."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen

from reader_app.imaging.geometry import Box
from reader_app.ui.film.viewport import Viewport
from reader_app.ui.theme import Colour, scaled_font

HANDLE = 9.0
"""Widget pixels of a corner handle."""
REACH = 7.0
"""How far from an edge or corner the mouse still takes hold of it."""
SMALLEST_BOX = 12.0
"""Film pixels; a box is never dragged smaller."""


@dataclass(frozen=True)
class JointMark:
    """A joint's box as it is to be drawn.

    Attributes
    ----------
    label
        What stands beside the box.
    current
        Whether this joint is being graded.
    moved
        Whether the reader placed the box; drawn solid then, and dashed where it was found.
    excluded
        Whether the joint is out.
    """

    joint_id: int
    box: Box
    label: str
    current: bool = False
    moved: bool = False
    excluded: bool = False


class Grip(Enum):
    """Which part of a box the mouse holds."""

    INSIDE = auto()
    LEFT = auto()
    RIGHT = auto()
    TOP = auto()
    BOTTOM = auto()
    TOP_LEFT = auto()
    TOP_RIGHT = auto()
    BOTTOM_LEFT = auto()
    BOTTOM_RIGHT = auto()


_AT_LEFT = {Grip.LEFT, Grip.TOP_LEFT, Grip.BOTTOM_LEFT}
_AT_RIGHT = {Grip.RIGHT, Grip.TOP_RIGHT, Grip.BOTTOM_RIGHT}
_AT_TOP = {Grip.TOP, Grip.TOP_LEFT, Grip.TOP_RIGHT}
_AT_BOTTOM = {Grip.BOTTOM, Grip.BOTTOM_LEFT, Grip.BOTTOM_RIGHT}

_GRIPS = {
    (-1, -1): Grip.TOP_LEFT,
    (0, -1): Grip.TOP,
    (1, -1): Grip.TOP_RIGHT,
    (-1, 0): Grip.LEFT,
    (1, 0): Grip.RIGHT,
    (-1, 1): Grip.BOTTOM_LEFT,
    (0, 1): Grip.BOTTOM,
    (1, 1): Grip.BOTTOM_RIGHT,
}

CURSORS = {
    Grip.INSIDE: Qt.CursorShape.SizeAllCursor,
    Grip.LEFT: Qt.CursorShape.SizeHorCursor,
    Grip.RIGHT: Qt.CursorShape.SizeHorCursor,
    Grip.TOP: Qt.CursorShape.SizeVerCursor,
    Grip.BOTTOM: Qt.CursorShape.SizeVerCursor,
    Grip.TOP_LEFT: Qt.CursorShape.SizeFDiagCursor,
    Grip.BOTTOM_RIGHT: Qt.CursorShape.SizeFDiagCursor,
    Grip.TOP_RIGHT: Qt.CursorShape.SizeBDiagCursor,
    Grip.BOTTOM_LEFT: Qt.CursorShape.SizeBDiagCursor,
}


def grip_at(rect: QRectF, point: QPointF) -> Grip | None:
    """Return which edge or corner of a box lies under the mouse, in widget pixels; None away from it.

    The inside is nobody's, so that a drag there pans the film; the label's tab moves the box.
    """
    outer = rect.adjusted(-REACH, -REACH, REACH, REACH)
    if not outer.contains(point):
        return None
    across = -1 if abs(point.x() - rect.left()) <= REACH else int(abs(point.x() - rect.right()) <= REACH)
    down = -1 if abs(point.y() - rect.top()) <= REACH else int(abs(point.y() - rect.bottom()) <= REACH)
    return _GRIPS.get((across, down))


def dragged(box: Box, grip: Grip, dx: float, dy: float) -> Box:
    """Return the box after the mouse has moved one of its parts by film pixels."""
    if grip is Grip.INSIDE:
        return box.moved(dx, dy)
    left, top, right, bottom = box.x, box.y, box.right, box.bottom
    if grip in _AT_LEFT:
        left = min(left + dx, right - SMALLEST_BOX)
    if grip in _AT_RIGHT:
        right = max(right + dx, left + SMALLEST_BOX)
    if grip in _AT_TOP:
        top = min(top + dy, bottom - SMALLEST_BOX)
    if grip in _AT_BOTTOM:
        bottom = max(bottom + dy, top + SMALLEST_BOX)
    return Box(left, top, right - left, bottom - top)


def kept_on_film(box: Box, rows: int, columns: int, grip: Grip) -> Box:
    """Return the box inside the film: a moved box keeps its size, a resized one is cut at the film's edge."""
    if grip is not Grip.INSIDE:
        return box.clipped(rows, columns)
    x = min(max(box.x, 0.0), max(columns - box.width, 0.0))
    y = min(max(box.y, 0.0), max(rows - box.height, 0.0))
    return Box(x, y, box.width, box.height).clipped(rows, columns)


def label_tab(mark: JointMark, viewport: Viewport, font: QFont) -> QRectF:
    """Return the tab that carries a box's label; dragging it moves the box.

    It stands above the box, or inside where the box reaches the view's upper edge.
    """
    rect = viewport.rect(mark.box)
    metrics = QFontMetricsF(font)
    height = metrics.height() + 4
    above = rect.top() - height
    top = above if above >= 0 or rect.bottom() < height else max(rect.top(), 0.0)
    return QRectF(max(rect.left(), 0.0), top, metrics.horizontalAdvance(tab_text(mark)) + 12, height)


def tab_text(mark: JointMark) -> str:
    """Return what a box says of itself."""
    if mark.excluded:
        return f"{mark.label}: excluded"
    return f"{mark.label}, your box" if mark.moved else mark.label


def paint_mark(painter: QPainter, mark: JointMark, viewport: Viewport, font: QFont) -> None:
    """Draw a joint's box: bright if current, dashed if found, solid if the reader placed it."""
    painter.save()
    # Upright lines upon whole pixels need no smoothing, which is slow for dashes.
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
    rect = QRectF(viewport.rect(mark.box).toRect())
    colour = Colour.ACCENT.qcolor if mark.current else Colour.MUTED.faded(0.75)
    # A dark line beneath keeps the box visible upon white bone.
    painter.setPen(QPen(Colour.BACKDROP.faded(0.6), 4.0 if mark.current else 3.0))
    painter.drawRect(rect)
    pen = QPen(colour, 2.0 if mark.current else 1.0)
    if not mark.moved:
        pen.setDashPattern([7.0, 5.0])
    painter.setPen(pen)
    painter.drawRect(rect)
    if mark.excluded:
        painter.drawLine(rect.topLeft(), rect.bottomRight())
        painter.drawLine(rect.bottomLeft(), rect.topRight())
    if mark.current:
        _paint_handles(painter, rect)
    tab = label_tab(mark, viewport, font)
    painter.fillRect(tab, Colour.BACKDROP.faded(0.55))
    painter.setPen(colour)
    painter.setFont(font)
    painter.drawText(tab, Qt.AlignmentFlag.AlignCenter, tab_text(mark))
    painter.restore()


def _paint_handles(painter: QPainter, rect: QRectF) -> None:
    painter.setPen(QPen(Colour.ACCENT.qcolor, 3.0))
    for corner, across, down in (
        (rect.topLeft(), 1, 1),
        (rect.topRight(), -1, 1),
        (rect.bottomLeft(), 1, -1),
        (rect.bottomRight(), -1, -1),
    ):
        painter.drawLine(corner, corner + QPointF(across * HANDLE, 0))
        painter.drawLine(corner, corner + QPointF(0, down * HANDLE))


def paint_text(
    painter: QPainter, at: QPointF, text: str, font: QFont, *, colour: Colour = Colour.MUTED
) -> None:
    """Write one line upon a film, with a dark rim so that it can be read over white bone.

    The rim is the line drawn four times beside itself: outlining the letters as paths took most of the
    time of a frame.
    """
    painter.save()
    painter.setFont(font)
    painter.setPen(Colour.BACKDROP.faded(0.8))
    for dx, dy in ((-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)):
        painter.drawText(at + QPointF(dx, dy), text)
    painter.setPen(colour.qcolor)
    painter.drawText(at, text)
    painter.restore()


def paint_corner(
    painter: QPainter,
    area: QRectF,
    lines: list[str],
    font: QFont,
    *,
    right: bool = False,
    bottom: bool = False,
    colour: Colour = Colour.MUTED,
) -> None:
    """Write lines into a corner of the view, each cut with an ellipsis where it would not fit."""
    metrics = QFontMetricsF(font)
    step = metrics.lineSpacing()
    top = area.bottom() - step * len(lines) if bottom else area.top()
    for number, line in enumerate(lines):
        shown = metrics.elidedText(line, Qt.TextElideMode.ElideRight, area.width())
        left = area.right() - metrics.horizontalAdvance(shown) if right else area.left()
        baseline = top + step * number + metrics.ascent()
        # The plate is there for white bone: beside the film it cannot be told from the backdrop.
        plate = QRectF(left - 3, top + step * number, metrics.horizontalAdvance(shown) + 6, step)
        painter.fillRect(plate, Colour.BACKDROP.faded(0.8))
        paint_text(painter, QPointF(left, baseline), shown, font, colour=colour)


def paint_side_letters(painter: QPainter, area: QRectF, letters: tuple[str, str], font: QFont) -> None:
    """Write which side of the person lies at the left and right edge of the view."""
    large = scaled_font(font, 1.7, bold=True)
    metrics = QFontMetricsF(large)
    baseline = area.center().y() + metrics.ascent() / 2
    left, right = letters
    if left:
        paint_text(painter, QPointF(area.left(), baseline), left, large)
    if right:
        paint_text(
            painter,
            QPointF(area.right() - metrics.horizontalAdvance(right), baseline),
            right,
            large,
        )
