"""DICOM files made to order for the tests of this room."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    generate_uid,
)

MakeDicom = Callable[..., Path]


def film_dataset(pixels: npt.NDArray[Any], **elements: Any) -> Dataset:
    """A complete data set around stored values; `elements` replace or add, None removes."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = elements.pop("TransferSyntaxUID", ExplicitVRLittleEndian)
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["film"])
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.Modality = "CR"
    dataset.PatientID = "P1"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 1 if pixels.ndim == 2 else pixels.shape[2]
    bits = 8 * pixels.dtype.itemsize
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = 1 if pixels.dtype.kind == "i" else 0
    dataset.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    big = meta.TransferSyntaxUID == ExplicitVRBigEndian
    data = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder(">" if big else "<")).tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OW" if bits == 16 else "OB"
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def literal_runs(pixels: npt.NDArray[np.uint16]) -> tuple[bytes, bytes]:
    """High and low bytes as RLE segments of literal runs (PS3.5 G.3.1), with all bits of the cells."""

    def packed(plane: bytes) -> bytes:
        pieces = [plane[at : at + 128] for at in range(0, len(plane), 128)]
        return b"".join(bytes([len(piece) - 1]) + piece for piece in pieces)

    return packed((pixels >> 8).astype(np.uint8).tobytes()), packed((pixels & 255).astype(np.uint8).tobytes())


def rle_frame(high: bytes, low: bytes, gap: bytes = b"") -> bytes:
    """An RLE frame of two segments; `gap` bytes lie between header and segments."""
    high += b"\x80" * (len(high) % 2)
    return struct.pack("<16I", 2, 64 + len(gap), 64 + len(gap) + len(high), *[0] * 13) + gap + high + low


@pytest.fixture
def make_dicom(tmp_path: Path) -> MakeDicom:
    def make(pixels: npt.NDArray[Any], **elements: Any) -> Path:
        path = tmp_path / f"film{len(list(tmp_path.iterdir()))}.dcm"
        film_dataset(pixels, **elements).save_as(path, enforce_file_format=True)
        return path

    return make


@pytest.fixture
def gray_ramp() -> npt.NDArray[np.uint16]:
    """All 12-bit values once, in 64 rows."""
    return np.arange(4096, dtype=np.uint16).reshape(64, 64)
