from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from reader_app.ai.bundle import Decision, load_bundle
from reader_app.ai.bundle_spec import TrainedOn
from reader_app.ai.pipeline import JointImage, Pipeline
from reader_app.ai.training import load_recipe, recipe_names, train
from reader_app.ai.training.augment import augment
from reader_app.ai.training.calibrate import calibrate_head, fit_temperature, mean_probabilities
from reader_app.ai.training.examples import MISSING, read_examples
from reader_app.ai.training.loop import Trainer
from reader_app.ai.training.loss import ordinal_loss, soft_targets
from reader_app.ai.training.recipe import Recipe, Schedule, Stage, recipe_from_table
from reader_app.ai.training.schedule import one_cycle
from reader_app.errors import BundleError, ManifestError, ReaderError
from reader_app.imaging.geometry import Box


def agreement(truth: npt.NDArray[np.int64], graded: npt.NDArray[np.int64]) -> float:
    return float((truth == graded).mean())


def tiny(recipe: Recipe) -> Recipe:
    return replace(
        recipe, imagenet=False, batch=8, stages=(Stage(32, 1), Stage(48, 2)), average_decay=0.5, drop_path=0.0
    )


def make_data(folder: Path, *, participants: int = 20) -> Path:
    """Joints whose grade is how wide their bright bar is."""
    folder.mkdir()
    generator = np.random.default_rng(7)
    rows = []
    for participant in range(participants):
        split = "train" if participant % 4 else "val"
        for side in "LR":
            grade = (participant + (side == "L")) % 5
            pixels = generator.normal(60, 8, (64, 64))
            pixels[:, 28 - 4 * grade : 36 + 4 * grade] += 120
            name = f"{participant}{side}.png"
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / name)
            rows.append([name, split, f"P{participant}", side, str(grade)])
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["image", "split", "participant", "side", "kl"], *rows])
    return folder


class Killed(Exception):
    pass


def test_a_run_goes_from_labels_to_a_bundle_and_a_killed_one_ends_the_same(tmp_path: Path) -> None:
    data, recipe = make_data(tmp_path / "data"), tiny(load_recipe("knee-kl"))
    told: list[float] = []

    def kill_after_an_epoch(done: float, sentence: str) -> None:
        if "Epoch 2 of 3" in sentence:
            raise Killed

    bundle = train(
        recipe,
        data,
        tmp_path / "whole",
        validation_metric=agreement,
        progress=lambda done, _: told.append(done),
    )
    with pytest.raises(Killed):
        train(recipe, data, tmp_path / "cut", validation_metric=agreement, progress=kill_after_an_epoch)
    again = train(recipe, data, tmp_path / "cut", validation_metric=agreement, progress=lambda *_: None)

    assert told[-1] == 1.0
    assert told == sorted(told)
    assert load_bundle(bundle.folder).sha256 == bundle.sha256
    bundle.check_protocol(*next((p.id, p.sha256) for p in bundle.spec.protocols))
    card = (bundle.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    for expected in (
        "56rmx5bjcr",
        "CC BY 4.0",
        "Osteoarthritis Initiative",
        "not a medical device",
        "10 val",
    ):
        assert expected in card
    history, cut_history = (
        list(csv.DictReader((tmp_path / run / "history.csv").read_text().splitlines()))
        for run in ("whole", "cut")
    )
    assert [row["size"] for row in history] == ["32", "48", "48"]
    for row, other in zip(history, cut_history, strict=True):
        assert float(row["loss"]) == pytest.approx(float(other["loss"]), rel=1e-3)
    one, other_bundle = (b.spec.training.metrics["val KL"] for b in (bundle, again))
    assert one == pytest.approx(other_bundle, rel=1e-2)
    shipped_size = bundle.spec.preprocessing.size
    pixels = np.asarray(Image.open(data / "0R.png"))
    result = Pipeline(bundle, device="cpu", threads=1).pregrade(
        JointImage(pixels, Box(0, 0, 64, 64), "R", "")
    )
    assert result.details["preprocessing"].endswith(f"{shipped_size} px")
    with pytest.raises(BundleError, match="another recipe"):
        train(
            replace(recipe, seed=1),
            data,
            tmp_path / "cut",
            validation_metric=agreement,
            progress=lambda *_: None,
        )


def test_every_recipe_that_comes_along_loads_and_reads_back() -> None:
    for name in recipe_names():
        recipe = load_recipe(name)
        assert recipe_from_table(json.loads(json.dumps(recipe.to_table()))) == recipe
        assert recipe.bundle.id == name
    with pytest.raises(BundleError, match="no training recipe"):
        load_recipe("unheard-of")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t["training"].pop("seed"), "lacks the key “seed”"),
        (lambda t: t.update(surprise=1), "unknown key “surprise”"),
        (lambda t: t["training"].update(surprise=1), "unknown key “surprise”"),
        (lambda t: t["training"].update(batch="many"), "recipe.training.batch must be a whole number"),
        (lambda t: t["training"]["stages"][0].update(size=2.5), "recipe.training.stages[0].size"),
        (lambda t: t["bundle"]["heads"][0].update(codes=[0]), "two different classes"),
        (lambda t: t["bundle"].update(localizer="crystal ball"), "recipe.bundle.localizer"),
    ],
)
def test_a_wrong_recipe_is_told_by_key(change: Callable[[dict[str, Any]], object], told: str) -> None:
    table = json.loads(json.dumps(load_recipe("knee-kl").to_table()))
    change(table)
    with pytest.raises(BundleError) as caught:
        recipe_from_table(table)
    assert told in caught.value.what


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("0L.png,val,P0", "0L.png,train,P0", "more than one split"),
        ("0L.png,", "0R.png,", "more than once"),
        ("0L.png,", "gone.png,", "does not exist"),
        ("P0,L,", "P0,X,", "side must be L or R"),
        ("P0,L,1", "P0,L,9", "no grade of kl"),
        ("participant", "person", "must have the columns"),
    ],
)
def test_faults_of_the_labels_are_told_before_the_first_epoch(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    data = make_data(tmp_path / "data", participants=4)
    table = data / "labels.csv"
    text = table.read_text()
    assert old in text
    table.write_text(text.replace(old, new, 1))
    with pytest.raises(ManifestError) as caught:
        read_examples(data, "val", load_recipe("knee-kl").heads)
    assert told in caught.value.what


def test_an_empty_label_is_masked_and_does_not_count(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data", participants=4)
    table = data / "labels.csv"
    table.write_text(table.read_text().replace("P0,L,1", "P0,L,"))
    grades = [example.grades for example in read_examples(data, "val", load_recipe("knee-kl").heads)]
    assert (MISSING,) in grades
    logits, targets = torch.randn(3, 5), soft_targets(5, 0.5)
    known = ordinal_loss(logits[:2], torch.tensor([1, 4]), targets, expectation_weight=0.2)
    masked = ordinal_loss(logits, torch.tensor([1, 4, MISSING]), targets, expectation_weight=0.2)
    torch.testing.assert_close(known, masked)
    assert ordinal_loss(logits, torch.full((3,), MISSING), targets, expectation_weight=0.2) == 0


def test_missing_by_two_grades_costs_more_than_missing_by_one() -> None:
    targets = soft_targets(5, 0.5)
    torch.testing.assert_close(targets.sum(1), torch.ones(5))
    sure = torch.eye(5) * 6.0
    costs = [
        float(ordinal_loss(sure[[g]], torch.tensor([0]), targets, expectation_weight=0.2)) for g in range(5)
    ]
    assert costs == sorted(costs)
    assert costs[2] > costs[1] + 0.1


def test_augmentation_is_reproducible_and_keeps_the_range() -> None:
    crops = torch.rand(6, 1, 40, 40, generator=torch.Generator().manual_seed(0))
    strength = load_recipe("knee-kl").augmentation
    one = augment(crops, strength, mirror=True, generator=torch.Generator().manual_seed(2))
    same = augment(crops, strength, mirror=True, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(one, same)
    assert one.shape == crops.shape
    assert float(one.min()) >= 0.0
    assert float(one.max()) <= 1.0
    assert (one - crops).abs().mean() > 0.02


def test_without_strength_augmentation_changes_nothing() -> None:
    crops = torch.rand(2, 1, 24, 24, generator=torch.Generator().manual_seed(0)).clamp(0.01, 0.99)
    nothing = replace(
        load_recipe("knee-kl").augmentation,
        **dict.fromkeys(type(load_recipe("knee-kl").augmentation).__dataclass_fields__, 0),
    )
    same = augment(crops, nothing, mirror=False, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(same, crops, atol=1e-5, rtol=0)


def test_the_learning_rate_rises_then_falls() -> None:
    rates = [one_cycle(step, 100, peak=1.0, warmup_fraction=0.2) for step in range(100)]
    assert rates[0] == pytest.approx(1 / 25)
    assert max(rates) == rates[20] == pytest.approx(1.0)
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert rates[-1] < 0.01


def test_the_temperature_that_was_planted_is_found() -> None:
    generator = np.random.default_rng(3)
    true_logits = generator.normal(0, 2, (20_000, 5)).astype(np.float32)
    probabilities = mean_probabilities(true_logits[None])
    truth = (probabilities.cumsum(axis=1) > generator.random((20_000, 1))).argmax(axis=1)
    too_sure = (true_logits * 2.5)[None]
    assert fit_temperature(too_sure, truth) == pytest.approx(2.5, rel=0.05)
    found = calibrate_head(too_sure, truth, agreement)
    assert found.figures["calibration_error"] < 0.3 * found.figures["calibration_error_before"]
    assert found.decision is Decision.LIKELIEST


def test_every_fault_here_has_a_way_out() -> None:
    with pytest.raises(ReaderError) as caught:
        load_recipe(Path("nowhere") / "recipe.toml")
    assert caught.value.next_step


def test_a_card_says_on_top_what_a_bundle_of_phantoms_is_and_where_its_weights_began(tmp_path: Path) -> None:
    data, recipe = make_data(tmp_path / "data"), tiny(load_recipe("knee-kl"))
    recipe = replace(recipe, trained_on=TrainedOn.PHANTOMS, stages=(Stage(32, 1),))
    bundle = train(recipe, data, tmp_path / "run", validation_metric=agreement, progress=lambda *_: None)
    assert bundle.spec.trained_on is TrainedOn.PHANTOMS
    card = (bundle.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "grades such films alone" in card.split("\n\n")[1]
    assert "not a medical device" in card
    assert "started from random numbers" in card, "this recipe has imagenet = false"
    assert "middle-aged" not in card


def test_the_random_square_lies_within_the_crop_and_reaches_its_rim() -> None:
    strength = replace(
        load_recipe("knee-kl").augmentation,
        **dict.fromkeys(type(load_recipe("knee-kl").augmentation).__dataclass_fields__, 0),
    )
    ramp = torch.linspace(0.1, 0.9, 50)[None, None, None, :].repeat(200, 1, 50, 1)
    cut = augment(
        ramp,
        replace(strength, random_crop=40),
        mirror=False,
        generator=torch.Generator().manual_seed(5),
    )
    assert cut.shape == (200, 1, 40, 40)
    step = 0.8 / 49
    torch.testing.assert_close(cut[:, 0, 0, 39] - cut[:, 0, 0, 0], torch.full((200,), 39 * step))
    first = (cut[:, 0, 0, 0] - 0.1) / step
    assert -0.51 <= float(first.min()) < 0.5
    assert 9.5 < float(first.max()) <= 10.51


def test_an_ensemble_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="for 10 networks"):
        train(
            load_recipe("knee-oarsi-kl"),
            tmp_path / "gone",
            tmp_path / "run",
            validation_metric=agreement,
            progress=lambda *_: None,
        )
    assert not (tmp_path / "run").exists()


def test_heads_alone_learn_while_the_body_stands_still_and_the_rate_is_the_stages(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    recipe = replace(
        tiny(load_recipe("knee-kl")),
        schedule=Schedule.BY_STAGE,
        peak_learning_rate=0.0,
        average_decay=0.0,
        dropout=0.0,
        stages=(Stage(32, 1, learning_rate=1e-2, heads_only=True), Stage(32, 1, learning_rate=1e-3)),
    )
    trainer = Trainer(
        recipe,
        train=read_examples(data, "train", recipe.heads),
        validation=read_examples(data, "val", recipe.heads),
        folder=tmp_path / "run",
        validation_metric=agreement,
        progress=lambda *_: None,
    )
    weights = {name: p.detach().clone() for name, p in trainer.grader.named_parameters()}
    bodies: list[bool] = []

    def watch(done: float, sentence: str) -> None:
        if sentence.startswith("Epoch 1 at"):
            bodies.extend(
                torch.equal(p.detach(), weights[name])
                for name, p in trainer.grader.named_parameters()
                if name.startswith("body.")
            )

    trainer.progress = watch
    trainer.run()
    assert bodies
    assert all(bodies)
    assert [record.learning_rate for record in trainer.history] == [1e-2, 1e-3]
    assert not all(torch.equal(p.detach(), weights[name]) for name, p in trainer.grader.named_parameters())
