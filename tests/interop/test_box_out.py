"""Boxes that go into the pixels of a copy for good."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless

from reader_app.errors import ImageError
from reader_app.imaging.correction import FilmCorrection, corrected
from reader_app.imaging.display import to_display
from reader_app.imaging.files import read_radiograph
from reader_app.imaging.geometry import Box
from reader_app.interop.box_out import blank_in_copy
from reader_app.interop.deidentify import deidentified_copy
from tests.interop.conftest import Film, how, knee_dataset

BOXES = (Box(2.5, 3, 10, 5), Box(50, 40, 100, 100), Box(-5, -5, 3, 3))


@pytest.fixture
def copy(knee: Film, tmp_path: Path) -> Path:
    deidentified_copy(knee(BurnedInAnnotation="YES"), tmp_path / "copy.dcm", how())
    return tmp_path / "copy.dcm"


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_blanked_film_looks_as_it_did_with_the_boxes_on_it(
    photometric: str, knee: Film, tmp_path: Path
) -> None:
    target = tmp_path / "copy.dcm"
    deidentified_copy(knee(PhotometricInterpretation=photometric, PresentationLUTShape=None), target, how())
    boxed = corrected(read_radiograph(target), FilmCorrection(box_outs=BOXES))
    blank_in_copy(target, BOXES)
    blanked = read_radiograph(target)
    assert np.array_equal(blanked.pixels, boxed.pixels)
    assert np.array_equal(to_display(blanked), to_display(boxed))
    assert not to_display(blanked)[3:8, 2:13].any()  # half-covered pixels too


def test_what_was_covered_is_no_longer_in_the_file(tmp_path: Path) -> None:
    pixels = np.full((32, 48), 7, np.uint8)
    pixels[4] = np.frombuffer(b"DOE JANE".ljust(48, b"."), np.uint8)
    dataset = knee_dataset(pixels)
    dataset.save_as(tmp_path / "source.dcm", enforce_file_format=True)
    copy = tmp_path / "copy.dcm"
    deidentified_copy(tmp_path / "source.dcm", copy, how())
    assert b"DOE JANE" in copy.read_bytes()
    blank_in_copy(copy, [Box(0, 4, 48, 1)])
    assert b"DOE" not in copy.read_bytes()


def test_the_file_says_that_its_pixels_are_clean(copy: Path) -> None:
    blank_in_copy(copy, BOXES)
    blank_in_copy(copy, BOXES)
    dataset = dcmread(copy)
    codes = [item.CodeValue for item in dataset.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113101"]
    assert dataset.BurnedInAnnotation == "NO"
    assert read_radiograph(copy).header.burned_in is False
    assert dataset.PatientID == "P-7XK2QW3E"


def test_window_spacing_and_side_stay(copy: Path) -> None:
    before = read_radiograph(copy)
    blank_in_copy(copy, BOXES)
    after = read_radiograph(copy)
    assert after.windows == before.windows
    assert after.header.spacing == before.header.spacing
    assert (after.header.laterality, after.header.view_position) == (before.header.laterality, "PA")


def test_compressed_copies_become_uncompressed(tmp_path: Path) -> None:
    dataset = knee_dataset()
    dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    dataset.save_as(tmp_path / "source.dcm", enforce_file_format=True)
    copy = tmp_path / "copy.dcm"
    deidentified_copy(tmp_path / "source.dcm", copy, how())
    boxed = corrected(read_radiograph(copy), FilmCorrection(box_outs=BOXES))
    blank_in_copy(copy, BOXES)
    assert dcmread(copy).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert np.array_equal(read_radiograph(copy).pixels, boxed.pixels)


def test_signed_films_keep_their_values(knee: Film, tmp_path: Path) -> None:
    pixels = np.arange(-600, 600, dtype=np.int16).reshape(30, 40)
    copy = tmp_path / "copy.dcm"
    deidentified_copy(knee(pixels, BitsStored=12, HighBit=11), copy, how())
    blank_in_copy(copy, [Box(0, 20, 40, 5)])
    after = read_radiograph(copy).pixels
    assert np.array_equal(after[:20], pixels[:20])
    assert (after[20:25] == -600).all()


def test_colour_films_become_the_grays_that_readers_see(tmp_path: Path) -> None:
    colours = np.random.default_rng(3).integers(0, 256, (24, 32, 3)).astype(np.uint8)
    dataset = knee_dataset(colours, PresentationLUTShape=None)
    dataset.save_as(tmp_path / "source.dcm", enforce_file_format=True)
    copy = tmp_path / "copy.dcm"
    deidentified_copy(tmp_path / "source.dcm", copy, how())
    boxed = corrected(read_radiograph(copy), FilmCorrection(box_outs=BOXES[:1]))
    blank_in_copy(copy, BOXES[:1])
    after = read_radiograph(copy)
    assert np.array_equal(after.pixels, boxed.pixels)
    assert np.array_equal(to_display(after), to_display(boxed))


def test_small_pictures_and_overlays_beside_the_film_go(copy: Path) -> None:
    dataset = dcmread(copy)
    dataset.IconImageSequence = [Dataset()]
    dataset.add_new(0x60000010, "US", 8)
    dataset.add_new(0x60003000, "OW", b"DOE JANE")
    dataset.save_as(copy)
    blank_in_copy(copy, BOXES)
    assert b"DOE JANE" not in copy.read_bytes()
    assert "IconImageSequence" not in dcmread(copy)


@pytest.mark.parametrize("mode", ["L", "RGB", "I;16"])
def test_rasters_are_blanked_in_their_own_colours(mode: str, tmp_path: Path) -> None:
    grays = (np.add.outer(np.arange(24), np.arange(32)) + 9).astype(np.uint16)
    pixels: npt.NDArray[Any] = grays * 300 if mode == "I;16" else grays.astype(np.uint8)
    if mode == "RGB":
        pixels = np.stack([pixels, pixels + 1, pixels + 2], axis=-1)
    Image.fromarray(pixels).save(tmp_path / "source.png")
    copy = tmp_path / "copy.png"
    deidentified_copy(tmp_path / "source.png", copy, how())
    boxed = corrected(read_radiograph(copy), FilmCorrection(box_outs=BOXES))
    blank_in_copy(copy, BOXES)
    after = read_radiograph(copy)
    assert after.header.photometric == mode
    assert np.array_equal(after.pixels, boxed.pixels)


def test_a_film_that_is_no_copy_is_left_alone(knee: Film, tmp_path: Path) -> None:
    original = knee()
    content = original.read_bytes()
    with pytest.raises(ImageError, match="no de-identified copy"):
        blank_in_copy(original, BOXES)
    assert original.read_bytes() == content
    Image.new("L", (8, 8)).save(tmp_path / "film.jpg")
    with pytest.raises(ImageError, match="no de-identified copy"):
        blank_in_copy(tmp_path / "film.jpg", BOXES)


def test_a_copy_does_not_claim_to_be_clean_for_nothing(copy: Path) -> None:
    with pytest.raises(ValueError, match="nothing to blank"):
        blank_in_copy(copy, [])


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_keeps_the_film(copy: Path) -> None:
    content = copy.read_bytes()
    copy.parent.chmod(0o500)
    try:
        with pytest.raises(ImageError, match="cannot be written"):
            blank_in_copy(copy, BOXES)
    finally:
        copy.parent.chmod(0o700)
    assert copy.read_bytes() == content
