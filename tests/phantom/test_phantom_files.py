"""Phantom films as DICOM files, and whole cohorts on disk."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pydicom
import pytest

from reader_app.errors import ImageError
from reader_app.phantom.cohort import PhantomStudy, plan_cohort, write_phantom_study
from reader_app.phantom.dicom import Photometric, Subject, write_film
from reader_app.phantom.film import FilmParameters, PhantomFilm
from reader_app.phantom.grading import knee_grades
from reader_app.phantom.knees import render_bilateral_knees
from reader_app.phantom.truth import KneeTruth, View

SUBJECT = Subject("PH0001", "F", 61, 70.5, date(2004, 5, 6), "baseline")


@pytest.fixture(scope="module")
def film() -> PhantomFilm:
    small = replace(FilmParameters().reduced(8), rows=120)
    return render_bilateral_knees(KneeTruth(), KneeTruth(), small, seed=1)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> PhantomStudy:
    return write_phantom_study(
        tmp_path_factory.mktemp("cohort"), participants=2, visits=2, seed=11, reduced=8
    )


def test_the_file_is_a_digital_x_ray_for_presentation_with_its_geometry(
    film: PhantomFilm, tmp_path: Path
) -> None:
    data = pydicom.dcmread(write_film(tmp_path / "film.dcm", film, subject=SUBJECT))
    assert data.SOPClassUID.name == "Digital X-Ray Image Storage - For Presentation"
    assert (data.Modality, data.BodyPartExamined, data.ViewPosition, data.ImageLaterality) == (
        "DX",
        "KNEE",
        "PA",
        "B",
    )
    assert (data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation) == (16, 12, 11, 0)
    assert float(data.PixelSpacing[0]) == pytest.approx(film.spacing_mm)
    ratio = float(data.ImagerPixelSpacing[0]) / float(data.PixelSpacing[0])
    assert ratio == pytest.approx(float(data.EstimatedRadiographicMagnificationFactor), rel=1e-4)
    assert ratio == pytest.approx(data.DistanceSourceToDetector / data.DistanceSourceToPatient, rel=1e-4)
    assert data.PixelSpacingCalibrationType == "GEOMETRY"
    assert (data.pixel_array == film.pixels).all()


def test_everything_about_it_says_phantom(film: PhantomFilm, tmp_path: Path) -> None:
    data = pydicom.dcmread(write_film(tmp_path / "film.dcm", film, subject=SUBJECT))
    for text in (
        data.Manufacturer,
        str(data.PatientName).lower(),
        data.ImageComments,
        data.SeriesDescription,
    ):
        assert "phantom" in text
    assert data.BurnedInAnnotation == "YES"
    assert (data.PatientID, data.PatientSex, data.PatientAge) == ("PH0001", "F", "061Y")


def test_monochrome1_stores_the_inverse_and_says_so(film: PhantomFilm, tmp_path: Path) -> None:
    path = write_film(tmp_path / "one.dcm", film, subject=SUBJECT, photometric=Photometric.MONOCHROME1)
    data = pydicom.dcmread(path)
    assert (data.PhotometricInterpretation, data.PresentationLUTShape) == ("MONOCHROME1", "INVERSE")
    assert (4095 - data.pixel_array == film.pixels).all()


def test_the_same_film_gives_the_same_bytes(film: PhantomFilm, tmp_path: Path) -> None:
    first = write_film(tmp_path / "a.dcm", film, subject=SUBJECT).read_bytes()
    assert first == write_film(tmp_path / "b.dcm", film, subject=SUBJECT).read_bytes()


def test_a_folder_that_is_not_there_is_told(film: PhantomFilm, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot be written"):
        write_film(tmp_path / "nowhere" / "film.dcm", film, subject=SUBJECT)


def test_our_own_reader_reads_it_with_spacing_and_as_a_phantom(film: PhantomFilm, tmp_path: Path) -> None:
    from reader_app.imaging.files import read_radiograph

    for photometric in Photometric:
        path = write_film(tmp_path / f"{photometric}.dcm", film, subject=SUBJECT, photometric=photometric)
        radiograph = read_radiograph(path)
        assert radiograph.header.phantom
        assert radiograph.header.spacing.row_mm == pytest.approx(film.spacing_mm)


def test_the_manifest_lists_each_image_with_its_reference_grades(study: PhantomStudy) -> None:
    with study.manifest.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["image"] for row in rows] == [path.name for path in study.images]
    assert {row["visit"] for row in rows} == {"baseline", "24 months"}
    assert len({row["participant"] for row in rows}) == 2
    truth = json.loads(study.truth.read_text(encoding="utf-8"))["films"]
    for row, film in zip(rows, truth, strict=True):
        for side in ("R", "L"):
            for item, grade in film["joints"][side]["grades"].items():
                assert row[f"ref_{item}_{side}"] == str(grade)


def test_the_same_person_keeps_sex_and_bones_and_grows_older(study: PhantomStudy) -> None:
    first, later = (pydicom.dcmread(path, stop_before_pixels=True) for path in study.images[:2])
    assert first.PatientID == later.PatientID
    assert first.PatientSex == later.PatientSex
    assert int(later.PatientAge[:3]) - int(first.PatientAge[:3]) == 2
    assert int(later.StudyDate) > int(first.StudyDate)
    assert first.SOPInstanceUID != later.SOPInstanceUID


def test_a_small_cohort_has_all_overall_grades() -> None:
    plans = list(plan_cohort(participants=5, visits=1, seed=2))
    assert {knee_grades(plan.right)["KL"] for plan in plans if isinstance(plan.right, KneeTruth)} == set(
        range(5)
    )


def test_a_cohort_comes_back_from_its_seed_and_grows_without_changing() -> None:
    small = list(plan_cohort(participants=2, visits=3, seed=8))
    assert small == list(plan_cohort(participants=4, visits=3, seed=8))[: len(small)]
    assert small != list(plan_cohort(participants=2, visits=3, seed=9))


def test_a_cohort_of_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        list(plan_cohort(participants=0, visits=1, seed=1))


def test_pelves_make_a_cohort_too(tmp_path: Path) -> None:
    study = write_phantom_study(tmp_path, participants=1, visits=1, seed=3, view=View.PELVIS_AP, reduced=8)
    data = pydicom.dcmread(study.images[0])
    assert (data.BodyPartExamined, data.ViewPosition) == ("PELVIS", "AP")
    assert np.ptp(data.pixel_array) > 2000
