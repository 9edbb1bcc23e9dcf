"""Grades follow from what was planted, by the cuts in the table."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from reader_app.phantom.grading import grading, hip_grades, knee_grades
from reader_app.phantom.sampling import (
    progressed_hip,
    progressed_knee,
    sample_hip,
    sample_knee,
    sample_person,
)
from reader_app.phantom.truth import HipOsteophytes, HipTruth, KneeOsteophytes, KneeTruth


@pytest.mark.parametrize(("size", "grade"), [(0, 0), (0.99, 0), (1.0, 1), (2.5, 2), (4.9, 2), (5.0, 3)])
def test_osteophyte_millimetres_become_grades_at_their_site(size: float, grade: int) -> None:
    grades = knee_grades(KneeTruth(osteophytes=KneeOsteophytes(tibial_lateral=size)))
    assert grades["TO_lateral"] == grade
    assert grades["TO_medial"] == grades["FO_lateral"] == grades["FO_medial"] == 0


@pytest.mark.parametrize(("width", "grade"), [(5.0, 0), (3.59, 1), (2.39, 2), (0.99, 3), (0.0, 3)])
def test_a_narrow_space_becomes_a_grade_in_its_compartment(width: float, grade: int) -> None:
    grades = knee_grades(KneeTruth(jsw_medial_mm=width))
    assert grades["JSN_medial"] == grade
    assert grades["JSN_lateral"] == 0


@pytest.mark.parametrize(
    ("knee", "grade"),
    [
        (KneeTruth(), 0),
        (KneeTruth(osteophytes=KneeOsteophytes(femoral_medial=0.7)), 1),
        (KneeTruth(jsw_medial_mm=3.0), 1),
        (KneeTruth(osteophytes=KneeOsteophytes(femoral_medial=1.5)), 2),
        (
            KneeTruth(jsw_medial_mm=3.0, osteophytes=KneeOsteophytes(femoral_medial=3), sclerosis_medial=0.5),
            3,
        ),
        (KneeTruth(jsw_medial_mm=2.0, osteophytes=KneeOsteophytes(femoral_medial=1.5)), 3),
        (KneeTruth(jsw_medial_mm=0.5, osteophytes=KneeOsteophytes(femoral_medial=6)), 4),
    ],
)
def test_the_overall_grade_follows_its_rule(knee: KneeTruth, grade: int) -> None:
    assert knee_grades(knee)["KL"] == grade


def test_hip_measures_become_grades_and_presences() -> None:
    hip = HipTruth(
        jsw_lateral_mm=1.5,
        osteophytes=HipOsteophytes(acetabular_superior=3.0),
        sclerosis_acetabular=0.6,
        cyst_femoral_mm=4.0,
        centre_edge_deg=15.0,
        alpha_deg=70.0,
    )
    grades = hip_grades(hip)
    assert {
        "JSN_lateral": 2,
        "JSN_medial": 0,
        "AO_superior": 2,
        "SCL_acetabular": 1,
    }.items() <= grades.items()
    assert {
        "CYST_subchondral": 1,
        "CYST_acetabular": 0,
        "DYSPL": 1,
        "CAM": 1,
        "KL": 3,
    }.items() <= grades.items()


@pytest.mark.parametrize("joint", ["knee", "hip"])
def test_every_grade_names_a_measure_that_exists(joint: str) -> None:
    truth = KneeTruth() if joint == "knee" else HipTruth()
    assert all(isinstance(cut.measure(truth), float) for cut in grading(joint).cuts)


@pytest.mark.parametrize("grade", range(5))
def test_a_joint_drawn_for_a_grade_has_it(grade: int) -> None:
    rng = np.random.default_rng(grade)
    for _ in range(20):
        assert knee_grades(sample_knee(rng, kl=grade))["KL"] == grade
        assert hip_grades(sample_hip(rng, kl=grade))["KL"] == grade


def test_an_overall_grade_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="0 to 4"):
        sample_knee(np.random.default_rng(1), kl=5)
    with pytest.raises(ValueError, match="0 to 4"):
        sample_hip(np.random.default_rng(1), kl=-1)


def test_time_makes_no_joint_better() -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        knee, hip = sample_knee(rng), sample_hip(rng)
        later_knee, later_hip = progressed_knee(knee, rng, years=2), progressed_hip(hip, rng, years=2)
        for before, after in (
            (knee_grades(knee), knee_grades(later_knee)),
            (hip_grades(hip), hip_grades(later_hip)),
        ):
            assert all(after[item] >= grade for item, grade in before.items())
        assert later_knee.form_seed == knee.form_seed
        assert later_hip.form_seed == hip.form_seed


def test_people_are_plausible_and_come_back_from_their_seed() -> None:
    people = [sample_person(np.random.default_rng([5, n]), number=n) for n in range(200)]
    assert all(45 <= person.age < 80 and 40 < person.weight_kg < 170 for person in people)
    assert 0.4 < np.mean([person.sex == "F" for person in people]) < 0.75
    assert people[7] == sample_person(np.random.default_rng([5, 7]), number=7)


def test_truth_cannot_be_changed_afterwards() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        KneeTruth().jsw_medial_mm = 1.0  # type: ignore[misc]


def test_grades_name_the_landmarks_where_they_show() -> None:
    knee = KneeTruth(jsw_medial_mm=2.0, osteophytes=KneeOsteophytes(tibial_lateral=3.0))
    narrow = ("joint_space_medial_femur", "joint_space_medial_tibia")
    assert grading("knee").shows_at(knee) == {
        "KL": ("plateau_lateral", *narrow),
        "TO_lateral": ("plateau_lateral",),
        "JSN_medial": narrow,
    }
    assert grading("knee").shows_at(KneeTruth()) == {}
    doubtful = KneeTruth(osteophytes=KneeOsteophytes(femoral_medial=0.7, tibial_medial=0.2))
    assert grading("knee").shows_at(doubtful) == {"KL": ("condyle_medial",)}
    hip = HipTruth(cyst_femoral_mm=4.0, alpha_deg=70.0)
    assert grading("hip").shows_at(hip) == {"CYST_subchondral": ("cyst_femoral",), "CAM": ("cam",)}
