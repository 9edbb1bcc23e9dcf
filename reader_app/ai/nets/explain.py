"""Grad-CAM for every head at once.

The networks grade from one convolutional map, so its gradient needs a backward pass through the head alone:
the body, which takes nearly all the time, is neither kept for a backward pass nor run again.

Source: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", ICCV 2017.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from reader_app.ai.nets.grader import Grader


def class_target(logits: Tensor, classes: Tensor) -> Tensor:
    """Return N logits, those of the given class of each joint."""
    return logits.gather(1, classes[:, None])[:, 0]


def expected_target(logits: Tensor) -> Tensor:
    """Return the expected class index of each joint, N: its map shows what raises the grade."""
    return torch.softmax(logits, dim=1) @ torch.arange(
        logits.shape[1], dtype=logits.dtype, device=logits.device
    )


def grad_cam(grader: Grader, maps: Tensor, classes: Sequence[Tensor | None]) -> list[Tensor]:
    """Return one map per head for a batch.

    Parameters
    ----------
    grader
        In evaluation mode.
    maps
        N x C x h x w, what `Grader.features` gave, without a gradient.
    classes
        Per head, the N class indices to explain, or None for the expected grade.

    Returns
    -------
    list of Tensor
        Per head N x h x w, zero or more, not normalised.
    """
    with torch.enable_grad():
        leaf = maps.detach().clone().requires_grad_(True)
        outputs = grader.logits(leaf)
        targets = [
            expected_target(output) if chosen is None else class_target(output, chosen)
            for output, chosen in zip(outputs, classes, strict=True)
        ]
        last = len(targets) - 1
        # The joints of a batch do not mix in the heads, so the gradient of the sum holds each joint's own.
        gradients = [
            torch.autograd.grad(target.sum(), leaf, retain_graph=index < last)[0]
            for index, target in enumerate(targets)
        ]
    with torch.no_grad():
        weights = [gradient.mean(dim=(2, 3), keepdim=True) for gradient in gradients]
        return [(weight * maps).sum(dim=1).clamp_min(0.0) for weight in weights]


def unit_maps(maps: Tensor, cells: int) -> Tensor:
    """Return N x cells x cells maps, smoothly enlarged, each divided by its maximum; empty ones stay 0."""
    enlarged = torch.nn.functional.interpolate(
        maps[:, None], size=(cells, cells), mode="bicubic", align_corners=False
    )[:, 0].clamp_min(0.0)
    highest = enlarged.amax(dim=(1, 2), keepdim=True)
    return torch.where(highest > 0.0, enlarged / highest.clamp_min(1e-12), enlarged).clamp(0.0, 1.0)
