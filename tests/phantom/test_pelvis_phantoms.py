"""Pelves: joint space, osteophytes, coverage and cam where they were planted."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from reader_app.imaging.geometry import Side
from reader_app.phantom.film import FilmParameters, PhantomFilm
from reader_app.phantom.hip_femur import cam_bump, neck_direction, upper_femur
from reader_app.phantom.pelvis import PELVIS_FILM, render_pelvis
from reader_app.phantom.pelvis_bones import CUP_CLEARANCE_MM
from reader_app.phantom.pelvis_joint import LATERAL_DEG, HipJoint
from reader_app.phantom.solids import Points
from reader_app.phantom.truth import HipOsteophytes, HipTruth

# The strip around the hips is enough, and quick.
FILM = replace(replace(PELVIS_FILM, marker=False, exposure=5e8).reduced(4), rows=300)


@lru_cache(maxsize=16)
def pelvis(right: HipTruth, left: HipTruth, film: FilmParameters = FILM) -> PhantomFilm:
    return render_pelvis(right, left, film, seed=3)


def profile(film: PhantomFilm, side: Side, degrees: float, radii: np.ndarray) -> np.ndarray:
    """Brightness from the head's middle outward, `degrees` lateral of straight up; mean of three rays."""
    from scipy import ndimage

    column, row = film.joints[side].landmarks["head_centre"]
    lateral = -1.0 if side is Side.RIGHT else 1.0
    rays = []
    for turn in (-3.0, 0.0, 3.0):
        a = np.deg2rad(degrees + turn)
        x = column + lateral * radii * np.sin(a) / film.spacing_mm
        y = row - radii * np.cos(a) / film.spacing_mm
        rays.append(ndimage.map_coordinates(film.pixels.astype(float), [y, x], order=1))
    return np.asarray(np.mean(rays, axis=0))


@pytest.mark.parametrize("width", [1.6, 3.0, 4.5])
def test_the_head_keeps_the_planted_distance_from_roof_and_teardrop(width: float) -> None:
    joint = HipJoint(HipTruth(jsw_lateral_mm=width, jsw_medial_mm=3.4), 0.0, 0.0, 1.0)
    cup = joint.truth.head_radius_mm + CUP_CLEARANCE_MM
    hx, hz = joint.head_centre
    cx, cz = joint.socket_centre
    for degrees, planted in ((LATERAL_DEG, width), (-90.0, 3.4)):
        a = np.deg2rad(degrees)
        # From the head's surface along the ray to the cup, found on a fine grid.
        t = np.arange(0, 40, 0.01)
        x, z = hx + t * np.sin(a), hz + t * np.cos(a)
        wall = t[np.argmax(np.hypot(x - cx, z - cz) >= cup)]
        assert wall - joint.truth.head_radius_mm == pytest.approx(planted, abs=0.12)


def test_the_gap_between_head_and_roof_is_dark_in_the_pixels_and_as_wide_as_planted() -> None:
    wide, narrow = HipTruth(jsw_lateral_mm=5.0), HipTruth(jsw_lateral_mm=2.0)
    film = pelvis(wide, narrow)
    radii = np.arange(18.0, 36.0, 0.1)
    widths = {}
    for side, hip in ((Side.RIGHT, wide), (Side.LEFT, narrow)):
        line = profile(film, side, LATERAL_DEG, radii)
        slope = np.gradient(line, radii)
        outer = (radii > hip.head_radius_mm + 0.5) & (radii < hip.head_radius_mm + 8)
        rising = radii[outer][np.argmax(slope[outer])]
        inner = (radii > hip.head_radius_mm - 2.5) & (radii < hip.head_radius_mm + 2.0)
        falling = radii[inner][np.argmin(slope[inner])]
        widths[side] = rising - falling
        assert widths[side] == pytest.approx(hip.jsw_lateral_mm, abs=1.0)
    assert widths[Side.RIGHT] - widths[Side.LEFT] == pytest.approx(3.0, abs=1.0)


@pytest.mark.parametrize(
    ("site", "mark"),
    [
        ("femoral_superior", "head_margin_superior"),
        ("femoral_inferior", "head_margin_inferior"),
        ("acetabular_superior", "roof_edge"),
    ],
)
def test_an_osteophyte_changes_the_pixels_at_its_site(site: str, mark: str) -> None:
    plain = HipTruth()
    without = pelvis(plain, plain)
    film = pelvis(replace(plain, osteophytes=HipOsteophytes(**{site: 6.0})), plain)

    def change(side: Side) -> float:
        column, row = (round(part) for part in without.joints[side].landmarks[mark])
        reach = int(8 / film.spacing_mm)
        window = (slice(row - reach, row + reach), slice(column - reach, column + reach))
        return float(np.abs(film.pixels[window].astype(float) - without.pixels[window]).mean())

    assert change(Side.RIGHT) > 3 * change(Side.LEFT)


@pytest.mark.parametrize(
    ("planted", "mark"),
    [
        (HipTruth(osteophytes=HipOsteophytes(acetabular_inferior=6.0)), "acetabular_margin_inferior"),
        (HipTruth(cyst_acetabular_mm=6.0), "cyst_acetabular"),
        (HipTruth(cyst_femoral_mm=6.0), "cyst_femoral"),
        (HipTruth(alpha_deg=75.0), "cam"),
        (HipTruth(ischial_spine_mm=11.0), "ischial_spine"),
        (HipTruth(sclerosis_acetabular=0.9), "joint_space_lateral_acetabulum"),
    ],
)
def test_what_is_planted_changes_the_pixels_around_its_landmark_most(planted: HipTruth, mark: str) -> None:
    film, without = pelvis(planted, planted), pelvis(HipTruth(), HipTruth())
    changed = np.abs(film.pixels.astype(float) - without.pixels)
    rows, columns = np.mgrid[0 : changed.shape[0], 0 : changed.shape[1]]
    for side in Side:
        column, row = film.joints[side].landmarks[mark]
        of_side = np.where((columns < changed.shape[1] / 2) == (side is Side.RIGHT), changed, 0.0)
        most = of_side > of_side.max() / 2
        away = np.hypot(rows[most] - row, columns[most] - column) * film.spacing_mm
        assert away.mean() < 8.0


def test_a_dysplastic_roof_covers_less_of_the_head() -> None:
    normal, shallow = HipTruth(centre_edge_deg=34), HipTruth(centre_edge_deg=12)
    film = pelvis(normal, shallow)
    radii = np.arange(28.5, 33.0, 0.25)

    def over_the_head(side: Side) -> float:
        return float(profile(film, side, 25.0, radii).max() - profile(film, side, 60.0, radii).mean())

    assert over_the_head(Side.RIGHT) > over_the_head(Side.LEFT) + 150


def outline_leaves_head(hip: HipTruth) -> float:
    """Angle from the neck's axis at which the upper outline leaves the round of the head, degrees."""
    across, down = neck_direction(hip)
    axis = np.rad2deg(np.arctan2(down, across))
    for alpha in np.arange(110.0, 30.0, -0.25):
        a = np.deg2rad(axis + alpha)
        r = np.arange(hip.head_radius_mm - 1, hip.head_radius_mm + 12, 0.05, dtype=np.float32)
        y = np.linspace(-24, 24, 49, dtype=np.float32)
        points = Points(
            (r * np.cos(a))[None].astype(np.float32), y[:, None], (r * np.sin(a))[None].astype(np.float32)
        )
        inside = (upper_femur(points, hip) < 0).any(axis=0)
        if r[inside].max() > hip.head_radius_mm + 0.25:
            return float(alpha)
    return 0.0


def test_a_cam_leaves_the_head_at_its_alpha_angle() -> None:
    assert cam_bump(HipTruth(alpha_deg=45)) is None
    for alpha in (62.0, 70.0, 78.0):
        assert outline_leaves_head(HipTruth(alpha_deg=alpha)) == pytest.approx(alpha, abs=5)
    assert outline_leaves_head(HipTruth(alpha_deg=45)) < 60


def test_the_right_hip_is_on_the_left_of_the_film_and_boxes_hold_their_heads() -> None:
    film = pelvis(HipTruth(), HipTruth())
    right, left = film.joints[Side.RIGHT], film.joints[Side.LEFT]
    assert right.box.right < left.box.left
    for record in film.joints.values():
        column, row = record.landmarks["head_centre"]
        assert record.box.left < column < record.box.right
        assert record.box.top < row < record.box.bottom
        assert film.pixels[round(row), round(column)] > 500
