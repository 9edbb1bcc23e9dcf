"""A reader's own worklist in pieces: what a screen shows of it, and where to go on."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select

from reader_app.reading.worklist import ReadingState, Upcoming, WorklistEntry
from reader_app.store.access import require
from reader_app.store.database import Database
from reader_app.store.gates import ROWS, coming, entries_of, entries_of_each, upcoming
from reader_app.store.records import Actor, Role
from reader_app.store.tables import assignment


def page(
    database: Database, actor: Actor, *, states: Collection[ReadingState], first: int, limit: int
) -> tuple[WorklistEntry, ...]:
    """Return some rows of the actor's own worklist as a screen lists it.

    Parameters
    ----------
    states
        Only cases in these states are listed.
    first, limit
        Which row comes first, 0 for the first of all, and how many follow.

    Raises
    ------
    NotAllowed
        Unless the actor is a reader.
    """
    query = ROWS.where(assignment.c.account_id == actor.account_id).order_by(assignment.c.place)
    if set(states) == set(ReadingState):
        # Places count from 1 without a gap: no row before the first has to be passed by.
        query = query.where(assignment.c.place > first)
    else:
        query = query.where(assignment.c.state.in_([state.value for state in states])).offset(first)
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        return entries_of(connection, connection.execute(query.limit(limit)).all(), database.clock())


def rows_before(
    database: Database, actor: Actor, before_place: int, *, states: Collection[ReadingState]
) -> int:
    """Return how many cases in these states stand before a place of the actor's own worklist.

    Raises
    ------
    NotAllowed
        Unless the actor is a reader.
    """
    query = select(func.count()).where(
        assignment.c.account_id == actor.account_id,
        assignment.c.place < before_place,
        assignment.c.state.in_([state.value for state in states]),
    )
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        return int(connection.execute(query).scalar_one())


def entry_at(database: Database, actor: Actor, at_place: int) -> WorklistEntry | None:
    """Return the case that stands at a place of the actor's own worklist now, None beyond its ends.

    Raises
    ------
    NotAllowed
        Unless the actor is a reader.
    """
    query = ROWS.where(assignment.c.account_id == actor.account_id, assignment.c.place == at_place)
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        rows = connection.execute(query).all()
        return next(entries_of_each(connection, rows, database.clock()), None)


def next_case(database: Database, actor: Actor, *, after_place: int = 0) -> Upcoming:
    """Return where the actor goes on: the next case that is not locked and can be opened, going round.

    Raises
    ------
    NotAllowed
        Unless the actor is a reader.
    """
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        return upcoming(connection, actor.account_id, after_place=after_place, now=database.clock())


def next_cases(
    database: Database, actor: Actor, *, after_place: int, limit: int
) -> tuple[WorklistEntry, ...]:
    """Return the next cases of the actor that are not locked and can be opened, going round once.

    Raises
    ------
    NotAllowed
        Unless the actor is a reader.
    """
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        return coming(
            connection, actor.account_id, after_place=after_place, limit=limit, now=database.clock()
        )
