"""DICOM files: data set, header, pixels, look-up tables, decoders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reader_app.imaging.dicom.dataset import open_dataset
from reader_app.imaging.dicom.film import film_of
from reader_app.imaging.dicom.frames import bring_up_first_frame
from reader_app.imaging.dicom.header import header_of
from reader_app.imaging.radiograph import Radiograph, RadiographHeader, stamp_of

__all__ = ["read_dicom", "read_dicom_header"]


def read_dicom_header(path: Path) -> RadiographHeader:
    """Read the header of a DICOM radiograph, stopping before the pixels.

    Raises
    ------
    ImageError
        If the file is no DICOM image or is damaged.
    """
    with open_dataset(path, pixels=False) as opened:
        bring_up_first_frame(opened.dataset)
        return header_of(opened.dataset, path)


def read_dicom(path: Path) -> Radiograph:
    """Read and decode a DICOM radiograph (the first frame of several).

    Raises
    ------
    ImageError
        If the file is no DICOM image, is damaged beyond use, or needs a decoder that is not there.
    """
    stamp = stamp_of(path)
    with open_dataset(path, pixels=True) as opened:
        bring_up_first_frame(opened.dataset)
        header = header_of(opened.dataset, path)
        return film_of(opened.dataset, replace(header, notes=(*header.notes, *opened.notes)), stamp)
