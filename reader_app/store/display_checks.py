"""What people saw of the test pattern on their screens: appended, never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select

from reader_app.store.access import require
from reader_app.store.canonical import canonical
from reader_app.store.database import Database
from reader_app.store.journal import append
from reader_app.store.records import Actor, Role
from reader_app.store.rows import AnyRow
from reader_app.store.tables import account, display_check

SEES_FILMS = (Role.READER, Role.ADJUDICATOR)


@dataclass(frozen=True)
class DisplayCheck:
    """One look at the test pattern.

    Attributes
    ----------
    passed
        Whether all of the pattern was seen.
    screen
        Name, size and scale of the screen.
    at
        UTC, ISO 8601.
    """

    account_id: int
    name: str
    passed: bool
    screen: Mapping[str, object]
    at: str


def save_check(database: Database, actor: Actor, *, passed: bool, screen: Mapping[str, object]) -> None:
    """Keep what a reader or adjudicator saw of the test pattern.

    Raises
    ------
    NotAllowed
        For those who see no films.
    """
    with database.writing() as connection:
        require(connection, actor, *SEES_FILMS)
        at = database.now()
        connection.execute(
            insert(display_check).values(
                account_id=actor.account_id, passed=passed, screen_json=canonical(dict(screen)), at=at
            )
        )
        append(connection, actor, "display.check", payload={"passed": passed, "screen": dict(screen)}, at=at)


def own_last_check(database: Database, actor: Actor) -> DisplayCheck | None:
    """Return the actor's own newest check, None where there is none."""
    query = (
        select(display_check, account.c.name)
        .join_from(display_check, account)
        .where(display_check.c.account_id == actor.account_id)
        .order_by(display_check.c.id.desc())
        .limit(1)
    )
    with database.reading() as connection:
        require(connection, actor, *SEES_FILMS)
        row = connection.execute(query).one_or_none()
    return None if row is None else _record(row)


def all_checks(database: Database, actor: Actor) -> tuple[DisplayCheck, ...]:
    """Return everybody's checks, oldest first; for coordinator and auditor."""
    query = (
        select(display_check, account.c.name).join_from(display_check, account).order_by(display_check.c.id)
    )
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return tuple(_record(row) for row in connection.execute(query))


def _record(row: AnyRow) -> DisplayCheck:
    return DisplayCheck(
        row.account_id, row.name, bool(row.passed), screen=json.loads(row.screen_json), at=row.at
    )
