"""Squares of a joint as a network that places landmarks may come to see it, and where points land in them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from reader_app.ai.crop import standardise
from reader_app.ai.training.landmark_recipe import ViewRecipe
from reader_app.ai.training.landmark_sources import Joints

_PERCENTILES = (0.005, 0.995)  # as `Preprocessing` clips by default
_EVERY = 3  # pixels, for the percentiles


@dataclass(frozen=True)
class Views:
    """Where so many views lie on the images of their joints.

    Attributes
    ----------
    turn
        N x 2 x 2: from shares of the view to shares of the image.
    start
        N x 2: the image's place of the view's upper left corner.
    flipped
        N: the view is mirrored.
    """

    turn: Tensor
    start: Tensor
    flipped: Tensor

    def to_image(self, points: Tensor) -> Tensor:
        """Map N x P x 2 points of the views, in the order of the net's outputs, to the images'."""
        placed = points @ self.turn.transpose(1, 2) + self.start[:, None]
        return _swapped(placed, self.flipped)

    def to_view(self, points: Tensor) -> Tensor:
        """Map N x P x 2 points of the images to the views; of a mirrored view the first becomes the last."""
        back: Tensor = torch.linalg.inv(self.turn).transpose(1, 2)
        return (_swapped(points, self.flipped) - self.start[:, None]) @ back

    def sample(self, images: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Return the views, N x 1 x size x size in 0..1, and which of their pixels lie on the image."""
        matrix = torch.cat(
            [self.turn, (2.0 * self.start - 1.0 + self.turn.sum(dim=2))[:, :, None]], dim=2
        )  # from -1..1 of the view to -1..1 of the image
        grid = functional.affine_grid(matrix, [len(images), 1, size, size], align_corners=False)
        seen = functional.grid_sample(
            images[:, None].float() / 255.0, grid, mode="bilinear", padding_mode="zeros", align_corners=False
        )
        inside = (grid.abs() <= 1.0).all(dim=3)[:, None]
        return seen, inside


def _swapped(points: Tensor, flipped: Tensor) -> Tensor:
    return torch.where(flipped[:, None, None], points.flip(1), points)


def draw_views(points: Tensor, recipe: ViewRecipe, *, degrees: float, generator: torch.Generator) -> Views:
    """Draw one view of each joint.

    Parameters
    ----------
    points
        N x 2 x 2: where the plateau's ends lie on the images, lateral first.
    recipe
        How wide the views are and where the plateau lies in them.
    degrees
        Turned by up to so much, either way.
    """
    count = len(points)
    middle = points.mean(dim=1)
    width = (points[:, 1] - points[:, 0]).norm(dim=1)
    edge = width * _uniform(count, recipe.narrowest, recipe.widest, generator)
    angle = _uniform(count, -math.radians(degrees), math.radians(degrees), generator)
    flipped = torch.rand(count, generator=generator) < 0.5
    at = torch.stack(
        [
            0.5 + _uniform(count, -recipe.across, recipe.across, generator),
            _uniform(count, recipe.highest, recipe.lowest, generator),
        ],
        dim=1,
    )
    return views_at(middle, edge, angle, at=at, flipped=flipped)


def views_at(middle: Tensor, edge: Tensor, angle: Tensor, *, at: Tensor, flipped: Tensor) -> Views:
    """Return the views of this edge (share of the image's), in which a point of the image lies at `at`.

    Parameters
    ----------
    middle
        N x 2, shares of the image.
    angle
        N, radians: content of the view appears turned counter-clockwise by so much, clockwise if mirrored.
    """
    sign = torch.where(flipped, -1.0, 1.0)
    cosine, sine = torch.cos(angle) * edge, torch.sin(angle) * edge
    turn = torch.stack(
        [torch.stack([cosine * sign, -sine], dim=1), torch.stack([sine * sign, cosine], dim=1)], dim=1
    )
    start = middle - (turn @ at[:, :, None])[:, :, 0]
    return Views(turn, start, flipped)


def network_views(
    joints: Joints,
    chosen: Tensor,
    views: Views,
    recipe: ViewRecipe | None,
    *,
    size: int,
    generator: torch.Generator,
) -> Tensor:
    """Return the views as the network takes them; their look is changed where a recipe is given."""
    seen, inside = views.sample(joints.images[chosen], size)
    if recipe is not None:
        inside = inside & _strips(len(seen), size, recipe.strip, generator)
        seen = _unsharp(seen, recipe.blur, generator)
        seen = _uneven(seen, recipe.unevenness, generator)
    seen = _stretched(seen, inside)
    if recipe is not None:
        seen = _exposed(seen, recipe, generator)
    return standardise(torch.where(inside, seen, 0.0))


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator)


def _strips(count: int, size: int, odds: float, generator: torch.Generator) -> Tensor:
    """Return which pixels lie on the film, N x 1 x size x size, where some films end above or below."""
    rows = (torch.arange(size) + 0.5) / size
    none = torch.zeros(count)
    top = torch.where(
        torch.rand(count, generator=generator) < odds, _uniform(count, 0.0, 0.35, generator), none
    )
    bottom = torch.where(
        torch.rand(count, generator=generator) < odds, _uniform(count, 0.0, 0.25, generator), none
    )
    kept = (rows >= top[:, None]) & (rows <= 1.0 - bottom[:, None])
    return kept[:, None, :, None].expand(count, 1, size, size)


def _unsharp(seen: Tensor, odds: float, generator: torch.Generator) -> Tensor:
    """Blur some views, half of those by seeing them at half the resolution."""
    draw = torch.rand(len(seen), generator=generator)
    line = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16.0
    padded = functional.pad(seen, (2, 2, 2, 2), mode="replicate")
    soft = functional.conv2d(padded, torch.outer(line, line)[None, None])
    coarse = functional.interpolate(
        functional.avg_pool2d(seen, 2), size=seen.shape[-2:], mode="bilinear", align_corners=False
    )
    draw = draw[:, None, None, None]
    return torch.where(draw < odds / 2.0, coarse, torch.where(draw < odds, soft, seen))


def _uneven(seen: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Brighten one side and darken the other, in any direction, as scatter and a wedge of fat do."""
    count, size = len(seen), seen.shape[-1]
    slope = _uniform(2 * count, -strength, strength, generator).view(count, 2)
    place = torch.linspace(-1.0, 1.0, size)
    field = slope[:, 0, None, None] * place[None, None, :] + slope[:, 1, None, None] * place[None, :, None]
    return seen * torch.exp(field)[:, None]


def _stretched(seen: Tensor, inside: Tensor) -> Tensor:
    """Clip what lies on the film at its percentiles and stretch it to 0..1."""
    thin = (slice(None), slice(None), slice(None, None, _EVERY), slice(None, None, _EVERY))
    values = torch.where(inside[thin], seen[thin], torch.nan).flatten(1)
    low, high = torch.nanquantile(values, torch.tensor(_PERCENTILES), dim=1)
    shape = (-1, 1, 1, 1)
    span = (high - low).clamp_min(1e-3).view(shape)
    stretched: Tensor = (seen - low.view(shape)) / span
    return stretched.clamp(0.0, 1.0)


def _exposed(seen: Tensor, recipe: ViewRecipe, generator: torch.Generator) -> Tensor:
    """Gamma, contrast, brightness, noise, and rarely black for white."""
    count, shape = len(seen), (-1, 1, 1, 1)
    gamma = torch.exp(_uniform(count, -recipe.gamma, recipe.gamma, generator)).view(shape)
    contrast = torch.exp(_uniform(count, -recipe.contrast, recipe.contrast, generator)).view(shape)
    brightness = _uniform(count, -recipe.brightness, recipe.brightness, generator).view(shape)
    out = (seen.clamp_min(1e-4) ** gamma - 0.5) * contrast + 0.5 + brightness
    noise = _uniform(count, 0.0, recipe.noise, generator).view(shape)
    out = (out + torch.randn(out.shape, generator=generator) * noise).clamp(0.0, 1.0)
    inverted = (torch.rand(count, generator=generator) < recipe.inversion).view(shape)
    return torch.where(inverted, 1.0 - out, out)
