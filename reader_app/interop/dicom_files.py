"""DICOM files of our own making."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from reader_app import __version__
from reader_app.interop.whole_files import write_whole

IMPLEMENTATION_UID = UID("2.25.143200712357975739389851079915977589530")
"""Implementation Class UID of this software (PS3.7 D.3.3.2); a constant, made once from a random UUID."""

_IMPLEMENTATION_NAME = f"READER_APP_{__version__}"[:16]


def file_meta(dataset: Dataset, syntax: UID = ExplicitVRLittleEndian) -> FileMetaDataset:
    """Return the file meta information of a data set (PS3.10 7.1), which names this software and no other.

    Parameters
    ----------
    dataset
        With SOP Class and Instance UID.
    syntax
        Transfer syntax: Explicit VR Little Endian, or a compressed one.
    """
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = _IMPLEMENTATION_NAME
    return meta


def write_dicom(dataset: Dataset, target: Path) -> None:
    """Write a data set with its file meta information behind a preamble of zeros, whole or not at all.

    Raises
    ------
    ImageError
        If the file cannot be written.
    """
    dataset.preamble = b"\x00" * 128  # a preamble may carry the header of another format (PS3.10 7.1)

    def write(file: BinaryIO) -> None:
        dcmwrite(file, dataset, enforce_file_format=True)

    write_whole(target, write)
