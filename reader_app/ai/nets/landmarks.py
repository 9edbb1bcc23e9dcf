"""The network that places named points on a found joint, such as the outer edges of a knee's tibial plateau.

It sees a small square around the joint's box, turned so that lateral lies on the left, and answers with one
map a point: where the point may lie.  The point is the mean of its map, which is finer than the map's cells,
and the map's width says how sure the place is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from reader_app.ai.bundle_spec import Landmarks
from reader_app.ai.crop import Crop, Preprocessing, crop_joint, network_input
from reader_app.ai.film_image import PreparedFilm
from reader_app.ai.located import JointBox, Landmark
from reader_app.errors import BundleError, ImageError
from reader_app.imaging.geometry import Box

WIDEST = 0.08
"""A point whose map is wider than this share of the square, as a standard deviation, is not told."""
STEEPEST_DEGREES = 30.0
"""A plateau that slopes more than this is a mistake, not an anatomy."""

_STAGES = (16, 32, 48, 64, 96)  # channels; every stage halves the rows and columns
_PATH = 48  # channels of the way back up
_GROUPS = 8


class _Block(nn.Module):
    """Two convolutions around which the input also passes unchanged."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.GroupNorm(_GROUPS, channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.GroupNorm(_GROUPS, channels),
        )

    def forward(self, maps: Tensor) -> Tensor:
        return functional.relu(maps + self.body(maps))


def _halving(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
        nn.GroupNorm(_GROUPS, after),
        nn.ReLU(),
    )


class LandmarkNet(nn.Module):
    """A small fully convolutional network: down to 1/32 for the whole joint, back up to 1/4 for the place.

    It has group instead of batch normalisation: films of several kinds share a batch while training, and a
    joint's answer must not depend on which others are asked beside it.

    Parameters
    ----------
    points
        How many points it places.
    """

    def __init__(self, points: int) -> None:
        super().__init__()
        self.points = points
        stages: list[nn.Module] = []
        before = 1
        for number, channels in enumerate(_STAGES):
            halved = _halving(before, channels)
            stages.append(halved if number == 0 else nn.Sequential(halved, _Block(channels)))
            before = channels
        self.stages = nn.ModuleList(stages)
        self.sideways = nn.ModuleList(nn.Conv2d(channels, _PATH, 1) for channels in _STAGES[1:])
        self.up = nn.ModuleList(nn.Conv2d(_PATH, _PATH, 3, padding=1) for _ in _STAGES[2:])
        self.last = nn.Conv2d(_PATH, points, 1)

    def maps(self, images: Tensor) -> Tensor:
        """Return logits, N x points x H/4 x W/4, of N x 1 x H x W standardised squares (`network_input`)."""
        found: list[Tensor] = []
        seen = images
        for stage in self.stages:
            seen = stage(seen)
            found.append(seen)
        levels = [side(level) for side, level in zip(self.sideways, found[1:], strict=True)]
        path = cast(Tensor, levels[-1])
        for level, smooth in zip(reversed(levels[:-1]), self.up, strict=True):
            larger = functional.interpolate(path, size=level.shape[-2:], mode="nearest")
            path = functional.relu(smooth(larger + level))
        return cast(Tensor, self.last(path))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the points, N x points x (x, y), and their spread, N x points, as shares of the square."""
        return mean_and_spread(self.maps(images))


def mean_and_spread(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return each map's mean place (x, y) in 0..1 and its standard deviation.

    Parameters
    ----------
    maps
        Logits, N x points x rows x columns; the softmax over all cells is the chance of each.
    """
    rows, columns = maps.shape[-2:]
    chance = maps.flatten(2).softmax(dim=2).view_as(maps)
    x = (torch.arange(columns, device=maps.device, dtype=maps.dtype) + 0.5) / columns
    y = (torch.arange(rows, device=maps.device, dtype=maps.dtype) + 0.5) / rows
    by_column, by_row = chance.sum(dim=2), chance.sum(dim=3)
    mean_x, mean_y = (by_column * x).sum(dim=2), (by_row * y).sum(dim=2)
    variance = (by_column * (x - mean_x[..., None]) ** 2).sum(dim=2)
    variance = variance + (by_row * (y - mean_y[..., None]) ** 2).sum(dim=2)
    return torch.stack([mean_x, mean_y], dim=2), (variance / 2.0).sqrt()


@torch.inference_mode()
def place(net: LandmarkNet, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return points and spreads as `LandmarkNet.forward`, as the mean of the image and its mirror image.

    For two points that are each other's mirror image, as the two ends of a plateau are, so that neither
    side is favoured; the spread includes how far the two answers lie apart.
    """
    both, widths = net(torch.cat([images, images.flip(-1)]))
    one, other = both.chunk(2)
    other = torch.stack([1.0 - other[..., 0], other[..., 1]], dim=2).flip(1)
    width, mirrored_width = widths.chunk(2)
    apart = ((one - other) / 2.0).square().sum(dim=2)
    spread = ((width.square() + mirrored_width.flip(1).square()) / 2.0 + apart).sqrt()
    return (one + other) / 2.0, spread


def load_landmarks(folder: Path, spec: Landmarks) -> LandmarkNet:
    """Build the network with the bundle's weights (fp16 or fp32), ready to infer in fp32.

    Raises
    ------
    BundleError
        The file cannot be read, its tensors do not fit, or the bundle names other than two points.
    """
    if len(spec.points) != 2:
        raise BundleError(
            "The bundle's landmarks must be two points, the ends of the line that becomes level.",
            "Install the bundle again.",
        )
    try:
        state = load_file(folder / spec.file)
    except (SafetensorError, OSError) as error:
        raise BundleError(
            f"The weights {spec.file} cannot be read: {error}.", "Install the bundle again."
        ) from error
    net = LandmarkNet(len(spec.points))
    try:
        net.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    except RuntimeError as error:
        raise BundleError(
            f"The weights {spec.file} do not fit the network that places landmarks.",
            "Install the bundle again.",
        ) from error
    return net.eval()


def preprocessing_of(spec: Landmarks) -> Preprocessing:
    """Return how the square around a box is cut for the network."""
    return Preprocessing(size=spec.size, margin=spec.margin)


def place_landmarks(
    net: LandmarkNet, spec: Landmarks, film: PreparedFilm, joints: Sequence[JointBox]
) -> list[JointBox]:
    """Return the joints with their landmarks and the tilt of the line through them.

    A joint where a point is not clear, or the line is too steep to be a plateau, comes back without both.
    So does one whose box lies beside the film.  Where the side is not known the points are named by where
    they lie on the image.

    Parameters
    ----------
    net, spec
        Of the bundle.
    film
        What the joints were found on.
    joints
        Their boxes, in film pixels.
    """
    crops: list[Crop | None] = [_crop(spec, film, joint) for joint in joints]
    seen = [crop for crop in crops if crop is not None]
    if not seen:
        return list(joints)
    device = next(net.parameters()).device
    images = torch.from_numpy(network_input([crop.pixels for crop in seen])).to(device)
    points, spreads = (tensor.float().cpu() for tensor in place(net, images))
    answers = iter(zip(points.tolist(), spreads.tolist(), strict=True))
    return [
        joint if crop is None else _with_landmarks(joint, crop, spec, film, *next(answers))
        for joint, crop in zip(joints, crops, strict=True)
    ]


def _crop(spec: Landmarks, film: PreparedFilm, joint: JointBox) -> Crop | None:
    """Return the square around a joint; None where it shows nothing."""
    box = Box(
        joint.box.x / film.scale_x,
        joint.box.y / film.scale_y,
        joint.box.width / film.scale_x,
        joint.box.height / film.scale_y,
    )
    spacing = film.spacing_mm
    if spacing is not None:  # of the reduced film, so that the square is one on the body
        spacing = (spacing[0] * film.scale_y, spacing[1] * film.scale_x)
    mirrored = joint.side == film.image_left.other.value  # its lateral edge lies on the right of the image
    preprocessing = replace(preprocessing_of(spec), mirror_side="L" if mirrored else "")
    try:
        side = "L" if mirrored else "R"
        return crop_joint(film.pixels, preprocessing, side=side, box=box, spacing_mm=spacing)
    except ImageError:  # a box that the reader drew beside the film; the grading says so
        return None


def _with_landmarks(
    joint: JointBox,
    crop: Crop,
    spec: Landmarks,
    film: PreparedFilm,
    points: list[list[float]],
    spreads: list[float],
) -> JointBox:
    if max(spreads) > WIDEST:
        return joint
    size = float(spec.size)
    placed = []
    for x, y in points:
        film_x, film_y = crop.map.to_film(x * size, y * size)
        placed.append((film_x * film.scale_x, film_y * film.scale_y))
    tilt = tilt_of(placed[0], placed[1], spacing_mm=film.spacing_mm)
    if tilt is None or abs(tilt) > STEEPEST_DEGREES:
        return joint
    names = spec.points
    if joint.side not in ("R", "L"):
        names = ("image_left", "image_right")
    landmarks = tuple(Landmark(name, x, y) for name, (x, y) in zip(names, placed, strict=True))
    return replace(joint, tilt_degrees=tilt, landmarks=landmarks)


def tilt_of(
    one: tuple[float, float], other: tuple[float, float], *, spacing_mm: tuple[float, float] | None = None
) -> float | None:
    """Return the slope on the body of the line through two points, in degrees.

    Positive where the end that lies further right on the film lies lower.  None where the points coincide.

    Parameters
    ----------
    one, other
        In film pixels.
    spacing_mm
        Millimetres from row to row and from column to column; square pixels if left out.
    """
    left, right = sorted((one, other))
    row_mm, column_mm = spacing_mm or (1.0, 1.0)
    across, down = (right[0] - left[0]) * column_mm, (right[1] - left[1]) * row_mm
    return None if across <= 0.0 else math.degrees(math.atan2(down, across))
