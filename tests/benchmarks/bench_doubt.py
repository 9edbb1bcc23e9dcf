"""How far the shipped bundle's word can be taken, and whether it notices what it has not learned.

`reader-app bench doubt` prints a row for each set of images: the calibration error of its probabilities where
the grades are known, how uncertain it says it is, and the share of joints that it calls unlike the training
images.  `--films` takes that many images of each set.  Sets whose files are not there are left out.
"""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # it is loaded by its path

import numpy as np
import numpy.typing as npt

from reader_app.ai.bundle import Bundle, load_bundle
from reader_app.ai.doubt import (
    UNCERTAIN,
    doubt_words,
    expected_calibration_error,
    mean_entropy_bits,
)
from reader_app.ai.localizer import locate_joints
from reader_app.ai.pipeline import JointImage, JointPreGrade, Pipeline
from reader_app.ai.training.phantom_films import Planting, read_phantoms, render_phantoms
from reader_app.errors import ImageError
from reader_app.imaging.display import gray_bone_bright
from reader_app.imaging.files import read_radiograph
from reader_app.imaging.geometry import Box
from reader_app.protocols.model import JointKind
from reader_app.settings import resource_path
from tests.benchmarks.measuring import Row

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SHIPPED = "knee-kl"
PHANTOM_FILMS = 25
SEED = 21
CHUNK = 32


@dataclass(frozen=True, eq=False)
class Known:
    """A joint, and its reference grade where one is known."""

    image: JointImage
    grade: int | None = None


Source = Callable[[], Iterator[Known]]


def run(*, films: int | None = None) -> list[Row]:
    """Grade every set with the shipped bundle.

    Returns
    -------
    list of dict
        set, joints, unlike_training and uncertain (shares), median distance, mean entropy, and where grades
        are known accuracy of the likeliest grade, mean confidence and calibration error with bins of equal
        width and of equal counts.
    """
    bundle = load_bundle(resource_path("models", SHIPPED))
    pipeline = Pipeline(bundle, device="cpu")
    rows = []
    with tempfile.TemporaryDirectory(prefix="phantoms-") as scratch:
        for name, source in _sets(Path(scratch), films).items():
            answers, grades = _answers(pipeline, source(), films)
            if answers:
                rows.append({"set": name, **doubt_row(bundle, answers, grades)})
    return rows


def _sets(scratch: Path, films: int | None) -> dict[str, Source]:
    count = min(films or PHANTOM_FILMS, PHANTOM_FILMS)
    return {
        "knee-kl val": lambda: _table("knee-kl", "val", films=films),
        "knee-kl test": lambda: _table("knee-kl", "test", films=films),
        "knee-two-experts, single knees": lambda: _two_experts(films),
        "knee-kl val, inverted": lambda: _table("knee-kl", "val", inverted=True, films=films),
        "phantom knees": lambda: _phantoms(scratch / "knee", JointKind.KNEE, count),
        "phantom hips": lambda: _phantoms(scratch / "hip", JointKind.HIP, count),
        "hip, lower leg and chest films": _others,
    }


def _answers(
    pipeline: Pipeline, source: Iterator[Known], films: int | None
) -> tuple[list[JointPreGrade], list[int | None]]:
    answers: list[JointPreGrade] = []
    grades: list[int | None] = []
    chunk: list[Known] = []
    for known in source:
        chunk.append(known)
        if len(chunk) == CHUNK:
            answers += pipeline.pregrade_many([each.image for each in chunk])
            grades += [each.grade for each in chunk]
            chunk = []
    if chunk:
        answers += pipeline.pregrade_many([each.image for each in chunk])
        grades += [each.grade for each in chunk]
    return answers, grades


def doubt_row(bundle: Bundle, answers: Sequence[JointPreGrade], grades: Sequence[int | None]) -> Row:
    """Return the figures of one set for the bundle's first item."""
    (head, *_) = bundle.spec.heads
    found = [answer.predictions[head.item] for answer in answers]
    probabilities = np.array([[each.probabilities[code] for code in head.codes] for each in found])
    said = [doubt_words(each.probabilities, code=each.code, unlike_training=False) for each in found]
    row: Row = {
        "joints": len(answers),
        "unlike_training": float(np.mean([answer.unlike_training for answer in answers])),
        "median_distance": float(np.median([answer.out_of_distribution for answer in answers])),
        "uncertain": float(np.mean([UNCERTAIN in words for words in said])),
        "entropy_bits": mean_entropy_bits(probabilities),
        "confidence": float(probabilities.max(axis=1).mean()),
        "accuracy": None,
        "calibration_error": None,
        "same_counts": None,
    }
    known = [index for index, grade in enumerate(grades) if grade is not None]
    if known:
        labels = np.array([head.codes.index(grade) for grade in grades if grade is not None])
        graded = probabilities[known]
        row |= {
            "accuracy": float((graded.argmax(axis=1) == labels).mean()),
            "calibration_error": expected_calibration_error(graded, labels),
            "same_counts": expected_calibration_error(graded, labels, adaptive=True),
        }
    return row


def _table(folder: str, split: str, *, films: int | None, inverted: bool = False) -> Iterator[Known]:
    table = DATA / folder / "labels.csv"
    if not table.is_file():
        return
    with table.open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["split"] == split]
    for row in _spread(rows, films):
        pixels = gray_bone_bright(read_radiograph(table.parent / row["image"]))
        shown = pixels.max() + pixels.min() - pixels if inverted else pixels
        yield Known(_joint(shown, row["side"]), int(row["kl"]))


def _two_experts(films: int | None) -> Iterator[Known]:
    table = DATA / "knee-two-experts" / "labels.csv"
    if not table.is_file():
        return
    with table.open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["view"] == "single"]
    for row in _spread(rows, films):
        pixels = gray_bone_bright(read_radiograph(table.parent / "images" / row["image"]))
        both = {row["expert1_kl"], row["expert2_kl"]}
        yield Known(_joint(pixels, "U"), int(row["expert1_kl"]) if len(both) == 1 else None)


def _joint(pixels: npt.NDArray[np.generic], side: str) -> JointImage:
    """Return the joint of a film that shows one, as the program's rules find it."""
    found = locate_joints(pixels)
    box = found[0].box if len(found) == 1 else Box(0.0, 0.0, float(pixels.shape[1]), float(pixels.shape[0]))
    return JointImage(pixels, box, side, "")


def _phantoms(folder: Path, joint: JointKind, films: int) -> Iterator[Known]:
    render_phantoms(
        folder, joint, films, planting=Planting.TOGETHER, seed=SEED, tell=lambda _done, _sentence: None
    )
    for each in read_phantoms(folder, films):
        yield Known(JointImage(each.pixels(), each.box, each.side.value, ""))


def _others() -> Iterator[Known]:
    for path in sorted((DATA / "dicom" / "radiographs").glob("*.dcm")):
        try:
            pixels = gray_bone_bright(read_radiograph(path))
        except ImageError:
            continue  # some are broken on purpose
        for found in locate_joints(pixels):
            yield Known(JointImage(pixels, found.box, found.side, ""))


def _spread(rows: list[dict[str, str]], films: int | None) -> list[dict[str, str]]:
    """Return so many rows from all over the table."""
    return rows if films is None else rows[:: max(1, len(rows) // films)][:films]
