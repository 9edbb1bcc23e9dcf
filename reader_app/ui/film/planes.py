"""The file's own overlays (DICOM group 6000) upon a film, drawn at screen resolution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from reader_app.imaging.geometry import Box
from reader_app.ui.film.viewport import Viewport
from reader_app.ui.theme import Colour

_SMALLEST_LEVEL = 256


def halved(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask at half the resolution: set where any of its four pixels is.

    A mean would make a line of one pixel fade away on a screen that shows an eighth of the film's pixels.
    """
    rows, columns = mask.shape
    even = np.pad(mask, ((0, rows % 2), (0, columns % 2)))
    return np.asarray(even[0::2, 0::2] | even[1::2, 0::2] | even[0::2, 1::2] | even[1::2, 1::2])


class PlaneLayer:
    """All overlays of a film in one colour; the part in sight is made ready once and kept.

    Parameters
    ----------
    masks
        One per overlay, bool, shape (rows, columns) of the film; at least one.
    """

    def __init__(self, masks: Sequence[NDArray[np.bool_]]) -> None:
        union = np.asarray(np.logical_or.reduce(list(masks)), dtype=np.bool_)
        self.levels = [union]
        while max(self.levels[-1].shape) > _SMALLEST_LEVEL:
            self.levels.append(halved(self.levels[-1]))
        self._key: tuple[int, int, int, int, int] | None = None
        self._image = QImage()

    def paint(self, painter: QPainter, viewport: Viewport, visible: Box, *, ratio: float) -> None:
        """Draw the part of the overlays that is in sight; `ratio` is device pixels a widget pixel."""
        shrunk = 1.0 / max(viewport.scale * ratio, 1e-9)
        depth = min(max(math.floor(math.log2(shrunk) + 0.01), 0), len(self.levels) - 1) if shrunk > 1 else 0
        level, step = self.levels[depth], 1 << depth
        left, top = math.floor(visible.x / step), math.floor(visible.y / step)
        right = min(math.ceil(visible.right / step), level.shape[1])
        bottom = min(math.ceil(visible.bottom / step), level.shape[0])
        if right <= left or bottom <= top:
            return
        key = (depth, left, top, right, bottom)
        if key != self._key:
            self._image = _coloured(level[top:bottom, left:right])
            self._key = key
        part = Box(left * step, top * step, (right - left) * step, (bottom - top) * step)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=shrunk > 1)
        painter.drawImage(QRectF(viewport.rect(part)), self._image)
        painter.restore()


def _coloured(mask: NDArray[np.bool_]) -> QImage:
    colour = Colour.OVERLAY.qcolor
    pixels = np.zeros((*mask.shape, 4), dtype=np.uint8)
    pixels[mask] = (colour.red(), colour.green(), colour.blue(), 255)
    rows, columns = mask.shape
    image = QImage(pixels.data, columns, rows, columns * 4, QImage.Format.Format_RGBA8888_Premultiplied)
    return image.copy()  # the array goes, the image stays
