"""Parts of a copy that nobody may see again: burned-in names are taken out of the pixels themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from reader_app.errors import ImageError
from reader_app.imaging.correction import FilmCorrection, corrected, covered
from reader_app.imaging.dicom.dataset import open_dataset, text
from reader_app.imaging.dicom.pixels import layout_of
from reader_app.imaging.files import image_format, read_radiograph
from reader_app.imaging.geometry import Box
from reader_app.imaging.radiograph import Radiograph
from reader_app.interop.clean_pixels import put_gray
from reader_app.interop.clean_raster import write_png
from reader_app.interop.dicom_files import file_meta, write_dicom
from reader_app.interop.stamps import CLEAN_PIXELS, add_stamp

_PICTURES_BESIDE = ("IconImageSequence",)
_OVERLAYS = range(0x6000, 0x6100)


def blank_in_copy(path: Path, boxes: Sequence[Box]) -> None:
    """Blank parts of a de-identified copy for good.

    All pixels that a box touches take the value that is shown black, as in `imaging.correction.corrected`,
    so that the film looks as it did with the same boxes on it. DICOM becomes uncompressed Explicit VR Little
    Endian; it says Clean Pixel Data (PS3.15 E.3.1) and that nothing is burned in any more, for which a person
    has to vouch. Colours of a DICOM film become grays.

    Parameters
    ----------
    path
        A copy that `deidentified_copy` made; it is replaced at once or stays as it was.
    boxes
        In film pixels, at least one; parts outside the film are ignored.

    Raises
    ------
    ValueError
        If there is no box: a copy must not claim to be clean for nothing.
    ImageError
        If the file is no such copy, cannot be read or cannot be written.
    """
    if not boxes:
        raise ValueError("there is nothing to blank")
    kind = image_format(path)
    if kind not in ("DICOM", "PNG"):
        raise _no_copy(path)
    film = read_radiograph(path)
    if kind == "DICOM":
        _blank_dicom(path, film, boxes)
    else:
        _blank_png(path, film, boxes)


def _blank_dicom(path: Path, film: Radiograph, boxes: Sequence[Box]) -> None:
    blanked = corrected(film, FilmCorrection(box_outs=tuple(boxes)))
    with open_dataset(path, pixels=True) as opened:
        dataset = opened.dataset
        if text(dataset, "PatientIdentityRemoved") != "YES":
            raise _no_copy(path)
        put_gray(dataset, blanked, layout_of(dataset, film.header))
        for keyword in _PICTURES_BESIDE:
            if keyword in dataset:
                delattr(dataset, keyword)
        for tag in [element.tag for element in dataset if element.tag.group in _OVERLAYS]:
            del dataset[tag]
        dataset.BurnedInAnnotation = "NO"
        add_stamp(dataset, CLEAN_PIXELS)
        dataset.file_meta = file_meta(dataset)
    write_dicom(dataset, path)


def _blank_png(path: Path, film: Radiograph, boxes: Sequence[Box]) -> None:
    if film.header.photometric != "RGB":
        write_png(corrected(film, FilmCorrection(box_outs=tuple(boxes))).pixels, path)
        return
    with path.open("rb") as file, Image.open(file, formats=["PNG"]) as image:
        colours: npt.NDArray[Any] = np.array(image)
    colours[covered(film.pixels.shape, boxes)] = film.pixels.min()
    write_png(colours, path)


def _no_copy(path: Path) -> ImageError:
    return ImageError(
        f"{path} is no de-identified copy, so that nothing in it may be changed.",
        "Box out films that were copied into a study; others keep their boxes beside the file.",
    )
