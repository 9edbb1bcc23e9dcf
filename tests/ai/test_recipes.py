from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reader_app.ai.bundle import load_bundle
from reader_app.ai.bundle_spec import ExplainMethod, TrainedOn
from reader_app.ai.nets.architectures import find_architecture
from reader_app.ai.recipe import (
    RecipeKind,
    RecipeLocalizer,
    bundle_recipe_from_table,
    find_recipe,
    load_bundle_recipe,
    recipe_names,
)
from reader_app.ai.training import load_recipe
from reader_app.ai.training.recipe import recipe_from_table
from reader_app.ai.training.untrained import untrained_bundle
from reader_app.errors import BundleError
from reader_app.operations.bundle_list import covered
from reader_app.protocols.loader import available_protocols, find_protocol

GRADERS = recipe_names(RecipeKind.GRADER)
PUBLISHED = {"hip-oarsi": 6, "knee-oarsi-kl": 7, "hip-morphology": 4, "ct-ap-rhoa": 1, "knee-kl": 1}
"""How many heads the networks of each system have."""


def test_every_protocol_that_names_a_bundle_of_these_systems_has_its_recipe() -> None:
    named = {file.protocol.bundle for file in available_protocols() if file.protocol is not None}
    assert set(PUBLISHED) == set(GRADERS)
    assert set(GRADERS) <= named


@pytest.mark.parametrize("name", GRADERS)
def test_a_shipped_recipe_fits_its_protocol_and_grades_all_of_it(name: str) -> None:
    recipe = load_bundle_recipe(name)
    assert recipe.id == name
    assert len(recipe.heads) == PUBLISHED[name]
    for reference in recipe.protocol_refs():
        protocol = find_protocol(reference.id)
        assert reference.sha256 == protocol.sha256
        graded, not_graded = covered(protocol, tuple(head.item for head in recipe.heads))
        assert not_graded == ()
        assert graded == protocol.items
        for head in recipe.heads:
            scale = protocol.item_scale(head.item)
            assert head.codes == tuple(level.code for level in scale.levels), head.item.key


@pytest.mark.parametrize("name", GRADERS)
def test_a_shipped_recipe_names_networks_that_exist_and_is_for_research_alone(name: str) -> None:
    recipe = load_bundle_recipe(name)
    for member in recipe.members:
        assert find_architecture(member.architecture).name == member.architecture
    assert "not a medical device" in recipe.intended_use
    assert recipe.licence
    assert recipe.training_data


@pytest.mark.parametrize("name", GRADERS)
def test_the_finders_of_a_shipped_recipe_are_those_that_their_own_recipes_train(name: str) -> None:
    recipe = load_bundle_recipe(name)
    for plan in (recipe.localizer, recipe.light_localizer):
        if plan is None or not plan.method.is_network:
            continue
        trained = find_recipe(plan.recipe, RecipeKind.LOCALIZER)
        assert trained["method"] == plan.method
        assert tuple(trained["classes"]) == plan.classes
        assert trained["stages"][-1]["size"] == plan.size
    if recipe.landmarks is not None:
        trained = find_recipe(recipe.landmarks.recipe, RecipeKind.LANDMARKS)
        found = (trained["size"], trained["margin"], tuple(trained["points"]))
        assert found == (recipe.landmarks.size, recipe.landmarks.margin, recipe.landmarks.points)


def test_what_the_papers_say_stands_in_the_recipes() -> None:
    hip, knee, shape, rhoa = (
        load_recipe(name) for name in ("hip-oarsi", "knee-oarsi-kl", "hip-morphology", "ct-ap-rhoa")
    )
    weights = {label.item: label.weight for label in hip.labels}
    assert weights["FO"] == weights["AO"] == weights["JSN"] == 1 / 4
    assert weights["SCL"] == weights["CYST"] == 1 / 16
    assert (hip.epochs, hip.peak_learning_rate, hip.dropout) == (50, 1e-3, 0.4)
    assert (hip.bundle.localizer.method, hip.bundle.localizer.size) == ("retinanet", 640)
    assert knee.bundle.networks == 10
    assert (knee.bundle.crop.millimetres, knee.bundle.crop.size, knee.bundle.crop.upright) == (140, 310, True)
    assert knee.augmentation.random_crop == 300
    assert [(s.epochs, s.learning_rate, s.heads_only) for s in knee.stages] == [
        (2, 1e-2, True),
        (1, 1e-3, False),
        (17, 1e-4, False),
    ]
    assert not knee.bundle.mirror_test, "the mirror image of a knee exchanges medial and lateral"
    assert shape.bundle.networks == 3
    assert [task.name for task in shape.bundle.auxiliary] == ["sex"]
    assert rhoa.bundle.explainer.method is ExplainMethod.OCCLUSION
    assert rhoa.bundle.crop.mirror_side == "R"
    assert (rhoa.bundle.crop.low_percentile, rhoa.bundle.crop.high_percentile) == (1.0, 99.0)
    assert rhoa.bundle.full_range_views == ("ct-ap",)
    assert (rhoa.batch, rhoa.stages[0].learning_rate) == (32, 1e-4)


def head(table: dict[str, Any], **change: object) -> None:
    table["bundle"]["heads"][0].update(change)


UNFIT: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda t: head(t, feature="XX"), "no feature “XX”"),
    (lambda t: head(t, site="above"), "does not grade “KL:above”"),
    (lambda t: head(t, codes=[0, 1, 7]), "the grade 7 for KL"),
    (lambda t: t["bundle"].update(full_range_views=["axial"]), "the view “axial”"),
]


@pytest.mark.parametrize(("change", "told"), UNFIT)
def test_a_recipe_that_does_not_fit_its_protocol_is_refused(
    change: Callable[[dict[str, Any]], object], told: str
) -> None:
    table = copy.deepcopy(find_recipe("knee-kl"))
    change(table)
    with pytest.raises(BundleError) as caught:
        bundle_recipe_from_table(table).protocol_refs()
    assert told in caught.value.what
    assert caught.value.next_step


WRONG: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda t: t.pop("bundle"), "lacks the key “bundle”"),
    (lambda t: t.pop("training"), "lacks the key “training”"),
    (lambda t: t["bundle"].update(localizer={"method": "ssdlite", "size": 32}), "size of 64"),
    (
        lambda t: t["bundle"].update(landmarks={"size": 128, "margin": 1, "points": ["a"]}),
        "two different points",
    ),
    (lambda t: t["bundle"]["members"][0].update(copies=0), "without networks"),
    (lambda t: t["bundle"]["crop"].update(mirror_side="up"), "mirror_side"),
    (lambda t: t["training"].update(schedule="by-stage"), "learning rates"),
    (lambda t: t["training"].update(split={"kind": "fractions", "train": 0.9}), "odd shares"),
    (lambda t: t["training"].update(split={"kind": "folds", "folds": 1}), "odd shares or folds"),
    (lambda t: t["training"]["labels"][0].update(item="FO"), "no counterpart"),
    (lambda t: t["training"].update(labels=[]), "no counterpart"),
    (lambda t: t["training"]["augmentation"].update(random_crop=500), "random_crop"),
]


@pytest.mark.parametrize(("change", "told"), WRONG, ids=[told for _, told in WRONG])
def test_a_wrong_recipe_is_told_in_one_sentence(
    change: Callable[[dict[str, Any]], object], told: str
) -> None:
    table = copy.deepcopy(find_recipe("knee-kl"))
    change(table)
    with pytest.raises(BundleError) as caught:
        recipe_from_table(table)
    assert told in caught.value.what
    assert caught.value.next_step


def test_a_recipe_of_another_kind_is_no_bundles_recipe(tmp_path: Path) -> None:
    for name in recipe_names(RecipeKind.LOCALIZER, RecipeKind.LANDMARKS):
        assert name not in GRADERS
        with pytest.raises(BundleError, match="no training recipe"):
            find_recipe(name)
    file = tmp_path / "own.toml"
    file.write_text('kind = "localizer"\n', encoding="utf-8")
    with pytest.raises(BundleError, match="one of a localizer, not of a grader"):
        load_bundle_recipe(file)
    file.write_text('title = "?"\n', encoding="utf-8")
    with pytest.raises(BundleError, match="kind must be one of"):
        load_bundle_recipe(file)
    with pytest.raises(BundleError, match="no training recipe"):
        find_recipe("../recipes/knee-kl")


def test_rules_need_no_size_and_networks_do() -> None:
    bundle_recipe_from_table(find_recipe("knee-kl"))
    with pytest.raises(BundleError, match="size"):
        RecipeLocalizer(load_bundle_recipe("hip-oarsi").localizer.method)


def test_an_untrained_bundle_has_all_of_its_recipe_and_says_that_it_knows_nothing(
    tmp_path: Path,
) -> None:
    recipe = load_bundle_recipe("knee-kl")
    bundle = untrained_bundle(recipe, tmp_path / "one")
    assert load_bundle(bundle.folder).sha256 == bundle.sha256
    assert bundle.spec.trained_on is TrainedOn.NOTHING
    assert bundle.items == tuple(head.item for head in recipe.heads)
    assert bundle.spec.preprocessing == recipe.crop
    card = (bundle.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "have learned nothing" in card.splitlines()[2]
    same = untrained_bundle(recipe, tmp_path / "same")
    other = untrained_bundle(recipe, tmp_path / "other", seed=1)
    assert same.spec.files == bundle.spec.files
    assert other.spec.files != bundle.spec.files
