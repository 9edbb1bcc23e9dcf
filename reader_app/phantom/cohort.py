"""A whole phantom study on disk: films, the manifest for the import, and the truth."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from reader_app.errors import ImageError
from reader_app.imaging.geometry import Side
from reader_app.phantom.dicom import Photometric, Subject, write_film
from reader_app.phantom.film import FilmParameters, JointRecord, PhantomFilm
from reader_app.phantom.knees import render_bilateral_knees
from reader_app.phantom.pelvis import PELVIS_FILM, render_pelvis
from reader_app.phantom.sampling import (
    Person,
    progressed_hip,
    progressed_knee,
    sample_hip,
    sample_knee,
    sample_person,
)
from reader_app.phantom.truth import HipTruth, KneeTruth, View

VISITS = (("baseline", 0), ("24 months", 2), ("48 months", 4), ("72 months", 6), ("96 months", 8))
"""Names of the visits, and years since the first."""
_FIRST_DAY = date(2004, 3, 1)
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PhantomStudy:
    """What `write_phantom_study` wrote."""

    folder: Path
    images: tuple[Path, ...]
    manifest: Path
    truth: Path


@dataclass(frozen=True)
class PlannedFilm:
    """One film of a cohort before it is exposed."""

    person: Person
    visit: str
    years: int
    right: KneeTruth | HipTruth
    left: KneeTruth | HipTruth
    parameters: FilmParameters
    seed: int

    @property
    def participant(self) -> str:
        """Pseudonym."""
        return f"PH{self.person.number:04d}"

    @property
    def file_name(self) -> str:
        """Name of the image file."""
        return f"{self.participant}_{self.visit.replace(' ', '')}.dcm"


def plan_cohort(
    *, participants: int, visits: int, seed: int, view: View = View.KNEES_PA, reduced: int = 1
) -> Iterator[PlannedFilm]:
    """Who comes when with which joints; the same arguments give the same cohort.

    Overall grades 0 to 4 come in turn over the right joints, so that small cohorts have them all; the left
    joint is alike or drawn anew.

    Parameters
    ----------
    participants, visits
        How many; at most ``len(VISITS)`` visits.
    seed
        Of everything.
    view
        Knees or pelvis.
    reduced
        Pixels that much larger than usual: 4 is quick.

    Raises
    ------
    ValueError
        If there are fewer than one participant or visit, or too many visits.
    """
    if participants < 1 or not 1 <= visits <= len(VISITS):
        raise ValueError(f"need at least one participant and 1 to {len(VISITS)} visits")
    first_grade = int(np.random.default_rng([seed, 9]).integers(0, 5))
    for number in range(1, participants + 1):
        rng = np.random.default_rng([seed, number])
        person = sample_person(rng, number=number)
        grade = (first_grade + number) % 5
        alike = int(np.clip(grade + rng.integers(-1, 2), 0, 4))
        joints = [_joint(view, rng, grade, person), _joint(view, rng, alike, person)]
        for visit, years in VISITS[:visits]:
            if years:
                joints = [_later(joint, rng, years=2.0) for joint in joints]
            yield PlannedFilm(
                person=person,
                visit=visit,
                years=years,
                right=joints[0],
                left=joints[1],
                parameters=sample_exposure(view, person, rng, reduced),
                seed=int(rng.integers(1, 2**31)),
            )


def _joint(view: View, rng: np.random.Generator, grade: int, person: Person) -> KneeTruth | HipTruth:
    return (sample_knee if view is View.KNEES_PA else sample_hip)(rng, kl=grade, person=person)


def _later(joint: KneeTruth | HipTruth, rng: np.random.Generator, *, years: float) -> KneeTruth | HipTruth:
    if isinstance(joint, KneeTruth):
        return progressed_knee(joint, rng, years=years)
    return progressed_hip(joint, rng, years=years)


def sample_exposure(view: View, person: Person, rng: np.random.Generator, reduced: int) -> FilmParameters:
    """Geometry and exposure for a participant, with pixels `reduced` times larger than usual."""
    usual = FilmParameters() if view is View.KNEES_PA else PELVIS_FILM
    exposed = replace(
        usual,
        body=person.body,
        kv=round(usual.kv + float(rng.normal(0, 2.0)), 1),
        exposure=usual.exposure * float(np.exp(rng.normal(0, 0.25))),
    )
    return exposed.reduced(reduced) if reduced > 1 else exposed


def expose_film(plan: PlannedFilm) -> PhantomFilm:
    """Render a planned film."""
    seeds = {"seed": plan.seed, "anatomy_seed": plan.person.seed}
    if isinstance(plan.right, KneeTruth) and isinstance(plan.left, KneeTruth):
        return render_bilateral_knees(plan.right, plan.left, plan.parameters, **seeds)
    if isinstance(plan.right, HipTruth) and isinstance(plan.left, HipTruth):
        return render_pelvis(plan.right, plan.left, plan.parameters, **seeds)
    raise TypeError("a film shows two knees or two hips")


def write_phantom_study(
    folder: Path,
    *,
    participants: int,
    visits: int,
    seed: int,
    view: View = View.KNEES_PA,
    reduced: int = 1,
    photometric: Photometric = Photometric.MONOCHROME2,
    progress: Progress | None = None,
) -> PhantomStudy:
    """Write a cohort of phantom films with ``manifest.csv`` and ``truth.json``.

    Parameters
    ----------
    folder
        Made if it does not exist.
    participants, visits, seed, view, reduced
        As in `plan_cohort`.
    photometric
        Of the DICOM files.
    progress
        Called with (films done, films in all).

    Raises
    ------
    ImageError
        If the folder cannot be made or a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(
            f"The folder {folder} for the phantom films cannot be made: {error.strerror or error}.",
            "Choose a folder that you may write to.",
        ) from error
    images: list[Path] = []
    rows: list[dict[str, str]] = []
    truths: list[dict[str, Any]] = []
    for plan in plan_cohort(participants=participants, visits=visits, seed=seed, view=view, reduced=reduced):
        film = expose_film(plan)
        images.append(
            write_film(folder / plan.file_name, film, subject=_subject(plan), photometric=photometric)
        )
        rows.append(_manifest_row(plan, film))
        truths.append(_truth(plan, film))
        if progress is not None:
            progress(len(images), participants * visits)
    return PhantomStudy(folder, tuple(images), *_write_tables(folder, rows, {"seed": seed, "films": truths}))


def _write_tables(folder: Path, rows: list[dict[str, str]], truth: dict[str, Any]) -> tuple[Path, Path]:
    """Write the manifest and the truth; their paths."""
    manifest, truth_file = folder / "manifest.csv", folder / "truth.json"
    try:
        with manifest.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        truth_file.write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ImageError(
            f"The tables of the phantom study in {folder} cannot be written: {error.strerror or error}.",
            "Check that there is space on the disk.",
        ) from error
    return manifest, truth_file


def _subject(plan: PlannedFilm) -> Subject:
    return Subject(
        patient_id=plan.participant,
        sex=plan.person.sex,
        age=plan.person.age + plan.years,
        weight_kg=plan.person.weight_kg,
        study_date=_FIRST_DAY + timedelta(days=11 * plan.person.number + round(365.25 * plan.years)),
        visit=plan.visit,
    )


def _manifest_row(plan: PlannedFilm, film: PhantomFilm) -> dict[str, str]:
    row = {
        "image": plan.file_name,
        "participant": plan.participant,
        "visit": plan.visit,
        "side": "B",
        "spacing": f"{film.spacing_mm:.6g}",
        "sex": plan.person.sex,
        "age": str(plan.person.age + plan.years),
        "weight": str(plan.person.weight_kg),
    }
    for side in Side:
        for item, grade in film.joints[side].grades.items():
            row[f"ref_{item}_{side.value}"] = str(grade)
    return row


def _truth(plan: PlannedFilm, film: PhantomFilm) -> dict[str, Any]:
    return {
        "image": plan.file_name,
        "participant": plan.participant,
        "visit": plan.visit,
        "view": film.view.value,
        "spacing_mm": film.spacing_mm,
        "seed": film.seed,
        "parameters": asdict(film.parameters),
        "joints": {side.value: _joint_truth(record) for side, record in film.joints.items()},
    }


def _joint_truth(record: JointRecord) -> dict[str, Any]:
    return {
        "truth": asdict(record.truth),
        "box": asdict(record.box),
        "landmarks": {name: list(place) for name, place in record.landmarks.items()},
        "lengths_mm": dict(record.lengths_mm),
        "grades": dict(record.grades),
    }
