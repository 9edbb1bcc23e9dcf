"""Knees: what was planted can be measured in the pixels."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from reader_app.imaging.geometry import Side
from reader_app.phantom.film import FilmParameters, PhantomFilm
from reader_app.phantom.knees import render_bilateral_knees
from reader_app.phantom.truth import KneeOsteophytes, KneeTruth, Pose

# A strip of film around the joints is enough, and quick.
FILM = replace(FilmParameters(marker=False).reduced(4), rows=250)
SHARP = replace(FILM, exposure=5e7)
STRAIGHT = Pose(tilt_deg=0.0)


@lru_cache(maxsize=32)
def pair(right: KneeTruth, left: KneeTruth, film: FilmParameters = SHARP) -> PhantomFilm:
    return render_bilateral_knees(right, left, film, seed=5)


def measured_gap(film: PhantomFilm, side: Side, compartment: str) -> float:
    """Width of the dark gap between femur and tibia along the film's column, mm: steepest flanks."""
    marks = film.joints[side].landmarks
    (column, top), (_, bottom) = (
        marks[f"joint_space_{compartment}_femur"],
        marks[f"joint_space_{compartment}_tibia"],
    )
    middle = (top + bottom) / 2
    reach = 8.0 / film.spacing_mm
    rows = np.arange(int(middle - reach), int(middle + reach) + 1)
    band = film.pixels[rows, round(column) - 1 : round(column) + 2].astype(float).mean(axis=1)
    slope, at = np.diff(band), rows[:-1] + 0.5
    near = np.abs(at - middle) < (bottom - top) / 2 + 2.0 / film.spacing_mm
    femur = peak(at, np.where(near & (at < middle), -slope, 0.0))
    tibia = peak(at, np.where(near & (at > middle), slope, 0.0))
    return float((tibia - femur) * film.spacing_mm)


def peak(at: NDArray[np.floating], height: NDArray[np.floating]) -> float:
    """Place of the highest sample, refined by a parabola through its neighbours."""
    top = int(np.argmax(height))
    before, here, after = height[top - 1], height[top], height[top + 1]
    return float(at[top] + 0.5 * (before - after) / (before - 2 * here + after))


@pytest.mark.parametrize(("medial", "lateral"), [(5.5, 6.5), (2.2, 6.5), (6.0, 3.0)])
def test_the_planted_joint_space_is_found_in_the_pixels(medial: float, lateral: float) -> None:
    knee = KneeTruth(jsw_medial_mm=medial, jsw_lateral_mm=lateral, pose=STRAIGHT)
    film = pair(knee, knee)
    for side in Side:
        assert measured_gap(film, side, "medial") == pytest.approx(medial, abs=0.4)
        assert measured_gap(film, side, "lateral") == pytest.approx(lateral, abs=0.4)


@pytest.mark.parametrize("form_seed", [0, 7, 1234])
def test_the_recorded_width_is_the_planted_one_whatever_form_and_pose(form_seed: int) -> None:
    pose = Pose(shift_mm=(4, -3), rotation_deg=5, tilt_deg=2.5, lean_deg=2, flexion_deg=20)
    knee = KneeTruth(jsw_medial_mm=1.2, jsw_lateral_mm=6.1, pose=pose, form_seed=form_seed, size=1.05)
    film = pair(knee, replace(knee, pose=STRAIGHT), FILM.reduced(2))
    for record in film.joints.values():
        assert record.lengths_mm["jsw_medial"] == pytest.approx(1.2, abs=0.05)
        assert record.lengths_mm["jsw_lateral"] == pytest.approx(6.1, abs=0.05)


def brighter_area(with_: PhantomFilm, without: PhantomFilm, near: tuple[float, float]) -> float:
    """mm2 around a film place that the osteophyte made clearly brighter."""
    column, row = (round(part) for part in near)
    reach = int(9 / with_.spacing_mm)
    window = (slice(row - reach, row + reach), slice(column - reach, column + reach))
    change = with_.pixels[window].astype(float) - without.pixels[window].astype(float)
    return float((change > 120).sum() * with_.spacing_mm**2)


@pytest.mark.parametrize(
    ("site", "mark"),
    [
        ("femoral_medial", "condyle_medial"),
        ("femoral_lateral", "condyle_lateral"),
        ("tibial_medial", "plateau_medial"),
        ("tibial_lateral", "plateau_lateral"),
    ],
)
def test_an_osteophyte_changes_the_pixels_at_its_own_site_only(site: str, mark: str) -> None:
    plain = KneeTruth(pose=STRAIGHT)
    spurs = KneeOsteophytes(**{site: 6.0})
    without = pair(plain, plain)
    film = pair(replace(plain, osteophytes=spurs), plain)
    marks = without.joints[Side.RIGHT].landmarks
    there = brighter_area(film, without, marks[mark])
    opposite = mark.replace("medial", "x").replace("lateral", "medial").replace("x", "lateral")
    assert there > 8
    assert brighter_area(film, without, marks[opposite]) < 0.25 * there
    assert brighter_area(film, without, without.joints[Side.LEFT].landmarks[mark]) < 0.1 * there


def test_a_larger_osteophyte_covers_more_film() -> None:
    plain = KneeTruth(pose=STRAIGHT)
    without = pair(plain, plain)
    at = without.joints[Side.RIGHT].landmarks["plateau_medial"]
    areas = [
        brighter_area(
            pair(replace(plain, osteophytes=KneeOsteophytes(tibial_medial=size)), plain), without, at
        )
        for size in (2.0, 6.0)
    ]
    assert areas[0] < areas[1]


def test_sclerosis_makes_the_bone_under_the_plateau_whiter_and_a_cyst_makes_a_hole() -> None:
    plain = KneeTruth(pose=STRAIGHT)
    film = pair(replace(plain, sclerosis_medial=1.0), replace(plain, cyst_mm=7.0))
    without = pair(plain, plain)

    def around(which: PhantomFilm, side: Side, place: tuple[float, float]) -> float:
        column, row = (round(part) for part in place)
        half = int(1.5 / which.spacing_mm)
        part: NDArray[np.uint16] = which.pixels[row - half : row + half, column - half : column + half]
        return float(part.mean())

    column, row = without.joints[Side.RIGHT].landmarks["joint_space_medial_tibia"]
    below = (column, row + 4.0 / FILM.spacing_mm)
    assert around(film, Side.RIGHT, below) > around(without, Side.RIGHT, below) + 60
    cyst = film.joints[Side.LEFT].landmarks["cyst"]
    assert around(film, Side.LEFT, cyst) < around(without, Side.LEFT, cyst) - 40


def test_the_right_knee_is_on_the_left_of_the_film_and_the_fibula_is_outside() -> None:
    film = pair(KneeTruth(pose=STRAIGHT), KneeTruth(pose=STRAIGHT))
    right, left = film.joints[Side.RIGHT], film.joints[Side.LEFT]
    assert right.box.right <= left.box.left + 1
    assert right.landmarks["plateau_lateral"][0] < right.landmarks["plateau_medial"][0]
    assert left.landmarks["plateau_lateral"][0] > left.landmarks["plateau_medial"][0]
    for record in film.joints.values():
        for column, row in record.landmarks.values():
            assert record.box.left < column < record.box.right
            assert record.box.top < row < record.box.bottom


def test_bone_is_brighter_than_the_joint_space_and_flesh_brighter_than_air() -> None:
    film = pair(KneeTruth(pose=STRAIGHT), KneeTruth(pose=STRAIGHT))
    marks = film.joints[Side.RIGHT].landmarks
    column, top = marks["joint_space_medial_femur"]
    _, bottom = marks["joint_space_medial_tibia"]
    gap = film.pixels[round((top + bottom) / 2), round(column)]
    femur = film.pixels[round(top - 15 / film.spacing_mm), round(column)]
    tibia = film.pixels[round(bottom + 15 / film.spacing_mm), round(column)]
    air = film.pixels[round(bottom), film.pixels.shape[1] // 2]
    assert min(femur, tibia) > gap + 300
    assert gap > air + 300


def test_seed_decides_all_and_the_anatomy_seed_keeps_the_bone_at_another_visit() -> None:
    small = FILM.reduced(2)
    knee = KneeTruth()
    first = render_bilateral_knees(knee, knee, small, seed=1)
    again = render_bilateral_knees(knee, knee, small, seed=1)
    other = render_bilateral_knees(knee, knee, small, seed=2)
    visit = render_bilateral_knees(knee, knee, small, seed=2, anatomy_seed=1)
    assert (first.pixels == again.pixels).all()

    def difference(film: PhantomFilm) -> float:
        return float(np.abs(film.pixels.astype(float) - first.pixels).mean())

    assert 0 < difference(visit) < 0.6 * difference(other)


def test_a_full_film_has_the_size_that_was_asked_for() -> None:
    film = FilmParameters()
    assert (film.rows, film.columns) == (2500, 3000)
    odd = replace(film.reduced(8), rows=101, columns=377)
    made = render_bilateral_knees(KneeTruth(), KneeTruth(), odd, seed=1)
    assert made.pixels.shape == (101, 377)
    assert made.pixels.dtype == np.uint16
