"""From a radiograph to the square that a network sees, and back.

Training and inference call the same two functions, `crop_joint` and `standardise`, with the same
`Preprocessing`; the values of `Preprocessing` travel in the bundle.  Coordinates are continuous with the
pixel-edge convention: pixel ``i`` covers ``[i, i + 1]``, so a film of ``W`` columns spans ``[0, W]``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from reader_app.errors import BundleError, ImageError
from reader_app.imaging.geometry import Box

FloatArray = npt.NDArray[np.float32]
ByteArray = npt.NDArray[np.uint8]

_SMALLEST_SPREAD = 1e-4  # a standard deviation below this is a flat image; do not blow up its rounding


@dataclass(frozen=True)
class Preprocessing:
    """How a joint becomes the square that a network sees; written to and read from the bundle.

    Parameters
    ----------
    size
        Edge of the square in crop pixels.
    margin
        The square's edge as a multiple of the box's longer edge.
    low_percentile, high_percentile
        Grey values at these percentiles of the crop become black and white.
    mirror_side
        The side (``"L"``, ``"R"`` or ``""`` for none) that is mirrored, so that medial is always on the same
        side of the crop.
    recipe
        Name and version of the procedure; another one than ours is refused.
    """

    size: int = 224
    margin: float = 1.0
    low_percentile: float = 0.5
    high_percentile: float = 99.5
    mirror_side: str = "L"
    recipe: str = "joint-crop/1"

    def __post_init__(self) -> None:
        if self.recipe != "joint-crop/1":
            raise BundleError(
                f"The preprocessing “{self.recipe}” is not known to this version.", "Update the program."
            )
        if not (16 <= self.size <= 2048 and 0.1 <= self.margin <= 10.0):
            raise BundleError(
                "The preprocessing's size or margin is out of range.", "Install the bundle again."
            )
        if not 0.0 <= self.low_percentile < self.high_percentile <= 100.0:
            raise BundleError(
                "The preprocessing's percentiles are not in order.", "Install the bundle again."
            )
        if self.mirror_side not in ("L", "R", ""):
            raise BundleError(
                "The preprocessing's mirror_side must be L, R or empty.", "Install the bundle again."
            )


@dataclass(frozen=True)
class CropMap:
    """The exact affine map between crop and film, in continuous pixel coordinates.

    ``x_film = x_scale * x_crop + x_offset`` and likewise for y; a mirrored crop has a negative `x_scale`.
    """

    x_scale: float
    x_offset: float
    y_scale: float
    y_offset: float

    def to_film(self, x: float, y: float) -> tuple[float, float]:
        """Map a point of the crop to the film."""
        return self.x_scale * x + self.x_offset, self.y_scale * y + self.y_offset

    def to_crop(self, x: float, y: float) -> tuple[float, float]:
        """Map a point of the film to the crop."""
        return (x - self.x_offset) / self.x_scale, (y - self.y_offset) / self.y_scale

    def box_to_film(self, box: Box) -> Box:
        """Map a rectangle of the crop to the film."""
        return _box(self.to_film(box.x, box.y), self.to_film(box.right, box.bottom))

    def box_to_crop(self, box: Box) -> Box:
        """Map a rectangle of the film to the crop."""
        return _box(self.to_crop(box.x, box.y), self.to_crop(box.right, box.bottom))

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
        return np.array(
            [
                [self.x_scale * step, 0.0, self.x_scale * step / 2.0 + self.x_offset - 0.5],
                [0.0, self.y_scale * step, self.y_scale * step / 2.0 + self.y_offset - 0.5],
            ]
        )


def _box(one: tuple[float, float], other: tuple[float, float]) -> Box:
    """Return the box that has these opposite corners, in whichever order."""
    left, right = sorted((one[0], other[0]))
    top, bottom = sorted((one[1], other[1]))
    return Box(left, top, right - left, bottom - top)


def squared(box: Box, margin: float = 1.0) -> Box:
    """Return the square of the longer edge of `box` times `margin` around the same centre."""
    edge = max(box.width, box.height) * margin
    x, y = box.centre
    return Box(x - edge / 2.0, y - edge / 2.0, edge, edge)


@dataclass(frozen=True)
class Crop:
    """A joint as the network sees it before standardisation: `pixels` is uint8, size x size, bone bright."""

    pixels: ByteArray
    map: CropMap
    square: Box
    mirrored: bool


def crop_joint(
    pixels: npt.NDArray[np.generic], preprocessing: Preprocessing, *, side: str, box: Box | None = None
) -> Crop:
    """Cut one joint out of a film, mirror it if its side asks for it, and stretch its contrast.

    Parameters
    ----------
    pixels
        The film, 2D, any real dtype, bone bright.
    preprocessing
        What the network was trained with.
    side
        ``"L"`` or ``"R"`` of the patient.
    box
        The joint on the film; the whole film if left out.

    Raises
    ------
    ImageError
        The film is not 2D, the box lies outside it, or the crop is one flat grey.
    """
    if pixels.ndim != 2 or min(pixels.shape) < 2:
        raise ImageError("The joint's pixels are not a grey image with rows and columns.", "Check the file.")
    height, width = pixels.shape
    square = squared(box or Box(0.0, 0.0, float(width), float(height)), preprocessing.margin)
    if square.width < 2.0:
        raise ImageError("The box of the joint is smaller than two pixels.", "Draw the box again.")
    sampled, inside = _sample_square(pixels, square, preprocessing.size)
    stretched = _stretch(sampled, inside, preprocessing)
    scale = square.width / preprocessing.size
    mirrored = side == preprocessing.mirror_side
    if mirrored:
        stretched = np.ascontiguousarray(stretched[:, ::-1])
        crop_map = CropMap(-scale, square.right, scale, square.y)
    else:
        crop_map = CropMap(scale, square.x, scale, square.y)
    return Crop(stretched, crop_map, square, mirrored)


def _sample_square(
    pixels: npt.NDArray[np.generic], square: Box, size: int
) -> tuple[FloatArray, tuple[slice, slice]]:
    """Resample the square to size x size; also return the part of it that lies on the film."""
    height, width = pixels.shape
    left, right = math.floor(square.x), math.ceil(square.right)
    top, bottom = math.floor(square.y), math.ceil(square.bottom)
    inner = pixels[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if inner.size == 0:
        raise ImageError("The box of the joint lies outside the film.", "Draw the box again.")
    pads = (
        (max(-top, 0), max(bottom - height, 0)),
        (max(-left, 0), max(right - width, 0)),
    )
    canvas = np.pad(inner.astype(np.float32), pads, mode="edge")  # so that the rim is not mixed with black
    source = (square.x - left, square.y - top, square.right - left, square.bottom - top)
    source = (source[0], source[1], min(source[2], canvas.shape[1]), min(source[3], canvas.shape[0]))
    resized = Image.fromarray(canvas).resize((size, size), Image.Resampling.BILINEAR, box=source)
    scale = square.width / size
    return np.asarray(resized, dtype=np.float32), (
        _on_film(square.y, scale, size, height),
        _on_film(square.x, scale, size, width),
    )


def _on_film(start: float, scale: float, size: int, length: int) -> slice:
    """Return the crop pixels whose centres lie on ``[0, length]`` of the film."""
    centres = start + (np.arange(size) + 0.5) * scale
    good = np.flatnonzero((centres >= 0.0) & (centres <= length))
    if good.size == 0:
        raise ImageError("The box of the joint lies outside the film.", "Draw the box again.")
    return slice(int(good[0]), int(good[-1]) + 1)


def _stretch(sampled: FloatArray, inside: tuple[slice, slice], preprocessing: Preprocessing) -> ByteArray:
    """Percentile clip of what lies on the film to 0..255; what lies beside the film becomes black."""
    joint = sampled[inside]
    low, high = np.percentile(joint, (preprocessing.low_percentile, preprocessing.high_percentile))
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        raise ImageError(
            "The joint is one flat grey, there is nothing to grade.", "Check the file or the box."
        )
    out = np.zeros(sampled.shape, dtype=np.uint8)
    out[inside] = np.rint(np.clip((joint - low) / (high - low), 0.0, 1.0) * 255.0).astype(np.uint8)
    return out


BatchT = TypeVar("BatchT")


def standardise(images: BatchT) -> BatchT:
    """Give every image of a batch zero mean and unit standard deviation.

    Works on NumPy arrays and torch tensors alike (both understand ``axis`` and ``keepdims``), so that
    training, which augments in between, and inference share this one function.

    Parameters
    ----------
    images
        Floats, last two axes rows and columns, any constant scale (0..1 here).
    """
    values: Any = images
    centred = values - values.mean(axis=(-2, -1), keepdims=True)
    variance = (centred * centred).mean(axis=(-2, -1), keepdims=True)
    return cast(BatchT, centred / (variance + _SMALLEST_SPREAD**2) ** 0.5)


def network_input(crops: list[ByteArray]) -> FloatArray:
    """Stack crops to the float32 batch N x 1 x size x size that a network takes."""
    batch = np.stack(crops)[:, None].astype(np.float32) / np.float32(255.0)
    return standardise(batch)
