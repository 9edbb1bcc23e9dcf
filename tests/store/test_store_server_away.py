"""A server that is busy, away, restarted or killed: said in words, and nothing acknowledged is lost."""

from __future__ import annotations

import pytest

from reader_app.errors import StudyBusy, StudyError
from reader_app.store import accounts, journal
from reader_app.store.database import create_database, open_database
from reader_app.store.records import Role
from tests.postgres_server import (
    PostgresServer,
)
from tests.store.conftest import KL, PASSWORD, Study, StudyClock, film, set_grade
from tests.store.places import only_postgresql


@only_postgresql
def test_somebody_who_writes_for_too_long_is_said_and_nothing_is_lost(study: Study) -> None:
    study.add_cases(film("P0001"))
    reader = study.person("Rita", Role.READER)
    study.assign(reader)
    opened = study.open(reader)
    change = set_grade(opened.case.joints[0].id, KL, 2)
    with open_database(study.place) as other, other.writing():
        with pytest.raises(StudyBusy, match="Nothing was changed"):
            study.commit(reader, opened, change)
        assert study.open(reader).content.grades == {}, "reading goes on meanwhile"
    study.commit(reader, opened, change)
    assert len(study.open(reader).content.grades) == 1


@only_postgresql
def test_a_connection_cut_in_the_middle_of_a_change_leaves_nothing_of_it(
    study: Study, postgres: PostgresServer
) -> None:
    before = journal.verify_chain(study.db)

    def change_and_lose_the_connection() -> None:
        with study.db.writing() as connection:
            connection.exec_driver_sql("UPDATE account SET active = false")
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            postgres.administer(f"SELECT pg_terminate_backend({pid}, 5000)")
            connection.exec_driver_sql("UPDATE account SET active = false")

    with pytest.raises(StudyError, match="was lost"):
        change_and_lose_the_connection()
    assert journal.verify_chain(study.db) == before
    assert all(one.active for one in accounts.list_accounts(study.db, study.coordinator))


def started_study(server: PostgresServer) -> tuple[Study, str]:
    place = server.url(server.new())
    db = create_database(place)
    study = Study(db, StudyClock(), accounts.create_first_coordinator(db, "Cora", PASSWORD))
    study.add_cases(film("P0001"))
    return study, place


def test_a_restarted_server_is_not_noticed(own_server: PostgresServer) -> None:
    study, _ = started_study(own_server)
    with study.db:
        own_server.stop()
        own_server.start()
        study.add_cases(film("P0002"))
        assert journal.verify_chain(study.db).ok


def test_a_server_that_is_away_is_said_and_work_goes_on_when_it_is_back(own_server: PostgresServer) -> None:
    study, place = started_study(own_server)
    with study.db:
        own_server.stop()
        for attempt in (lambda: study.add_cases(film("P0002")), lambda: open_database(place)):
            with pytest.raises(StudyError, match="cannot be reached"):
                attempt()
        own_server.start()
        assert len(study.add_cases(film("P0002"))) == 2
        assert journal.verify_chain(study.db).ok


def test_a_server_that_is_killed_loses_nothing_acknowledged(own_server: PostgresServer) -> None:
    study, place = started_study(own_server)
    with study.db:
        study.add_cases(*(film(f"Q{number}") for number in range(20)))
        entries = journal.verify_chain(study.db).entries
        own_server.kill()
    own_server.start()
    with open_database(place) as again:
        assert journal.verify_chain(again).ok
        assert journal.verify_chain(again).entries == entries


def test_a_server_that_does_not_wait_for_its_disk_is_refused(own_server: PostgresServer) -> None:
    study, place = started_study(own_server)
    study.db.close()
    own_server.stop()
    own_server.start(fsync="off")
    with pytest.raises(StudyError, match="a power cut would lose grades"):
        open_database(place)
