"""A film made small enough to travel to the process that looks for joints on it; needs no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reader_app.ai.crop import ByteArray
from reader_app.errors import ImageError
from reader_app.imaging.geometry import Box, Side

ONE_JOINT = "S"
"""The laterality of a film that is known to show one joint whose side nobody stated."""

LONGEST_EDGE = 1024
"""Pixels; localizers look at 320 to 640, and landmarks at a joint's part of it."""

_SMALLEST_EDGE = 16
_PERCENTILES = (0.5, 99.5)


@dataclass(frozen=True, eq=False)
class PreparedFilm:
    """A film as localizers see it.

    Attributes
    ----------
    pixels
        uint8, rows x columns, longer edge at most `LONGEST_EDGE`, bone bright, stretched between the 0.5 and
        99.5 percentile.
    scale_x, scale_y
        Film pixels per pixel of `pixels`, across and down.
    image_left
        The patient's side that lies on the left of the image.
    laterality
        What is known of the film: "B" both joints, "R" or "L" one, `ONE_JOINT` one of either side, "U"
        unknown.
    joint
        "knee" or "hip".
    spacing_mm
        Of the film: millimetres on the body from row to row and column to column; None where not known.
    """

    pixels: ByteArray
    scale_x: float
    scale_y: float
    image_left: Side
    laterality: str
    joint: str
    spacing_mm: tuple[float, float] | None

    @property
    def film_shape(self) -> tuple[float, float]:
        """Rows and columns of the film itself."""
        return self.pixels.shape[0] * self.scale_y, self.pixels.shape[1] * self.scale_x

    def to_film(self, box: Box) -> Box:
        """Return a box of `pixels` in film pixels."""
        return Box(
            box.x * self.scale_x,
            box.y * self.scale_y,
            box.width * self.scale_x,
            box.height * self.scale_y,
        )


def prepare_film(
    pixels: npt.NDArray[Any],
    *,
    image_left: Side = Side.RIGHT,
    laterality: str = "U",
    joint: str,
    spacing_mm: tuple[float, float] | None = None,
) -> PreparedFilm:
    """Reduce a film and stretch its contrast.

    Parameters
    ----------
    pixels
        2D, any real dtype, bone bright.
    image_left
        The patient's side on the left of the image; the right one by radiographic convention.
    laterality
        As in `PreparedFilm`.
    joint
        "knee" or "hip".
    spacing_mm
        Millimetres on the body from row to row and column to column.

    Raises
    ------
    ImageError
        The pixels are no film, or all of one grey.
    """
    if pixels.ndim != 2 or min(pixels.shape) < _SMALLEST_EDGE:
        raise ImageError("The film is too small to look for joints.", "Check the file.")
    rows, columns = pixels.shape
    reduced = _reduced(pixels)
    low, high = np.percentile(reduced, _PERCENTILES)
    if high <= low:  # few grey values in a small part of the film
        low, high = float(reduced.min()), float(reduced.max())
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        raise ImageError("The film is one flat grey, there are no joints to look for.", "Check the file.")
    stretched = np.rint(np.clip((reduced - low) / (high - low), 0.0, 1.0) * 255.0).astype(np.uint8)
    return PreparedFilm(
        pixels=np.ascontiguousarray(stretched),
        scale_x=columns / stretched.shape[1],
        scale_y=rows / stretched.shape[0],
        image_left=image_left,
        laterality=laterality,
        joint=joint,
        spacing_mm=spacing_mm,
    )


def _reduced(pixels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return the film with its longer edge within the limit; every pixel of it counts."""
    from PIL import Image

    rows, columns = pixels.shape
    film = np.ascontiguousarray(pixels, dtype=np.float32)
    factor = LONGEST_EDGE / max(rows, columns)
    if factor >= 1.0:
        return film
    size = (max(_SMALLEST_EDGE, round(columns * factor)), max(_SMALLEST_EDGE, round(rows * factor)))
    return np.asarray(Image.fromarray(film).resize(size, Image.Resampling.BOX), dtype=np.float32)
