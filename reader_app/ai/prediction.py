"""What is said of one item of one joint: probabilities, the grade given, and how far the networks differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reader_app.ai.bundle import BundleHead, Decision
from reader_app.ai.doubt import answer_spread, entropy_bits


@dataclass(frozen=True, eq=False)
class Prediction:
    """The answer for one item.

    Attributes
    ----------
    probabilities
        By grade code, calibrated, adding up to 1.
    code
        The grade given, by the bundle's decision rule.
    likeliest
        The code of the highest probability.
    expected
        The probability-weighted mean code.
    entropy
        Of the probabilities, in bits.
    heatmap
        float16, rows x columns on the crop's grid, 0..1, or -1..1 where the bundle's maps are signed: each
        map is scaled by its own maximum, so heights compare within a map only. None where the map is empty.
    spread
        Standard deviation of the expected code over members and mirror images; 0 where there is but one.
    """

    probabilities: Mapping[int, float]
    code: int
    likeliest: int
    expected: float
    entropy: float
    heatmap: npt.NDArray[np.float16] | None
    spread: float = 0.0


def predict_item(
    head: BundleHead,
    probabilities: npt.NDArray[np.float32],
    heatmap: npt.NDArray[np.float32],
    *,
    members: npt.NDArray[np.float32] | None = None,
) -> Prediction:
    """Turn one head's probabilities into a grade by the head's decision rule.

    Parameters
    ----------
    members
        Views x classes: what the members said, of the joint and of its mirror image.
    """
    exact = probabilities.astype(np.float64)
    exact = exact / exact.sum()
    expected = float(exact @ np.array(head.codes, dtype=np.float64))
    likeliest = head.codes[int(exact.argmax())]
    return Prediction(
        probabilities={code: float(p) for code, p in zip(head.codes, exact, strict=True)},
        code=likeliest if head.decision is Decision.LIKELIEST else rounded_grade(exact, head.codes),
        likeliest=likeliest,
        expected=expected,
        entropy=entropy_bits(exact),
        heatmap=heatmap.astype(np.float16) if float(np.abs(heatmap).max()) > 0.0 else None,
        spread=0.0 if members is None else float(answer_spread(members[:, None], head.codes)[0]),
    )


def rounded_grade(probabilities: npt.NDArray[np.float64], codes: Sequence[int]) -> int:
    """Return the code at the rounded expected position on the scale; halves go up."""
    position = float(probabilities @ np.arange(len(codes), dtype=np.float64))
    return codes[int(np.floor(position + 0.5))]
