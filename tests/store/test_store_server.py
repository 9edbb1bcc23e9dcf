"""The server: its connections, its refusals, its restarts: in words, and nothing lost."""

from __future__ import annotations

import threading

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from reader_app.errors import NewerStudy, StudyBusy, StudyDamaged, StudyError
from reader_app.store import accounts, films, journal, replay
from reader_app.store.backend import AWAY_SECONDS
from reader_app.store.database import create_database, open_database
from reader_app.store.engine import server_address
from reader_app.store.tables import metadata
from reader_app.store.triggers import all_triggers
from tests.postgres_server import (
    ADMINISTRATOR,
    STRANGER,
    STRANGERS_PASSWORD,
    USER,
    PostgresServer,
)
from tests.store.conftest import PASSWORD, Study, film
from tests.store.places import only_postgresql


def name_of(study: Study) -> str:
    return study.db.shown.rpartition("/")[2]


def all_words(fault: BaseException) -> str:
    """All that a log could show of a fault, its causes included."""
    words, error = "", fault
    while error is not None:
        words += f"{error!r} {error} "
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return words


def carry_out(study: Study, *statements: str) -> None:
    """Run statements in one change of the study."""
    with study.db.writing() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


# Connections --------------------------------------------------------------------------------------


def settings_of(study: Study, *, writes: bool) -> dict[str, object]:
    names = (
        "lock_timeout",
        "synchronous_commit",
        "idle_in_transaction_session_timeout",
        "transaction_isolation",
        "transaction_read_only",
        "client_encoding",
    )
    with (study.db.writing if writes else study.db.reading)() as connection:
        return {name: connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names}


@only_postgresql
def test_every_connection_is_set_for_the_promises(study: Study) -> None:
    common = {"lock_timeout": "2s", "synchronous_commit": "on", "client_encoding": "UTF8"}
    for _ in range(2):
        assert settings_of(study, writes=False) == common | {
            "idle_in_transaction_session_timeout": "0",
            "transaction_isolation": "repeatable read",
            "transaction_read_only": "on",
        }
        assert settings_of(study, writes=True) == common | {
            "idle_in_transaction_session_timeout": f"{AWAY_SECONDS}s",
            "transaction_isolation": "read committed",
            "transaction_read_only": "off",
        }


def test_a_server_that_commits_loosely_is_told_to_wait_for_its_disk(postgres: PostgresServer) -> None:
    name = postgres.new()
    try:
        postgres.administer(f"ALTER DATABASE {name} SET synchronous_commit = off")
        with create_database(postgres.url(name)) as db, db.writing() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    finally:
        postgres.drop(name)


@only_postgresql
def test_reading_sees_one_unchanging_state(study: Study) -> None:
    with study.db.reading() as connection:
        before = connection.execute(text("SELECT count(*) FROM radiograph")).scalar()
        films.add_radiographs(study.db, study.coordinator, [film("P0001")])
        assert connection.execute(text("SELECT count(*) FROM radiograph")).scalar() == before
    assert not films.is_empty(study.db, study.coordinator)


@only_postgresql
def test_text_compares_byte_by_byte_whatever_the_server_speaks(study: Study) -> None:
    with study.db.reading() as connection:
        found = connection.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns WHERE data_type = 'text' "
                "AND table_schema = current_schema() AND collation_name IS DISTINCT FROM 'C'"
            )
        ).all()
        texts = sum(
            str(column.type) == "TEXT" for table in metadata.sorted_tables for column in table.columns
        )
    assert texts > 50
    assert found == []


# What is refused ----------------------------------------------------------------------------------


@only_postgresql
def test_two_studies_never_share_a_database(study: Study) -> None:
    before = journal.verify_chain(study.db)
    with pytest.raises(StudyError, match="never share"):
        create_database(study.place)
    assert journal.verify_chain(study.db) == before


def test_a_database_of_something_else_is_left_alone(postgres: PostgresServer, empty: str) -> None:
    postgres.administer("CREATE TABLE account (id integer)", database=empty)
    with pytest.raises(StudyDamaged, match="not the database of a study"):
        open_database(postgres.url(empty))
    with pytest.raises(StudyError, match="not empty"):
        create_database(postgres.url(empty))


def test_an_empty_database_is_no_study_yet(postgres: PostgresServer, empty: str) -> None:
    with pytest.raises(StudyError, match="no study yet"):
        open_database(postgres.url(empty))


def test_of_two_who_make_a_study_in_one_database_one_does(postgres: PostgresServer, empty: str) -> None:
    outcomes: list[str] = []
    barrier = threading.Barrier(2)

    def make() -> None:
        barrier.wait(timeout=30)
        try:
            with create_database(postgres.url(empty)) as db:
                accounts.create_first_coordinator(db, "Cora", PASSWORD)
            outcomes.append("made")
        except StudyBusy:
            outcomes.append("refused")
        except StudyError as error:
            outcomes.append("refused" if "not empty" in error.what else str(error))

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made", "refused"]


@only_postgresql
def test_a_newer_study_is_refused_and_untouched(study: Study) -> None:
    study.past_the_store("UPDATE alembic_version SET version_num = '9999'")
    before = journal.verify_chain(study.db)
    with pytest.raises(NewerStudy, match="9999"):
        open_database(study.place)
    assert journal.verify_chain(study.db) == before


def test_a_database_that_is_not_there_is_said(postgres: PostgresServer) -> None:
    with pytest.raises(StudyError, match=r"There is no database postgresql://.*/nowhere on that server"):
        open_database(postgres.url("nowhere"))


@pytest.mark.parametrize("password", [None, "another secret"])
@only_postgresql
def test_a_wrong_password_is_said_and_never_shown(
    study: Study, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, password: str | None
) -> None:
    monkeypatch.delenv("PGPASSWORD", raising=False)
    if password is not None:
        monkeypatch.setenv("PGPASSWORD", password)
    with pytest.raises(StudyError, match="did not let you in") as refused:
        open_database(postgres.url(name_of(study), user=STRANGER))
    assert "pgpass" in refused.value.next_step
    assert "another secret" not in all_words(refused.value)


@only_postgresql
def test_somebody_without_rights_is_told_so(
    study: Study, postgres: PostgresServer, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", STRANGERS_PASSWORD)
    with pytest.raises(StudyError, match="rights") as refused:
        open_database(postgres.url(name_of(study), user=STRANGER))
    assert STRANGERS_PASSWORD not in all_words(refused.value)
    with pytest.raises(StudyError, match="rights"):
        create_database(postgres.url(empty, user=STRANGER))


@only_postgresql
def test_too_many_connections_are_said(study: Study, postgres: PostgresServer) -> None:
    name = name_of(study)
    study.db.close()
    postgres.administer(f"ALTER DATABASE {name} CONNECTION LIMIT 1")
    with postgres.connect(name, user=USER), pytest.raises(StudyBusy, match="too many connections"):
        open_database(study.place)
    postgres.administer(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
    open_database(study.place).close()


def test_a_database_that_cannot_hold_every_letter_is_refused(postgres: PostgresServer) -> None:
    postgres.administer(
        f"CREATE DATABASE latin OWNER {USER} TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc "
        "LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    try:
        with pytest.raises(StudyError, match="its encoding is LATIN1"):
            create_database(postgres.url("latin"))
    finally:
        postgres.drop("latin")


@pytest.mark.parametrize(
    ("state", "kind", "word"),
    [
        ("53100", StudyError, "is full"),
        ("58030", StudyError, "error of its disk"),
        ("XX001", StudyDamaged, "is damaged on its server"),
        ("57014", StudyBusy, "took too long"),
        ("25P03", StudyBusy, "pause"),
        ("57P03", StudyError, "was lost"),
        ("40001", StudyBusy, "Nothing was changed"),
    ],
)
@only_postgresql
def test_what_the_server_cannot_do_is_said(
    study: Study, state: str, kind: type[StudyError], word: str
) -> None:
    with pytest.raises(kind, match=word), study.db.writing() as connection:
        connection.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$")


@only_postgresql
def test_a_server_that_can_only_be_read_is_said(study: Study) -> None:
    with pytest.raises(StudyError, match="can only be read"):
        carry_out(study, "SET TRANSACTION READ ONLY", "UPDATE account SET active = true")


@only_postgresql
def test_nothing_of_what_a_statement_was_given_is_told(study: Study) -> None:
    with pytest.raises(IntegrityError) as refused, study.db.writing() as connection:
        connection.execute(
            text("INSERT INTO grade VALUES (:reading, 1, 'kl', 4, false, '', 0)"), {"reading": 424242}
        )
    assert "hidden" in str(refused.value)


# The triggers -------------------------------------------------------------------------------------

GUARDED = sorted({trigger.table for trigger in all_triggers() if trigger.verb == "DELETE"})


@pytest.mark.parametrize("table", GUARDED)
@only_postgresql
def test_a_guarded_table_cannot_be_emptied_as_a_whole(written: Study, table: str) -> None:
    with (
        pytest.raises(IntegrityError, match="cannot be emptied"),
        written.db.writing() as connection,
    ):
        connection.exec_driver_sql(f"TRUNCATE {table} CASCADE")
    assert journal.verify_chain(written.db).ok
    assert replay.verify_readings(written.db).ok


@only_postgresql
def test_the_triggers_ask_the_studys_own_tables(written: Study) -> None:
    """A table of the same name, first on somebody's search path, does not deceive them."""
    with pytest.raises(IntegrityError, match="cannot be changed"):
        carry_out(
            written,
            "CREATE TEMPORARY TABLE reading (id integer, locked_at text)",
            "SET LOCAL search_path = pg_temp, public",
            "UPDATE public.grade SET code = 0",
        )


# Addresses and rights --------------------------------------------------------------------------------


def test_the_address_in_study_toml_is_whole_and_plain() -> None:
    assert (
        server_address("postgresql://ada@db.lab:5433/knees") == "postgresql+psycopg://ada@db.lab:5433/knees"
    )
    same = "postgresql+psycopg://ada@db.lab/knees?sslmode=verify-full"
    assert server_address(same) == same
    with pytest.raises(StudyError, match="not the address"):
        server_address("/data/study.db")


@only_postgresql
def test_the_tests_server_obeys_the_administrator_only(study: Study, postgres: PostgresServer) -> None:
    """The other tests would prove little if the study's user could do everything."""
    with postgres.connect(name_of(study), user=USER) as connection:
        rights = "SELECT usesuper FROM pg_user WHERE usename = current_user"
        assert connection.execute(rights).fetchone() == (False,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SET session_replication_role = replica")
    with postgres.connect(name_of(study), user=ADMINISTRATOR) as connection:
        connection.execute("SET session_replication_role = replica")
