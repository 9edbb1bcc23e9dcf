"""The embedded engine, SQLite: connection settings, who may write, errors in words, copies."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from reader_app.errors import StudyBusy, StudyDamaged, StudyError
from reader_app.store.backend import BUSY_SECONDS, WRITES, Backend
from reader_app.store.location import refuse_network_share
from reader_app.store.peek import revision_untouched
from reader_app.store.sqlite_errors import BUSY, in_words, sqlite_faults_in_words

_BETWEEN_TRIES_MS = 3


class SqliteBackend(Backend):
    """A study in a file.

    Parameters
    ----------
    path
        The file; nothing is touched before it is asked for.
    """

    driver_errors = (sqlite3.Error,)

    def __init__(self, path: Path) -> None:
        super().__init__(_engine(path), str(path))
        self.path = path
        # SQLite has one writer and lets others poll; inside one program a lock is fairer and wakes at once.
        self._writer = threading.Lock()

    def close(self) -> None:
        """Close all connections; the last one to go folds the write-ahead log into the file."""
        # What another thread still uses closes when it comes back, not when it is forgotten.
        event.listen(self.readers.pool, "checkin", _close_returned)
        super().close()

    @contextmanager
    def queue(self) -> Iterator[None]:
        """Wait for this program's turn to write."""
        if not self._writer.acquire(timeout=BUSY_SECONDS):
            raise StudyBusy(
                "Another task of this program has been writing to the study for more than "
                f"{BUSY_SECONDS:.0f} seconds.",
                "Nothing was changed; wait a moment and try again.",
            )
        try:
            yield
        finally:
            self._writer.release()

    def make_room(self) -> None:
        """See that a new file can be made here."""
        if self.path.exists():
            raise StudyError(
                f"There is a study database at {self.path} already.", "Open it, or choose another folder."
            )
        if not self.path.parent.is_dir():
            raise StudyError(f"The folder {self.path.parent} does not exist.", "Make the folder first.")
        refuse_network_share(self.path.parent)

    def clear_away(self) -> None:
        """Remove the file and its helpers."""
        for half_made in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + half_made).unlink(missing_ok=True)

    def unmake(self) -> None:
        """Leave the file to whoever made its folder."""

    def revision(self) -> str:
        """Return the revision of the file, without changing a byte of it."""
        if not self.path.is_file():
            raise StudyError(
                f"The study database {self.path} is missing.",
                "Choose the study folder, the one with study.toml in it.",
            )
        refuse_network_share(self.path.parent)
        found = revision_untouched(self.path)
        if found is None:
            raise StudyDamaged(
                f"{self.path} is not the database of a study.", "Choose another folder, or restore a backup."
            )
        return found

    @contextmanager
    def migrating(self, *, new: bool) -> Iterator[Connection]:
        """Give a connection in a transaction, with foreign keys checked at its end only."""
        if new:
            self.make_room()
        with self.writers.connect() as connection:
            # Tables are rebuilt by copying, which foreign keys would hinder; SQLite ignores the switch inside
            # a transaction, so it is turned before and the keys are checked before the commit.
            driver = connection.connection.dbapi_connection
            if driver is None:
                raise RuntimeError("the connection was closed while migrating")
            driver.execute("PRAGMA foreign_keys=OFF")
            try:
                with connection.begin():
                    yield connection
                    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                    if broken is not None:
                        raise StudyDamaged(
                            f"The study database is damaged: a row of the table {broken[0]} refers to a row "
                            f"of {broken[2]} that is missing.",
                            "Nothing was changed; restore the newest file from the folder backups.",
                        )
            finally:
                driver.execute("PRAGMA foreign_keys=ON")

    def copy_to(self, target: Path) -> None:
        """Write a copy with the engine's own means, page by page."""
        with (
            sqlite_faults_in_words(target),
            contextlib.closing(sqlite3.connect(self.path, timeout=BUSY_SECONDS)) as here,
            contextlib.closing(sqlite3.connect(target)) as there,
        ):
            here.backup(there)

    @property
    def backup_name(self) -> str:
        """How names of its copies begin."""
        return self.path.stem

    def in_words(self, error: BaseException | None) -> StudyError | None:
        """Return the sentence for an error of SQLite, None where it is a bug of ours."""
        return in_words(error, self.path)


def _close_returned(_connection: object, record: ConnectionPoolEntry) -> None:
    record.invalidate()


def _engine(path: Path) -> Engine:
    """Return an engine on a file, its connections set as the promises need.

    Every connection checks foreign keys, waits `BUSY_SECONDS` for a lock, and returns from a commit only
    once the data are on the disk (``synchronous=FULL``).
    """
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None, "check_same_thread": False},
        pool_size=8,
        max_overflow=-1,
        # What a statement was given may be a grade: it belongs into no log.
        hide_parameters=True,
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, _record: object) -> None:
    # In this order: even asking for the journal mode may have to wait for another program.
    for pragma in (
        f"busy_timeout={int(BUSY_SECONDS * 1000)}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-16000",
        # On macOS, only this makes the disk itself write; elsewhere it does nothing.
        "fullfsync=ON",
        "checkpoint_fullfsync=ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITES, False):
        _begin_to_write(connection.connection.dbapi_connection)
    else:
        connection.exec_driver_sql("BEGIN")


def _begin_to_write(driver: Any) -> None:
    """Take the lock at once: asking for it half-way could fail without waiting.

    SQLite's own waiting asks ten times a second at the end; several programs that write at once would keep
    it from its turn for seconds. So it is asked for a few milliseconds only, and again.
    """
    until = time.monotonic() + BUSY_SECONDS
    driver.execute(f"PRAGMA busy_timeout={_BETWEEN_TRIES_MS}")
    try:
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in BUSY or time.monotonic() > until:
                    raise
            else:
                return
    finally:
        driver.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
