"""Locked readings of calibration cases beside the reference: who may have which part of it.

A reader gets the reference of a case only after locking that very calibration case, and only where the
design in force gives feedback. What is made of the readings otherwise happens in a function that the caller
brings; only what it makes of them leaves this module.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from reader_app.protocols.model import Item
from reader_app.reading.case import JointSide
from reader_app.reading.worklist import ReadingState
from reader_app.store.access import require
from reader_app.store.database import Database
from reader_app.store.designs import in_force
from reader_app.store.qualification_records import CalibrationJoint, CalibrationPoint
from reader_app.store.records import Actor, Role
from reader_app.store.rows import AnyRow, AnySelect
from reader_app.store.tables import (
    account,
    assignment,
    case_film,
    exclusion,
    grade,
    joint,
    radiograph,
    reading,
    reference_grade,
)

CALIBRATION = "calibration"
CONTROL = "control"
"""The purposes of assignments whose readings are compared with the reference."""

Comparing = Callable[[CalibrationJoint], Sequence[tuple[str, int, int]]]
"""From one joint to (feature id, reference, given) of everything that is compared."""


@dataclass(frozen=True)
class ComparedReading:
    """One locked reading of a calibration case.

    Attributes
    ----------
    attempt
        At the calibration set, 1 for the first; 0 for a control.
    at
        When the assignment's first reading was locked.
    """

    account_id: int
    reader: str
    reading_id: int
    case_id: int
    attempt: int
    at: str
    joints: tuple[CalibrationJoint, ...]


def own_feedback(database: Database, actor: Actor, reading_id: int) -> tuple[CalibrationJoint, ...] | None:
    """Return the actor's grades of a calibration case beside the reference.

    Returns
    -------
    tuple of CalibrationJoint or None
        None where nothing may be shown: the design gives no feedback, the case is none of calibration, is not
        locked through, or the reading is not the actor's own. A control never has any.

    Raises
    ------
    NotAllowed
        Unless the actor is a reader.
    """
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        row = connection.execute(
            select(reading.c.id)
            .join_from(reading, assignment)
            .where(
                reading.c.id == reading_id,
                reading.c.locked_at.is_not(None),
                assignment.c.account_id == actor.account_id,
                assignment.c.purpose == CALIBRATION,
                assignment.c.state == ReadingState.LOCKED.value,
            )
        ).one_or_none()
    design = in_force(database)
    if row is None or design is None or not design.calibration.feedback:
        return None
    with database.reading() as connection:
        # Of a case read unaided and then aided, what was locked last is in sight.
        found = compared(
            connection, _LOCKED.where(reading.c.id == reading_id), source=design.calibration.source
        )
    return found[0].joints if found else None


def calibration_points(
    database: Database, actor: Actor, comparing: Comparing, *, source: str = ""
) -> tuple[CalibrationPoint, ...]:
    """Return how every locked reading of a calibration case compares with the reference, oldest first.

    Parameters
    ----------
    comparing
        Makes pairs of grades of one joint; the pairs are counted here and not returned.
    source
        Whose reference grades count; empty takes any, of several the first by name.

    Raises
    ------
    NotAllowed
        Unless the actor is coordinator or auditor.
    """
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        readings = compared(connection, _LOCKED, source=source)
    return tuple(point for each in readings for point in _points(each, comparing))


def own_readings(
    connection: Connection, account_id: int, *, source: str
) -> tuple[tuple[CalibrationJoint, ...], ...]:
    """Return a reader's newest locked reading of each calibration case; for the gate alone."""
    query = _LOCKED.where(assignment.c.account_id == account_id, assignment.c.purpose == CALIBRATION)
    newest: dict[int, ComparedReading] = {}
    for each in compared(connection, query, source=source):
        before = newest.get(each.case_id)
        if before is None or each.attempt > before.attempt:
            newest[each.case_id] = each
    return tuple(newest[case_id].joints for case_id in sorted(newest))


def compared(connection: Connection, query: AnySelect, *, source: str) -> tuple[ComparedReading, ...]:
    """Return the readings that a query made of `_LOCKED` finds, by time."""
    first: dict[int, AnyRow] = {}
    for row in connection.execute(query):
        # Of a case read unaided and then aided, the reader's own grades are those of the first reading.
        first.setdefault(row.assignment_id, row)
    rows = sorted(first.values(), key=lambda row: (row.locked_at, row.reading_id))
    joints = _joints(connection, query, source)
    given, excluded = _given(connection, query), _excluded(connection, query)
    attempts = _attempts(connection, {row.account_id for row in rows})
    return tuple(
        ComparedReading(
            account_id=row.account_id,
            reader=row.name,
            reading_id=row.reading_id,
            case_id=row.case_id,
            attempt=attempts.get(row.assignment_id, 0),
            at=row.locked_at,
            joints=tuple(
                CalibrationJoint(
                    joint_id,
                    side,
                    cluster,
                    reference,
                    None if (row.reading_id, joint_id) in excluded else given[row.reading_id, joint_id],
                )
                for joint_id, side, cluster, reference in joints[row.case_id]
            ),
        )
        for row in rows
    )


_LOCKED = (
    select(
        assignment.c.id.label("assignment_id"),
        assignment.c.account_id,
        assignment.c.case_id,
        account.c.name,
        reading.c.id.label("reading_id"),
        reading.c.locked_at,
    )
    .join_from(reading, assignment)
    .join(account, account.c.id == assignment.c.account_id)
    .where(
        assignment.c.purpose.in_((CALIBRATION, CONTROL)),
        assignment.c.state == ReadingState.LOCKED.value,
        reading.c.locked_at.is_not(None),
    )
    .order_by(reading.c.id)
)

_Joint = tuple[int, JointSide, int, Mapping[Item, int]]


def _joints(connection: Connection, query: AnySelect, source: str) -> dict[int, list[_Joint]]:
    """Return by case the joints with their reference grades; clusters are numbered as they come."""
    found = query.order_by(None).subquery()
    rows = connection.execute(
        select(
            case_film.c.case_id,
            case_film.c.place,
            joint.c.id,
            joint.c.side,
            radiograph.c.participant_id,
            reference_grade.c.item,
            reference_grade.c.code,
        )
        .join_from(case_film, radiograph, radiograph.c.id == case_film.c.radiograph_id)
        .join(joint, joint.c.radiograph_id == radiograph.c.id)
        .join(reference_grade, reference_grade.c.joint_id == joint.c.id)
        .where(
            case_film.c.case_id.in_(select(found.c.case_id)),
            *([reference_grade.c.source == source] if source else []),
        )
        # Where several grade the same, the first by name counts.
        .order_by(case_film.c.case_id, case_film.c.place, joint.c.id, reference_grade.c.source)
    )
    clusters: dict[int, int] = {}
    references: dict[int, dict[Item, int]] = {}
    by_case: dict[int, list[_Joint]] = defaultdict(list)
    for row in rows:
        cluster = clusters.setdefault(row.participant_id, len(clusters))
        if row.id not in references:
            references[row.id] = {}
            by_case[row.case_id].append((row.id, JointSide(row.side), cluster, references[row.id]))
        references[row.id].setdefault(Item.parse(row.item), row.code)
    return by_case


def _given(connection: Connection, query: AnySelect) -> dict[tuple[int, int], dict[Item, int]]:
    found = query.order_by(None).subquery()
    rows = connection.execute(
        select(grade.c.reading_id, grade.c.joint_id, grade.c.item, grade.c.code).where(
            grade.c.reading_id.in_(select(found.c.reading_id))
        )
    )
    grades: dict[tuple[int, int], dict[Item, int]] = defaultdict(dict)
    for row in rows:
        grades[row.reading_id, row.joint_id][Item.parse(row.item)] = row.code
    return grades


def _excluded(connection: Connection, query: AnySelect) -> set[tuple[int, int]]:
    found = query.order_by(None).subquery()
    rows = connection.execute(
        select(exclusion.c.reading_id, exclusion.c.joint_id).where(
            exclusion.c.reading_id.in_(select(found.c.reading_id))
        )
    )
    return {(row.reading_id, row.joint_id) for row in rows}


def _attempts(connection: Connection, account_ids: set[int]) -> dict[int, int]:
    """Return by assignment at which attempt it belongs to: the n-th time that the reader got the case."""
    rows = connection.execute(
        select(assignment.c.id, assignment.c.account_id, assignment.c.case_id)
        .where(assignment.c.account_id.in_(account_ids), assignment.c.purpose == CALIBRATION)
        .order_by(assignment.c.pass_number)
    )
    times: dict[tuple[int, int], int] = defaultdict(int)
    attempts: dict[int, int] = {}
    for row in rows:
        times[row.account_id, row.case_id] += 1
        attempts[row.id] = times[row.account_id, row.case_id]
    return attempts


def _points(each: ComparedReading, comparing: Comparing) -> list[CalibrationPoint]:
    pairs: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for one in each.joints:
        for feature_id, reference, given in comparing(one):
            pairs[feature_id].append((reference, given))
    return [
        CalibrationPoint(
            account_id=each.account_id,
            reader=each.reader,
            reading_id=each.reading_id,
            attempt=each.attempt,
            at=each.at,
            feature_id=feature_id,
            grades=len(found),
            mean_difference=sum(given - reference for reference, given in found) / len(found),
            agreed=sum(given == reference for reference, given in found),
        )
        for feature_id, found in pairs.items()
    ]
