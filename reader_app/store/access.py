"""Who may do what: asked first thing by every function of the store."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from reader_app.errors import NotAllowed
from reader_app.store.freeze import is_frozen
from reader_app.store.records import Actor, Role
from reader_app.store.tables import account

_ORDER = tuple(Role)
# Statements that every keystroke needs are built once: building one costs more than running it.
_ACCOUNT = select(account.c.role, account.c.active).where(account.c.id == bindparam("account_id"))


def require(connection: Connection, actor: Actor, *roles: Role) -> None:
    """Raise unless the actor has one of the roles, now and in the database.

    The database is asked as well, so that an account that has been closed or changed meanwhile, or an
    actor that nobody logged in, gets nowhere.

    Raises
    ------
    NotAllowed
        In words, with who may.
    """
    if actor.role not in roles:
        allowed = " or ".join(role.value for role in _ORDER if role in roles)
        article = "an" if actor.role.value[0] in "aeiou" else "a"
        raise NotAllowed(
            f"{actor.name} is {article} {actor.role.value} and may not do this.", f"Log in as {allowed}."
        )
    found = connection.execute(_ACCOUNT, {"account_id": actor.account_id}).one_or_none()
    if found is None or found.role != actor.role.value or not found.active:
        raise NotAllowed(
            f"The account of {actor.name} is closed or has changed since the log in.", "Log in again."
        )


def require_results(connection: Connection, actor: Actor) -> None:
    """Raise unless the actor may see grades and what follows from them.

    The auditor always may; the coordinator once the study is frozen: who leads a study and knows its grades
    could steer the readings that are still to come.

    Raises
    ------
    NotAllowed
        In words, with the way out.
    """
    require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
    if actor.role is Role.COORDINATOR and not is_frozen(connection):
        raise NotAllowed(
            "Coordinators see no grades before the study is frozen.",
            "Freeze the study once reading and adjudication are done, or ask an auditor.",
        )
