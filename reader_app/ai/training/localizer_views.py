"""Composed films as a detector sees them: laid on the square a little differently in every epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from reader_app.ai.training.composed import MARKER, ComposedFilm, Target
from reader_app.ai.training.localizer_recipe import FilmChanges
from reader_app.imaging.geometry import Box

FloatArray = npt.NDArray[np.float32]

_BESIDE = -1000.0  # what lies beside the film, while it is being turned


@dataclass(frozen=True)
class View:
    """Where a film lies on the square: ``square = film * scale`` turned, mirrored and moved.

    A film's place (x, y) relative to its middle is mirrored first, then scaled, turned by `angle`
    (clockwise, radians) and moved to `middle` on the square.
    """

    scale: float
    angle: float
    mirrored: bool
    middle: tuple[float, float]
    film_middle: tuple[float, float]

    def to_square(self, x: float, y: float) -> tuple[float, float]:
        """Return a film's place on the square."""
        u, v = (x - self.film_middle[0]) * (-1.0 if self.mirrored else 1.0), y - self.film_middle[1]
        cosine, sine = math.cos(self.angle) * self.scale, math.sin(self.angle) * self.scale
        return self.middle[0] + u * cosine - v * sine, self.middle[1] + u * sine + v * cosine

    def box_to_square(self, box: Box) -> Box:
        """Return an upright box of the same proportions around where the box's middle comes to lie."""
        x, y = self.to_square(*box.centre)
        width, height = box.width * self.scale, box.height * self.scale
        return Box(x - width / 2.0, y - height / 2.0, width, height)

    def from_square(self) -> tuple[float, float, float, float, float, float]:
        """Return the matrix from the square to the film, as Pillow's transform takes it."""
        cosine, sine = math.cos(self.angle) / self.scale, math.sin(self.angle) / self.scale
        flip = -1.0 if self.mirrored else 1.0
        a, b, d, e = flip * cosine, flip * sine, -sine, cosine
        x, y = self.middle
        return (
            a,
            b,
            self.film_middle[0] - a * x - b * y,
            d,
            e,
            self.film_middle[1] - d * x - e * y,
        )


def random_view(film: ComposedFilm, size: int, changes: FilmChanges, rng: np.random.Generator) -> View:
    """Draw how a film is laid on a square."""
    rows, columns = film.pixels.shape
    share = rng.uniform(changes.smallest, changes.largest)
    lettered = any(target.label.startswith(MARKER) for target in film.targets)
    shift = changes.shift * size
    return View(
        scale=share * size / max(rows, columns),
        angle=math.radians(rng.normal(0.0, changes.rotation_degrees)),
        mirrored=bool(rng.random() < changes.mirror) and not lettered,
        middle=(size / 2.0 + rng.uniform(-shift, shift), size / 2.0 + rng.uniform(-shift, shift)),
        film_middle=(columns / 2.0, rows / 2.0),
    )


def on_view(
    film: ComposedFilm, view: View, size: int, changes: FilmChanges, rng: np.random.Generator
) -> FloatArray:
    """Return a film on its square, size x size: zero mean and unit deviation, zeros around."""
    coarse = max(1.0, 0.5 / view.scale)  # Pillow's transform skips pixels where it reduces much
    image = Image.fromarray(film.pixels.astype(np.float32))
    if coarse > 1.0:
        image = image.resize(
            (max(1, round(image.width / coarse)), max(1, round(image.height / coarse))),
            Image.Resampling.BOX,
        )
    across, down = image.width / film.pixels.shape[1], image.height / film.pixels.shape[0]
    a, b, c, d, e, f = view.from_square()
    laid = image.transform(
        (size, size),
        Image.Transform.AFFINE,
        (a * across, b * across, c * across, d * down, e * down, f * down),
        resample=Image.Resampling.BILINEAR,
        fillcolor=_BESIDE,
    )
    square = np.array(laid, dtype=np.float32)
    inside = square >= 0.0
    grey = np.clip(square[inside] / 255.0, 0.0, 1.0) ** math.exp(rng.normal(0.0, changes.gamma))
    grey = (grey - grey.mean()) / max(float(grey.std()), 1e-3)
    grey = grey + rng.normal(0.0, 1.0, grey.shape) * rng.uniform(0.0, changes.noise)
    square[:] = 0.0
    square[inside] = grey
    return square


def batch_of(
    films: Sequence[ComposedFilm],
    size: int,
    *,
    classes: Sequence[str],
    changes: FilmChanges,
    rng: np.random.Generator,
) -> tuple[Tensor, list[dict[str, Tensor]]]:
    """Return films on random squares, N x 1 x size x size, and what is on them as torchvision wants it."""
    squares, targets = [], []
    for film in films:
        view = random_view(film, size, changes, rng)
        squares.append(on_view(film, view, size, changes, rng))
        targets.append(_targets(film.targets, view, classes))
    return torch.from_numpy(np.stack(squares)[:, None]), targets


def _targets(targets: Sequence[Target], view: View, classes: Sequence[str]) -> dict[str, Tensor]:
    known = [target for target in targets if target.label in classes]
    boxes = [view.box_to_square(target.box) for target in known]
    return {
        "boxes": torch.tensor(
            [[box.x, box.y, box.right, box.bottom] for box in boxes], dtype=torch.float32
        ).reshape(-1, 4),
        "labels": torch.tensor([classes.index(target.label) + 1 for target in known], dtype=torch.int64),
    }
