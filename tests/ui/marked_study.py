"""A small study in which every secret carries a mark that occurs nowhere else: a leak is seen as text."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reader_app.imaging.geometry import Box
from reader_app.operations import adjudicate, amend, read
from reader_app.operations.accounts import add_account
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import DATABASE_FILE, NewStudy, Study, create_study
from reader_app.protocols.model import (
    AdjudicationRule,
    Arm,
    Item,
    Presentation,
    Resolution,
    Trigger,
    TriggerKind,
)
from reader_app.reading.case import GradeKey
from reader_app.reading.commands import ExcludeJoint, GradeRest, KeepMeasurement, MoveBox, SetGrade
from reader_app.reading.design import Adjudicating, ReadingDesign, Rereads
from reader_app.reading.pregrade import PreGrade, Provenance
from reader_app.store.database import open_database
from reader_app.store.pregrades import pending_joints, save_pregrades
from reader_app.store.records import Actor, Role
from tests.operations.conftest import dicom_film

PASSWORD = "a long sentence"
TITLE = "Marked knees"
COORDINATOR, READER, OTHER, ADJUDICATOR = "Corazon", "rita", "rolf", "agnes"
PEOPLE = {READER: Role.READER, OTHER: Role.READER, ADJUDICATOR: Role.ADJUDICATOR}
FILMS = 6
KL = Item("KL")
NOTE, AMENDED, SETTLED = "NOTE-OF-THE-OTHER", "REASON-OF-THE-OTHER", "RATIONALE-OF-THE-THIRD"
BUNDLE, BUNDLE_VERSION, ODDS = "secretbundle", "7.7.31", 0.8731
AI_MARKS = (BUNDLE, BUNDLE_VERSION, "0.8731", "0.873", "87 %", "87%", "3.337")
FILE_MARKS = (
    "secretfolder",
    "secretfile",
    "secretperson",
    "secret-id",
    "secretname",
    "secretdesc",
    "secretward",
)
FILM_DATES = ("20190504", "2019-05", "4 May")
ANY = Trigger(TriggerKind.ANY_DIFFERENCE)
DESIGN = ReadingDesign(
    presentation=Presentation.SINGLE,
    arm=Arm.UNAIDED,
    seed=5,
    block_size=2,
    rereads=Rereads(percent=50, min_cases=1, min_days=7.0, mirrored=True),
    adjudication=Adjudicating((AdjudicationRule(("KL",), (ANY,), Resolution.THIRD_IF_MATCH),)),
)


def import_marked(root: Path) -> Path:
    """Make the study, its people, its films and what the AI says of them; nobody has read yet."""
    folder = root / "secretfolder"
    lines = ["image,participant,side"]
    for number in range(FILMS):
        dicom_film(
            folder / f"secretfile-{number}.dcm",
            seed=number,
            PatientID=f"Secret-ID-{number}",
            PatientName=f"SECRETNAME^{number}",
            StudyDescription="SECRETDESC",
            InstitutionName="SECRETWARD",
            WindowCenter=[1600, 1200],
            WindowWidth=[3200, 900],
            WindowCenterWidthExplanation=["SOFT", "HARD"],
        )
        lines.append(f"secretfile-{number}.dcm,SECRETPERSON-{number},right")
    manifest = root / "secretmanifest.csv"
    manifest.write_text("\n".join([*lines, ""]), encoding="utf-8")
    choices = NewStudy("knee-oarsi-kl", TITLE, COORDINATOR, PASSWORD, design=DESIGN)
    with create_study(root / "study", choices) as study:
        corazon = log_in(study, COORDINATOR, PASSWORD)
        for name, role in PEOPLE.items():
            add_account(study, corazon, name=name, password=PASSWORD, role=role)
        import_films(study, corazon, folder, manifest=manifest)
        _pregrade(study, corazon)
    return root / "study"


def _pregrade(study: Study, coordinator: Actor) -> None:
    """What a model said of every joint: grade 1 of everything, of which it is fairly sure."""
    box = Box(10.0, 10.0, 60.0, 60.0)
    for joint in pending_joints(study.database, coordinator, "ab" * 32):
        source = Provenance(
            BUNDLE,
            BUNDLE_VERSION,
            "ab" * 32,
            study.protocol.sha256,
            "tests",
            joint.pixel_sha256,
            "2026-01-01T00:00:00Z",
        )
        said = []
        for item in study.protocol.items:
            codes = study.protocol.item_scale(item).codes
            odds = {code: ODDS if code == 1 else (1 - ODDS) / (len(codes) - 1) for code in codes}
            said.append(PreGrade(GradeKey(joint.joint_id, item), odds, 1, 3.337, False, box, source))
        save_pregrades(study.database, coordinator, said, heatmap_file=None, located_box=box)


def read_as_reader(study: Study) -> None:
    """The reader locked all cases but the last one, a month ago; what is read twice is due since then."""
    with _MonthAgo(study) as then:
        _read(then, log_in(then, READER, PASSWORD), kl=2, cases=FILMS - 1)


def read_as_others(study: Study) -> None:
    """The other reader differs, excludes, amends; the adjudicator has settled one disagreement."""
    with _MonthAgo(study) as then:
        rolf = log_in(then, OTHER, PASSWORD)
        _read(then, rolf, kl=3, cases=FILMS, excludes=_read_once(study))
        locked = [read.open_case(then, rolf, one.assignment_id) for one in read.worklist(then, rolf)[:2]]
        changed = next(case for case in locked if case.session.exclusion(case.case.joints[0].id) is None)
        joint = changed.case.joints[0].id
        amend.amend(then, rolf, changed.reading.reading_id, joint, KL, after=4, reason=AMENDED)
        agnes = log_in(then, ADJUDICATOR, PASSWORD)
        one = adjudicate.queue(then, agnes)[0]
        adjudicate.settle_disagreement(then, agnes, one, code=2, rationale=SETTLED)


class _MonthAgo:
    """The study under a clock of a month ago, which goes on by a second whenever it is looked at."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._now = datetime.now(UTC) - timedelta(days=30)

    def __enter__(self) -> Study:
        self._database = open_database(self._study.folder / DATABASE_FILE, clock=self._tick)
        return replace(self._study, database=self._database)

    def __exit__(self, *_fault: object) -> None:
        self._database.close()

    def _tick(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


def _read(study: Study, reader: Actor, *, kl: int, cases: int, excludes: int | None = None) -> None:
    """Read so many cases, as the worklist offers them; of one case the joint is excluded."""
    place = 0
    for _ in range(cases):
        entry = read.next_case(study, reader, after_place=place).entry
        assert entry is not None
        case = read.open_case(study, reader, entry.assignment_id)
        place = case.reading.place
        (film,) = case.case.films
        (joint,) = film.joints
        spacing = read.film(study, reader, film.radiograph_id).header.spacing
        commands = (
            (ExcludeJoint(joint.id, "not-in-view", NOTE),)
            if case.case.id == excludes
            else (
                MoveBox(joint.id, Box(10.0 + kl, 12.0, 60.0, 60.0)),
                KeepMeasurement(film.radiograph_id, (10.0 * kl, 5.0), (10.0 * kl, 35.0), spacing),
                SetGrade(GradeKey(joint.id, KL), kl),
                GradeRest(joint.id),
            )
        )
        for command in commands:
            read.commit(study, reader, case, command, pregrade_in_sight=False)
        read.lock(study, reader, case, active_seconds=5.0)


def rows(study: Path, query: str) -> list[tuple[object, ...]]:
    """Ask the database itself, past all accounts."""
    with closing(sqlite3.connect(study / DATABASE_FILE)) as connection:
        return [tuple(row) for row in connection.execute(query).fetchall()]


def _ids(study: Path, query: str) -> list[int]:
    return [number for (number,) in rows(study, query) if isinstance(number, int)]


def _read_once(study: Study) -> int:
    """Return a case that the reader has locked and has no second time on the worklist."""
    query = (
        "SELECT a.case_id FROM assignment a JOIN account p ON p.id = a.account_id LEFT JOIN reading r "
        f"ON r.assignment_id = a.id WHERE p.name = '{READER}' GROUP BY a.case_id "
        "HAVING COUNT(*) = 1 AND COUNT(r.locked_at) = 1 ORDER BY a.case_id"
    )
    return _ids(study.folder, query)[0]


def second_reading(study: Path) -> int:
    """Return the assignment of a case of the reader that was locked before and comes again."""
    query = (
        "SELECT a.id FROM assignment a JOIN account p ON p.id = a.account_id JOIN assignment f ON "
        "f.account_id = a.account_id AND f.case_id = a.case_id AND f.id <> a.id JOIN reading r ON "
        f"r.assignment_id = f.id WHERE p.name = '{READER}' AND a.purpose = 're-read' "
        "AND r.locked_at IS NOT NULL ORDER BY a.id"
    )
    return _ids(study, query)[0]


def first_readings(study: Path, *, locked: bool) -> list[int]:
    """Return the reader's assignments of cases that are read for the first time, locked or not begun."""
    state = "IS NOT NULL" if locked else "IS NULL"
    query = (
        "SELECT a.id FROM assignment a JOIN account p ON p.id = a.account_id LEFT JOIN reading r ON "
        f"r.assignment_id = a.id WHERE p.name = '{READER}' AND a.purpose = 'reading' "
        f"AND r.locked_at {state} ORDER BY a.id"
    )
    return _ids(study, query)
