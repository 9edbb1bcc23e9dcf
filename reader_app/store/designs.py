"""The reading designs of a study: the one in force, and those before it."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from reader_app.errors import StudyDamaged, StudyError
from reader_app.reading.design import ReadingDesign
from reader_app.store.access import require
from reader_app.store.database import Database
from reader_app.store.journal import append
from reader_app.store.records import Actor, DesignRecord, Role
from reader_app.store.tables import account, design, reading

_NEWEST = select(design).order_by(design.c.id.desc()).limit(1)


def in_force(database: Database) -> ReadingDesign | None:
    """Return the design that the study is read under, None where its makers knew of none.

    Like the protocol, it is no secret from those who read under it.

    Raises
    ------
    StudyDamaged
        If what is stored is not what was signed with its hash.
    """
    with database.reading() as connection:
        return design_now(connection)


def design_now(connection: Connection) -> ReadingDesign | None:
    """Do the same within a transaction."""
    row = connection.execute(_NEWEST).one_or_none()
    if row is None:
        return None
    try:
        found = ReadingDesign.from_canonical(row.content)
    except ValueError as fault:
        raise _damaged() from fault
    if found.sha256 != row.sha256:
        raise _damaged()
    return found


def set_design(
    database: Database,
    actor: Actor,
    chosen: ReadingDesign,
    *,
    reason: str,
    before_reading: bool = False,
) -> None:
    """Put a design in force; those before it are kept. Whether it may follow them, the caller has decided.

    Parameters
    ----------
    before_reading
        The caller decided so because nobody has opened a case yet.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    StudyError
        If somebody has opened a case meanwhile.
    """
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        if before_reading and connection.execute(select(reading.c.id).limit(1)).first() is not None:
            raise StudyError("A reader has opened a case meanwhile.", "Look at what may still change.")
        at = database.now()
        connection.execute(
            insert(design).values(
                sha256=chosen.sha256,
                content=chosen.canonical(),
                reason=reason.strip(),
                account_id=actor.account_id,
                at=at,
            )
        )
        payload = {"sha256": chosen.sha256, "content": chosen.canonical(), "reason": reason.strip()}
        append(connection, actor, "design.set", payload=payload, at=at)


def all_designs(database: Database, actor: Actor) -> tuple[DesignRecord, ...]:
    """Return every design that was in force, oldest first; for coordinator and auditor."""
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        wanted = select(design, account.c.name).join_from(design, account).order_by(design.c.id)
        rows = connection.execute(wanted).all()
    return tuple(
        DesignRecord(row.sha256, ReadingDesign.from_canonical(row.content), row.reason, row.at, row.name)
        for row in rows
    )


def _damaged() -> StudyDamaged:
    return StudyDamaged(
        "The reading design in the study's database is not what its hash says.",
        "Restore the newest file from the folder backups.",
    )
