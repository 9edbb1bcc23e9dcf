"""The head of a JPEG is looked at before a decoder that ends the program on some of them."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.encaps import get_frame

from reader_app.imaging.dicom.jpeg import jpeg_fault


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def frame_header(precision: int, *, components: int = 1, sampling: int = 0x11) -> bytes:
    listed = b"".join(bytes((number, sampling, 0)) for number in range(components))
    return bytes((precision, 0, 64, 0, 64, components)) + listed


SOI, COMMENT = b"\xff\xd8", segment(0xFE, b"made to order")
FRAME = segment(0xC3, frame_header(16))
TABLE = segment(0xC4, bytes((0, 0, 1, 1, *([0] * 13), 4, 5)))
QUANTA = segment(0xDB, bytes(65) + b"\x11" + bytes(128))
SCAN = segment(0xDA, bytes((1, 1, 0, 1, 0, 0)))
DATA = b"\x12\x34\xff\xd9"


@pytest.mark.parametrize(
    "head",
    [
        SOI + FRAME + TABLE + SCAN,
        SOI + COMMENT + TABLE + b"\xff\xff" + FRAME + segment(0xE1, b"Exif") + segment(0xDD, b"\0\4") + SCAN,
        SOI + QUANTA + segment(0xC1, frame_header(12)) + TABLE + SCAN,
        SOI + segment(0xC0, frame_header(8, components=3, sampling=0x22)) + TABLE + SCAN,
        SOI + segment(0xC3, frame_header(2)) + TABLE + SCAN,
    ],
)
def test_what_the_standard_allows_passes(head: bytes) -> None:
    assert jpeg_fault(head + DATA) == ""


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"\xff\xd9" + FRAME + TABLE + SCAN, "do not begin"),
        (b"", "do not begin"),
        (SOI + segment(0xC3, frame_header(188)) + TABLE + SCAN, "precision of 188 bits"),
        (SOI + segment(0xC3, frame_header(1)) + TABLE + SCAN, "precision of 1 bits"),
        (SOI + segment(0xC1, frame_header(16)) + TABLE + SCAN, "precision of 16 bits"),
        (SOI + segment(0xC3, frame_header(16, components=0)) + TABLE + SCAN, "wrong length"),
        (SOI + segment(0xC3, frame_header(16)[:-1]) + TABLE + SCAN, "wrong length"),
        (SOI + segment(0xC3, frame_header(16, sampling=0x05)) + TABLE + SCAN, "sampling"),
        (SOI + FRAME + FRAME + TABLE + SCAN, "two images"),
        (SOI + TABLE + SCAN, "size of the image is missing"),
        (SOI + FRAME + b"\x48\xc4" + TABLE + SCAN, "lose their thread"),
        (SOI + FRAME + TABLE, "lose their thread"),
        (SOI + FRAME + b"\xff\xd8" + b"\x00\x02" + SCAN, "FFD8 has no place"),
        (SOI + FRAME + b"\xff\xc4\x00\x01" + SCAN, "longer than the data"),
        (SOI + FRAME + b"\xff\xc4\xff\xff" + SCAN, "longer than the data"),
        (SOI + FRAME + segment(0xC4, bytes(10)) + SCAN, "Huffman table"),
        (SOI + FRAME + segment(0xC4, bytes((0, 3, *([0] * 15), 1, 2, 3))) + SCAN, "more codes"),
        (SOI + FRAME + segment(0xC4, bytes((0, 0, 2, *([0] * 14), 1))) + SCAN, "Huffman table"),
        (SOI + FRAME + segment(0xC4, bytes((0x25, *([0] * 16)))) + SCAN, "Huffman table"),
        (SOI + FRAME + segment(0xDB, bytes(64)) + SCAN, "quantization table"),
        (SOI + FRAME + TABLE + segment(0xDA, bytes((5, 1, 0))), "wrong length"),
    ],
)
def test_what_it_does_not_allow_is_said(head: bytes, words: str) -> None:
    assert words in jpeg_fault(head + DATA)


@given(st.binary(max_size=60), st.integers(0, 60))
def test_no_bytes_are_too_odd(noise: bytes, place: int) -> None:
    whole = SOI + FRAME + TABLE + SCAN + DATA
    for data in (noise, SOI + noise, whole[:place] + noise + whole[place:], whole[:place]):
        assert not jpeg_fault(data).endswith(".")


@pytest.mark.shared
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_real_films_pass(shared: Path) -> None:
    folder = shared / "data" / "dicom"
    seen = 0
    for path in (*(folder / "radiographs").iterdir(), *(folder / "corpus").iterdir()):
        dataset = pydicom.dcmread(path, force=True)
        syntax = str(getattr(dataset, "file_meta", {}).get("TransferSyntaxUID", ""))
        if syntax[len("1.2.840.10008.1.2.4.") :] in ("50", "51", "57", "70") and "PixelData" in dataset:
            seen += 1
            assert jpeg_fault(get_frame(dataset.PixelData, 0, number_of_frames=1)) == "", path.name
    assert seen >= 8
