"""What landmarks are learned from: phantom knees whose places are known, and real joints without labels."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from reader_app.ai.crop import ByteArray, Preprocessing, crop_joint
from reader_app.ai.training.examples import read_examples, read_grey
from reader_app.imaging.geometry import Box, Side
from reader_app.phantom.cohort import expose_film, plan_cohort

PATCH = 192
"""Edge of what is kept of a joint, pixels."""
PATCH_PLATEAUS = 2.4
"""Edge of what is kept of a phantom knee, in widths of its plateau."""

_REDUCED = 4
_PIXEL = Preprocessing(size=PATCH, low_percentile=0.0, high_percentile=100.0)

Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class Joints:
    """Joints to draw views from, lateral on the left.

    Attributes
    ----------
    images
        uint8, N x `PATCH` x `PATCH`.
    points
        N x 2 x (x, y), lateral first, as shares of the image; of real joints about where they lie.
    """

    images: Tensor
    points: Tensor

    def __len__(self) -> int:
        return len(self.images)


def phantom_knees(folder: Path, films: range, *, seed: int, tell: Tell) -> Joints:
    """Return both knees of phantom films, rendered where the folder does not hold them yet.

    Parameters
    ----------
    folder
        Keeps films as ``NNNN.png`` with their truth as ``NNNN.json``.
    films
        Numbers of the films within the cohort of this seed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _render_missing(folder, films, seed=seed, tell=tell)
    images: list[ByteArray] = []
    points: list[list[tuple[float, float]]] = []
    for number in films:
        pixels = read_grey(folder / f"{number:04d}.png")
        truth = json.loads((folder / f"{number:04d}.json").read_text(encoding="utf-8"))
        for side in Side:
            places = truth["joints"][side.value]["landmarks"]
            lateral, medial = (_on_edges(places[name]) for name in ("plateau_lateral", "plateau_medial"))
            image, found = _phantom_patch(pixels, lateral, medial, side=side)
            images.append(image)
            points.append(found)
    return Joints(torch.from_numpy(np.stack(images)), torch.tensor(points, dtype=torch.float32))


def _render_missing(folder: Path, films: range, *, seed: int, tell: Tell) -> None:
    missing = [number for number in films if not (folder / f"{number:04d}.json").is_file()]
    if not missing:
        return
    wanted = set(missing)
    plans = plan_cohort(participants=missing[-1] + 1, visits=1, seed=seed, reduced=_REDUCED)
    for number, plan in enumerate(plans):
        if number not in wanted:
            continue
        tell(missing.index(number) / len(missing), f"Rendering phantom {number + 1}")
        film = expose_film(plan)
        grey = np.clip(np.rint(film.pixels / film.pixels.max() * 255.0), 0.0, 255.0).astype(np.uint8)
        Image.fromarray(grey).save(folder / f"{number:04d}.png")
        joints = {
            side.value: {"landmarks": {name: list(at) for name, at in joint.landmarks.items()}}
            for side, joint in film.joints.items()
        }
        part = folder / f"{number:04d}.part"  # last, and in one step: a film without its truth is no film
        part.write_text(json.dumps({"joints": joints}), encoding="utf-8")
        part.replace(folder / f"{number:04d}.json")


def _on_edges(place: list[float]) -> tuple[float, float]:
    """Move from the phantoms' pixel centres on whole numbers to pixels that cover ``[i, i + 1]``."""
    return place[0] + 0.5, place[1] + 0.5


def _phantom_patch(
    pixels: npt.NDArray[np.generic],
    lateral: tuple[float, float],
    medial: tuple[float, float],
    *,
    side: Side,
) -> tuple[ByteArray, list[tuple[float, float]]]:
    width = abs(medial[0] - lateral[0])
    x, y = (lateral[0] + medial[0]) / 2.0, (lateral[1] + medial[1]) / 2.0
    edge = PATCH_PLATEAUS * width
    box = Box(x - edge / 2.0, y - edge / 2.0, edge, edge)
    crop = crop_joint(pixels, _PIXEL, side=side.value, box=box)  # the left one is mirrored
    places = [crop.map.to_crop(*lateral), crop.map.to_crop(*medial)]
    return crop.pixels, [(at_x / PATCH, at_y / PATCH) for at_x, at_y in places]


def real_joints(
    folder: Path, split: str, *, count: int, edge: float, height: float, seed: int, tell: Tell
) -> Joints:
    """Return so many images of single joints of a split, drawn with a seed; their grades are not read.

    Parameters
    ----------
    folder
        With ``labels.csv`` (image, split, participant, side).
    edge, height
        About where the plateau lies: the image's edge in plateaus, and the joint line's height in it.
    """
    examples = read_examples(folder, split, ())
    chosen = np.random.default_rng([seed, 5]).permutation(len(examples))[:count]
    images = np.empty((len(chosen), PATCH, PATCH), dtype=np.uint8)
    for index, number in enumerate(chosen):
        example = examples[number]
        images[index] = crop_joint(read_grey(example.image), _PIXEL, side=example.side).pixels
        if index % 256 == 0:
            tell(index / len(chosen), f"Reading joints of {split}")
    half = 0.5 / edge
    about = torch.tensor([[0.5 - half, height], [0.5 + half, height]])
    return Joints(torch.from_numpy(images), about.expand(len(images), 2, 2).clone())
