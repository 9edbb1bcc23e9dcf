"""What a reader has before them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

WORKLIST_PAGE = 200
"""Rows of a worklist that are read at once."""

TOLD_STEP = timedelta(minutes=15)
"""Moments are told in full quarters of an hour. To the minute, a case that takes over the moment of its
neighbour would stand out by being equal to it."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class ReadingState(StrEnum):
    """How far one reader is with one case."""

    WAITING = "waiting"
    OPEN = "open"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class WorklistEntry:
    """One case on a worklist; it names no participant and no other reader.

    Attributes
    ----------
    assignment_id
        What is opened.
    place
        1 for the first case of this reader.
    block
        Which block of the design it belongs to; 0 where there are none.
    first_locked
        Whether the reading without AI is locked and the one with it is still to come or under way.
    shut
        Whether it cannot be opened yet.
    opens_at
        From when a shut case can be; None where another reading has to be locked first.
    """

    assignment_id: int
    place: int
    state: ReadingState
    graded: int = 0
    block: int = 0
    first_locked: bool = False
    shut: bool = False
    opens_at: datetime | None = None

    @property
    def title(self) -> str:
        """How a screen names the case."""
        return f"Case {self.place:04d}"


@dataclass(frozen=True)
class Progress:
    """How much of a worklist is done.

    Attributes
    ----------
    blocks
        Of how many blocks it consists, 0 where the design has none.
    """

    locked: int
    open: int
    total: int
    blocks: int = 0

    @property
    def waiting(self) -> int:
        """Cases that nobody has begun."""
        return self.total - self.locked - self.open

    @property
    def share(self) -> float:
        """Locked cases over all, 0 when there are none."""
        return self.locked / self.total if self.total else 0.0


@dataclass(frozen=True)
class Upcoming:
    """Where a reader goes on.

    Attributes
    ----------
    entry
        The next case that can be opened, None where none can be now.
    opens_at
        Where none can be: the first moment at which one can; None where all are locked, or where no moment
        can be told yet.
    """

    entry: WorklistEntry | None = None
    opens_at: datetime | None = None


@dataclass(frozen=True)
class WorklistView:
    """What a screen shows of a worklist at first.

    Attributes
    ----------
    listed
        How many cases are in the states that were asked for.
    marked
        The row to be marked, 0 for the first: the next case to read, where it is listed.
    first, rows
        Some rows around it, and which row is the first of them; a whole number of pages from the beginning.
    """

    progress: Progress
    upcoming: Upcoming
    listed: int
    marked: int
    first: int
    rows: tuple[WorklistEntry, ...]


def told_moment(moment: datetime) -> datetime:
    """Return the full quarter of an hour at or after a moment."""
    steps = math.ceil((moment - _EPOCH) / TOLD_STEP)
    return _EPOCH + steps * TOLD_STEP


def moment_words(moment: datetime, *, now: datetime | None = None) -> str:
    """Return a moment in the local time of this machine, e.g. "19 Dec, 20:15".

    Parameters
    ----------
    now
        The year is written where it is not this one's; by default the moment of the call.
    """
    local = moment.astimezone()
    today = (now or datetime.now(UTC)).astimezone()
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local.day} {_MONTHS[local.month - 1]}{year}, {local:%H:%M}"
