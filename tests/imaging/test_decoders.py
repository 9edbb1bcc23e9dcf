"""Every transfer syntax of the issue: decoded exactly, as far as it goes, or refused by its name."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, JPEGLSNearLossless, RLELossless

from reader_app.errors import ImageError
from reader_app.imaging.dicom.codecs import codecs
from reader_app.imaging.files import read_header, read_radiograph
from tests.imaging.coded_films import EXTENDED_12, HTJ2K_EXACT, HTJ2K_NEAR, steps
from tests.imaging.conftest import literal_runs, rle_frame

MakeDicom = Callable[..., Path]
Pixels = npt.NDArray[Any]

BASELINE, EXTENDED = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
LOSSLESS_14, LOSSLESS_SV1 = "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"
DEFLATED_FRAME = "1.2.840.10008.1.2.8.1"
HTJ2K = {  # lossless, lossless with resolutions first, lossy
    "1.2.840.10008.1.2.4.201": True,
    "1.2.840.10008.1.2.4.202": True,
    "1.2.840.10008.1.2.4.203": False,
}


def _noise(bits: int, shape: tuple[int, int] = (96, 80)) -> Pixels:
    row, column = np.mgrid[: shape[0], : shape[1]]
    shade = (np.sin(row / 9) + np.cos(column / 7) + 2) / 4
    noise = np.random.default_rng(3).normal(0, 0.01, shape)
    top = (1 << bits) - 1
    dtype = np.uint8 if bits == 8 else np.uint16
    return np.asarray(np.clip((shade + noise) * top, 0, top), dtype=dtype)


def _wrapped(path: Path, frame: bytes, syntax: str) -> Path:
    """The same file around a compressed frame."""
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = RLELossless  # pydicom writes no file of a syntax newer than itself
    dataset.save_as(path)
    known, stated = str(RLELossless).encode(), syntax.encode()
    data = path.read_bytes()
    at = data.index(known)
    length = len(stated) + len(stated) % 2
    old = len(known) + len(known) % 2
    group = int.from_bytes(data[140:144], "little") + length - old
    path.write_bytes(
        data[:140]
        + group.to_bytes(4, "little")
        + data[144 : at - 2]
        + length.to_bytes(2, "little")
        + stated.ljust(length, b"\0")
        + data[at + old :]
    )
    return path


def _by_gdcm(path: Path, syntax: Any) -> Path:
    """The same file compressed by GDCM."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return path


def _frame(path: Path) -> bytes:
    return bytes(get_frame(pydicom.dcmread(path).PixelData, 0, number_of_frames=1))


def _jpeg(pixels: npt.NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "jpeg", quality=95)
    return buffer.getvalue()


@pytest.mark.parametrize("syntax", [BASELINE, EXTENDED])
def test_eight_bit_jpeg_is_near_what_went_in(make_dicom: MakeDicom, syntax: str) -> None:
    pixels = _noise(8)
    film = read_radiograph(_wrapped(make_dicom(pixels), _jpeg(pixels), syntax))
    assert film.pixels.dtype == np.uint8
    assert np.abs(film.pixels.astype(int) - pixels).mean() < 1.5
    assert film.header.notes == ()


def test_twelve_bit_extended_jpeg_is_near_what_went_in(make_dicom: MakeDicom) -> None:
    path = make_dicom(steps(), BitsStored=12, HighBit=11)
    film = read_radiograph(_wrapped(path, EXTENDED_12, EXTENDED))
    assert film.header.transfer_syntax == "JPEG Extended (Process 2 and 4)"
    assert np.abs(film.pixels.astype(int) - steps() // 16).max() <= 3


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize(
    ("process", "syntax"),
    [("JPEGLosslessProcess14", LOSSLESS_14), ("JPEGLosslessProcess14_1", LOSSLESS_SV1)],
)
def test_lossless_jpeg_is_exact(make_dicom: MakeDicom, bits: int, process: str, syntax: str) -> None:
    pixels = _noise(bits)
    path = _by_gdcm(
        make_dicom(pixels, BitsStored=bits, HighBit=bits - 1), getattr(gdcm.TransferSyntax, process)
    )
    # A predictor of one's own choice may be the first: its files are valid under either name.
    film = read_radiograph(_wrapped(path, _frame(path), syntax))
    assert np.array_equal(film.pixels, pixels)


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_near_lossless_jpeg_ls_stays_within_its_error(make_dicom: MakeDicom, bits: int) -> None:
    pixels = _noise(bits)
    path = make_dicom(pixels, BitsStored=bits, HighBit=bits - 1)
    dataset = pydicom.dcmread(path)
    dataset.compress(JPEGLSNearLossless, jls_error=2, generate_instance_uid=False)
    dataset.save_as(path)
    off = np.abs(read_radiograph(path).pixels.astype(int) - pixels)
    assert 0 < off.max() <= 2


@pytest.mark.parametrize("syntax", HTJ2K)
def test_high_throughput_jpeg_2000(make_dicom: MakeDicom, syntax: str) -> None:
    exact = HTJ2K[syntax]
    path = _wrapped(make_dicom(steps()), HTJ2K_EXACT if exact else HTJ2K_NEAR, syntax)
    film = read_radiograph(path)
    assert "High-Throughput" in film.header.transfer_syntax
    off = np.abs(film.pixels.astype(int) - steps())
    assert off.max() == 0 if exact else 0 < off.max() < 30


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_deflated_frames_are_exact(make_dicom: MakeDicom, bits: int) -> None:
    pixels = _noise(bits)
    packer = zlib.compressobj(6, wbits=-zlib.MAX_WBITS)
    frame = packer.compress(pixels.astype(f"<u{pixels.itemsize}").tobytes()) + packer.flush()
    path = make_dicom(pixels, BitsStored=bits, HighBit=bits - 1)
    film = read_radiograph(_wrapped(path, frame, DEFLATED_FRAME))
    assert np.array_equal(film.pixels, pixels)
    assert film.header.transfer_syntax == "Deflated Image Frame Compression"
    film = read_radiograph(_wrapped(path, frame[: len(frame) // 2], DEFLATED_FRAME))
    assert "truncated" in film.header.notes[0]
    assert np.array_equal(film.pixels[0], pixels[0])
    with pytest.raises(ImageError, match="deflated image is damaged"):
        read_radiograph(_wrapped(path, b"\xff" * 40, DEFLATED_FRAME))


def test_deflated_colour_becomes_gray(make_dicom: MakeDicom) -> None:
    colour = np.zeros((4, 6, 3), dtype=np.uint8)
    colour[..., 1] = 200
    packer = zlib.compressobj(6, wbits=-zlib.MAX_WBITS)
    frame = packer.compress(colour.tobytes()) + packer.flush()
    film = read_radiograph(_wrapped(make_dicom(colour), frame, DEFLATED_FRAME))
    assert np.all(film.pixels == 117)  # 0.587 * 200


def test_a_signed_film_survives_compression(make_dicom: MakeDicom) -> None:
    pixels = (_noise(12).astype(np.int16) - 2048).astype(np.int16)
    for syntax in (JPEG2000Lossless, JPEGLSLossless, RLELossless):
        path = make_dicom(pixels, BitsStored=12, HighBit=11)
        dataset = pydicom.dcmread(path)
        dataset.compress(syntax, generate_instance_uid=False)
        dataset.save_as(path)
        assert np.array_equal(read_radiograph(path).pixels, pixels), syntax.name


def test_where_one_decoder_fails_the_next_is_tried(make_dicom: MakeDicom) -> None:
    pixels = _noise(12)
    high, low = literal_runs(pixels)
    # The faster decoder refuses segments that do not follow the header at once, and panics over a segment
    # that is too long; the other one forgives both.
    for frame in (rle_frame(high, low, gap=b"\0\0\0\0"), rle_frame(high + b"\xfe\x07", low)):
        film = read_radiograph(_wrapped(make_dicom(pixels), frame, RLELossless))
        assert np.array_equal(film.pixels, pixels)
        assert film.header.notes == ()


def test_a_broken_rle_film_is_shown_down_to_its_last_whole_row(make_dicom: MakeDicom) -> None:
    pixels = _noise(12)
    high, low = literal_runs(pixels)
    whole = rle_frame(high, low)
    path = _wrapped(make_dicom(pixels), whole[: len(whole) - len(low) // 2], RLELossless)
    film = read_radiograph(path)
    shown = np.flatnonzero(film.pixels.any(axis=1))[-1] + 1
    assert 40 <= shown <= 48
    assert np.array_equal(film.pixels[:shown], pixels[:shown])
    assert film.header.notes == (f"The file is truncated: {shown} of 96 rows are there, the rest is empty.",)
    # Without low bytes there is no whole pixel: coarse grays would mislead.
    with pytest.raises(ImageError, match="RLE Lossless"):
        read_radiograph(_wrapped(path, whole[: len(whole) - len(low)], RLELossless))


def test_a_broken_jpeg_film_is_shown_down_to_its_last_whole_row(make_dicom: MakeDicom) -> None:
    pixels = _noise(8)
    whole = _jpeg(pixels)
    path = make_dicom(pixels)
    for syntax in (BASELINE, EXTENDED):
        film = read_radiograph(_wrapped(path, whole[: len(whole) * 2 // 3], syntax))
        (note,) = film.header.notes
        rows = int(note.split(":")[1].split()[0])
        assert 32 <= rows < 80
        assert rows % 8 == 0
        assert np.abs(film.pixels[:rows].astype(int) - pixels[:rows]).mean() < 1.5
        assert not film.pixels[rows:].any()
    film = read_radiograph(_wrapped(path, whole.removesuffix(b"\xff\xd9"), BASELINE))
    assert film.header.notes == ("The file is truncated: the mark at the end of its image is missing.",)
    with pytest.raises(ImageError, match="before the first row"):
        read_radiograph(_wrapped(path, whole[: whole.index(b"\xff\xda") + 40], BASELINE))


def test_a_broken_lossless_jpeg_film_is_shown_too(make_dicom: MakeDicom) -> None:
    pixels = _noise(12)
    path = make_dicom(pixels, BitsStored=12, HighBit=11)
    frame = _frame(_by_gdcm(path, gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    film = read_radiograph(_wrapped(path, frame[: len(frame) * 2 // 3], LOSSLESS_SV1))
    (note,) = film.header.notes
    rows = int(note.split(":")[1].split()[0])
    assert 32 <= rows < 80
    assert np.array_equal(film.pixels[:rows], pixels[:rows])
    assert not film.pixels[rows:].any()


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_what_shows_nothing_without_its_end_is_called_truncated(make_dicom: MakeDicom, syntax: Any) -> None:
    path = make_dicom(_noise(12))
    dataset = pydicom.dcmread(path)
    dataset.compress(syntax)
    dataset.save_as(path)
    frame = _frame(path)
    with pytest.raises(ImageError, match=r"is truncated: the end of its JPEG") as caught:
        read_radiograph(_wrapped(path, frame[: len(frame) // 2], syntax))
    assert caught.value.next_step
    end = frame.rindex(b"\xff\xd9")
    film = read_radiograph(_wrapped(path, frame[:end], syntax))
    assert np.array_equal(film.pixels, _noise(12))
    assert film.header.notes == ("The file is truncated: the mark at the end of its image is missing.",)


def test_codecs_say_what_they_can_and_what_they_need() -> None:
    found = {codec.syntax: codec for codec in codecs()}
    asked = {
        *HTJ2K,
        BASELINE,
        EXTENDED,
        LOSSLESS_14,
        LOSSLESS_SV1,
        DEFLATED_FRAME,
        str(RLELossless),
        str(JPEGLSLossless),
        str(JPEGLSNearLossless),
        str(JPEG2000Lossless),
        "1.2.840.10008.1.2.4.91",
    }
    assert set(found) == asked
    assert all(codec.available for codec in found.values())


_WITHOUT = """
import importlib.abc, json, sys
hidden = set(json.loads(sys.argv[1]))
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from reader_app.errors import ImageError
from reader_app.imaging.dicom.codecs import codecs
from reader_app.imaging.files import read_radiograph
told = {"missing": sorted(codec.syntax for codec in codecs() if not codec.available), "files": []}
for path in sys.argv[2:]:
    try:
        read_radiograph(path)
        told["files"].append(["", ""])
    except ImageError as error:
        told["files"].append([error.what, error.next_step])
print(json.dumps(told))
"""


def _in_a_program_without(packages: list[str], *paths: Path) -> dict[str, Any]:
    """What a program says in which these packages are not installed."""
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, json.dumps(packages), *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_program_without_decoders_names_syntax_and_packages(make_dicom: MakeDicom) -> None:
    pixels, paths = _noise(12), []
    for syntax in (JPEG2000Lossless, JPEGLSLossless, RLELossless):
        path = make_dicom(pixels, BitsStored=12, HighBit=11)
        dataset = pydicom.dcmread(path)
        dataset.compress(syntax)
        dataset.save_as(path)
        paths.append(path)
    path = make_dicom(pixels, BitsStored=12, HighBit=11)
    paths.append(_by_gdcm(path, gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    paths.append(_wrapped(make_dicom(steps(), BitsStored=12, HighBit=11), EXTENDED_12, EXTENDED))
    paths.append(_wrapped(make_dicom(steps()), HTJ2K_EXACT, "1.2.840.10008.1.2.4.201"))
    hidden = ["pylibjpeg", "gdcm", "jpeg_ls", "PIL"]
    told = _in_a_program_without(hidden, *paths)
    assert set(told["missing"]) == {codec.syntax for codec in codecs()} - {str(RLELossless), DEFLATED_FRAME}
    j2k, jls, rle, lossless, extended, htj2k = told["files"]
    assert rle == ["", ""]  # pydicom's own decoder is slow, but there
    for (what, next_step), name, package in (
        (j2k, "JPEG 2000 Image Compression (Lossless Only)", "pylibjpeg-openjpeg"),
        (jls, "JPEG-LS Lossless Image Compression", "pyjpegls"),
        (lossless, "JPEG Lossless, Non-Hierarchical", "python-gdcm"),
        (extended, "JPEG Extended (Process 2 and 4)", "python-gdcm"),
        (htj2k, "High-Throughput JPEG 2000", "pylibjpeg-openjpeg"),
    ):
        assert name in what
        assert "no decoder is installed" in what
        assert package in next_step


def test_a_decoder_that_is_left_takes_over(make_dicom: MakeDicom) -> None:
    pixels = _noise(12)
    path = make_dicom(pixels, BitsStored=12, HighBit=11)
    dataset = pydicom.dcmread(path)
    dataset.compress(JPEG2000Lossless)
    dataset.save_as(path)
    extended = _wrapped(make_dicom(steps(), BitsStored=12, HighBit=11), EXTENDED_12, EXTENDED)
    told = _in_a_program_without(["pylibjpeg", "gdcm"], path, extended)
    assert told["files"][0] == ["", ""]  # Pillow
    # Pillow decodes this syntax, but only with 8 bits: what is missing is GDCM.
    assert "no decoder is installed" in told["files"][1][0]
    assert "python-gdcm" in told["files"][1][1]


@pytest.mark.shared
def test_a_real_film_cut_in_the_middle_is_shown_or_called_truncated(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "dicom" / "radiographs"
    exact = read_radiograph(folder / "RG2_RLE.dcm").pixels
    for name in ("RG2_RLE", "RG2_JPLL", "RG2_JPLY_fixed", "RG2_J2KR", "RG2_JLSL"):
        data = (folder / f"{name}.dcm").read_bytes()
        path = tmp_path / f"{name}.dcm"
        path.write_bytes(data[: len(data) * 7 // 10])
        assert read_header(path).rows == 2140
        if name in ("RG2_J2KR", "RG2_JLSL"):
            with pytest.raises(ImageError, match="is truncated"):
                read_radiograph(path)
            continue
        film = read_radiograph(path)
        rows = int(film.header.notes[-1].split(":")[1].split()[0])
        assert 1000 < rows < 1500
        off = np.abs(film.pixels[:rows].astype(int) - exact[:rows])
        assert off.mean() < 5 if name == "RG2_JPLY_fixed" else off.max() == 0


def test_single_bits_in_run_lengths_are_refused_by_name(make_dicom: MakeDicom) -> None:
    path = make_dicom(np.zeros((8, 8), np.uint8), BitsAllocated=1, BitsStored=1, HighBit=0)
    dataset: Dataset = pydicom.dcmread(path)
    assert dataset.BitsAllocated == 1
    with pytest.raises(ImageError, match="run lengths of single bits"):
        read_radiograph(_wrapped(path, struct.pack("<16I", 1, 64, *[0] * 14) + b"\xf9\x00", RLELossless))
