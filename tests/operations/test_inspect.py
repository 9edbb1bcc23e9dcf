"""Inspection of files without a study: what they say, how they would be shown, why they cannot be."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

from reader_app.imaging.display import to_display
from reader_app.imaging.files import read_radiograph
from reader_app.imaging.workers import FileWorkers
from reader_app.operations.inspect import Inspection, as_record, files_in, inspect_files
from tests.imaging import file_tasks

PIXELS = (np.arange(60, dtype="<u2") * 60).reshape(6, 10)
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX file system")


def film(path: Path, **elements: object) -> Path:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = ComputedRadiographyImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 6, 10, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = PIXELS.tobytes()
    dataset["PixelData"].VR = "OW"
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path, enforce_file_format=True)
    return path


def only(path: Path) -> Inspection:
    (found,) = inspect_files([path], workers=1)
    return found


def one_sentence(reason: str | None) -> bool:
    """Whether a reason is a single sentence for a person: no trace, no second line, not endless."""
    return (
        reason is not None
        and reason.endswith(".")
        and "\n" not in reason
        and len(reason) < 500
        and not re.search(r"Traceback|File \"|line \d+|Error\b|Exception", reason)
    )


def test_everything_that_a_film_says(tmp_path: Path) -> None:
    path = film(
        tmp_path / "film",
        Modality="DX",
        BodyPartExamined="KNEE",
        ViewPosition="AP",
        ImageLaterality="B",
        PhotometricInterpretation="MONOCHROME1",
        WindowCenter=2048,
        WindowWidth=4096,
        WindowCenterWidthExplanation="BONE",
        VOILUTFunction="SIGMOID",
        PixelSpacing=[0.2, 0.1],
        PixelSpacingCalibrationType="FIDUCIAL",
        BurnedInAnnotation="YES",
    )
    found = as_record(only(path))
    assert list(found) == [
        *("path", "readable", "reason", "format", "modality", "body_part", "view_position", "laterality"),
        *("rows", "columns", "bits", "transfer_syntax", "photometric_interpretation", "polarity", "window"),
        *("spacing_kind", "spacing_mm", "spacing_reason", "pixel_sha256", "display_sha256", "burned_in"),
        *("overlays", "frames", "notes", "seconds"),
    ]
    gray = 255 - np.floor(255 / (1 + np.exp(-4 * (PIXELS.astype(float) - 2048) / 4096)) + 0.5)
    expected = {
        "path": str(path),
        "readable": True,
        "reason": None,
        "format": "DICOM",
        "modality": "DX",
        "body_part": "KNEE",
        "view_position": "AP",
        "laterality": "B",
        "rows": 6,
        "columns": 10,
        "bits": 12,
        "transfer_syntax": "Explicit VR Little Endian",
        "photometric_interpretation": "MONOCHROME1",
        "polarity": "inverted",
        "window": {"name": "BONE", "center": 2048.0, "width": 4096.0, "function": "SIGMOID", "table": None},
        "spacing_kind": "calibrated",
        "spacing_mm": (0.2, 0.1),
        "pixel_sha256": hashlib.sha256(PIXELS.tobytes()).hexdigest(),
        "display_sha256": hashlib.sha256(gray.astype(np.uint8).tobytes()).hexdigest(),
        "burned_in": True,
        "overlays": 0,
        "frames": 1,
    }
    assert {key: found[key] for key in expected} == expected


def test_what_is_not_known_is_null(tmp_path: Path) -> None:
    found = as_record(only(film(tmp_path / "film")))
    unknown = ("modality", "body_part", "view_position", "laterality", "spacing_mm", "burned_in", "reason")
    assert {key: found[key] for key in unknown} == dict.fromkeys(unknown)
    assert found["spacing_kind"] == "unknown"
    assert "" not in found.values()


def test_a_table_is_told_as_a_table(tmp_path: Path) -> None:
    table = Dataset()
    table.LUTDescriptor, table.LUTExplanation = [4, 0, 8], "STEEP"
    table.LUTData = [0, 50, 100, 255]
    table["LUTData"].VR = "US"
    found = as_record(only(film(tmp_path / "film", VOILUTSequence=[table])))
    assert found["window"] == {
        "name": "STEEP",
        "center": None,
        "width": None,
        "function": None,
        "table": {"entries": 4, "bits": 8},
    }


def test_a_raster_has_no_dicom_terms(tmp_path: Path) -> None:
    path = tmp_path / "film.png"
    Image.fromarray(PIXELS.astype(np.uint8)).save(path)
    found = only(path)
    assert found.readable
    assert (found.format, found.bits, found.polarity) == ("PNG", 8, "as stored")
    assert (found.photometric_interpretation, found.transfer_syntax, found.modality) == (None, None, None)
    assert found.pixel_sha256 == found.display_sha256 == read_radiograph(path).pixel_sha256


def test_of_a_film_that_cannot_be_shown_the_header_is_told(tmp_path: Path) -> None:
    found = only(film(tmp_path / "film", Modality="CR", BodyPartExamined="HIP", BitsStored=20))
    assert not found.readable
    assert found.reason is not None
    assert "contradicts itself" in found.reason
    assert (found.modality, found.body_part, found.rows, found.format) == ("CR", "HIP", 6, "DICOM")
    assert (found.pixel_sha256, found.polarity, found.window) == (None, None, None)


def test_folders_are_searched_in_order_and_missing_files_told(tmp_path: Path) -> None:
    (tmp_path / "b" / "deep").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    for name in ("c", "b/z", "b/deep/y", "a"):
        (tmp_path / name).write_text("no film")
    paths = [tmp_path, tmp_path / "gone", tmp_path / "a"]
    found = list(inspect_files(paths, workers=2))
    expected = ["a", "b/deep/y", "b/z", "c", "gone", "a"]
    assert [one.path.relative_to(tmp_path).as_posix() for one in found] == expected
    assert not any(one.readable for one in found)
    assert all(one_sentence(one.reason) for one in found)
    assert "cannot be read" in str(found[4].reason)


@posix
def test_nothing_in_a_folder_can_hold_it_up(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "sub" / "up").symlink_to(tmp_path)
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    (tmp_path / "two\nlines \x1b[31m").write_text("no film")
    (tmp_path / os.fsdecode(b"\xff\xfe.dcm")).write_text("no film")
    film(tmp_path / "sub" / "film")
    home = Path.cwd()
    os.chdir(tmp_path)  # the name of a socket may not be long
    try:
        with socket.socket(socket.AF_UNIX) as endpoint:
            endpoint.bind("socket")
            found = {one.path.name: one for one in inspect_files([tmp_path], workers=1)}
            up = list(inspect_files([Path("sub/../../../../../../etc/../dev/null")], workers=1))
    finally:
        os.chdir(home)
    assert set(found) == {
        "pipe",
        "loop",
        "broken",
        "socket",
        "two\nlines \x1b[31m",
        "\udcff\udcfe.dcm",
        "film",
    }
    assert [name for name, one in found.items() if one.readable] == ["film"]
    for name in ("pipe", "socket"):
        assert "not an ordinary file" in str(found[name].reason)
    for name in ("loop", "broken"):
        assert "cannot be read" in str(found[name].reason)
    assert "not an ordinary file" in str(up[0].reason) or "cannot be read" in str(up[0].reason)


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="the root may read everything")
def test_what_may_not_be_read_is_told(tmp_path: Path) -> None:
    locked, folder = tmp_path / "locked", tmp_path / "shut"
    locked.write_text("x")
    folder.mkdir()
    locked.chmod(0)
    folder.chmod(0)
    try:
        found = list(inspect_files([tmp_path], workers=1))
    finally:
        folder.chmod(0o700)
    assert [one.path for one in found] == [locked, folder]
    assert "cannot be read" in str(found[0].reason)
    assert "cannot be listed" in str(found[1].reason)


def test_folders_may_be_nested_deeply(tmp_path: Path) -> None:
    folders = [tmp_path]
    for _ in range(1500 if sys.platform == "linux" else 20):
        folders.append(folders[-1] / "d")
        folders[-1].mkdir()
    film = folders[-1] / "film"
    film.write_text("no film")
    try:
        assert list(files_in([tmp_path])) == [film]
    finally:  # pytest cannot tidy up so deep
        film.unlink()
        while len(folders) > 1:
            folders.pop().rmdir()


@pytest.mark.shared
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_every_real_file_is_an_image_or_one_sentence_in_little_memory(shared: Path) -> None:
    folder = shared / "data" / "dicom"
    paths = [path for part in ("corpus", "radiographs") for path in sorted((folder / part).iterdir())]
    assert len(paths) == 154
    peak = 0
    readable = 0
    with FileWorkers(file_tasks.inspected_with_peak, workers=2) as workers:
        for result in workers.map(paths):
            assert not result.fault
            assert result.value is not None
            found, bytes_then = result.value
            peak = max(peak, bytes_then)
            assert found.seconds is not None
            readable += found.readable
            if found.readable:
                assert found.reason is None
                assert len(str(found.pixel_sha256)) == len(str(found.display_sha256)) == 64
            else:
                assert one_sentence(found.reason), found.reason
                assert str(found.path) in str(found.reason)
                assert found.pixel_sha256 is None
    assert peak < 1 << 30
    assert readable >= 84


@pytest.mark.shared
def test_the_checksums_are_those_of_what_a_reader_sees(shared: Path) -> None:
    path = shared / "data" / "dicom" / "radiographs" / "RG3_JLSN_monochrome1.dcm"
    found = only(path)
    shown = to_display(read_radiograph(path))
    assert found.display_sha256 == hashlib.sha256(shown.tobytes()).hexdigest()
    assert found.polarity == "inverted"
    assert pydicom.dcmread(path, stop_before_pixels=True).BodyPartExamined == found.body_part
