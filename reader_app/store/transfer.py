"""A study from one engine into the other, row by row: a backup of a server, or a study that moves to one.

Both directions make the tables by the migrations, put the triggers aside for the copying only, and hold the
number of rows and the end of the journal against the source before the copy counts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, func, select, text

from reader_app.errors import StudyDamaged
from reader_app.store.backend import Backend
from reader_app.store.migrating import SHIPPED, migrate
from reader_app.store.sqlite_engine import SqliteBackend
from reader_app.store.sqlite_errors import sqlite_faults_in_words
from reader_app.store.tables import journal_head, metadata

ROWS_AT_ONCE = 5000
"""Rows in memory at a time."""

_VERSION_TABLE = "alembic_version"


def into_file(source: Connection, target: Path, *, revision: str) -> None:
    """Write all tables that a connection sees into a new embedded database.

    Parameters
    ----------
    source
        In a transaction that sees one state.
    target
        A file that is not there yet.
    revision
        Which one the source's tables are of.

    Raises
    ------
    StudyError
        In words, if the file cannot be written.
    StudyDamaged
        If the copy is not what the source is.
    """
    # The source's own tables, not ours: it may be of an older revision.
    theirs = MetaData()
    theirs.reflect(source)
    backend = SqliteBackend(target)
    try:
        with sqlite_faults_in_words(target):
            migrate(backend, SHIPPED, to=revision)
            with backend.migrating(new=False) as connection, _triggers_aside(connection):
                for table in theirs.sorted_tables:
                    if table.name != _VERSION_TABLE:
                        connection.execute(text(f'DELETE FROM "{table.name}"'))
                        _insert_all(connection, table, _rows(source, table))
                _compare(source, connection, theirs)
    finally:
        backend.close()


def onto_server(source: Connection, target: Backend) -> None:
    """Write all tables of an embedded database of the newest revision onto an empty server.

    Parameters
    ----------
    source
        In a transaction that keeps others from writing.
    target
        A PostgreSQL database without tables.

    Raises
    ------
    StudyError
        In words, if the server refuses, or if it is not empty.
    StudyDamaged
        If the copy is not what the source is.
    """
    migrate(target, SHIPPED, new=True)
    with target.migrating(new=False) as connection:
        for table in metadata.sorted_tables:
            name = f'"{table.name}"'
            connection.execute(text(f"ALTER TABLE {name} DISABLE TRIGGER USER"))
            connection.execute(text(f"DELETE FROM {name}"))
            _copy_in(connection, table, _rows(source, table))
            connection.execute(text(f"ALTER TABLE {name} ENABLE TRIGGER USER"))
            _count_on(connection, table)
        _compare(source, connection, metadata)


def _rows(source: Connection, table: Table) -> Iterator[Any]:
    """Yield a table's rows in the order of its key, never many at once."""
    query = select(table).order_by(*table.primary_key.columns)
    return iter(source.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}))


def _insert_all(connection: Connection, table: Table, rows: Iterator[Any]) -> None:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    places = ", ".join("?" for _ in table.columns)
    statement = f'INSERT INTO "{table.name}" ({columns}) VALUES ({places})'
    while some := [tuple(row) for row in islice(rows, ROWS_AT_ONCE)]:
        connection.exec_driver_sql(statement, some)


def _copy_in(connection: Connection, table: Table, rows: Iterator[Any]) -> None:
    """Load rows in one statement, so that rows may refer to later ones of the same table."""
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(tuple(row))


def _count_on(connection: Connection, table: Table) -> None:
    """Let new rows be numbered after those that came."""
    column = table.autoincrement_column
    if column is not None and table.columns[column.name].autoincrement is not False:
        connection.execute(
            text(
                f"SELECT setval(pg_get_serial_sequence('\"{table.name}\"', '{column.name}'), "
                f'greatest(1, (SELECT max("{column.name}") FROM "{table.name}")), '
                f'(SELECT count(*) > 0 FROM "{table.name}"))'
            )
        )


@contextlib.contextmanager
def _triggers_aside(connection: Connection) -> Iterator[None]:
    """Take a file's triggers away while copying; in its transaction, so that none is ever missing."""
    found = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
    for name, _ in found:
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    yield
    for _, statement in found:
        connection.exec_driver_sql(statement)


def _compare(source: Connection, copy: Connection, tables: MetaData) -> None:
    head = select(journal_head.c.sequence, journal_head.c.hash)
    same = source.execute(head).all() == copy.execute(head).all()
    for table in tables.sorted_tables:
        if table.name != _VERSION_TABLE:
            number = select(func.count()).select_from(table)
            same = same and source.execute(number).scalar() == copy.execute(number).scalar()
    if not same:
        raise StudyDamaged(
            "The copy of the study's database does not hold what the database holds.",
            "Nothing was changed; try again, and check the database with “reader-app verify”.",
        )
