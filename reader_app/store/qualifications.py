"""The gate before live reading: who has read the calibration set, and with what outcome.

A reader never gets a reference grade from here: the readings are judged by a function that the caller
brings, inside one call, and only the outcome leaves it.
"""

from __future__ import annotations

import json

from sqlalchemy import Connection, func, select

from reader_app.errors import NotQualified
from reader_app.reading.design import ReadingDesign
from reader_app.reading.ordering import ReferencedFilm
from reader_app.reading.worklist import ReadingState
from reader_app.store.access import require
from reader_app.store.database import Database
from reader_app.store.qualification_records import Qualification
from reader_app.store.records import Actor, Role
from reader_app.store.rows import AnyRow
from reader_app.store.tables import assignment, case_film, joint, qualification, radiograph, reference_grade

CALIBRATION = "calibration"
"""The purpose of an assignment that is read for the gate."""


def calibration_candidates(
    database: Database, actor: Actor, *, source: str = ""
) -> tuple[ReferencedFilm, ...]:
    """Return the radiographs in no case yet that carry reference grades.

    Parameters
    ----------
    source
        Whose reference grades count; empty takes any.

    Raises
    ------
    NotAllowed
        Unless the actor is coordinator or auditor.
    """
    query = (
        select(radiograph.c.id, radiograph.c.participant_id, func.max(reference_grade.c.code))
        .join_from(reference_grade, joint)
        .join(radiograph, radiograph.c.id == joint.c.radiograph_id)
        .outerjoin(case_film, case_film.c.radiograph_id == radiograph.c.id)
        .where(case_film.c.case_id.is_(None))
        .group_by(radiograph.c.id, radiograph.c.participant_id)
        .order_by(radiograph.c.id)
    )
    if source:
        query = query.where(reference_grade.c.source == source)
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return tuple(ReferencedFilm(*row) for row in connection.execute(query))


def require_qualified(connection: Connection, actor: Actor, design: ReadingDesign) -> None:
    """Raise unless live cases are open to this reader.

    Called inside the transaction that opens a live case, a re-read or a control; never for a case of the
    calibration set itself.

    Raises
    ------
    NotQualified
        In words: how many calibration cases are left, or by how much the gate was missed. Nothing of a
        reference grade is in them.
    """
    if not design.calibration.cases:
        return
    left = connection.execute(
        select(assignment.c.id)
        .where(
            assignment.c.account_id == actor.account_id,
            assignment.c.purpose == CALIBRATION,
            assignment.c.state != ReadingState.LOCKED.value,
        )
        .order_by(assignment.c.place)
    ).scalars()
    waiting = list(left)
    if waiting:
        number = "1 calibration case is" if len(waiting) == 1 else f"{len(waiting)} calibration cases are"
        raise NotQualified(
            f"{number} left to read before live cases open.",
            "Read and lock them first.",
            assignment_id=waiting[0],
        )
    if design.calibration.min_kappa is None:
        return
    newest = newest_judgement(connection, actor.account_id)
    if newest is None or judgement_due(connection, actor.account_id):
        raise _not_judged(connection, actor)
    if not newest.passed:
        raise NotQualified(
            f"The calibration set was not passed: {missed_words(newest)}.",
            "Ask the coordinator, who can grant another attempt.",
        )


def missed_words(outcome: Qualification) -> str:
    """Return by how much a gate was missed, feature by feature."""
    parts = [
        str(each["words"])
        for each in outcome.result.values()
        if isinstance(each, dict) and not each["passed"]
    ]
    return "; ".join(parts)


def judgement_due(connection: Connection, account_id: int) -> bool:
    """Return whether a reader has locked calibration cases since the last judgement, or before any."""
    return len(judged(connection, account_id)) < current_attempt(connection, account_id)


def current_attempt(connection: Connection, account_id: int) -> int:
    """Return at which attempt a reader is, 0 before any calibration case was assigned."""
    times = (
        select(func.count().label("times"))
        .where(assignment.c.account_id == account_id, assignment.c.purpose == CALIBRATION)
        .group_by(assignment.c.case_id)
        .subquery()
    )
    return connection.execute(select(func.max(times.c.times))).scalar_one() or 0


def newest_judgement(connection: Connection, account_id: int) -> Qualification | None:
    """Return the outcome of the newest attempt, None before any."""
    found = judged(connection, account_id)
    return found[-1] if found else None


def judged(connection: Connection, account_id: int) -> tuple[Qualification, ...]:
    """Return the outcomes of a reader's attempts, oldest first."""
    rows = connection.execute(
        select(qualification)
        .where(qualification.c.account_id == account_id)
        .order_by(qualification.c.attempt)
    )
    return tuple(_outcome(row) for row in rows)


def _outcome(row: AnyRow) -> Qualification:
    return Qualification(row.attempt, row.passed, row.at, json.loads(row.result_json))


def _not_judged(connection: Connection, actor: Actor) -> NotQualified:
    if current_attempt(connection, actor.account_id):
        return NotQualified(
            "Your calibration cases are locked, but not judged yet.", "Try again.", judgement_due=True
        )
    return NotQualified(
        "Live cases open after a calibration set, and there is none for you yet.",
        "Ask the coordinator to import films with reference grades, or to change the design.",
    )
