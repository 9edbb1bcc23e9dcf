from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reader_app.ai.crop import Preprocessing, crop_joint, network_input, standardise
from reader_app.errors import BundleError, ImageError
from reader_app.imaging.geometry import Box

NUMBERS = st.floats(-500.0, 1500.0)
EDGES = st.floats(20.0, 900.0)


def film(rows: int = 300, columns: int = 400) -> np.ndarray:
    y, x = np.mgrid[:rows, :columns]
    return np.asarray(x * 3.0 + y * 2.0 + 100.0 * np.sin(x / 17.0), dtype=np.float32)


@settings(deadline=None, max_examples=60)
@given(
    x=st.floats(0, 200), y=st.floats(0, 150), edge=EDGES, side=st.sampled_from("LRU"), px=NUMBERS, py=NUMBERS
)
def test_mapping_to_the_crop_and_back_is_the_identity(
    x: float, y: float, edge: float, side: str, px: float, py: float
) -> None:
    crop = crop_joint(film(), Preprocessing(size=48), side=side, box=Box(x, y, edge, edge * 0.7))
    back = crop.map.to_film(*crop.map.to_crop(px, py))
    assert back == pytest.approx((px, py), abs=1e-6)
    assert crop.map.box_to_film(Box(0, 0, 48, 48)).x == pytest.approx(crop.square.x, abs=1e-6)


PHYSICAL = Preprocessing(
    size=160, recipe="joint-crop/2", millimetres=60.0, upright=True, high_percentile=100.0
)


@settings(deadline=None, max_examples=60)
@given(
    px=NUMBERS,
    py=NUMBERS,
    side=st.sampled_from("LRU"),
    tilt=st.floats(-40, 40),
    spacing=st.tuples(st.floats(0.1, 0.6), st.floats(0.1, 0.6)),
)
def test_turned_and_in_millimetres_the_map_has_its_exact_inverse(
    px: float, py: float, side: str, tilt: float, spacing: tuple[float, float]
) -> None:
    box = Box(120, 90, 100, 80)
    crop = crop_joint(film(), PHYSICAL, side=side, box=box, spacing_mm=spacing, tilt_degrees=tilt)
    assert crop.map.to_film(*crop.map.to_crop(px, py)) == pytest.approx((px, py), abs=1e-6)
    assert crop.map.to_film(80, 80) == pytest.approx(box.centre)
    # As wide and as high on the body as asked for, however the film's pixels are shaped.
    (x0, y0), (x1, y1), _, (x3, y3) = crop.map.outline(160)
    assert np.hypot((x1 - x0) * spacing[1], (y1 - y0) * spacing[0]) == pytest.approx(60.0)
    assert np.hypot((x3 - x0) * spacing[1], (y3 - y0) * spacing[0]) == pytest.approx(60.0)
    assert crop.in_millimetres


@settings(deadline=None, max_examples=40)
@given(
    x=st.floats(60, 240),
    y=st.floats(60, 240),
    side=st.sampled_from("LR"),
    tilt=st.floats(-30, 30),
    edge=st.floats(110.0, 500.0),
)
def test_a_landmark_lands_on_the_film_to_half_a_pixel(
    x: float, y: float, side: str, tilt: float, edge: float
) -> None:
    rows, columns = np.mgrid[:300, :300] + 0.5
    pixels = 1000.0 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 7.0**2))
    box = Box(x - 43.0, y - 31.0, 80.0, 80.0)
    crop = crop_joint(
        pixels, PHYSICAL, side=side, box=box, spacing_mm=(60.0 / edge, 60.0 / edge), tilt_degrees=tilt
    )
    weights = np.where(crop.pixels > 128, crop.pixels, 0).astype(float)
    assert not weights[[0, -1]].any()  # the whole landmark is on the crop
    assert not weights[:, [0, -1]].any()
    down, across = np.mgrid[:160, :160] + 0.5
    found = crop.map.to_film((weights * across).sum() / weights.sum(), (weights * down).sum() / weights.sum())
    assert found == pytest.approx((x, y), abs=0.5)


@settings(deadline=None, max_examples=40)
@given(
    column=st.floats(20, 140),
    row=st.floats(20, 140),
    side=st.sampled_from("LR"),
    tilt=st.floats(-30, 30),
    spacing=st.tuples(st.floats(0.1, 0.6), st.floats(0.1, 0.6)),
)
def test_the_middle_of_a_heatmaps_mass_lands_on_the_film_to_half_a_pixel(
    column: float, row: float, side: str, tilt: float, spacing: tuple[float, float]
) -> None:
    crop = crop_joint(
        film(), PHYSICAL, side=side, box=Box(120, 90, 100, 80), spacing_mm=spacing, tilt_degrees=tilt
    )
    rows, columns = np.mgrid[:160, :160] + 0.5
    mass = np.exp(-((columns - column) ** 2 + (rows - row) ** 2) / (2 * 4.0**2))
    cells = mass.reshape(40, 4, 40, 4).mean(axis=(1, 3))  # the crop's pixels as cells of a heatmap
    down, across = np.mgrid[:40, :40]
    middle = (cells * across).sum() / cells.sum(), (cells * down).sum() / cells.sum()
    x, y = crop.map.grid_matrix(160, 40) @ (*middle, 1.0) + 0.5
    assert (x, y) == pytest.approx(crop.map.to_film(column, row), abs=0.5)


def test_a_level_line_comes_out_of_a_tilted_one() -> None:
    rows, columns = np.mgrid[:300, :400]
    slope = np.tan(np.radians(9.0))
    pixels = (rows - 150 > slope * (columns - 200)).astype(np.float32)  # the right end lies lower
    crop = crop_joint(
        pixels, PHYSICAL, side="R", box=Box(120, 70, 160, 160), spacing_mm=(0.5, 0.5), tilt_degrees=9.0
    )
    edge = (crop.pixels > 127).argmax(axis=0)
    assert np.ptp(edge) <= 1
    assert edge[80] == pytest.approx(80, abs=1)


def test_without_spacing_the_joints_width_sets_the_scale() -> None:
    crop = crop_joint(film(), PHYSICAL, side="R", box=Box(100, 100, 80, 60))
    assert crop.square == Box(100, 90, 80, 80)
    assert not crop.in_millimetres


def test_a_whole_turned_square_beside_the_film_is_black_where_there_is_no_film() -> None:
    crop = crop_joint(
        film(), PHYSICAL, side="R", box=Box(-50, 100, 100, 100), spacing_mm=(0.6, 0.6), tilt_degrees=20
    )
    assert not crop.pixels[:, :20].any()
    assert crop.pixels[:, 100:].any()


@pytest.mark.parametrize("side", ["R", "L"])
@pytest.mark.parametrize("box", [None, Box(90, 150, 150, 120), Box(-40, 200, 220, 220)])
def test_a_bright_point_is_found_where_the_map_says(side: str, box: Box | None) -> None:
    pixels = np.zeros((300, 400), dtype=np.uint16)
    pixels[222:226, 128:132] = 4000  # centre (130, 224) in pixel-edge coordinates
    pixels += np.linspace(0, 100, 400, dtype=np.uint16)
    crop = crop_joint(pixels, Preprocessing(size=200, high_percentile=100.0), side=side, box=box)
    rows, columns = np.nonzero(crop.pixels > 200)
    found = crop.map.to_film(float(columns.mean()) + 0.5, float(rows.mean()) + 0.5)
    assert found == pytest.approx((130.0, 224.0), abs=max(0.5, crop.square.width / 200))


def test_the_grid_matrix_agrees_with_the_map_at_cell_centres() -> None:
    crop = crop_joint(film(), Preprocessing(size=64), side="L", box=Box(50, 40, 130, 130))
    matrix = crop.map.grid_matrix(64, 16)
    edge = np.array(crop.map.to_film(3.5 * 4, 9.5 * 4))
    assert matrix @ (3, 9, 1) == pytest.approx(edge - 0.5)


def test_left_is_the_mirror_image_of_right() -> None:
    box = Box(100, 50, 160, 160)
    right = crop_joint(film(), Preprocessing(size=96), side="R", box=box)
    left = crop_joint(film(), Preprocessing(size=96), side="L", box=box)
    assert left.mirrored
    assert not right.mirrored
    np.testing.assert_array_equal(left.pixels, right.pixels[:, ::-1])


def test_what_lies_beside_the_film_is_black_and_does_not_shift_the_greys() -> None:
    inside = crop_joint(
        film(), Preprocessing(size=100, low_percentile=0.0), side="R", box=Box(0, 0, 300, 300)
    )
    outside = crop_joint(
        film(), Preprocessing(size=200, low_percentile=0.0), side="R", box=Box(0, -300, 600, 600)
    )
    assert not outside.pixels[:99].any()
    part = outside.pixels[100:, :100].astype(int)
    assert np.corrcoef(part.ravel(), inside.pixels.astype(int).ravel())[0, 1] > 0.99


def test_offset_and_scale_of_the_grey_values_do_not_matter() -> None:
    one = crop_joint(film(), Preprocessing(size=64), side="R")
    other = crop_joint(film() * 7.0 + 1000.0, Preprocessing(size=64), side="R")
    assert np.abs(one.pixels.astype(int) - other.pixels.astype(int)).max() <= 1


@pytest.mark.parametrize(
    ("pixels", "box"),
    [
        (np.full((50, 50), 7, dtype=np.uint8), None),
        (np.zeros((4, 50, 50), dtype=np.uint8), None),
        (film(), Box(1000, 1000, 50, 50)),
        (film(), Box(10, 10, 0.5, 0.5)),
    ],
)
def test_nothing_to_grade_is_told(pixels: np.ndarray, box: Box | None) -> None:
    with pytest.raises(ImageError):
        crop_joint(pixels, Preprocessing(size=32), side="R", box=box)


def test_numpy_and_torch_standardise_alike() -> None:
    images = np.random.default_rng(1).random((3, 1, 20, 20)).astype(np.float32)
    ours = standardise(images)
    np.testing.assert_allclose(standardise(torch.from_numpy(images)).numpy(), ours, atol=1e-5)
    assert ours.mean(axis=(-2, -1)) == pytest.approx(np.zeros((3, 1)), abs=1e-5)
    assert ours.std(axis=(-2, -1)) == pytest.approx(np.ones((3, 1)), abs=1e-3)


def test_network_input_has_one_channel() -> None:
    assert network_input([np.eye(16, dtype=np.uint8)] * 2).shape == (2, 1, 16, 16)


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 4},
        {"low_percentile": 99.9, "high_percentile": 1.0},
        {"mirror_side": "X"},
        {"recipe": "other/9"},
        {"recipe": "joint-crop/1", "millimetres": 140.0},
        {"recipe": "joint-crop/1", "upright": True},
        {"recipe": "joint-crop/2", "millimetres": -1.0},
    ],
)
def test_senseless_preprocessing_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BundleError):
        Preprocessing(**wrong)  # type: ignore[arg-type]
