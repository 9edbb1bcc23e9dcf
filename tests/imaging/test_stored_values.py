"""From the bits of a file to stored values: places, signs, padding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRBigEndian, RLELossless

from reader_app.imaging.dicom.film import padding_of
from reader_app.imaging.display import automatic_window
from reader_app.imaging.files import read_radiograph
from tests.imaging.conftest import literal_runs, rle_frame

MakeDicom = Callable[..., Path]


def test_unused_bits_are_masked_and_signs_extended(make_dicom: MakeDicom) -> None:
    stored = np.array([[0xF123, 0x0FFF, 0x0800, 0x07FF]], dtype=np.uint16)
    unsigned = read_radiograph(make_dicom(stored, BitsStored=12, HighBit=11))
    assert unsigned.pixels[0].tolist() == [0x123, 0xFFF, 0x800, 0x7FF]
    signed = read_radiograph(make_dicom(stored, BitsStored=12, HighBit=11, PixelRepresentation=1))
    assert signed.pixels[0].tolist() == [0x123, -1, -2048, 2047]
    shifted = read_radiograph(make_dicom(stored, BitsStored=12, HighBit=15))
    assert shifted.pixels[0].tolist() == [0xF12, 0x0FF, 0x080, 0x07F]


def test_bits_are_taken_from_the_high_bit_down_in_every_form(make_dicom: MakeDicom) -> None:
    stored = np.tile(np.array([[0xF123, 0x0FFF, 0x8005, 0x07FF]], dtype=np.uint16), (4, 16))
    by_hand = [0xF12 - 0x1000, 0x0FF, 0x800 - 0x1000, 0x07F]
    layout = {"BitsStored": 12, "HighBit": 15, "PixelRepresentation": 1}
    paths = [make_dicom(stored, **layout)]
    paths.append(make_dicom(stored, TransferSyntaxUID=ExplicitVRBigEndian, **layout))
    dataset = pydicom.dcmread(paths[0])
    dataset.PixelData = encapsulate([rle_frame(*literal_runs(stored))])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = RLELossless
    paths.append(paths[0].with_name("rle.dcm"))
    dataset.save_as(paths[2])
    for path in paths:
        assert read_radiograph(path).pixels[3, :4].tolist() == by_hand


def test_signed_bytes(make_dicom: MakeDicom) -> None:
    stored = np.array([[-128, -1, 0, 127]], dtype=np.int8)
    film = read_radiograph(make_dicom(stored.view(np.uint8), PixelRepresentation=1))
    assert film.pixels[0].tolist() == [-128, -1, 0, 127]


@pytest.mark.parametrize(
    ("signed", "stored", "value", "limit", "expected"),
    [
        (False, 16, 0, None, (0, 0)),
        (False, 12, 4095, 4000, (4000, 4095)),
        (True, 16, -2000, None, (-2000, -2000)),
        (True, 16, -2000, -1900, (-2000, -1900)),
        (True, 16, 63536, 63636, (-2000, -1900)),  # written as unsigned: 65536 - 2000
        (False, 16, -1, -100, (65436, 65535)),  # written as signed
        (True, 12, 2096, None, (-2000, -2000)),  # by the stored bits: 4096 - 2000
        (False, 12, 65535, None, (4095, 4095)),  # with the unused bits set
    ],
)
def test_padding_is_read_as_the_pixels_are(
    signed: bool, stored: int, value: int, limit: int | None, expected: tuple[int, int]
) -> None:
    dataset = Dataset()
    vr = "SS" if value < 0 else "US"
    dataset.add_new("PixelPaddingValue", vr, value)
    if limit is not None:
        dataset.add_new("PixelPaddingRangeLimit", vr, limit)
    assert padding_of(dataset, stored=stored, signed=signed) == expected


def test_padding_of_the_wrong_sign_is_left_out_of_the_window(make_dicom: MakeDicom) -> None:
    pixels = np.random.default_rng(6).integers(-100, 300, (80, 80)).astype(np.int16)
    pixels[:20] = -2000
    path = make_dicom(pixels)
    dataset = pydicom.dcmread(path)
    dataset.add_new("PixelPaddingValue", "US", 65536 - 2000)
    dataset.save_as(path)
    window = automatic_window(read_radiograph(path))
    assert window.center - window.width / 2 > -150
    assert window.center + window.width / 2 < 350
