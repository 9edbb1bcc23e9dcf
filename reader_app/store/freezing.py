"""Freezing a study, the lock of its database: the last word of a coordinator before results are looked at."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from reader_app.errors import PasswordNeeded, StudyError
from reader_app.store.access import require
from reader_app.store.adjudication_records import Rules
from reader_app.store.database import Database
from reader_app.store.freeze import frozen_at
from reader_app.store.frozen_words import shown_time
from reader_app.store.journal import append
from reader_app.store.judging import disagreements
from reader_app.store.proofs import Proof, holds
from reader_app.store.records import Actor, Role
from reader_app.store.tables import account, study_state

FREEZING = "freeze the study"
UNFREEZING = "unfreeze the study"
"""What the coordinator's password is typed for."""


def frozen_since(database: Database, actor: Actor) -> str | None:
    """Return since when the study is frozen, UTC, ISO 8601; None where it is not. Anyone may ask."""
    with database.reading() as connection:
        require(connection, actor, *Role)
        return frozen_at(connection)


def open_disagreements(database: Database, actor: Actor, rules: Rules) -> int:
    """Return how many grades still wait for the adjudicator: how far it is, and nothing of the grades.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator or an auditor.
    """
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        found = disagreements(connection, actor, rules)
    return sum(one.settled is None or one.settled.code is None for one in found)


def freeze(database: Database, actor: Actor, *, proof: Proof, reason: str) -> str:
    """Freeze the study: from now on the database refuses whatever would change a result.

    Returns
    -------
    str
        Since when, UTC, ISO 8601.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    PasswordNeeded
        If the proof is not of the actor's password, typed for this.
    StudyError
        If the study is frozen already or there is no reason.
    """
    with database.writing() as connection:
        since = _checked(connection, actor, proof, purpose=FREEZING, reason=reason)
        if since is not None:
            raise StudyError(
                f"The study has been frozen since {shown_time(since)} already.", "There is nothing to do."
            )
        at = database.now()
        # In this order: the database lets the state change only right after the journal has told it.
        append(connection, actor, "study.freeze", payload={"reason": reason.strip()}, at=at)
        connection.execute(update(study_state).where(study_state.c.id == 1).values(frozen_at=at))
    return at


def unfreeze(database: Database, actor: Actor, *, proof: Proof, reason: str) -> None:
    """Let the study be read and adjudicated again; the journal keeps that it had been frozen.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    PasswordNeeded
        If the proof is not of the actor's password, typed for this.
    StudyError
        If the study is not frozen or there is no reason.
    """
    with database.writing() as connection:
        if _checked(connection, actor, proof, purpose=UNFREEZING, reason=reason) is None:
            raise StudyError("The study is not frozen.", "There is nothing to do.")
        append(connection, actor, "study.unfreeze", payload={"reason": reason.strip()}, at=database.now())
        connection.execute(update(study_state).where(study_state.c.id == 1).values(frozen_at=None))


def _checked(connection: Connection, actor: Actor, proof: Proof, *, purpose: str, reason: str) -> str | None:
    """Return since when the study is frozen, once it is clear that the actor may change that."""
    require(connection, actor, Role.COORDINATOR)
    stored = connection.execute(
        select(account.c.password_hash).where(account.c.id == actor.account_id)
    ).scalar_one()
    if proof.purpose != purpose or not holds(proof, actor.account_id, password_hash=stored):
        raise PasswordNeeded(f"To {purpose}, your password is needed.", "Type it again.")
    if not reason.strip():
        raise StudyError(f"To {purpose}, a reason is needed.", "Say in a sentence why it is done now.")
    return frozen_at(connection)
