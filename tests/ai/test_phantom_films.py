from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reader_app.ai.bundle_spec import TrainedOn
from reader_app.ai.training.examples import read_examples
from reader_app.ai.training.phantom_films import (
    Derived,
    PhantomJoint,
    Planting,
    cut_phantoms,
    knee_apart,
    read_phantoms,
    render_phantoms,
    split_of,
    with_derived,
)
from reader_app.ai.training.phantom_recipes import (
    derived_items,
    joint_of,
    phantom_bundles,
    phantom_recipe,
    planting_of,
)
from reader_app.errors import BundleError, ManifestError
from reader_app.imaging.geometry import Side
from reader_app.phantom.sampling import sample_knee
from reader_app.protocols.loader import find_protocol
from reader_app.protocols.model import JointKind

FILMS = 3


def silent(done: float, sentence: str) -> None:
    assert 0.0 <= done <= 1.0
    assert sentence


@pytest.fixture(scope="module")
def hips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms") / "hip"
    render_phantoms(folder, JointKind.HIP, FILMS, planting=Planting.APART, seed=3, tell=silent)
    return folder


@pytest.fixture(scope="module")
def knees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms") / "knee"
    render_phantoms(folder, JointKind.KNEE, FILMS, planting=Planting.TOGETHER, seed=3, tell=silent)
    return folder


def test_a_cut_off_rendering_goes_on_with_the_same_films(hips: Path, tmp_path: Path) -> None:
    def kill(done: float, sentence: str) -> None:
        if "2 of" in sentence:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_phantoms(tmp_path, JointKind.HIP, 2, planting=Planting.APART, seed=3, tell=kill)
    assert len(list(tmp_path.glob("*.json"))) == 1
    for name in ("0000.png", "0000.json"):
        assert (tmp_path / name).read_bytes() == (hips / name).read_bytes()
    with pytest.raises(ManifestError, match="cannot be read"):
        read_phantoms(tmp_path, 2)


@pytest.mark.parametrize("kind", list(JointKind))
def test_every_grade_above_0_has_places_within_its_joint(kind: JointKind, hips: Path, knees: Path) -> None:
    joints = read_phantoms(hips if kind is JointKind.HIP else knees, FILMS)
    assert [joint.side for joint in joints] == [*Side] * FILMS
    for joint in joints:
        assert set(joint.places) == {item for item, grade in joint.grades.items() if grade}
        for places in joint.places.values():
            for x, y in places:
                assert abs(x - joint.box.centre[0]) * joint.spacing_mm < 75.0
                assert abs(y - joint.box.centre[1]) * joint.spacing_mm < 75.0


def test_derived_items_are_present_from_their_grade_on_and_show_where_it_shows(knees: Path) -> None:
    rule = Derived("WORN", "KL", 2)
    for joint in read_phantoms(knees, FILMS):
        told = with_derived(joint, [rule])
        assert told.grades["WORN"] == int(joint.grades["KL"] >= 2)
        assert told.places.get("WORN") == (joint.places["KL"] if joint.grades["KL"] >= 2 else None)
        assert with_derived(joint, [Derived("X", "no such item", 1)]) == joint


@pytest.mark.parametrize("name", phantom_bundles())
def test_crops_and_labels_fit_the_recipe_that_learns_them(
    name: str, hips: Path, knees: Path, tmp_path: Path
) -> None:
    recipe = phantom_recipe(name, epochs=1)
    assert recipe.trained_on is TrainedOn.PHANTOMS
    assert recipe.epochs == len(recipe.stages)
    kind = joint_of(name)
    joints = tuple(
        with_derived(joint, derived_items())
        for joint in read_phantoms(hips if kind is JointKind.HIP else knees, FILMS)
    )
    cut_phantoms(joints, recipe.crop_at(160), tmp_path, films=FILMS, tell=silent)
    examples = read_examples(tmp_path, "train", recipe.heads)
    assert len(examples) == 2 * sum(number / FILMS < 0.7 for number in range(FILMS))
    edge = round(recipe.bundle.crop.millimetres / joints[0].spacing_mm)
    for example in examples:
        assert np.asarray(Image.open(example.image)).shape == (edge, edge)
    with (tmp_path / "labels.csv").open(newline="") as stream:
        rows = {row["image"]: row for row in csv.DictReader(stream)}
    for joint in joints:
        row = rows[f"{joint.film.stem}{joint.side.value}.png"]
        assert row["split"] == split_of(joint, FILMS)
        assert all(row[head.column] == str(joint.grades[head.column]) for head in recipe.heads)


def test_a_protocol_is_learned_site_by_site_as_far_as_phantoms_plant_it() -> None:
    for name in phantom_bundles():
        items = {head.item for head in phantom_recipe(name).bundle.heads}
        left_out = {item.key for item in find_protocol(name).items if item not in items}
        assert left_out == ({"OTHER"} if name == "hip-morphology" else set())
        assert planting_of(name) in Planting
    with pytest.raises(BundleError, match="cannot be learned from phantoms"):
        phantom_recipe("hip-osteoporosis")


def test_lesions_planted_apart_do_not_tell_of_each_other() -> None:
    rng = np.random.default_rng(0)
    knees = [knee_apart(sample_knee(rng, kl=number % 5), rng) for number in range(1500)]
    spurs = [
        [
            knee.osteophytes.femoral_medial > 1,
            knee.osteophytes.femoral_lateral > 1,
            knee.osteophytes.tibial_medial > 1,
            knee.osteophytes.tibial_lateral > 1,
            knee.jsw_medial_mm < 3.6,
            knee.jsw_lateral_mm < 4.4,
        ]
        for knee in knees
    ]
    correlation = np.corrcoef(np.array(spurs, dtype=float).T)
    assert np.abs(correlation - np.eye(6)).max() < 0.1


def test_both_joints_of_a_film_are_in_one_split(knees: Path) -> None:
    joints = read_phantoms(knees, FILMS)
    by_film: dict[int, set[str]] = {}
    for joint in joints:
        by_film.setdefault(joint.number, set()).add(split_of(joint, FILMS))
    assert all(len(splits) == 1 for splits in by_film.values())
    assert isinstance(joints[0], PhantomJoint)
