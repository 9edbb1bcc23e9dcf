"""Texts in compressed images go, the pixels stay."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import UID, JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless

from reader_app.imaging.files import read_header, read_radiograph
from reader_app.interop.codestreams import without_texts
from reader_app.interop.deidentify import deidentified_copy
from tests.interop.conftest import how, knee_dataset

SECRET = b"Doe^Jane 1949"
Encoded = Callable[[], bytes]


def picture() -> npt.NDArray[np.uint8]:
    return (np.add.outer(np.arange(40), 2 * np.arange(56)) % 251).astype(np.uint8)


def jpeg(**options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture()).save(buffer, format="JPEG", quality=90, **options)
    return buffer.getvalue()


def compressed(syntax: str) -> bytes:
    """The picture as pydicom's encoders make it."""
    dataset = knee_dataset(picture())
    dataset.compress(syntax, generate_instance_uid=False)
    return get_frame(dataset.PixelData, 0, number_of_frames=1)


def jpeg_ls() -> bytes:
    return compressed(JPEGLSLossless)


def jpeg_2000() -> bytes:
    return compressed(JPEG2000Lossless)


def segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def with_text(stream: bytes) -> bytes:
    """The same codestream with a comment, behind SOI or behind SOC and SIZ."""
    if stream.startswith(b"\xff\x4f"):
        end = 4 + int.from_bytes(stream[4:6], "big")
        return stream[:end] + segment(0x64, b"\x00\x01" + SECRET) + stream[end:]
    return stream[:2] + segment(0xFE, SECRET) + segment(0xE1, b"Exif\0\0" + SECRET) + stream[2:]


@pytest.mark.parametrize("encoded", [jpeg, jpeg_ls, jpeg_2000])
def test_comments_and_exif_go_and_the_rest_stays(encoded: Encoded) -> None:
    stream = encoded()
    plain = without_texts(stream)
    assert plain is not None
    cleaned = without_texts(with_text(stream))
    assert cleaned is not None
    assert SECRET not in cleaned
    assert without_texts(cleaned) == cleaned
    assert len(cleaned) <= len(with_text(stream))


@pytest.mark.parametrize("encoded", [jpeg, jpeg_ls, jpeg_2000])
@given(trailer=st.binary(min_size=1, max_size=64))
def test_what_follows_the_image_goes(encoded: Encoded, trailer: bytes) -> None:
    stream = encoded()
    assert without_texts(stream.rstrip(b"\0") + trailer) == without_texts(stream)


@pytest.mark.parametrize(
    ("encoded", "syntax"),
    [(jpeg, JPEGBaseline8Bit), (jpeg_ls, JPEGLSLossless), (jpeg_2000, JPEG2000Lossless)],
)
def test_a_film_with_texts_in_its_image_is_the_same_film_without(
    encoded: Encoded, syntax: UID, tmp_path: Path
) -> None:
    dataset = knee_dataset(picture(), PresentationLUTShape=None)
    dataset.PixelData = encapsulate([with_text(encoded())])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = syntax
    source, target = tmp_path / "source.dcm", tmp_path / "copy.dcm"
    dataset.save_as(source, enforce_file_format=True)
    assert SECRET in source.read_bytes()
    deidentified_copy(source, target, how())
    assert SECRET not in target.read_bytes()
    assert read_radiograph(target).pixel_sha256 == read_radiograph(source).pixel_sha256
    assert dcmread(target).file_meta.TransferSyntaxUID == syntax


def test_thumbnails_go_and_colour_marks_stay() -> None:
    jfif = b"JFIF\0\x01\x02\0\0\x01\0\x01\x02\x02" + SECRET[:12]
    adobe = b"Adobe\0\x64\0\0\0\0\x01"
    stream = jpeg()
    cleaned = without_texts(stream[:2] + segment(0xE0, jfif) + segment(0xEE, adobe + SECRET) + stream[2:])
    assert cleaned is not None
    assert SECRET[:12] not in cleaned
    assert segment(0xEE, adobe) in cleaned
    assert segment(0xE0, jfif[:12] + b"\0\0") in cleaned


def test_of_a_jp2_file_the_codestream_alone_stays() -> None:
    def box(kind: bytes, content: bytes) -> bytes:
        return (len(content) + 8).to_bytes(4, "big") + kind + content

    stream = jpeg_2000()
    start = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    wrapped = start + box(b"jp2h", b"") + box(b"xml ", SECRET) + box(b"jp2c", stream) + box(b"uuid", SECRET)
    assert without_texts(wrapped) == without_texts(stream)
    assert without_texts(start + box(b"jp2h", b"....pclr") + box(b"jp2c", stream)) is None


def test_comments_in_the_header_of_a_tile_go() -> None:
    stream = jpeg_2000()
    tile = stream.index(b"\xff\x90")
    comment = segment(0x64, b"\x00\x01" + SECRET)
    length = int.from_bytes(stream[tile + 6 : tile + 10], "big")
    longer = (length + len(comment)).to_bytes(4, "big")
    marked = stream[: tile + 6] + longer + stream[tile + 10 : tile + 12] + comment + stream[tile + 12 :]
    cleaned = without_texts(marked)
    assert cleaned is not None
    assert SECRET not in cleaned


@pytest.mark.parametrize("encoded", [jpeg, jpeg_ls, jpeg_2000])
def test_a_codestream_that_breaks_off_is_not_vouched_for(encoded: Encoded) -> None:
    stream = encoded()
    for end in (3, 20, len(stream) // 2, len(stream) - 4):
        assert without_texts(stream[:end]) is None


def test_a_codestream_that_cannot_be_followed_is_stored_uncompressed(tmp_path: Path) -> None:
    dataset = knee_dataset(picture(), PresentationLUTShape=None)
    # No end of image, but bytes in its place that a decoder passes over.
    dataset.PixelData = encapsulate([jpeg()[:-2] + SECRET])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    source, target = tmp_path / "source.dcm", tmp_path / "copy.dcm"
    dataset.save_as(source, enforce_file_format=True)
    notes = deidentified_copy(source, target, how())
    assert SECRET not in target.read_bytes()
    assert read_header(target).transfer_syntax == "Explicit VR Little Endian"
    assert read_radiograph(target).pixel_sha256 == read_radiograph(source).pixel_sha256
    assert any("uncompressed" in note for note in notes)


@pytest.mark.parametrize("encoded", [jpeg, jpeg_ls, jpeg_2000])
@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_codestreams_are_never_a_fault_of_ours(
    encoded: Encoded, places: list[tuple[float, int]]
) -> None:
    stream = bytearray(encoded())
    for place, value in places:
        stream[int(place * (len(stream) - 1))] = value
    cleaned = without_texts(bytes(stream))
    assert cleaned is None or len(cleaned) <= len(stream)


@given(data=st.binary(max_size=200))
def test_bytes_that_are_no_codestream_are_not_vouched_for(data: bytes) -> None:
    assert without_texts(b"\x00" + data) is None


def test_overlays_in_the_cells_of_a_compressed_film_go(tmp_path: Path) -> None:
    values = picture().astype(np.uint16) << 3
    written_over = values.copy()
    written_over[10, :20] |= 0x8000
    dataset = knee_dataset(written_over, PresentationLUTShape=None)
    dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    dataset.BitsStored, dataset.HighBit = 12, 11
    dataset.add_new(0x60000100, "US", 16)
    dataset.add_new(0x60000102, "US", 15)
    source, target = tmp_path / "source.dcm", tmp_path / "copy.dcm"
    dataset.save_as(source, enforce_file_format=True)
    deidentified_copy(source, target, how())
    copy = dcmread(target)
    assert int(copy.pixel_array.max()) < 4096
    assert read_radiograph(target).pixel_sha256 == read_radiograph(source).pixel_sha256
