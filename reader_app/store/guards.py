"""Whether the database still has the triggers that guard what is signed and journaled.

The owner of a database can always drop them; then nothing stops a change, and this says that it was so.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, text

from reader_app.store.access import require
from reader_app.store.database import Database
from reader_app.store.records import Actor, Role
from reader_app.store.triggers import all_triggers, statements

_SQLITE = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
_POSTGRESQL = (
    "SELECT t.tgname, p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
    "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE NOT t.tgisinternal AND t.tgenabled = 'O' AND n.nspname = current_schema()"
)
_NAME = re.compile(r"CREATE (?:OR REPLACE FUNCTION|TRIGGER) (\w+)(?:\(\)| BEFORE \w+ ON \w+ (?:WHEN|BEGIN))")


def broken_guards(database: Database, actor: Actor | None = None) -> str:
    """Return what is wrong with the triggers, in words; empty where all are as they were made.

    Anyone may ask: the answer holds no content.
    """
    with database.reading() as connection:
        if actor is not None:
            require(connection, actor, *Role)
        found = _found(connection)
        expected = _expected(connection.dialect.name)
    gone = [name for name in expected if name not in found]
    changed = [name for name, sql in expected.items() if found.get(name, sql) != sql]
    parts = [
        f"the trigger{'s' * (len(names) > 1)} {', '.join(names[:3])}"
        f"{f' and {len(names) - 3} more' * (len(names) > 3)} {what}"
        for names, what in ((gone, "is gone" if len(gone) == 1 else "are gone"), (changed, "was changed"))
        if names
    ]
    return " and ".join(parts)


def _found(connection: Connection) -> dict[str, str]:
    query = _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL
    return {name: _plain(sql) for name, sql in connection.execute(text(query))}


def _expected(dialect: str) -> dict[str, str]:
    """Return by name the text by which the engine knows each trigger: of its function, where it has one."""
    found: dict[str, str] = {}
    for statement in statements(all_triggers(), dialect):
        name = _NAME.match(statement)
        if name is not None:
            found[name[1]] = _plain(
                statement.split("$refusal$")[1] if "$refusal$" in statement else statement
            )
    return found


def _plain(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).strip()
