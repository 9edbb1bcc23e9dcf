"""What a head's outputs mean: probabilities, and the single numbers that a heatmap explains.

A softmax head has one output a grade.  A CORN head (conditional ordinal regression: Shi, Cao & Raschka, "Deep
neural networks for rank-consistent ordinal regression based on conditional probabilities", 2023) has
one output a threshold: its sigmoid is the chance to exceed grade k *given that grade k is reached*, so the
chance to exceed k is a product that cannot grow with k, whatever the outputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from reader_app.ai.bundle_spec import BundleSpec, HeadKind
from reader_app.errors import BundleError


@dataclass(frozen=True)
class HeadSpec:
    """One head: its name (feature, or feature and site), how many grades it tells apart, and how."""

    name: str
    classes: int
    kind: HeadKind = HeadKind.SOFTMAX

    def __post_init__(self) -> None:
        if self.classes < 2:
            raise BundleError(
                f"The head “{self.name}” tells {self.classes} grades apart; it needs two or more.",
                "Correct the recipe or install the bundle again.",
            )

    @property
    def outputs(self) -> int:
        """How many numbers the head gives."""
        return self.classes - (1 if self.kind is HeadKind.CORN else 0)


def head_specs(spec: BundleSpec) -> tuple[HeadSpec, ...]:
    """Return the heads of a bundle's networks: the graded ones in the bundle's order, auxiliary ones last."""
    graded = [HeadSpec(head.item.key, len(head.codes), head.kind) for head in spec.heads]
    beside = [HeadSpec(f"auxiliary {task.name}", len(task.classes)) for task in spec.auxiliary]
    return (*graded, *beside)


def probabilities(logits: Tensor, kind: HeadKind, temperature: float = 1.0) -> Tensor:
    """Return the probability of each grade, ... x classes, adding up to 1.

    Parameters
    ----------
    logits
        ... x outputs, what the head gave.
    kind
        What the outputs mean.
    temperature
        The outputs are divided by it first: above 1 it makes the answer less sure, below 1 surer.
    """
    if kind is HeadKind.SOFTMAX:
        return torch.softmax(logits / temperature, dim=-1)
    return log_probabilities(logits / temperature, kind).exp()


def log_probabilities(logits: Tensor, kind: HeadKind) -> Tensor:
    """Return the natural logarithm of each grade's probability, ... x classes.

    Grade k of a CORN head is reached by passing all thresholds below k and missing threshold k; sums of
    log-sigmoids say so without a difference of nearly equal numbers, so none comes out negative.
    """
    if kind is HeadKind.SOFTMAX:
        return torch.log_softmax(logits, dim=-1)
    reached = functional.logsigmoid(logits).cumsum(dim=-1)
    missed = functional.logsigmoid(-logits)
    certain = torch.zeros_like(logits[..., :1])
    return torch.cat([certain, reached], dim=-1) + torch.cat([missed, certain], dim=-1)


def expected_class(logits: Tensor, kind: HeadKind) -> Tensor:
    """Return the expected class index, ... ; what raises it raises the grade."""
    chances = probabilities(logits, kind)
    return chances @ torch.arange(chances.shape[-1], dtype=chances.dtype, device=chances.device)


def class_evidence(logits: Tensor, classes: Tensor, kind: HeadKind) -> Tensor:
    """Return the number whose gradient explains the given class of each joint, N.

    A softmax head's is the logit, as Selvaraju et al. have it ("the score for class c, before the softmax").
    A CORN head has no output of a class; its counterpart is the class's log-probability.

    Parameters
    ----------
    logits
        N x outputs.
    classes
        N class indices.
    """
    scores = logits if kind is HeadKind.SOFTMAX else log_probabilities(logits, kind)
    return scores.gather(1, classes[:, None])[:, 0]
