"""Consensus sessions: the readers of a case beside the adjudicator, each proved by name and password."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from reader_app.errors import NotAllowed
from reader_app.store import accounts
from reader_app.store.access import require
from reader_app.store.counting import readings_of_cases_through
from reader_app.store.database import Database
from reader_app.store.proofs import Proof, holds
from reader_app.store.records import Actor, Role
from reader_app.store.tables import account

PURPOSE = "consensus session"
"""What a participant's password is typed for."""


@dataclass(frozen=True)
class Seat:
    """A reader who sits in a consensus session; which letter is theirs nobody is told."""

    name: str
    proof: Proof


def take_seat(database: Database, actor: Actor, *, name: str, password: str) -> Seat:
    """Let a reader into the session of an adjudicator; wrong passwords count as they do at log in.

    Raises
    ------
    WrongPassword
        If name or password is wrong; it does not say which.
    AccountLocked
        From the fifth wrong password in a row on.
    NotAllowed
        Unless the actor is an adjudicator and the one who sits down a reader.
    """
    with database.reading() as connection:
        require(connection, actor, Role.ADJUDICATOR)
    reader = accounts.log_in(database, name, password)
    if reader.role is not Role.READER:
        raise NotAllowed(
            "Only readers sit in a consensus session with the adjudicator.",
            "Let a reader of the case log in.",
        )
    return Seat(reader.name, accounts.prove(database, reader, password, purpose=PURPOSE))


def cases_of(database: Database, actor: Actor, seats: Sequence[Seat]) -> frozenset[int]:
    """Return the cases whose readers are exactly those who sit in the session.

    Raises
    ------
    NotAllowed
        Unless the actor is an adjudicator and everybody proved who they are.
    """
    with database.reading() as connection:
        require(connection, actor, Role.ADJUDICATOR)
        present = set(_proved(connection, seats))
        readers: dict[int, set[int]] = defaultdict(set)
        in_force = readings_of_cases_through()
        for case_id, account_id in connection.execute(select(in_force.c.case_id, in_force.c.account_id)):
            readers[case_id].add(account_id)
    return frozenset(case_id for case_id, of_case in readers.items() if of_case == present)


def require_all_readers(connection: Connection, case_id: int, seats: Sequence[Seat]) -> tuple[int, ...]:
    """Return the accounts of those in the session, in order, if they are the readers of the case.

    Raises
    ------
    NotAllowed
        If not; it does not say who is and who is not, so that nobody learns whose grades they are.
    """
    in_force = readings_of_cases_through(one=True)
    readers = connection.execute(select(in_force.c.account_id), {"case_id": case_id})
    of_case = set(readers.scalars())
    present = _proved(connection, seats)
    if not present:
        raise NotAllowed(
            "This grade is settled in a consensus session only.",
            "Open the session and let all readers of the case log in.",
        )
    if set(present) != of_case:
        raise NotAllowed(
            "Those in the session are not the readers of this case, no more and no fewer.",
            "Settle another case with them, or open a session with its readers.",
        )
    return tuple(sorted(present))


def _proved(connection: Connection, seats: Sequence[Seat]) -> list[int]:
    """Return the accounts of the seats; every one must hold its proof, be a reader's and still be open."""
    found: list[int] = []
    for seat in seats:
        row = connection.execute(select(account).where(account.c.id == seat.proof.account_id)).one_or_none()
        if (
            row is None
            or not row.active
            or row.role != Role.READER.value
            or seat.proof.purpose != PURPOSE
            or not holds(seat.proof, row.id, password_hash=row.password_hash)
        ):
            raise NotAllowed(
                f"{seat.name} is not in this session any more.", "Open the session again with all readers."
            )
        found.append(int(row.id))
    if len(set(found)) != len(found):
        raise NotAllowed("One reader sits twice in the session.", "Let the other reader log in.")
    return found
