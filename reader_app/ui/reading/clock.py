"""Active reading time: what a reader spent on a case, pauses taken out."""

from __future__ import annotations

import time
from collections.abc import Callable

PAUSE_AFTER_SECONDS = 60.0
"""Without a key or a move of the mouse for this long, the reader is taken to be away."""


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
        self._last: float | None = None

    @property
    def seconds(self) -> float:
        """Active seconds since the start or the last `take`."""
        return self._seconds + self._running()

    @property
    def counting(self) -> bool:
        """Whether the window is active."""
        return self._last is not None

    def touch(self) -> None:
        """Note that the reader did something; starts the clock if it stood."""
        self._seconds += self._running()
        self._last = self._now()

    def suspend(self) -> None:
        """Stop counting: the window is no longer active, or the case is closed."""
        self._seconds += self._running()
        self._last = None

    def take(self) -> float:
        """Return the active seconds and start again from zero; a running clock goes on."""
        taken = self.seconds
        self._seconds = 0.0
        if self._last is not None:
            self._last = self._now()
        return taken

    def _running(self) -> float:
        if self._last is None:
            return 0.0
        return min(self._now() - self._last, PAUSE_AFTER_SECONDS)
