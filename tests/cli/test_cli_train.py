"""Training from the command line: a bundle that evaluates, and one sentence where something is wrong."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reader_app.agreement.result import Reason
from reader_app.errors import ManifestError
from reader_app.operations.train import quadratic_kappa, with_epochs
from reader_app.settings import resource_path

Cli = Callable[..., Any]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """The recipe knee-kl, small enough for a test: two epochs of tiny crops, nothing to start from."""
    text = resource_path("recipes", "knee-kl.toml").read_text(encoding="utf-8")
    text = re.sub(r"imagenet = true", "imagenet = false", text)
    text = re.sub(r"^batch = \d+", "batch = 8", text, flags=re.M)
    head, _, rest = text.partition("[[training.stages]]")
    tail = rest[rest.index("[training.augmentation]") :]
    stages = "[[training.stages]]\nsize = 32\nepochs = 1\n[[training.stages]]\nsize = 48\nepochs = 1\n"
    path = tmp_path / "small.toml"
    path.write_text(head + stages + tail, encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path, joints: Path) -> Path:
    """Sixteen joints to learn from, eight to choose by and eight to test on, made of eight pictures."""
    rows = [("image", "split", "participant", "side", "kl")]
    for split, copies in (("train", 2), ("val", 1), ("test", 1)):
        for copy in range(copies):
            for number in range(8):
                name = f"{split}-{copy}-{number}.png"
                (joints / name).write_bytes((joints / f"{number}.png").read_bytes())
                rows.append((name, split, f"{split}{copy}{number // 2}", "LR"[number % 2], str(number % 5)))
    with (joints / "labels.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return joints


def test_a_trained_bundle_can_be_evaluated(cli: Cli, recipe: Path, data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    trained = cli("train", recipe, "--data", data, "--out", run)
    assert trained.code == 0, trained.err
    assert "in 2 epochs" in trained.out
    (bundle,) = (path.parent for path in run.rglob("bundle.toml"))
    assert str(bundle) in trained.out
    assert tomllib.loads((bundle / "bundle.toml").read_text(encoding="utf-8"))["id"] == "knee-kl"
    words = ("--images", data, "--labels", data / "labels.csv", "--out", tmp_path / "figures", "--json")
    values = json.loads(cli("evaluate", bundle, *words).out)
    assert values["items"][0]["joints"] == 8
    # A finished run is not run again, and one of another recipe is not mixed with it.
    assert cli("train", recipe, "--data", data, "--out", run).code == 0
    other = cli("train", recipe, "--data", data, "--out", run, "--epochs", "3")
    assert other.code == 2
    assert "another recipe" in other.sentence


def test_what_cannot_be_trained_is_one_sentence(cli: Cli, recipe: Path, data: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "run")
    assert "does not exist" in cli("train", recipe, "--data", tmp_path / "gone", *out).sentence
    assert "no training recipe" in cli("train", "hip-kl", "--data", data, *out).sentence
    assert "at least one epoch" in cli("train", recipe, "--data", data, *out, "--epochs", "0").sentence
    (data / "labels.csv").write_text("image,split\nx.png,train\n")
    assert "must have the columns" in cli("train", recipe, "--data", data, *out).sentence


def test_epochs_are_spread_over_the_stages_and_the_last_size_stays() -> None:
    from reader_app.ai.training import load_recipe

    shipped = load_recipe("knee-kl")
    for epochs in (1, 2, 3, 5, shipped.epochs, 40):
        changed = with_epochs(shipped, epochs)
        assert changed.epochs == epochs
        assert changed.stages[-1].size == shipped.stages[-1].size
        assert all(stage.epochs > 0 for stage in changed.stages)
    assert with_epochs(shipped, shipped.epochs) == shipped


def test_the_metric_is_quadratic_kappa_and_refuses_what_has_none() -> None:
    from sklearn.metrics import cohen_kappa_score

    random = np.random.default_rng(0)
    truth, graded = random.integers(0, 5, (2, 60))
    assert quadratic_kappa(truth, graded) == pytest.approx(
        cohen_kappa_score(truth, graded, weights="quadratic", labels=range(5))
    )
    assert quadratic_kappa(truth, np.zeros_like(truth)) == pytest.approx(0)
    same = np.ones(5, dtype=np.int64)
    with pytest.raises(ManifestError, match="cannot be scored") as caught:
        quadratic_kappa(same, same)
    assert Reason.NO_VARIATION.value not in str(caught.value)
