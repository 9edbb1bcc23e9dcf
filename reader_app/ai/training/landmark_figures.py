"""How well landmarks are placed: against known places on phantoms, and against known turns on real joints.

A real joint has no known tilt, but a view of it that is turned by a known angle must have a tilt that differs
by this angle.  The views end within the image: its rim, which turns along, must not give the turn away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from reader_app.ai.nets.landmarks import WIDEST, LandmarkNet, place
from reader_app.ai.training.landmark_recipe import ViewRecipe
from reader_app.ai.training.landmark_sources import Joints
from reader_app.ai.training.landmark_views import draw_views, network_views, views_at

TURNS_DEGREES = (-10.0, -5.0, 5.0, 10.0)
_INNER = 0.82  # edge of a view that stays within the image when turned by 10 degrees about its middle
_BATCH = 64
_SEED = 11


@dataclass(frozen=True)
class Figures:
    """What a network reaches on joints that it did not learn from.

    Attributes
    ----------
    point_error
        Mean distance to the known places on phantoms, in widths of the plateau.
    tilt_error
        Mean absolute error on phantoms, turned by up to what the recipe says, degrees.
    turn_error, turn_error_90
        Mean and 90th percentile of the absolute difference between the tilt that changed and the known turn
        of a real view, degrees.
    told
        Share of the real joints' views in which the points are clear enough to be told.
    """

    point_error: float
    tilt_error: float
    turn_error: float
    turn_error_90: float
    told: float

    @property
    def score(self) -> float:
        """What the best epoch is chosen by; lower is better, and silence costs."""
        return self.tilt_error + self.turn_error + 5.0 * (1.0 - self.told)

    @property
    def words(self) -> str:
        """The figures in a line."""
        return (
            f"phantoms off by {self.point_error:.4f} plateaus and {self.tilt_error:.2f} degrees, real turns "
            f"by {self.turn_error:.2f} degrees (90 %: {self.turn_error_90:.2f}), "
            f"{100.0 * self.told:.1f} % told"
        )


def measure(net: LandmarkNet, *, phantoms: Joints, real: Joints, views: ViewRecipe, size: int) -> Figures:
    """Measure a network on joints that it did not learn from; the same views every time."""
    generator = torch.Generator().manual_seed(_SEED)
    chosen = torch.arange(len(phantoms))
    drawn = draw_views(phantoms.points, views, degrees=views.rotation_degrees, generator=generator)
    images = network_views(phantoms, chosen, drawn, None, size=size, generator=generator)
    found = _placed(net, images)[0]
    known = drawn.to_view(phantoms.points)
    widths = (known[:, 1] - known[:, 0]).norm(dim=1)
    off = (found - known).norm(dim=2).mean(dim=1) / widths
    turns, told = turn_errors(net, real, size=size)
    return Figures(
        point_error=float(off.mean()),
        tilt_error=float((tilts(found) - tilts(known)).abs().mean()),
        turn_error=float(turns.abs().mean()) if len(turns) else math.inf,
        turn_error_90=float(turns.abs().quantile(0.9)) if len(turns) else math.inf,
        told=told,
    )


def turn_errors(net: LandmarkNet, joints: Joints, *, size: int) -> tuple[Tensor, float]:
    """Return tilt of a turned view less tilt of the level view less turn, degrees, where both are told.

    Returns
    -------
    Tensor
        One number for each joint and turn whose points are clear in both views.
    float
        Their share.
    """
    level, clear = _placed(net, _turned(joints, 0.0, size))
    errors, both = [], []
    for degrees in TURNS_DEGREES:
        points, clear_turned = _placed(net, _turned(joints, degrees, size))
        counts = clear & clear_turned
        errors.append((tilts(points) - tilts(level) + degrees)[counts])
        both.append(counts.float().mean())
    return torch.cat(errors), float(torch.stack(both).mean())


def tilts(points: Tensor) -> Tensor:
    """Return the slope of N x 2 x (x, y) points, degrees, positive where the right one is lower."""
    across = points[:, 1] - points[:, 0]
    return torch.rad2deg(torch.atan2(across[:, 1], across[:, 0]))


def _turned(joints: Joints, degrees: float, size: int) -> Tensor:
    count = len(joints)
    middle = torch.full((count, 2), 0.5)
    views = views_at(
        middle,
        torch.full((count,), _INNER),
        torch.full((count,), math.radians(degrees)),
        at=middle,
        flipped=torch.zeros(count, dtype=torch.bool),
    )
    generator = torch.Generator().manual_seed(_SEED)
    return network_views(joints, torch.arange(count), views, None, size=size, generator=generator)


def _placed(net: LandmarkNet, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the points and which joints' are clear."""
    answers = [place(net, part) for part in torch.split(images, _BATCH)]
    points = torch.cat([points for points, _ in answers])
    spreads = torch.cat([spread for _, spread in answers])
    return points, (spreads <= WIDEST).all(dim=1)
