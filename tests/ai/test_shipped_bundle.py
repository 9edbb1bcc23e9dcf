from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from reader_app.ai.bundle import Bundle, load_bundle
from reader_app.ai.pipeline import JointImage, Pipeline
from reader_app.imaging.display import gray_bone_bright
from reader_app.imaging.files import read_radiograph
from reader_app.imaging.geometry import Box
from reader_app.operations.train import quadratic_kappa
from reader_app.protocols.loader import find_protocol
from reader_app.settings import resource_path


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return load_bundle(resource_path("models", "knee-kl"))


def test_it_fits_the_protocol_that_is_shipped_with_it(shipped: Bundle) -> None:
    protocol = find_protocol("knee-kl")
    assert protocol.bundle == shipped.id
    shipped.check_protocol(protocol.id, protocol.sha256)
    assert set(shipped.items) == set(protocol.items)


def test_it_is_small_and_says_what_it_is(shipped: Bundle) -> None:
    assert sum(file.stat().st_size for file in shipped.folder.iterdir()) < 25_000_000
    card = (shipped.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    for expected in (shipped.version, "56rmx5bjcr", "CC BY 4.0", "not a medical device", "## Limits"):
        assert expected in card


def test_it_grades_real_knees_as_its_card_says_and_knows_what_is_no_knee(
    shipped: Bundle, shared: Path
) -> None:
    folder = shared / "data" / "knee-kl"
    with (folder / "labels.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["split"] == "val"][::6]
    images = [
        JointImage(
            gray_bone_bright(read_radiograph(folder / row["image"])), Box(0, 0, 224, 224), row["side"], ""
        )
        for row in rows
    ]
    pipeline = Pipeline(shipped, device="cpu")
    results = pipeline.pregrade_many(images)
    (item,) = shipped.items
    graded = np.array([result.predictions[item].code for result in results])
    truth = np.array([int(row["kl"]) for row in rows])
    assert quadratic_kappa(truth, graded) > 0.72  # 138 of the 826 joints behind the card's 0.82
    assert np.mean([result.unlike_training for result in results]) < 0.06
    noise = np.random.default_rng(0).normal(size=(224, 224))
    assert pipeline.pregrade(JointImage(noise, Box(0, 0, 224, 224), "R", "")).unlike_training
