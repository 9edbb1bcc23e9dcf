"""Exporting what is seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pydicom import dcmread

from reader_app.errors import ImageError
from reader_app.imaging.files import read_radiograph
from reader_app.operations.export_view import SUFFIXES, export_view


@pytest.fixture
def view() -> npt.NDArray[np.uint8]:
    """A gray picture with a coloured mark, as a screen has it."""
    gray = (np.add.outer(np.arange(40), np.arange(60)) * 2).astype(np.uint8)
    picture = np.stack([gray] * 3, axis=-1)
    picture[5, 5:20] = (255, 200, 0)
    return picture


def test_a_png_holds_the_pixels_and_nothing_else(view: npt.NDArray[np.uint8], tmp_path: Path) -> None:
    target = export_view(view, tmp_path / "view.png", phantom=True, mm_per_pixel=(0.1, 0.1))
    with Image.open(target) as image:
        assert image.mode == "RGB"
        assert image.info == {}
        assert np.array_equal(np.array(image), view)


def test_a_view_without_colour_is_written_as_grays(view: npt.NDArray[np.uint8], tmp_path: Path) -> None:
    view[5] = 0
    target = export_view(view, tmp_path / "view.png", phantom=False, mm_per_pixel=None)
    with Image.open(target) as image:
        assert image.mode == "L"


def test_a_dicom_view_is_a_secondary_capture_without_a_person(
    view: npt.NDArray[np.uint8], tmp_path: Path
) -> None:
    target = export_view(view, tmp_path / "View.DCM", phantom=False, mm_per_pixel=(0.25, 0.25))
    dataset = dcmread(target)
    assert np.array_equal(dataset.pixel_array, view)
    assert dataset.SOPClassUID.name == "Secondary Capture Image Storage"
    assert (dataset.PatientID, str(dataset.PatientName), dataset.StudyDate) == ("", "", "")
    assert read_radiograph(target).header.spacing.row_mm == 0.25


def test_a_view_of_a_phantom_says_so(view: npt.NDArray[np.uint8], tmp_path: Path) -> None:
    target = export_view(view, tmp_path / "view.dcm", phantom=True, mm_per_pixel=None)
    assert read_radiograph(target).header.phantom


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_missing_folder_is_named(suffix: str, view: npt.NDArray[np.uint8], tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="away does not exist"):
        export_view(view, tmp_path / "away" / f"view{suffix}", phantom=False, mm_per_pixel=None)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_is_there_is_not_overwritten(
    suffix: str, view: npt.NDArray[np.uint8], tmp_path: Path
) -> None:
    target = tmp_path / f"view{suffix}"
    target.write_bytes(b"somebody's work")
    with pytest.raises(ImageError, match="is there already"):
        export_view(view, target, phantom=False, mm_per_pixel=None)
    assert target.read_bytes() == b"somebody's work"


def test_other_kinds_of_files_are_refused(view: npt.NDArray[np.uint8], tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"view\.gif") as refused:
        export_view(view, tmp_path / "view.gif", phantom=False, mm_per_pixel=None)
    assert ".png or .dcm" in refused.value.next_step


@pytest.mark.skipif(
    not Path("/proc/self").is_dir(), reason="this system has no folder that is sure to refuse"
)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_folder_that_may_not_be_written_is_named(suffix: str, view: npt.NDArray[np.uint8]) -> None:
    with pytest.raises(ImageError, match=r"/proc/self/view.* cannot be written"):
        export_view(view, Path(f"/proc/self/view{suffix}"), phantom=False, mm_per_pixel=None)


def test_a_name_that_is_too_long_is_a_sentence(view: npt.NDArray[np.uint8], tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot be written"):
        export_view(view, tmp_path / ("x" * 300 + ".png"), phantom=False, mm_per_pixel=None)
    assert not list(tmp_path.iterdir())
