"""How much a disagreement counts, by its distance on the scale."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from reader_app.agreement.ratings import Floats


class Weights(StrEnum):
    """Weights of a chance-corrected coefficient."""

    NONE = "none"
    LINEAR = "linear"
    QUADRATIC = "quadratic"


def disagreement_weights(weights: Weights, size: int) -> Floats:
    """Disagreement weights of a scale with `size` grades.

    Parameters
    ----------
    weights
        Which ones. Distances are steps on the scale: 0 for the same grade, 1 from end to end.
    size
        Number of grades on the scale, used or not.

    Returns
    -------
    numpy.ndarray
        Shape (size, size), zero on the diagonal; agreement weights are one minus these.

    Notes
    -----
    Cohen J. Weighted kappa. Psychol Bull 1968;70:213-220.
    """
    rank = np.arange(size, dtype=np.float64)
    steps = np.abs(rank[:, None] - rank[None, :]) / max(size - 1, 1)
    match weights:
        case Weights.NONE:
            return (steps > 0).astype(np.float64)
        case Weights.LINEAR:
            return steps
        case Weights.QUADRATIC:
            return steps**2


def scaled_disagreement(custom: Floats) -> Floats:
    """Scale a study's own disagreement weights so that the gravest is 1.

    Raises
    ------
    ValueError
        If the matrix is not square, has a diagonal other than 0, a negative or no positive weight.
    """
    square = custom.ndim == 2 and custom.shape[0] == custom.shape[1]
    if not square or np.diagonal(custom).any() or (custom < 0).any() or not custom.any():
        raise ValueError("disagreement weights must be square, 0 on the diagonal and positive elsewhere")
    return np.asarray(custom / custom.max(), dtype=np.float64)
