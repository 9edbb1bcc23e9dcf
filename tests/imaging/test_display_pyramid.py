from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reader_app.imaging.display import to_display
from reader_app.imaging.geometry import Box
from reader_app.imaging.pyramid import Pyramid, display_tile
from reader_app.imaging.radiograph import Radiograph, RadiographHeader
from reader_app.imaging.voi import VoiFunction, Window


def film_of(pixels: np.ndarray, **more: object) -> Radiograph:
    header = RadiographHeader(
        path=Path("film"), format="DICOM", rows=pixels.shape[0], columns=pixels.shape[1], bits_stored=16
    )
    return Radiograph(header=header, pixels=pixels, **more)  # type: ignore[arg-type]


def noise(rows: int, columns: int, dtype: type = np.uint16) -> np.ndarray:
    info = np.iinfo(dtype)
    return np.random.default_rng(5).integers(info.min, info.max, (rows, columns), dtype=dtype, endpoint=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("inverse_polarity", [False, True])
def test_at_full_size_a_screen_shows_the_film(dtype: type, inverted: bool, inverse_polarity: bool) -> None:
    film = film_of(noise(60, 80, dtype), inverse_polarity=inverse_polarity, slope=0.5, intercept=7.0)
    whole = display_tile(film, Box(0, 0, 80, 60), (60, 80), inverted=inverted)
    assert np.array_equal(whole, to_display(film, inverted=inverted))


def test_zoomed_in_each_pixel_is_exact() -> None:
    film = film_of(noise(60, 80))
    shown = display_tile(film, Box(10, 20, 8, 6), (60, 80))
    part = to_display(film)[20:26, 10:18]
    assert np.array_equal(shown, np.kron(part, np.ones((10, 10), dtype=np.uint8)))


def test_half_size_is_the_mean_of_four_before_the_window() -> None:
    film = film_of(noise(1200, 1000))
    window = Window(30000, 20000, VoiFunction.LINEAR_EXACT)
    shown = display_tile(film, Box(0, 0, 1000, 1200), (600, 500), window=window)
    means = np.rint(film.pixels.reshape(600, 2, 500, 2).mean(axis=(1, 3))).astype(np.uint16)
    wanted = to_display(film_of(means), window=window)
    assert np.abs(shown.astype(int) - wanted).max() <= 1  # a half may be rounded either way


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.uint8])
def test_a_small_picture_of_noise_keeps_its_mean(dtype: type) -> None:
    film = film_of(noise(1500, 1301, dtype))
    info = np.iinfo(dtype)
    window = Window((info.min + info.max) / 2, info.max - info.min, VoiFunction.LINEAR_EXACT)
    shown = display_tile(film, Box(0, 0, 1301, 1500), (170, 149), window=window)
    assert shown.mean() == pytest.approx(127.5, abs=2)
    assert shown.std() < 25  # averaged, not picked: picked noise has 74


def test_beyond_the_film_it_is_black_whatever_the_polarity() -> None:
    film = film_of(np.full((10, 10), 60000, dtype=np.uint16), inverse_polarity=True)
    for inverted in (False, True):
        shown = display_tile(film, Box(-5, -5, 20, 20), (20, 20), inverted=inverted)
        inside = np.zeros((20, 20), dtype=bool)
        inside[5:15, 5:15] = True
        assert np.all(shown[~inside] == 0)
        assert np.all(shown[inside] == (128 if inverted else 127))  # one gray: the middle of its window
    assert not display_tile(film, Box(100, 100, 5, 5), (5, 5)).any()


corners = st.floats(-50, 150)
extents = st.floats(0.5, 400)


@given(st.builds(Box, corners, corners, extents, extents), st.tuples(st.integers(1, 60), st.integers(1, 60)))
@settings(max_examples=80, deadline=None)
def test_any_view_fills_the_screen(view: Box, out: tuple[int, int]) -> None:
    pyramid = Pyramid(film_of(noise(90, 130)))
    shown = display_tile(pyramid, view, out)
    assert shown.shape == out
    assert shown.dtype == np.uint8


def test_a_gradient_lies_where_the_film_has_it() -> None:
    columns = np.tile(np.arange(2000, dtype=np.uint16) * 30, (600, 1))
    film = film_of(columns)
    window = Window(30000, 60000, VoiFunction.LINEAR_EXACT)
    for view, out in [
        (Box(0, 0, 2000, 600), (150, 500)),
        (Box(0, 0, 2000, 600), (180, 600)),
        (Box(333.3, 50, 777.7, 200), (100, 640)),
        (Box(100, 50, 50, 20), (100, 250)),
    ]:
        shown = display_tile(film, view, out, window=window)[out[0] // 2].astype(float)
        centres = view.x + (np.arange(out[1]) + 0.5) * view.width / out[1] - 0.5
        assert np.abs(shown - centres * 30 / 60000 * 255).max() < 1.0


def test_a_window_drag_keeps_the_tile_and_a_pan_does_not() -> None:
    pyramid = Pyramid(film_of(noise(90, 130)))
    tile = pyramid.tile(Box(0, 0, 50, 50), (20, 20))
    assert pyramid.tile(Box(0, 0, 50, 50), (20, 20)) is tile
    assert pyramid.tile(Box(1, 0, 50, 50), (20, 20)) is not tile


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
@pytest.mark.parametrize(("rows", "columns"), [(1200, 1000), (1201, 999)])
def test_a_level_is_the_rounded_mean_of_four_to_the_last_bit(dtype: type, rows: int, columns: int) -> None:
    film = film_of(noise(rows, columns, dtype))
    lifted = film.pixels.astype(np.int64) - np.iinfo(dtype).min
    lifted = np.pad(lifted, ((0, rows % 2), (0, columns % 2)), mode="edge")
    fours = lifted.reshape(lifted.shape[0] // 2, 2, lifted.shape[1] // 2, 2).sum(axis=(1, 3))
    assert np.array_equal(Pyramid(film).levels[1], (fours + 2) // 4)


def test_the_memory_of_a_film_counts_all_that_it_keeps() -> None:
    pyramid = Pyramid(film_of(noise(2000, 1600, np.int16)))
    pixels = 2000 * 1600 * 2
    levels = pixels + pixels // 4 + pixels // 16
    without_tile = pyramid.nbytes
    assert without_tile >= pixels + levels, "the film's own pixels and those turned unsigned"
    tile = pyramid.tile(Box(0, 0, 1600, 2000), (500, 400))
    assert pyramid.nbytes == without_tile + tile.places.nbytes
    pyramid.forget_tile()
    assert pyramid.nbytes == without_tile


@pytest.mark.parametrize(
    ("view", "out"),
    [(Box(0, 0, 0, 5), (5, 5)), (Box(0, 0, 5, 5), (0, 5)), (Box(0, 0, 5, 5), (90_000, 90_000))],
)
def test_an_empty_or_absurd_screen_is_refused(view: Box, out: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"nothing to show|too large"):
        display_tile(film_of(noise(9, 9)), view, out)
