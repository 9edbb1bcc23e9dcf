"""Studies on a PostgreSQL server: made, read from two folders, settled, reported, verified, moved there."""

from __future__ import annotations

import shutil
import sqlite3
import tomllib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from reader_app.errors import AccountError, StudyDamaged, StudyError
from reader_app.operations import adjudicate, read
from reader_app.operations.accounts import add_account
from reader_app.operations.assign import assign_all
from reader_app.operations.backup import back_up
from reader_app.operations.freeze import freeze
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.move import move_to_server
from reader_app.operations.report import make_report
from reader_app.operations.status import status
from reader_app.operations.study import NewStudy, Study, create_study, open_study
from reader_app.operations.study_config import name_database, read_config
from reader_app.operations.verify import verify
from reader_app.phantom.cohort import write_phantom_study
from reader_app.reading.case import GradeKey
from reader_app.reading.commands import SetGrade
from reader_app.reading.worklist import ReadingState
from reader_app.store import journal
from reader_app.store.records import Actor, Role
from tests.operations.conftest import COORDINATOR, PASSWORD
from tests.postgres_server import PostgresServer

CHOICES = NewStudy(protocol="knee-kl", title="Knees", coordinator=COORDINATOR, password=PASSWORD, seed=1)


@pytest.fixture
def place(postgres: PostgresServer) -> Iterator[str]:
    """The address of an empty database."""
    name = postgres.new()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two participants' knees."""
    folder = tmp_path_factory.mktemp("phantoms")
    write_phantom_study(folder, participants=2, visits=1, seed=5, reduced=8)
    return folder


def tables(postgres: PostgresServer, place: str) -> list[tuple[str]]:
    name = place.partition("?")[0].rpartition("/")[2]
    query = "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    return postgres.administer(query + "WHERE n.nspname = 'public'", database=name)


def person(study: Study, coordinator: Actor, name: str, role: Role) -> Actor:
    add_account(study, coordinator, name=name, password=PASSWORD, role=role)
    return log_in(study, name, PASSWORD)


def with_people(study: Study, phantoms: Path) -> dict[str, Actor]:
    """Let two readers get the phantoms to read."""
    people = {COORDINATOR: log_in(study, COORDINATOR, PASSWORD)}
    ada = people[COORDINATOR]
    people |= {name: person(study, ada, name, Role.READER) for name in ("Ben", "Cleo")}
    people["Zoe"] = person(study, ada, "Zoe", Role.ADJUDICATOR)
    people["Ann"] = person(study, ada, "Ann", Role.AUDITOR)
    import_films(study, ada, phantoms, manifest=phantoms / "manifest.csv")
    assign_all(study, ada)
    return people


def read_all(study: Study, reader: Actor, *, code: int, places: int | None = None) -> None:
    """Give every joint that is not locked the same grade and lock; or do so in the first few cases."""
    for entry in read.worklist(study, reader)[:places]:
        if entry.state is ReadingState.LOCKED:
            continue
        case = read.open_case(study, reader, entry.assignment_id)
        for joint in case.case.joints:
            for item in study.protocol.items:
                command = SetGrade(GradeKey(joint.id, item), code)
                read.commit(study, reader, case, command, pregrade_in_sight=False)
        read.lock(study, reader, case, active_seconds=1.0)


def folder_of_another_computer(study: Study, folder: Path) -> Path:
    """What a second workstation gets: all of the folder but backups."""
    shutil.copytree(study.folder, folder, ignore=shutil.ignore_patterns("backups", "exports", "*.db*"))
    return folder


def test_a_whole_study_on_a_server(place: str, tmp_path: Path, phantoms: Path) -> None:
    with create_study(tmp_path / "knees", replace(CHOICES, database_url=place)) as study:
        assert not (study.folder / "study.db").exists()
        people = with_people(study, phantoms)
        read_all(study, people["Ben"], code=1)
        second = folder_of_another_computer(study, tmp_path / "second computer")
        with open_study(second) as there:
            cleo = log_in(there, "Cleo", PASSWORD)
            read_all(there, cleo, code=3)
            zoe = log_in(there, "Zoe", PASSWORD)
            waiting = adjudicate.queue(there, zoe)
            assert len(waiting) == 4, "both knees of both participants"
            for one in waiting:
                adjudicate.settle_disagreement(there, zoe, one, code=2, rationale="looked twice")
        ada = people[COORDINATOR]
        freeze(study, ada, password=PASSWORD, reason="for the results")
        counts = status(study, ada)
        assert (counts.radiographs, counts.cases) == (2, 2)
        report = make_report(study, ada, tmp_path / "report")
        assert "Knees" in report.html.read_text(encoding="utf-8")
        found = verify(study, people["Ann"])
        assert found.ok, found.faults
        copied = back_up(study)
        entries = journal.verify_chain(study.database).entries
    assert "study.db" in copied.files
    assert "url" in (tmp_path / "knees" / "study.toml").read_text(encoding="utf-8")
    with open_study(copied.folder) as backup:
        assert backup.database.path == copied.folder / "study.db"
        assert verify(backup, log_in(backup, "Ann", PASSWORD)).ok
        assert journal.verify_chain(backup.database).entries >= entries


def test_what_could_not_be_made_leaves_nothing_on_the_server(
    place: str, postgres: PostgresServer, tmp_path: Path
) -> None:
    with pytest.raises(AccountError):
        create_study(tmp_path / "knees", replace(CHOICES, password="short", database_url=place))
    assert not (tmp_path / "knees").exists()
    assert tables(postgres, place) == []
    create_study(tmp_path / "knees", replace(CHOICES, database_url=place)).close()


def test_two_studies_on_one_database_are_refused(place: str, tmp_path: Path) -> None:
    create_study(tmp_path / "one", replace(CHOICES, database_url=place)).close()
    with pytest.raises(StudyError, match="never share"):
        create_study(tmp_path / "two", replace(CHOICES, database_url=place))
    assert not (tmp_path / "two").exists()
    open_study(tmp_path / "one").close()


def test_a_database_of_another_study_is_noticed(place: str, tmp_path: Path) -> None:
    create_study(tmp_path / "one", replace(CHOICES, database_url=place)).close()
    create_study(tmp_path / "two", CHOICES).close()
    config = read_config(tmp_path / "two")
    replace(config, database_url=place).write(tmp_path / "two")
    with pytest.raises(StudyDamaged, match="of another study"):
        open_study(tmp_path / "two")


def test_a_password_in_the_address_is_refused_and_written_nowhere(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="holds a password") as refused:
        create_study(
            tmp_path / "knees", replace(CHOICES, database_url="postgresql://ada:geheim@db.lab/knees")
        )
    assert "geheim" not in str(refused.value)
    assert not (tmp_path / "knees").exists()


def test_a_study_moves_to_a_server_in_the_middle_of_reading(
    place: str, tmp_path: Path, phantoms: Path
) -> None:
    with create_study(tmp_path / "knees", CHOICES) as study, open_study(study.folder) as left_open:
        people = with_people(study, phantoms)
        read_all(study, people["Ben"], code=1)
        read_all(study, people["Cleo"], code=3, places=1)
        report = move_to_server(study, people[COORDINATOR], place)
        assert report.moved.grades == 6
        # A window that still has the file open loses nothing without noticing.
        case = read.open_case(
            left_open, people["Ben"], read.worklist(left_open, people["Ben"])[0].assignment_id
        )
        assert case.session.locked
        with pytest.raises(StudyError, match="now lives on the database server"):
            read_all(left_open, people["Cleo"], code=3)
    with open_study(tmp_path / "knees") as moved:
        assert moved.database.shown.startswith("postgresql://")
        assert journal.verify_chain(moved.database).entries == report.moved.entries
        assert verify(moved, log_in(moved, "Ann", PASSWORD)).ok
        cleo = log_in(moved, "Cleo", PASSWORD)
        assert read.progress(moved, cleo).locked == 1
        read_all(moved, cleo, code=3)
        assert len(adjudicate.queue(moved, log_in(moved, "Zoe", PASSWORD))) == 4
        assert verify(moved, log_in(moved, "Ann", PASSWORD)).ok
        with pytest.raises(StudyError, match=r"on the server .* already"):
            move_to_server(moved, log_in(moved, COORDINATOR, PASSWORD), place)
    with open_study(report.backup) as before:
        assert verify(before, log_in(before, "Ann", PASSWORD)).ok


def test_a_move_that_cannot_be_made_changes_nothing(
    place: str, postgres: PostgresServer, tmp_path: Path
) -> None:
    create_study(tmp_path / "other", replace(CHOICES, database_url=place)).close()
    with create_study(tmp_path / "knees", CHOICES) as study:
        ada = log_in(study, COORDINATOR, PASSWORD)
        for address, word in ((place, "never share"), (postgres.url("nowhere"), "There is no database")):
            with pytest.raises(StudyError, match=word):
                move_to_server(study, ada, address)
        add_account(study, ada, name="Ben", password=PASSWORD, role=Role.READER)
        assert verify(study, ada).ok
    assert read_config(tmp_path / "knees").database_url is None
    open_study(tmp_path / "other").close()


def test_a_broken_journal_does_not_move(place: str, postgres: PostgresServer, tmp_path: Path) -> None:
    with create_study(tmp_path / "knees", CHOICES) as study:
        with closing(sqlite3.connect(study.database.path)) as connection, connection:
            connection.execute("DROP TRIGGER journal_no_update")
            connection.execute("UPDATE journal SET payload = '{}' WHERE sequence = 2")
        with pytest.raises(StudyDamaged, match="not whole from entry 2"):
            move_to_server(study, log_in(study, COORDINATOR, PASSWORD), place)
    assert tables(postgres, place) == []
    assert read_config(tmp_path / "knees").database_url is None


def test_naming_a_server_keeps_all_else_that_study_toml_says(tmp_path: Path) -> None:
    create_study(tmp_path / "knees", CHOICES).close()
    text = (tmp_path / "knees" / "study.toml").read_text(encoding="utf-8")
    older = text + '\n[reading]\narm = "aided"\n'
    (tmp_path / "knees" / "study.toml").write_text(older, encoding="utf-8")
    name_database(tmp_path / "knees", "postgresql+psycopg://ada@db.lab/knees", target=tmp_path)
    named = tomllib.loads((tmp_path / "study.toml").read_text(encoding="utf-8"))
    assert named.pop("database") == {"url": "postgresql+psycopg://ada@db.lab/knees"}
    assert named == tomllib.loads(older)
    name_database(tmp_path, None, target=tmp_path)
    assert tomllib.loads((tmp_path / "study.toml").read_text(encoding="utf-8")) == tomllib.loads(older)
