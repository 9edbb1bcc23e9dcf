"""A reader asks for the pre-grade of the own case: which films that opens, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, or_, select

from reader_app.errors import NotAllowed
from reader_app.protocols.model import Arm
from reader_app.store.access import require
from reader_app.store.database import Database
from reader_app.store.journal import append
from reader_app.store.records import Actor, Role
from reader_app.store.tables import assignment, case_film, joint, reading


def reading_shows_ai(actor: Actor, reading_id: int) -> ColumnElement[bool]:
    """Return the condition that a reading is the actor's own and may show what the AI says.

    Of a case that is first read without AI, whatever stands in the tables: nothing before that is locked.
    """
    first = reading.alias("first")
    first_is_locked = exists().where(
        first.c.assignment_id == assignment.c.id,
        first.c.arm == Arm.UNAIDED.value,
        first.c.locked_at.is_not(None),
    )
    return and_(
        reading.c.id == reading_id,
        reading.c.arm == Arm.AIDED.value,
        or_(assignment.c.arm != Arm.UNAIDED_THEN_AIDED.value, first_is_locked),
        assignment.c.account_id == actor.account_id,
    )


def films_with_ai(actor: Actor, reading_id: int) -> Select[tuple[int]]:
    """Return the query of the films of a reading that is the actor's own and may show what the AI says."""
    return (
        select(case_film.c.radiograph_id)
        .select_from(reading)
        .join(assignment, assignment.c.id == reading.c.assignment_id)
        .join(case_film, case_film.c.case_id == assignment.c.case_id)
        .where(reading_shows_ai(actor, reading_id))
    )


def require_may_pregrade(connection: Connection, actor: Actor, reading_id: int | None) -> None:
    """Raise unless the actor leads the study, or has opened a reading that shows the AI.

    Whether a pre-grade exists plays no part, so that a refusal tells nothing of it.

    Parameters
    ----------
    reading_id
        Of the reader who asks; None where the coordinator does.

    Raises
    ------
    NotAllowed
        In words, with the way out.
    """
    if reading_id is None:
        require(connection, actor, Role.COORDINATOR)
        return
    require(connection, actor, Role.READER)
    if connection.execute(films_with_ai(actor, reading_id).limit(1)).first() is None:
        raise NotAllowed(
            "This reading shows nothing of the AI, so no pre-grade is made for it.",
            "Go on with your own grades.",
        )


def ask_for_pregrade(
    database: Database, actor: Actor, reading_id: int, *, bundle_sha256: str
) -> tuple[int, ...]:
    """Write into the journal that a reader asks for pre-grades of the own case; return its joints.

    Raises
    ------
    NotAllowed
        Unless the reading is the actor's own and may show what the AI says.
    """
    with database.writing() as connection:
        require(connection, actor, Role.READER)
        require_may_pregrade(connection, actor, reading_id)
        joints = joints_of(connection, actor, reading_id)
        payload = {"reading": reading_id, "joints": list(joints), "bundle_sha256": bundle_sha256}
        append(connection, actor, "pregrade.ask", payload=payload, at=database.now())
    return tuple(joints)


def joints_of(connection: Connection, actor: Actor, reading_id: int) -> Sequence[int]:
    """Return the joints, whole films among them, of a reading that may show what the AI says."""
    query = select(joint.c.id).where(joint.c.radiograph_id.in_(films_with_ai(actor, reading_id)))
    return [int(found) for found in connection.execute(query.order_by(joint.c.id)).scalars()]
