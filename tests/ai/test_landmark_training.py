"""How landmarks are learned: views that fit together, and a run that survives being cut off."""

from __future__ import annotations

import csv
import json
import math
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from reader_app.ai.bundle_spec import Landmarks
from reader_app.ai.nets.landmarks import LandmarkNet, load_landmarks
from reader_app.ai.recipe import RecipeKind, find_recipe
from reader_app.ai.tables import from_table
from reader_app.ai.training.landmark_figures import tilts, turn_errors
from reader_app.ai.training.landmark_recipe import LandmarkRecipe, landmark_recipe
from reader_app.ai.training.landmark_run import TrainedLandmarks, train_landmarks
from reader_app.ai.training.landmark_sources import PATCH, Joints, phantom_knees
from reader_app.ai.training.landmark_views import Views, draw_views, network_views, views_at
from reader_app.ai.training.landmarks import place_loss
from reader_app.errors import BundleError

Quiet = Callable[[float, str], None]


def quiet(done: float, sentence: str) -> None:
    assert 0.0 <= done <= 1.0
    assert sentence


@pytest.fixture(scope="module")
def recipe() -> LandmarkRecipe:
    """The shipped recipe, small enough for a test."""
    shipped = landmark_recipe(find_recipe("knee-landmarks", RecipeKind.LANDMARKS))
    return replace(
        shipped,
        size=64,
        epochs=2,
        steps=6,
        batch=4,
        phantoms=2,
        phantoms_validation=1,
        joints=6,
        joints_validation=3,
        alone_epochs=1,
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Joints without plateaus are enough to see that a run reads, trains, stops and goes on."""
    folder = tmp_path_factory.mktemp("joints")
    rng = np.random.default_rng(3)
    with (folder / "labels.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("image", "split", "participant", "side"))
        for number in range(9):
            Image.fromarray(rng.integers(0, 255, (80, 80), dtype=np.uint8)).save(folder / f"{number}.png")
            writer.writerow((f"{number}.png", "train" if number < 6 else "val", number, "LR"[number % 2]))
    return folder


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    phantom_knees(folder, range(3), seed=1, tell=quiet)
    return folder


def run(recipe: LandmarkRecipe, data: Path, phantoms: Path, folder: Path, tell: Quiet) -> TrainedLandmarks:
    folder.mkdir(exist_ok=True)
    if not (folder / "phantoms").exists():
        (folder / "phantoms").symlink_to(phantoms)
    return train_landmarks(recipe, data, folder, progress=tell)


def test_a_run_ends_with_what_a_bundle_names(
    recipe: LandmarkRecipe, data: Path, phantoms: Path, tmp_path: Path
) -> None:
    done = run(recipe, data, phantoms, tmp_path / "run", quiet)
    net = load_landmarks(done.folder, done.landmarks)
    assert isinstance(net, LandmarkNet)
    assert (done.landmarks.size, done.landmarks.points) == (64, recipe.points)
    figures = json.loads((done.folder / "figures.json").read_text())["figures"]
    assert figures["tilt_error"] == done.figures.tilt_error > 0.0
    assert "phantom knees" in (done.folder / "CARD.md").read_text()
    written = tomllib.loads((done.folder / "landmarks.toml").read_text())
    assert from_table(Landmarks, written, "landmarks") == done.landmarks


def test_a_run_that_was_cut_off_ends_with_the_same_weights(
    recipe: LandmarkRecipe, data: Path, phantoms: Path, tmp_path: Path
) -> None:
    whole = run(recipe, data, phantoms, tmp_path / "whole", quiet)

    def cut_off(done: float, sentence: str) -> None:
        if sentence.startswith("Epoch 1:"):  # it is on disk
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(recipe, data, phantoms, tmp_path / "cut", cut_off)
    goes_on = run(recipe, data, phantoms, tmp_path / "cut", quiet)
    assert goes_on.landmarks.sha256 == whole.landmarks.sha256
    with pytest.raises(BundleError, match="another recipe"):
        run(replace(recipe, seed=9), data, phantoms, tmp_path / "cut", quiet)


def test_phantoms_teach_where_the_ends_are(recipe: LandmarkRecipe, phantoms: Path) -> None:
    torch.manual_seed(2)
    knees = phantom_knees(phantoms, range(3), seed=1, tell=quiet)
    net = LandmarkNet(2)
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.003)
    generator = torch.Generator().manual_seed(4)
    losses = []
    for _ in range(25):
        chosen = torch.arange(len(knees))
        views = draw_views(knees.points, recipe.views, degrees=10.0, generator=generator)
        images = network_views(knees, chosen, views, None, size=64, generator=generator)
        loss = place_loss(net.maps(images), views.to_view(knees.points), torch.ones(len(knees)))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-3:]) < 0.6 * np.mean(losses[:3])


def test_phantoms_are_rendered_once_and_their_ends_lie_level_about_the_middle(phantoms: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in phantoms.iterdir()}
    knees = phantom_knees(phantoms, range(3), seed=1, tell=quiet)
    assert {path.name: path.stat().st_mtime_ns for path in phantoms.iterdir()} == before
    assert len(knees) == 6
    assert knees.images.shape == (6, PATCH, PATCH)
    widths = (knees.points[:, 1, 0] - knees.points[:, 0, 0]).tolist()
    assert widths == pytest.approx([1.0 / 2.4] * 6, abs=1e-3)
    assert knees.points.mean(dim=1).flatten().tolist() == pytest.approx([0.5] * 12, abs=1e-3)


views = st.builds(
    lambda x, y, edge, degrees, flipped: views_at(
        torch.tensor([[x, y]]),
        torch.tensor([edge]),
        torch.tensor([math.radians(degrees)]),
        at=torch.tensor([[0.5, 0.6]]),
        flipped=torch.tensor([flipped]),
    ),
    st.floats(0.3, 0.7),
    st.floats(0.3, 0.7),
    st.floats(0.4, 1.2),
    st.floats(-30.0, 30.0),
    st.booleans(),
)
places = st.lists(st.floats(0.1, 0.9), min_size=4, max_size=4)


@given(views, places)
def test_points_come_back_from_a_view(view: Views, place: list[float]) -> None:
    points = torch.tensor(place).view(1, 2, 2)
    assert view.to_image(view.to_view(points)).flatten().tolist() == pytest.approx(place, abs=1e-4)


@given(views)
def test_a_view_shows_a_mark_where_its_point_says(view: Views) -> None:
    image = torch.zeros((1, PATCH, PATCH), dtype=torch.uint8)
    image[0, 96:104, 84:92] = 200  # about (88, 100)
    seen, _ = view.sample(image, 128)
    points = torch.tensor([[[88.0, 100.0], [88.0, 100.0]]]) / PATCH
    x, y = view.to_view(points)[0, 0].tolist()
    assume(0.15 < x < 0.85 and 0.15 < y < 0.85)  # else it lies beside the view
    weight = seen[0, 0] / seen.sum()
    centres = (torch.arange(128) + 0.5) / 128
    assert float((weight.sum(dim=0) * centres).sum()) == pytest.approx(x, abs=0.01)
    assert float((weight.sum(dim=1) * centres).sum()) == pytest.approx(y, abs=0.01)


def test_a_turned_view_is_told_from_a_level_one_by_the_turn(recipe: LandmarkRecipe) -> None:
    points = torch.tensor([[[0.2, 0.5], [0.8, 0.55]]])
    level = tilts(points)
    for degrees in (-10.0, 5.0):
        view = views_at(
            torch.tensor([[0.5, 0.5]]),
            torch.tensor([0.8]),
            torch.tensor([math.radians(degrees)]),
            at=torch.tensor([[0.5, 0.5]]),
            flipped=torch.tensor([False]),
        )
        assert float(tilts(view.to_view(points)) - level + degrees) == pytest.approx(0.0, abs=1e-4)


def test_a_network_that_knows_nothing_tells_no_turns() -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.integers(0, 255, (2, PATCH, PATCH), dtype=np.uint8))
    joints = Joints(images, torch.tensor([[[0.2, 0.6], [0.8, 0.6]]] * 2))
    errors, told = turn_errors(LandmarkNet(2).eval(), joints, size=64)
    assert (len(errors), told) == (0, 0.0)


def test_a_point_beyond_the_view_does_not_count() -> None:
    maps = torch.zeros((1, 2, 16, 16))
    inside = torch.tensor([[[0.3, 0.5], [0.7, 0.5]]])
    beyond = torch.tensor([[[-0.2, 0.5], [0.7, 0.5]]])
    assert float(place_loss(maps, inside, torch.zeros(1))) == 0.0
    one = place_loss(maps, beyond, torch.ones(1))
    other = place_loss(maps, torch.tensor([[[9.0, 9.0], [0.7, 0.5]]]), torch.ones(1))
    assert float(one) == pytest.approx(float(other)) != pytest.approx(0.0)


def test_recipes_that_make_no_sense_are_refused(recipe: LandmarkRecipe) -> None:
    table = recipe.to_table()
    for change in ({"size": 100}, {"points": ["one"]}, {"kind": "localizer"}, {"epochs": 0}, {"more": 1}):
        with pytest.raises(BundleError):
            landmark_recipe(table | change)
