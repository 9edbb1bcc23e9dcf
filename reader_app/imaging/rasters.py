"""PNG, JPEG, TIFF and WebP files, read through Pillow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from reader_app.errors import ImageError
from reader_app.imaging.limits import check_size
from reader_app.imaging.quiet import hush, in_short
from reader_app.imaging.radiograph import Radiograph, RadiographHeader, stamp_of
from reader_app.imaging.spacing import unknown_spacing
from reader_app.imaging.voi import VoiFunction, Window

_ORIENTATION = 0x0112  # EXIF tag; 5 to 8 exchange rows and columns
_GRAY_16 = ("I;16", "I;16L", "I;16B", "I;16N")
_MOST_IMAGES = 1000
_FULL_RANGE = Window(127.5, 255.0, VoiFunction.LINEAR_EXACT, "full range")


def read_raster_header(path: Path, kind: str) -> RadiographHeader:
    """Read size and mode of a raster file without decoding it.

    Raises
    ------
    ImageError
        If the file is damaged or its image too large.
    """
    with _opened(path, kind) as image:
        return _header(path, kind, image)


def read_raster(path: Path, kind: str) -> Radiograph:
    """Read a raster file as gray values, EXIF orientation applied.

    Raises
    ------
    ImageError
        If the file is damaged, truncated, too large, or holds values that are not 8 or 16 bit.
    """
    stamp = stamp_of(path)
    with _opened(path, kind) as image:
        header = _header(path, kind, image)
        # Pillow turns a TIFF while loading it and takes the tag away, so that this is never done twice.
        image.load()
        upright = ImageOps.exif_transpose(image) if _orientation(image) > 1 else image
        pixels, notes = _gray(path, upright)
    if pixels.shape != (header.rows, header.columns):
        raise ImageError(
            f"{path} says {header.rows} x {header.columns} pixels but holds {pixels.shape[0]} x "
            f"{pixels.shape[1]}.",
            "Export the file again from its source.",
        )
    header = replace(header, notes=(*header.notes, *notes))
    windows = (_FULL_RANGE,) if pixels.dtype == np.uint8 else ()
    return Radiograph(header=header, pixels=pixels, windows=windows, stamp=stamp)


@contextmanager
def _opened(path: Path, kind: str) -> Iterator[Image.Image]:
    """Open a raster; whatever Pillow raises on a damaged file becomes one sentence."""
    hush("PIL")
    try:
        # Given a name, Pillow would map plain TIFF files into memory: a folder that vanishes would then end
        # the program, and films with an orientation of 5 to 8 would come out garbled.
        with path.open("rb") as file, Image.open(file, formats=[kind.upper()]) as image:
            check_size(path, rows=image.height, columns=image.width, samples=len(image.getbands()))
            if kind == "TIFF":
                _refuse_volumes(path, file)
            yield image
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"{path} unpacks to an absurdly large image.", "Export the film again at its original size."
        ) from error
    except MemoryError as error:
        raise ImageError(
            f"{path} does not fit into memory.", "Close other programs and try again."
        ) from error
    except Exception as error:
        # Pillow's readers of damaged files raise nearly anything (SyntaxError, struct.error, KeyError, ...).
        raise ImageError(
            f"{path} is a damaged or truncated {kind} file ({in_short(error)}).",
            "Export the file again from its source.",
        ) from error


def _refuse_volumes(path: Path, file: BinaryIO) -> None:
    """Refuse a TIFF of very many images (TIFF 6.0, section 2): Pillow would count them for minutes."""
    start = file.tell()
    file.seek(0)
    order: Literal["little", "big"] = "little" if file.read(4)[:2] == b"II" else "big"
    seen: set[int] = set()
    while (place := int.from_bytes(file.read(4), order)) and place not in seen:
        seen.add(place)
        if len(seen) > _MOST_IMAGES:
            raise ImageError(
                f"{path} holds more than {_MOST_IMAGES} images, but a radiograph is a single one.",
                "Export the film alone.",
            )
        file.seek(place)
        entries = int.from_bytes(file.read(2), order)
        file.seek(12 * entries, os.SEEK_CUR)
    file.seek(start)


def _orientation(image: Image.Image) -> int:
    value = image.getexif().get(_ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _header(path: Path, kind: str, image: Image.Image) -> RadiographHeader:
    orientation = _orientation(image)
    # Pillow gives the size of a TIFF as it will be after turning, that of the others as it is stored.
    exchanged = orientation >= 5 and kind != "TIFF"
    rows, columns = (image.width, image.height) if exchanged else (image.height, image.width)
    notes: list[str] = []
    if orientation != 1:
        notes.append("Turned upright as the file's EXIF orientation asks.")
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1:
        notes.append(f"The file holds {frames} images; the first is shown.")
    return RadiographHeader(
        path=path,
        format=kind,
        rows=rows,
        columns=columns,
        bits_stored=16 if image.mode in (*_GRAY_16, "I") else 8,
        photometric=image.mode,
        spacing=unknown_spacing(f"A {kind} file does not say how many mm a pixel covers."),
        frames=frames,
        notes=tuple(notes),
    )


def _gray(path: Path, image: Image.Image) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """Gray values of an open image with what was done to get them: (array (rows, columns), notes)."""
    if image.mode == "L":
        return np.array(image, dtype=np.uint8), ()
    if image.mode in _GRAY_16:
        return np.array(image).astype(np.uint16, copy=False), ()
    if image.mode == "I":
        wide = np.array(image)
        if wide.size and (wide.min() < 0 or wide.max() > 65535):
            raise ImageError(
                f"{path} holds 32-bit values; a radiograph has 8 to 16 bits.", "Export it with 16 bits."
            )
        return wide.astype(np.uint16), ()
    if image.mode == "F":
        raise ImageError(
            f"{path} holds floating-point values; a radiograph has 8 to 16 bits.", "Export it with 16 bits."
        )
    if image.mode == "1":
        return np.array(image.convert("L")), ("The film has two tones only.",)
    note = f"Colour ({image.mode}) was turned into gray."
    if "A" in image.getbands() or "transparency" in image.info:
        # Transparent parts carry arbitrary colour; a film is looked at on black.
        backed = Image.new("RGBA", image.size, (0, 0, 0, 255))
        backed.alpha_composite(image.convert("RGBA"))
        return np.array(backed.convert("L")), (f"{note} Transparent parts are black.",)
    return np.array(image.convert("L")), (note,)
