"""Colours of heatmaps: readable over gray, their order kept without colour vision."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

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
    """Return the colour map of what a head looked at, shape (256, 3), 8-bit sRGB.

    Lightness rises in equal steps of Oklab from 0.40 to 0.92 while the hue turns from violet over red
    to yellow, so equal steps of the map look equal and the order survives without colour vision.
    """
    t = np.linspace(0.0, 1.0, 256)
    lightness = 0.40 + 0.52 * t
    hue = np.interp(t, [0.0, 0.45, 1.0], [310.0, 385.0, 458.0])
    chroma = np.interp(t, [0.0, 0.4, 0.7, 1.0], [0.15, 0.19, 0.17, 0.15])
    return _coded(lightness, chroma, hue)


@cache
def signed_colours() -> NDArray[np.uint8]:
    """Return the colour map of a signed map from -1 to 1, shape (255, 3), 8-bit sRGB; nothing is row 127.

    Blue lowers the grade and red raises it: hues that readers with any common colour vision tell apart.
    Both arms rise in lightness alike, so that equal strength for and against looks equally strong.
    """
    value = np.linspace(-1.0, 1.0, 255)
    strength = np.abs(value)
    lightness = 0.45 + 0.25 * strength
    chroma = 0.10 + 0.10 * strength
    hue = np.where(value < 0, 245.0, 35.0)
    return _coded(lightness, chroma, hue)


def _coded(
    lightness: NDArray[np.float64], chroma: NDArray[np.float64], hue: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Return 8-bit sRGB of colours in Oklab; hue in degrees."""
    turn = np.deg2rad(hue)
    oklab = np.stack([lightness, chroma * np.cos(turn), chroma * np.sin(turn)], axis=1)
    linear = np.clip((oklab @ _OKLAB_TO_LMS.T) ** 3 @ _LMS_TO_RGB.T, 0.0, 1.0)
    coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(coded * 255), dtype=np.uint8)
