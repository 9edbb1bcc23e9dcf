"""From the best weights of a run to a bundle: rounded to half precision, then calibrated as used."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence

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
    Member,
    ProtocolRef,
    TrainingRecord,
    write_bundle,
)
from reader_app.ai.doubt import unlikeness_threshold
from reader_app.ai.localizer_weights import FinderWeights, bundle_places, weights_of
from reader_app.ai.nets.distance import FloatArray, fit_gaussian
from reader_app.ai.nets.grader import HeadSpec, half_state, load_grader
from reader_app.ai.training.calibrate import (
    HeadCalibration,
    Metric,
    calibrate_head,
    confusion,
    graded_by,
    mean_probabilities,
)
from reader_app.ai.training.card import UNLIKENESS, model_card
from reader_app.ai.training.checkpoint import EpochRecord, RunFolder
from reader_app.ai.training.examples import MISSING, CropCache, Example, build_cache
from reader_app.ai.training.loop import Predictions, Progress, predict
from reader_app.ai.training.recipe import Recipe
from reader_app.settings import software_version

MODEL_FILE, STATISTICS_FILE = "model.safetensors", "statistics.safetensors"
_RANK = 64  # directions of the feature Gaussian; the validation distances hardly change from 32 to 128


def make_bundle(
    recipe: Recipe,
    run: RunFolder,
    *,
    train: Sequence[Example],
    validation: Sequence[Example],
    validation_metric: Metric,
    progress: Progress,
) -> Bundle:
    """Write the bundle of a finished run into the run folder, under the bundle's name.

    Raises
    ------
    BundleError, ProtocolError
        The recipe does not fit its protocol.
    """
    refs = recipe.bundle.protocol_refs()
    state, best = run.load_best()
    folder = run.path / recipe.bundle.id
    shutil.rmtree(folder, ignore_errors=True)  # an earlier attempt of this very run
    folder.mkdir()
    save_file(half_state(state), folder / MODEL_FILE)
    grader = load_grader(
        folder / MODEL_FILE,
        recipe.architecture,
        [HeadSpec(head.name, len(head.classes), head.kind) for head in recipe.heads],
    )
    preprocessing = recipe.crop_at(best.size)
    progress(0.0, "Calibrating on the validation joints")
    val_cache = build_cache(validation, preprocessing)
    answers = predict(grader, val_cache, batch=recipe.batch, mirror=recipe.mirror_test)
    calibrations = _calibrate(recipe, answers, val_cache, validation_metric)
    progress(0.3, "Measuring the spread of the training joints")
    train_answers = predict(grader, build_cache(train, preprocessing), batch=recipe.batch, mirror=False)
    gaussian = fit_gaussian(train_answers.features, _RANK)
    gaussian.save(folder / STATISTICS_FILE)
    distances = gaussian.distance(answers.features)
    for file in (MODEL_FILE, STATISTICS_FILE):
        (folder / file).chmod(0o644)  # safetensors writes for the owner alone
    joints = {"train": len(train), "val": len(validation)}
    finders = weights_of(recipe.bundle, bundle_places())
    for name, source in finders.files.items():
        shutil.copyfile(source, folder / name)
    spec = _spec(recipe, best, calibrations, refs, distances, joints=joints, finders=finders)
    card = model_card(
        recipe,
        spec,
        heads=calibrations,
        confusions=_confusions(recipe, answers, val_cache, calibrations),
        best=best,
        history=run.history(),
    )
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    bundle = write_bundle(folder, spec)
    progress(1.0, f"Bundle written to {folder}")
    return bundle


def _spec(
    recipe: Recipe,
    best: EpochRecord,
    calibrations: Sequence[HeadCalibration],
    refs: tuple[ProtocolRef, ...],
    distances: FloatArray,
    *,
    joints: Mapping[str, int],
    finders: FinderWeights,
) -> BundleSpec:
    """Return the bundle's description; the hashes of its files are filled in when it is written."""
    plan = recipe.bundle
    threshold = unlikeness_threshold(distances)
    return BundleSpec(
        format=FORMAT,
        id=plan.id,
        version=plan.version,
        title=plan.title,
        licence=plan.licence,
        intended_use=plan.intended_use,
        protocols=refs,
        heads=tuple(
            BundleHead(
                head.feature,
                head.site,
                tuple(map(int, head.classes)),
                found.temperature,
                found.decision,
                head.kind,
            )
            for head, found in zip(recipe.heads, calibrations, strict=True)
        ),
        members=(Member(recipe.architecture, MODEL_FILE, ""),),
        ensemble=plan.ensemble,
        mirror_test=plan.mirror_test,
        localizer=finders.localizer,
        light_localizer=finders.light_localizer,
        landmarks=finders.landmarks,
        full_range_views=plan.full_range_views,
        preprocessing=recipe.crop_at(best.size),
        explainer=plan.explainer,
        distance=Distance(DistanceMethod.LOW_RANK_GAUSSIAN, STATISTICS_FILE, "", threshold),
        training=_record(recipe, calibrations, joints, unlikeness_figures(distances, threshold)),
        trained_on=recipe.trained_on,
    )


def unlikeness_figures(distances: FloatArray, threshold: float) -> dict[str, float]:
    """Return what the bundle says of the distances of its validation joints from the training images."""
    return {
        "joints": float(len(distances)),
        "median_distance": float(np.median(distances)),
        "unlikeness_threshold": threshold,
        "share_unlike_training": float((distances > threshold).mean()),
    }


def _calibrate(
    recipe: Recipe, answers: Predictions, cache: CropCache, metric: Metric
) -> tuple[HeadCalibration, ...]:
    found = []
    for index, (head, logits) in enumerate(zip(recipe.heads, answers.logits, strict=True)):
        graded = cache.grades[:, index] != MISSING
        truth = cache.grades[graded, index]
        found.append(calibrate_head(logits[:, graded], truth, metric, kind=head.kind))
    return tuple(found)


def _confusions(
    recipe: Recipe, answers: Predictions, cache: CropCache, calibrations: Sequence[HeadCalibration]
) -> list[list[list[int]]]:
    matrices = []
    for index, (head, found) in enumerate(zip(recipe.heads, calibrations, strict=True)):
        has_grade = cache.grades[:, index] != MISSING
        logits = answers.logits[index][:, has_grade]
        probabilities = mean_probabilities(logits, found.temperature, kind=head.kind)
        graded = graded_by(probabilities, found.decision)
        matrices.append(confusion(cache.grades[has_grade, index], graded, len(head.classes)))
    return matrices


def _record(
    recipe: Recipe,
    calibrations: Sequence[HeadCalibration],
    joints: Mapping[str, int],
    unlikeness: Mapping[str, float],
) -> TrainingRecord:
    data = recipe.data
    return TrainingRecord(
        data=data.name,
        author=data.author,
        source=data.source,
        licence=data.licence,
        split=data.split,
        joints=joints,
        metrics={
            UNLIKENESS: unlikeness,
            **{
                f"val {head.name}": {
                    name.replace("metric", f"{head.kappa_weights}_kappa"): value
                    for name, value in found.figures.items()
                }
                for head, found in zip(recipe.heads, calibrations, strict=True)
            },
        },
        software=f"{software_version()}, torch {torch.__version__}",
    )
