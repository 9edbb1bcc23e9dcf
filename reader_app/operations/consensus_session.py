"""A consensus session: the readers of some cases log in beside the adjudicator, at one machine."""

from __future__ import annotations

from dataclasses import dataclass

from reader_app.errors import AccountError
from reader_app.operations.study import Study
from reader_app.store import consensus_sessions
from reader_app.store.consensus_sessions import Seat
from reader_app.store.records import Actor


@dataclass(frozen=True)
class ConsensusSession:
    """Who sits together, and over which cases.

    Attributes
    ----------
    cases
        Those whose readers are exactly the readers in the session.
    """

    seats: tuple[Seat, ...] = ()
    cases: frozenset[int] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """Who sits in it, by name; which letter is whose, nobody is told."""
        return tuple(seat.name for seat in self.seats)


def join(
    study: Study, actor: Actor, session: ConsensusSession, *, name: str, password: str
) -> ConsensusSession:
    """Let one more reader into the session of an adjudicator.

    Raises
    ------
    WrongPassword, AccountLocked, NotAllowed
        In words; a wrong password counts as it does at log in.
    AccountError
        If the reader sits there already.
    """
    seat = consensus_sessions.take_seat(study.database, actor, name=name, password=password)
    if any(other.proof.account_id == seat.proof.account_id for other in session.seats):
        raise AccountError(f"{seat.name} sits in the session already.", "Let the other reader log in.")
    seats = (*session.seats, seat)
    return ConsensusSession(seats, consensus_sessions.cases_of(study.database, actor, seats))
