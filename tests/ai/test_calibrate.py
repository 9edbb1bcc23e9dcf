from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reader_app.ai.bundle_spec import HeadKind
from reader_app.ai.training.calibrate import (
    calibrate_head,
    fit_temperature,
    mean_probabilities,
    negative_log_likelihood,
)
from reader_app.errors import ManifestError

Logits = npt.NDArray[np.float32]


def agreement(truth: npt.NDArray[np.int64], graded: npt.NDArray[np.int64]) -> float:
    return float((truth == graded).mean())


def drawn(logits: Logits, kind: HeadKind, seed: int) -> npt.NDArray[np.int64]:
    """Grades drawn by the probabilities themselves."""
    probabilities = mean_probabilities(logits, kind=kind)
    chance = np.random.default_rng(seed).random((len(probabilities), 1))
    return np.asarray((probabilities.cumsum(axis=1) > chance).argmax(axis=1), dtype=np.int64)


@pytest.mark.parametrize("kind", list(HeadKind))
@pytest.mark.parametrize("planted", [0.5, 2.5])
def test_the_temperature_that_was_planted_is_found_whatever_the_outputs_mean(
    kind: HeadKind, planted: float
) -> None:
    logits = np.random.default_rng(3).normal(0, 1.5, (1, 20_000, 4)).astype(np.float32)
    truth = drawn(logits, kind, seed=4)
    assert fit_temperature(logits * planted, truth, kind=kind) == pytest.approx(planted, rel=0.06)


@settings(max_examples=30)
@given(
    st.integers(0, 10_000),
    st.integers(1, 3),
    st.integers(2, 40),
    st.floats(0.05, 30.0),
    st.sampled_from(list(HeadKind)),
)
def test_a_temperature_is_never_worse_than_none(
    seed: int, views: int, joints: int, scale: float, kind: HeadKind
) -> None:
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, scale, (views, joints, 3)).astype(np.float32)
    classes = 3 if kind is HeadKind.SOFTMAX else 4
    truth = generator.integers(0, classes, joints)
    temperature = fit_temperature(logits, truth, kind=kind)
    before = negative_log_likelihood(mean_probabilities(logits, kind=kind), truth)
    after = negative_log_likelihood(mean_probabilities(logits, temperature, kind=kind), truth)
    assert after <= before


@pytest.mark.parametrize("kind", list(HeadKind))
def test_calibration_is_told_before_and_after(kind: HeadKind) -> None:
    logits = np.random.default_rng(5).normal(0, 1.5, (1, 20_000, 4)).astype(np.float32)
    found = calibrate_head(logits * 3.0, drawn(logits, kind, seed=6), agreement, kind=kind).figures
    assert found["negative_log_likelihood"] < found["negative_log_likelihood_before"]
    for name in ("calibration_error", "adaptive_calibration_error"):
        assert found[name] < 0.3 * found[f"{name}_before"]
    assert 0.0 < found["mean_entropy_bits"] < np.log2(5)


def test_a_head_without_a_graded_joint_is_told() -> None:
    with pytest.raises(ManifestError, match="No validation joint"):
        calibrate_head(np.zeros((1, 0, 3), dtype=np.float32), np.zeros(0, dtype=np.int64), agreement)
