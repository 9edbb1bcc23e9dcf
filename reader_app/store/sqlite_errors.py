"""What SQLite cannot do, in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reader_app.errors import StudyBusy, StudyDamaged, StudyError
from reader_app.store.backend import BUSY_SECONDS
from reader_app.store.triggers import MOVED

BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}


def in_words(error: BaseException | None, where: Path) -> StudyError | None:
    """Return the sentence for an error of SQLite, None where it is a bug of ours."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    if primary in BUSY:
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
    if primary == sqlite3.SQLITE_CONSTRAINT and str(error).startswith(MOVED):
        return StudyError(
            f"This study now lives on the database server {str(error).removeprefix(MOVED).strip()}; the file "
            f"{where} is what it was before.",
            "The last step was not stored: close the study and open it again. If it still opens the file, "
            "name the server in study.toml, as url under [database].",
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


@contextmanager
def sqlite_faults_in_words(where: Path) -> Iterator[None]:
    """Turn errors of the driver itself, used without the store's connections, into sentences."""
    try:
        yield
    except sqlite3.Error as error:
        known = in_words(error, where)
        if known is None:
            raise
        raise known from error
