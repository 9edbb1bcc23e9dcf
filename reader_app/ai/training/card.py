"""The model card: what a bundle is made of, what it reached and what it must not be used for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reader_app.ai.bundle_spec import BundleSpec
from reader_app.ai.recipe import BundleRecipe
from reader_app.ai.training.calibrate import HeadCalibration
from reader_app.ai.training.card_words import MADE_UP, licence, limits
from reader_app.ai.training.checkpoint import EpochRecord
from reader_app.ai.training.recipe import Recipe

INTENDED_USE = "research use only, not a medical device"
UNLIKENESS = "val unlikeness"
"""Name of the figures on the distances of the validation joints, beside those of the heads."""


def model_card(
    recipe: Recipe,
    spec: BundleSpec,
    *,
    heads: Sequence[HeadCalibration],
    confusions: Sequence[list[list[int]]],
    best: EpochRecord,
    history: Sequence[EpochRecord],
) -> str:
    """Return the card as Markdown; every figure in it was worked out in this run, on validation joints."""
    data = recipe.data
    parts = [
        f"# {spec.id} {spec.version}",
        *filter(None, [MADE_UP.get(spec.trained_on)]),
        spec.title + ".",
        f"**{INTENDED_USE[0].upper()}{INTENDED_USE[1:]}.** It proposes a grade beside a probability for "
        "every grade; a reader looks at the radiograph, the box and the heatmap, and decides.",
        "## Training data",
        f"{data.author} {data.name}. {data.source}. Licence: {data.licence}.",
        f"Split {data.split}: {_joints(spec)}. The epoch, the temperature, the decision rule and the "
        "threshold of unlikeness were chosen on the validation joints; joints of other splits were "
        "not looked at.",
        "## Model",
        _model(recipe, spec, best),
        "## Figures on the validation joints",
        "They chose the model, so they flatter it; `reader-app evaluate` gives those of joints kept apart.",
    ]
    for head, calibration, matrix in zip(recipe.heads, heads, confusions, strict=True):
        parts += [
            f"### {head.name}",
            _figures(head.kappa_weights, calibration),
            _matrix(head.classes, matrix),
        ]
    parts += [
        "## Course of the training",
        _history(history),
        "## Limits",
        limits(spec),
        "## Licence",
        licence(recipe, spec),
    ]
    return "\n\n".join(parts) + "\n"


def untrained_card(spec: BundleSpec, recipe: BundleRecipe) -> str:
    """Return the card of a bundle of random weights as Markdown."""
    parts = [
        f"# {spec.id} {spec.version}, untrained",
        "**These networks have learned nothing: their weights are random numbers.** The bundle measures "
        "speed and serves tests. No study takes it.",
        recipe.title + ".",
        f"It is laid out as the recipe “{recipe.id}” says: {recipe.source.strip()}",
        f"A bundle that grades needs: {recipe.training_data}.",
    ]
    return "\n\n".join(parts) + "\n"


def _joints(spec: BundleSpec) -> str:
    return ", ".join(f"{count:,} {split}" for split, count in spec.training.joints.items())


def _model(recipe: Recipe, spec: BundleSpec, best: EpochRecord) -> str:
    crop = spec.preprocessing
    mirrored = "The answer is the mean of the crop's and its mirror image's. " if spec.mirror_test else ""
    return (
        f"{recipe.architecture}, one grey channel, {crop.size} x {crop.size} px, one linear head per "
        f"feature, half precision on disk ({', '.join(spec.files)}). Crops are stretched between the "
        f"{crop.low_percentile:g} and {crop.high_percentile:g} percentile and standardised one by "
        f"one. {mirrored}"
        f"Weights: exponential average after epoch {best.epoch + 1} of {recipe.epochs}. Heatmap: "
        f"{spec.explainer.method} of the {spec.explainer.target.value.replace('-', ' ')}. Unlikeness: "
        f"{spec.distance.method} over pooled features, threshold {spec.distance.threshold:.2f}: "
        f"{_above(spec)} of the validation joints lie above."
    )


def _above(spec: BundleSpec) -> str:
    """Return the share of the validation joints past the threshold of unlikeness."""
    return f"{100.0 * spec.training.metrics[UNLIKENESS]['share_unlike_training']:.1f} %"


def _figures(weights: str, calibration: HeadCalibration) -> str:
    found = calibration.figures
    rows = [
        (f"{weights} kappa, likeliest grade", f"{found['metric_likeliest']:.3f}"),
        (f"{weights} kappa, rounded expected grade", f"{found['metric_rounded']:.3f}"),
        ("decision rule", calibration.decision.value),
        ("accuracy", f"{100 * found['accuracy']:.1f} %"),
        ("balanced accuracy", f"{100 * found['balanced_accuracy']:.1f} %"),
        ("temperature", f"{calibration.temperature:.3f}"),
        ("negative log-likelihood before / after", _pair(found, "negative_log_likelihood")),
        ("calibration error, 15 equal bins, before / after", _pair(found, "calibration_error")),
        (
            "calibration error, bins of equal counts, before / after",
            _pair(found, "adaptive_calibration_error"),
        ),
        ("mean entropy", f"{found['mean_entropy_bits']:.2f} bits"),
        ("joints", f"{found['joints']:.0f}"),
    ]
    return "| figure | value |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows)


def _pair(found: Mapping[str, float], name: str) -> str:
    return f"{found[f'{name}_before']:.3f} / {found[name]:.3f}"


def _matrix(classes: Sequence[str], matrix: list[list[int]]) -> str:
    lines = [
        "Rows: reference grade; columns: grade given.",
        "",
        "| | " + " | ".join(classes) + " |",
        "|---|" + "---|" * len(classes),
    ]
    lines += [
        f"| {name} | " + " | ".join(str(n) for n in row) + " |"
        for name, row in zip(classes, matrix, strict=True)
    ]
    return "\n".join(lines)


def _history(history: Sequence[EpochRecord]) -> str:
    lines = ["| epoch | px | loss | likeliest | rounded | balanced accuracy |", "|---|---|---|---|---|---|"]
    for record in history:
        figures = (record.loss, record.metric, record.metric_rounded, record.balanced_accuracy)
        lines.append(
            f"| {record.epoch + 1} | {record.size} | {' | '.join(f'{value:.3f}' for value in figures)} |"
        )
    return "\n".join(lines)
