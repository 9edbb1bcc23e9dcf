"""A line across a film, by a drag or by two clicks: to measure, or to say how wide a marker is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen

from reader_app.ui.film import words as film_words
from reader_app.ui.film.tools import FilmTool
from reader_app.ui.film.viewport import Viewport
from reader_app.ui.theme import Colour

if TYPE_CHECKING:
    from reader_app.ui.film.view import FilmView

REACH = 9.0
"""Widget pixels about an end of the line within which the mouse takes hold of it."""
_TICK = 8.0
_PLATE_WIDTH = 320.0
_PLATE_MARGIN = 6.0
_CLEAR = 12.0
"""Widget pixels between the line and what is written beside it."""


@dataclass(frozen=True)
class Line:
    """A line on a film between two points (x, y) in film pixels."""

    start: tuple[float, float]
    end: tuple[float, float]

    @property
    def step(self) -> tuple[float, float]:
        """Columns and rows from start to end."""
        return (self.end[0] - self.start[0], self.end[1] - self.start[1])

    @property
    def length(self) -> float:
        """Film pixels from end to end."""
        return math.hypot(*self.step)

    def with_end(self, number: int, point: tuple[float, float]) -> Line:
        """Return the line with its start (0) or end (1) elsewhere."""
        return Line(point, self.end) if number == 0 else Line(self.start, point)


class LineTool(FilmTool):
    """Draws one line at a time; its ends can be dragged afterwards.

    Parameters
    ----------
    view
        The film that it works on.
    changed
        Called when a line was finished or one of its ends was put elsewhere.
    """

    def __init__(self, view: FilmView, changed: Callable[[Line], object] | None = None) -> None:
        super().__init__(view)
        self.line: Line | None = None
        self._changed = changed
        self._held: int | None = None
        self._offset = (0.0, 0.0)
        self._by_clicks = False

    @property
    def under_way(self) -> bool:
        """Whether an end of the line still follows the mouse."""
        return self._held is not None

    def press(self, at: QPointF) -> None:
        """Take hold of an end, set the second end, or begin a line."""
        if self._by_clicks:
            self._put(at)
            return
        self._held = self._end_at(at)
        if self._held is not None and self.line is not None:
            x, y = self.view.viewport.to_film(at)
            end = (self.line.start, self.line.end)[self._held]
            self._offset = (end[0] - x, end[1] - y)
        else:
            point = self._on_film(at)
            self.line, self._held, self._offset = Line(point, point), 1, (0.0, 0.0)
        self.view.update()

    def move(self, at: QPointF, *, start: QPointF | None, far: bool) -> None:
        """Let the end in hand follow the mouse."""
        if self._held is not None and (far or (start is None and self._by_clicks)):
            self._put(at)

    def release(self, at: QPointF, *, far: bool) -> None:
        """Finish the line after a drag; after the first click wait for the second one."""
        if self._held is None:
            return
        if far or self._by_clicks:
            self._finish(at)
        elif self.line is not None and self.line.length == 0:
            self._by_clicks = True
        else:
            self._held = None  # an end was touched, not moved

    def abandon(self) -> None:
        """Take the line away."""
        self.line, self._held, self._by_clicks = None, None, False
        self.view.update()

    def cursor(self, at: QPointF) -> Qt.CursorShape:
        """Show that an end can be taken hold of."""
        over_end = self._held is None and self._end_at(at) is not None
        return Qt.CursorShape.SizeAllCursor if over_end else Qt.CursorShape.CrossCursor

    def paint(self, painter: QPainter) -> None:
        """Draw the line and what is to be read beside it."""
        film = self.view.radiograph
        if self.line is None or film is None or self.line.length == 0:
            return
        paint_line(painter, self.line, self.view.viewport)
        lines = self.words(self.line)
        if lines:
            paint_beside(
                painter, self.line, self.view.viewport, QRectF(self.view.rect()), self.view.font(), lines
            )

    def words(self, line: Line) -> Sequence[str]:
        """Return what stands beside the line: the first is what is read, the others explain it."""
        del line
        return ()

    def _finish(self, at: QPointF) -> None:
        self._put(at)
        self._held, self._by_clicks = None, False
        if self.line is not None and self.line.length == 0:
            self.line = None
        if self.line is not None and self._changed is not None:
            self._changed(self.line)
        self.view.update()

    def _put(self, at: QPointF) -> None:
        if self.line is not None and self._held is not None:
            self.line = self.line.with_end(self._held, self._on_film(at))
            self.view.update()

    def _on_film(self, at: QPointF) -> tuple[float, float]:
        x, y = self.view.viewport.to_film(at)
        x, y = x + self._offset[0], y + self._offset[1]
        film = self.view.radiograph
        if film is None:
            return (x, y)
        return (min(max(x, 0.0), float(film.header.columns)), min(max(y, 0.0), float(film.header.rows)))

    def _end_at(self, at: QPointF) -> int | None:
        if self.line is None:
            return None
        away = [
            math.hypot(at.x() - end.x(), at.y() - end.y())
            for end in (self.view.viewport.to_widget(*point) for point in (self.line.start, self.line.end))
        ]
        nearest = 0 if away[0] < away[1] else 1
        return nearest if away[nearest] <= REACH else None


class RulerTool(LineTool):
    """Measures, in the film's own kind of millimetres or in pixels."""

    def words(self, line: Line) -> Sequence[str]:
        """Return the length with its unit and, where there are no millimetres, why not."""
        film = self.view.radiograph
        return film_words.length_words(line.start, line.end, film.header.spacing) if film else ()


def paint_line(painter: QPainter, line: Line, viewport: Viewport) -> None:
    """Draw a line with a tick across each end, bright upon a dark rim."""
    start, end = viewport.to_widget(*line.start), viewport.to_widget(*line.end)
    away = math.hypot(end.x() - start.x(), end.y() - start.y()) or 1.0
    across = QPointF(-(end.y() - start.y()) / away, (end.x() - start.x()) / away) * _TICK
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for colour, width in ((Colour.BACKDROP.faded(0.7), 4.5), (Colour.MEASURE.qcolor, 1.6)):
        painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawLine(start, end)
        for point in (start, end):
            painter.drawLine(point - across, point + across)
    painter.restore()


def paint_beside(
    painter: QPainter, line: Line, viewport: Viewport, view: QRectF, font: QFont, words: Sequence[str]
) -> None:
    """Write upon a dark plate beside a line; the plate stays inside the view and off the line."""
    bold = QFont(font)
    bold.setBold(True)
    metrics, large = QFontMetricsF(font), QFontMetricsF(bold)
    room = min(_PLATE_WIDTH, view.width() - 4 * _PLATE_MARGIN)
    rest = [part for text in words[1:] for part in film_words.in_lines(text, metrics.horizontalAdvance, room)]
    head = film_words.in_lines(words[0], large.horizontalAdvance, room)
    width = max(
        max(large.horizontalAdvance(text) for text in head),
        max((metrics.horizontalAdvance(text) for text in rest), default=0.0),
    )
    height = large.lineSpacing() * len(head) + metrics.lineSpacing() * len(rest)
    plate = beside(
        viewport.to_widget(*line.start),
        viewport.to_widget(*line.end),
        (width + 2 * _PLATE_MARGIN, height + 2 * _PLATE_MARGIN),
        view,
    )
    painter.save()
    painter.fillRect(plate, Colour.BACKDROP.faded(0.82))
    baseline = plate.top() + _PLATE_MARGIN
    for texts, use, measure, colour in (
        (head, bold, large, Colour.MEASURE),
        (rest, font, metrics, Colour.MUTED),
    ):
        painter.setFont(use)
        painter.setPen(colour.qcolor)
        for text in texts:
            painter.drawText(QPointF(plate.left() + _PLATE_MARGIN, baseline + measure.ascent()), text)
            baseline += measure.lineSpacing()
    painter.restore()


def beside(start: QPointF, end: QPointF, size: tuple[float, float], view: QRectF) -> QRectF:
    """Return where a plate of a size stands beside a line: inside the view, and off the line if it can.

    It stands across from the middle of the line, to the right or below where there is room; a line whose
    middle is out of sight keeps its plate at the edge of the view.
    """
    width, height = size
    away = math.hypot(end.x() - start.x(), end.y() - start.y())
    middle = (start + end) / 2
    across = (
        QPointF(-(end.y() - start.y()) / away, (end.x() - start.x()) / away) if away > 0 else QPointF(1, 0)
    )
    if across.x() < -1e-9 or (abs(across.x()) <= 1e-9 and across.y() < 0):
        across = -across
    reach = (abs(across.x()) * width + abs(across.y()) * height) / 2 + _CLEAR
    places = []
    for way in (1.0, -1.0):
        centre = middle + across * (way * reach)
        wanted = QRectF(centre.x() - width / 2, centre.y() - height / 2, width, height)
        kept = _inside(wanted, view.adjusted(_PLATE_MARGIN, _PLATE_MARGIN, -_PLATE_MARGIN, -_PLATE_MARGIN))
        pushed = abs(kept.x() - wanted.x()) + abs(kept.y() - wanted.y())
        places.append((pushed, kept))
    return min(places, key=lambda place: place[0])[1]


def _inside(rect: QRectF, view: QRectF) -> QRectF:
    left = min(max(rect.left(), view.left()), max(view.right() - rect.width(), view.left()))
    top = min(max(rect.top(), view.top()), max(view.bottom() - rect.height(), view.top()))
    return QRectF(left, top, rect.width(), rect.height())
