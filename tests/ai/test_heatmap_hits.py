"""The measure of heatmaps against planted lesions, on maps whose hits are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reader_app.ai.crop import Preprocessing, crop_joint
from reader_app.imaging.geometry import Box
from tests.benchmarks.heatmap_hits import ItemHits, MapHit, map_hit

CELLS, SIZE = 56, 160
CROP = Preprocessing(size=SIZE, recipe="joint-crop/2", millimetres=140.0, upright=True, mirror_side="L")


@pytest.mark.parametrize("side", ["R", "L"])
@pytest.mark.parametrize("tilt", [0.0, 9.0])
def test_a_map_of_the_bright_spot_itself_hits_its_place_on_the_film(side: str, tilt: float) -> None:
    film = np.random.default_rng(0).normal(50.0, 1.0, (625, 750))
    place = (205.0, 330.0)
    rows, columns = np.mgrid[0:625, 0:750]
    film += 500.0 * np.exp(-(((columns - place[0]) ** 2 + (rows - place[1]) ** 2) / (2 * 6.0**2)))
    spacing = (0.556, 0.556)
    crop = crop_joint(
        film, CROP, side=side, box=Box(90, 200, 250, 250), spacing_mm=spacing, tilt_degrees=tilt
    )
    # The crop itself as a heatmap: its brightest cell is the spot.
    heatmap = crop.pixels.astype(float) ** 2
    found = map_hit(heatmap, crop.map.grid_matrix(SIZE, SIZE), [place], radius=12.0)
    assert found is not None
    assert found.at_maximum
    assert found.mass > 0.5
    assert found.area == pytest.approx(math.pi * (12.0 * 0.556) ** 2 / 140.0**2, rel=0.05)
    elsewhere = map_hit(heatmap, crop.map.grid_matrix(SIZE, SIZE), [(260.0, 250.0)], radius=12.0)
    assert elsewhere is not None
    assert not elsewhere.at_maximum
    assert elsewhere.mass < 0.05


def test_an_even_map_gives_what_chance_gives() -> None:
    to_film = np.array([[2.5, 0.0, 1.0], [0.0, 2.5, 1.0]])
    found = map_hit(np.ones((CELLS, CELLS)), to_film, [(40.0, 60.0), (90.0, 60.0)], radius=20.0)
    assert found is not None
    assert found.mass == pytest.approx(found.area)


def test_of_several_places_the_nearest_counts_and_the_area_is_that_of_all() -> None:
    to_film = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    heatmap = np.zeros((CELLS, CELLS))
    heatmap[10, 40] = 1.0
    one = map_hit(heatmap, to_film, [(40.0, 10.0)], radius=5.0)
    both = map_hit(heatmap, to_film, [(10.0, 40.0), (40.0, 10.0)], radius=5.0)
    other = map_hit(heatmap, to_film, [(10.0, 40.0)], radius=5.0)
    assert one is not None
    assert both is not None
    assert other is not None
    assert one.at_maximum
    assert both.at_maximum
    assert not other.at_maximum
    assert (one.mass, both.mass, other.mass) == (1.0, 1.0, 0.0)
    assert both.area == pytest.approx(2 * one.area)


def test_an_empty_map_is_no_hit_and_counts_as_a_miss() -> None:
    assert map_hit(np.zeros((4, 4)), np.eye(2, 3), [(1.0, 1.0)], radius=1.0) is None
    found = ItemHits(
        "FO:medial", 10, 4, 4, 0.8, 0.7, 0.6, 2, (MapHit(True, 0.5, 0.1), MapHit(False, 0.1, 0.1))
    )
    assert found.pointing == 0.25
    assert found.mass == pytest.approx(0.15)
    assert found.chance == pytest.approx(0.1)
