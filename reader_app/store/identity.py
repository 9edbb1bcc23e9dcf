"""Which study a database is of: written into the journal when the study is made, asked whenever it is opened.

A database on a server is named by a line of `study.toml` that anyone may copy; this keeps two studies from
being taken for one.
"""

from __future__ import annotations

import json

from sqlalchemy import false, select

from reader_app.store.access import require
from reader_app.store.database import Database
from reader_app.store.journal import append
from reader_app.store.records import Actor, Role
from reader_app.store.tables import journal, radiograph

_VERB = "study.begin"
# It follows the entry on the first account; more than a few are never looked at.
_FIRST = select(journal.c.payload).where(journal.c.verb == _VERB, journal.c.sequence <= 5)


def begin_study(database: Database, actor: Actor, study_id: str, *, protocol_sha256: str) -> None:
    """Write down which study this is, and under which protocol it is read.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    """
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        payload = {"study": study_id, "protocol_sha256": protocol_sha256}
        append(connection, actor, _VERB, payload=payload, at=database.now())


def study_begun(database: Database) -> str | None:
    """Return the id of the study, None where its makers did not write it down.

    It stands in `study.toml` as well, and is no secret.
    """
    with database.reading() as connection:
        payload = connection.execute(_FIRST).scalars().first()
    return None if payload is None else str(json.loads(payload)["study"])


def has_real_films(database: Database) -> bool:
    """Whether the study has a radiograph that is no phantom: some bundles grade phantoms alone.

    It says nothing of anybody, and every account asks before it looks at a pre-grade.
    """
    query = select(radiograph.c.id).where(radiograph.c.phantom == false()).limit(1)
    with database.reading() as connection:
        return connection.execute(query).first() is not None
