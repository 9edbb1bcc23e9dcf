"""A reader's own worklist and readings: nothing here returns what belongs to another account."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, insert, literal, select, update

from reader_app.errors import GradeError, NotAllowed
from reader_app.protocols.model import Arm
from reader_app.reading.change import Change
from reader_app.reading.session import ReadingContent
from reader_app.reading.worklist import Progress, ReadingState, WorklistEntry
from reader_app.store.access import require
from reader_app.store.content import content_sha256, load_case, load_content
from reader_app.store.database import Database
from reader_app.store.film_sources import film_sources
from reader_app.store.journal import READING, append
from reader_app.store.measurements import told
from reader_app.store.records import Actor, FilmSource, OpenReading, Role
from reader_app.store.rows import AnyRow
from reader_app.store.signatures import SigningDetails, write_signature
from reader_app.store.tables import (
    assignment,
    case_film,
    exclusion,
    grade,
    measurement,
    radiograph,
    reading,
    reading_box,
)
from reader_app.store.writing import store_change

STAGES = {
    Arm.UNAIDED: (Arm.UNAIDED,),
    Arm.AIDED: (Arm.AIDED,),
    Arm.UNAIDED_THEN_AIDED: (Arm.UNAIDED, Arm.AIDED),
}
"""The readings that one assignment asks for, in order: each is locked before the next one opens."""

# Built once, as every keystroke needs it.
_OWN_READING = (
    select(reading, assignment.c.case_id, assignment.c.arm.label("assigned_arm"))
    .join_from(reading, assignment)
    .where(reading.c.id == bindparam("reading_id"), assignment.c.account_id == bindparam("account_id"))
)


def worklist(
    database: Database, actor: Actor, *, first_place: int = 1, limit: int | None = None
) -> tuple[WorklistEntry, ...]:
    """Return the actor's own worklist, or a part of it, in reading order.

    Parameters
    ----------
    first_place, limit
        Where the part begins and how many cases it has; by default all.

    Raises
    ------
    NotAllowed
        Unless the actor is a reader.
    """
    query = (
        select(assignment.c.id, assignment.c.place, assignment.c.state, assignment.c.graded)
        .where(assignment.c.account_id == actor.account_id, assignment.c.place >= first_place)
        .order_by(assignment.c.place)
        .limit(limit)
    )
    states = {state.value: state for state in ReadingState}
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        return tuple(
            WorklistEntry(id_, place, states[state], graded)
            for id_, place, state, graded in connection.execute(query)
        )


def worklist_progress(database: Database, actor: Actor) -> Progress:
    """Return how much of the actor's own worklist is done, without fetching it.

    Raises
    ------
    NotAllowed
        Unless the actor is a reader.
    """
    query = (
        select(assignment.c.state, func.count())
        .where(assignment.c.account_id == actor.account_id)
        .group_by(assignment.c.state)
    )
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        found = {ReadingState(state): number for state, number in connection.execute(query)}
    return Progress(
        locked=found.get(ReadingState.LOCKED, 0),
        open=found.get(ReadingState.OPEN, 0),
        total=sum(found.values()),
    )


def open_reading(
    database: Database,
    actor: Actor,
    assignment_id: int,
    *,
    protocol_sha256: str,
    design_sha256: str,
    software: str,
) -> OpenReading:
    """Open a case of one's own worklist; the first time, a reading begins.

    A case that is read unaided and then aided opens its second reading, with the grades of the first,
    once the first is locked.

    Raises
    ------
    NotAllowed
        If the case is not on the actor's worklist.
    """
    with database.reading() as connection:
        mine = _own_assignment(connection, actor, assignment_id)
        current, wanted = _current(connection, mine)
        if wanted is None:
            return _opened(connection, mine, current)
    with database.writing() as connection:
        mine = _own_assignment(connection, actor, assignment_id)
        # Asked again: another window of the same reader may have been quicker.
        current, wanted = _current(connection, mine)
        if wanted is not None:
            stamps = {
                "protocol_sha256": protocol_sha256,
                "design_sha256": design_sha256,
                "software": software,
            }
            previous = current
            current = _begin(connection, actor, mine, arm=wanted, stamps=stamps, at=database.now())
            if previous is not None:
                _carry_over(connection, previous.id, current.id)
        return _opened(connection, mine, current)


def commit_change(
    database: Database, actor: Actor, reading_id: int, change: Change, *, pregrade_in_sight: bool
) -> int:
    """Store what one command changed, and its journal entry, durably and in one piece.

    Parameters
    ----------
    pregrade_in_sight
        Whether the reader could see a pre-grade of the joint while giving the grade.

    Returns
    -------
    int
        The sequence number of the journal entry; when this returns, the change survives a power cut.

    Raises
    ------
    NotAllowed
        If the reading is not the actor's own.
    GradeError
        If it is locked, or something it changes was changed elsewhere meanwhile.
    """
    if change.empty:
        raise ValueError("an empty change is not committed")
    with database.writing() as connection:
        row = _own_reading(connection, actor, reading_id)
        _must_be_open(row)
        at = database.now()
        store_change(connection, row, change, pregrade_in_sight=pregrade_in_sight, at=at)
        payload = {
            "reading": reading_id,
            "grades": [
                {"joint": c.key.joint_id, "item": c.key.item.key, "before": c.before, "after": c.after}
                for c in change.grades
            ],
            "boxes": [
                {
                    "joint": c.joint_id,
                    "before": [c.before.x, c.before.y, c.before.width, c.before.height] if c.before else None,
                    "after": [c.after.x, c.after.y, c.after.width, c.after.height] if c.after else None,
                }
                for c in change.boxes
            ],
            "exclusions": [
                {
                    "joint": c.joint_id,
                    "before": [c.before.reason_id, c.before.note] if c.before else None,
                    "after": [c.after.reason_id, c.after.note] if c.after else None,
                }
                for c in change.exclusions
            ],
            "measurements": [
                {"number": c.number, "before": told(c.before), "after": told(c.after)}
                for c in change.measurements
            ],
            "undoes": change.undoes,
            "pregrade_in_sight": pregrade_in_sight,
        }
        return append(connection, actor, READING + change.verb, payload=payload, at=at)


def lock_reading(
    database: Database,
    actor: Actor,
    reading_id: int,
    *,
    active_seconds: float,
    signing: SigningDetails,
    in_sight_seconds: float = 0.0,
) -> None:
    """Sign a reading: from now on nothing can change it.

    Whether everything is graded is the session's to check.

    Parameters
    ----------
    active_seconds
        Reading time that `add_active_time` has not been told of; it is added.
    signing
        What the reader states, with the proof of the password where the design asks for one.
    in_sight_seconds
        Time with a pre-grade in sight, counted in the same way.

    Raises
    ------
    NotAllowed
        If the reading is not the actor's own.
    PasswordNeeded
        If the design asks for the password and it was not typed.
    GradeError
        If it is locked already, or was signed under other words than the design's.
    """
    with database.writing() as connection:
        row = _own_reading(connection, actor, reading_id)
        _must_be_open(row)
        at = database.now()
        signed = content_sha256(load_content(connection, reading_id, locked=False))
        statement = write_signature(connection, actor, row, signing, content_sha256=signed, at=at)
        total = row.active_seconds + max(active_seconds, 0.0)
        in_sight = row.in_sight_seconds + max(in_sight_seconds, 0.0)
        connection.execute(
            update(reading)
            .where(reading.c.id == reading_id)
            .values(
                locked_at=at,
                locked_software=signing.software,
                content_sha256=signed,
                active_seconds=total,
                in_sight_seconds=in_sight,
            )
        )
        if Arm(row.arm) is STAGES[Arm(row.assigned_arm)][-1]:
            connection.execute(
                update(assignment)
                .where(assignment.c.id == row.assignment_id)
                .values(state=ReadingState.LOCKED.value)
            )
        payload = {
            "reading": reading_id,
            "content_sha256": signed,
            "active_seconds": total,
            "in_sight_seconds": in_sight,
            "software": signing.software,
            **statement,
        }
        append(connection, actor, READING + "lock", payload=payload, at=at)


def add_active_time(database: Database, actor: Actor, reading_id: int, seconds: float) -> None:
    """Add time during which the reader was at work on the case, pauses taken out.

    A locked reading keeps the time that it was locked with.
    """
    with database.writing() as connection:
        row = _own_reading(connection, actor, reading_id)
        if row.locked_at is None and seconds > 0:
            connection.execute(
                update(reading)
                .where(reading.c.id == reading_id)
                .values(active_seconds=reading.c.active_seconds + seconds)
            )


def film_source(database: Database, actor: Actor, radiograph_id: int) -> FilmSource:
    """Return where the file of a film of an own case lies; for loading, never for showing.

    Raises
    ------
    NotAllowed
        If the film is on no case of the actor's worklist.
    """
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        own = connection.execute(
            select(radiograph.c.id)
            .join_from(assignment, case_film, case_film.c.case_id == assignment.c.case_id)
            .join(radiograph, radiograph.c.id == case_film.c.radiograph_id)
            .where(assignment.c.account_id == actor.account_id, radiograph.c.id == radiograph_id)
            .limit(1)
        ).scalar_one_or_none()
        if own is None:
            raise NotAllowed("This film is not on your worklist.", "Open a case of your worklist.")
        return film_sources(connection, [own])[own]


def _own_assignment(connection: Connection, actor: Actor, assignment_id: int) -> AnyRow:
    require(connection, actor, Role.READER)
    row = connection.execute(
        select(assignment).where(
            assignment.c.id == assignment_id, assignment.c.account_id == actor.account_id
        )
    ).one_or_none()
    if row is None:
        raise NotAllowed("This case is not on your worklist.", "Open a case of your worklist.")
    return row


def _own_reading(connection: Connection, actor: Actor, reading_id: int) -> AnyRow:
    require(connection, actor, Role.READER)
    row = connection.execute(
        _OWN_READING, {"reading_id": reading_id, "account_id": actor.account_id}
    ).one_or_none()
    if row is None:
        raise NotAllowed("This reading is not yours.", "Open a case of your worklist.")
    return row


def _must_be_open(row: AnyRow) -> None:
    if row.locked_at is not None:
        raise GradeError("This reading is locked.", "It can only be amended, with a reason.")


def _current(connection: Connection, mine: AnyRow) -> tuple[AnyRow | None, Arm | None]:
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


def _begin(
    connection: Connection,
    actor: Actor,
    mine: AnyRow,
    *,
    arm: Arm,
    stamps: dict[str, str],
    at: str,
) -> AnyRow:
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
    return made


def _carry_over(connection: Connection, source: int, target: int) -> None:
    for table in (grade, reading_box, exclusion, measurement):
        kept = [column for column in table.c if column.name != "reading_id"]
        connection.execute(
            insert(table).from_select(
                ["reading_id", *(column.name for column in kept)],
                select(literal(target), *kept).where(table.c.reading_id == source),
            )
        )


def _opened(connection: Connection, mine: AnyRow, current: AnyRow | None) -> OpenReading:
    if current is None:
        raise RuntimeError("an assignment without reading was opened")
    arm = Arm(current.arm)
    locked = current.locked_at is not None
    content: ReadingContent = load_content(connection, current.id, locked=locked)
    return OpenReading(
        reading_id=current.id,
        assignment_id=mine.id,
        # Where the AI saw the joint is the AI's word too: an unaided reading does not hear it.
        case=load_case(connection, mine.case_id, boxes=arm is Arm.AIDED),
        content=content,
        arm=arm,
        place=mine.place,
        title=WorklistEntry(mine.id, mine.place, ReadingState.OPEN).title,
    )
