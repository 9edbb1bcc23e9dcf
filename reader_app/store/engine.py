"""All that depends on the database engine: connection settings, triggers, error codes. Today SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from reader_app.errors import StudyBusy, StudyDamaged, StudyError

BUSY_SECONDS = 2.0
WRITES = "reader_app_writes"
"""Execution option of a connection that is about to write."""

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}


def sqlite_engine(path: Path) -> Engine:
    """Return an engine on a study's database, its connections set as the promises need.

    Every connection checks foreign keys, waits `BUSY_SECONDS` for a lock, and returns from a commit only
    once the data are on the disk (``synchronous=FULL``).
    """
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None, "check_same_thread": False},
        pool_size=8,
        max_overflow=-1,
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
    # A transaction that will write takes the lock at once: asking for it half-way could fail without waiting.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def faults_in_words(where: Path) -> Iterator[None]:
    """Turn the engine's errors that the user can do something about into sentences.

    Raises
    ------
    StudyBusy, StudyDamaged, StudyError
        Instead of the engine's error; what it cannot name passes through.
    """
    try:
        yield
    except DBAPIError as error:
        known = in_words(error.orig, where)
        if known is None:
            raise
        raise known from error
    except sqlite3.Error as error:
        known = in_words(error, where)
        if known is None:
            raise
        raise known from error


def in_words(error: BaseException | None, where: Path) -> StudyError | None:
    """Return the sentence for an error of SQLite, None where it is a bug of ours."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    if primary in _BUSY:
        return StudyBusy(
            f"Another program has kept the study database {where} locked for more than "
            f"{BUSY_SECONDS:.0f} seconds.",
            "Nothing was changed; wait a moment and try again, or close the other program.",
        )
    # Python itself raises this without a code when the file is no database.
    if primary in _DAMAGED or "not a database" in str(error):
        return StudyDamaged(
            f"The study database {where} is damaged.",
            "Leave it as it is, copy the whole study folder, then restore the newest file from its folder "
            "backups.",
        )
    match primary:
        case sqlite3.SQLITE_FULL:
            return StudyError(
                f"The disk that holds the study database {where} is full; the last change was not stored.",
                "Free some space and repeat the last step; everything before it is safe.",
            )
        case sqlite3.SQLITE_READONLY:
            return StudyError(
                f"The study database {where} cannot be written: it or its folder is read-only.",
                "Ask for the right to write into the study folder, then open the study again.",
            )
        case sqlite3.SQLITE_IOERR:
            return StudyError(
                f"The disk reported an error while the study database {where} was used; the last change may "
                "not be stored.",
                "Check the disk and its free space, then open the study again.",
            )
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return StudyError(
                f"The study database {where} cannot be opened.",
                "Check that the study folder is there and that you may write into it.",
            )
    return None
