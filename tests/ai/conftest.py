"""A real, small bundle with random weights, made once: as a shipped one, but for the knowledge."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault(
    "OMP_WAIT_POLICY", "PASSIVE"
)  # before torch: its threads must not spin on a busy machine

import torch
from safetensors.torch import save_file

from reader_app.ai.bundle import Bundle, BundleHead, Decision, Member, ProtocolRef, write_bundle
from reader_app.ai.crop import Preprocessing
from reader_app.ai.nets.distance import fit_gaussian
from reader_app.ai.nets.grader import HeadSpec, build_grader, half_state
from reader_app.settings import HOME_VARIABLE
from tests.small_bundles import small_spec

ARCHITECTURE = "tf_efficientnet_lite0"
SIZE = 64


def make_bundle(folder: Path, *, seed: int = 0, size: int = SIZE) -> Bundle:
    """Write a bundle with two heads of random weights."""
    folder.mkdir(parents=True)
    torch.manual_seed(seed)
    heads = (
        BundleHead("KL", "", (0, 1, 2, 3, 4), 1.0, Decision.ROUNDED),
        BundleHead("FO", "medial", (0, 1, 2, 3), 1.5, Decision.LIKELIEST),
    )
    grader = build_grader(ARCHITECTURE, [HeadSpec(head.item.key, len(head.codes)) for head in heads])
    save_file(half_state(grader.state_dict()), folder / "model.safetensors")
    features = np.random.default_rng(seed).normal(size=(64, grader.width)).astype(np.float32)
    fit_gaussian(features, 8).save(folder / "statistics.safetensors")
    spec = small_spec(
        id="test-bundle",
        version="0.0.1",
        protocols=(ProtocolRef("knee-test", "ab" * 32),),
        heads=heads,
        members=(Member(ARCHITECTURE, "model.safetensors", ""),),
        mirror_test=True,
        preprocessing=Preprocessing(size=size),
    )
    return write_bundle(folder, spec)


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Measured choices and compiled networks go into a folder of the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundles") / "test-bundle")
