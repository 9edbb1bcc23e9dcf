"""The heatmap on a film: a colour map that stays readable over gray, warped to where the head looked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter, QPainterPath, QTransform

from reader_app.reading.pregrade import Heatmap
from reader_app.ui.film.viewport import Viewport

_QUIET_BELOW = 0.15
"""Values up to here are not drawn: what the head did not look at must stay pure film."""

# Oklab to linear sRGB (Ottosson 2020, "A perceptual color space for image processing").
_OKLAB_TO_LMS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


@cache
def heat_colours() -> NDArray[np.uint8]:
    """Return the colour map, shape (256, 3), 8-bit sRGB.

    Lightness rises in equal steps of Oklab from 0.40 to 0.92 while the hue turns from violet over red
    to yellow, so equal steps of the map look equal and the order survives without colour vision.
    """
    t = np.linspace(0.0, 1.0, 256)
    lightness = 0.40 + 0.52 * t
    hue = np.deg2rad(np.interp(t, [0.0, 0.45, 1.0], [310.0, 385.0, 458.0]))
    chroma = np.interp(t, [0.0, 0.4, 0.7, 1.0], [0.15, 0.19, 0.17, 0.15])
    oklab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)
    linear = np.clip((oklab @ _OKLAB_TO_LMS.T) ** 3 @ _LMS_TO_RGB.T, 0.0, 1.0)
    coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(coded * 255), dtype=np.uint8)


def heat_image(values: NDArray[np.float32]) -> QImage:
    """Return a heatmap as an image whose opacity rises with the value.

    Parameters
    ----------
    values
        (rows, columns) in 0..1.
    """
    clipped = np.clip(values, 0.0, 1.0)
    index = np.round(clipped * 255).astype(np.uint8)
    strength = np.clip((clipped - _QUIET_BELOW) / (1.0 - _QUIET_BELOW), 0.0, 1.0)
    alpha = strength[..., None]
    coloured = heat_colours()[index] * alpha
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
    """

    image: QImage
    to_film: QTransform

    @classmethod
    def of(cls, heatmap: Heatmap, *, side: int = 160) -> HeatLayer:
        """Prepare a heatmap."""
        rows, columns = heatmap.values.shape
        factor = max(1, round(side / max(rows, columns)))
        values = smooth_enlarged(heatmap.values, factor)
        enlarged = QTransform.fromScale(1 / factor, 1 / factor)
        return cls(heat_image(values), enlarged * crop_to_film(heatmap))

    def paint(self, painter: QPainter, viewport: Viewport, film: QRectF, *, opacity: float) -> None:
        """Draw the layer; nothing falls outside the film, given in widget pixels."""
        painter.save()
        clip = QPainterPath()
        clip.addRect(film)
        painter.setClipPath(clip)
        painter.setOpacity(opacity)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setTransform(self.to_film * viewport.transform(), combine=True)
        painter.drawImage(QPointF(0, 0), self.image)
        painter.restore()


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
