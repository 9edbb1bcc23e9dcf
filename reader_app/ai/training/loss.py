"""Losses that know that grades are ordered."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from reader_app.ai.training.examples import MISSING


def soft_targets(classes: int, sigma: float) -> Tensor:
    """Return classes x classes target distributions: row ``g`` is a discrete Gaussian around grade ``g``.

    Readers miss by a neighbouring grade far more often than by two, so the mass that label smoothing takes
    away goes to the neighbours (as in Diaz & Marathe, "Soft labels for ordinal regression", CVPR 2019).
    """
    grades = torch.arange(classes, dtype=torch.float32)
    distance = grades[:, None] - grades[None, :]
    weights = torch.exp(-(distance**2) / (2.0 * sigma**2))
    return weights / weights.sum(dim=1, keepdim=True)


def ordinal_loss(logits: Tensor, grades: Tensor, targets: Tensor, *, expectation_weight: float) -> Tensor:
    """Return the mean loss of one head over the joints that have a grade for it.

    Cross-entropy against the soft targets, plus `expectation_weight` times the squared error of the
    expected grade, which is what quadratic kappa punishes.

    Parameters
    ----------
    logits
        N x classes.
    grades
        N class indices, `MISSING` where there is no grade.
    targets
        The table of `soft_targets`.
    """
    graded = grades != MISSING
    if not bool(graded.any()):
        return logits.sum() * 0.0
    logits, grades = logits[graded], grades[graded]
    cross_entropy = functional.cross_entropy(logits, targets[grades])
    expected = functional.softmax(logits, dim=1) @ torch.arange(logits.shape[1], dtype=logits.dtype)
    return cross_entropy + expectation_weight * functional.mse_loss(expected, grades.to(logits.dtype))
