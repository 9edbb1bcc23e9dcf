"""Views as DICOM Secondary Capture images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydicom import dcmread
from pydicom.uid import UID

from reader_app.imaging.display import to_display
from reader_app.imaging.files import read_radiograph
from reader_app.imaging.spacing import SpacingKind
from reader_app.interop.dicom_files import write_dicom
from reader_app.interop.secondary_capture import secondary_capture
from tests.interop.conftest import required
from tests.opened_by_highdicom import opened

_SIDES = st.integers(1, 24)


def gray() -> npt.NDArray[np.uint8]:
    return (np.add.outer(np.arange(31), 5 * np.arange(17)) % 256).astype(np.uint8)


def colours() -> npt.NDArray[np.uint8]:
    return np.stack([gray(), 255 - gray(), gray()], axis=-1)


@given(
    view=st.one_of(
        arrays(np.uint8, st.tuples(_SIDES, _SIDES)), arrays(np.uint8, st.tuples(_SIDES, _SIDES, st.just(3)))
    )
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pydicom_reads_the_same_picture(view: npt.NDArray[np.uint8], tmp_path: Path) -> None:
    write_dicom(secondary_capture(view), tmp_path / "view.dcm")
    read = dcmread(tmp_path / "view.dcm").pixel_array
    if read.ndim < view.ndim:  # no colour in it
        read = np.stack([read] * 3, axis=-1)
    assert np.array_equal(read, view)


def test_our_own_reader_shows_grays_as_they_were_seen(tmp_path: Path) -> None:
    write_dicom(secondary_capture(np.stack([gray()] * 3, axis=-1)), tmp_path / "view.dcm")
    film = read_radiograph(tmp_path / "view.dcm")
    assert np.array_equal(film.pixels, gray())
    assert np.array_equal(to_display(film), gray())
    assert film.header.burned_in is False
    assert not film.header.phantom


def test_another_library_takes_it_for_a_secondary_capture(tmp_path: Path) -> None:
    write_dicom(secondary_capture(colours()), tmp_path / "view.dcm")
    with opened(tmp_path / "view.dcm") as image:
        assert image.SOPClassUID == UID("1.2.840.10008.5.1.4.1.1.7")
        assert np.array_equal(image.get_frame(1), colours())


@pytest.mark.parametrize("view", [gray(), colours()])
def test_it_has_all_that_a_secondary_capture_must_have(view: npt.NDArray[np.uint8]) -> None:
    made = secondary_capture(view, phantom=True, mm_per_pixel=(0.2, 0.2))
    assert not required("secondary-capture-image", types=("1", "2")) - set(made.dir())
    filled = required("secondary-capture-image", types=("1",))
    assert all(not made[keyword].is_empty for keyword in filled)
    assert made.ConversionType == "WSD"


def test_it_names_nobody_and_no_day() -> None:
    made = secondary_capture(gray())
    said = {element.keyword: element for element in made if not element.is_empty}
    assert not {"PatientID", "PatientName", "StudyDate", "StudyTime", "ContentDate", "AccessionNumber"} & set(
        said
    )
    assert not [element for element in said.values() if element.VR in ("DA", "TM", "DT", "PN")]
    assert (made.PatientIdentityRemoved, made.BurnedInAnnotation) == ("YES", "NO")


def test_no_two_exports_can_be_brought_together() -> None:
    one, other = secondary_capture(gray()), secondary_capture(gray())
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        assert one[keyword].value != other[keyword].value
        assert UID(one[keyword].value).is_valid


def test_millimetres_are_those_of_the_picture_and_claim_no_calibration(tmp_path: Path) -> None:
    made = secondary_capture(gray(), mm_per_pixel=(0.2781, 0.31))
    write_dicom(made, tmp_path / "view.dcm")
    spacing = read_radiograph(tmp_path / "view.dcm").header.spacing
    assert (spacing.row_mm, spacing.column_mm, spacing.kind) == (0.2781, 0.31, SpacingKind.AT_DETECTOR)
    assert "PixelSpacing" not in secondary_capture(gray())


def test_a_phantom_stays_one(tmp_path: Path) -> None:
    write_dicom(secondary_capture(gray(), phantom=True), tmp_path / "view.dcm")
    assert read_radiograph(tmp_path / "view.dcm").header.phantom


@pytest.mark.parametrize(
    ("view", "choices"),
    [
        (gray().astype(np.uint16), {}),
        (np.zeros((4, 4, 4), np.uint8), {}),
        (np.zeros((0, 4), np.uint8), {}),
        (gray(), {"title": "Zoë"}),
        (gray(), {"title": "x" * 65}),
        (gray(), {"mm_per_pixel": (0.0, 0.1)}),
        (gray(), {"mm_per_pixel": (float("nan"), 0.1)}),
    ],
)
def test_what_cannot_be_exported_is_a_fault_of_ours(
    view: npt.NDArray[np.uint8], choices: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=r"view|title|millimetres"):
        secondary_capture(view, **choices)  # type: ignore[arg-type]
