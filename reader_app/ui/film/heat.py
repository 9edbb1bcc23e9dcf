"""The heatmap on a film: a colour map that stays readable over gray, warped to where the head looked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPen, QPolygonF, QTransform

from reader_app.reading.pregrade import Heatmap
from reader_app.ui.film.heat_colours import heat_colours, signed_colours
from reader_app.ui.film.viewport import Viewport
from reader_app.ui.theme import Colour

_QUIET_BELOW = 0.15
"""Strengths up to here are not drawn: what the head did not look at must stay pure film."""
_FRAME_DASHES = [2.0, 4.0]


def heat_image(values: NDArray[np.float32], *, signed: bool = False) -> QImage:
    """Return a heatmap as an image whose opacity rises with the strength.

    Parameters
    ----------
    values
        (rows, columns) in 0..1, or in -1..1 where `signed`.
    """
    clipped = np.clip(values, -1.0 if signed else 0.0, 1.0)
    colours = signed_colours() if signed else heat_colours()
    index = np.round((clipped + 1.0) * 127 if signed else clipped * 255).astype(np.uint8)
    alpha = np.clip((np.abs(clipped) - _QUIET_BELOW) / (1.0 - _QUIET_BELOW), 0.0, 1.0)[..., None]
    coloured = colours[index] * alpha
    pixels = np.ascontiguousarray(np.concatenate([coloured, alpha * 255], axis=2).round().astype(np.uint8))
    rows, columns = values.shape
    image = QImage(pixels.data, columns, rows, columns * 4, QImage.Format.Format_RGBA8888_Premultiplied)
    return image.copy()  # the array goes, the image stays


def crop_to_film(heatmap: Heatmap) -> QTransform:
    """Return the map from the heatmap's image to film coordinates as boxes use them.

    `Heatmap.to_film` counts from pixel centres, an image and a box from pixel edges: half a pixel
    comes off before the map and goes on after it.
    """
    (xx, xy, x0), (yx, yy, y0) = heatmap.to_film.tolist()
    return QTransform(xx, yx, xy, yy, x0 - 0.5 * (xx + xy) + 0.5, y0 - 0.5 * (yx + yy) + 0.5)


@dataclass(frozen=True)
class HeatLayer:
    """One heatmap, made ready to be drawn in every frame.

    Attributes
    ----------
    image
        Enlarged smoothly once: the networks' grid is a dozen values wide, and Qt's own interpolation
        of so few pixels shows their corners.
    outline
        The corners, in film pixels, of what the networks were shown: a turned square where the crop was
        turned.
    signed
        Whether blue, which lowers the grade, occurs beside red.
    """

    image: QImage
    to_film: QTransform
    outline: QPolygonF
    signed: bool = False

    @classmethod
    def of(cls, heatmap: Heatmap, *, side: int = 160) -> HeatLayer:
        """Prepare a heatmap."""
        rows, columns = heatmap.values.shape
        factor = max(1, round(side / max(rows, columns)))
        values = smooth_enlarged(heatmap.values, factor)
        enlarged = QTransform.fromScale(1 / factor, 1 / factor)
        to_film = crop_to_film(heatmap)
        outline = to_film.map(QPolygonF(QRectF(0, 0, columns, rows)))
        return cls(
            heat_image(values, signed=heatmap.signed), enlarged * to_film, outline, signed=heatmap.signed
        )

    def paint(self, painter: QPainter, viewport: Viewport, film: QRectF, *, opacity: float) -> None:
        """Draw the layer; nothing falls outside the film, given in widget pixels."""
        painter.save()
        clip = QPainterPath()
        clip.addRect(film)
        painter.setClipPath(clip)
        self._paint_outline(painter, viewport)
        painter.setOpacity(opacity)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setTransform(self.to_film * viewport.transform(), combine=True)
        painter.drawImage(QPointF(0, 0), self.image)
        painter.restore()

    def _paint_outline(self, painter: QPainter, viewport: Viewport) -> None:
        corners = viewport.transform().map(self.outline)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        # A dark line beneath keeps the outline visible upon white bone.
        painter.setPen(QPen(Colour.BACKDROP.faded(0.6), 3.0))
        painter.drawPolyline(corners)
        pen = QPen(Colour.AI.qcolor, 1.25)
        pen.setDashPattern(_FRAME_DASHES)
        painter.setPen(pen)
        painter.drawPolyline(corners)


def smooth_enlarged(values: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Enlarge a small map by a whole factor with a cubic B-spline blend, pixel edges staying in place.

    The weights are a convex sum, so no value leaves the range of the map.
    """
    tall = _spline_weights(values.shape[0], factor) @ values
    return np.asarray(tall @ _spline_weights(values.shape[1], factor).T, dtype=np.float32)


def _spline_weights(size: int, factor: int) -> NDArray[np.float64]:
    places = (np.arange(size * factor) + 0.5) / factor - 0.5
    weights = np.zeros((size * factor, size))
    base = np.floor(places).astype(int)
    t = places - base
    parts = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    for step, part in enumerate(parts):
        column = np.clip(base + step - 1, 0, size - 1)
        np.add.at(weights, (np.arange(size * factor), column), part / 6)
    return weights
