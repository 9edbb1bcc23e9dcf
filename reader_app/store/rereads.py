"""Hidden re-reads beside the first readings: for who may see results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from reader_app.protocols.model import Item
from reader_app.reading.case import JointSide
from reader_app.reading.worklist import ReadingState
from reader_app.store.access import require_results
from reader_app.store.database import Database
from reader_app.store.records import Actor
from reader_app.store.tables import account, assignment, exclusion, grade, joint, radiograph, reading

REREAD = "re-read"

_BATCH = 500


@dataclass(frozen=True)
class RereadJoint:
    """One joint that a reader read twice.

    Attributes
    ----------
    participant_id
        Whose joints are not independent.
    first, again
        Codes by item; empty where that reading excludes the joint.
    """

    account_id: int
    reader: str
    participant_id: int
    joint_id: int
    side: JointSide
    first: Mapping[Item, int]
    again: Mapping[Item, int]


def pairs(database: Database, actor: Actor) -> tuple[RereadJoint, ...]:
    """Return the joints of locked re-reads with both readings, by reader.

    Grades are those that were signed: an amendment comes after the reader thought again, and says nothing of
    how a reader repeats a grade.

    Raises
    ------
    NotAllowed
        Unless the actor is the auditor, or a coordinator of a frozen study.
    """
    with database.reading() as connection:
        require_results(connection, actor)
        matched = _matched(connection)
        both = [id_ for first, again, *_ in matched for id_ in (first, again)]
        grades = _grades(connection, both)
        joints = _joints(connection, both)
    return tuple(
        RereadJoint(
            account_id=account_id,
            reader=name,
            participant_id=participant_id,
            joint_id=joint_id,
            side=side,
            first=grades[first, joint_id],
            again=grades[again, joint_id],
        )
        for first, again, account_id, name in matched
        for joint_id, (participant_id, side) in sorted(joints[first].items())
    )


def _matched(connection: Connection) -> list[tuple[int, int, int, str]]:
    """Return (first reading, re-read, account, name), each arm of the repeated assignment by itself."""
    earlier, first, again = assignment.alias("earlier"), reading.alias("first"), reading.alias("again")
    rows = connection.execute(
        select(first.c.id, again.c.id, account.c.id, account.c.name)
        .join_from(assignment, earlier, earlier.c.id == assignment.c.after_assignment_id)
        .join(first, first.c.assignment_id == earlier.c.id)
        .join(again, (again.c.assignment_id == assignment.c.id) & (again.c.arm == first.c.arm))
        .join(account, account.c.id == assignment.c.account_id)
        .where(
            assignment.c.purpose == REREAD,
            assignment.c.state == ReadingState.LOCKED.value,
            earlier.c.state == ReadingState.LOCKED.value,
        )
        .order_by(account.c.id, again.c.id)
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def _grades(connection: Connection, reading_ids: Iterable[int]) -> dict[tuple[int, int], dict[Item, int]]:
    found: dict[tuple[int, int], dict[Item, int]] = defaultdict(dict)
    ids = list(reading_ids)
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        left_out = {
            (row.reading_id, row.joint_id)
            for row in connection.execute(
                select(exclusion.c.reading_id, exclusion.c.joint_id).where(exclusion.c.reading_id.in_(batch))
            )
        }
        for row in connection.execute(
            select(grade.c.reading_id, grade.c.joint_id, grade.c.item, grade.c.code).where(
                grade.c.reading_id.in_(batch)
            )
        ):
            if (row.reading_id, row.joint_id) not in left_out:
                found[row.reading_id, row.joint_id][Item.parse(row.item)] = row.code
    return found


def _joints(
    connection: Connection, reading_ids: Iterable[int]
) -> dict[int, dict[int, tuple[int, JointSide]]]:
    """Return by reading the joints of its grades, with participant and side."""
    found: dict[int, dict[int, tuple[int, JointSide]]] = defaultdict(dict)
    ids = list(reading_ids)
    for start in range(0, len(ids), _BATCH):
        rows = connection.execute(
            select(grade.c.reading_id, joint.c.id, joint.c.side, radiograph.c.participant_id)
            .distinct()
            .join_from(grade, joint, joint.c.id == grade.c.joint_id)
            .join(radiograph, radiograph.c.id == joint.c.radiograph_id)
            .where(grade.c.reading_id.in_(ids[start : start + _BATCH]))
        )
        for row in rows:
            found[row.reading_id][row.id] = (row.participant_id, JointSide(row.side))
    return found
