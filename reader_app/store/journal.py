"""The append-only history: every entry carries the hash of the one before it.

The hash of an entry is the SHA-256 of the canonical JSON of its sequence number, time, account, verb,
payload and the previous hash. `journal_head` remembers the last entry, so a cut-off tail is found too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, insert, select, update

from reader_app.errors import StudyDamaged
from reader_app.store.access import require
from reader_app.store.canonical import canonical, sha256_of
from reader_app.store.database import Database
from reader_app.store.freeze import FROZEN_AT, require_writing_allowed
from reader_app.store.records import Actor, ChainReport, JournalEntry, Role
from reader_app.store.rows import AnyRow
from reader_app.store.tables import journal, journal_head

GENESIS = "0" * 64
"""What the first entry has as its previous hash."""

READING = "reading."
ADJUDICATION = "adjudication."
EXCLUSION = "exclusion."
"""Verbs that begin like these carry grades, or what readers excluded."""

FILM = "film."
"""Verbs that begin like this tell what a coordinator corrected on a film."""

_BATCH = 5000

# Built once, as every keystroke needs them.
_HEAD = (
    select(journal_head.c.sequence, journal_head.c.hash, FROZEN_AT.scalar_subquery().label("frozen_at"))
    .where(journal_head.c.id == 1)
    .with_for_update(of=journal_head)
)
_APPEND = insert(journal)
_MOVE_HEAD = update(journal_head).where(journal_head.c.id == 1)


def append(
    connection: Connection, actor: Actor | None, verb: str, *, payload: Mapping[str, object], at: str
) -> int:
    """Write one entry inside the transaction that does what it tells.

    Parameters
    ----------
    actor
        None for what the software does by itself.

    Returns
    -------
    int
        The entry's sequence number.

    Raises
    ------
    StudyDamaged
        If the journal has no end to append to.
    StudyFrozen
        If the study is frozen and this is not one of the few things that may still be told.
    """
    head = connection.execute(_HEAD).one_or_none()
    if head is None:
        raise StudyDamaged("The end of the study's journal is missing.", "Restore the newest backup.")
    require_writing_allowed(head.frozen_at, verb)
    sequence = head.sequence + 1
    account_id = actor.account_id if actor else None
    text = canonical(payload)
    link = entry_hash(sequence, at=at, account_id=account_id, verb=verb, payload=text, previous=head.hash)
    row = {
        "sequence": sequence,
        "at": at,
        "account_id": account_id,
        "verb": verb,
        "payload": text,
        "previous_hash": head.hash,
        "hash": link,
    }
    connection.execute(_APPEND, row)
    connection.execute(_MOVE_HEAD, {"sequence": sequence, "hash": link})
    return int(sequence)


def entry_hash(
    sequence: int, *, at: str, account_id: int | None, verb: str, payload: str, previous: str
) -> str:
    """Return the hash of an entry; `payload` is canonical JSON already."""
    return sha256_of(
        {
            "sequence": sequence,
            "at": at,
            "account": account_id,
            "verb": verb,
            "payload": payload,
            "previous": previous,
        }
    )


def verify_chain(database: Database, actor: Actor | None = None) -> ChainReport:
    """Follow the journal from its first entry to its end.

    Anyone may ask: the answer holds no content.

    Returns
    -------
    ChainReport
        The first entry that does not fit, and why.
    """
    with database.reading() as connection:
        if actor is not None:
            require(connection, actor, *Role)
        checked, previous = 0, GENESIS
        rows = connection.execution_options(yield_per=_BATCH).execute(
            select(journal).order_by(journal.c.sequence)
        )
        for row in rows:
            reason = _misfit(row, expected=checked + 1, previous=previous)
            if reason:
                return ChainReport(False, checked, checked + 1, reason)
            checked, previous = checked + 1, row.hash
        head = connection.execute(select(journal_head.c.sequence, journal_head.c.hash)).one_or_none()
    if head is None:
        return ChainReport(False, checked, checked + 1, "the record of the journal's end is missing")
    if head.sequence > checked:
        missing = head.sequence - checked
        return ChainReport(False, checked, checked + 1, f"the last {missing} entries are missing")
    if head.sequence < checked or head.hash != previous:
        return ChainReport(False, checked, head.sequence, "the journal does not end where it should")
    return ChainReport(True, checked)


def entries(
    database: Database, actor: Actor, *, after: int = 0, limit: int = 1000
) -> tuple[JournalEntry, ...]:
    """Return entries in order; the auditor sees all, the coordinator not those that carry grades.

    Raises
    ------
    NotAllowed
        For readers and adjudicators.
    """
    query = select(journal).where(journal.c.sequence > after).order_by(journal.c.sequence).limit(limit)
    if actor.role is not Role.AUDITOR:
        for prefix in (READING, ADJUDICATION, EXCLUSION):
            query = query.where(journal.c.verb.not_like(f"{prefix}%"))
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        rows = connection.execute(query).all()
    return tuple(
        JournalEntry(
            row.sequence,
            row.at,
            row.account_id,
            row.verb,
            payload=json.loads(row.payload),
            previous_hash=row.previous_hash,
            hash=row.hash,
        )
        for row in rows
    )


def _misfit(row: AnyRow, *, expected: int, previous: str) -> str:
    if row.sequence != expected:
        return f"entry {expected} is missing"
    if row.previous_hash != previous:
        return f"entry {expected} does not follow the entry before it"
    found = entry_hash(
        row.sequence,
        at=row.at,
        account_id=row.account_id,
        verb=row.verb,
        payload=row.payload,
        previous=row.previous_hash,
    )
    return "" if found == row.hash else f"entry {expected} was changed after it was written"
