"""Active reading time, and how much of it with a pre-grade in sight; pauses are taken out of both."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

PAUSE_AFTER_SECONDS = 60.0
"""Without a key or a move of the mouse for this long, the reader is taken to be away."""


class ActiveTime(NamedTuple):
    """Seconds of reading, and for how many of them a pre-grade was in sight."""

    seconds: float = 0.0
    in_sight: float = 0.0


class ActiveClock:
    """Counts while the window is active and the reader did something in the last minute.

    Parameters
    ----------
    now
        Seconds of a clock that never runs backwards.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seconds = 0.0
        self._in_sight = 0.0
        self._shown = False
        # When the reader did something last, and up to when it is counted; None while the clock stands.
        self._touched: float | None = None
        self._counted = 0.0

    @property
    def seconds(self) -> float:
        """Active seconds since the start or the last `take`."""
        self._count()
        return self._seconds

    @property
    def in_sight_seconds(self) -> float:
        """For how many of them a pre-grade was in sight."""
        self._count()
        return self._in_sight

    @property
    def counting(self) -> bool:
        """Whether the window is active."""
        return self._touched is not None

    def touch(self) -> None:
        """Note that the reader did something; starts the clock if it stood."""
        self._count()
        self._touched = self._counted = self._now()

    def suspend(self) -> None:
        """Stop counting: the window is no longer active, or the case is closed."""
        self._count()
        self._touched = None

    def show_pregrade(self, shown: bool) -> None:
        """Note whether a pre-grade can be seen from now on."""
        self._count()
        self._shown = shown

    def take(self) -> ActiveTime:
        """Return what was counted and start again from zero; a running clock goes on."""
        self._count()
        taken = ActiveTime(self._seconds, self._in_sight)
        self._seconds = self._in_sight = 0.0
        if self._touched is not None:
            self._touched = self._counted = self._now()
        return taken

    def take_sight(self) -> float:
        """Return for how long a pre-grade was in sight and start that count again; the other goes on."""
        self._count()
        taken, self._in_sight = self._in_sight, 0.0
        return taken

    def _count(self) -> None:
        """Bring both up to now, or up to where the reader is taken to have left."""
        if self._touched is None:
            return
        until = min(self._now(), self._touched + PAUSE_AFTER_SECONDS)
        passed = max(until - self._counted, 0.0)
        self._seconds += passed
        self._in_sight += passed if self._shown else 0.0
        self._counted = max(self._counted, until)
