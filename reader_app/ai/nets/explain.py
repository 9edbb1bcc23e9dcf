"""Grad-CAM for every head at once.

The heads see nothing of the last convolutional map but the mean of each channel, so the gradient with
respect to the map is the gradient with respect to the means, the same at every position.  It is taken
there: a copy of the means for every head, one forward and one backward pass of the tail, a few vectors
long.  The body, which takes nearly all the time, is neither kept for a backward pass nor run again, and the
maps of all heads are one matrix product.

Source: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", ICCV 2017.  Which map is explained, and why: `reader_app.ai.nets.architectures`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from reader_app.ai.nets.grader import Grader
from reader_app.ai.nets.heads import class_evidence, expected_class

_NOTHING = 1e-12  # a map whose largest value is below this is empty


def grad_cam(
    grader: Grader, maps: Tensor, classes: Sequence[Tensor | None], *, signed: bool = False
) -> list[Tensor]:
    """Return one map per explained head for a batch.

    Parameters
    ----------
    grader
        In evaluation mode.
    maps
        N x C x h x w, what `Grader.features` gave, with or without a gradient.
    classes
        For each of the first heads, the N class indices to explain, or None for the expected grade: its
        map shows what raises the grade.  Heads beyond these, such as auxiliary ones, are not explained.
    signed
        Keep what speaks against, as values below 0, in place of Grad-CAM's cut at 0.

    Returns
    -------
    list of Tensor
        Per explained head N x h x w, not normalised; zero or more unless signed.

    Raises
    ------
    ValueError
        There are more `classes` than heads.
    """
    weights = channel_weights(grader, maps, classes)
    joints, channels, rows, columns = maps.shape
    with torch.no_grad():
        # N x H x C times N x C x (h w): the sum over the channels for all heads in one product.
        found = torch.bmm(weights.transpose(0, 1), maps.detach().reshape(joints, channels, rows * columns))
        found = found if signed else found.clamp_min(0.0)
    return list(found.reshape(joints, -1, rows, columns).unbind(dim=1))


def channel_weights(grader: Grader, maps: Tensor, classes: Sequence[Tensor | None]) -> Tensor:
    """Return Grad-CAM's weight of each channel, explained heads x N x C: the gradient's mean over positions.

    Raises
    ------
    ValueError
        There are more `classes` than heads.
    """
    if len(classes) > len(grader.head_specs):
        raise ValueError(f"{len(classes)} heads to explain, the network has {len(grader.head_specs)}")
    positions = maps.shape[2] * maps.shape[3]
    # Works within somebody's inference mode too, whose tensors know no gradient: the means are copied.
    with torch.inference_mode(False), torch.enable_grad():
        means = maps.detach().mean(dim=(2, 3)).expand(len(classes), -1, -1).clone().requires_grad_(True)
        targets = [
            expected_class(outputs, spec.kind)
            if chosen is None
            else class_evidence(outputs, chosen.clone(), spec.kind)
            for spec, outputs, chosen in zip(
                grader.head_specs, _outputs(grader, means), classes, strict=False
            )
        ]
        # Neither heads nor joints mix, so the gradient of the one sum holds that of each head and joint.
        (gradient,) = torch.autograd.grad(torch.stack(targets).sum(), means)
    # Each position has 1 / positions of a share in its channel's mean, and of the gradient.
    return gradient / positions


def _outputs(grader: Grader, means: Tensor) -> list[Tensor]:
    """Return the outputs of the first heads, each from its own copy of the means (heads x N x C).

    In double precision where the device has it: of a sure answer the expected grade's gradient is a small
    difference of large numbers.
    """
    outputs = [head(own) for head, own in zip(grader.heads, grader.tail(means).unbind(0), strict=False)]
    return outputs if means.device.type == "mps" else [output.double() for output in outputs]


def alike(maps: Tensor) -> Tensor:
    """Return N maps divided by their largest absolute value, so that members weigh alike in a mean.

    Grad-CAM's heights depend on the scale of a network's last layer, which says nothing of the joint; so
    each of an ensemble's maps is scaled to a height of 1 before their mean.  Empty maps stay 0.

    Parameters
    ----------
    maps
        N x h x w.
    """
    return maps / maps.abs().amax(dim=(1, 2), keepdim=True).clamp_min(_NOTHING)


def unit_maps(maps: Tensor, cells: int, *, signed: bool = False) -> Tensor:
    """Return N x cells x cells maps whose largest absolute value is 1; empty ones stay 0.

    Smaller maps are enlarged smoothly (bicubic), larger ones reduced by the mean over each cell.  The
    cells cover the crop evenly, the first row and column begin at its edge.

    Parameters
    ----------
    maps
        N x h x w.
    signed
        Whether values below 0 mean something; otherwise they are cut, and the result lies in 0..1.
    """
    if maps.shape[-1] > cells:
        resized = functional.interpolate(maps[:, None], size=(cells, cells), mode="area")[:, 0]
    else:
        resized = functional.interpolate(
            maps[:, None], size=(cells, cells), mode="bicubic", align_corners=False
        )[:, 0]
    if not signed:
        resized = resized.clamp_min(0.0)
    highest = resized.abs().amax(dim=(1, 2), keepdim=True)
    scaled = torch.where(highest > 0.0, resized / highest.clamp_min(_NOTHING), resized)
    return scaled.clamp(-1.0, 1.0)
