"""What a reader has before them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
    """

    assignment_id: int
    place: int
    state: ReadingState
    graded: int = 0

    @property
    def title(self) -> str:
        """How a screen names the case."""
        return f"Case {self.place:04d}"


@dataclass(frozen=True)
class Progress:
    """How much of a worklist is done."""

    locked: int
    open: int
    total: int

    @property
    def share(self) -> float:
        """Locked cases over all, 0 when there are none."""
        return self.locked / self.total if self.total else 0.0


def progress_of(entries: tuple[WorklistEntry, ...]) -> Progress:
    """Count a worklist."""
    locked = sum(entry.state is ReadingState.LOCKED for entry in entries)
    still_open = sum(entry.state is ReadingState.OPEN for entry in entries)
    return Progress(locked=locked, open=still_open, total=len(entries))


def next_entry(entries: tuple[WorklistEntry, ...], after: int | None = None) -> WorklistEntry | None:
    """Return the next case that is not locked, after the given assignment, going round once."""
    places = [entry.assignment_id for entry in entries]
    start = places.index(after) + 1 if after in places else 0
    around = entries[start:] + entries[:start]
    return next((entry for entry in around if entry.state is not ReadingState.LOCKED), None)
