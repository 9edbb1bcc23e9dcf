"""Localizers learn from films whose boxes are known, and go on where a run was cut off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reader_app.ai.recipe import RecipeKind, find_recipe, recipe_names
from reader_app.ai.training.composed import Body, ComposedFilm, Target, compose, knee_box
from reader_app.ai.training.localizer_figures import best_threshold, figures
from reader_app.ai.training.localizer_films import FilmSet, film_set, phantom_bodies
from reader_app.ai.training.localizer_loop import LocalizerRun, LocalizerTrainer
from reader_app.ai.training.localizer_recipe import (
    FilmChanges,
    LocalizerRecipe,
    LocalizerStage,
    localizer_recipe,
)
from reader_app.ai.training.localizer_views import View, random_view
from reader_app.errors import BundleError
from reader_app.imaging.geometry import Box, Side

CHANGES = FilmChanges(3.0, 0.6, 1.0, 0.06, 0.2, 0.1, 0.5)


class GreyKnees:
    """Stands for real crops: a bright square frame on grey."""

    def draw(self, side: Side, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
        pixels = np.full((64, 64), 60 if side is Side.RIGHT else 90, dtype=np.uint8)
        pixels[20:44, 20:44] = int(rng.integers(150, 250))
        return pixels


def body() -> Body:
    pixels = np.full((300, 400), 20, dtype=np.uint8)
    boxes = {Side.RIGHT: Box(40.0, 90.0, 110.0, 110.0), Side.LEFT: Box(250.0, 90.0, 110.0, 110.0)}
    for box in boxes.values():
        pixels[:, int(box.x + 20) : int(box.right - 20)] = 140
        pixels[int(box.y + 60) : int(box.y + 70), int(box.x + 15) : int(box.right - 15)] = 30
    return Body(pixels, boxes, {})


def small_recipe() -> LocalizerRecipe:
    recipe = localizer_recipe(find_recipe("knee-localizer", RecipeKind.LOCALIZER))
    return replace(
        recipe, imagenet=False, films=8, films_validation=2, batch=4, stages=(LocalizerStage(64, 2),)
    )


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> FilmSet:
    folder = tmp_path_factory.mktemp("films")
    return film_set(
        folder, 8, bodies=lambda: [body()], knees=GreyKnees, seed=3, tell=lambda _share, _sentence: None
    )


def test_the_box_of_a_knee_has_its_joint_line_at_six_tenths() -> None:
    box = knee_box(((100.0, 50.0), (200.0, 50.0)), 46.0)
    assert (box.width, box.height) == pytest.approx((145.0, 145.0))
    assert box.centre[0] == pytest.approx(150.0)
    assert box.y + 0.6 * box.height == pytest.approx(46.0)


@given(st.integers(0, 2**31))
def test_a_composed_film_shows_what_its_targets_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    film = compose(body(), GreyKnees(), rng)
    rows, columns = film.pixels.shape
    joints = [target for target in film.targets if not target.label.startswith("marker-")]
    assert 1 <= len(joints) <= 2
    for target in joints:
        x, y = target.box.centre
        assert 0.0 <= x <= columns
        assert 0.0 <= y + 0.1 * target.box.height <= rows
    for target in film.targets:
        if target.label.startswith("marker-"):
            assert target.box.clipped(rows, columns) == target.box


def test_the_same_seed_gives_the_same_film() -> None:
    one, other = (compose(body(), GreyKnees(), np.random.default_rng(11)) for _ in range(2))
    assert np.array_equal(one.pixels, other.pixels)
    assert one.targets == other.targets


def test_films_are_composed_once_and_read_again(films: FilmSet) -> None:
    def never() -> list[Body]:
        raise AssertionError("composed again")

    again = film_set(
        films.folder, 8, bodies=never, knees=lambda: None, seed=3, tell=lambda _share, _sentence: None
    )
    assert again.targets == films.targets
    assert np.array_equal(again.film(5).pixels, films.film(5).pixels)


@pytest.mark.parametrize("joint", ["knee", "hip"])
def test_phantoms_become_bodies_with_a_box_for_each_joint(joint: str, tmp_path: Path) -> None:
    (found,) = phantom_bodies(tmp_path, range(1), joint=joint, seed=1, tell=lambda _share, _sentence: None)
    right, left = found.boxes[Side.RIGHT], found.boxes[Side.LEFT]
    assert right.centre[0] < found.pixels.shape[1] / 2 < left.centre[0]
    assert found.are_hips == (joint == "hip")
    assert 0.15 < right.width / found.pixels.shape[1] < 0.45


@given(
    st.floats(0.2, 3.0),
    st.floats(-0.5, 0.5),
    st.booleans(),
    st.tuples(st.floats(0, 300), st.floats(0, 300)),
)
def test_a_view_and_its_matrix_undo_each_other(
    scale: float, angle: float, mirrored: bool, place: tuple[float, float]
) -> None:
    view = View(scale, angle, mirrored, (40.0, 50.0), (150.0, 120.0))
    x, y = view.to_square(*place)
    a, b, c, d, e, f = view.from_square()
    assert (a * x + b * y + c, d * x + e * y + f) == pytest.approx(place, abs=1e-6)


def test_films_with_letters_are_never_mirrored() -> None:
    film = ComposedFilm(np.zeros((50, 60), np.uint8), (Target("marker-R", Box(1.0, 1.0, 5.0, 8.0)),))
    always = replace(CHANGES, mirror=1.0)
    rng = np.random.default_rng(0)
    assert not any(random_view(film, 64, always, rng).mirrored for _ in range(20))
    assert random_view(replace(film, targets=()), 64, always, rng).mirrored


def test_a_run_that_was_cut_off_ends_as_one_that_was_not(films: FilmSet, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    recipe = small_recipe()

    def trainer(folder: Path) -> LocalizerTrainer:
        return LocalizerTrainer(
            recipe,
            train=films,
            validation=films,
            folder=LocalizerRun(folder, recipe),
            tell=lambda _share, _sentence: None,
        )

    whole = trainer(tmp_path / "whole")
    whole.run()
    cut_off = trainer(tmp_path / "cut")
    cut_off._finish(cut_off._epoch(0))
    resumed = trainer(tmp_path / "cut")
    resumed.run()
    assert [record.epoch for record in resumed.history] == [0, 1]
    for name, tensor in whole.average.state.items():
        assert torch.allclose(tensor.float(), resumed.average.state[name].float(), atol=1e-5), name
    assert whole.history[1].loss < whole.history[0].loss


def test_a_folder_of_another_recipe_is_refused(tmp_path: Path) -> None:
    LocalizerRun(tmp_path, small_recipe())
    with pytest.raises(BundleError, match="another recipe"):
        LocalizerRun(tmp_path, replace(small_recipe(), seed=99))


def test_every_localizer_recipe_that_comes_along_is_sound() -> None:
    names = recipe_names(RecipeKind.LOCALIZER)
    assert {"knee-localizer", "hip-localizer"} <= set(names)
    for name in names:
        assert localizer_recipe(find_recipe(name, RecipeKind.LOCALIZER)).method.is_network


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("joint", "elbow"),
        ("classes", ["prosthesis"]),
        ("method", "single-joint"),
        ("batch", 1),
        ("stages", []),
    ],
)
def test_recipes_that_make_no_sense_are_refused(key: str, value: object) -> None:
    table = find_recipe("knee-localizer", RecipeKind.LOCALIZER)
    with pytest.raises(BundleError):
        localizer_recipe({**table, key: value})


def test_the_confidence_is_taken_from_the_middle_of_what_does_well() -> None:
    empty = figures([], 0.2, "knee")
    scores = {0.2: 0.90, 0.25: 0.899, 0.3: 0.90, 0.35: 0.80}
    found = [
        replace(empty, threshold=threshold, joints=100, iou=score) for threshold, score in scores.items()
    ]
    assert best_threshold(found).threshold == 0.25
