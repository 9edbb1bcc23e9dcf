"""What waits for the networks: the most urgent first, in batches that nobody waits behind for long."""

from __future__ import annotations

import heapq
import itertools
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from reader_app.ai.film_image import PreparedFilm
from reader_app.ai.pipeline import JointImage, PreparedJoint

PATIENCE_SECONDS = 0.5
"""So long may a batch keep the networks from a joint that somebody has just brought on screen."""

_FIRST_BATCH = 2  # while nobody knows yet how long the networks take
_LARGEST_BATCH = 64
_NEWEST = 0.3  # weight of the newest batch in the mean duration


class Priority(IntEnum):
    """Which request goes first."""

    ON_SCREEN = 0
    NEIGHBOUR = 1
    BATCH = 2


class Kind(StrEnum):
    """What a request asks for."""

    GRADE = "grade"
    LOCATE = "locate"


@dataclass(order=True)
class Request:
    """One joint to be graded, or one film to find joints on.

    `alone` it runs after a batch that it was in failed, so that only the guilty one fails; `note` says of
    what batch, for the provenance.
    """

    priority: int
    number: int
    kind: Kind = field(compare=False)
    future: Future[Any] = field(compare=False)
    image: JointImage | None = field(compare=False, default=None)
    prepared: PreparedJoint | None = field(compare=False, default=None)
    film: PreparedFilm | None = field(compare=False, default=None)
    light: bool | None = field(compare=False, default=False)
    alone: bool = field(compare=False, default=False)
    note: str = field(compare=False, default="")

    def goes_with(self, other: Request) -> bool:
        """Whether both can be answered in one batch."""
        return not (self.alone or other.alone) and (self.kind, self.light, self.priority) == (
            other.kind,
            other.light,
            other.priority,
        )


class RequestQueue:
    """Requests by urgency; put from any thread, taken by the worker's."""

    def __init__(self) -> None:
        self._waiting: list[Request] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._seconds: dict[Kind, float] = {}
        self._most: dict[Kind, int] = dict.fromkeys(Kind, _LARGEST_BATCH)

    @property
    def closed(self) -> bool:
        """Whether nothing more is taken in."""
        return self._closed

    def number(self) -> int:
        """Return the next place in the order of arrival."""
        return next(self._numbers)

    def put(self, *requests: Request) -> bool:
        """Let requests wait; False if the queue is closed."""
        with self._changed:
            if self._closed:
                return False
            for request in requests:
                heapq.heappush(self._waiting, request)
            self._changed.notify()
        return True

    def close(self) -> bool:
        """Take nothing more in; False if that was so before."""
        with self._changed:
            was_open, self._closed = not self._closed, True
            self._changed.notify()
        return was_open

    def left(self) -> list[Request]:
        """Return, once closed, what was never taken."""
        with self._changed:
            left, self._waiting = self._waiting, []
        return left

    def wait(self, seconds: float | None) -> bool:
        """Wait until there is a request or the queue is closed; False where the time is over first."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._waiting) or self._closed, seconds)

    def take(self) -> list[Request]:
        """Return the most urgent request and those that go with it; empty when closed."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._closed)
            if self._closed:
                return []
            first = heapq.heappop(self._waiting)
            batch: list[Request] = [first]
            others: list[Request] = []
            limit = self.limit(first.kind)
            while self._waiting and len(batch) < limit and self._waiting[0].priority == first.priority:
                each = heapq.heappop(self._waiting)
                (batch if each.goes_with(first) else others).append(each)
            for each in others:
                heapq.heappush(self._waiting, each)
        return batch

    def limit(self, kind: Kind) -> int:
        """How many go at once: as many as are done within `PATIENCE_SECONDS`, one at least."""
        seconds = self._seconds.get(kind)
        fitting = _FIRST_BATCH if seconds is None else int(PATIENCE_SECONDS / max(seconds, 1e-6))
        return max(1, min(fitting, self._most[kind]))

    def took(self, kind: Kind, number: int, seconds: float) -> None:
        """Learn how long a batch took."""
        each = seconds / number
        known = self._seconds.get(kind)
        self._seconds[kind] = each if known is None else known + _NEWEST * (each - known)

    def failed(self, kind: Kind, number: int) -> None:
        """Learn that a batch was lost: none of its size is tried again."""
        self._most[kind] = max(1, min(self._most[kind], number // 2))
