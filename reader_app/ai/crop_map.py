"""The exact affine map between a crop and its film.

Coordinates are continuous with the pixel-edge convention: pixel ``i`` covers ``[i, i + 1]``, so a film of
``W`` columns spans ``[0, W]``; x runs to the right, y down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reader_app.imaging.geometry import Box

Point = tuple[float, float]


@dataclass(frozen=True)
class CropMap:
    """From the crop to the film: ``x_film = xx * x + xy * y + x0`` and ``y_film = yx * x + yy * y + y0``.

    A mirrored crop has a negative determinant, a rotated one `xy` and `yx` other than 0.
    """

    xx: float
    xy: float
    x0: float
    yx: float
    yy: float
    y0: float

    @property
    def determinant(self) -> float:
        """Film pixels per crop pixel; negative where the crop is mirrored."""
        return self.xx * self.yy - self.xy * self.yx

    def to_film(self, x: float, y: float) -> Point:
        """Map a point of the crop to the film."""
        return self.xx * x + self.xy * y + self.x0, self.yx * x + self.yy * y + self.y0

    def to_crop(self, x: float, y: float) -> Point:
        """Map a point of the film to the crop."""
        dx, dy, area = x - self.x0, y - self.y0, self.determinant
        return (self.yy * dx - self.xy * dy) / area, (self.xx * dy - self.yx * dx) / area

    def outline(self, size: float) -> tuple[Point, Point, Point, Point]:
        """Return the corners of a crop of this edge on the film, in order around it."""
        return (
            self.to_film(0.0, 0.0),
            self.to_film(size, 0.0),
            self.to_film(size, size),
            self.to_film(0.0, size),
        )

    def box_to_film(self, box: Box) -> Box:
        """Return the upright rectangle of the film around a rectangle of the crop."""
        return _around([self.to_film(*corner) for corner in _corners(box)])

    def box_to_crop(self, box: Box) -> Box:
        """Return the upright rectangle of the crop around a rectangle of the film."""
        return _around([self.to_crop(*corner) for corner in _corners(box)])

    def grid_matrix(self, size: int, cells: int) -> npt.NDArray[np.float64]:
        """Return the 2 x 3 matrix from a cell of a grid over the crop to the film.

        Parameters
        ----------
        size
            Edge of the crop in crop pixels.
        cells
            Cells of the grid along an edge; `size` for the crop itself, fewer for a heatmap.

        Returns
        -------
        NDArray
            Film (x, y) = matrix @ (column, row, 1), where the centres of cells and of film pixels, unlike
            elsewhere in this file, lie on whole numbers.
        """
        step = size / cells
        x, y = self.to_film(step / 2.0, step / 2.0)
        return np.array(
            [[self.xx * step, self.xy * step, x - 0.5], [self.yx * step, self.yy * step, y - 0.5]]
        )


def map_around(
    centre: Point,
    *,
    pixels_per_crop_pixel: Point,
    size: int,
    tilt_degrees: float = 0.0,
    mirrored: bool = False,
) -> CropMap:
    """Return the map of a square crop around a point of the film.

    Parameters
    ----------
    centre
        On the film; it lands in the middle of the crop.
    pixels_per_crop_pixel
        Film columns and film rows that one crop pixel spans; they differ where the film's pixels are not
        square, so that the crop's are.
    size
        Edge of the crop in crop pixels.
    tilt_degrees
        Slope on the body of the line that becomes horizontal: positive where its right end, as the film is
        seen, lies lower.
    mirrored
        Flip the crop left to right, after turning it.
    """
    across, down = pixels_per_crop_pixel
    cosine, sine = math.cos(math.radians(tilt_degrees)), math.sin(math.radians(tilt_degrees))
    flip = -1.0 if mirrored else 1.0
    xx, xy = across * cosine * flip, -across * sine
    yx, yy = down * sine * flip, down * cosine
    half = size / 2.0
    return CropMap(
        xx=xx,
        xy=xy,
        x0=centre[0] - (xx + xy) * half,
        yx=yx,
        yy=yy,
        y0=centre[1] - (yx + yy) * half,
    )


def _corners(box: Box) -> tuple[Point, ...]:
    return (box.x, box.y), (box.right, box.y), (box.right, box.bottom), (box.x, box.bottom)


def _around(points: list[Point]) -> Box:
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    return Box(left, top, right - left, bottom - top)
