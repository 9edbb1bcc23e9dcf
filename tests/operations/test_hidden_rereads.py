"""A whole worklist with mirrored re-reads, read through the operations: nothing tells them, all is proven."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reader_app.errors import NotYet
from reader_app.imaging.geometry import Box
from reader_app.operations import read
from reader_app.operations.accounts import add_account
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import DATABASE_FILE, NewStudy, Study, create_study
from reader_app.operations.study_config import ImagePolicy
from reader_app.protocols.model import Arm, Presentation
from reader_app.reading.case import GradeKey, JointSide
from reader_app.reading.commands import KeepMeasurement, MoveBox, SetGrade
from reader_app.reading.design import ReadingDesign, Rereads
from reader_app.store.database import open_database
from reader_app.store.records import Actor, Role
from reader_app.store.study_replay import verify_tables

FILMS, COLUMNS = 8, 90
DAYS = 7.0
DESIGN = ReadingDesign(
    presentation=Presentation.SINGLE,
    arm=Arm.UNAIDED,
    seed=5,
    block_size=3,
    rereads=Rereads(percent=50, min_cases=1, min_days=DAYS, mirrored=True),
)


@dataclass
class Room:
    """A reader before a study, and a clock that stands still until it is moved."""

    study: Study
    anna: Actor
    now: list[datetime]

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.study.folder / DATABASE_FILE)) as connection:
            return [tuple(row) for row in connection.execute(query)]


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    monkeypatch.setenv("READER_APP_HOME", str(tmp_path / "home"))
    images = tmp_path / "films"
    images.mkdir()
    generator = np.random.default_rng(4)
    lines = ["image,participant,side"]
    for number in range(FILMS):
        Image.fromarray(generator.integers(10, 245, (60, COLUMNS), np.uint8)).save(images / f"{number}.png")
        lines.append(f"{number}.png,person-{number},both")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("\n".join([*lines, ""]), encoding="utf-8")
    choices = NewStudy("knee-kl", "T", "Carla", "carla-coordinates", design=DESIGN, images=ImagePolicy.COPY)
    with create_study(tmp_path / "study", choices) as study:
        carla = log_in(study, "Carla", "carla-coordinates")
        anna = add_account(study, carla, name="Anna", password="anna-reads-films", role=Role.READER)
        import_films(study, carla, images, manifest=manifest)
        now = [datetime(2026, 3, 1, 12, tzinfo=UTC)]
        with open_database(study.folder / DATABASE_FILE, clock=lambda: now[0]) as database:
            reader = Actor(anna.id, anna.name, anna.role)
            yield Room(replace(study, database=database), reader, now)


def read_on(room: Room) -> list[tuple[int, str, int]]:
    """Read until nothing can be opened; return place, title and block of each case."""
    seen: list[tuple[int, str, int]] = []
    place = 0
    while (entry := read.next_case(room.study, room.anna, after_place=place).entry) is not None:
        ahead = read.films_ahead(room.study, room.anna, [entry.assignment_id])
        case = read.open_case(room.study, room.anna, entry.assignment_id)
        assert [film[0] for film in ahead] == [film.radiograph_id for film in case.case.films]
        assert {film.mirrored for film in ahead} == {case.reading.mirrored}
        right = next(joint for joint in case.case.joints if joint.side is JointSide.RIGHT)
        for key in case.session.keys:
            code = 3 if key.joint_id == right.id else 1
            read.commit(room.study, room.anna, case, SetGrade(key, code), pregrade_in_sight=False)
        read.lock(room.study, room.anna, case, active_seconds=1.0)
        place = case.reading.place
        seen.append((place, case.reading.title, case.reading.block))
        room.now[0] += timedelta(minutes=1)
    return seen


def test_a_worklist_is_read_in_its_order_and_the_re_reads_come_last_once_they_are_due(room: Room) -> None:
    total = read.progress(room.study, room.anna).total
    assert total == FILMS + FILMS // 2
    first = read_on(room)
    assert [place for place, _, _ in first] == list(range(1, FILMS + 1))
    assert [title for _, title, _ in first] == [f"Case {place:04d}" for place in range(1, FILMS + 1)]
    blocks = [block for _, _, block in first]
    assert blocks == sorted(blocks), "blocks follow one another, whatever changed places"
    assert room.rows(
        "SELECT DISTINCT a.purpose FROM reading r JOIN assignment a ON a.id = r.assignment_id"
    ) == [("reading",)]
    resting = read.next_case(room.study, room.anna)
    assert resting.opens_at is not None
    left = read.worklist(room.study, room.anna)[FILMS:]
    with pytest.raises(NotYet, match="The rest of your worklist opens"):
        read.open_case(room.study, room.anna, left[0].assignment_id)
    assert all(entry.shut for entry in left)
    room.now[0] += timedelta(days=DAYS)
    again = read_on(room)
    assert [place for place, _, _ in again] == list(range(FILMS + 1, total + 1))
    assert read.progress(room.study, room.anna).locked == total
    told = verify_tables(room.study.database)
    assert told.ok, told


def test_mirrored_or_not_the_same_grades_go_to_the_side_that_was_seen(room: Room) -> None:
    read_on(room)
    room.now[0] += timedelta(days=DAYS)
    read_on(room)
    query = (
        "SELECT a.mirrored, j.side, g.code, COUNT(*) FROM grade g JOIN reading r ON r.id = g.reading_id "
        "JOIN assignment a ON a.id = r.assignment_id JOIN joint j ON j.id = g.joint_id "
        "GROUP BY a.mirrored, j.side, g.code ORDER BY a.mirrored, j.side"
    )
    found = room.rows(query)
    assert [row[:3] for row in found] == [(0, "L", 1), (0, "R", 3), (1, "L", 3), (1, "R", 1)]


def test_boxes_and_lengths_of_a_mirrored_case_are_stored_as_the_film_has_them(room: Room) -> None:
    with closing(sqlite3.connect(room.study.folder / DATABASE_FILE)) as connection:
        connection.execute("UPDATE assignment SET mirrored = 1 WHERE place = 1")
        connection.commit()
    (entry, *_) = read.worklist(room.study, room.anna)
    case = read.open_case(room.study, room.anna, entry.assignment_id)
    (film,) = case.case.films
    joint, key = film.joints[0], case.session.keys[0]
    spacing = read.film(room.study, room.anna, film.radiograph_id).header.spacing
    for command in (
        MoveBox(joint.id, Box(10.1, 5.0, 20.3, 30.0)),
        KeepMeasurement(film.radiograph_id, (10.7, 4.0), (40.2, 8.0), spacing),
        SetGrade(GradeKey(joint.id, key.item), 2),
    ):
        read.commit(room.study, room.anna, case, command, pregrade_in_sight=False)
    ((x, width),) = room.rows("SELECT box_x, box_width FROM reading_box")
    assert (x, width) == (pytest.approx(COLUMNS - 30.4, abs=2e-3), pytest.approx(20.3, abs=1e-3))
    ((start, end),) = room.rows("SELECT start_x, end_x FROM measurement")
    assert (start, end) == (
        pytest.approx(COLUMNS - 10.7, abs=1e-3),
        pytest.approx(COLUMNS - 40.2, abs=1e-3),
    )
    again = read.open_case(room.study, room.anna, entry.assignment_id)
    assert again.session.box(joint.id) == case.session.box(joint.id)
    assert again.session.measurements == case.session.measurements
    for _ in range(3):
        read.commit(room.study, room.anna, case, "undo", pregrade_in_sight=False)
    assert (
        room.rows("SELECT COUNT(*) FROM reading_box")
        == room.rows("SELECT COUNT(*) FROM measurement")
        == [(0,)]
    )
