"""Line integrals against solids whose chords are known."""

from __future__ import annotations

import numpy as np
import pytest

from reader_app.phantom.projection import Beam, Raster, Region, catmull_rom, project
from reader_app.phantom.solids import Field, Points, cut, ellipsoid, union

FAR = Beam(source_to_object_mm=1e7, from_front=True)
REGION = Region(-30, 30, -30, 30, -30, 30)


def raster(step: float = 0.4, half: float = 26.0) -> Raster:
    x = np.arange(-half, half + step / 2, step, dtype=np.float32)
    return Raster(x, x[::-1].copy())


def even(value: float) -> object:
    return lambda x, z: np.asarray(np.float32(value) + 0 * (x + z), dtype=np.float32)


def ball(p: Points) -> Field:
    return ellipsoid(p, (0, 0, 0), (20, 20, 20))


def test_the_chord_of_a_ball_is_exact_to_a_twentieth_of_a_millimetre() -> None:
    film = raster()
    shadow = project(ball, REGION, film, beam=FAR, thickness=even(2.0), step=1.0, depth_step=1.0)  # type: ignore[arg-type]
    away = np.hypot(film.x[None, :], film.z[:, None])
    outer = 2 * np.sqrt(np.clip(20**2 - away**2, 0, None))
    inner = 2 * np.sqrt(np.clip(18**2 - away**2, 0, None))
    inside = away < 17
    assert np.abs(shadow.core - inner)[inside].max() < 0.12
    assert np.abs(shadow.shell + shadow.core - outer)[inside].max() < 0.05
    assert shadow.shell[away > 20.6].max() == 0


def test_a_thin_shell_between_two_samples_is_not_lost() -> None:
    film = raster()
    shadow = project(ball, REGION, film, beam=FAR, thickness=even(0.3), step=2.0, depth_step=3.0)  # type: ignore[arg-type]
    middle = film.x.size // 2
    assert shadow.shell[middle, middle] == pytest.approx(0.6, abs=0.12)


def test_an_ellipsoid_far_from_a_distance_field_still_has_an_even_shell() -> None:
    """The implicit function of a long ellipsoid rises at unlike rates; its gradient puts that right."""

    def cigar(p: Points) -> Field:
        return ellipsoid(p, (0, 0, 0), (6, 6, 24))

    film = raster()
    shadow = project(cigar, REGION, film, beam=FAR, thickness=even(1.0), step=1.0, depth_step=0.5)  # type: ignore[arg-type]
    middle = film.x.size // 2
    assert shadow.shell[middle, middle] == pytest.approx(2.0, abs=0.15)


def test_what_is_nearer_to_the_source_is_magnified() -> None:
    beam = Beam(source_to_object_mm=1000.0, from_front=True)

    def near(p: Points) -> Field:
        return ellipsoid(p, (0, 100, 0), (10, 10, 10))

    region = Region(-30, 30, -30, 30, 80, 120)
    shadow = project(near, region, raster(0.1), beam=beam, thickness=even(1.0), step=1.0, depth_step=1.0)  # type: ignore[arg-type]
    row = (shadow.core + shadow.shell)[raster(0.1).z.size // 2]
    assert (row > 0.2).sum() * 0.1 / 20.0 == pytest.approx(1000 / 900, rel=0.01)


def test_outside_the_raster_nothing_is_projected() -> None:
    far_away = Region(200, 260, -30, 30, -30, 30)
    shadow = project(ball, far_away, raster(), beam=FAR, thickness=even(1.0), step=1.0, depth_step=1.0)  # type: ignore[arg-type]
    assert not shadow.core.any()
    assert shadow.core.shape == raster().shape


def test_parts_side_by_side_share_no_row() -> None:
    film = raster()
    upper, _ = film.part((-30, 30, 5, 30))
    lower, _ = film.part((-30, 30, -30, 5))
    assert upper.stop == lower.start


def test_interpolation_weights_keep_a_straight_line_straight() -> None:
    grid = np.arange(10, dtype=np.float32)
    at = np.linspace(1.2, 7.7, 13).astype(np.float32)
    weights = catmull_rom(grid, at)
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(weights @ (3 * grid + 1), 3 * at + 1, atol=1e-4)


def test_a_blended_union_contains_both_solids_and_a_cut_leaves_none_of_the_tool() -> None:
    x = np.linspace(-5, 5, 101, dtype=np.float32)
    first, second = np.abs(x + 2) - 2, np.abs(x - 2) - 2
    joined = union(first, second, blend=1.0)
    assert (joined <= np.minimum(first, second) + 1e-6).all()
    assert (cut(first, second, 0.5)[second < 0] > 0).all()
