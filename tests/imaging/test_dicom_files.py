"""DICOM files of every kind that a study may hold, and of some that it should not."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.sequence import Sequence
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from reader_app.errors import ImageError
from reader_app.imaging.dicom.codecs import codecs, has_endless_box
from reader_app.imaging.files import looks_like_image, pixel_sha256, read_header, read_radiograph
from reader_app.imaging.geometry import Laterality
from reader_app.imaging.radiograph import Radiograph

MakeDicom = Callable[..., Path]
Ramp = npt.NDArray[np.uint16]


def refused(path: Path, *words: str) -> None:
    """The file is refused with one sentence that names it and has these words."""
    with pytest.raises(ImageError) as caught:
        read_radiograph(path)
    assert str(path) in caught.value.what
    assert caught.value.next_step
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in caught.value.what


def test_a_header_says_what_the_file_says(make_dicom: MakeDicom, gray_ramp: Ramp) -> None:
    view = Dataset()
    view.CodeMeaning = "postero-anterior"
    path = make_dicom(
        gray_ramp,
        PatientID="K 17",
        PatientSex="F",
        PatientAge="063Y",
        StudyDate="20040826",
        BodyPartExamined="KNEE",
        ImageLaterality="B",
        ViewCodeSequence=Sequence([view]),
        BurnedInAnnotation="NO",
        BitsStored=12,
        HighBit=11,
        ImagerPixelSpacing=[0.15, 0.15],
        Manufacturer="Phantom works",
    )
    header = read_header(path)
    assert (header.rows, header.columns, header.bits_stored) == (64, 64, 12)
    assert (header.participant_id, header.sex, header.age, header.acquired) == (
        "K 17",
        "F",
        63.0,
        "2004-08-26",
    )
    assert (header.modality, header.body_part, header.view_position) == ("CR", "KNEE", "postero-anterior")
    assert header.laterality is Laterality.BILATERAL
    assert header.burned_in is False
    assert header.phantom
    assert header.spacing.column_mm == 0.15
    assert header.transfer_syntax == "Explicit VR Little Endian"
    assert read_radiograph(path).header == header


@pytest.mark.parametrize(
    ("image", "series", "expected"),
    [
        ("R", None, Laterality.RIGHT),
        (None, "L", Laterality.LEFT),
        ("B", "", Laterality.BILATERAL),
        ("U", "R", Laterality.RIGHT),
        ("X", None, Laterality.UNKNOWN),
        ("R", "L", Laterality.UNKNOWN),
    ],
)
def test_sides(
    make_dicom: MakeDicom, gray_ramp: Ramp, image: str | None, series: str | None, expected: Laterality
) -> None:
    named = {"ImageLaterality": image, "Laterality": series}
    header = read_header(
        make_dicom(gray_ramp, **{key: code for key, code in named.items() if code is not None})
    )
    assert header.laterality is expected
    assert any("two sides" in note for note in header.notes) == ((image, series) == ("R", "L"))


def test_hostile_text_stays_one_harmless_line(make_dicom: MakeDicom, gray_ramp: Ramp) -> None:
    path = make_dicom(gray_ramp, PatientID="../../etc\n\x1b[31mA\u202eB", SpecificCharacterSet="ISO_IR 192")
    assert read_header(path).participant_id == "../../etc [31mAB"


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEG2000Lossless,
        JPEGLSLossless,
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_all_lossless_syntaxes_give_the_same_pixels(
    make_dicom: MakeDicom, gray_ramp: Ramp, syntax: Any, dtype: type
) -> None:
    pixels: npt.NDArray[Any] = (gray_ramp.astype(np.int32) - (2048 if dtype is np.int16 else 0)).astype(dtype)
    if syntax.is_compressed and syntax != DeflatedExplicitVRLittleEndian:
        path = make_dicom(pixels)
        dataset = pydicom.dcmread(path)
        dataset.compress(syntax, generate_instance_uid=False)
        dataset.save_as(path)
    else:
        path = make_dicom(pixels, TransferSyntaxUID=syntax)
    film = read_radiograph(path)
    assert np.array_equal(film.pixels, pixels)
    assert film.pixels.dtype == (np.int16 if dtype is np.int16 else dtype)
    assert film.pixel_sha256 == pixel_sha256(pixels)


def test_the_collimated_field_is_read_in_pixels(make_dicom: MakeDicom, gray_ramp: Ramp) -> None:
    edges = {
        "CollimatorShape": "RECTANGULAR",
        "CollimatorLeftVerticalEdge": 4,
        "CollimatorRightVerticalEdge": 60,
        "CollimatorUpperHorizontalEdge": -3,
        "CollimatorLowerHorizontalEdge": 50,
    }
    box = read_radiograph(make_dicom(gray_ramp, **edges)).collimated
    assert box is not None
    assert (box.x, box.y, box.width, box.height) == (4, 0, 56, 50)
    turned = {**edges, "CollimatorLeftVerticalEdge": 60, "CollimatorRightVerticalEdge": 4}
    assert read_radiograph(make_dicom(gray_ramp, **turned)).collimated is None


def test_colour_becomes_gray_and_says_so(make_dicom: MakeDicom) -> None:
    colour = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [90, 90, 90]]], dtype=np.uint8)
    film = read_radiograph(make_dicom(colour))
    assert film.pixels[0].tolist() == [76, 150, 29, 90]
    assert film.header.notes == ("Colour (RGB) was turned into gray.",)


def test_a_palette_becomes_gray(make_dicom: MakeDicom) -> None:
    places = np.array([[0, 1, 2, 3]], dtype=np.uint8)
    table = np.array([0, 20000, 40000, 65535], dtype="<u2").tobytes()
    lut: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in ("Red", "Green", "Blue"):
        lut[f"{colour}PaletteColorLookupTableDescriptor"] = [4, 0, 16]
        lut[f"{colour}PaletteColorLookupTableData"] = table
    film = read_radiograph(make_dicom(places, **lut))
    assert film.pixels[0].tolist() == [0, 20000, 40000, 65535]
    del lut["RedPaletteColorLookupTableData"]
    refused(make_dicom(places, **lut), "palette")


def test_of_several_frames_the_first_is_shown(make_dicom: MakeDicom, gray_ramp: Ramp) -> None:
    both = np.concatenate([gray_ramp, gray_ramp[::-1]])
    film = read_radiograph(make_dicom(both, Rows=64, NumberOfFrames=2))
    assert np.array_equal(film.pixels, gray_ramp)
    assert film.header.frames == 2
    assert "2 frames" in film.header.notes[0]


def test_a_truncated_film_is_shown_as_far_as_it_goes(make_dicom: MakeDicom, gray_ramp: Ramp) -> None:
    path = make_dicom(gray_ramp)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 64 * 2 * 20 - 6])
    film = read_radiograph(path)
    assert np.array_equal(film.pixels[:43], gray_ramp[:43])
    assert not film.pixels[44:].any()
    assert "43 of 64 rows" in film.header.notes[0]
    path.write_bytes(data[: len(data) - 64 * 2 * 64 + 5])
    refused(path, "before the first row")


def test_a_compressed_film_without_its_end_is_told(make_dicom: MakeDicom, gray_ramp: Ramp) -> None:
    path = make_dicom(gray_ramp)
    dataset = pydicom.dcmread(path)
    dataset.compress(RLELossless)
    dataset.save_as(path)
    path.write_bytes(path.read_bytes()[:-8])
    film = read_radiograph(path)
    assert np.array_equal(film.pixels, gray_ramp)
    assert "truncated" in film.header.notes[0]


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
@pytest.mark.parametrize("kept", [0.1, 0.5])
def test_half_a_compressed_frame_is_refused_whatever_the_codec_does(
    make_dicom: MakeDicom, syntax: Any, kept: float
) -> None:
    noise = np.random.default_rng(4).integers(0, 4096, (64, 64), dtype=np.uint16)
    path = make_dicom(noise)
    dataset = pydicom.dcmread(path)
    dataset.compress(syntax)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    dataset.PixelData = encapsulate([frame[: int(len(frame) * kept)]])
    dataset.save_as(path)
    refused(path)


def test_a_file_without_preamble_is_read(make_dicom: MakeDicom, gray_ramp: Ramp, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(make_dicom(gray_ramp, TransferSyntaxUID=ImplicitVRLittleEndian))
    del dataset.file_meta
    buffer = io.BytesIO()
    dataset.save_as(buffer, implicit_vr=True, little_endian=True)
    path = tmp_path / "headless"
    path.write_bytes(buffer.getvalue())
    assert looks_like_image(path)
    assert np.array_equal(read_radiograph(path).pixels, gray_ramp)


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ({"Rows": 60000, "Columns": 60000}, ["3600 million values"]),
        ({"Rows": 0}, ["0 rows"]),
        ({"Rows": None}, ["how many rows"]),
        ({"PixelData": None}, ["no pixel data"]),
        ({"BitsAllocated": 32, "BitsStored": 32, "HighBit": 31}, ["32 bits"]),
        ({"BitsStored": 20}, ["contradicts itself"]),
        ({"BitsAllocated": None}, ["how many bits"]),
        ({"SamplesPerPixel": 3}, ["MONOCHROME2"]),
        ({"ModalityLUTSequence": Sequence([Dataset()])}, ["Modality LUT"]),
    ],
)
def test_what_cannot_be_right_is_refused(
    make_dicom: MakeDicom, gray_ramp: Ramp, elements: dict[str, Any], words: list[str]
) -> None:
    refused(make_dicom(gray_ramp, **elements), *words)


def test_a_codestream_of_another_size_is_refused_before_it_is_decoded(
    make_dicom: MakeDicom, gray_ramp: Ramp
) -> None:
    path = make_dicom(gray_ramp)
    dataset = pydicom.dcmread(path)
    dataset.compress(JPEG2000Lossless)
    honest = dataset.PixelData
    bomb = honest.replace(bytes.fromhex("00000040 00000040"), bytes.fromhex("0000ffff 0000ffff"), 1)
    assert bomb != honest
    dataset.PixelData = bomb
    dataset.save_as(path)
    refused(path, "65535 x 65535")
    dataset.PixelData, dataset.Rows = honest, 32
    dataset.save_as(path)
    refused(path, "32 x 64", "64 x 64")


def test_a_jpeg_2000_box_without_length_does_not_hang(make_dicom: MakeDicom, gray_ramp: Ramp) -> None:
    path = make_dicom(gray_ramp)
    dataset = pydicom.dcmread(path)
    dataset.compress(JPEG2000Lossless)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    signature, codestream = b"\0\0\0\x0cjP  \r\n\x87\n", b"\0\0\0\0jp2c" + frame
    assert not has_endless_box(signature + b"\0\0\0\x08free" + codestream)
    dataset.PixelData = encapsulate([signature + b"\0\0\0\0free" + codestream])
    dataset.save_as(path)
    refused(path, "no length")


def test_a_deflated_bomb_is_refused(make_dicom: MakeDicom, gray_ramp: Ramp) -> None:
    path = make_dicom(gray_ramp, TransferSyntaxUID=DeflatedExplicitVRLittleEndian)
    meta_end = 144 + pydicom.dcmread(path).file_meta.FileMetaInformationGroupLength
    # Runs of zeros repeat themselves even when packed: one middle piece, flushed to whole bytes, many times.
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    zeros = b"\0" * (1 << 24)
    start = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    path.write_bytes(path.read_bytes()[:meta_end] + start + again * 33 + packer.flush())
    assert path.stat().st_size < 1_000_000
    refused(path, "unpacks to more than 512 MB")


def test_deep_nesting_is_refused(make_dicom: MakeDicom, gray_ramp: Ramp) -> None:
    path = make_dicom(gray_ramp)
    data = path.read_bytes()
    at = data.index(b"\x28\x00\x02\x00US")  # SamplesPerPixel: nested sequences go before it
    opening = bytes.fromhex("18009992 53510000 ffffffff feff00e0 ffffffff")
    path.write_bytes(data[:at] + opening * 20_000 + data[at:])
    refused(path)


def test_a_length_beyond_the_file_reserves_no_memory(make_dicom: MakeDicom, gray_ramp: Ramp) -> None:
    path = make_dicom(gray_ramp, ImageComments="x" * 20)
    data = path.read_bytes()
    at = data.index(b"\xe0\x7f\x10\x00OW")
    path.write_bytes(data[: at + 8] + bytes.fromhex("f0ffffff") + data[at + 12 :])
    assert np.array_equal(read_radiograph(path).pixels, gray_ramp)


def test_a_syntax_that_nobody_decodes_is_named(make_dicom: MakeDicom, gray_ramp: Ramp) -> None:
    path = make_dicom(gray_ramp)
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate([b"\0" * 100])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = MPEG2MPML
    dataset.save_as(path)
    refused(path, "MPEG2 Main Profile / Main Level", "cannot be decoded")


def test_a_missing_decoder_is_named_with_what_to_install(
    make_dicom: MakeDicom, gray_ramp: Ramp, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_dicom(gray_ramp)
    dataset = pydicom.dcmread(path)
    dataset.compress(JPEG2000Lossless)
    dataset.save_as(path)
    monkeypatch.setattr(get_decoder(JPEG2000Lossless), "_available", {})
    with pytest.raises(ImageError) as caught:
        read_radiograph(path)
    assert "JPEG 2000 Image Compression (Lossless Only)" in caught.value.what
    assert "pylibjpeg-openjpeg" in caught.value.next_step


def test_every_declared_decoder_is_installed_here() -> None:
    found = codecs()
    assert len(found) == 13
    assert [codec.name for codec in found if not codec.available] == []
    assert [codec.name for codec in found if not codec.packages] == ["Deflated Image Frame Compression"]


def test_a_film_changed_since_it_was_read_has_no_checksum(make_dicom: MakeDicom, gray_ramp: Ramp) -> None:
    path = make_dicom(gray_ramp)
    film: Radiograph = read_radiograph(path)
    path.write_bytes(path.read_bytes() + b"\0\0")
    with pytest.raises(ImageError, match="has changed"):
        _ = film.file_sha256
    path.unlink()
    with pytest.raises(ImageError, match="cannot be read"):
        _ = read_radiograph(path)


def test_a_film_without_an_image_is_no_radiograph(
    tmp_path: Path, make_dicom: MakeDicom, gray_ramp: Ramp
) -> None:
    dataset = pydicom.dcmread(make_dicom(gray_ramp))
    for keyword in ("Rows", "Columns", "PixelData"):
        delattr(dataset, keyword)
    path = tmp_path / "report.dcm"
    dataset.save_as(path)
    refused(path, "without an image", "Computed Radiography")
    path.write_text("no image at all, but long enough to be looked at")
    refused(path, "neither DICOM nor PNG")
    assert not looks_like_image(path)
    assert not looks_like_image(tmp_path)
    assert not looks_like_image(tmp_path / "missing")
    refused(tmp_path / "missing.dcm", "cannot be read")


def test_a_phantom_may_say_so_in_the_name_alone(make_dicom: MakeDicom) -> None:
    path = make_dicom(np.zeros((4, 4), np.uint16), PatientName="PHANTOM^KNEES")
    assert read_header(path).phantom
