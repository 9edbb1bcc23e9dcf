"""Bundles without networks: whole and verified, with a few numbers for weights, for all that runs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from reader_app.ai.bundle import (
    FORMAT,
    Bundle,
    BundleHead,
    BundleSpec,
    Decision,
    Distance,
    DistanceMethod,
    EnsembleRule,
    Explainer,
    ExplainMethod,
    ExplainTarget,
    Localizer,
    LocalizerMethod,
    Member,
    ProtocolRef,
    TrainingRecord,
    write_bundle,
)
from reader_app.ai.crop import Preprocessing
from reader_app.protocols.loader import find_protocol

KL_HEAD = BundleHead("KL", "", (0, 1, 2, 3, 4), 1.0, Decision.ROUNDED)


def small_spec(**changes: Any) -> BundleSpec:
    """Return the description of a bundle for the protocol knee-kl, with changes."""
    values: dict[str, Any] = {
        "format": FORMAT,
        "id": "small-knees",
        "version": "1.0.0",
        "title": "A few numbers",
        "licence": "Apache-2.0",
        "intended_use": "tests only",
        "protocols": (ProtocolRef("knee-kl", find_protocol("knee-kl").sha256),),
        "heads": (KL_HEAD,),
        "members": (Member("tf_efficientnet_lite0", "model.safetensors", ""),),
        "ensemble": EnsembleRule.MEAN_PROBABILITY,
        "mirror_test": False,
        "localizer": Localizer(LocalizerMethod.BILATERAL_SPLIT),
        "preprocessing": Preprocessing(size=64),
        "explainer": Explainer(ExplainMethod.GRAD_CAM, ExplainTarget.GRADE),
        "distance": Distance(DistanceMethod.LOW_RANK_GAUSSIAN, "statistics.safetensors", "", 2.0),
        "training": TrainingRecord("none", "nobody", "nowhere", "none", "none", {"train": 3}, {}, "tests"),
    }
    return BundleSpec(**values | changes)


def small_bundle(folder: Path, *, seed: int = 0, **changes: Any) -> Bundle:
    """Write a bundle with a tensor of a hundred random numbers in every file."""
    spec = small_spec(**changes)
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    for name in spec.files:
        save_file({"weights": random.normal(size=100).astype(np.float32)}, folder / name)
    (folder / "MODEL_CARD.md").write_text("# A card\n", encoding="utf-8")
    return write_bundle(folder, spec)
