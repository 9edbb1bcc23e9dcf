"""A film reaches a screen only as the file that was imported, whatever lies at its path now."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
    RLELossless,
    generate_uid,
)

from reader_app.errors import ImageError
from reader_app.imaging.correction import FilmCorrection
from reader_app.imaging.geometry import Box
from reader_app.operations.film import load_film, load_pyramid
from reader_app.operations.study import Study
from reader_app.store.records import FilmSource

ROWS, COLUMNS = 900, 700


def write(path: Path, *, seed: int, compressed: bool) -> FilmSource:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(seed)])
    dataset = pydicom.Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.PatientID = "CR", "P"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = ROWS, COLUMNS, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    pixels = np.random.default_rng(seed).integers(0, 4096, (ROWS, COLUMNS)).astype("<u2")
    dataset.PixelData = pixels.tobytes()
    if compressed:
        dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(path, enforce_file_format=True)
    return FilmSource(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), FilmCorrection())


@pytest.mark.parametrize("compressed", [False, True])
def test_the_film_that_was_imported_is_shown(study: Study, tmp_path: Path, compressed: bool) -> None:
    source = write(tmp_path / "film.dcm", seed=1, compressed=compressed)
    expected = np.random.default_rng(1).integers(0, 4096, (ROWS, COLUMNS))
    assert np.array_equal(load_film(study, source).pixels, expected)
    assert np.array_equal(load_pyramid(study, source).levels[0], expected)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("damage", ["another film", "one bit", "half of it", "no image"])
def test_a_file_that_has_changed_since_is_never_shown(
    study: Study, tmp_path: Path, compressed: bool, damage: str
) -> None:
    path = tmp_path / "film.dcm"
    source = write(path, seed=1, compressed=compressed)
    whole = path.read_bytes()
    if damage == "another film":
        write(path, seed=2, compressed=compressed)
    elif damage == "one bit":
        path.write_bytes(whole[:-400] + bytes([whole[-400] ^ 1]) + whole[-399:])
    elif damage == "half of it":
        path.write_bytes(whole[: len(whole) // 2])
    else:
        path.write_bytes(b"a letter to somebody" * 20)
    for load in (load_film, load_pyramid):
        with pytest.raises(ImageError, match="not the one that was imported") as raised:
            load(study, source)
        assert str(tmp_path) not in str(raised.value), "file names can tell who the participant is"


@pytest.mark.parametrize("compressed", [False, True])
def test_a_vouched_file_that_cannot_be_decoded_is_said_to_be_so(
    study: Study, tmp_path: Path, compressed: bool
) -> None:
    path = tmp_path / "film.dcm"
    write(path, seed=1, compressed=compressed)
    dataset = pydicom.dcmread(path)
    del dataset.PixelData
    dataset.save_as(path)
    broken = FilmSource(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), FilmCorrection())
    with pytest.raises(ImageError, match="cannot be read any more"):
        load_pyramid(study, broken)


def test_what_is_boxed_out_is_in_no_level_of_the_film(study: Study, tmp_path: Path) -> None:
    source = write(tmp_path / "film.dcm", seed=1, compressed=False)
    box = Box(100, 200, 80, 40)
    hidden = FilmSource(source.path, source.file_sha256, FilmCorrection(box_outs=(box,)))
    pyramid = load_pyramid(study, hidden)
    assert pyramid.levels[0][200:240, 100:180].max() == 0
    assert pyramid.levels[1][100:120, 50:90].max() == 0
    assert load_pyramid(study, source).levels[1][100:120, 50:90].max() > 0
