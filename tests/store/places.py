"""Where the databases of tests are kept: the same tests run in a file and on a server."""

from __future__ import annotations

import shutil
import sqlite3
from abc import ABC, abstractmethod
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from reader_app.store.backend import StudyServer, place_of
from reader_app.store.database import Database
from reader_app.store.postgres_engine import PostgresBackend
from tests.postgres_server import ADMINISTRATOR, PostgresServer

only_sqlite = pytest.mark.parametrize("places", ["sqlite"], indirect=True)
"""For what only an embedded database has: a file, pages, pragmas."""

only_postgresql = pytest.mark.parametrize("places", ["postgresql"], indirect=True)
"""For what only a server has: users, connections, a network in between."""


class Places(ABC):
    """One engine's databases; a file lies in the folder that is named."""

    @abstractmethod
    def new(self, folder: Path) -> str:
        """Return a place where nothing is yet."""

    @abstractmethod
    def copy(self, template: str, folder: Path) -> str:
        """Return the place of a copy of a database that nobody uses."""

    @abstractmethod
    def drop(self, place: str) -> None:
        """Remove a database."""


class SqlitePlaces(Places):
    """Files."""

    def new(self, folder: Path) -> str:
        return str(folder / "study.db")

    def copy(self, template: str, folder: Path) -> str:
        return str(shutil.copy(template, folder / "study.db"))

    def drop(self, place: str) -> None:
        """Leave it to pytest, which removes old folders."""


class PostgresPlaces(Places):
    """Databases of a server."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server

    def new(self, folder: Path) -> str:  # noqa: ARG002 - a server has its own
        return self.server.url(self.server.new())

    def copy(self, template: str, folder: Path) -> str:  # noqa: ARG002 - likewise
        return self.server.url(self.server.new(_name(template)))

    def drop(self, place: str) -> None:
        self.server.drop(_name(place))


def place_of_database(db: Database) -> str:
    """Return what `open_database` needs to open it again."""
    if isinstance(db.backend, PostgresBackend):
        return db.backend.url.render_as_string()
    return str(db.path)


def past_the_store(db: Database, *statements: str) -> None:
    """What somebody would do who rules the engine: take triggers and references away, then change."""
    if isinstance(db.backend, PostgresBackend):
        settings = db.backend.url.translate_connect_args(database="dbname", username="user")
        settings |= {**db.backend.url.query, "user": ADMINISTRATOR}
        with psycopg.connect(**settings) as server:
            server.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                server.execute(statement.encode())
        return
    with closing(sqlite3.connect(db.path)) as file, file:
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            file.execute(statement)


def _name(place: str) -> str:
    found = place_of(place)
    assert isinstance(found, StudyServer)
    assert found.url.database is not None
    return found.url.database
