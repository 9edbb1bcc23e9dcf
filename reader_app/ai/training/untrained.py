"""A whole bundle of random weights: for measuring speed and for tests, never for a grade."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from reader_app.ai.bundle import (
    FORMAT,
    Bundle,
    BundleHead,
    BundleSpec,
    Distance,
    DistanceMethod,
    Localizer,
    Member,
    TrainingRecord,
    write_bundle,
)
from reader_app.ai.bundle_spec import Landmarks, TrainedOn
from reader_app.ai.nets.detectors import build_detector
from reader_app.ai.nets.distance import FeatureGaussian
from reader_app.ai.nets.grader import build_grader, half_state
from reader_app.ai.nets.heads import head_specs
from reader_app.ai.nets.landmarks import LandmarkNet
from reader_app.ai.recipe import BundleRecipe, RecipeLocalizer
from reader_app.ai.training.card import untrained_card
from reader_app.settings import software_version

_DIRECTIONS = 8  # of the made-up statistics
_THRESHOLD = 2.0


def untrained_bundle(recipe: BundleRecipe, folder: Path, *, seed: int = 0) -> Bundle:
    """Write a bundle with everything that a recipe names, and random weights.

    It says of itself that it was trained on nothing, and no study takes it.

    Parameters
    ----------
    folder
        Is made; must not be there yet, or be empty.
    seed
        Every network gets a seed of its own that follows from it.

    Raises
    ------
    BundleError
        The recipe does not fit its protocol, or names an unknown architecture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    spec = _spec(recipe)
    heads = head_specs(spec)
    for number, member in enumerate(spec.members):
        torch.manual_seed(seed + number)
        grader = build_grader(member.architecture, heads)
        _save(folder, member.file, grader.state_dict())
        if number == 0:
            _statistics(grader.width, seed).save(folder / spec.distance.file)
            (folder / spec.distance.file).chmod(0o644)
    for localizer in (spec.localizer, spec.light_localizer):
        if localizer is not None and localizer.method.is_network:
            torch.manual_seed(seed)
            detector = build_detector(localizer.method, localizer.size, localizer.classes)
            _save(folder, localizer.file, detector.state_dict())
    if spec.landmarks is not None:
        torch.manual_seed(seed)
        _save(folder, spec.landmarks.file, LandmarkNet(len(spec.landmarks.points)).state_dict())
    (folder / "MODEL_CARD.md").write_text(untrained_card(spec, recipe), encoding="utf-8")
    return write_bundle(folder, spec)


def member_files(recipe: BundleRecipe) -> tuple[Member, ...]:
    """Return the members of a recipe's bundle, one for every architecture, fold and copy."""
    members = []
    for plan in recipe.members:
        for fold in range(1, plan.folds + 1) if plan.folds else (0,):
            for copy in range(1, plan.copies + 1):
                parts = [plan.architecture.replace("_", "-")]
                parts += [f"fold{fold}"] if plan.folds else []
                parts += [f"copy{copy}"] if plan.copies > 1 else []
                members.append(Member(plan.architecture, f"{'-'.join(parts)}.safetensors", "", fold))
    return tuple(members)


def _spec(recipe: BundleRecipe) -> BundleSpec:
    return BundleSpec(
        format=FORMAT,
        id=recipe.id,
        version=recipe.version,
        title=recipe.title,
        licence=recipe.licence,
        intended_use=recipe.intended_use,
        protocols=recipe.protocol_refs(),
        heads=tuple(
            BundleHead(head.feature, head.site, head.codes, 1.0, head.decision, head.kind)
            for head in recipe.heads
        ),
        members=member_files(recipe),
        ensemble=recipe.ensemble,
        mirror_test=recipe.mirror_test,
        localizer=_localizer(recipe.localizer, "localizer.safetensors"),
        preprocessing=recipe.crop,
        explainer=recipe.explainer,
        distance=Distance(DistanceMethod.LOW_RANK_GAUSSIAN, "statistics.safetensors", "", _THRESHOLD),
        training=TrainingRecord(
            data="none",
            author="nobody",
            source="random numbers",
            licence=recipe.licence,
            split="none",
            joints={},
            metrics={},
            software=f"{software_version()}, torch {torch.__version__}",
        ),
        light_localizer=None
        if recipe.light_localizer is None
        else _localizer(recipe.light_localizer, "light-localizer.safetensors"),
        landmarks=None
        if recipe.landmarks is None
        else Landmarks(
            "landmarks.safetensors",
            "",
            recipe.landmarks.size,
            recipe.landmarks.margin,
            recipe.landmarks.points,
        ),
        auxiliary=recipe.auxiliary,
        full_range_views=recipe.full_range_views,
        trained_on=TrainedOn.NOTHING,
    )


def _localizer(plan: RecipeLocalizer, file: str) -> Localizer:
    if not plan.method.is_network:
        return Localizer(plan.method)
    return Localizer(plan.method, file, "", plan.size, plan.classes, plan.threshold)


def _save(folder: Path, name: str, state: dict[str, torch.Tensor]) -> None:
    save_file(half_state(state), folder / name)
    (folder / name).chmod(0o644)  # safetensors writes for the owner alone


def _statistics(width: int, seed: int) -> FeatureGaussian:
    """Return statistics of the right shape that describe nothing."""
    random = np.random.default_rng(seed)
    directions, _ = np.linalg.qr(random.normal(size=(width, _DIRECTIONS)))
    return FeatureGaussian(
        mean=np.zeros(width, dtype=np.float32),
        directions=directions.astype(np.float32),
        variances=np.ones(_DIRECTIONS, dtype=np.float32),
        noise=1.0,
    )
