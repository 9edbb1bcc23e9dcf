"""Copies in the study hold what grading needs and nothing that identifies; a lost one is made again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pydicom import dcmread

from reader_app.errors import StudyError
from reader_app.imaging.files import file_sha256, read_header, read_radiograph
from reader_app.interop.deidentify import DatePolicy
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import Study
from reader_app.operations.study_config import ImagePolicy
from reader_app.operations.verify import verify
from reader_app.store import films as stored
from reader_app.store.records import Actor
from tests.operations.conftest import COORDINATOR, PASSWORD, MakeStudy, dicom_film, everything_in


@pytest.fixture
def copying(make_study: MakeStudy) -> Study:
    return make_study("copying", images=ImagePolicy.COPY)


@pytest.fixture
def actor(copying: Study) -> Actor:
    return log_in(copying, COORDINATOR, PASSWORD)


@pytest.fixture
def folder(tmp_path: Path, films: Path) -> Path:
    """Three PNG files and a DICOM film."""
    dicom_film(films / "d.dcm", seed=7, PixelSpacing=[0.2, 0.2], PatientSex="F")
    return films


def test_copies_hold_no_identifier_and_the_same_pixels(copying: Study, actor: Actor, folder: Path) -> None:
    report = import_films(copying, actor, folder)
    assert (report.added, report.faults) == (4, ())
    content = everything_in(copying.folder)
    for words in (b"Secret-1", b"Doe", b"20190504", b"2019-05-04"):
        assert words not in content
    for film in stored.all_radiographs(copying.database, actor):
        copy = copying.image_path(film.path)
        assert copy.is_relative_to(copying.folder / "images")
        assert file_sha256(copy) == film.file_sha256
        assert read_radiograph(copy).pixel_sha256 == film.pixel_sha256
    (dicom,) = copying.folder.rglob("*.dcm")
    header = read_header(dicom)
    (record,) = [
        film for film in stored.all_radiographs(copying.database, actor) if film.path.endswith("dcm")
    ]
    assert header.participant_id == record.participant
    assert (header.laterality.value, header.view_position, header.sex) == ("R", "PA", "F")
    assert header.spacing.column_mm == record.spacing_column_mm == 0.2
    assert header.acquired == record.visit
    assert read_radiograph(folder / "d.dcm").pixel_sha256 == record.pixel_sha256
    assert dcmread(dicom).PatientIdentityRemoved == "YES"
    assert verify(copying, actor).ok


def test_a_copied_film_is_known_by_its_source(copying: Study, actor: Actor, folder: Path) -> None:
    import_films(copying, actor, folder)
    before = sorted(path.name for path in copying.folder.rglob("images/*/*"))
    elsewhere = folder.rename(folder.with_name("elsewhere"))
    again = import_films(copying, actor, elsewhere)
    assert (again.added, again.known, again.duplicates) == (0, 4, 0)
    assert sorted(path.name for path in copying.folder.rglob("images/*/*")) == before


def test_a_copy_in_vain_is_not_left_behind(copying: Study, actor: Actor, tmp_path: Path) -> None:
    folder = tmp_path / "twins"
    dicom_film(folder / "a.dcm", seed=1)
    dicom_film(folder / "b.dcm", seed=1)
    (folder / "cut.dcm").write_bytes((folder / "a.dcm").read_bytes()[:900])
    report = import_films(copying, actor, folder)
    assert (report.added, report.duplicates, len(report.faults)) == (1, 1, 1)
    assert len([path for path in copying.folder.rglob("images/*/*") if path.is_file()]) == 1


def test_a_lost_copy_is_made_again_from_its_source(copying: Study, actor: Actor, folder: Path) -> None:
    import_films(copying, actor, folder)
    shutil.rmtree(copying.folder / "images")
    assert not verify(copying, actor).ok
    again = import_films(copying, actor, folder)
    assert (again.added, again.known) == (0, 4)
    assert any("made again" in note for note in again.notes)
    assert verify(copying, actor).ok


def test_dates_are_dropped_from_copies_where_the_study_drops_them(
    make_study: MakeStudy, folder: Path
) -> None:
    study = make_study("dropping", images=ImagePolicy.COPY, dates=DatePolicy.DROPPED)
    coordinator = log_in(study, COORDINATOR, PASSWORD)
    import_films(study, coordinator, folder)
    (dicom,) = study.folder.rglob("*.dcm")
    assert read_header(dicom).acquired == ""


def test_a_study_folder_that_takes_no_copy_stops_the_import_and_refuses_no_file(
    copying: Study, actor: Actor, folder: Path
) -> None:
    (copying.folder / "images").write_text("in the way")

    with pytest.raises(StudyError, match="can be copied into the study folder"):
        import_films(copying, actor, folder)
    (copying.folder / "images").unlink()
    report = import_films(copying, actor, folder)
    assert (report.added, report.faults) == (4, ())
