"""The gate before live reading: who has read the calibration set, and with what outcome.

A reader never gets a reference grade from here: the readings are judged by a function that the caller
brings, inside one call, and only the outcome leaves it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, Connection, func, insert, select

from reader_app.errors import NotQualified, StudyError
from reader_app.protocols.model import Arm
from reader_app.reading.design import ReadingDesign
from reader_app.reading.planned import PlannedEntry, Purpose
from reader_app.reading.worklist import ReadingState
from reader_app.store.access import require
from reader_app.store.calibration_readings import CALIBRATION, own_readings
from reader_app.store.canonical import canonical
from reader_app.store.database import Database
from reader_app.store.designs import in_force
from reader_app.store.journal import append
from reader_app.store.qualification_records import (
    CalibrationJoint,
    Judgement,
    Qualification,
    ReaderQualification,
)
from reader_app.store.records import Actor, Role
from reader_app.store.rows import AnyRow
from reader_app.store.tables import account, assignment, qualification

Judging = Callable[[Sequence[CalibrationJoint]], Judgement]
"""From the joints of all calibration cases to the outcome."""


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
    waiting = _left(connection, actor.account_id)
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
            "The calibration set was not passed, so live cases stay closed.",
            "Ask the coordinator, who can grant another attempt.",
        )


def judge(database: Database, actor: Actor, judging: Judging) -> Qualification | None:
    """Judge the actor's calibration readings, once all of the attempt are locked.

    Parameters
    ----------
    judging
        Makes a judgement of the joints of all calibration cases, each with reference and grades. It is
        called at most once, here, and what it was given is not returned.

    Returns
    -------
    Qualification or None
        The outcome, stored and journaled; None where cases are left, or the attempt was judged before.

    Raises
    ------
    NotAllowed
        Unless the actor is a reader.
    """
    design = in_force(database)
    source = design.calibration.source if design is not None else ""
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        if not _through(connection, actor.account_id):
            return None
        readings = own_readings(connection, actor.account_id, source=source)
    # Outside of any transaction: nobody waits for a statistic.
    found = judging([joint for case in readings for joint in case])
    with database.writing() as connection:
        require(connection, actor, Role.READER)
        # Asked again: another window of the same reader may have been quicker.
        if not _through(connection, actor.account_id):
            return None
        attempt, at = current_attempt(connection, actor.account_id), database.now()
        row = {"account_id": actor.account_id, "attempt": attempt, "passed": found.passed}
        connection.execute(insert(qualification).values(**row, result_json=canonical(found.result), at=at))
        payload = {
            "reader": actor.account_id,
            "attempt": attempt,
            "passed": found.passed,
            "result": found.result,
        }
        append(connection, actor, "qualification.judge", payload=payload, at=at)
    return Qualification(attempt, found.passed, at, found.result)


def own_qualification(database: Database, actor: Actor) -> ReaderQualification:
    """Return how the actor stands with the calibration set.

    Raises
    ------
    NotAllowed
        Unless the actor is a reader.
    """
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        return _states(connection, account.c.id == actor.account_id)[0]


def qualifications(database: Database, actor: Actor) -> tuple[ReaderQualification, ...]:
    """Return how every reader stands with the calibration set: outcomes, never grades.

    Raises
    ------
    NotAllowed
        Unless the actor is coordinator or auditor.
    """
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return _states(connection, account.c.role == Role.READER.value)


def grant_attempt(
    database: Database, actor: Actor, account_id: int, *, reason: str
) -> tuple[PlannedEntry, ...]:
    """Grant a reader the calibration set once more; live cases close until it is passed.

    Parameters
    ----------
    reason
        Goes into the journal.

    Returns
    -------
    tuple of PlannedEntry
        What `cases.assign` has to append to the reader's worklist: the same cases with their next passes.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    StudyError
        If no reason is given, or the reader has no calibration set, or has not locked all of it.
    """
    mine = assignment.c.account_id == account_id
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        if not reason.strip():
            raise StudyError("Another attempt needs a reason.", "Write why the reader reads the set again.")
        rows = connection.execute(
            select(assignment).where(mine, assignment.c.purpose == CALIBRATION).order_by(assignment.c.place)
        ).all()
        if not rows:
            raise StudyError("This reader has no calibration set.", "Choose a reader who has one.")
        left = len(_left(connection, account_id))
        if left:
            raise StudyError(
                f"This reader has {left} calibration case{'s' * (left != 1)} of the present attempt left.",
                "Another attempt can be granted once it is read.",
            )
        passes = {
            row.case_id: row.passes
            for row in connection.execute(
                select(assignment.c.case_id, func.max(assignment.c.pass_number).label("passes"))
                .where(mine)
                .group_by(assignment.c.case_id)
            )
        }
        last = connection.execute(select(func.max(assignment.c.place)).where(mine)).scalar_one()
        payload = {"reader": account_id, "reason": reason.strip()}
        append(connection, actor, "qualification.repeat", payload=payload, at=database.now())
    first = {row.case_id: row for row in reversed(rows)}
    return tuple(
        PlannedEntry(
            row.case_id,
            passes[row.case_id] + 1,
            place,
            Arm(row.arm),
            purpose=Purpose.CALIBRATION,
            mirrored=row.mirrored,
        )
        for place, row in enumerate(sorted(first.values(), key=lambda row: row.place), start=last + 1)
    )


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


def _through(connection: Connection, account_id: int) -> bool:
    """Whether every calibration case is locked and the attempt not judged yet."""
    return not _left(connection, account_id) and judgement_due(connection, account_id)


def _left(connection: Connection, account_id: int) -> list[int]:
    """Return the calibration cases that a reader has not locked, in their order."""
    return list(
        connection.execute(
            select(assignment.c.id)
            .where(
                assignment.c.account_id == account_id,
                assignment.c.purpose == CALIBRATION,
                assignment.c.state != ReadingState.LOCKED.value,
            )
            .order_by(assignment.c.place)
        ).scalars()
    )


def _states(connection: Connection, which: ColumnElement[bool]) -> tuple[ReaderQualification, ...]:
    rows = connection.execute(
        select(account.c.id, account.c.name, account.c.active).where(which).order_by(account.c.id)
    ).all()
    return tuple(_state(connection, row) for row in rows)


def _state(connection: Connection, row: AnyRow) -> ReaderQualification:
    # The newest place that each calibration case has on the worklist is that of the current attempt.
    newest: dict[int, bool] = {}
    for case_id, state in connection.execute(
        select(assignment.c.case_id, assignment.c.state)
        .where(assignment.c.account_id == row.id, assignment.c.purpose == CALIBRATION)
        .order_by(assignment.c.pass_number)
    ):
        newest[case_id] = state == ReadingState.LOCKED.value
    return ReaderQualification(
        account_id=row.id,
        name=row.name,
        active=row.active,
        attempt=current_attempt(connection, row.id),
        locked=sum(newest.values()),
        total=len(newest),
        attempts=judged(connection, row.id),
    )


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
