"""When the cases of a worklist open, and which case a place opens: washout, and re-reads that wait unseen.

An assignment that names another one opens so many days after that one was locked. For the second period of
a crossover the reader is told when. A re-read or control must not be told apart from its neighbours: until
it is due it behaves like the nearest other case of its period that still waits, and where that one can be
opened, the two change places and the reader gets that one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, update

from reader_app.protocols.model import Arm
from reader_app.reading.worklist import ReadingState, Upcoming, WorklistEntry, told_moment
from reader_app.store.database import as_text
from reader_app.store.journal import append
from reader_app.store.records import Actor
from reader_app.store.rows import AnyRow, AnySelect
from reader_app.store.tables import assignment, reading

HIDDEN = ("re-read", "control")
"""Purposes of which nothing that a reader gets may tell."""
CALIBRATION = "calibration"

_CHUNK = 64
_WAITING, _OPEN, _LOCKED = (state.value for state in ReadingState)
_PRIOR = assignment.alias("prior")
_PRIOR_LOCKED_AT = (
    select(func.max(reading.c.locked_at)).where(reading.c.assignment_id == _PRIOR.c.id).scalar_subquery()
)
_FIRST_LOCKED = and_(
    assignment.c.state == _OPEN,
    assignment.c.arm == Arm.UNAIDED_THEN_AIDED.value,
    exists().where(
        reading.c.assignment_id == assignment.c.id,
        reading.c.arm == Arm.UNAIDED.value,
        reading.c.locked_at.is_not(None),
    ),
)
_JOINED = assignment.outerjoin(_PRIOR, _PRIOR.c.id == assignment.c.after_assignment_id)
ROWS = select(
    assignment,
    _PRIOR.c.state.label("prior_state"),
    _PRIOR_LOCKED_AT.label("prior_locked_at"),
    _FIRST_LOCKED.label("first_locked"),
).select_from(_JOINED)
"""Assignments with what their gates need."""


@dataclass(frozen=True)
class Gate:
    """Whether a case can be opened now.

    Attributes
    ----------
    at
        From when a shut one can; None where another reading has to be locked first.
    instead
        The case that changes places with this one when it is opened.
    """

    is_open: bool
    at: datetime | None = None
    instead: AnyRow | None = None


def own_gate(row: AnyRow, now: datetime) -> Gate:
    """Return whether one of `ROWS` can be opened, by itself."""
    if row.state != _WAITING or row.after_assignment_id is None:
        return Gate(True)
    if row.prior_state != _LOCKED or row.prior_locked_at is None:
        return Gate(False)
    at = datetime.fromisoformat(row.prior_locked_at) + timedelta(days=row.after_days)
    return Gate(at <= now, at)


def gate_of(connection: Connection, row: AnyRow, now: datetime) -> Gate:
    """Return whether the place of one of `ROWS` can be opened, by that case or by another in its stead."""
    own = own_gate(row, now)
    if own.is_open or not is_hidden(row):
        return own
    neighbour = _neighbour(connection, row, now)
    if neighbour is None:
        return own
    there = own_gate(neighbour, now)
    return Gate(there.is_open, there.at, neighbour if there.is_open else None)


def is_hidden(row: AnyRow) -> bool:
    """Say whether the reader must not know what a row of the worklist is for."""
    return row.purpose in HIDDEN


def swap(connection: Connection, actor: Actor, row: AnyRow, other: AnyRow, *, at: str) -> AnyRow:
    """Let two waiting cases of the actor change places; the blocks belong to the places and stay there.

    Returns
    -------
    Row
        The other case, where the first one stood.
    """
    # By way of a place that nobody has: each place is taken once only.
    for changed, values in (
        (row, {"place": -row.place}),
        (other, {"place": row.place, "block": row.block}),
        (row, {"place": other.place, "block": other.block}),
    ):
        connection.execute(update(assignment).where(assignment.c.id == changed.id).values(values))
    places = sorted((row.place, other.place))
    append(connection, actor, "case.swap", payload={"reader": actor.account_id, "places": places}, at=at)
    return connection.execute(ROWS.where(assignment.c.id == other.id)).one()


def entries_of(connection: Connection, rows: Sequence[AnyRow], now: datetime) -> tuple[WorklistEntry, ...]:
    """Return one reader's rows as the reader may know them.

    Parameters
    ----------
    rows
        In their order, without leaving out any waiting one between the first and the last.
    """
    made: list[WorklistEntry] = []
    # By period: the gate of the nearest later row that can lend its own, None where there is none at all.
    lent: dict[int, Gate | None] = {}
    for row in reversed(rows):
        gate = own_gate(row, now)
        if is_hidden(row) and not gate.is_open:
            if row.period not in lent:
                neighbour = _neighbour(connection, row, now)
                lent[row.period] = own_gate(neighbour, now) if neighbour is not None else None
            gate = lent[row.period] or gate
        elif row.state == _WAITING and row.purpose != CALIBRATION:
            lent[row.period] = gate
        made.append(_entry(row, gate))
    return tuple(reversed(made))


def coming(
    connection: Connection, account_id: int, *, after_place: int, limit: int, now: datetime
) -> tuple[WorklistEntry, ...]:
    """Return the next cases of a reader that are not locked and can be opened, going round once."""
    first = _calibration(connection, account_id, after_place=after_place, limit=limit, now=now)
    if first:
        return tuple(first)
    found = _near(connection, account_id, after_place=after_place, limit=limit, now=now)
    if len(found) == limit:
        return tuple(found)
    if _something_is_open(connection, account_id, _moments(connection, account_id), now):
        found = _far(connection, account_id, after_place=after_place, limit=limit, now=now)
    return tuple(found)


def upcoming(connection: Connection, account_id: int, *, after_place: int, now: datetime) -> Upcoming:
    """Return where a reader goes on after a place."""
    first = _calibration(connection, account_id, after_place=after_place, limit=1, now=now)
    if first:
        return Upcoming(first[0])
    found = _near(connection, account_id, after_place=after_place, limit=1, now=now)
    if found:
        return Upcoming(found[0])
    moments = _moments(connection, account_id)
    if _something_is_open(connection, account_id, moments, now):
        found = _far(connection, account_id, after_place=after_place, limit=1, now=now)
        if found:
            return Upcoming(found[0])
    plain = and_(
        assignment.c.account_id == account_id,
        assignment.c.state == _WAITING,
        assignment.c.purpose.not_in(HIDDEN),
    )
    lending = set(connection.execute(select(assignment.c.period).where(plain).distinct()).scalars())
    # What is hidden opens with its neighbours; by itself only where there are none.
    told = [each.at for each in moments if not (each.hidden and each.period in lending)]
    return Upcoming(None, told_moment(min(told)) if told else None)


def entries_of_each(connection: Connection, rows: Sequence[AnyRow], now: datetime) -> Iterator[WorklistEntry]:
    """Return rows as the reader may know them, whatever lies between them."""
    return (_entry(row, gate_of(connection, row, now)) for row in rows)


def _entry(row: AnyRow, gate: Gate) -> WorklistEntry:
    return WorklistEntry(
        row.id,
        row.place,
        ReadingState(row.state),
        row.graded,
        block=row.block,
        first_locked=bool(row.first_locked),
        shut=not gate.is_open,
        opens_at=told_moment(gate.at) if gate.at is not None and not gate.is_open else None,
    )


def _neighbour(connection: Connection, row: AnyRow, now: datetime) -> AnyRow | None:
    """Return the nearest waiting case that lends a hidden one its gate: a later one, else an earlier one."""
    others = ROWS.where(
        assignment.c.account_id == row.account_id,
        assignment.c.period == row.period,
        assignment.c.state == _WAITING,
        assignment.c.purpose != CALIBRATION,
    )
    later = others.where(assignment.c.place > row.place).order_by(assignment.c.place)
    earlier = others.where(assignment.c.place < row.place).order_by(assignment.c.place.desc())
    for query in (later, earlier):
        for other in _in_chunks(connection, query):
            if not is_hidden(other) or own_gate(other, now).is_open:
                return other
    return None


def _open_ones(connection: Connection, query: AnySelect, limit: int, now: datetime) -> list[WorklistEntry]:
    found: list[WorklistEntry] = []
    for row in _in_chunks(connection, query) if limit > 0 else ():
        (entry,) = entries_of_each(connection, [row], now)
        if not entry.shut:
            found.append(entry)
            if len(found) == limit:
                break
    return found


def _in_chunks(connection: Connection, query: AnySelect) -> Iterator[AnyRow]:
    start = 0
    while True:
        rows = connection.execute(query.limit(_CHUNK).offset(start)).all()
        yield from rows
        if len(rows) < _CHUNK:
            return
        start += _CHUNK


def _calibration(
    connection: Connection, account_id: int, *, after_place: int, limit: int, now: datetime
) -> list[WorklistEntry]:
    """Return the next calibration cases: nothing else opens before them.

    An attempt that was granted again stands behind all live cases.
    """
    rows = connection.execute(
        ROWS.where(
            assignment.c.account_id == account_id,
            assignment.c.purpose == CALIBRATION,
            assignment.c.state != _LOCKED,
        ).order_by(assignment.c.place <= after_place, assignment.c.place)
    ).all()
    return [entry for entry in entries_of_each(connection, rows, now) if not entry.shut][:limit]


def _near(
    connection: Connection, account_id: int, *, after_place: int, limit: int, now: datetime
) -> list[WorklistEntry]:
    """Return the next cases where they come soon after a place; else fewer, or none."""
    rows = connection.execute(
        ROWS.where(
            assignment.c.account_id == account_id,
            assignment.c.state != _LOCKED,
            assignment.c.place > after_place,
        )
        .order_by(assignment.c.place)
        .limit(limit + _CHUNK // 8)
    ).all()
    return [entry for entry in entries_of_each(connection, rows, now) if not entry.shut][:limit]


def _far(
    connection: Connection, account_id: int, *, after_place: int, limit: int, now: datetime
) -> list[WorklistEntry]:
    """Return the next cases wherever they are, by looking at those alone that may be open."""
    openable = or_(assignment.c.state == _OPEN, _may_open(connection, account_id, now))
    mine = ROWS.where(assignment.c.account_id == account_id, assignment.c.state != _LOCKED, openable)
    found: list[WorklistEntry] = []
    for turn in (assignment.c.place > after_place, assignment.c.place <= after_place):
        wanted = mine.where(turn).order_by(assignment.c.place)
        found += _open_ones(connection, wanted, limit - len(found), now)
    return found


class _Moment(NamedTuple):
    """When the first of some shut cases opens by itself."""

    period: int
    hidden: bool
    at: datetime


def _moments(connection: Connection, account_id: int) -> tuple[_Moment, ...]:
    """Return when the first shut cases open whose earlier readings are locked, kind by kind."""
    last_stage = or_(
        reading.c.arm == _PRIOR.c.arm,
        and_(_PRIOR.c.arm == Arm.UNAIDED_THEN_AIDED.value, reading.c.arm == Arm.AIDED.value),
    )
    kind = (assignment.c.period, assignment.c.purpose, assignment.c.after_days)
    found = connection.execute(
        select(*kind, func.min(reading.c.locked_at))
        .select_from(_JOINED.join(reading, and_(reading.c.assignment_id == _PRIOR.c.id, last_stage)))
        .where(
            assignment.c.account_id == account_id,
            assignment.c.state == _WAITING,
            reading.c.locked_at.is_not(None),
        )
        .group_by(*kind)
    )
    return tuple(
        _Moment(period, purpose in HIDDEN, datetime.fromisoformat(first) + timedelta(days=days))
        for period, purpose, days, first in found
    )


def _something_is_open(
    connection: Connection, account_id: int, moments: Sequence[_Moment], now: datetime
) -> bool:
    free = and_(assignment.c.state == _WAITING, assignment.c.after_assignment_id.is_(None))
    at_once = select(assignment.c.id).where(
        assignment.c.account_id == account_id, or_(assignment.c.state == _OPEN, free)
    )
    if connection.execute(at_once.limit(1)).first() is not None:
        return True
    return any(each.at <= now for each in moments)


def _may_open(connection: Connection, account_id: int, now: datetime) -> ColumnElement[bool]:
    """Return which waiting cases can be opened, or are hidden where a neighbour can."""
    waiting = and_(assignment.c.account_id == account_id, assignment.c.state == _WAITING)
    gated = and_(waiting, assignment.c.after_assignment_id.is_not(None))
    spans = connection.execute(select(assignment.c.after_days).where(gated).distinct()).scalars().all()
    too_late = [
        and_(assignment.c.after_days == days, reading.c.locked_at > as_text(now - timedelta(days=days)))
        for days in spans
    ]
    still_shut = exists().where(reading.c.assignment_id == _PRIOR.c.id, or_(*too_late)) if too_late else None
    due = [] if still_shut is None else [and_(_PRIOR.c.state == _LOCKED, ~still_shut)]
    by_itself = or_(assignment.c.after_assignment_id.is_(None), *due)
    periods = connection.execute(
        select(assignment.c.period).select_from(_JOINED).where(waiting, by_itself).distinct()
    ).scalars()
    unseen = and_(assignment.c.purpose.in_(HIDDEN), assignment.c.period.in_(list(periods)))
    return or_(by_itself, unseen)
