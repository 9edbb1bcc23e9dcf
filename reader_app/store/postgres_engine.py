"""The engine of many readers, PostgreSQL: connection settings, who may write, copies.

A writer takes an advisory lock before its first look at the data and keeps it until the commit is on the
server's disk. So each sees all that was stored before, nothing has to be tried again, no two can wait for
each other, and the journal grows in the order of the commits. The server's queue is first come, first served.

The owner of the tables, or whoever rules the server, can switch off what guards them (``ALTER TABLE ...
DISABLE TRIGGER``, ``DROP TABLE``, ``session_replication_role``) and write past the store. No engine can
prevent that; but a change so made breaks the journal's chain, or leaves readings that are not what the
journal tells, and ``reader-app verify`` names the first place.
"""

from __future__ import annotations

import contextlib
import selectors
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from reader_app.errors import StudyDamaged, StudyError
from reader_app.store.backend import AWAY_SECONDS, BUSY_SECONDS, WRITES, Backend, faults_in_words
from reader_app.store.postgres_errors import in_words

OLDEST = 140_000
"""The oldest server that will do, as it numbers itself: 14.0."""

_CONNECT_SECONDS = 5
_SILENT_SECONDS = 10
_LOCK = 7_021_788_146_853_110_116  # any number, as long as every version of this program takes the same
_MILLISECONDS = 1000
_STREAMS = "reader_app_streams"

# Evaluated in this order. A program that is suspended in the middle of a change must not hold up the others.
_TAKE_TURN = text(
    f"SELECT set_config('idle_in_transaction_session_timeout', '{AWAY_SECONDS * _MILLISECONDS}', true), "
    f"pg_advisory_xact_lock({_LOCK})"
)
_SETTINGS = (
    f"SET lock_timeout = {int(BUSY_SECONDS * _MILLISECONDS)}",
    # "on" waits for this server's disk, "remote_apply" for those of its standbys too.
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')",
)
_SERVER = text(
    "SELECT current_setting('server_version_num')::integer AS version, "
    "current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync, "
    "current_schema() AS schema"
)
_TABLES = text(
    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'v', 'm', 'p', 'f', 'S')"
)
_OURS = {"alembic_version", "account", "journal", "journal_head"}
# Text compares byte by byte, as in SQLite: an index then survives that the server's system changes how a
# language sorts.
_UNSORTED = text(
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema() "
    "AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C' ORDER BY table_name, ordinal_position"
)

_TRIGGER_FUNCTIONS = text(
    "SELECT format('ALTER FUNCTION %I.%I() SET search_path = %I, pg_temp', n.nspname, p.proname, n.nspname) "
    "FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
    "WHERE n.nspname = current_schema() AND p.prorettype = 'trigger'::regtype"
)


class PostgresBackend(Backend):
    """A study on a PostgreSQL server.

    Parameters
    ----------
    url
        Without a password: the driver finds one in ``~/.pgpass`` or the environment.
    """

    def __init__(self, url: URL) -> None:
        engine = _engine(url)
        super().__init__(engine, url.set(drivername="postgresql", query={}).render_as_string())
        self.url = url
        self.readers = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self.writers = self.writers.execution_options(
            isolation_level="READ COMMITTED", postgresql_readonly=False
        )
        self.driver_errors = (engine.dialect.loaded_dbapi.Error,)

    def queue(self) -> AbstractContextManager[object]:
        """Wait for nobody: the server keeps the queue."""
        return contextlib.nullcontext()

    def make_room(self) -> None:
        """See that the server will do and that the schema is empty."""
        if self._tables():
            raise self._taken()

    def clear_away(self) -> None:
        """Leave it to the server, which has undone the transaction."""

    def revision(self) -> str:
        """Return the revision of the database, without changing anything of it."""
        found = self._tables()
        if not found:
            raise StudyError(
                f"The database {self.shown} holds no study yet.",
                "Make one there with “reader-app init --database”, or take one there with “reader-app move”.",
            )
        if found >= _OURS:
            with faults_in_words(self), self.readers.connect() as connection, connection.begin():
                row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
            if row is not None:
                return str(row[0])
        raise StudyDamaged(
            f"{self.shown} is not the database of a study: it holds other tables.", "Name another database."
        )

    @contextmanager
    def migrating(self, *, new: bool) -> Iterator[Connection]:
        """Give a connection that alone may write; the server checks references as they are made."""
        with self.writers.connect() as connection, connection.begin():
            if new and connection.execute(_TABLES).first() is not None:
                raise self._taken()
            yield connection
            _sort_by_bytes(connection)
            _ask_own_tables(connection)

    def copy_to(self, target: Path) -> None:
        """Write all tables, as they are at one moment, into a new embedded database, row by row."""
        from reader_app.store.transfer import into_file

        revision = self.revision()
        with faults_in_words(self), self.readers.connect() as connection, connection.begin():
            into_file(connection, target, revision=revision)

    def in_words(self, error: BaseException | None) -> StudyError | None:
        """Return the sentence for an error of PostgreSQL, None where it is a bug of ours."""
        return in_words(error, self.shown)

    def unmake(self) -> None:
        """Drop the tables of a study that has just been made here and could not be finished."""
        from reader_app.store.tables import metadata
        from reader_app.store.triggers import all_triggers, forgetting

        with faults_in_words(self), self.writers.connect() as connection, connection.begin():
            metadata.drop_all(connection)
            connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
            for statement in forgetting(all_triggers()):
                connection.execute(text(statement))

    def _tables(self) -> set[str]:
        with faults_in_words(self), self.readers.connect() as connection, connection.begin():
            server = connection.execute(_SERVER).one()
            if server.version < OLDEST:
                raise StudyError(
                    f"The server of the study database {self.shown} is too old: it is PostgreSQL "
                    f"{server.version // 10_000}, a study needs {OLDEST // 10_000} or newer.",
                    "Ask its administrator for a newer one.",
                )
            if server.encoding != "UTF8":
                raise StudyError(
                    f"The database {self.shown} cannot hold every letter: its encoding is {server.encoding}.",
                    "Ask the server's administrator for a database with the encoding UTF8.",
                )
            if server.fsync != "on":
                raise StudyError(
                    f"The server of the study database {self.shown} does not wait for its disk (fsync is "
                    f"{server.fsync}): a power cut would lose grades.",
                    "Ask its administrator to set fsync to on.",
                )
            if server.schema is None:
                raise StudyError(
                    f"The database {self.shown} has no schema that you may use.",
                    "Ask the server's administrator to make your user the owner of the database.",
                )
            return set(connection.execute(_TABLES).scalars())

    def _taken(self) -> StudyError:
        return StudyError(
            f"The database {self.shown} is not empty: it holds a study or other tables already.",
            "Open that study, or name an empty database; two studies never share one.",
        )


def _engine(url: URL) -> Engine:
    """Return an engine on a server, its connections set as the promises need.

    Nobody waits longer than `BUSY_SECONDS` for a lock, and a commit returns only once the data are on the
    server's disk. A server or network that falls silent is noticed after seconds, not after hours.
    """
    engine = create_engine(
        url,
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            "client_encoding": "utf8",
            "application_name": "reader-app",
            "keepalives_idle": _SILENT_SECONDS,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            "tcp_user_timeout": _SILENT_SECONDS * _MILLISECONDS,
        },
        pool_size=4,
        max_overflow=12,
        pool_timeout=BUSY_SECONDS,
        use_native_hstore=False,
        # What a statement was given may be a grade: it belongs into no log.
        hide_parameters=True,
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "checkout", _refuse_if_ended)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "after_cursor_execute", _remember_stream)
    event.listen(engine, "checkin", _close_streams)
    return engine


def _configure(connection: Any, _record: object) -> None:
    for setting in _SETTINGS:
        connection.execute(setting)
    connection.commit()


def _refuse_if_ended(connection: Any, _record: object, _proxy: object) -> None:
    """Let the pool make another connection where the server has closed this one, after a restart say.

    A server that stops says so on the connection; nothing else comes there unasked. Looking costs no journey
    to the server, which every keystroke would have to wait for.
    """
    if connection.closed:
        raise DisconnectionError("the connection was closed")
    with selectors.DefaultSelector() as waiting:
        waiting.register(connection.fileno(), selectors.EVENT_READ)
        if waiting.select(0):
            raise DisconnectionError("the server has closed the connection")


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITES, False):
        connection.execute(_TAKE_TURN)


def _remember_stream(connection: Connection, cursor: Any, *_rest: object) -> None:
    # A query of very many rows reads them from the server in portions, as long as it is open.
    if getattr(cursor, "name", None) is not None:
        connection.info.setdefault(_STREAMS, []).append(cursor)


def _close_streams(_connection: object, record: ConnectionPoolEntry) -> None:
    """Close what was not read to its end, because the first row that does not fit ended a check, say."""
    for cursor in record.info.pop(_STREAMS, ()):
        cursor.close()


def _sort_by_bytes(connection: Connection) -> None:
    columns: dict[str, list[str]] = {}
    for table, column in connection.execute(_UNSORTED):
        columns.setdefault(table, []).append(f'ALTER COLUMN "{column}" TYPE text COLLATE "C"')
    for table, changes in columns.items():
        connection.execute(text(f'ALTER TABLE "{table}" {", ".join(changes)}'))


def _ask_own_tables(connection: Connection) -> None:
    """Let the triggers look into the study's tables, whatever tables of the same names a session makes."""
    for statement in connection.execute(_TRIGGER_FUNCTIONS).scalars().all():
        connection.execute(text(statement))
