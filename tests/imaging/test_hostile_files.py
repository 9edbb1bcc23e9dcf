"""Files made to do harm: one sentence each, in little memory, and never the end of the program."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from reader_app.errors import ImageError
from reader_app.imaging.files import read_header, read_radiograph
from reader_app.imaging.radiograph import Radiograph
from reader_app.imaging.workers import FileWorkers
from tests.imaging import file_tasks
from tests.imaging.conftest import MakeDicom, film_dataset
from tests.imaging.hostile_files import (
    HTJ2K,
    JPEG_2000,
    JPEG_BASELINE,
    JPEG_EXTENDED,
    JPEG_LOSSLESS,
    JPEG_LS,
    RLE,
    SIDE,
    encoded,
    gray_tiff,
    jpeg,
    jpeg_2000,
    jpeg_ls,
    nested,
    png,
    run_lengths,
    tiff,
    webp,
)
from tests.imaging.verdicts import film_or_sentence

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and limits of address space")

ZEROS = zlib.compress(bytes(1 << 28), 9)
"""A quarter of a gigabyte in 260 KB."""


def refusal(path: Path) -> str:
    verdict = film_or_sentence(path)
    assert isinstance(verdict, ImageError), f"{path} was read"
    return verdict.what


CLAIMS: dict[str, Callable[[Path], Path]] = {
    "JPEG lossless": lambda path: encoded(path, jpeg(side=SIDE), JPEG_LOSSLESS, side=SIDE),
    "JPEG extended": lambda path: encoded(
        path, jpeg(side=SIDE, precision=12, marker=0xC1), JPEG_EXTENDED, side=SIDE
    ),
    "JPEG baseline": lambda path: encoded(
        path, jpeg(side=SIDE, precision=8, marker=0xC0), JPEG_BASELINE, side=SIDE, dtype=np.uint8
    ),
    "JPEG-LS": lambda path: encoded(path, jpeg_ls(SIDE), JPEG_LS, side=SIDE),
    "JPEG 2000": lambda path: encoded(path, jpeg_2000(SIDE), JPEG_2000, side=SIDE),
    "JPEG 2000 tiles": lambda path: encoded(path, jpeg_2000(SIDE, tile=1), JPEG_2000, side=SIDE),
    "HTJ2K": lambda path: encoded(path, jpeg_2000(SIDE), HTJ2K, side=SIDE),
    "RLE": lambda path: encoded(path, run_lengths(), RLE, side=SIDE),
    "PNG": lambda path: png(path, side=SIDE, rows=SIDE),
    "PNG text": lambda path: png(path, side=4, rows=4, chunks=((b"zTXt", b"a\0\0" + ZEROS),)),
    "PNG profile": lambda path: png(path, side=4, rows=4, chunks=((b"iCCP", b"a\0\0" + ZEROS),)),
    "TIFF deflate": lambda path: tiff(
        path, gray_tiff(SIDE, compression=8, strip_at=122, strip_bytes=len(ZEROS)), data=ZEROS
    ),
    "TIFF size": lambda path: tiff(path, gray_tiff(60_000)),
    "WebP": lambda path: webp(path, SIDE),
}
"""Small files that say they hold a hundred million pixels or more, or as much text."""

KEPT = {"JPEG baseline", "PNG", "TIFF deflate"}
"""Those that are as large as they claim, or whose decoder fills up what is missing."""


@linux
@pytest.mark.parametrize("claim", CLAIMS)
def test_what_a_file_claims_costs_no_memory(claim: str, tmp_path: Path) -> None:
    path = CLAIMS[claim](tmp_path / "film")
    assert path.stat().st_size < 300_000
    with FileWorkers(file_tasks.inspected_with_peak, workers=1) as workers:
        (result,) = workers.map([path])
    assert result.value is not None, result.fault
    found, peak = result.value
    assert found.readable == (claim in KEPT)
    assert found.readable or str(found.reason).startswith(str(path))
    assert peak < 1 << 30


@pytest.mark.parametrize(
    ("frame", "syntax"),
    [
        (jpeg(precision=188), JPEG_LOSSLESS),
        (jpeg(precision=85), JPEG_LOSSLESS),
        (jpeg(between=b"\x48\xc4"), JPEG_LOSSLESS),
    ],
)
def test_where_gdcm_ends_the_process_there_is_a_sentence(tmp_path: Path, frame: bytes, syntax: str) -> None:
    path = encoded(tmp_path / "film", frame, syntax)
    with FileWorkers(file_tasks.decoded_by_gdcm, workers=1) as workers:
        (result,) = workers.map([path])
    assert "makes its decoder crash" in result.fault, "GDCM survives this now: find another file"
    assert "are damaged" in refusal(path)


def test_offsets_beyond_the_data_are_refused(tmp_path: Path) -> None:
    far = run_lengths(offsets=(0xFFFFFFF0, 0xFFFFFFF8))
    assert "RLE Lossless data are damaged" in refusal(encoded(tmp_path / "far", far, RLE))
    many = struct.pack("<16I", 0xFFFFFFFF, *([64] * 15))
    assert "RLE Lossless data are damaged" in refusal(encoded(tmp_path / "many", many, RLE))


@pytest.mark.parametrize("table", [b"\xff" * 4, b"\0\0\0\0\xff\xff\xff\x7f", b"\x01\0\0\0", b"\0" * 400])
def test_a_wrong_offset_table_harms_nobody(make_dicom: MakeDicom, gray_ramp: Any, table: bytes) -> None:
    dataset = pydicom.dcmread(make_dicom(gray_ramp))
    dataset.compress(RLELossless)
    rest = dataset.PixelData[8 + int.from_bytes(dataset.PixelData[4:8], "little") :]
    assert dataset.PixelData[:4] == rest[:4] == b"\xfe\xff\x00\xe0"
    dataset.PixelData = b"\xfe\xff\x00\xe0" + len(table).to_bytes(4, "little") + table + rest
    path = make_dicom(gray_ramp)
    dataset.save_as(path)
    verdict = film_or_sentence(path)
    assert isinstance(verdict, ImageError) or np.array_equal(verdict.pixels, gray_ramp)


@pytest.mark.parametrize("frames", ["2147483647", "-5", "0", "99999999999999999999", "1e300"])
def test_absurd_numbers_of_frames(make_dicom: MakeDicom, gray_ramp: Any, frames: str) -> None:
    path = make_dicom(gray_ramp, NumberOfFrames=1)
    data = path.read_bytes()
    at = data.index(b"\x28\x00\x08\x00IS")
    value = frames.encode() + b" " * (len(frames) % 2)
    path.write_bytes(data[: at + 6] + len(value).to_bytes(2, "little") + value + data[at + 10 :])
    film_or_sentence(path)
    compressed = pydicom.dcmread(make_dicom(gray_ramp))
    compressed.compress(JPEG2000Lossless)
    compressed.NumberOfFrames = 1_000_000
    compressed.save_as(path)
    film_or_sentence(path)


@pytest.mark.parametrize("depth", [100, 900, 10_000])
def test_nested_sequences_end_in_a_film_or_a_sentence(tmp_path: Path, depth: int) -> None:
    film = film_dataset(np.zeros((4, 4), np.uint16))
    path = tmp_path / "film"
    film.save_as(path, enforce_file_format=True)
    data = path.read_bytes()
    at = data.index(b"\x28\x00\x02\x00US")
    item = b""
    for _ in range(depth):  # of stated lengths, from the inside; pydicom cannot write so deep
        item = b"\xfe\xff\x00\xe0" + len(item).to_bytes(4, "little") + item
        item = bytes.fromhex("18001200 53510000") + len(item).to_bytes(4, "little") + item
    path.write_bytes(data[:at] + item + data[at:])
    film_or_sentence(path)
    read_header(path)


@pytest.mark.parametrize(
    "keyword",
    [
        "ViewCodeSequence",
        "ModalityLUTSequence",
        "VOILUTSequence",
        "SharedFunctionalGroupsSequence",
        "PerFrameFunctionalGroupsSequence",
    ],
)
@pytest.mark.parametrize("items", [[], [Dataset()], [nested(3)] * 2])
def test_sequences_without_what_they_should_hold(
    make_dicom: MakeDicom, gray_ramp: Any, keyword: str, items: list[Dataset]
) -> None:
    verdict = film_or_sentence(make_dicom(gray_ramp, **{keyword: items}))
    if keyword == "ModalityLUTSequence" and items:
        assert isinstance(verdict, ImageError)
    else:
        assert isinstance(verdict, Radiograph)
        assert np.array_equal(verdict.pixels, gray_ramp)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("length", [0, 1, 3, 0x7FFF, 0xFFFE, 0xFFFF])
def test_a_wrong_length_anywhere_is_a_film_or_a_sentence(
    make_dicom: MakeDicom, syntax: Any, length: int
) -> None:
    pixels = np.arange(64, dtype=np.uint16).reshape(8, 8)
    path = make_dicom(
        pixels, TransferSyntaxUID=syntax, WindowCenter=5, WindowWidth=9, PixelSpacing=[0.1, 0.1]
    )
    data = path.read_bytes()
    end = len(data) - pixels.nbytes
    films = 0
    for at in range(132 + 6, end - 1, 2):
        path.write_bytes(data[:at] + length.to_bytes(2, "little") + data[at + 2 :])
        films += isinstance(film_or_sentence(path), Radiograph)
    assert films, "not one place was harmless: the file was wrong to begin with"


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
def test_names_in_a_dicom_directory_are_never_followed(tmp_path: Path, make_dicom: MakeDicom) -> None:
    secret = make_dicom(np.zeros((4, 4), np.uint16))
    directory = film_dataset(np.zeros((4, 4), np.uint16), PixelData=None, Rows=None, Columns=None)
    record = Dataset()
    record.DirectoryRecordType = "IMAGE"
    record.ReferencedFileID = ["..", "..", secret.name]
    record.OffsetOfTheNextDirectoryRecord = 0
    directory.DirectoryRecordSequence = [record, record]
    path = tmp_path / "DICOMDIR"
    directory.save_as(path, enforce_file_format=True)
    assert "without an image" in refusal(path)


def test_a_tiff_may_not_lead_in_a_circle_or_go_on_for_ever(tmp_path: Path) -> None:
    entries = gray_tiff(4, strip_at=8, strip_bytes=16)
    loop = film_or_sentence(tiff(tmp_path / "loop.tif", entries, following=8))
    assert isinstance(loop, Radiograph)
    endless = tmp_path / "endless.tif"
    data = bytearray(b"II*\0\x08\0\0\0")
    listed = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    for _ in range(20_000):
        following = len(data) + 2 + len(listed) + 4
        data += struct.pack("<H", len(entries)) + listed + struct.pack("<I", following)
    endless.write_bytes(data + bytes(6))
    assert "more than 1000 images" in refusal(endless)
    endless.write_bytes(data[: 114 * 1000])
    film_or_sentence(endless)


def test_tags_with_html_are_text(make_dicom: MakeDicom, gray_ramp: Any) -> None:
    said = "<img src=x onerror=alert(1)>"
    assert read_radiograph(make_dicom(gray_ramp, PatientID=said)).header.participant_id == said


def test_a_fragment_that_says_more_than_there_is(make_dicom: MakeDicom, gray_ramp: Any) -> None:
    dataset = pydicom.dcmread(make_dicom(gray_ramp))
    dataset.compress(JPEG2000Lossless)
    dataset.PixelData = encapsulate([dataset.PixelData[16:]])
    path = make_dicom(gray_ramp)
    dataset.save_as(path)
    data = path.read_bytes()
    at = data.index(b"\xfe\xff\x00\xe0", data.index(b"\xe0\x7f\x10\x00") + 16)
    for length in (b"\xff\xff\xff\xff", b"\xf0\xff\xff\x7f", bytes(4)):
        path.write_bytes(data[: at + 4] + length + data[at + 8 :])
        film_or_sentence(path)
