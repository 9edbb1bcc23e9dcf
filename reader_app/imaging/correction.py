"""What a study knows better than a film's file: millimetres, polarity, and parts that nobody may see."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from reader_app.imaging.geometry import Box
from reader_app.imaging.overlay_planes import Overlay
from reader_app.imaging.radiograph import Radiograph
from reader_app.imaging.spacing import Spacing


@dataclass(frozen=True)
class FilmCorrection:
    """What takes the place of what a file says.

    Parameters
    ----------
    spacing
        Millimetres by a marker or as stated at the import; None where the file's hold.
    inverse_polarity
        Whether presentation turns black and white round; None where the file decides.
    box_outs
        Parts in film pixels that are blacked out, e.g. burned-in names.
    overlays_hidden
        Whether the file's overlays are kept back: they can carry names, and nobody has looked yet.
    """

    spacing: Spacing | None = None
    inverse_polarity: bool | None = None
    box_outs: tuple[Box, ...] = ()
    overlays_hidden: bool = False


def corrected(radiograph: Radiograph, correction: FilmCorrection) -> Radiograph:
    """Return a film as the study wants it seen; the film itself where nothing is corrected.

    Boxed-out parts become black in the presentation, and overlays are empty there: a name may be drawn over a
    film as well as burned into it. Boxes cover every pixel that they touch.
    """
    if correction == FilmCorrection():
        return radiograph
    header, inverse = radiograph.header, radiograph.inverse_polarity
    if correction.spacing is not None:
        header = replace(header, spacing=correction.spacing)
    if correction.inverse_polarity is not None:
        inverse = correction.inverse_polarity
    pixels, overlays = radiograph.pixels, () if correction.overlays_hidden else radiograph.overlays
    if correction.box_outs:
        pixels = pixels.copy()
        black = pixels.max() if inverse else pixels.min()
        hidden = covered(pixels.shape, correction.box_outs)
        pixels[hidden] = black
        overlays = tuple(Overlay(overlay.name, overlay.mask & ~hidden) for overlay in overlays)
    return replace(radiograph, header=header, pixels=pixels, inverse_polarity=inverse, overlays=overlays)


def covered(shape: tuple[int, ...], boxes: Sequence[Box]) -> npt.NDArray[np.bool_]:
    """Return which pixels of a film boxes touch, bool, of the film's shape (rows, columns)."""
    rows, columns = shape
    hidden = np.zeros((rows, columns), dtype=np.bool_)
    for box in boxes:
        inside = box.clipped(rows, columns)
        down = slice(int(np.floor(inside.y)), int(np.ceil(inside.bottom)))
        across = slice(int(np.floor(inside.x)), int(np.ceil(inside.right)))
        hidden[down, across] = True
    return hidden


def shown_sha256(pixel_sha256: str, correction: FilmCorrection) -> str:
    """Return what stands for the pixels that people and networks are shown.

    Millimetres change no pixel, so they do not count.

    Parameters
    ----------
    pixel_sha256
        Of the file's pixels.

    Returns
    -------
    str
        That very hash while nothing of the picture is corrected, else one over it and the corrections.
    """
    if correction.inverse_polarity is None and not correction.box_outs:
        return pixel_sha256
    boxes = [tuple(map(float, (box.x, box.y, box.width, box.height))) for box in correction.box_outs]
    told = f"{pixel_sha256} inverse={correction.inverse_polarity} boxes={boxes}"
    return hashlib.sha256(told.encode("ascii")).hexdigest()
