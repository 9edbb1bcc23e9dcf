"""Which engine keeps a study: the one file that knows them all."""

from __future__ import annotations

from pathlib import Path

from reader_app.store.backend import Backend, StudyFile, place_of
from reader_app.store.sqlite_engine import SqliteBackend


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
