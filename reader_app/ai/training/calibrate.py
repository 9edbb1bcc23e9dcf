"""From validation answers to what a bundle says of itself: temperature, decision rule, threshold, figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reader_app.ai.bundle import Decision

FloatArray = npt.NDArray[np.float32]
Metric = Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64]], float]

_LOWEST, _HIGHEST = 0.2, 5.0  # a temperature beyond these says that something else is wrong


def mean_probabilities(logits: FloatArray, temperature: float = 1.0) -> FloatArray:
    """Return N x classes probabilities: the mean over the views of the softmax of V x N x classes logits."""
    scaled = logits.astype(np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    softmax = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return np.asarray(softmax.mean(axis=0), dtype=np.float32)


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


def fit_temperature(logits: FloatArray, truth: npt.NDArray[np.int64]) -> float:
    """Return the temperature of the smallest negative log-likelihood (Guo et al. 2017), by golden section."""
    ratio = (np.sqrt(5.0) - 1.0) / 2.0
    low, high = np.log(_LOWEST), np.log(_HIGHEST)

    def cost(position: float) -> float:
        return negative_log_likelihood(mean_probabilities(logits, float(np.exp(position))), truth)

    for _ in range(40):
        one, other = high - ratio * (high - low), low + ratio * (high - low)
        if cost(one) < cost(other):
            high = other
        else:
            low = one
    return float(np.exp((low + high) / 2.0))


def calibration_error(probabilities: FloatArray, truth: npt.NDArray[np.int64], bins: int = 15) -> float:
    """Return the expected calibration error: the mean gap between confidence and share right, by bins."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = [
        (place == index).sum() * abs(confidence[place == index].mean() - right[place == index].mean())
        for index in np.unique(place)
    ]
    return float(sum(gaps) / len(truth))


def balanced_accuracy(truth: npt.NDArray[np.int64], graded: npt.NDArray[np.int64]) -> float:
    """Return the mean, over the grades that occur, of the share of joints graded right."""
    return float(np.mean([(graded[truth == grade] == grade).mean() for grade in np.unique(truth)]))


@dataclass(frozen=True)
class HeadCalibration:
    """What the validation joints say of one head."""

    temperature: float
    decision: Decision
    figures: dict[str, float]


def calibrate_head(logits: FloatArray, truth: npt.NDArray[np.int64], metric: Metric) -> HeadCalibration:
    """Fit the temperature and choose the decision rule.

    Parameters
    ----------
    logits
        Views x N x classes, of joints that have a grade.
    truth
        N class indices.
    metric
        ``(truth, graded) -> float``, higher is better.
    """
    temperature = fit_temperature(logits, truth)
    before, after = mean_probabilities(logits), mean_probabilities(logits, temperature)
    by_rule = {rule: metric(truth, graded_by(after, rule)) for rule in Decision}
    decision = max(by_rule, key=lambda rule: by_rule[rule])
    graded = graded_by(after, decision)
    figures = {
        "joints": float(len(truth)),
        "metric_likeliest": by_rule[Decision.LIKELIEST],
        "metric_rounded": by_rule[Decision.ROUNDED],
        "accuracy": float((graded == truth).mean()),
        "balanced_accuracy": balanced_accuracy(truth, graded),
        "negative_log_likelihood": negative_log_likelihood(after, truth),
        "calibration_error_before": calibration_error(before, truth),
        "calibration_error": calibration_error(after, truth),
    }
    return HeadCalibration(temperature, decision, figures)


def confusion(truth: npt.NDArray[np.int64], graded: npt.NDArray[np.int64], classes: int) -> list[list[int]]:
    """Return the confusion matrix as rows of the true grade."""
    counts = np.bincount(truth * classes + graded, minlength=classes * classes).reshape(classes, classes)
    return [[int(value) for value in row] for row in counts]
