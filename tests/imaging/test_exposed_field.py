"""Automatic windows of films with shutters, unexposed borders and air; physically made, with known places."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_app.imaging.display import AUTOMATIC, automatic_window, named_voi, to_display, voi_choices
from reader_app.imaging.field import exposed_field
from reader_app.imaging.files import read_radiograph
from reader_app.imaging.geometry import Box
from reader_app.imaging.radiograph import Radiograph, RadiographHeader
from reader_app.imaging.voi import LookupTable, Window, named_apart
from reader_app.phantom.cohort import expose_film, plan_cohort
from reader_app.phantom.truth import View

Pixels = npt.NDArray[np.uint16]
TOP = 4095
KNEES, PELVIS = View.KNEES_PA, View.PELVIS_AP


def film_of(pixels: npt.NDArray[Any], **more: Any) -> Radiograph:
    header = RadiographHeader(
        path=Path("film"), format="DICOM", rows=pixels.shape[0], columns=pixels.shape[1], bits_stored=12
    )
    return Radiograph(header=header, pixels=np.ascontiguousarray(pixels), **more)


@cache
def phantom(view: View) -> Pixels:
    """A film exposed to its edges, 833 x 1000, 12 bit."""
    plan = next(iter(plan_cohort(participants=1, visits=1, seed=5, view=view, reduced=3)))
    bare = replace(plan.parameters, shutter=False, collimation_mm=0.0)
    return expose_film(replace(plan, parameters=bare)).pixels


def inside_of(shape: tuple[int, int], degrees: float, part: float = 0.76) -> npt.NDArray[np.bool_]:
    """A collimated field in the middle of a film, turned."""
    row, column = np.mgrid[: shape[0], : shape[1]]
    row, column = row - shape[0] / 2, column - shape[1] / 2
    angle = np.deg2rad(degrees)
    down = row * np.cos(angle) + column * np.sin(angle)
    across = column * np.cos(angle) - row * np.sin(angle)
    return np.asarray((np.abs(down) < part * shape[0] / 2) & (np.abs(across) < part * shape[1] / 2))


def collimated(pixels: Pixels, *, degrees: float, level: float, noise: float, slant: float = 0.0) -> Pixels:
    """The film with a border of that gray, noise and slant around a turned field."""
    rows = np.linspace(-0.5, 0.5, pixels.shape[0])[:, None]
    border = level + slant * rows + np.random.default_rng(9).normal(0, noise, pixels.shape)
    shown = np.where(inside_of(pixels.shape, degrees), pixels, border)
    return np.asarray(np.clip(np.rint(shown), 0, TOP), dtype=np.uint16)


def bone(view: View) -> npt.NDArray[np.bool_]:
    """The brighter quarter of what the field of a film shows."""
    pixels = phantom(view)
    field = inside_of(pixels.shape, 0, 0.6)
    return np.asarray(field & (pixels > np.percentile(pixels[field], 75)))


BORDERS = {
    "drawn black": {"level": 0.0, "noise": 0.0},
    "drawn white": {"level": TOP, "noise": 0.0},
    "dark, with noise": {"level": 60.0, "noise": 12.0},
    "unexposed, with noise and slant": {"level": 4050.0, "noise": 14.0, "slant": 40.0},
    "gray": {"level": 1600.0, "noise": 6.0},
}


@pytest.mark.parametrize("view", [KNEES, PELVIS], ids=["knees", "pelvis"])
@pytest.mark.parametrize("degrees", [0.0, 3.0])
@pytest.mark.parametrize("border", BORDERS)
def test_borders_do_not_widen_the_window_much(view: View, degrees: float, border: str) -> None:
    pixels = phantom(view)
    seen = pixels[inside_of(pixels.shape, degrees)]
    film = film_of(collimated(pixels, degrees=degrees, **BORDERS[border]))
    window = automatic_window(film)
    low, high = window.center - window.width / 2, window.center + window.width / 2
    least, most = np.percentile(seen, [0.5, 99.5])
    # A bright border near to bone may be bone, and is left in: that is the one thing it may cost.
    assert window.width <= 1.25 * 1.12 * (most - least)
    assert high >= np.percentile(seen, 99.9) - 0.03 * TOP
    shown = to_display(film, window=window)
    dense = bone(view)
    assert np.mean(shown[dense] == 255) < 0.005  # nothing of the trabeculae is cut off
    assert np.median(shown[dense]) > 120
    assert low < np.percentile(pixels[dense], 1)


@pytest.mark.parametrize("view", [KNEES, PELVIS], ids=["knees", "pelvis"])
def test_a_film_and_its_negative_are_shown_alike(view: View) -> None:
    pixels = collimated(phantom(view), degrees=2, level=4050, noise=10)
    plain = film_of(pixels)
    negative = film_of(np.asarray(TOP - pixels, dtype=np.uint16), inverse_polarity=True)
    shown = [to_display(film, window=automatic_window(film)).astype(int) for film in (plain, negative)]
    assert np.abs(shown[0] - shown[1]).max() <= 1


def test_air_beside_the_legs_does_not_darken_them() -> None:
    pixels = phantom(KNEES)
    window = automatic_window(film_of(pixels))
    air = np.percentile(pixels, 10)
    assert window.center - window.width / 2 > air  # black
    skin = pixels[inside_of(pixels.shape, 0)]
    assert window.center - window.width / 2 < np.percentile(skin, 45)  # but soft tissue is not


def test_a_stated_field_comes_first() -> None:
    pixels = np.full((300, 300), 50, dtype=np.uint16)
    pixels[:, 150:] = 4000
    rng = np.random.default_rng(4)
    pixels[100:200, 20:140] = rng.integers(1000, 1400, (100, 120))
    window = automatic_window(film_of(pixels, collimated=Box(20, 100, 120, 100)))
    assert 950 < window.center - window.width / 2 < 1050
    assert 1350 < window.center + window.width / 2 < 1450


def test_nothing_is_peeled_off_a_film_of_tissue() -> None:
    rng = np.random.default_rng(8)
    rows, columns = np.mgrid[:120, :120]
    values = (rows * 9 + columns * 5 + rng.normal(0, 20, (120, 120))).astype(np.float32)
    assert exposed_field(values, np.ones(values.shape, np.bool_)).mean() > 0.95


# Thinner borders are left: they are no larger than what percentiles leave out.
width = st.one_of(st.just(0), st.integers(4, 40))


@given(width, width, width, width, st.booleans(), st.integers(0, 9))
def test_whatever_the_border_the_middle_stays(
    top: int, bottom: int, left: int, right: int, bright: bool, seed: int
) -> None:
    values = np.random.default_rng(seed).normal(1000, 150, (160, 160)).clip(300, 1700).astype(np.float32)
    outside = np.ones(values.shape, dtype=np.bool_)
    outside[top : 160 - bottom, left : 160 - right] = False
    values[outside] = 4000 if bright else 0
    found = exposed_field(values, np.ones(values.shape, dtype=np.bool_))
    assert found[50:110, 50:110].all()
    if outside.any():
        assert not found[outside].any()


def test_what_is_no_picture_at_all_still_has_a_window() -> None:
    for pixels in (
        np.full((50, 40), 7, np.uint16),
        np.zeros((1, 1), np.uint16),
        np.pad(np.full((2, 2), 900, np.uint16), 60),
    ):
        window = automatic_window(film_of(pixels))
        assert window.width > 0
        assert named_voi(film_of(pixels), AUTOMATIC) == window
    padded = film_of(np.full((50, 40), 7, np.uint16), padding=(0, 10))
    assert automatic_window(padded).width > 0


@given(st.lists(st.sampled_from(["", " ", "BONE", "automatic", "window 1", "BONE (2)"]), max_size=8))
def test_every_choice_has_a_name_of_its_own_and_is_found_by_it(names: list[str]) -> None:
    tables = (LookupTable(0, np.arange(4, dtype=np.uint16), 12, "BONE"),)
    windows = tuple(Window(100.0 + place, 50.0, name=name) for place, name in enumerate(names))
    film = film_of(np.arange(64, dtype=np.uint16).reshape(8, 8), windows=windows, voi_luts=tables)
    choices = voi_choices(film)
    offered = [choice.name for choice in choices]
    assert len(choices) == len(names) + 2
    assert len(set(offered)) == len(offered)
    assert all(name.strip() for name in offered)
    assert offered[-1] == AUTOMATIC
    for choice in choices:
        found = named_voi(film, choice.name)
        assert found is not None
        assert found.name == choice.name
        if isinstance(choice, Window):
            assert found == choice
    assert [choice.name for choice in named_apart(choices[:-1])] == offered[:-1]
    assert all(again is choice for again, choice in zip(named_apart(choices[:-1]), choices, strict=False))


@pytest.mark.shared
def test_bone_of_real_films_is_seen_whole(shared: Path) -> None:
    folder = shared / "data" / "dicom" / "radiographs"
    # Places read off the films: femoral head and neck; tibial shaft.
    for name, rows, columns in (
        ("RG2_J2KR", slice(740, 1000), slice(880, 1150)),
        ("RG3_J2KI_monochrome1", slice(700, 1000), slice(780, 960)),
    ):
        film = read_radiograph(folder / f"{name}.dcm")
        window = automatic_window(film)
        shown = to_display(film, window=window)[rows, columns]
        assert np.mean((shown == 0) | (shown == 255)) < 0.001, name
        assert 100 < np.median(shown) < 250, name
        assert np.percentile(shown, 99) - np.percentile(shown, 1) > 60, name


@pytest.mark.shared
def test_automatic_windows_of_real_knees_cut_nothing_off(shared: Path) -> None:
    knees = sorted((shared / "data" / "knee-kl" / "test").rglob("*.webp"))[::20]
    assert len(knees) > 30
    for path in knees:
        film = read_radiograph(path)
        window = automatic_window(film)
        bright = np.mean(film.pixels > window.center + window.width / 2)
        assert bright < 0.003, path.name
