"""PNG, JPEG, TIFF and WebP films as PNG files that hold pixels and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from reader_app.imaging.files import read_radiograph
from reader_app.interop.whole_files import write_whole

_FAST = 4  # zlib's level: films shrink hardly more at 9, for thrice the time


def copy_raster(source: Path, target: Path) -> tuple[str, ...]:
    """Write a raster film as PNG: same pixels, turned upright, no metadata; see `deidentified_copy`.

    EXIF, GPS, XMP, colour profiles, comments, thumbnails and all further images of the file are left behind,
    as are resolution tags, which say how large a print should be and nothing of the patient's millimetres.
    Plain RGB stays in colour; every other mode becomes gray, as readers see it.

    Raises
    ------
    ImageError
        If the source is no readable film, or the copy cannot be written.
    """
    film = read_radiograph(source)
    write_png(_colours(source) if film.header.photometric == "RGB" else film.pixels, target)
    notes = []
    if film.header.frames > 1:
        notes.append(f"The copy holds the first of {film.header.frames} images.")
    notes.append("The file does not say whether text is burned into the picture: look at it.")
    return tuple(notes)


def write_png(pixels: npt.NDArray[Any], target: Path) -> None:
    """Write pixels as PNG, whole or not at all.

    Parameters
    ----------
    pixels
        uint8 or uint16, shape (rows, columns), or uint8, shape (rows, columns, 3).
    target
        The file; an older one is replaced.

    Raises
    ------
    ImageError
        If the file cannot be written.
    """
    image = Image.fromarray(np.ascontiguousarray(pixels))

    def write(file: BinaryIO) -> None:
        image.save(file, format="PNG", compress_level=_FAST)

    write_whole(target, write)


def _colours(source: Path) -> npt.NDArray[Any]:
    """RGB values of a file that was read before, upright."""
    with source.open("rb") as file, Image.open(file) as image:
        image.load()
        upright = ImageOps.exif_transpose(image)
        if upright.mode != "RGB" or "transparency" in upright.info:
            return read_radiograph(source).pixels
        return np.array(upright)
