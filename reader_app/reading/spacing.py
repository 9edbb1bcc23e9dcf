"""Keeping apart what belongs together: a random order in which members of a group have a distance."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

MANY = 50
"""Of a group with more members than this, the order is made the strict way: room for chance costs time."""


def spaced(
    items: Sequence[int],
    *,
    group_of: Callable[[int], int],
    distance: int,
    last: Mapping[int, int] | None = None,
    start: int = 0,
    until: Mapping[int, int] | None = None,
) -> tuple[list[int], int]:
    """Reorder items so that between two of one group lie others, at least `distance` where that can be done.

    The order stays as given as far as it can: at each place stands the first item that may, unless
    groups with several members left would run out of room. It takes about as long as sorting.

    Parameters
    ----------
    items
        In the wanted order.
    last
        By group, the place of its last member before these items.
    start
        The place of the first of these items, counted as in `last`.
    until
        By group, the latest place of its last member here that leaves room for those that come later.

    Returns
    -------
    list of int, int
        The order, and how many items are too close to the one before them of their group.
    """
    if distance <= 0:
        return list(items), 0
    queues: dict[int, deque[int]] = {}
    for place, item in enumerate(items):
        queues.setdefault(group_of(item), deque()).append(place)
    bound = {group: last[group] - start + distance + 1 for group in queues if group in last} if last else {}
    due = {group: until[group] - start for group in queues if group in until} if until else {}
    if len(queues) == len(items) and not due and not any(release > 0 for release in bound.values()):
        return list(items), 0
    if _has_room(queues, len(items), distance):
        order, short = _Run(len(items), distance).run(queues, bound, due)
        if not short:
            return [items[place] for place in order], 0
    strict, least = _largest_first(queues, bound, len(items), distance)
    return [items[place] for place in strict], least


def _has_room(queues: Mapping[int, deque[int]], number: int, distance: int) -> bool:
    """Whether every group could be spaced, were it only for their numbers; as in scheduling with a pause."""
    sizes = Counter(len(queue) for queue in queues.values())
    most = max(sizes)
    return most <= MANY and (most - 1) * (distance + 1) + sizes[most] <= number


def _largest_first(
    queues: Mapping[int, deque[int]], bound: Mapping[int, int], number: int, distance: int
) -> tuple[list[int], int]:
    """Return the order in which the group with most members left goes first, and how many are too close.

    Nothing keeps more groups apart, but it leaves little to chance.
    """
    left = {group: deque(queue) for group, queue in queues.items()}
    paused = [(bound.get(group, 0), group) for group in left]
    heapq.heapify(paused)
    ready: list[tuple[int, int, int]] = []
    order: list[int] = []
    short = 0
    for now in range(number):
        while paused and paused[0][0] <= now:
            group = heapq.heappop(paused)[1]
            heapq.heappush(ready, (-len(left[group]), left[group][0], group))
        if ready:
            group = heapq.heappop(ready)[2]
        else:
            group = heapq.heappop(paused)[1]
            short += 1
        order.append(left[group].popleft())
        if left[group]:
            heapq.heappush(paused, (now + distance + 1, group))
    return order, short


@dataclass
class _Run:
    """One way through all places; members of a group keep their order."""

    number: int
    distance: int
    ready: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """By the latest place at which they must stand, the groups that may be next."""
    paused: list[tuple[int, int]] = field(default_factory=list)

    def run(
        self, queues: Mapping[int, deque[int]], bound: Mapping[int, int], due: Mapping[int, int]
    ) -> tuple[list[int], int]:
        """Return the order as places of the wanted one, and how many stand too close."""
        left = {group: deque(queue) for group, queue in queues.items()}
        # The latest places of each group's members: the first is the last in the list.
        latest = {
            group: [
                min(self.number - 1, due.get(group, self.number)) - behind * (self.distance + 1)
                for behind in range(len(queue))
            ]
            for group, queue in left.items()
        }
        waiting = Counter(place for places in latest.values() for place in places)
        for group, queue in left.items():
            self._pause(group, queue[0], latest[group][-1], bound.get(group, 0), now=0)
        order: list[int] = []
        short = 0
        dues = sorted(waiting)
        for now in range(self.number):
            while self.paused and self.paused[0][0] <= now:
                group = heapq.heappop(self.paused)[1]
                self._pause(group, left[group][0], latest[group][-1], now, now=now)
            free = self._next(self._urgent(dues, waiting, now))
            if free is None:
                short += 1
            group = heapq.heappop(self.paused)[1] if free is None else free
            order.append(left[group].popleft())
            waiting[latest[group].pop()] -= 1
            if left[group]:
                self._pause(group, left[group][0], latest[group][-1], now + self.distance + 1, now=now)
        return order, short

    def _pause(self, group: int, first: int, due: int, until: int, *, now: int) -> None:
        if until <= now:
            heapq.heappush(self.ready.setdefault(due, []), (first, group))
        else:
            heapq.heappush(self.paused, (until, group))

    def _urgent(self, dues: Sequence[int], waiting: Mapping[int, int], now: int) -> int:
        """Return by when the next one must stand, else there is no room for those due as early."""
        total = 0
        for due in dues:
            total += waiting[due]
            if total and total >= due - now + 1:
                return due
        return self.number

    def _next(self, due: int) -> int | None:
        for limit in (due, self.number):
            heaps = [waiting for latest, waiting in self.ready.items() if latest <= limit and waiting]
            if heaps:
                return heapq.heappop(min(heaps, key=lambda waiting: waiting[0]))[1]
        return None
