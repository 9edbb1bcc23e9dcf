"""How far to trust a pre-grade: in numbers for the bundle and its card, in words for the screen.

Numbers in, numbers and words out; no torch.  The screen takes its words from `doubt_words` and its shares
from `share_text` alone, so that no pre-grade is shown as certain anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

UNLIKE_TRAINING = "unlike the training images"
UNCERTAIN = "uncertain"
DISAGREE = "its answers disagree"
SHORTER: Mapping[str, tuple[str, ...]] = {
    UNLIKE_TRAINING: ("unlike training images", "unlike training"),
    DISAGREE: ("answers disagree",),
}
"""Shorter wordings of the same doubt, the longest first, for little room."""

UNSURE_ENTROPY = 0.6
"""Share of the highest entropy that the scale allows, from which on a pre-grade is called uncertain."""
UNSURE_CONFIDENCE = 0.5
"""A grade given with a smaller probability is called uncertain."""
WIDE_SPREAD = 0.125
"""Deviation between the answers, as a share of the scale's length, from which on they disagree: half a
grade on a scale of five grades."""
SUREST = 0.99
"""No probability is shown above this one, and none below what it leaves."""
BELOW_THRESHOLD = 0.99
"""Share of the validation joints below the threshold of unlikeness."""
BINS = 15


def doubt_words(
    probabilities: Mapping[int, float], *, code: int, unlike_training: bool, spread: float = 0.0
) -> tuple[str, ...]:
    """Return in words why a pre-grade should be doubted, the weightiest first; empty if nothing does.

    Unlike the training images goes first: there the probabilities themselves mean little.

    Parameters
    ----------
    probabilities
        By grade code.
    code
        The grade given.
    unlike_training
        Whether the joint is past the bundle's threshold of unlikeness.
    spread
        Standard deviation, in grades, of the expected grade over the networks of the ensemble and the mirror
        image; 0 for a single answer.
    """
    words = [UNLIKE_TRAINING] if unlike_training else []
    levels = len(probabilities)
    uncertainty = entropy_bits(probabilities.values()) / math.log2(levels) if levels > 1 else 0.0
    if uncertainty > UNSURE_ENTROPY or probabilities.get(code, 0.0) < UNSURE_CONFIDENCE:
        words.append(UNCERTAIN)
    length = max(probabilities) - min(probabilities) if probabilities else 0
    if length and spread > WIDE_SPREAD * length:
        words.append(DISAGREE)
    return tuple(words)


def share_text(share: float, *, digits: int = 0) -> str:
    """Return a probability in percent as the screen may show it: at most "> 99 %", at least "< 1 %".

    A network's probability is an estimate from some hundred joints, which cannot tell 99.9 % from 99 %.

    Raises
    ------
    ValueError
        The share is not between 0 and 1.
    """
    if not -1e-6 <= share <= 1.0 + 1e-6:
        raise ValueError(f"a share is between 0 and 1, not {share}")
    if share > SUREST:
        return f"> {SUREST * 100:.0f} %"
    if share < 1.0 - SUREST:
        return f"< {(1.0 - SUREST) * 100:.0f} %"
    return f"{share * 100:.{digits}f} %"


def entropy_bits(probabilities: Iterable[float]) -> float:
    """Return the entropy of one distribution in bits."""
    return -sum(p * math.log2(p) for p in probabilities if p > 0.0) + 0.0


def mean_entropy_bits(probabilities: Floats) -> float:
    """Return the mean entropy, in bits, of N x classes probabilities."""
    exact = np.asarray(probabilities, dtype=np.float64)
    logarithms = np.log2(np.where(exact > 0.0, exact, 1.0))
    return float(-(exact * logarithms).sum(axis=1).mean()) + 0.0


def answer_spread(probabilities: Floats, codes: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return the deviation, in grades, of the expected grade over several answers, N.

    Parameters
    ----------
    probabilities
        Answers x N x classes: one answer for each network and each mirror image.
    codes
        The grade codes in the order of the classes.
    """
    expected = np.asarray(probabilities, dtype=np.float64) @ np.asarray(codes, dtype=np.float64)
    return np.asarray(expected.std(axis=0))


@dataclass(frozen=True)
class ReliabilityBin:
    """The joints whose grade was given about equally surely.

    Parameters
    ----------
    low, high
        Confidences of the bin.
    joints
        How many lie in it.
    confidence
        Their mean confidence.
    right
        The share of them whose likeliest grade is that of the reference.
    """

    low: float
    high: float
    joints: int
    confidence: float
    right: float


def reliability(
    probabilities: Floats, labels: Labels, bins: int = BINS, *, adaptive: bool = False
) -> tuple[ReliabilityBin, ...]:
    """Return how often the likeliest grade was right, by how sure it was; empty bins are left out.

    Parameters
    ----------
    probabilities
        N x classes.
    labels
        N class indices.
    bins
        How many.
    adaptive
        Bins of as many joints each, instead of equal width.

    Raises
    ------
    ValueError
        There are no joints, or not as many labels as joints.
    """
    if len(labels) == 0 or len(probabilities) != len(labels) or bins < 1:
        raise ValueError("reliability needs as many labels as joints, and one or more of both")
    confidence = np.asarray(probabilities, dtype=np.float64).max(axis=1)
    right = np.asarray(probabilities).argmax(axis=1) == labels
    order = np.argsort(confidence, kind="stable")
    if adaptive:
        groups = [group for group in np.array_split(order, bins) if len(group)]
        edges = [(float(confidence[group[0]]), float(confidence[group[-1]])) for group in groups]
    else:
        place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
        used = [int(index) for index in np.unique(place)]
        groups = [np.flatnonzero(place == index) for index in used]
        edges = [(index / bins, (index + 1) / bins) for index in used]
    return tuple(
        ReliabilityBin(low, high, len(group), float(confidence[group].mean()), float(right[group].mean()))
        for (low, high), group in zip(edges, groups, strict=True)
    )


def expected_calibration_error(
    probabilities: Floats, labels: Labels, bins: int = BINS, *, adaptive: bool = False
) -> float:
    """Return the mean gap between confidence and share right, weighted by the joints of each bin.

    Equal-width bins are the usual figure (Naeini et al., AAAI 2015; Guo et al., ICML 2017); bins of as many
    joints each do not leave the surest joints in one bin (Nixon et al., CVPR workshops 2019).  Both are
    biased upwards on few joints.  Parameters and errors as in `reliability`.
    """
    found = reliability(probabilities, labels, bins, adaptive=adaptive)
    return sum(bin_.joints * abs(bin_.confidence - bin_.right) for bin_ in found) / len(labels)


def unlikeness_threshold(distances: Floats) -> float:
    """Return the distance that `BELOW_THRESHOLD` of the validation joints stay below.

    Raises
    ------
    ValueError
        There are no distances.
    """
    if len(distances) == 0:
        raise ValueError("the threshold needs validation joints")
    return float(np.percentile(np.asarray(distances, dtype=np.float64), BELOW_THRESHOLD * 100.0))
