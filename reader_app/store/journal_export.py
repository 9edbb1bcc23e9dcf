"""The journal as it leaves the study, and as it is compared with what left it earlier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from reader_app.store.access import require
from reader_app.store.database import Database
from reader_app.store.freeze import is_frozen
from reader_app.store.journal import ADJUDICATION, EXCLUSION, READING, append
from reader_app.store.journal_records import ExportedEntry
from reader_app.store.records import Actor, Role
from reader_app.store.tables import journal

_WITHHELD = (READING, ADJUDICATION, EXCLUSION)


def export_entries(database: Database, actor: Actor, *, after: int, limit: int) -> tuple[ExportedEntry, ...]:
    """Return every entry in order; what carries grades comes without its payload until the freeze.

    The auditor gets all payloads at any time. The hashes of all entries are there for everybody who may ask,
    so that a later change of any of them is found.

    Raises
    ------
    NotAllowed
        For readers and adjudicators.
    """
    query = select(journal).where(journal.c.sequence > after).order_by(journal.c.sequence).limit(limit)
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        all_of_it = actor.role is Role.AUDITOR or is_frozen(connection)
        rows = connection.execute(query).all()
    return tuple(
        ExportedEntry(
            sequence=row.sequence,
            at=row.at,
            account_id=row.account_id,
            verb=row.verb,
            payload=row.payload if all_of_it or not row.verb.startswith(_WITHHELD) else None,
            previous_hash=row.previous_hash,
            hash=row.hash,
        )
        for row in rows
    )


def note_export(database: Database, actor: Actor, *, verb: str, name: str, sha256: str) -> None:
    """Write into the journal that something left the study: what, and its hash, not where it went.

    Parameters
    ----------
    verb
        Such as "export.journal".
    name
        Of the file, without its folder.
    """
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        append(connection, actor, verb, payload={"name": name, "sha256": sha256}, at=database.now())


def first_unlike(database: Database, actor: Actor | None, exported: Mapping[int, str]) -> int | None:
    """Return the first entry that is missing or has another hash than these; None where all are the same.

    Anyone may ask: the answer holds no content.
    """
    with database.reading() as connection:
        if actor is not None:
            require(connection, actor, *Role)
        wanted: Sequence[int] = sorted(exported)
        if not wanted:
            return None
        found = {
            row.sequence: row.hash
            for row in connection.execute(
                select(journal.c.sequence, journal.c.hash).where(
                    journal.c.sequence.between(wanted[0], wanted[-1])
                )
            )
        }
    return next((number for number in wanted if found.get(number) != exported[number]), None)
