"""Members of a group stand apart wherever there is an order in which they can."""

from __future__ import annotations

from functools import lru_cache

from hypothesis import given, settings
from hypothesis import strategies as st

from reader_app.reading.spacing import spaced
from tests.plain_worklists import too_close

GROUPS = st.lists(st.integers(0, 4), max_size=8)


def can_be_spaced(groups: list[int], distance: int, last: dict[int, int]) -> bool:
    """Try every order."""
    names = sorted(set(groups))

    @lru_cache
    def goes_on(place: int, left: tuple[int, ...], latest: tuple[int, ...]) -> bool:
        if place == len(groups):
            return True
        return any(
            goes_on(
                place + 1,
                tuple(number - (other == name) for other, number in enumerate(left)),
                tuple(place if other == name else before for other, before in enumerate(latest)),
            )
            for name in range(len(names))
            if left[name] and place - latest[name] > distance
        )

    counts = tuple(groups.count(name) for name in names)
    return goes_on(0, counts, tuple(last.get(name, -1000) for name in names))


@settings(max_examples=400, deadline=None)
@given(GROUPS, st.integers(0, 4), st.dictionaries(st.integers(0, 4), st.integers(-5, -1)))
def test_nothing_stands_too_close_where_any_order_avoids_it(
    groups: list[int], distance: int, last: dict[int, int]
) -> None:
    order, short = spaced(range(len(groups)), group_of=groups.__getitem__, distance=distance, last=last)
    assert sorted(order) == list(range(len(groups)))
    first = {groups[item]: place for place, item in reversed(list(enumerate(order)))}
    at_once = sum(distance > 0 and first[name] - last[name] <= distance for name in first if name in last)
    assert short == at_once + (
        too_close(order, group_of=groups.__getitem__, distance=distance) if distance else 0
    )
    if can_be_spaced(groups, distance, last):
        assert short == 0


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(60)), st.integers(1, 10))
def test_the_order_stays_as_it_was_where_nothing_is_in_the_way(order: list[int], distance: int) -> None:
    assert spaced(order, group_of=lambda item: item, distance=distance) == (order, 0)
    assert spaced(order, group_of=lambda _: 0, distance=0) == (order, 0)


def test_pairs_are_drawn_apart_without_losing_chance() -> None:
    """Two films of each participant, side by side at first: few need to move, and those not far."""
    items = [number for pair in range(500) for number in (pair, pair + 500)]
    order, short = spaced(items, group_of=lambda item: item % 500, distance=20)
    assert short == 0
    assert too_close(order, group_of=lambda item: item % 500, distance=20) == 0
    assert order[:3] == [0, 1, 2]


def test_one_participant_with_everything_cannot_be_spaced_and_takes_no_longer() -> None:
    order, short = spaced(range(20_000), group_of=lambda _: 0, distance=20)
    assert (order, short) == (list(range(20_000)), 19_999)
