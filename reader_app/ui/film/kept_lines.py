"""Lengths that belong to the case, as they lie upon its films for as long as it is open."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from reader_app.ui.film.ruler import REACH, Line, paint_beside, paint_line

if TYPE_CHECKING:
    from reader_app.ui.film.view import FilmView


@dataclass(frozen=True)
class KeptLine:
    """A kept length as it is drawn.

    Attributes
    ----------
    number
        By which it is known in its reading.
    words
        What stands beside it: the first is what is read, the others explain it.
    """

    number: int
    line: Line
    words: tuple[str, ...]


class KeptLines:
    """The kept lengths upon one film.

    Parameters
    ----------
    view
        The film that they lie upon.
    """

    def __init__(self, view: FilmView) -> None:
        self._view = view
        self._lines: tuple[KeptLine, ...] = ()

    @property
    def lines(self) -> tuple[KeptLine, ...]:
        """What lies upon the film now."""
        return self._lines

    def show(self, lines: Sequence[KeptLine]) -> None:
        """Set what lies upon the film."""
        wanted = tuple(lines)
        if wanted != self._lines:
            self._lines = wanted
            self._view.update()

    def at(self, point: QPointF) -> KeptLine | None:
        """Return the length under a point of the widget, the nearest of several; None away from all."""
        away = [(self._distance(kept.line, point), kept) for kept in self._lines]
        distance, nearest = min(away, key=lambda each: each[0], default=(math.inf, None))
        return nearest if distance <= REACH else None

    def paint(self, painter: QPainter) -> None:
        """Draw the lines with their words; nothing while there is no film."""
        if self._view.radiograph is None:
            return
        area = QRectF(self._view.rect())
        for kept in self._lines:
            paint_line(painter, kept.line, self._view.viewport)
        for kept in self._lines:
            paint_beside(painter, kept.line, self._view.viewport, area, self._view.font(), kept.words)

    def _distance(self, line: Line, point: QPointF) -> float:
        """Widget pixels from a point to a line, its ends included."""
        start = self._view.viewport.to_widget(*line.start)
        way = self._view.viewport.to_widget(*line.end) - start
        from_start = point - start
        length = QPointF.dotProduct(way, way)
        share = QPointF.dotProduct(from_start, way) / length if length > 0 else 0.0
        off = from_start - way * min(max(share, 0.0), 1.0)
        return math.hypot(off.x(), off.y())
