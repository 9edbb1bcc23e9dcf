"""Losses that know that grades are ordered."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from reader_app.ai.bundle_spec import HeadKind
from reader_app.ai.nets.heads import expected_class, log_probabilities
from reader_app.ai.training.examples import MISSING


def soft_targets(classes: int, sigma: float) -> Tensor:
    """Return classes x classes target distributions: row ``g`` is a discrete Gaussian around grade ``g``.

    Readers miss by a neighbouring grade far more often than by two, so the mass that label smoothing takes
    away goes to the neighbours (as in Diaz & Marathe, "Soft labels for ordinal regression", CVPR 2019).
    With a sigma of 0 all of it stays on the grade itself.
    """
    if sigma <= 0.0:
        return torch.eye(classes)
    grades = torch.arange(classes, dtype=torch.float32)
    distance = grades[:, None] - grades[None, :]
    weights = torch.exp(-(distance**2) / (2.0 * sigma**2))
    return weights / weights.sum(dim=1, keepdim=True)


def ordinal_loss(
    outputs: Tensor,
    grades: Tensor,
    targets: Tensor,
    *,
    expectation_weight: float,
    kind: HeadKind = HeadKind.SOFTMAX,
) -> Tensor:
    """Return the mean loss of one head over the joints that have a grade for it.

    Cross-entropy against the soft targets, plus `expectation_weight` times the squared error of the
    expected grade, which is what quadratic kappa punishes.  With targets of one grade each and no
    expectation it is the plain cross-entropy of a softmax head, and the loss of Shi, Cao & Raschka (2023) for
    a CORN head: every threshold learns from the joints that reach it.  Theirs is divided by the number
    of thresholds met, this one by the joints, so that it stays in the unit of the other heads' losses.

    Parameters
    ----------
    outputs
        N x outputs of the head.
    grades
        N class indices, `MISSING` where there is no grade.
    targets
        The table of `soft_targets`.
    kind
        What the outputs mean.
    """
    graded = grades != MISSING
    if not bool(graded.any()):
        return outputs.sum() * 0.0
    outputs, grades = outputs[graded], grades[graded]
    if kind is HeadKind.SOFTMAX:
        cross_entropy = functional.cross_entropy(outputs, targets[grades])
    else:
        cross_entropy = -(targets[grades] * log_probabilities(outputs, kind)).sum(dim=1).mean()
    error = functional.mse_loss(expected_class(outputs, kind), grades.to(outputs.dtype))
    return cross_entropy + expectation_weight * error
