"""Phantom films on disk with what is planted in them, and the crops of their joints as training data."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from reader_app.ai.crop import Preprocessing, crop_joint
from reader_app.ai.training.examples import read_grey
from reader_app.errors import ManifestError
from reader_app.imaging.geometry import Box, Side
from reader_app.phantom.cohort import sample_exposure
from reader_app.phantom.film import JointRecord, PhantomFilm
from reader_app.phantom.grading import grading
from reader_app.phantom.knees import render_bilateral_knees
from reader_app.phantom.pelvis import render_pelvis
from reader_app.phantom.sampling import sample_hip, sample_knee, sample_person
from reader_app.phantom.truth import HipOsteophytes, HipTruth, KneeOsteophytes, KneeTruth, View
from reader_app.protocols.model import JointKind

Tell = Callable[[float, str], None]
Point = tuple[float, float]

_REDUCED = 4  # pixels of 0.56 mm
_WHITE = 4095.0  # of the phantoms' 12 bits
_HEADS = 2.5  # half the edge of a hip's box, in radii of its head
_TRAIN, _VAL = 0.70, 0.85  # of the films, by number


@dataclass(frozen=True)
class PhantomJoint:
    """One joint of a phantom film, found as a faultless localizer would find it.

    Parameters
    ----------
    film
        The picture, 8 bit, bone bright.
    number
        Of the film.
    box
        In film pixels.
    tilt_degrees
        Of a knee's plateau, positive where its right end lies lower.
    grades
        By item of the phantom's table, feature and site joined by an underscore.
    places
        Where the grades above 0 show, by item: film (column, row), pixel centres at whole numbers.
    """

    film: Path
    number: int
    side: Side
    spacing_mm: float
    box: Box
    tilt_degrees: float
    grades: Mapping[str, int]
    places: Mapping[str, tuple[Point, ...]]

    def pixels(self) -> npt.NDArray[np.generic]:
        """Return the film."""
        return read_grey(self.film)


@dataclass(frozen=True)
class Derived:
    """An item that follows from a grade of the phantom: present from a grade on."""

    item: str
    of: str
    at_least: int


class Planting(StrEnum):
    """How lesions come together in a joint."""

    TOGETHER = "together"
    """As the disease brings them: where one osteophyte is, there are others, and the space is narrow."""
    APART = "apart"
    """Each by a chance of its own: no lesion tells of another, so a network has to look at each one."""


def render_phantoms(
    folder: Path, joint: JointKind, films: int, *, planting: Planting, seed: int, tell: Tell
) -> None:
    """Render phantom films of two joints each; what is there already is left as it is.

    Parameters
    ----------
    folder
        Gets ``NNNN.png`` and, last, ``NNNN.json`` for every film.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(films):
        truth = folder / f"{number:04d}.json"
        if truth.is_file():
            continue
        tell(number / films, f"Rendering phantom {number + 1} of {films}")
        film = _render(joint, number, seed, planting)
        grey = np.rint(np.clip(film.pixels / _WHITE, 0.0, 1.0) * 255.0).astype(np.uint8)
        Image.fromarray(grey).save(truth.with_suffix(".png"))
        part = truth.with_suffix(".part")
        part.write_text(json.dumps(film_truth(film.joints, film.spacing_mm)), encoding="utf-8")
        part.replace(truth)
    tell(1.0, "Phantoms rendered")


def _render(joint: JointKind, number: int, seed: int, planting: Planting) -> PhantomFilm:
    knees = joint is JointKind.KNEE
    rng = np.random.default_rng([seed, number, 0 if knees else 1])
    person = sample_person(rng, number=number)
    view = View.KNEES_PA if knees else View.PELVIS_AP
    film = sample_exposure(view, person, rng, _REDUCED)
    right, left = number % 5, number // 5 % 5
    apart = planting is Planting.APART
    if knees:
        pair = sample_knee(rng, kl=right), sample_knee(rng, kl=left)
        right_knee, left_knee = (knee_apart(knee, rng) for knee in pair) if apart else pair
        return render_bilateral_knees(right_knee, left_knee, film, seed=number)
    hips = sample_hip(rng, kl=right), sample_hip(rng, kl=left)
    right_hip, left_hip = (hip_apart(hip, rng) for hip in hips) if apart else hips
    return render_pelvis(right_hip, left_hip, film, seed=number)


def _sometimes(rng: np.random.Generator, odds: float, low: float, high: float, *, otherwise: float) -> float:
    """Draw what is there by these odds; both draws are made, so that the next one does not depend on it."""
    there, size = rng.random() < odds, float(rng.uniform(low, high))
    return round(size if there else otherwise, 2)


def knee_apart(knee: KneeTruth, rng: np.random.Generator) -> KneeTruth:
    """Return the knee with lesions that know nothing of each other."""
    spurs = [_sometimes(rng, 0.3, 1.2, 6.0, otherwise=float(rng.uniform(0.0, 0.3))) for _ in range(4)]
    return replace(
        knee,
        osteophytes=KneeOsteophytes(*spurs),
        jsw_medial_mm=_sometimes(rng, 0.35, 0.3, 3.2, otherwise=float(rng.uniform(4.1, 5.6))),
        jsw_lateral_mm=_sometimes(rng, 0.3, 0.5, 4.0, otherwise=float(rng.uniform(5.0, 6.8))),
    )


def hip_apart(hip: HipTruth, rng: np.random.Generator) -> HipTruth:
    """Return the hip with lesions that know nothing of each other; its shape stays."""
    spurs = [_sometimes(rng, 0.3, 1.2, 6.0, otherwise=float(rng.uniform(0.0, 0.3))) for _ in range(4)]
    return replace(
        hip,
        osteophytes=HipOsteophytes(*spurs),
        jsw_lateral_mm=_sometimes(rng, 0.35, 0.3, 2.7, otherwise=float(rng.uniform(3.4, 4.8))),
        jsw_medial_mm=_sometimes(rng, 0.3, 0.3, 2.7, otherwise=float(rng.uniform(3.3, 4.4))),
        sclerosis_acetabular=_sometimes(rng, 0.35, 0.5, 1.0, otherwise=float(rng.uniform(0.0, 0.2))),
        sclerosis_femoral=_sometimes(rng, 0.35, 0.5, 1.0, otherwise=float(rng.uniform(0.0, 0.2))),
        cyst_acetabular_mm=_sometimes(rng, 0.3, 3.5, 8.0, otherwise=0.0),
        cyst_femoral_mm=_sometimes(rng, 0.3, 3.5, 8.0, otherwise=0.0),
    )


def film_truth(joints: Mapping[Side, JointRecord], spacing_mm: float) -> dict[str, Any]:
    """Return what is known of a film as plain values."""
    return {
        "spacing_mm": spacing_mm,
        "joints": {side.value: _joint_truth(record, spacing_mm) for side, record in joints.items()},
    }


def _joint_truth(record: JointRecord, spacing_mm: float) -> dict[str, Any]:
    marks = record.landmarks
    if "head_centre" in marks:
        (x, y), half = marks["head_centre"], _HEADS * record.lengths_mm["head_radius"] / spacing_mm
        edges, tilt = (x + 0.5 - half, y + 0.5 - half, 2.0 * half, 2.0 * half), 0.0
        table = grading(JointKind.HIP.value)
    else:
        box = record.box
        edges = (box.left, box.top, box.right - box.left, box.bottom - box.top)
        (x0, y0), (x1, y1) = sorted((marks["plateau_medial"], marks["plateau_lateral"]))
        tilt = math.degrees(math.atan2(y1 - y0, x1 - x0))
        table = grading(JointKind.KNEE.value)
    shown = table.shows_at(record.truth)
    return {
        "box": list(edges),
        "tilt_degrees": tilt,
        "grades": dict(record.grades),
        "places": {item: [list(marks[name]) for name in names] for item, names in shown.items()},
    }


def read_phantoms(folder: Path, films: int) -> tuple[PhantomJoint, ...]:
    """Return the joints of the first films of a folder.

    Raises
    ------
    ManifestError
        A film is not there, or its truth cannot be read.
    """
    found = []
    for number in range(films):
        file = folder / f"{number:04d}.json"
        try:
            truth = json.loads(file.read_text(encoding="utf-8"))
            found += [
                _read_joint(file, number, truth, side) for side in Side if side.value in truth["joints"]
            ]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ManifestError(
                f"The phantom {file} cannot be read: {error}.", "Remove the file, and render it again."
            ) from error
    return tuple(found)


def _read_joint(file: Path, number: int, truth: Mapping[str, Any], side: Side) -> PhantomJoint:
    joint = truth["joints"][side.value]
    return PhantomJoint(
        film=file.with_suffix(".png"),
        number=number,
        side=side,
        spacing_mm=float(truth["spacing_mm"]),
        box=Box(*map(float, joint["box"])),
        tilt_degrees=float(joint["tilt_degrees"]),
        grades={item: int(grade) for item, grade in joint["grades"].items()},
        places={
            item: tuple((float(x), float(y)) for x, y in places) for item, places in joint["places"].items()
        },
    )


def with_derived(joint: PhantomJoint, derived: Sequence[Derived]) -> PhantomJoint:
    """Add the grades that follow from others; they show where those show."""
    grades, places = dict(joint.grades), dict(joint.places)
    for each in derived:
        if each.of in joint.grades:
            grades[each.item] = int(joint.grades[each.of] >= each.at_least)
            if grades[each.item] and each.of in joint.places:
                places[each.item] = joint.places[each.of]
    return replace(joint, grades=grades, places=places)


def split_of(joint: PhantomJoint, films: int) -> str:
    """Return the split of a joint: both joints of a film are in one."""
    place = joint.number / films
    return "train" if place < _TRAIN else "val" if place < _VAL else "test"


def cut_phantoms(
    joints: Sequence[PhantomJoint], crop: Preprocessing, folder: Path, *, films: int, tell: Tell
) -> None:
    """Write the crop of every joint, and ``labels.csv`` as `reader-app train` reads it.

    The crops keep the film's pixel size and grey values, and no left one is mirrored: the training clips and
    mirrors them as the bundle will.

    Parameters
    ----------
    crop
        The bundle's, with its edge in millimetres.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for index, joint in enumerate(joints):
        uncut = replace(
            crop,
            size=round(crop.millimetres / joint.spacing_mm),
            low_percentile=0.0,
            high_percentile=100.0,
            mirror_side="",
        )
        cut = crop_joint(
            joint.pixels(),
            uncut,
            side=joint.side.value,
            box=joint.box,
            spacing_mm=(joint.spacing_mm, joint.spacing_mm),
            tilt_degrees=joint.tilt_degrees,
        )
        name = f"{joint.film.stem}{joint.side.value}.png"
        Image.fromarray(cut.pixels).save(folder / name)
        rows.append(
            {
                "image": name,
                "split": split_of(joint, films),
                "participant": joint.film.stem,
                "side": joint.side.value,
                **{item: str(grade) for item, grade in joint.grades.items()},
            }
        )
        if index % 50 == 0:
            tell(index / len(joints), f"Cutting joint {index + 1} of {len(joints)}")
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    tell(1.0, "Joints cut")
