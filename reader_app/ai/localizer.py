"""Where the joints are on a film, by simple and inspectable rules; needs no training and no torch.

A film of one joint is taken as it is.  A film of both knees is split at the darkest column between the
legs, and in each half the joint line is where horizontal edges, the bone plates on both sides of the joint
space, are strongest. The reader sees the box and can move it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from reader_app.ai.located import JointBox
from reader_app.errors import ImageError
from reader_app.imaging.geometry import Box, Side

FloatArray = npt.NDArray[np.float32]

SINGLE = "single-joint"
SPLIT = "bilateral-split"

_WORKING_WIDTH = 512  # columns of the reduced film that the rules look at
_VALLEY_NEEDED = 0.4  # of the film's range, below the humps; less is one joint with uneven light
_MIDDLE = (0.38, 0.62)  # of the width, where the gap between the legs is looked for
_APART_NEEDED = 0.25  # of a plateau's width, between the two; the halves of one joint touch
_SQUARE_ASPECT = 1.35  # a single joint is cut out about square
# Measured with these rules on 207 single-joint crops of the kind that the networks learn from:
_EDGE_PER_PLATEAU = 1.45  # their edge is so many widths of the plateau
_JOINT_HEIGHT = 0.60  # and the joint line lies so far down


def locate_joints(
    pixels: npt.NDArray[Any], *, image_left: Side = Side.RIGHT, bilateral: bool | None = None
) -> tuple[JointBox, ...]:
    """Find the joints on a film.

    Parameters
    ----------
    pixels
        2D, bone bright.
    image_left
        The patient's side that lies on the left of the image; the right one by radiographic convention.
    bilateral
        Whether the film shows both sides, if that is known; else the film's columns decide.

    Returns
    -------
    tuple of JointBox
        One joint, or two with the image's left first.  A box may reach beyond a narrow film.

    Raises
    ------
    ImageError
        The pixels are no film.
    """
    if pixels.ndim != 2 or min(pixels.shape) < 16:
        raise ImageError("The film is too small to look for joints.", "Check the file.")
    rows, columns = pixels.shape
    film, scale = _reduced(pixels)
    gap, depth = _gap(film)
    halves = (_plateau(film, 0, gap), _plateau(film, gap, film.shape[1]))
    apart = (halves[1].left - halves[0].right) / max(halves[0].width, halves[1].width, 1.0)
    if bilateral is None:
        bilateral = depth >= _VALLEY_NEEDED and apart >= _APART_NEEDED
    if not bilateral:
        if max(columns / rows, rows / columns) <= _SQUARE_ASPECT:
            return (JointBox(Box(0.0, 0.0, columns, rows), "U", 1.0, SINGLE),)
        plateau = _plateau(film, 0, film.shape[1])
        return (JointBox(plateau.box(film.shape[1], scale), "U", plateau.clarity, SINGLE),)
    split = min(depth / (2.0 * _VALLEY_NEEDED), apart / (2.0 * _APART_NEEDED), 1.0)
    return tuple(
        JointBox(
            plateau.box(film.shape[1] / 2.0, scale),
            side.value,
            plateau.clarity * max(0.0, split),
            SPLIT,
        )
        for plateau, side in zip(halves, (image_left, image_left.other), strict=True)
    )


@dataclass(frozen=True)
class _Plateau:
    """The tibial plateau in working pixels: its edges, the row of the joint line, how clear it is."""

    left: float
    right: float
    row: float
    clarity: float

    @property
    def width(self) -> float:
        return self.right - self.left

    def box(self, columns: float, scale: float) -> Box:
        """Return the square around the joint in film pixels, where a leg has so many working columns."""
        edge = float(np.clip(self.width * _EDGE_PER_PLATEAU, 0.35 * columns, 1.1 * columns)) * scale
        x = (self.left + self.right) / 2.0 * scale
        return Box(x - edge / 2.0, self.row * scale - _JOINT_HEIGHT * edge, edge, edge)


def _reduced(pixels: npt.NDArray[Any]) -> tuple[FloatArray, float]:
    """Return the film at the working width with grey values in 0..1, and film pixels per working pixel."""
    rows, columns = pixels.shape
    scale = columns / _WORKING_WIDTH
    size = (_WORKING_WIDTH, max(16, round(rows / scale)))
    image = Image.fromarray(np.ascontiguousarray(pixels, dtype=np.float32))
    film = np.asarray(image.resize(size, Image.Resampling.BOX if scale > 1 else Image.Resampling.BILINEAR))
    low, high = np.percentile(film, (1.0, 99.0))
    return np.clip((film - low) / max(float(high - low), 1e-6), 0.0, 1.0).astype(np.float32), scale


def _gap(film: FloatArray) -> tuple[int, float]:
    """Return the darkest column between the legs and how deep it lies below the lower of the two humps."""
    from scipy.ndimage import gaussian_filter1d

    width = film.shape[1]
    middle = film[round(0.15 * len(film)) : round(0.85 * len(film))]
    profile = gaussian_filter1d(middle.mean(axis=0), 0.02 * width)
    first, last = (round(part * width) for part in _MIDDLE)
    gap = first + int(profile[first:last].argmin())
    humps = min(float(profile[:gap].max()), float(profile[gap:].max()))
    span = max(float(profile.max() - profile.min()), 1e-6)
    return gap, (humps - float(profile[gap])) / span


def _plateau(film: FloatArray, start: int, end: int) -> _Plateau:
    """Return the plateau between two columns.

    The grey value falls from the plate of the femur into the joint space and rises again to the tibia's: in
    the rows of the joint, vertical changes are strong over the whole width of the plateau, and only there.
    """
    from scipy.ndimage import gaussian_filter, gaussian_filter1d

    half = film[:, start:end]
    rows = len(half)
    smooth = gaussian_filter(half, 0.006 * _WORKING_WIDTH)
    light = gaussian_filter(half, 0.08 * _WORKING_WIDTH)
    changes = np.abs(np.gradient(smooth, axis=0)) / (
        light + 0.1
    )  # relative, so that dense regions do not win
    changes[: max(2, round(0.03 * rows))] = 0.0  # the film's own rim
    changes[-max(2, round(0.03 * rows)) :] = 0.0
    bone = _bone_columns(half)
    by_row = gaussian_filter1d((changes * bone).sum(axis=1), 0.02 * _WORKING_WIDTH, mode="constant")
    row = int(by_row.argmax())
    reach = round(0.05 * _WORKING_WIDTH)
    by_column = changes[max(0, row - reach) : row + reach + 1].sum(axis=0) * bone
    left, right = _extent(gaussian_filter1d(by_column, 0.008 * _WORKING_WIDTH, mode="constant"))
    clarity = float(np.clip((by_row[row] / max(float(np.median(by_row)), 1e-6) - 1.0) / 2.0, 0.0, 1.0))
    return _Plateau(start + left, start + right, row + 0.5, clarity)


def _bone_columns(half: FloatArray) -> FloatArray:
    """Return a weight per column, high where bone lies: bright and towards the middle of the leg."""
    from scipy.ndimage import gaussian_filter1d

    profile = gaussian_filter1d(half.mean(axis=0), 0.03 * _WORKING_WIDTH, mode="nearest")
    low, high = float(profile.min()), float(profile.max())
    return np.asarray(np.clip((profile - low) / max(high - low, 1e-6), 0.0, 1.0) ** 2, dtype=np.float32)


def _extent(weights: FloatArray) -> tuple[float, float]:
    """Return the columns between which all but the outer 4 % on either side of the weight lie."""
    total = np.cumsum(weights)
    if total[-1] <= 0.0:
        return 0.0, float(len(weights))
    share = total / total[-1]
    return float(np.searchsorted(share, 0.04)), float(np.searchsorted(share, 0.96)) + 1.0
