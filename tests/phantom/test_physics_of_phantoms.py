"""Exposure: what attenuation, exposure and scatter must do to pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reader_app.phantom.film import FilmParameters
from reader_app.phantom.materials import Paths, Tissue, attenuation_per_mm, spectrum
from reader_app.phantom.physics import collimation, detector_signal, expose

SMALL = FilmParameters(rows=160, columns=200, spacing_mm=0.5, marker=False)


def slab(muscle: float = 0.0, fat: float = 0.0, bone: float = 0.0, film: FilmParameters = SMALL) -> Paths:
    shape = (film.rows, film.columns)
    return Paths(*(np.full(shape, value, np.float32) for value in (muscle, fat, bone)))


def density(paths: Paths, film: FilmParameters = SMALL) -> float:
    energy, _ = detector_signal(paths, film)
    return float(-np.log(energy[0, 0]))


def test_air_passes_all_and_bone_stops_more_than_muscle_and_muscle_more_than_fat() -> None:
    assert density(slab()) == pytest.approx(0, abs=1e-6)
    assert density(slab(bone=50)) > density(slab(muscle=50)) > density(slab(fat=50)) > 0


def test_thick_bone_hardens_the_beam() -> None:
    thin = density(slab(bone=5)) / 5
    thick = density(slab(bone=50)) / 50
    low, _, high = attenuation_per_mm(Tissue.BONE)
    assert high < thick < thin < low


def test_a_higher_voltage_is_harder() -> None:
    soft, hard = spectrum(55), spectrum(90)
    assert sum(soft) == pytest.approx(1)
    assert soft[0] > hard[0]
    assert hard[2] > soft[2]
    assert density(slab(bone=20), replace(SMALL, kv=90)) < density(slab(bone=20), replace(SMALL, kv=55))


def noise_of(exposure: float) -> float:
    """Scatter of neighbouring pixels against the contrast of a bone step in the same film."""
    film = replace(SMALL, exposure=exposure, spacing_mm=0.3, blur_mm=0.0)
    paths = slab(muscle=100, film=film)
    bone = paths.bone.copy()
    bone[:, :100] = 12.0
    pixels = expose(Paths(paths.muscle, paths.fat, bone), film, np.random.default_rng(1)).astype(float)
    patch = pixels[60:100, 120:170]
    step = pixels[60:100, 40:80].mean() - patch.mean()
    return float(np.diff(patch, axis=1).std() / step)


def test_noise_falls_with_the_root_of_the_exposure() -> None:
    assert noise_of(2e4) / noise_of(32e4) == pytest.approx(4, rel=0.25)


def test_scatter_takes_contrast_away() -> None:
    def contrast(scatter: float) -> float:
        film = replace(SMALL, scatter=scatter)
        thin, thick = slab(muscle=100), slab(muscle=100)
        bone = thin.bone.copy()
        bone[70:90, 90:110] = 20
        energy, _ = detector_signal(Paths(thick.muscle, thick.fat, bone), film)
        from reader_app.phantom.physics import broad_mean

        energy = energy + np.float32(scatter) * broad_mean(energy, film, 28.0)
        return float(energy[10, 10] / energy[80, 100])

    assert 1 < contrast(1.0) < contrast(0.1)


def test_blades_stop_the_beam_at_the_border_and_the_shutter_blackens_it() -> None:
    field = collimation(SMALL)
    assert field[0].max() < 0.01
    assert field[80, 100] == 1
    paths = slab(muscle=80)
    shut = expose(paths, SMALL, np.random.default_rng(1))
    plain = expose(paths, replace(SMALL, shutter=False), np.random.default_rng(1))
    assert shut[:5].max() == 0
    assert plain[:5].mean() > plain[80, 100]


def test_the_same_seed_gives_the_same_pixels_in_twelve_bits() -> None:
    paths = slab(muscle=60, bone=6)
    first = expose(paths, SMALL, np.random.default_rng(4))
    again = expose(paths, SMALL, np.random.default_rng(4))
    other = expose(paths, SMALL, np.random.default_rng(5))
    assert first.dtype == np.uint16
    assert first.max() <= 4095
    assert (first == again).all()
    assert (first != other).any()
