"""Which engine keeps a study: the one file that knows them all."""

from __future__ import annotations

from pathlib import Path

from reader_app.errors import StudyError
from reader_app.store.backend import Backend, StudyFile, place_of
from reader_app.store.sqlite_engine import SqliteBackend


def server_address(text: str) -> str:
    """Return the address of a database server as `study.toml` keeps it.

    Raises
    ------
    StudyError
        If it is none, names no database, or holds a password.
    """
    found = place_of(text)
    if isinstance(found, StudyFile):
        raise StudyError(
            f"{text} is not the address of a database server.",
            "Write it like postgresql://user@host:5432/database; the embedded database needs no address.",
        )
    return found.text


def backend_of(place: str | Path) -> Backend:
    """Return the engine for a path or URL; nothing is opened or touched yet.

    Raises
    ------
    StudyError
        If it is the address of another kind of server, names no database, or holds a password.
    """
    found = place_of(place)
    if isinstance(found, StudyFile):
        return SqliteBackend(found.path)
    # Not needed for most studies, and its driver takes a moment to load.
    from reader_app.store.postgres_engine import PostgresBackend

    return PostgresBackend(found.url)
