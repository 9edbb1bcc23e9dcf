"""Occlusion sensitivity: cover a window of the crop, and see how far the answer drops.

Unlike Grad-CAM it asks nothing of the network's inside and shows, at the finer grid of its windows, what
the answer rests on; it costs one forward pass a window, in which all heads are explained at once.

Source: Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from reader_app.ai.nets.heads import HeadSpec, expected_class, probabilities

BATCH = 32
"""Covered crops through a network at once."""

_WINDOWS_ACROSS = 7
"""Windows side by side on a crop, as many as the last map of most networks has cells at 224 pixels."""


class Graded(Protocol):
    """A network that grades from a map, such as `Grader`."""

    @property
    def head_specs(self) -> tuple[HeadSpec, ...]:
        """The heads."""
        ...

    def features(self, images: Tensor) -> Tensor:
        """Return what the heads grade from."""
        ...

    def logits(self, maps: Tensor) -> list[Tensor]:
        """Return the N x outputs of every head."""
        ...


def usual_window(size: int) -> tuple[int, int]:
    """Return window and stride, in pixels, for crops of this edge: 32 and 16 for 224 pixels."""
    window = max(2, round(size / _WINDOWS_ACROSS))
    return window, max(1, window // 2)


@torch.no_grad()
def occlusion_maps(
    network: Graded,
    images: Tensor,
    targets: Sequence[Tensor | None],
    *,
    window: int,
    stride: int,
    batch: int = BATCH,
    features: Callable[[Tensor], Tensor] | None = None,
    signed: bool = False,
) -> list[Tensor]:
    """Return how far the answer drops where the crop is covered, per explained head.

    A window is filled with 0, the mean of a standardised crop.  Windows begin at every multiple of
    `stride` until one reaches the far edge, where what juts out is cut off.  A pixel's value is the mean
    drop over the windows that cover it.

    Parameters
    ----------
    network
        In evaluation mode.
    images
        N x 1 x H x W, standardised.
    targets
        For each of the first heads, the N class indices whose probability is watched, or None for the
        expected grade; the drop is then in grades.
    window, stride
        Edge of the square that is covered, and steps between squares, in pixels of the crop.
    batch
        Covered crops through the network at once.
    features
        Stands in for the network's own, e.g. a compiled one.
    signed
        Keep what the answer rises without, as values below 0.

    Returns
    -------
    list of Tensor
        Per explained head N x H x W; zero or more unless signed.

    Raises
    ------
    ValueError
        There are more `targets` than heads, the window is larger than the crop, or the stride larger than the
        window, which would leave pixels uncovered.
    """
    rows, columns = images.shape[-2:]
    if len(targets) > len(network.head_specs):
        raise ValueError(f"{len(targets)} heads to explain, the network has {len(network.head_specs)}")
    if not 1 <= stride <= window <= min(rows, columns):
        raise ValueError(f"a window of {window} with stride {stride} does not tile {columns} × {rows} pixels")
    tops, lefts = _starts(rows, window, stride), _starts(columns, window, stride)
    corners = [(top, left) for top in tops for left in lefts]
    run = features or network.features
    whole = _watched(network, run(images), targets)
    drops = torch.empty(len(targets), len(images), len(corners), device=images.device)
    for number, image in enumerate(images):
        chosen = [None if classes is None else classes[number] for classes in targets]
        for first in range(0, len(corners), batch):
            part = corners[first : first + batch]
            covered = _covered(image, part, window)
            asked = [None if one is None else one.expand(len(part)) for one in chosen]
            found = _watched(network, run(covered), asked)
            drops[:, number, first : first + len(part)] = whole[:, number, None] - found
    maps = _spread(drops.reshape(-1, 1, len(tops), len(lefts)), (rows, columns), window, stride)
    maps = maps.reshape(len(targets), len(images), rows, columns)
    return list((maps if signed else maps.clamp_min(0.0)).unbind(0))


def _starts(length: int, window: int, stride: int) -> range:
    """Return where windows begin; the last is the first to reach the edge."""
    steps = -(-(length - window) // stride)
    return range(0, steps * stride + 1, stride)


def _covered(image: Tensor, corners: Sequence[tuple[int, int]], window: int) -> Tensor:
    """Return one copy of the 1 x H x W image for each window's upper left corner, the window filled."""
    copies = (
        image.expand(len(corners), *image.shape).contiguous(memory_format=torch.contiguous_format).clone()
    )
    for copy, (top, left) in zip(copies, corners, strict=True):
        copy[:, top : top + window, left : left + window] = 0.0
    return copies.contiguous(memory_format=torch.channels_last)


def _watched(network: Graded, maps: Tensor, targets: Sequence[Tensor | None]) -> Tensor:
    """Return the numbers whose drop is measured, explained heads x N."""
    found = []
    for spec, outputs, classes in zip(network.head_specs, network.logits(maps), targets, strict=False):
        if classes is None:
            found.append(expected_class(outputs, spec.kind))
        else:
            found.append(probabilities(outputs, spec.kind).gather(1, classes[:, None])[:, 0])
    return torch.stack(found)


def _spread(drops: Tensor, shape: tuple[int, int], window: int, stride: int) -> Tensor:
    """Return M x 1 x H x W, each pixel the mean of its windows, from M x 1 x windows down x across."""
    square = torch.ones(1, 1, window, window, dtype=drops.dtype, device=drops.device)
    total = functional.conv_transpose2d(drops, square, stride=stride)
    count = functional.conv_transpose2d(torch.ones_like(drops[:1]), square, stride=stride)
    return (total / count)[..., : shape[0], : shape[1]]
