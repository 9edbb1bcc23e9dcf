"""A study with everything in it: three readers, an adjudicator, grades, pre-grades, exclusions."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from reader_app.imaging.geometry import Box
from reader_app.imaging.radiograph import FileStamp
from reader_app.protocols.model import Arm, Item, Presentation
from reader_app.reading.case import GradeKey, JointSide
from reader_app.reading.change import Change, Exclusion, ExclusionChange, GradeChange
from reader_app.reading.design import Signing
from reader_app.reading.ordering import build_cases
from reader_app.reading.planned import PlannedEntry
from reader_app.reading.pregrade import PreGrade, Provenance
from reader_app.store import (
    accounts,
    adjudications,
    case_plans,
    cases,
    films,
    import_files,
    pregrades,
    readings,
)
from reader_app.store.database import Database, create_database, open_database
from reader_app.store.import_records import FileState, LookedAt
from reader_app.store.records import Actor, NewRadiograph, OpenReading, ReferenceGrade, Role
from reader_app.store.signatures import SigningDetails
from tests.postgres_server import PostgresServer, ServerMissing, running_server
from tests.store.places import Places, PostgresPlaces, SqlitePlaces, past_the_store, place_of_database
from tests.store.rules import RULES

PASSWORD = "correct horse"
BUNDLE = "b" * 64
STAMPS = {"protocol_sha256": "p" * 64, "design_sha256": "d" * 64, "software": "reader-app test"}
SIGNING = SigningDetails(Signing().meaning, STAMPS["software"], display={"screen": "test"})
KL = Item("kl")
JSN = Item("jsn", "medial")
SEED = 7
PEOPLE = {
    "Rita": Role.READER,
    "Rolf": Role.READER,
    "Roxana": Role.READER,
    "Adam": Role.ADJUDICATOR,
    "Agnes": Role.ADJUDICATOR,
    "Ada": Role.AUDITOR,
}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def film(
    participant: str,
    visit: str = "Baseline",
    visit_order: int = 0,
    *,
    sides: tuple[JointSide, ...] = (JointSide.RIGHT, JointSide.LEFT),
    references: tuple[ReferenceGrade, ...] = (),
) -> NewRadiograph:
    name = f"{participant}-{visit}"
    return NewRadiograph(
        path=f"/films/{sha(name)[:8]}.dcm",
        file_sha256=sha(name),
        pixel_sha256=sha("pixels" + name),
        participant=participant,
        visit=visit,
        visit_order=visit_order,
        rows=2500,
        columns=3000,
        laterality="B",
        view="PA",
        format="DICOM",
        spacing_row_mm=0.15,
        spacing_column_mm=0.15,
        spacing_kind="calibrated",
        spacing_reason="",
        phantom=False,
        sex="F",
        age=61.5,
        weight_kg=71.375,
        study_date="2020-02-29",
        sides=sides,
        references=references,
        notes=("a note",),
    )


def refused_file(path: str, reason: str) -> LookedAt:
    return LookedAt(path, FileStamp(10, 20), FileState.REFUSED, reason)


def pregrade(
    joint_id: int, item: Item = KL, code: int = 2, bundle: str = BUNDLE, pixels: str = "f" * 64
) -> PreGrade:
    return PreGrade(
        key=GradeKey(joint_id, item),
        probabilities={0: 0.125, 1: 0.25, 2: 0.5, 3: 0.0625, 4: 0.0625},
        code=code,
        out_of_distribution=3.25,
        unlike_training=False,
        box=Box(10.5, 20.25, 400.0, 300.0),
        provenance=Provenance(
            bundle_id="knee-kl",
            bundle_version="1",
            bundle_sha256=bundle,
            protocol_sha256="p" * 64,
            software="reader-app test",
            pixel_sha256=pixels,
            made_at="2026-01-01T00:00:00.000000+00:00",
            details={"device": "cpu"},
        ),
    )


def set_grade(joint_id: int, item: Item, after: int | None, before: int | None = None) -> Change:
    verb = "clear-grade" if after is None else "set-grade"
    return Change(verb, grades=(GradeChange(GradeKey(joint_id, item), before, after),))


def exclude(joint_id: int, reason: str = "prosthesis", note: str = "") -> Change:
    return Change("exclude-joint", exclusions=(ExclusionChange(joint_id, None, Exclusion(reason, note)),))


@dataclass
class StudyClock:
    """A clock that stands still until it is moved."""

    now: datetime = field(default_factory=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, delta: timedelta) -> None:
        self.now += delta


@dataclass(frozen=True)
class Study:
    """An open study and its people."""

    db: Database
    clock: StudyClock
    coordinator: Actor

    @property
    def place(self) -> str:
        """Where its database is, for opening it again."""
        return place_of_database(self.db)

    def past_the_store(self, *statements: str) -> None:
        """Change the database as who rules the engine could: no trigger and no reference is asked."""
        past_the_store(self.db, *statements)

    def person(self, name: str, role: Role) -> Actor:
        """Return the account of one of `PEOPLE`, or make another."""
        for known in accounts.list_accounts(self.db, self.coordinator):
            if known.name == name:
                assert known.role is role
                return Actor(known.id, known.name, known.role)
        made = accounts.create_account(self.db, self.coordinator, name=name, password=PASSWORD, role=role)
        return Actor(made.id, made.name, made.role)

    def add_cases(
        self, *new: NewRadiograph, presentation: Presentation = Presentation.SINGLE
    ) -> tuple[int, ...]:
        films.add_radiographs(self.db, self.coordinator, new)
        places = cases.film_places_without_case(self.db, self.coordinator)
        cases.add_cases(
            self.db, self.coordinator, build_cases(places, presentation, seed=SEED), presentation=presentation
        )
        return cases.case_ids(self.db, self.coordinator)

    def assign(self, reader: Actor, arm: Arm = Arm.UNAIDED, only: Sequence[int] | None = None) -> None:
        """Append the cases, all or some, that are not on the reader's worklist yet."""
        wanted = cases.case_ids(self.db, self.coordinator) if only is None else only
        order = shuffled(wanted, SEED, reader.name) if only is None else only
        known = case_plans.planned_entries(self.db, self.coordinator).get(reader.account_id, ())
        fresh = [case for case in order if case not in {entry.case_id for entry in known}]
        entries = [
            PlannedEntry(case, 1, place, arm) for place, case in enumerate(fresh, start=len(known) + 1)
        ]
        cases.assign(self.db, self.coordinator, reader.account_id, entries)

    def open(self, reader: Actor, place: int = 1) -> OpenReading:
        entry = readings.worklist(self.db, reader)[place - 1]
        return readings.open_reading(self.db, reader, entry.assignment_id, **STAMPS)

    def commit(self, reader: Actor, reading: OpenReading, change: Change, in_sight: bool = False) -> int:
        return readings.commit_change(self.db, reader, reading.reading_id, change, pregrade_in_sight=in_sight)

    def lock(self, reader: Actor, reading: OpenReading, seconds: float = 1.0) -> None:
        readings.lock_reading(self.db, reader, reading.reading_id, active_seconds=seconds, signing=SIGNING)

    def read_all(self, reader: Actor, codes: tuple[int, ...] = (1,)) -> None:
        """Grade every joint of every case in KL, going round the codes, and lock."""
        for place in range(1, len(readings.worklist(self.db, reader)) + 1):
            reading = self.open(reader, place)
            for joint in reading.case.joints:
                self.commit(reader, reading, set_grade(joint.id, KL, codes[joint.id % len(codes)]))
            self.lock(reader, reading)

    def pregrade_all(self) -> None:
        for joint in pregrades.pending_joints(self.db, self.coordinator, BUNDLE):
            pregrades.save_pregrades(
                self.db,
                self.coordinator,
                [
                    pregrade(joint.joint_id, pixels=joint.pixel_sha256),
                    pregrade(joint.joint_id, JSN, 1, pixels=joint.pixel_sha256),
                ],
                heatmap_file=f"heatmaps/{joint.joint_id}.npz",
                located_box=Box(1.0, 2.0, 3.0, 4.0),
            )


def shuffled(cases: Sequence[int], seed: int, reader: str) -> list[int]:
    """Some order, the same every time."""
    return sorted(cases, key=lambda case: hashlib.sha256(f"{seed}|{reader}|{case}".encode()).digest())


@pytest.fixture
def clock() -> StudyClock:
    return StudyClock()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def places(request: pytest.FixtureRequest) -> Places:
    """Where databases are kept: every test that asks for a study runs in a file and on a server."""
    if request.param == "sqlite":
        return SqlitePlaces()
    server: PostgresServer = request.getfixturevalue("postgres")
    return PostgresPlaces(server)


@pytest.fixture(scope="session")
def study_with_people(tmp_path_factory: pytest.TempPathFactory, places: Places) -> str:
    """The database of a study that has accounts only, made once because passwords take long on purpose."""
    place = places.new(tmp_path_factory.mktemp("template"))
    with create_database(place, clock=StudyClock()) as db:
        coordinator = accounts.create_first_coordinator(db, "Cora", PASSWORD)
        for name, role in PEOPLE.items():
            accounts.create_account(db, coordinator, name=name, password=PASSWORD, role=role)
    return place


@pytest.fixture(scope="session")
def study_with_readings(
    tmp_path_factory: pytest.TempPathFactory, places: Places, study_with_people: str
) -> str:
    """The database of a study of two cases that Rita has read."""
    place = places.copy(study_with_people, tmp_path_factory.mktemp("template"))
    with opened(place, StudyClock()) as study:
        study.add_cases(film("P0001"), film("P0002"))
        reader = study.person("Rita", Role.READER)
        study.assign(reader)
        study.read_all(reader)
    return place


@contextmanager
def opened(place: str, clock: StudyClock) -> Iterator[Study]:
    with open_database(place, clock=clock) as db:
        cora = accounts.list_accounts(db, Actor(1, "Cora", Role.COORDINATOR))[0]
        yield Study(db, clock, Actor(cora.id, cora.name, cora.role))


@contextmanager
def copied(places: Places, template: str, folder: Path, clock: StudyClock) -> Iterator[Study]:
    """Give a study of the test's own, as a template is."""
    place = places.copy(template, folder)
    try:
        with opened(place, clock) as study:
            yield study
    finally:
        places.drop(place)


@pytest.fixture
def study(tmp_path: Path, clock: StudyClock, places: Places, study_with_people: str) -> Iterator[Study]:
    """A study with the coordinator Cora and `PEOPLE`, and nothing to read yet."""
    with copied(places, study_with_people, tmp_path, clock) as study:
        yield study


@pytest.fixture
def written(tmp_path: Path, clock: StudyClock, places: Places, study_with_readings: str) -> Iterator[Study]:
    """A study of two cases that Rita has read, with a journal of a dozen entries and more."""
    with copied(places, study_with_readings, tmp_path, clock) as study:
        yield study


RITA_CODE, ROLF_CODE = 97979, 98989
"""Grades that stand for themselves, so that a leaked one is recognised wherever it turns up."""

NOTE = "rolf's own words"


@pytest.fixture(scope="session")
def populated(tmp_path_factory: pytest.TempPathFactory, places: Places, study_with_people: str) -> str:
    place = places.copy(study_with_people, tmp_path_factory.mktemp("blinding"))
    with opened(place, StudyClock()) as study:
        study.add_cases(film("PSEUDONYM-1"), film("PSEUDONYM-2"), film("PSEUDONYM-3"))
        import_files.keep_files(study.db, study.coordinator, [refused_file("/films/broken.dcm", "cut off")])
        study.pregrade_all()
        rita, rolf, roxana = (study.person(name, Role.READER) for name in ("Rita", "Rolf", "Roxana"))
        study.assign(rita, Arm.UNAIDED)
        study.assign(rolf, Arm.AIDED)
        # One case each is left open, one is locked by both; Roxana has one case that nobody else has.
        for reader, code in ((rita, RITA_CODE), (rolf, ROLF_CODE)):
            by_case = {study.open(reader, place).case.id: place for place in (1, 2, 3)}
            for case_id in (1, 2):
                reading = study.open(reader, by_case[case_id])
                for joint in reading.case.joints:
                    study.commit(reader, reading, set_grade(joint.id, KL, code))
                study.commit(reader, reading, set_grade(reading.case.joints[0].id, JSN, code))
                if case_id == 1:
                    note = NOTE if reader is rolf else ""
                    study.commit(reader, reading, exclude(reading.case.joints[1].id, note=note))
                    study.lock(reader, reading)
        study.add_cases(film("PSEUDONYM-4"))
        study.assign(roxana, Arm.AIDED, only=[4])
        study.open(roxana)
        agnes = study.person("Agnes", Role.ADJUDICATOR)
        of_kl = next(one for one in adjudications.queue(study.db, agnes, RULES) if one.item == KL)
        adjudications.settle_item(study.db, agnes, RULES, of_kl.at, code=RITA_CODE, rationale="seen")
    return place


@pytest.fixture
def full(populated: str, tmp_path: Path, clock: StudyClock, places: Places) -> Iterator[Study]:
    with copied(places, populated, tmp_path, clock) as study:
        yield study


def public_functions(module: ModuleType) -> dict[str, Callable[..., object]]:
    """All that a module offers on a database: found here, so that a new one cannot be forgotten."""
    return {
        name: function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and next(iter(inspect.signature(function).parameters), "") == "database"
    }


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    """The name of an empty database."""
    name = postgres.new()
    yield name
    postgres.drop(name)


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may stop, kill and set otherwise."""
    try:
        with running_server() as server:
            yield server
    except ServerMissing as reason:
        pytest.skip(str(reason))
