"""From validation answers to what a bundle says of itself: temperature, decision rule, threshold, figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from reader_app.ai.bundle_spec import Decision, HeadKind
from reader_app.ai.doubt import expected_calibration_error, mean_entropy_bits
from reader_app.ai.nets.heads import probabilities as head_probabilities
from reader_app.errors import ManifestError

FloatArray = npt.NDArray[np.float32]
Metric = Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64]], float]

_LOWEST, _HIGHEST = 0.2, 5.0  # a temperature beyond these says that something else is wrong


def mean_probabilities(
    logits: FloatArray, temperature: float = 1.0, *, kind: HeadKind = HeadKind.SOFTMAX
) -> FloatArray:
    """Return N x classes probabilities: the mean over the views of what V x N x outputs say."""
    views = head_probabilities(torch.from_numpy(logits.astype(np.float64)), kind, temperature)
    return np.asarray(views.mean(dim=0).numpy(), dtype=np.float32)


def graded_by(probabilities: FloatArray, rule: Decision) -> npt.NDArray[np.int64]:
    """Return class indices by a decision rule; halves of the expected grade go up."""
    if rule is Decision.LIKELIEST:
        return np.asarray(probabilities.argmax(axis=1), dtype=np.int64)
    expected = probabilities.astype(np.float64) @ np.arange(probabilities.shape[1])
    return np.asarray(np.floor(expected + 0.5), dtype=np.int64)


def negative_log_likelihood(probabilities: FloatArray, truth: npt.NDArray[np.int64]) -> float:
    """Return the mean negative logarithm of the probability given to the true grade."""
    given = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    return float(-np.log(np.maximum(given, 1e-12)).mean())


def fit_temperature(
    logits: FloatArray, truth: npt.NDArray[np.int64], *, kind: HeadKind = HeadKind.SOFTMAX
) -> float:
    """Return the temperature of the smallest negative log-likelihood (Guo et al. 2017), by golden section.

    Never one that is worse than none: the mean over several views need not have a single minimum.
    """
    ratio = (np.sqrt(5.0) - 1.0) / 2.0
    low, high = np.log(_LOWEST), np.log(_HIGHEST)

    def cost(position: float) -> float:
        return negative_log_likelihood(mean_probabilities(logits, float(np.exp(position)), kind=kind), truth)

    for _ in range(40):
        one, other = high - ratio * (high - low), low + ratio * (high - low)
        if cost(one) < cost(other):
            high = other
        else:
            low = one
    found = (low + high) / 2.0
    return float(np.exp(found)) if cost(found) < cost(0.0) else 1.0


def balanced_accuracy(truth: npt.NDArray[np.int64], graded: npt.NDArray[np.int64]) -> float:
    """Return the mean, over the grades that occur, of the share of joints graded right."""
    return float(np.mean([(graded[truth == grade] == grade).mean() for grade in np.unique(truth)]))


@dataclass(frozen=True)
class HeadCalibration:
    """What the validation joints say of one head."""

    temperature: float
    decision: Decision
    figures: dict[str, float]


def calibrate_head(
    logits: FloatArray,
    truth: npt.NDArray[np.int64],
    metric: Metric,
    *,
    kind: HeadKind = HeadKind.SOFTMAX,
) -> HeadCalibration:
    """Fit the temperature and choose the decision rule.

    Parameters
    ----------
    logits
        Views x N x outputs, of joints that have a grade.
    truth
        N class indices.
    metric
        ``(truth, graded) -> float``, higher is better.
    kind
        What the outputs mean.

    Raises
    ------
    ManifestError
        No joint has a grade.
    """
    if len(truth) == 0:
        raise ManifestError(
            "No validation joint has a grade for one of the heads.",
            "Give graded joints, or leave the head out of the recipe.",
        )
    temperature = fit_temperature(logits, truth, kind=kind)
    before = mean_probabilities(logits, kind=kind)
    after = mean_probabilities(logits, temperature, kind=kind)
    by_rule = {rule: metric(truth, graded_by(after, rule)) for rule in Decision}
    decision = max(by_rule, key=lambda rule: by_rule[rule])
    graded = graded_by(after, decision)
    figures = {
        "joints": float(len(truth)),
        "metric_likeliest": by_rule[Decision.LIKELIEST],
        "metric_rounded": by_rule[Decision.ROUNDED],
        "accuracy": float((graded == truth).mean()),
        "balanced_accuracy": balanced_accuracy(truth, graded),
        **doubt_figures(before, after, truth),
    }
    return HeadCalibration(temperature, decision, figures)


def doubt_figures(before: FloatArray, after: FloatArray, truth: npt.NDArray[np.int64]) -> dict[str, float]:
    """Return how far the probabilities can be taken at their word, before and after the temperature.

    Parameters
    ----------
    before, after
        N x classes.
    truth
        N class indices.
    """
    return {
        "negative_log_likelihood_before": negative_log_likelihood(before, truth),
        "negative_log_likelihood": negative_log_likelihood(after, truth),
        "calibration_error_before": expected_calibration_error(before, truth),
        "calibration_error": expected_calibration_error(after, truth),
        "adaptive_calibration_error_before": expected_calibration_error(before, truth, adaptive=True),
        "adaptive_calibration_error": expected_calibration_error(after, truth, adaptive=True),
        "mean_entropy_bits": mean_entropy_bits(after),
    }


def confusion(truth: npt.NDArray[np.int64], graded: npt.NDArray[np.int64], classes: int) -> list[list[int]]:
    """Return the confusion matrix as rows of the true grade."""
    counts = np.bincount(truth * classes + graded, minlength=classes * classes).reshape(classes, classes)
    return [[int(value) for value in row] for row in counts]
