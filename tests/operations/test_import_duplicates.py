"""One film is one radiograph, however often and in whatever form it comes; and blank films prove nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.uid import RLELossless

from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.status import import_duplicates
from reader_app.operations.study import Study
from reader_app.operations.study_config import ImagePolicy
from reader_app.store import films as stored
from reader_app.store import journal
from reader_app.store.records import Actor
from tests.operations.conftest import COORDINATOR, PASSWORD, MakeStudy, dicom_film, leg


def compressed(source: Path, target: Path, **elements: str) -> Path:
    dataset = dcmread(source)
    dataset.compress(RLELossless, encoding_plugin="pydicom", generate_instance_uid=True)
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.save_as(target)
    return target


def test_a_film_exported_again_in_another_form_is_a_duplicate(
    study: Study, coordinator: Actor, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    first = dicom_film(folder / "a.dcm", seed=1)
    compressed(first, folder / "b.dcm")
    report = import_films(study, coordinator, folder)
    assert (report.added, report.known, report.duplicates, report.faults) == (1, 0, 1, ())
    (duplicate,) = import_duplicates(study, coordinator)
    (film,) = stored.all_radiographs(study.database, coordinator)
    assert Path(duplicate.path).name == "b.dcm"
    assert f"radiograph {film.id} of {film.participant}" in duplicate.reason
    assert any("same pixels as another" in note for note in report.notes)
    again = import_films(study, coordinator, folder)
    assert (again.added, again.known, again.duplicates) == (0, 2, 0)
    assert journal.verify_chain(study.database).ok


def test_a_duplicate_in_a_later_import_is_found_too(study: Study, coordinator: Actor, tmp_path: Path) -> None:
    first = dicom_film(tmp_path / "one" / "a.dcm", seed=1)
    import_films(study, coordinator, tmp_path / "one")
    (tmp_path / "two").mkdir()
    compressed(first, tmp_path / "two" / "b.dcm")
    assert import_films(study, coordinator, tmp_path / "two").duplicates == 1


def test_a_film_of_two_participants_is_told_by_name(study: Study, coordinator: Actor, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    first = dicom_film(folder / "a.dcm", seed=1)
    compressed(first, folder / "b.dcm", PatientID="Secret-2")
    report = import_films(study, coordinator, folder)
    assert (report.added, report.duplicates) == (1, 1)
    (warning,) = [note for note in report.notes if "another participant" in note]
    assert str(folder / "b.dcm") in warning
    assert "Secret" not in warning


def test_blank_films_are_no_duplicates_of_each_other(
    study: Study, coordinator: Actor, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    blank = np.zeros((96, 96), np.uint16).tobytes()
    for number in range(3):
        dicom_film(folder / f"{number}.dcm", seed=number, PatientID=f"P{number}", PixelData=blank)
    report = import_films(study, coordinator, folder)
    assert (report.added, report.duplicates) == (3, 0)
    assert any("nothing to grade" in note for note in report.notes)


def test_equal_pixels_in_another_shape_are_another_film(
    study: Study, coordinator: Actor, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    pixels = leg(seed=1)
    Image.fromarray(pixels).save(folder / "a.png")
    Image.fromarray(pixels.reshape(48, 192)).save(folder / "b.png")
    assert import_films(study, coordinator, folder).added == 2


@pytest.mark.parametrize("images", list(ImagePolicy))
def test_blank_pictures_that_would_be_one_copy_are_one_film(
    make_study: MakeStudy, tmp_path: Path, images: ImagePolicy
) -> None:
    study = make_study(images=images)
    actor = log_in(study, COORDINATOR, PASSWORD)
    folder = tmp_path / "films"
    folder.mkdir()
    for number, level in enumerate((0, 9)):
        Image.fromarray(np.zeros((64, 64), np.uint8)).save(folder / f"{number}.png", compress_level=level)
    report = import_films(study, actor, folder)
    # A copy holds nothing but pixels: of two blank ones there can be but one.
    assert report.added == (2 if images is ImagePolicy.REFERENCE else 1)
    assert report.added + report.duplicates == 2
    assert report.faults == ()
    for film in stored.all_radiographs(study.database, actor):
        assert study.image_path(film.path).is_file()


def test_all_forms_of_one_real_film_are_one_radiograph(
    shared: Path, make_study: MakeStudy, tmp_path: Path
) -> None:
    study = make_study(protocol="hip-oarsi")
    actor = log_in(study, COORDINATOR, PASSWORD)
    folder = tmp_path / "films"
    folder.mkdir()
    for name in ("RG2_J2KR.dcm", "RG2_JLSL.dcm", "RG2_JPLL.dcm", "RG2_RLE.dcm"):
        shutil.copy(shared / "data" / "dicom" / "radiographs" / name, folder)
    report = import_films(study, actor, folder)
    assert (report.added, report.duplicates, report.faults) == (1, 3, ())
