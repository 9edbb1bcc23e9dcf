from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_app.ai.doubt import (
    DISAGREE,
    SHORTER,
    UNCERTAIN,
    UNLIKE_TRAINING,
    answer_spread,
    doubt_words,
    entropy_bits,
    expected_calibration_error,
    mean_entropy_bits,
    reliability,
    share_text,
    unlikeness_threshold,
)

SURE = {0: 0.02, 1: 0.03, 2: 0.9, 3: 0.03, 4: 0.02}


def test_a_sure_grade_on_a_usual_image_is_not_doubted() -> None:
    assert doubt_words(SURE, code=2, unlike_training=False) == ()


def test_unlike_the_training_images_is_said_before_everything_else() -> None:
    even = dict.fromkeys(range(5), 0.2)
    assert doubt_words(even, code=2, unlike_training=True, spread=1.0) == (
        UNLIKE_TRAINING,
        UNCERTAIN,
        DISAGREE,
    )
    assert doubt_words(SURE, code=2, unlike_training=True) == (UNLIKE_TRAINING,)


def test_a_grade_is_uncertain_by_its_entropy_or_by_its_own_small_probability() -> None:
    assert doubt_words({0: 0.55, 1: 0.45}, code=0, unlike_training=False) == (UNCERTAIN,)
    # The rounded expected grade lies between two likelier ones.
    assert doubt_words({0: 0.5, 1: 0.04, 2: 0.46}, code=1, unlike_training=False) == (UNCERTAIN,)


@pytest.mark.parametrize(("spread", "words"), [(0.49, ()), (0.51, (DISAGREE,))])
def test_answers_half_a_grade_apart_disagree(spread: float, words: tuple[str, ...]) -> None:
    assert doubt_words(SURE, code=2, unlike_training=False, spread=spread) == words


def test_shorter_wordings_say_a_known_doubt_in_less_room() -> None:
    for words, shorter in SHORTER.items():
        assert words in (UNLIKE_TRAINING, UNCERTAIN, DISAGREE)
        lengths = [len(words), *map(len, shorter)]
        assert lengths == sorted(lengths, reverse=True)


@given(st.floats(0.0, 1.0), st.integers(0, 3))
def test_no_share_is_shown_as_certain(share: float, digits: int) -> None:
    text = share_text(share, digits=digits)
    number = float(text.removeprefix("> ").removeprefix("< ").removesuffix(" %"))
    assert 1.0 <= number <= 99.0
    assert text.startswith(">") == (share > 0.99)
    assert abs(number - share * 100.0) <= max(1.0, 0.5 * 10.0**-digits)


def test_a_share_that_is_none_is_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        share_text(1.2)


@given(st.lists(st.floats(0.01, 1.0), min_size=2, max_size=6))
def test_entropy_lies_between_none_and_that_of_an_even_guess(weights: list[float]) -> None:
    shares = np.array(weights) / sum(weights)
    assert 0.0 <= entropy_bits(shares) <= math.log2(len(weights)) + 1e-9
    assert mean_entropy_bits(shares[None]) == pytest.approx(entropy_bits(shares))
    assert entropy_bits([1.0, 0.0]) == 0.0


def calibrated(count: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and labels drawn by them."""
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.full(4, 0.7), size=count)
    labels = (probabilities.cumsum(axis=1) > generator.random((count, 1))).argmax(axis=1)
    return probabilities, labels


@pytest.mark.parametrize("adaptive", [False, True])
def test_calibrated_answers_have_nearly_no_calibration_error(adaptive: bool) -> None:
    probabilities, labels = calibrated(40_000)
    assert expected_calibration_error(probabilities, labels, adaptive=adaptive) < 0.012


@pytest.mark.parametrize("adaptive", [False, True])
def test_the_calibration_error_of_one_confidence_is_its_gap(adaptive: bool) -> None:
    probabilities = np.tile([0.9, 0.1], (100, 1))
    labels = np.array([0] * 60 + [1] * 40)
    np.random.default_rng(0).shuffle(labels)
    found = expected_calibration_error(probabilities, labels, bins=1 if adaptive else 15, adaptive=adaptive)
    assert found == pytest.approx(0.3)


@given(st.integers(1, 60), st.integers(1, 20), st.booleans())
def test_every_joint_lies_in_one_bin(count: int, bins: int, adaptive: bool) -> None:
    probabilities, labels = calibrated(count, seed=count)
    found = reliability(probabilities, labels, bins, adaptive=adaptive)
    assert sum(each.joints for each in found) == count
    assert len(found) <= bins
    right = sum(each.joints * each.right for each in found)
    assert right == pytest.approx((probabilities.argmax(axis=1) == labels).sum())
    for each in found:
        assert each.low - 1e-9 <= each.confidence <= each.high + 1e-9
    if adaptive and count >= bins:
        sizes = [each.joints for each in found]
        assert max(sizes) - min(sizes) <= 1


def test_reliability_needs_joints() -> None:
    with pytest.raises(ValueError, match="labels"):
        reliability(np.zeros((0, 3)), np.zeros(0, dtype=np.int64))


def test_the_spread_of_answers_is_that_of_their_expected_grades() -> None:
    one, other = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    assert answer_spread(np.array([one, other]), (0, 1, 2)) == pytest.approx([1.0, 0.0])
    assert answer_spread(np.array([one]), (0, 1, 2)) == pytest.approx([0.0, 0.0])


def test_all_but_one_in_a_hundred_validation_joints_stay_below_the_threshold() -> None:
    distances = np.random.default_rng(2).gamma(4.0, size=5000)
    assert np.mean(distances <= unlikeness_threshold(distances)) == pytest.approx(0.99, abs=0.001)
    with pytest.raises(ValueError, match="validation"):
        unlikeness_threshold(np.zeros(0))
