"""From phantoms to a bundle: every head is calibrated, and the bundle says what it learned from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reader_app.ai.bundle import Bundle, load_bundle
from reader_app.ai.bundle_spec import Explainer, ExplainMethod, ExplainTarget, HeadKind, TrainedOn
from reader_app.ai.training import train
from reader_app.ai.training.phantom_films import (
    PhantomJoint,
    Planting,
    cut_phantoms,
    read_phantoms,
    render_phantoms,
    split_of,
)
from reader_app.ai.training.phantom_recipes import phantom_recipe
from reader_app.ai.training.recipe import Recipe, Stage
from reader_app.errors import ManifestError
from reader_app.protocols.model import JointKind
from tests.benchmarks.heatmap_hits import measure

FILMS = 10


def tiny(recipe: Recipe) -> Recipe:
    heads = tuple(
        replace(head, kind=HeadKind.CORN if head.feature == "FO" else head.kind)
        for head in recipe.bundle.heads
    )
    return replace(
        recipe,
        bundle=replace(recipe.bundle, heads=heads),
        imagenet=False,
        batch=4,
        stages=(Stage(32, 1),),
        average_decay=0.5,
    )


def agreement(truth: np.ndarray, graded: np.ndarray) -> float:
    return float((truth == graded).mean())


@pytest.fixture(scope="module")
def joints(tmp_path_factory: pytest.TempPathFactory) -> tuple[PhantomJoint, ...]:
    folder = tmp_path_factory.mktemp("films")
    render_phantoms(
        folder, JointKind.KNEE, FILMS, planting=Planting.APART, seed=1, tell=lambda _done, _sentence: None
    )
    return read_phantoms(folder, FILMS)


@pytest.fixture(scope="module")
def data(joints: tuple[PhantomJoint, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crops")
    recipe = tiny(phantom_recipe("knee-oarsi-kl"))
    cut_phantoms(joints, recipe.crop_at(32), folder, films=FILMS, tell=lambda _done, _sentence: None)
    return folder


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return train(
        tiny(phantom_recipe("knee-oarsi-kl")),
        data,
        tmp_path_factory.mktemp("run"),
        validation_metric=agreement,
        progress=lambda *_: None,
    )


def test_the_bundle_says_that_it_learned_from_phantoms(trained: Bundle) -> None:
    assert load_bundle(trained.folder).spec.trained_on is TrainedOn.PHANTOMS
    card = (trained.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "made-up films" in card


def test_every_head_is_calibrated_by_its_own_kind_and_told_of(trained: Bundle) -> None:
    spec = trained.spec
    assert {head.kind for head in spec.heads} == set(HeadKind)
    for head in spec.heads:
        name = f"{head.feature}/{head.site}" if head.site else head.feature
        found = spec.training.metrics[f"val {name}"]
        assert found["negative_log_likelihood"] <= found["negative_log_likelihood_before"]
        assert 0.0 <= found["mean_entropy_bits"] <= np.log2(len(head.codes)) + 1e-6
        for error in ("calibration_error", "adaptive_calibration_error"):
            assert 0.0 <= found[error] <= 1.0
            assert 0.0 <= found[f"{error}_before"] <= 1.0
    unlike = spec.training.metrics["val unlikeness"]
    assert unlike["joints"] == spec.training.joints["val"]
    assert unlike["unlikeness_threshold"] == pytest.approx(spec.distance.threshold)
    assert 0.0 < unlike["share_unlike_training"] <= 0.5  # one of a few joints
    card = (trained.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    for told in ("bins of equal counts", "mean entropy", "of the validation joints lie above"):
        assert told in card


def test_every_head_of_the_bundle_is_held_against_what_is_planted(
    trained: Bundle, joints: tuple[PhantomJoint, ...]
) -> None:
    tested = [joint for joint in joints if split_of(joint, FILMS) != "train"]
    found = measure(trained, tested, Explainer(ExplainMethod.GRAD_CAM, ExplainTarget.EXPECTED))
    assert [hits.item for hits in found] == [head.item.key for head in trained.spec.heads]
    for hits in found:
        column = hits.item.replace(":", "_")
        assert hits.joints == len(tested)
        assert hits.present == sum(joint.grades[column] > 0 for joint in tested)
        assert len(hits.hits) + hits.empty == hits.called <= hits.present
        assert 0.0 <= hits.pointing <= 1.0
        assert 0.0 <= hits.mass <= 1.0


def test_labels_that_are_missing_in_validation_are_told(data: Path, tmp_path: Path) -> None:
    table = (data / "labels.csv").read_text(encoding="utf-8").splitlines()
    column = table[0].split(",").index("JSN_lateral")
    rows = [row.split(",") for row in table[1:]]
    for row in rows:
        if row[1] == "val":
            row[column] = ""
        Image.open(data / row[0]).save(tmp_path / row[0])
    (tmp_path / "labels.csv").write_text(
        "\n".join([table[0], *(",".join(row) for row in rows)]) + "\n", encoding="utf-8"
    )
    with pytest.raises(ManifestError, match="No validation joint has a grade"):
        train(
            tiny(phantom_recipe("knee-oarsi-kl")),
            tmp_path,
            tmp_path / "run",
            validation_metric=agreement,
            progress=lambda *_: None,
        )
