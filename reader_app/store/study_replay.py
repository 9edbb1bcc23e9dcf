"""Whether the tables of the study are what the journal tells: people, films, worklists, settlements."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import Connection, select

from reader_app.store.access import require
from reader_app.store.database import Database
from reader_app.store.held import Held, held
from reader_app.store.journal_records import TablesReport
from reader_app.store.records import Actor, Role
from reader_app.store.tables import journal
from reader_app.store.told import Entry, Key, Strand, strands

_BATCH = 5000


def verify_tables(database: Database, actor: Actor | None = None) -> TablesReport:
    """Play the journal again and compare what comes out with the tables.

    Anyone may ask: the answer names rows by number and holds no grade.

    Returns
    -------
    TablesReport
        How many rows were found right, by table, and the first in each table that differs.
    """
    with database.reading() as connection:
        if actor is not None:
            require(connection, actor, *Role)
        told = strands()
        wanted = {verb for strand in told.values() for verb in strand.verbs}
        for entry in _entries(connection, wanted):
            for strand in told.values():
                strand.take(entry)
        checked: dict[str, int] = {}
        faults: list[str] = []
        fetch = held(connection)
        for table, strand in told.items():
            fault = _difference(strand, fetch[table]())
            if fault:
                faults.append(fault)
            else:
                checked[strand.title if len(strand.rows) == 1 else strand.plural] = len(strand.rows)
    return TablesReport(checked=checked, faults=tuple(faults))


def _entries(connection: Connection, verbs: set[str]) -> Iterator[Entry]:
    rows = connection.execution_options(yield_per=_BATCH).execute(
        select(journal.c.sequence, journal.c.at, journal.c.account_id, journal.c.verb, journal.c.payload)
        .where(journal.c.verb.in_(sorted(verbs)))
        .order_by(journal.c.sequence)
    )
    for row in rows:
        yield Entry(row.sequence, row.at, row.account_id, row.verb, json.loads(row.payload))


def _difference(strand: Strand, stored: Held) -> str:
    """Return the first difference as a sentence, empty where there is none."""
    for key, row in strand.rows.items():
        here = stored.get(key)
        if here is None:
            return f"The {strand.title} {_named(key)} of journal entry {row.sequence} is missing."
        wrong = [name for name, value in row.values.items() if here[name] != value]
        if wrong:
            what = " and ".join(name.replace("_", " ") for name in wrong)
            entry = f"journal entry {row.sequence}"
            return f"The {strand.title} {_named(key)} is not what {entry} tells: {what} differs."
    extra = next((key for key in stored if key not in strand.rows), None)
    return "" if extra is None else f"The journal does not tell of the {strand.title} {_named(extra)}."


def _named(key: Key) -> str:
    return "/".join(str(part)[:12] for part in key)
