"""Random changes of a batch of crops, all in torch and a whole batch at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from reader_app.ai.training.recipe import Augmentation


def augment(crops: Tensor, strength: Augmentation, *, mirror: bool, generator: torch.Generator) -> Tensor:
    """Return a changed copy of N x 1 x H x W grey crops in 0..1.

    Geometry first (rotation, shift, scale, a square cut out at random, and a mirror image where the labels
    allow it), then what exposure and processing do to a film: blur, gamma, contrast, brightness, noise, and,
    rarely, inversion.
    """
    matrix = _affine(len(crops), strength, mirror=mirror, generator=generator)
    edge = strength.random_crop or crops.shape[-1]
    if edge != crops.shape[-1]:
        matrix = matrix @ _cut(len(crops), edge / crops.shape[-1], generator)
    images = functional.grid_sample(
        crops,
        functional.affine_grid(matrix, [*crops.shape[:2], edge, edge], align_corners=False),
        mode="bilinear",
        padding_mode="zeros",
        align_corners=False,
    )
    return _exposure(_blurred(images, strength.blur, generator), strength, generator)


def _spread(count: int, width: float, generator: torch.Generator) -> Tensor:
    """Uniform in ``[-width, width]``, N."""
    return (torch.rand(count, generator=generator) * 2.0 - 1.0) * width


def _affine(count: int, strength: Augmentation, *, mirror: bool, generator: torch.Generator) -> Tensor:
    """N x 2 x 3 matrices from output to input, in the -1..1 coordinates of affine_grid."""
    angle = _spread(count, math.radians(strength.rotation_degrees), generator)
    scale = torch.exp(_spread(count, math.log1p(strength.scale_fraction), generator))
    flip = torch.where(torch.rand(count, generator=generator) < (0.5 if mirror else 0.0), -1.0, 1.0)
    matrix = torch.empty(count, 2, 3)
    matrix[:, 0, 0] = torch.cos(angle) * scale * flip
    matrix[:, 0, 1] = -torch.sin(angle) * scale
    matrix[:, 1, 0] = torch.sin(angle) * scale * flip
    matrix[:, 1, 1] = torch.cos(angle) * scale
    matrix[:, :, 2] = torch.stack(
        [_spread(count, 2.0 * strength.shift_fraction, generator) for _ in range(2)], dim=1
    )
    return matrix


def _cut(count: int, part: float, generator: torch.Generator) -> Tensor:
    """N x 3 x 3 matrices from a square of this part of the crop's edge, somewhere in it, to the crop."""
    matrix = torch.eye(3).repeat(count, 1, 1)
    matrix[:, 0, 0] = matrix[:, 1, 1] = part
    matrix[:, 0, 2] = _spread(count, 1.0 - part, generator)
    matrix[:, 1, 2] = _spread(count, 1.0 - part, generator)
    return matrix


def _blurred(images: Tensor, odds: float, generator: torch.Generator) -> Tensor:
    """Blur some of the images with a 3 x 3 binomial kernel, as a larger focal spot does."""
    chosen = torch.rand(len(images), generator=generator) < odds
    if not bool(chosen.any()):
        return images
    line = torch.tensor([0.25, 0.5, 0.25])
    padded = functional.pad(images[chosen], (1, 1, 1, 1), mode="replicate")
    out = images.clone()
    out[chosen] = functional.conv2d(padded, torch.outer(line, line)[None, None])
    return out


def _exposure(images: Tensor, strength: Augmentation, generator: torch.Generator) -> Tensor:
    """Gamma, contrast, brightness, noise and rare inversion."""
    count = len(images)
    shape = (count, 1, 1, 1)
    gamma = torch.exp(_spread(count, strength.gamma, generator)).view(shape)
    contrast = torch.exp(_spread(count, strength.contrast, generator)).view(shape)
    brightness = _spread(count, strength.brightness, generator).view(shape)
    out = images.clamp(1e-4, 1.0) ** gamma
    out = (out - 0.5) * contrast + 0.5 + brightness
    amount = torch.rand(count, generator=generator).view(shape) * strength.noise
    out = out + torch.randn(out.shape, generator=generator) * amount
    out = out.clamp(0.0, 1.0)
    inverted = (torch.rand(count, generator=generator) < strength.inversion).view(shape)
    return torch.where(inverted, 1.0 - out, out)
