"""A small study with a calibration set: single knees whose published grades came with the films."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from PIL import Image

from reader_app.operations import read
from reader_app.operations.accounts import add_account
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.read import Locked, OpenCase
from reader_app.operations.study import NewStudy, Study, create_study, open_study
from reader_app.protocols.model import Arm, Presentation
from reader_app.reading.commands import SetGrade
from reader_app.reading.design import Calibration, ReadingDesign
from reader_app.store import designs, results
from reader_app.store.records import Actor, Role
from tests.operations.conftest import leg

PASSWORD = "a long sentence"
FILMS = 30
SET = 10
CALIBRATION = Calibration(cases=SET, min_kappa=0.6, control_every=2)
PEOPLE = {
    "Rita": Role.READER,
    "Rolf": Role.READER,
    "Adam": Role.ADJUDICATOR,
    "Ada": Role.AUDITOR,
}

Grading = Callable[[int], int]
"""From the reference grade to the one that a reader gives."""


def flawless(reference: int) -> int:
    return reference


def upside_down(reference: int) -> int:
    return 4 - reference


def make_calibrated(folder: Path, calibration: Calibration = CALIBRATION, *, arm: Arm = Arm.UNAIDED) -> Path:
    """Make a study of 30 knees of 30 people, graded 0 to 4 in turn by the source of the films."""
    films = folder / "films"
    films.mkdir(parents=True)
    rows = ["image,participant,side,kl"]
    for number in range(FILMS):
        Image.fromarray(leg(seed=number)).save(films / f"{number}.png")
        rows.append(f"{number}.png,P{number},R,{number % 5}")
    manifest = folder / "manifest.csv"
    manifest.write_text("\n".join([*rows, ""]), encoding="utf-8")
    choices = NewStudy(protocol="knee-kl", title="T", coordinator="Cora", password=PASSWORD, seed=1)
    with create_study(folder / "study", choices) as made:
        cora = log_in(made, "Cora", PASSWORD)
        design = ReadingDesign(Presentation.SINGLE, arm, seed=5, calibration=calibration)
        designs.set_design(made.database, cora, design, reason="")
        study = replace(made, design=design)
        for name, role in PEOPLE.items():
            add_account(study, cora, name=name, password=PASSWORD, role=role)
        import_films(study, cora, films, manifest=manifest)
    return folder / "study"


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Study, dict[str, Actor]]]:
    """Open the study and log everybody in."""
    with open_study(folder) as study:
        yield study, {name: log_in(study, name, PASSWORD) for name in ("Cora", *PEOPLE)}


def references(study: Study, auditor: Actor) -> dict[int, int]:
    """Return the reference grade of each joint."""
    return {each.joint_id: each.code for each in results.reference_grades(study.database, auditor)}


def lock_case(study: Study, reader: Actor, case: OpenCase, code: Callable[[int], int]) -> Locked:
    """Grade every joint of a case by its id, and lock it."""
    for key in case.session.keys:
        read.commit(study, reader, case, SetGrade(key, code(key.joint_id)), pregrade_in_sight=False)
    return read.lock(study, reader, case, active_seconds=1.0)


def read_on(
    study: Study, people: dict[str, Actor], reader: str, grading: Grading, *, cases: int
) -> list[Locked]:
    """Read the next cases of a reader's worklist, each grade following from the reference."""
    known = references(study, people["Ada"])
    found: list[Locked] = []
    for _ in range(cases):
        entry = read.next_case(study, people[reader], after_place=0).entry
        assert entry is not None
        case = read.open_case(study, people[reader], entry.assignment_id)
        found.append(lock_case(study, people[reader], case, lambda joint: grading(known[joint])))
    return found
