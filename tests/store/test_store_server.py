"""The server: its connections, its refusals, its restarts: in words, and nothing lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from reader_app.errors import NewerStudy, StudyBusy, StudyDamaged, StudyError
from reader_app.store import accounts, films, journal, replay
from reader_app.store.backend import AWAY_SECONDS
from reader_app.store.database import create_database, open_database
from reader_app.store.engine import backend_of, server_address
from reader_app.store.migrating import SHIPPED, migrate
from reader_app.store.records import Role
from reader_app.store.tables import metadata
from reader_app.store.triggers import all_triggers
from tests.postgres_server import (
    ADMINISTRATOR,
    STRANGER,
    STRANGERS_PASSWORD,
    USER,
    PostgresServer,
    ServerMissing,
    running_server,
)
from tests.store.conftest import KL, PASSWORD, Study, StudyClock, film, set_grade
from tests.store.places import only_postgresql


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


# Busy, gone, back again -----------------------------------------------------------------------------


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


# Older revisions and copies -------------------------------------------------------------------------


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
