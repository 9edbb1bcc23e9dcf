"""The films that a localizer learns from: phantoms, rendered once, and what is composed of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from reader_app.ai.training.composed import (
    EDGE_PER_HEAD,
    Body,
    ComposedFilm,
    Knees,
    Target,
    compose,
    knee_box,
)
from reader_app.ai.training.examples import Example, read_examples, read_grey
from reader_app.ai.training.localizer_recipe import LocalizerRecipe
from reader_app.imaging.geometry import Box, Side
from reader_app.phantom.cohort import expose_film, plan_cohort
from reader_app.phantom.film import JointRecord
from reader_app.phantom.truth import View

Tell = Callable[[float, str], None]

_REDUCED = 4  # half a millimetre a pixel: a detector sees less
_TRUTH = "bodies.json"
_TARGETS = "targets.json"


class RealKnees:
    """Real knees of one split; their grades are not read.

    Parameters
    ----------
    folder
        With ``labels.csv`` (image, split, participant, side) and square crops of single knees.
    split
        ``train`` or ``val``; others are not opened.
    """

    def __init__(self, folder: Path, split: str) -> None:
        self._examples: list[Example] = list(read_examples(folder, split, ()))

    def draw(self, side: Side, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
        """Return a knee as it lies on a film on this side: one of the other side is mirrored."""
        example = self._examples[int(rng.integers(len(self._examples)))]
        pixels = _bytes(example.image)
        return pixels if example.side == side.value else np.ascontiguousarray(pixels[:, ::-1])


def _bytes(path: Path) -> npt.NDArray[np.uint8]:
    return np.asarray(read_grey(path), dtype=np.uint8)


def phantom_bodies(folder: Path, numbers: range, *, joint: str, seed: int, tell: Tell) -> list[Body]:
    """Return phantom films without lead letters, rendered where the folder does not hold them yet.

    Parameters
    ----------
    folder
        Keeps them as ``NNNN.png`` with the boxes in ``NNNN.json``.
    numbers
        Of the participants within the cohort of this seed, from 0.
    joint
        "knee" or "hip".
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [number for number in numbers if not (folder / f"{number:04d}.json").is_file()]
    if missing:
        _render(folder, missing, joint=joint, seed=seed, tell=tell)
    return [_read_body(folder / f"{number:04d}.png") for number in numbers]


def _render(folder: Path, missing: Sequence[int], *, joint: str, seed: int, tell: Tell) -> None:
    view = View.KNEES_PA if joint == "knee" else next(view for view in View if view is not View.KNEES_PA)
    wanted = {number: place for place, number in enumerate(missing)}
    plans = plan_cohort(participants=missing[-1] + 1, visits=1, seed=seed, view=view, reduced=_REDUCED)
    for number, plan in enumerate(plans):
        if number not in wanted:
            continue
        tell(wanted[number] / len(missing), f"Rendering phantom {number + 1}")
        film = expose_film(replace(plan, parameters=replace(plan.parameters, marker=False)))
        grey = np.rint(np.clip(film.pixels / 4095.0, 0.0, 1.0) * 255.0).astype(np.uint8)
        write_body(folder / f"{number:04d}.png", _body(grey, film.joints, film.spacing_mm, joint=joint))


def _body(
    grey: npt.NDArray[np.uint8], joints: Mapping[Side, JointRecord], spacing_mm: float, *, joint: str
) -> Body:
    boxes: dict[Side, Box] = {}
    radii: dict[Side, float] = {}
    for side, record in joints.items():
        places = record.landmarks
        if joint == "knee":
            rows = [
                places[f"joint_space_{part}_{bone}"][1]
                for part in ("medial", "lateral")
                for bone in ("femur", "tibia")
            ]
            plateau = (places["plateau_medial"], places["plateau_lateral"])
            boxes[side] = knee_box(plateau, float(np.mean(rows)))
        else:
            radii[side] = record.lengths_mm["head_radius"] / spacing_mm
            x, y = places["head_centre"]
            edge = EDGE_PER_HEAD * radii[side]
            boxes[side] = Box(x - edge / 2.0, y - edge / 2.0, edge, edge)
    return Body(grey, boxes, radii)


def write_body(path: Path, body: Body) -> None:
    """Write a phantom film as PNG, and its boxes beside it, last: a film without them is not there yet."""
    Image.fromarray(body.pixels).save(path)
    truth = {
        "boxes": {side.value: list(astuple(box)) for side, box in body.boxes.items()},
        "radii": {side.value: radius for side, radius in body.radii.items()},
    }
    part = path.with_suffix(".part")
    part.write_text(json.dumps(truth), encoding="utf-8")
    part.replace(path.with_suffix(".json"))


def _read_body(path: Path) -> Body:
    truth = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return Body(
        _bytes(path),
        {Side(side): Box(*box) for side, box in truth["boxes"].items()},
        {Side(side): float(radius) for side, radius in truth["radii"].items()},
    )


@dataclass(frozen=True)
class FilmSet:
    """Composed films on disk, read one by one."""

    folder: Path
    targets: tuple[tuple[Target, ...], ...]

    def __len__(self) -> int:
        return len(self.targets)

    def film(self, number: int) -> ComposedFilm:
        """Return one film."""
        return ComposedFilm(_bytes(self.folder / f"{number:05d}.png"), self.targets[number])


def film_set(
    folder: Path,
    count: int,
    *,
    bodies: Callable[[], Sequence[Body]],
    knees: Callable[[], Knees | None],
    seed: int,
    tell: Tell,
) -> FilmSet:
    """Compose films, or take those that the folder holds from a run that was cut off.

    Parameters
    ----------
    bodies, knees
        Called where films have to be composed.
    seed
        Every film has a generator of its own from the seed and its number.
    """
    if not (folder / _TARGETS).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        phantoms, real = bodies(), knees()
        found: list[list[list[object]]] = []
        for number in range(count):
            rng = np.random.default_rng([seed, number])
            film = compose(phantoms[number % len(phantoms)], real, rng)
            Image.fromarray(film.pixels).save(folder / f"{number:05d}.png", compress_level=1)
            found.append([[target.label, *astuple(target.box)] for target in film.targets])
            if number % 50 == 0:
                tell(number / count, f"Composing film {number + 1} of {count}")
        part = folder / f"{_TARGETS}.part"
        part.write_text(json.dumps(found), encoding="utf-8")
        part.replace(folder / _TARGETS)
    rows = json.loads((folder / _TARGETS).read_text(encoding="utf-8"))
    targets = tuple(tuple(Target(label, Box(*box)) for label, *box in film) for film in rows)
    return FilmSet(folder, targets)


def films_for(recipe: LocalizerRecipe, data: Path, folder: Path, tell: Tell) -> tuple[FilmSet, FilmSet]:
    """Return the films that teach a recipe's network, and those that choose it.

    Phantoms of the validation come after those of the training in one cohort; its real knees are those of
    the split ``val``, whose participants the training does not know.
    """
    ends = (0, recipe.bodies, recipe.bodies + recipe.bodies_validation)
    made = []
    for place, (split, count) in enumerate((("train", recipe.films), ("val", recipe.films_validation))):
        numbers = range(ends[place], ends[place + 1])
        start = (0.0, 0.85)[place]
        share = (0.85, 0.15)[place]

        def tell_part(done: float, sentence: str, start: float = start, share: float = share) -> None:
            tell(start + share * done, sentence)

        def bodies(numbers: range = numbers, tell_part: Tell = tell_part) -> list[Body]:
            where = folder / "bodies"
            return phantom_bodies(where, numbers, joint=recipe.joint, seed=recipe.seed, tell=tell_part)

        def knees(split: str = split) -> Knees | None:
            return RealKnees(data, split) if recipe.real_joints else None

        made.append(
            film_set(
                folder / "films" / split,
                count,
                bodies=bodies,
                knees=knees,
                seed=2 * recipe.seed + place,
                tell=tell_part,
            )
        )
    return made[0], made[1]
