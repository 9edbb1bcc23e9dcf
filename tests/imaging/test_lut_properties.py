from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_windowing

from reader_app.imaging.display import (
    apply_window,
    automatic_window,
    display_table,
    gray_bone_bright,
    modality_values,
    present,
    to_display,
)
from reader_app.imaging.geometry import Box
from reader_app.imaging.radiograph import Radiograph, RadiographHeader
from reader_app.imaging.voi import LookupTable, VoiFunction, Window

functions = st.sampled_from(VoiFunction)
windows = st.builds(
    Window,
    st.floats(-5000, 5000, allow_nan=False),
    st.floats(1.0, 20000, allow_nan=False),
    functions,
)


def film_of(pixels: np.ndarray, **more: object) -> Radiograph:
    header = RadiographHeader(
        path=Path("film"), format="DICOM", rows=pixels.shape[0], columns=pixels.shape[1], bits_stored=16
    )
    return Radiograph(header=header, pixels=pixels, **more)  # type: ignore[arg-type]


@given(windows)
@settings(max_examples=60, deadline=None)
def test_a_window_is_monotone_and_fills_zero_to_one(window: Window) -> None:
    unit = apply_window(np.arange(-6000, 6000), window)
    assert np.all(np.diff(unit) >= 0)
    assert unit.min() >= 0.0
    assert unit.max() <= 1.0


@given(windows, st.booleans())
@settings(max_examples=40, deadline=None)
def test_inversion_over_the_fixed_range_is_an_involution(window: Window, inverse: bool) -> None:
    film = film_of(np.arange(16, dtype=np.uint16).reshape(4, 4), inverse_polarity=inverse)
    plain = display_table(film, window=window)
    turned = display_table(film, window=window, inverted=True)
    assert np.array_equal(plain.astype(int) + turned, np.full(65536, 255))
    steps = np.diff(plain.astype(int))
    assert np.all(steps <= 0) if inverse else np.all(steps >= 0)


@given(st.floats(0, 1))
@settings(deadline=None)
def test_presentation_turned_twice_is_itself(unit: float) -> None:
    gray = present(np.array([unit]), inverse=False)
    assert np.array_equal(255 - present(np.array([unit]), inverse=True), gray)


@given(st.integers(0, 4095), st.integers(40, 8000), functions)
@settings(max_examples=60, deadline=None)
def test_windows_agree_with_pydicom(center: int, width: int, function: VoiFunction) -> None:
    stored = np.arange(4096, dtype=np.uint16)
    dataset = Dataset()
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsStored, dataset.PixelRepresentation = 12, 0
    dataset.WindowCenter, dataset.WindowWidth, dataset.VOILUTFunction = center, width, function.value
    peer = np.asarray(apply_windowing(stored, dataset)) / 4095
    assert apply_window(stored, Window(center, width, function)) == pytest.approx(peer, abs=1e-9)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_a_film_and_the_table_of_all_values_agree(dtype: type) -> None:
    info = np.iinfo(dtype)
    pixels: npt.NDArray[Any] = np.linspace(info.min, info.max, 400).astype(dtype).reshape(20, 20)
    film = film_of(pixels, slope=0.5, intercept=-3.0)
    window = Window(10.0, 500.0, VoiFunction.LINEAR_EXACT)
    step_by_step = present(apply_window(pixels.astype(float) * 0.5 - 3.0, window), inverse=False)
    assert np.array_equal(to_display(film, window=window), step_by_step)
    assert modality_values(film) == pytest.approx(pixels.astype(float) * 0.5 - 3.0)


def test_padding_is_left_out_of_the_automatic_window() -> None:
    rng = np.random.default_rng(1)
    pixels = rng.integers(1000, 1200, (200, 200)).astype(np.uint16)
    pixels[:, 150:] = 65535
    padded = automatic_window(film_of(pixels, padding=(65535, 65535)))
    assert 900 < padded.center < 1300
    assert padded.width < 300
    assert automatic_window(film_of(np.full((10, 10), 7, np.uint16), padding=(7, 7))).width > 0


def test_the_automatic_window_looks_inside_the_collimated_field() -> None:
    rng = np.random.default_rng(2)
    pixels = np.full((400, 400), 60000, dtype=np.uint16)
    pixels[100:300, 100:300] = rng.integers(500, 900, (200, 200))
    for film in (film_of(pixels), film_of(pixels, collimated=Box(105, 105, 190, 190))):
        window = automatic_window(film)
        assert 600 < window.center < 800
        assert window.width < 450


def test_one_gray_has_an_automatic_window() -> None:
    film = film_of(np.full((10, 10), 500, dtype=np.uint16))
    assert np.all(to_display(film) == 128)


def test_bone_is_bright_whatever_the_file_means() -> None:
    rows = np.linspace(100, 4000, 50).astype(np.uint16)
    bone_bright = np.tile(rows, (50, 1))
    descending = LookupTable(0, np.arange(4095, -1, -1).astype(np.uint16), 12, "turned")
    films = [
        film_of(bone_bright),
        film_of((4100 - bone_bright).astype(np.uint16), inverse_polarity=True),
        film_of((4100 - bone_bright).astype(np.uint16), slope=-1.0, intercept=4100.0),
        film_of((4100 - bone_bright).astype(np.uint16), voi_luts=(descending,)),
        film_of(bone_bright, voi_luts=(descending,), inverse_polarity=True),
    ]
    for film in films:
        gray = gray_bone_bright(film)
        assert gray.dtype == np.float32
        assert gray == pytest.approx(bone_bright.astype(np.float32))


def test_padding_is_black_for_the_networks() -> None:
    pixels = np.array([[0, 500, 600], [700, 800, 65535]], dtype=np.uint16)
    gray = gray_bone_bright(film_of(pixels, padding=(65535, 65535), inverse_polarity=True))
    assert gray[1, 2] == gray.min() == gray[1, 1]
    assert gray[0, 0] == gray.max()
