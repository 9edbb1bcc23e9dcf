"""The rows of an actor's own assignments and readings, and how a reading begins; for `readings`."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, func, insert, literal, select, update

from reader_app.errors import GradeError, NotAllowed, NotYet
from reader_app.protocols.model import Arm
from reader_app.reading.session import ReadingContent
from reader_app.reading.worklist import ReadingState, WorklistEntry, moment_words, told_moment
from reader_app.store.access import require
from reader_app.store.amendments import applied
from reader_app.store.content import load_case, load_content
from reader_app.store.gates import ROWS, Gate, is_hidden
from reader_app.store.journal import READING, append
from reader_app.store.records import Actor, OpenReading, Role
from reader_app.store.rows import AnyRow
from reader_app.store.tables import assignment, exclusion, grade, measurement, reading, reading_box

STAGES = {
    Arm.UNAIDED: (Arm.UNAIDED,),
    Arm.AIDED: (Arm.AIDED,),
    Arm.UNAIDED_THEN_AIDED: (Arm.UNAIDED, Arm.AIDED),
}
"""The readings that one assignment asks for, in order: each is locked before the next one opens."""

_LAST_CASES = 100

# Built once, as every keystroke needs it.
_OWN_READING = (
    select(reading, assignment.c.case_id, assignment.c.arm.label("assigned_arm"))
    .join_from(reading, assignment)
    .where(reading.c.id == bindparam("reading_id"), assignment.c.account_id == bindparam("account_id"))
)


def own_assignment(connection: Connection, actor: Actor, assignment_id: int) -> AnyRow:
    """Return an assignment of the actor with what its gate needs.

    Raises
    ------
    NotAllowed
        If the actor is no reader, or the case is not on their worklist.
    """
    require(connection, actor, Role.READER)
    row = connection.execute(
        ROWS.where(assignment.c.id == assignment_id, assignment.c.account_id == actor.account_id)
    ).one_or_none()
    if row is None:
        raise NotAllowed("This case is not on your worklist.", "Open a case of your worklist.")
    return row


def own_reading(connection: Connection, actor: Actor, reading_id: int) -> AnyRow:
    """Return a reading of the actor with its case and the arm of its assignment.

    Raises
    ------
    NotAllowed
        If the actor is no reader, or the reading another's.
    """
    require(connection, actor, Role.READER)
    row = connection.execute(
        _OWN_READING, {"reading_id": reading_id, "account_id": actor.account_id}
    ).one_or_none()
    if row is None:
        raise NotAllowed("This reading is not yours.", "Open a case of your worklist.")
    return row


def must_be_open(row: AnyRow) -> None:
    """Raise unless a reading can still be changed."""
    if row.locked_at is not None:
        raise GradeError("This reading is locked.", "It can only be amended, with a reason.")


def current_reading(connection: Connection, mine: AnyRow) -> tuple[AnyRow | None, Arm | None]:
    """Return the latest reading of an assignment, and the arm of the one that has to begin, if any."""
    rows = {
        Arm(row.arm): row
        for row in connection.execute(select(reading).where(reading.c.assignment_id == mine.id))
    }
    latest = None
    for arm in STAGES[Arm(mine.arm)]:
        if arm not in rows:
            return latest, arm
        latest = rows[arm]
        if latest.locked_at is None:
            break
    return latest, None


def not_yet(row: AnyRow, gate: Gate) -> NotYet:
    """Return in words why a shut case cannot be opened, of a hidden one without telling so."""
    at = told_moment(gate.at) if gate.at is not None else None
    what = "The rest of your worklist opens" if is_hidden(row) else "This case opens"
    if at is not None:
        return NotYet(f"{what} {moment_words(at)}.", "Go on then; what you have read is kept.", opens_at=at)
    return NotYet(
        f"{what} some time after an earlier reading, which is not locked yet.",
        "Lock the cases that you have begun, then go on.",
        opens_at=None,
    )


def begin_reading(
    connection: Connection,
    actor: Actor,
    mine: AnyRow,
    *,
    arm: Arm,
    previous: AnyRow | None,
    stamps: Mapping[str, str],
    at: str,
) -> AnyRow:
    """Begin a reading; with what the one before it in the same assignment holds, where there is one."""
    made = connection.execute(
        insert(reading)
        .values(assignment_id=mine.id, arm=arm.value, opened_at=at, active_seconds=0.0, **stamps)
        .returning(reading)
    ).one()
    connection.execute(
        update(assignment).where(assignment.c.id == mine.id).values(state=ReadingState.OPEN.value)
    )
    payload = {"reading": made.id, "assignment": mine.id, "case": mine.case_id, "arm": arm.value, **stamps}
    append(connection, actor, READING + "open", payload=payload, at=at)
    if previous is not None:
        _carry_over(connection, previous.id, made.id)
    return made


def opened(connection: Connection, mine: AnyRow, current: AnyRow | None) -> OpenReading:
    """Return a reading as its reader may know it."""
    if current is None:
        raise RuntimeError("an assignment without reading was opened")
    arm, stages = Arm(current.arm), STAGES[Arm(mine.arm)]
    locked = current.locked_at is not None
    return OpenReading(
        reading_id=current.id,
        assignment_id=mine.id,
        # Where the AI saw the joint is the AI's word too: an unaided reading does not hear it.
        case=load_case(connection, mine.case_id, boxes=arm is Arm.AIDED),
        content=applied(connection, current.id)
        if locked
        else load_content(connection, current.id, locked=False),
        arm=arm,
        place=mine.place,
        title=WorklistEntry(mine.id, mine.place, ReadingState.OPEN).title,
        mirrored=bool(mine.mirrored),
        block=mine.block,
        blocks=blocks_of(connection, mine.account_id) if mine.block else 0,
        second_period=mine.period > 1,
        first=_first_content(connection, mine) if arm is not stages[0] else None,
        ai_follows=arm is not stages[-1],
        in_sight_seconds=current.in_sight_seconds,
    )


def blocks_of(connection: Connection, account_id: int) -> int:
    """Return of how many blocks a worklist consists, 0 where it has none.

    Blocks follow one another, so that the last cases tell; all of a large worklist would take too long.
    """
    last = (
        select(assignment.c.block)
        .where(assignment.c.account_id == account_id)
        .order_by(assignment.c.place.desc())
        .limit(_LAST_CASES)
        .subquery()
    )
    return connection.execute(select(func.max(last.c.block))).scalar_one() or 0


def _first_content(connection: Connection, mine: AnyRow) -> ReadingContent | None:
    first = connection.execute(
        select(reading.c.id).where(
            reading.c.assignment_id == mine.id,
            reading.c.arm == Arm.UNAIDED.value,
            reading.c.locked_at.is_not(None),
        )
    ).scalar_one_or_none()
    return load_content(connection, first, locked=True) if first is not None else None


def _carry_over(connection: Connection, source: int, target: int) -> None:
    for table in (grade, reading_box, exclusion, measurement):
        kept = [column for column in table.c if column.name != "reading_id"]
        connection.execute(
            insert(table).from_select(
                ["reading_id", *(column.name for column in kept)],
                select(literal(target), *kept).where(table.c.reading_id == source),
            )
        )
