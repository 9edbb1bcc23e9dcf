"""Evaluating a bundle: the figures are those of an independent library, and a wrong table is one sentence."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    roc_auc_score,
)

Cli = Callable[..., Any]
GRADES = (0, 1, 2, 3, 4, 2, 0, 3)


def test_the_figures_are_those_of_an_independent_library(
    cli: Cli, bundle: Path, joints: Path, tmp_path: Path
) -> None:
    out = tmp_path / "figures"
    words = ("--images", joints, "--labels", joints / "labels.csv", "--out", out, "--device", "cpu")
    outcome = cli("evaluate", bundle, *words, "--json")
    assert outcome.code == 0, outcome.err
    with (out / "predictions.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    truth = [int(row["reference"]) for row in rows]
    graded = [int(row["graded"]) for row in rows]
    score = [sum(float(row[f"p_{code}"]) for code in (2, 3, 4)) for row in rows]
    assert tuple(truth) == GRADES
    values = json.loads((out / "evaluation.json").read_text())
    assert values == json.loads(outcome.out)
    (item,) = values["items"]
    assert (item["item"], item["joints"], item["participants"], item["present_from"]) == ("KL", 8, 4, 2)
    codes = [0, 1, 2, 3, 4]
    assert item["matrix"] == confusion_matrix(truth, graded, labels=codes).tolist()
    for name, weights in (("kappa_linear", "linear"), ("kappa_quadratic", "quadratic")):
        expected = cohen_kappa_score(truth, graded, labels=codes, weights=weights)
        assert item[name]["value"] == pytest.approx(expected, abs=1e-9)
    assert item["accuracy"]["value"] == pytest.approx(accuracy_score(truth, graded))
    assert item["balanced_accuracy"]["value"] == pytest.approx(balanced_accuracy_score(truth, graded))
    positive = [grade >= 2 for grade in truth]
    assert item["auc"]["value"] == pytest.approx(roc_auc_score(positive, score), abs=1e-4)
    assert len(set(graded)) > 2, "too few different grades to tell one figure from another"
    low, high = item["auc"]["interval"]["low"], item["auc"]["interval"]["high"]
    assert 0 <= low <= item["auc"]["value"] <= high <= 1
    assert [each["image"] for each in values["unreadable"]] == ["cut.png"]
    assert "split “test”" in values["notes"][0]
    assert values["bundle"] == "random-knees"


def test_the_page_for_people_says_what_it_rests_on(
    cli: Cli, bundle: Path, joints: Path, tmp_path: Path
) -> None:
    words = ("--images", joints, "--labels", joints / "labels.csv", "--out", tmp_path / "figures")
    page = cli("evaluate", bundle, *words).out
    assert "KL: 8 joints of 4 participants" in page
    assert "AUC for KL >= 2" in page
    assert "cut.png" in page
    assert "as nothing else was asked" in page


@pytest.mark.parametrize(
    ("change", "words", "expected"),
    [
        (("0.png,test", "none.png,test"), (), "line 2: the image “none.png” does not exist"),
        (("1.png,test", "0.png,test"), (), None),
        (("1.png,test,p0,R", "0.png,test,p0,L"), (), "is named twice for the same joint"),
        (("p0,L,0", "p0,L,5"), (), "the grade “5” in “kl” is outside its scale (0, 1, 2, 3, 4)"),
        (("p0,L,0", "p0,both,0"), (), "the side “both” is none of R, L or empty"),
        (("Image,", "Picture,"), (), "needs the column “image” and “kl”"),
        ((",KL", ",JSN"), (), "needs the column “image” and “kl”"),
        (("Split", "Part"), ("--split", "test"), "has no column “split”"),
        (("x", "x"), ("--split", "val"), "has no row of the split “val”"),
    ],
)
def test_a_wrong_table_is_one_sentence(
    cli: Cli,
    bundle: Path,
    joints: Path,
    tmp_path: Path,
    change: tuple[str, str],
    words: tuple[str, ...],
    expected: str | None,
) -> None:
    table = joints / "labels.csv"
    table.write_text(table.read_text().replace(*change))
    out = tmp_path / "figures"
    outcome = cli("evaluate", bundle, "--images", joints, "--labels", table, "--out", out, *words)
    if expected is None:  # one film may be graded on both sides
        assert outcome.code == 0
        return
    assert outcome.code == 2
    assert expected in outcome.sentence
    assert not out.exists()


def test_a_folder_or_bundle_that_is_not_there_is_one_sentence(
    cli: Cli, bundle: Path, joints: Path, tmp_path: Path
) -> None:
    words = ("--labels", joints / "labels.csv", "--out", tmp_path / "figures")
    assert "does not exist" in cli("evaluate", bundle, "--images", tmp_path / "gone", *words).sentence
    assert "is not installed" in cli("evaluate", "nobody", "--images", joints, *words).sentence
    assert "There is no bundle in" in cli("evaluate", bundle / "x", "--images", joints, *words).sentence
    assert "is no bundle" in cli("evaluate", joints, "--images", joints, *words).sentence
    assert "none of auto" in cli("evaluate", bundle, "--images", joints, *words, "--device", "gpu").err
