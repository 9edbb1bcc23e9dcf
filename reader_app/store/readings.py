"""A reader's own worklist and readings: nothing here returns what belongs to another account."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select, update

from reader_app.errors import NotAllowed
from reader_app.protocols.model import Arm
from reader_app.reading.change import Change
from reader_app.reading.worklist import Progress, ReadingState, WorklistEntry
from reader_app.store.access import require
from reader_app.store.content import content_sha256, load_content
from reader_app.store.database import Database
from reader_app.store.designs import in_force
from reader_app.store.film_sources import film_sources
from reader_app.store.gates import CALIBRATION, ROWS, entries_of, gate_of, swap
from reader_app.store.journal import READING, append
from reader_app.store.measurements import told
from reader_app.store.own_readings import (
    STAGES,
    begin_reading,
    blocks_of,
    current_reading,
    must_be_open,
    not_yet,
    opened,
    own_assignment,
    own_reading,
)
from reader_app.store.qualifications import require_qualified
from reader_app.store.records import Actor, FilmSource, OpenReading, Role
from reader_app.store.rows import AnyRow
from reader_app.store.signatures import SigningDetails, write_signature
from reader_app.store.tables import assignment, case_film, radiograph, reading
from reader_app.store.writing import store_change

# Built once, as every keystroke needs it.
_SEEN = (
    update(reading)
    .where(reading.c.id == bindparam("reading_id"))
    .values(in_sight_seconds=bindparam("seconds"))
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
        ROWS.where(assignment.c.account_id == actor.account_id, assignment.c.place >= first_place)
        .order_by(assignment.c.place)
        .limit(limit)
    )
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        return entries_of(connection, connection.execute(query).all(), database.clock())


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
        blocks = blocks_of(connection, actor.account_id)
    return Progress(
        locked=found.get(ReadingState.LOCKED, 0),
        open=found.get(ReadingState.OPEN, 0),
        total=sum(found.values()),
        blocks=blocks,
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
    once the first is locked. Where the design shows the case later, another one may open in its place.

    Parameters
    ----------
    design_sha256
        For studies of before designs were kept; the others stamp the design in force.

    Raises
    ------
    NotAllowed
        If the case is not on the actor's worklist.
    NotYet
        If it opens later, with the moment.
    NotQualified
        If the calibration set stands before it.
    """
    with database.reading() as connection:
        mine = own_assignment(connection, actor, assignment_id)
        current, wanted = current_reading(connection, mine)
        if wanted is None:
            return opened(connection, mine, current)
    design = in_force(database)
    with database.writing() as connection:
        mine = own_assignment(connection, actor, assignment_id)
        # Asked again: another window of the same reader may have been quicker.
        current, wanted = current_reading(connection, mine)
        if wanted is None:
            return opened(connection, mine, current)
        at = database.now()
        if current is None:
            if design is not None and mine.purpose != CALIBRATION:
                require_qualified(connection, actor, design)
            gate = gate_of(connection, mine, database.clock())
            if not gate.is_open:
                raise not_yet(mine, gate)
            if gate.instead is not None:
                mine = swap(connection, actor, mine, gate.instead, at=at)
                wanted = STAGES[Arm(mine.arm)][0]
        stamps = {
            "protocol_sha256": protocol_sha256,
            # Not what a window that has been open for long takes for the design.
            "design_sha256": design_sha256 if design is None else design.sha256,
            "software": software,
        }
        begun = begin_reading(connection, actor, mine, arm=wanted, previous=current, stamps=stamps, at=at)
        return opened(connection, mine, begun)


def commit_change(
    database: Database,
    actor: Actor,
    reading_id: int,
    change: Change,
    *,
    pregrade_in_sight: bool,
    in_sight_seconds: float = 0.0,
) -> int:
    """Store what one command changed, and its journal entry, durably and in one piece.

    Parameters
    ----------
    pregrade_in_sight
        Whether the reader could see a pre-grade of the joint while giving the grade.
    in_sight_seconds
        For how long a pre-grade had been in sight in this reading; the reading keeps it, so that
        `add_active_time` and `lock_reading` are told of what comes after only.

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
    in_sight_seconds = max(in_sight_seconds, 0.0)
    with database.writing() as connection:
        row = own_reading(connection, actor, reading_id)
        must_be_open(row)
        _nothing_seen_of_what_is_not_shown(row, pregrade_in_sight, in_sight_seconds)
        at = database.now()
        store_change(
            connection,
            row,
            change,
            pregrade_in_sight=pregrade_in_sight,
            in_sight_seconds=in_sight_seconds,
            at=at,
        )
        if in_sight_seconds > row.in_sight_seconds:
            connection.execute(_SEEN, {"reading_id": reading_id, "seconds": in_sight_seconds})
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
            "in_sight_seconds": in_sight_seconds,
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
        row = own_reading(connection, actor, reading_id)
        must_be_open(row)
        at = database.now()
        signed = content_sha256(load_content(connection, reading_id, locked=False))
        statement = write_signature(connection, actor, row, signing, content_sha256=signed, at=at)
        total = row.active_seconds + max(active_seconds, 0.0)
        in_sight = _with_sight(row, in_sight_seconds)
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


def add_active_time(
    database: Database, actor: Actor, reading_id: int, seconds: float, *, in_sight_seconds: float = 0.0
) -> None:
    """Add time during which the reader was at work on the case, pauses taken out.

    A locked reading keeps the time that it was locked with.

    Parameters
    ----------
    seconds
        Since the time before was added.
    in_sight_seconds
        For how much of them a pre-grade was in sight.
    """
    with database.writing() as connection:
        row = own_reading(connection, actor, reading_id)
        if row.locked_at is None and seconds > 0:
            connection.execute(
                update(reading)
                .where(reading.c.id == reading_id)
                .values(
                    active_seconds=row.active_seconds + seconds,
                    in_sight_seconds=_with_sight(row, in_sight_seconds),
                )
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


def _with_sight(row: AnyRow, more: float) -> float:
    if Arm(row.arm) is Arm.UNAIDED:
        return 0.0
    return float(row.in_sight_seconds) + max(more, 0.0)


def _nothing_seen_of_what_is_not_shown(row: AnyRow, in_sight: bool, seconds: float) -> None:
    if Arm(row.arm) is Arm.UNAIDED and (in_sight or seconds):
        raise ValueError("nothing of the AI is in sight of an unaided reading")
