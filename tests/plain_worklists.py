"""Worklists counted entry by entry: what the queries of the store and the orders are held against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from reader_app.reading.worklist import Progress, ReadingState, WorklistEntry


def progress_of(entries: tuple[WorklistEntry, ...]) -> Progress:
    """Count a worklist."""
    locked = sum(entry.state is ReadingState.LOCKED for entry in entries)
    still_open = sum(entry.state is ReadingState.OPEN for entry in entries)
    blocks = max((entry.block for entry in entries), default=0)
    return Progress(locked=locked, open=still_open, total=len(entries), blocks=blocks)


def next_entry(entries: tuple[WorklistEntry, ...], after: int | None = None) -> WorklistEntry | None:
    """Return the next case that is not locked and can be opened, after the given assignment, going round."""
    places = [entry.assignment_id for entry in entries]
    start = places.index(after) + 1 if after in places else 0
    around = entries[start:] + entries[:start]
    return next(
        (entry for entry in around if entry.state is not ReadingState.LOCKED and not entry.shut), None
    )


def too_close(order: Sequence[int], *, group_of: Callable[[int], int], distance: int) -> int:
    """Count the items with fewer than `distance` others between them and the one before of their group."""
    places: dict[int, list[int]] = {}
    for place, item in enumerate(order):
        places.setdefault(group_of(item), []).append(place)
    return sum(later - earlier <= distance for group in places.values() for earlier, later in pairwise(group))
