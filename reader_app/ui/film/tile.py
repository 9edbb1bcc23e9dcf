"""A film's pixels as a painter wants them: a tile of the screen's own pixels, made once and kept."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from reader_app.imaging.geometry import Box
from reader_app.imaging.pyramid import Pyramid
from reader_app.ui.film.viewport import Viewport
from reader_app.ui.film.window import FilmWindow


class TilePainter:
    """Draws the visible part of a film and keeps the tile until place, zoom or grays change."""

    def __init__(self) -> None:
        self._film: Pyramid | None = None
        self._key: object = None
        self._pixels = np.zeros((0, 0), dtype=np.uint32)
        self._table_key: FilmWindow | None = None
        self._table = np.zeros(0, dtype=np.uint32)

    def show(self, film: Pyramid | None) -> None:
        """Take another film; the one before keeps nothing for a screen that it has left."""
        if self._film is not None and self._film is not film:
            self._film.forget_tile()
        self._film, self._key, self._table_key = film, None, None
        self._pixels = np.zeros((0, 0), dtype=np.uint32)

    def paint(
        self, painter: QPainter, viewport: Viewport, visible: Box, window: FilmWindow, *, ratio: float
    ) -> None:
        """Draw the film.

        Parameters
        ----------
        visible
            The part of the film inside the widget.
        ratio
            Device pixels a widget pixel.
        """
        if self._film is None:
            return
        if viewport.scale * ratio > 1.0:
            view, out_size = _whole_film_pixels(visible, self._film.radiograph.pixels.shape)
            target = viewport.rect(view)
        else:
            view, out_size, target = _whole_screen_pixels(viewport, visible, ratio)
        if out_size[0] <= 0 or out_size[1] <= 0:
            return
        key = (view, out_size, window)
        if key != self._key:
            if self._pixels.shape != out_size:
                self._pixels = np.empty(out_size, dtype=np.uint32)
            self._film.tile(view, out_size).shown(self._grays(window), into=self._pixels)
            self._key = key
        rows, columns = self._pixels.shape
        # The image borrows the array, which is kept beside it, and has the screen's own format.
        image = QImage(self._pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(target, image)

    def _grays(self, window: FilmWindow) -> NDArray[np.uint32]:
        """Return the screen's pixel for each stored value: the gray in all three colours."""
        if self._film is not None and window != self._table_key:
            grays = self._film.table(window=window.voi, inverted=window.inverted)
            self._table = grays.astype(np.uint32) * np.uint32(0x010101) | np.uint32(0xFF000000)
            self._table_key = window
        return self._table


def _whole_film_pixels(visible: Box, shape: tuple[int, ...]) -> tuple[Box, tuple[int, int]]:
    """Return the film pixels in sight with one to spare, at their own resolution.

    Zoomed in, the painter interpolates between them: squares hide what lies between two grays.
    """
    left, top = max(math.floor(visible.x) - 1, 0), max(math.floor(visible.y) - 1, 0)
    right = min(math.ceil(visible.right) + 1, shape[1])
    bottom = min(math.ceil(visible.bottom) + 1, shape[0])
    return Box(left, top, right - left, bottom - top), (bottom - top, right - left)


def _whole_screen_pixels(
    viewport: Viewport, visible: Box, ratio: float
) -> tuple[Box, tuple[int, int], QRectF]:
    """Return the device pixels that lie wholly on the film, so that nothing is resampled twice."""
    rect = viewport.rect(visible)
    left, top = math.ceil(rect.left() * ratio - 1e-6), math.ceil(rect.top() * ratio - 1e-6)
    right, bottom = math.floor(rect.right() * ratio + 1e-6), math.floor(rect.bottom() * ratio + 1e-6)
    columns, rows = max(right - left, 0), max(bottom - top, 0)
    target = QRectF(left / ratio, top / ratio, columns / ratio, rows / ratio)
    x, y = viewport.to_film(target.topLeft())
    return (
        Box(x, y, target.width() / viewport.scale, target.height() / viewport.scale),
        (rows, columns),
        target,
    )
