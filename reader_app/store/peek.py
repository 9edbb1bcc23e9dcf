"""A look at a database file that leaves no trace, so that a newer version's study stays as it was."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from urllib.parse import quote

from reader_app.errors import StudyDamaged, StudyError
from reader_app.store.backend import BUSY_SECONDS
from reader_app.store.sqlite_errors import sqlite_faults_in_words

# The database header, sqlite.org/fileformat2.html, section 1.3.
_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100


def revision_untouched(path: Path) -> str | None:
    """Return the revision that a database is at, without changing a byte of it.

    Returns
    -------
    str or None
        None if the file is a database, but not of a study.

    Raises
    ------
    StudyDamaged
        If it is no database, or cut short.
    StudyError
        If it cannot be read.
    """
    log = path.with_name(path.name + "-wal")
    try:
        in_use = log.exists() and log.stat().st_size > 0
        _check_header(path, whole=not in_use)
    except OSError as error:
        raise StudyError(
            f"The study database {path} cannot be read: {error.strerror or error}.",
            "Check the disk and your rights.",
        ) from error
    # Without a log the file alone is the truth, and "immutable" keeps SQLite from making its helper files.
    # With one, another program has it open or was cut off, and the log must be read too.
    mode = "mode=ro" if in_use else "mode=ro&immutable=1"
    uri = f"file:{quote(str(path))}?{mode}"
    with (
        sqlite_faults_in_words(path),
        contextlib.closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as connection,
    ):
        tables = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        if "alembic_version" not in tables:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])


def _check_header(path: Path, *, whole: bool) -> None:
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    restore = "Copy the whole study folder, then restore the newest file from its folder backups."
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise StudyDamaged(
            f"The study database {path} is damaged: it does not begin like a database.", restore
        )
    page_size = int.from_bytes(header[16:18], "big")
    expected = (65536 if page_size == 1 else page_size) * int.from_bytes(header[28:32], "big")
    # While a log is there, the last pages may still be in it alone.
    if whole and path.stat().st_size < expected:
        raise StudyDamaged(
            f"The study database {path} is damaged: {path.stat().st_size} of its {expected} bytes are there.",
            restore,
        )
