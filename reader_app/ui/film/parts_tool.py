"""Parts of a film that are to be boxed out, drawn as rectangles."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from reader_app.imaging.geometry import Box
from reader_app.ui.film import marks as overlays
from reader_app.ui.film.tools import FilmTool
from reader_app.ui.theme import Colour

if TYPE_CHECKING:
    from reader_app.ui.film.view import FilmView

SMALLEST_PART = 3.0
"""Film pixels; a smaller rectangle was a slip of the hand."""


class PartsTool(FilmTool):
    """Draws one rectangle a drag; a click chooses the one under it.

    Parameters
    ----------
    view
        The film that it works on.
    parts
        Those that are boxed out already.
    changed
        Called when a part was drawn, chosen or removed.

    Attributes
    ----------
    parts
        What is to be boxed out when it is applied.
    chosen
        The place in `parts` of the one that is marked; None for none.
    """

    def __init__(self, view: FilmView, parts: Sequence[Box], changed: Callable[[], object]) -> None:
        super().__init__(view)
        self.parts: tuple[Box, ...] = tuple(parts)
        self.before: tuple[Box, ...] = tuple(parts)
        self.chosen: int | None = None
        self._changed = changed
        self._start: QPointF | None = None
        self._drawn: Box | None = None

    @property
    def pending(self) -> bool:
        """Whether the parts differ from those that are boxed out already."""
        return self.parts != self.before

    def choose(self, place: int | None) -> None:
        """Mark one of the parts."""
        self.chosen = place if place is not None and 0 <= place < len(self.parts) else None
        self.view.update()

    def remove(self, place: int) -> None:
        """Take a part away."""
        self.parts = (*self.parts[:place], *self.parts[place + 1 :])
        self.choose(None)
        self._changed()

    def press(self, at: QPointF) -> None:
        """Begin a rectangle."""
        self._start, self._drawn = at, None

    def move(self, at: QPointF, *, start: QPointF | None, far: bool) -> None:
        """Draw it up to the mouse."""
        if self._start is not None and start is not None and far:
            self._drawn = self._between(self._start, at)
            self.view.update()

    def release(self, at: QPointF, *, far: bool) -> None:
        """Add the rectangle, or choose the part under a click."""
        start, self._start, self._drawn = self._start, None, None
        if start is None:
            return
        if not far:
            self.choose(self._part_at(at))
        else:
            drawn = self._between(start, at)
            if min(drawn.width, drawn.height) >= SMALLEST_PART and drawn not in self.parts:
                self.parts = (*self.parts, drawn)
                self.choose(len(self.parts) - 1)
        self._changed()
        self.view.update()

    def abandon(self) -> None:
        """Forget what was drawn and not applied."""
        self.parts, self.chosen, self._start, self._drawn = self.before, None, None, None
        self.view.update()

    def paint(self, painter: QPainter) -> None:
        """Draw the parts: those that are still to be applied in the colour of a warning."""
        parts = [(box, box not in self.before, place == self.chosen) for place, box in enumerate(self.parts)]
        if self._drawn is not None:
            parts.append((self._drawn, True, True))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        for number, (box, fresh, chosen) in enumerate(parts, start=1):
            rect = QRectF(self.view.viewport.rect(box).toRect())
            painter.fillRect(rect, Colour.BACKDROP.faded(0.72))
            colour = Colour.WARNING if fresh else Colour.MUTED
            painter.setPen(QPen(Colour.BACKDROP.faded(0.7), 4.0))
            painter.drawRect(rect)
            painter.setPen(QPen((Colour.ACCENT if chosen else colour).qcolor, 2.0 if chosen else 1.4))
            painter.drawRect(rect)
            at = rect.topLeft() + QPointF(5, painter.fontMetrics().ascent() + 3)
            overlays.paint_text(painter, at, str(number), self.view.font(), colour=colour)
        painter.restore()

    def cursor(self, at: QPointF) -> Qt.CursorShape:
        """Show that a click would choose a part."""
        return (
            Qt.CursorShape.PointingHandCursor if self._part_at(at) is not None else Qt.CursorShape.CrossCursor
        )

    def _part_at(self, at: QPointF) -> int | None:
        inside = [n for n, box in enumerate(self.parts) if self.view.viewport.rect(box).contains(at)]
        return min(inside, key=lambda n: self.parts[n].area) if inside else None

    def _between(self, start: QPointF, end: QPointF) -> Box:
        """Return the rectangle in whole film pixels, cut to the film."""
        (x0, y0), (x1, y1) = self.view.viewport.to_film(start), self.view.viewport.to_film(end)
        left, top = math.floor(min(x0, x1)), math.floor(min(y0, y1))
        box = Box(left, top, math.ceil(max(x0, x1)) - left, math.ceil(max(y0, y1)) - top)
        film = self.view.radiograph
        return box if film is None else box.clipped(film.header.rows, film.header.columns)
