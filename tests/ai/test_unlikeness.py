"""The shipped bundle notices what it has not learned, and an ensemble measures it by its first member."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from reader_app.ai.bundle import Bundle, load_bundle, write_bundle
from reader_app.ai.doubt import UNLIKE_TRAINING, doubt_words
from reader_app.ai.nets.distance import fit_gaussian, load_gaussian
from reader_app.ai.nets.grader import build_grader, half_state, load_grader
from reader_app.ai.nets.heads import head_specs
from reader_app.ai.pipeline import JointImage, Pipeline
from reader_app.imaging.geometry import Box, Side
from reader_app.phantom.film import PhantomFilm
from reader_app.phantom.pelvis import PELVIS_FILM, render_pelvis
from reader_app.phantom.truth import HipTruth
from reader_app.settings import resource_path

FILM = replace(PELVIS_FILM.reduced(4), rows=400)


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return load_bundle(resource_path("models", "knee-kl"))


@pytest.fixture(scope="module")
def pelvis() -> PhantomFilm:
    return render_pelvis(HipTruth(), HipTruth(jsw_lateral_mm=1.0), FILM, seed=5)


def test_hips_are_called_unlike_the_knees_that_it_learned_from(shipped: Bundle, pelvis: PhantomFilm) -> None:
    images = []
    for side in Side:
        found = pelvis.joints[side].box
        box = Box(found.left, found.top, found.right - found.left, found.bottom - found.top)
        images.append(JointImage(pelvis.pixels, box, side.value, ""))
    (item,) = shipped.items
    for answer in Pipeline(shipped, device="cpu").pregrade_many(images):
        assert answer.unlike_training
        assert answer.out_of_distribution > 1.2 * shipped.spec.distance.threshold
        found_grade = answer.predictions[item]
        words = doubt_words(
            found_grade.probabilities, code=found_grade.code, unlike_training=answer.unlike_training
        )
        assert words[0] == UNLIKE_TRAINING


def test_of_several_members_the_first_tells_how_unlike_a_joint_is(bundle: Bundle, tmp_path: Path) -> None:
    pair = tmp_path / "pair"
    pair.mkdir()
    first = bundle.spec.members[0]
    for name in (first.file, bundle.spec.distance.file):
        (pair / name).write_bytes((bundle.folder / name).read_bytes())
    torch.manual_seed(9)
    other = build_grader(first.architecture, head_specs(bundle.spec))
    save_file(half_state(other.state_dict()), pair / "other.safetensors")
    members = (first, replace(first, file="other.safetensors", sha256=""))
    grader = load_grader(bundle.folder / first.file, first.architecture, head_specs(bundle.spec))
    crops = np.random.default_rng(0).integers(0, 256, (40, 1, 64, 64)).astype(np.float32) / 255.0
    with torch.no_grad():
        features = grader.pooled(grader.features(torch.from_numpy(crops))).numpy()
    fit_gaussian(features, 4).save(pair / bundle.spec.distance.file)
    images = [JointImage(crop[0] * 255.0, Box(0.0, 0.0, 64.0, 64.0), "R", "") for crop in crops[:2]]
    alone = write_bundle(_copy(pair, tmp_path / "alone"), replace(bundle.spec, members=(first,)))
    both = write_bundle(pair, replace(bundle.spec, members=members))
    distances = {
        made.folder.name: [
            answer.out_of_distribution for answer in Pipeline(made, device="cpu").pregrade_many(images)
        ]
        for made in (alone, both)
    }
    assert distances["pair"] == pytest.approx(distances["alone"], rel=1e-3)
    assert len(load_gaussian(pair / bundle.spec.distance.file).mean) == grader.width


def _copy(source: Path, target: Path) -> Path:
    target.mkdir()
    for file in source.iterdir():
        if file.name != "other.safetensors":
            (target / file.name).write_bytes(file.read_bytes())
    return target
