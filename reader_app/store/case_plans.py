"""What planning the worklists needs of the store, and taking back what nobody has begun to read."""

from __future__ import annotations

from sqlalchemy import delete, func, or_, select

from reader_app.protocols.model import Arm
from reader_app.reading.ordering import FilmPlace, ReferencedFilm
from reader_app.reading.planned import PlannedCase, PlannedEntry
from reader_app.reading.worklist import ReadingState
from reader_app.store.access import require
from reader_app.store.database import Database
from reader_app.store.journal import append
from reader_app.store.records import Actor, Role
from reader_app.store.tables import (
    account,
    assignment,
    case_film,
    joint,
    participant,
    radiograph,
    reading,
    reference_grade,
    study_case,
)

WITHDRAWN = "case.withdraw"
"""The verb of taking back all worklists, and with them all cases if it says so."""


def begun(database: Database, actor: Actor) -> bool:
    """Return whether any reader has opened a case."""
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return connection.execute(select(reading.c.id).limit(1)).first() is not None


def planned_cases(database: Database, actor: Actor) -> tuple[PlannedCase, ...]:
    """Return all cases, oldest first, each with whose films it shows."""
    query = (
        select(study_case.c.id, func.min(radiograph.c.participant_id), study_case.c.purpose)
        .join_from(study_case, case_film)
        .join(radiograph, radiograph.c.id == case_film.c.radiograph_id)
        .group_by(study_case.c.id, study_case.c.purpose)
        .order_by(study_case.c.id)
    )
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return tuple(PlannedCase(*row) for row in connection.execute(query))


def planned_entries(database: Database, actor: Actor) -> dict[int, tuple[PlannedEntry, ...]]:
    """Return by account what stands on the worklists, in place order.

    Of a closed account only what was begun: the rest may be given to others.
    """
    first = assignment.alias("first")
    query = (
        select(
            assignment.c.account_id,
            assignment.c.case_id,
            assignment.c.pass_number,
            assignment.c.place,
            assignment.c.arm,
            assignment.c.purpose,
            assignment.c.period,
            assignment.c.block,
            assignment.c.mirrored,
            assignment.c.after_days,
            first.c.case_id.label("first_case"),
            first.c.pass_number.label("first_pass"),
        )
        .join_from(assignment, account, account.c.id == assignment.c.account_id)
        .outerjoin(first, first.c.id == assignment.c.after_assignment_id)
        .where(or_(account.c.active, assignment.c.state != ReadingState.WAITING.value))
        .order_by(assignment.c.account_id, assignment.c.place)
    )
    found: dict[int, list[PlannedEntry]] = {}
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        for row in connection.execute(query):
            after = None if row.first_case is None else (row.first_case, row.first_pass)
            found.setdefault(row.account_id, []).append(
                PlannedEntry(
                    row.case_id,
                    row.pass_number,
                    row.place,
                    Arm(row.arm),
                    row.purpose,
                    row.period,
                    row.block,
                    row.mirrored,
                    after,
                    row.after_days,
                )
            )
    return {account_id: tuple(entries) for account_id, entries in found.items()}


def all_film_places(database: Database, actor: Actor) -> tuple[FilmPlace, ...]:
    """Return all radiographs, whether a case shows them or not."""
    query = select(radiograph.c.id, radiograph.c.participant_id, radiograph.c.visit_order).order_by(
        radiograph.c.id
    )
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return tuple(FilmPlace(*row) for row in connection.execute(query))


def referenced_films(database: Database, actor: Actor, *, source: str = "") -> tuple[ReferencedFilm, ...]:
    """Return all radiographs that carry reference grades, by `source` or, where it is empty, by any."""
    query = (
        select(radiograph.c.id, radiograph.c.participant_id, func.max(reference_grade.c.code))
        .join_from(reference_grade, joint)
        .join(radiograph, radiograph.c.id == joint.c.radiograph_id)
        .group_by(radiograph.c.id, radiograph.c.participant_id)
        .order_by(radiograph.c.id)
    )
    if source:
        query = query.where(reference_grade.c.source == source)
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return tuple(ReferencedFilm(*row) for row in connection.execute(query))


def pseudonyms(database: Database, actor: Actor) -> dict[int, str]:
    """Return the pseudonyms of the participants by their number."""
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        rows = connection.execute(select(participant.c.id, participant.c.pseudonym))
        return {row.id: row.pseudonym for row in rows}


def withdraw(database: Database, actor: Actor, *, cases: bool) -> bool:
    """Take back all worklists, so that they can be dealt anew; only while nobody has opened a case.

    Parameters
    ----------
    cases
        Whether the cases themselves are taken back as well.

    Returns
    -------
    bool
        False if a reader has opened a case meanwhile; then everything stays.
    """
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        if connection.execute(select(reading.c.id).limit(1)).first() is not None:
            return False
        # What waits for another place goes before it.
        connection.execute(delete(assignment).where(assignment.c.after_assignment_id.is_not(None)))
        connection.execute(delete(assignment))
        if cases:
            connection.execute(delete(case_film))
            connection.execute(delete(study_case))
        append(connection, actor, WITHDRAWN, payload={"cases": cases}, at=database.now())
    return True
