"""From a radiograph to the square that a network sees, and back.

Training and inference call the same two functions, `crop_joint` and `standardise`, with the same
`Preprocessing`; the values of `Preprocessing` travel in the bundle.  Coordinates are those of
`reader_app.ai.crop_map`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from reader_app.ai.crop_map import CropMap, map_around
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
        The square's edge as a multiple of the box's longer edge (the width of the joint), where millimetres
        are not asked for or the film's spacing is not known.
    millimetres
        The square's edge on the body where the film's spacing is known; 0 for a multiple of the box always.
    upright
        Turn the square so that the line whose tilt the localizer gives (a knee's tibial plateau) is level.
    low_percentile, high_percentile
        Grey values at these percentiles of the crop become black and white.
    mirror_side
        The side (``"L"``, ``"R"`` or ``""`` for none) that is mirrored, so that medial is always on the same
        side of the crop.
    recipe
        Name and version of the procedure; another one than ours is refused. ``joint-crop/1`` knows neither
        millimetres nor turning.
    """

    size: int = 224
    margin: float = 1.0
    low_percentile: float = 0.5
    high_percentile: float = 99.5
    mirror_side: str = "L"
    recipe: str = "joint-crop/1"
    millimetres: float = 0.0
    upright: bool = False

    def __post_init__(self) -> None:
        older = self.recipe == "joint-crop/1" and not self.millimetres and not self.upright
        if not older and self.recipe != "joint-crop/2":
            raise BundleError(
                f"The preprocessing “{self.recipe}” is not known to this version.", "Update the program."
            )
        if not (16 <= self.size <= 2048 and 0.1 <= self.margin <= 10.0 and 0.0 <= self.millimetres <= 1000.0):
            raise BundleError(
                "The preprocessing's size, margin or millimetres are out of range.",
                "Install the bundle again.",
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
class Crop:
    """A joint as the network sees it before standardisation.

    Attributes
    ----------
    pixels
        uint8, size x size, bone bright.
    map
        Between the crop and the film.
    square
        The crop's extent on the film in film pixels, before it is turned.
    mirrored
        Whether the crop is flipped left to right.
    in_millimetres
        Whether its edge follows from the film's spacing.
    """

    pixels: ByteArray
    map: CropMap
    square: Box
    mirrored: bool
    in_millimetres: bool


def squared(box: Box, margin: float = 1.0) -> Box:
    """Return the square of the longer edge of `box` times `margin` around the same centre."""
    edge = max(box.width, box.height) * margin
    return _centred(box, edge, edge)


def crop_joint(
    pixels: npt.NDArray[np.generic],
    preprocessing: Preprocessing,
    *,
    side: str,
    box: Box | None = None,
    spacing_mm: tuple[float, float] | None = None,
    tilt_degrees: float = 0.0,
) -> Crop:
    """Cut one joint out of a film, turn and mirror it if asked for, and stretch its contrast.

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
    spacing_mm
        Millimetres on the body from row to row and from column to column; None where not known.
    tilt_degrees
        Of the line that an upright crop levels: positive where its right end lies lower on the film.

    Raises
    ------
    ImageError
        The film is not 2D, the box lies outside it, or the crop is one flat grey.
    """
    if pixels.ndim != 2 or min(pixels.shape) < 2:
        raise ImageError("The joint's pixels are not a grey image with rows and columns.", "Check the file.")
    height, width = pixels.shape
    found = box or Box(0.0, 0.0, float(width), float(height))
    square, in_millimetres = _square(found, preprocessing, spacing_mm)
    if min(square.width, square.height) < 2.0:
        raise ImageError("The box of the joint is smaller than two pixels.", "Draw the box again.")
    size, mirrored = preprocessing.size, side == preprocessing.mirror_side
    crop_map = map_around(
        square.centre,
        pixels_per_crop_pixel=(square.width / size, square.height / size),
        size=size,
        tilt_degrees=tilt_degrees if preprocessing.upright else 0.0,
        mirrored=mirrored,
    )
    if crop_map.xy == 0.0 and crop_map.yx == 0.0:
        sampled = _sample_upright(pixels, square, size)
        sampled = sampled[:, ::-1] if mirrored else sampled
    else:
        sampled = _sample_turned(pixels, crop_map, size)
    stretched = _stretch(sampled, _on_film(crop_map, size, pixels.shape), preprocessing)
    return Crop(stretched, crop_map, square, mirrored, in_millimetres)


def _square(
    box: Box, preprocessing: Preprocessing, spacing_mm: tuple[float, float] | None
) -> tuple[Box, bool]:
    """Return the crop's extent on the film and whether it is as wide in millimetres as asked for."""
    if spacing_mm is None:
        return squared(box, preprocessing.margin), False
    row_mm, column_mm = spacing_mm
    if preprocessing.millimetres:
        edge_mm = preprocessing.millimetres
    else:  # a square on the body, also where the film's pixels are not square
        edge_mm = max(box.width * column_mm, box.height * row_mm) * preprocessing.margin
    return _centred(box, edge_mm / column_mm, edge_mm / row_mm), preprocessing.millimetres > 0.0


def _centred(box: Box, width: float, height: float) -> Box:
    x, y = box.centre
    return Box(x - width / 2.0, y - height / 2.0, width, height)


def _piece(pixels: npt.NDArray[np.generic], box: Box) -> tuple[FloatArray, int, int]:
    """Return what lies under a box, rounded outwards, and its first column and row.

    Beside the film its rim is repeated, so that it does not mix with black.
    """
    height, width = pixels.shape
    left, right = math.floor(box.x), math.ceil(box.right)
    top, bottom = math.floor(box.y), math.ceil(box.bottom)
    inner = pixels[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if inner.size == 0:
        raise ImageError("The box of the joint lies outside the film.", "Draw the box again.")
    pads = ((max(-top, 0), max(bottom - height, 0)), (max(-left, 0), max(right - width, 0)))
    piece = np.asarray(inner, dtype=np.float32)
    return (np.pad(piece, pads, mode="edge") if any(map(any, pads)) else piece), left, top


def _sample_upright(pixels: npt.NDArray[np.generic], square: Box, size: int) -> FloatArray:
    """Resample a rectangle of the film to size x size; every film pixel under it counts."""
    piece, left, top = _piece(pixels, square)
    source = (square.x - left, square.y - top, square.right - left, square.bottom - top)
    source = (source[0], source[1], min(source[2], piece.shape[1]), min(source[3], piece.shape[0]))
    resized = Image.fromarray(piece).resize((size, size), Image.Resampling.BILINEAR, box=source)
    return np.asarray(resized, dtype=np.float32)


def _sample_turned(pixels: npt.NDArray[np.generic], crop_map: CropMap, size: int) -> FloatArray:
    """Resample a turned square: first to the crop's pixel size, where that is coarser, then turned."""
    around = crop_map.box_to_film(Box(-1.0, -1.0, size + 2.0, size + 2.0))
    piece, left, top = _piece(pixels, around)
    across = max(1.0, math.hypot(crop_map.xx, crop_map.xy))
    down = max(1.0, math.hypot(crop_map.yx, crop_map.yy))
    coarse = (max(2, round(piece.shape[1] / across)), max(2, round(piece.shape[0] / down)))
    image = Image.fromarray(piece)
    if coarse != image.size:
        image = image.resize(coarse, Image.Resampling.BILINEAR)
    per_column, per_row = coarse[0] / piece.shape[1], coarse[1] / piece.shape[0]
    matrix = (
        crop_map.xx * per_column,
        crop_map.xy * per_column,
        (crop_map.x0 - left) * per_column,
        crop_map.yx * per_row,
        crop_map.yy * per_row,
        (crop_map.y0 - top) * per_row,
    )
    turned = image.transform((size, size), Image.Transform.AFFINE, matrix, resample=Image.Resampling.BILINEAR)
    return np.asarray(turned, dtype=np.float32)


def _on_film(crop_map: CropMap, size: int, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Return which crop pixels have their centres on the film."""
    centres = np.arange(size) + 0.5
    x = crop_map.xx * centres[None, :] + (crop_map.xy * centres[:, None] + crop_map.x0)
    y = crop_map.yx * centres[None, :] + (crop_map.yy * centres[:, None] + crop_map.y0)
    inside = (x >= 0.0) & (x <= shape[1]) & (y >= 0.0) & (y <= shape[0])
    if not inside.any():
        raise ImageError("The box of the joint lies outside the film.", "Draw the box again.")
    return np.asarray(inside)


def _stretch(sampled: FloatArray, inside: npt.NDArray[np.bool_], preprocessing: Preprocessing) -> ByteArray:
    """Percentile clip of what lies on the film to 0..255; what lies beside the film becomes black."""
    joint = sampled[inside]
    low, high = np.percentile(joint, (preprocessing.low_percentile, preprocessing.high_percentile))
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        raise ImageError(
            "The joint is one flat grey, there is nothing to grade.", "Check the file or the box."
        )
    stretched = np.rint(np.clip((sampled - low) / (high - low), 0.0, 1.0) * 255.0).astype(np.uint8)
    stretched[~inside] = 0
    return np.ascontiguousarray(stretched)


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
