"""Copies of a study on a server, and old studies there that are brought up to date."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from reader_app.errors import StudyError
from reader_app.store import journal, replay
from reader_app.store.database import open_database
from reader_app.store.engine import backend_of
from reader_app.store.migrating import SHIPPED, migrate
from reader_app.store.tables import metadata
from reader_app.store.triggers import all_triggers
from tests.postgres_server import (
    PostgresServer,
)
from tests.store.conftest import Study, film
from tests.store.places import only_postgresql


def test_an_old_study_on_a_server_is_copied_and_brought_up_to_date(
    postgres: PostgresServer, empty: str, tmp_path: Path
) -> None:
    place = postgres.url(empty)
    backend = backend_of(place)
    migrate(backend, SHIPPED, to="0001")
    backend.close()
    postgres.administer(
        "INSERT INTO participant (pseudonym) VALUES ('P0001')",
        "INSERT INTO journal VALUES (1, '2024', NULL, 'x', '{}', repeat('0', 64), 'h')",
        "UPDATE journal_head SET sequence = 1, hash = 'h'",
        database=empty,
    )
    with pytest.raises(StudyError, match="must be copied"):
        open_database(place)
    with open_database(place, backups=tmp_path) as db, db.reading() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == SHIPPED.head
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}
        now = connection.execute(text("SELECT pseudonym FROM participant")).all()
    (copy,) = tmp_path.iterdir()
    with open_database(copy, backups=tmp_path / "again") as old, old.reading() as connection:
        assert connection.execute(text("SELECT pseudonym FROM participant")).all() == now
    assert [path.name for path in (tmp_path / "again").iterdir()], "the copy was of the first revision"


def everything(study: Study) -> dict[str, list[tuple[object, ...]]]:
    with study.db.reading() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(table.select().order_by(*table.primary_key.columns))
            ]
            for table in metadata.sorted_tables
        }


@only_postgresql
def test_a_copy_is_the_same_study_in_a_file(full: Study, tmp_path: Path) -> None:
    copy = full.db.back_up(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [copy.name]
    with open_database(copy, clock=full.clock) as db:
        same = Study(db, full.clock, full.coordinator)
        assert everything(same) == everything(full)
        assert journal.verify_chain(db) == journal.verify_chain(full.db)
        assert replay.verify_readings(db).ok
        with db.reading() as connection:
            guards = connection.execute(text("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"))
            assert guards.scalar() == len(all_triggers())
        same.add_cases(film("P9999"))
        assert journal.verify_chain(db).ok, "work could go on with it"


@only_postgresql
def test_a_copy_made_while_others_write_shows_one_moment(study: Study, tmp_path: Path) -> None:
    stop = threading.Event()
    faults: list[BaseException] = []

    def write() -> None:
        try:
            for number in range(200):
                if stop.is_set():
                    return
                study.add_cases(film(f"P{number:04d}"))
        except BaseException as error:  # noqa: BLE001 - told in the main thread
            faults.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = [study.db.back_up(tmp_path / str(number)) for number in range(3)]
    finally:
        stop.set()
        writer.join()
    assert faults == []
    for copy in copies:
        with open_database(copy) as db:
            assert journal.verify_chain(db).ok
            with db.reading() as connection:
                cases = connection.execute(text("SELECT count(*) FROM study_case")).scalar()
                told = connection.execute(
                    text("SELECT count(*) FROM journal WHERE verb = 'case.add'")
                ).scalar()
            assert cases == told, "each case of the copy is in its journal, and no other"
