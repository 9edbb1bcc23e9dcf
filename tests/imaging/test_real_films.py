"""Real radiographs and other projects' test files: an image or one sentence, nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reader_app.errors import ImageError
from reader_app.imaging.display import automatic_window, default_voi, gray_bone_bright, to_display
from reader_app.imaging.files import looks_like_image, read_header, read_radiograph
from reader_app.imaging.geometry import Laterality
from reader_app.imaging.spacing import SpacingKind

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def films(shared: Path) -> Path:
    return shared / "data" / "dicom" / "radiographs"


def test_every_file_of_the_corpus_is_an_image_or_one_sentence(shared: Path) -> None:
    images = 0
    refusals: dict[Path, ImageError] = {}
    paths = sorted((shared / "data" / "dicom" / "corpus").iterdir())
    for path in paths:
        try:
            header = read_header(path)
            film = read_radiograph(path)
        except ImageError as error:
            refusals[path] = error
            continue
        images += 1
        assert looks_like_image(path), path.name
        assert film.pixels.shape == (header.rows, header.columns), path.name
        shown = to_display(film)
        assert shown.dtype == np.uint8, path.name
        assert shown.shape == film.pixels.shape, path.name
    for path, refusal in refusals.items():
        assert str(path) in refusal.what
        assert refusal.what.endswith("."), refusal.what
        assert refusal.next_step, refusal.what
        assert len(str(refusal)) < 600, refusal.what
        assert "\n" not in str(refusal)
    assert len(paths) == 142
    assert images >= 70


def test_all_lossless_forms_of_one_film_have_the_same_pixels(films: Path) -> None:
    found = {
        read_radiograph(films / f"RG2_{name}.dcm").pixel_sha256 for name in ("J2KR", "JLSL", "JPLL", "RLE")
    }
    assert len(found) == 1


@pytest.mark.parametrize("name", ["J2KI", "JLSN", "JPLY_fixed", "JPLY_bad_scan_header"])
def test_lossy_forms_stay_near_the_lossless_one(films: Path, name: str) -> None:
    exact = read_radiograph(films / "RG2_RLE.dcm").pixels.astype(int)
    lossy = read_radiograph(films / f"RG2_{name}.dcm").pixels.astype(int)
    assert np.abs(lossy - exact).mean() < 5
    assert lossy.max() < 1024


def test_twelve_bit_jpeg_has_the_values_of_other_decoders(shared: Path) -> None:
    pixels = read_radiograph(shared / "data" / "dicom" / "corpus" / "pydicom__JPGExtended.dcm").pixels
    assert (pixels[420, 140], pixels[230, 120]) == (244, 95)  # as pydicom's own test suite expects


def test_bones_are_bright_and_air_is_dark(films: Path) -> None:
    # Places read off the films: tibial shaft against air beside the leg; spine against lung.
    leg = read_radiograph(films / "RG3_JLSN_monochrome1.dcm")
    chest = read_radiograph(films / "RG1_J2KI_zero_spacing.dcm")
    assert leg.inverse_polarity
    assert chest.inverse_polarity
    for gray in (to_display(leg), to_display(leg, window=automatic_window(leg)), gray_bone_bright(leg)):
        assert np.median(gray[850:900, 855:875]) > np.median(gray[850:900, 480:540])
    for gray in (to_display(chest), gray_bone_bright(chest)):
        assert np.median(gray[1000:1100, 860:940]) > np.median(gray[700:760, 560:640])


def test_what_the_headers_say(films: Path) -> None:
    hip = read_header(films / "RG2_J2KR.dcm")
    assert (hip.rows, hip.columns, hip.bits_stored, hip.body_part) == (2140, 1760, 10, "HIP")
    assert hip.spacing.kind is SpacingKind.AT_DETECTOR
    assert (hip.spacing.row_mm, hip.spacing.unit) == (0.2, "mm at detector")
    chest = read_header(films / "RG1_J2KI_zero_spacing.dcm")
    assert chest.spacing.kind is SpacingKind.UNKNOWN
    assert "zero" in chest.spacing.reason
    leg = read_header(films / "RG3_J2KI_monochrome1.dcm")
    assert leg.laterality is Laterality.RIGHT
    assert leg.spacing.kind is SpacingKind.UNKNOWN


def test_a_modality_table_is_applied(films: Path) -> None:
    film = read_radiograph(films / "CR_modality_lut_sequence.dcm")
    assert film.modality_lut is not None
    assert film.modality_lut.values.size == 1024
    assert default_voi(film).name == "automatic"


def test_a_real_knee_is_read(shared: Path) -> None:
    path = next(iter(sorted((shared / "data" / "knee-kl" / "test").glob("*.webp"))))
    film = read_radiograph(path)
    assert film.pixels.shape == (224, 224)
    assert np.array_equal(to_display(film), film.pixels)
