from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from reader_app.errors import ImageError
from reader_app.imaging.prefetch import Prefetcher


@dataclass(frozen=True)
class Film:
    key: int
    nbytes: int = 10


class Shelf:
    """A loader that counts, can be held back, and has one broken film."""

    def __init__(self) -> None:
        self.loaded: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()

    def load(self, key: int) -> Film:
        self.begun.set()
        assert self.gate.wait(10)
        self.loaded.append(key)
        if key < 0:
            raise ImageError(f"film {key} is broken.", "Leave it out.")
        return Film(key)


def own_threads() -> set[threading.Thread]:
    """Threads that Python started; one of Qt that a test before this one used comes and goes as it likes."""
    return {each for each in threading.enumerate() if not isinstance(each, threading._DummyThread)}


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    before = own_threads()
    yield Shelf()
    assert own_threads() == before, "a prefetcher left a thread behind"


def test_a_prefetched_film_is_loaded_once(shelf: Shelf) -> None:
    with Prefetcher(shelf.load) as prefetcher:
        prefetcher.prefetch([1, 2, 2])
        assert prefetcher.get(2).key == 2
        assert prefetcher.get(1).key == 1
        assert prefetcher.get(2).key == 2
        assert sorted(shelf.loaded) == [1, 2]
        assert prefetcher.ready(1)
        assert not prefetcher.ready(3)


def test_what_fails_is_remembered_until_it_is_forgotten(shelf: Shelf) -> None:
    with Prefetcher(shelf.load) as prefetcher:
        prefetcher.prefetch([-1])
        for _ in range(3):
            with pytest.raises(ImageError, match="film -1 is broken"):
                prefetcher.get(-1)
        assert shelf.loaded == [-1]
        prefetcher.forget(-1)
        with pytest.raises(ImageError):
            prefetcher.get(-1)
        assert shelf.loaded == [-1, -1]


def test_the_least_recently_used_goes_first(shelf: Shelf) -> None:
    with Prefetcher(shelf.load, budget_bytes=30) as prefetcher:
        for key in (1, 2, 3):
            prefetcher.get(key)
        prefetcher.get(1)
        prefetcher.get(4)
        assert [prefetcher.ready(key) for key in (1, 2, 3, 4)] == [True, False, True, True]
        assert prefetcher.kept_bytes == 30


def test_a_film_above_the_budget_is_still_shown(shelf: Shelf) -> None:
    with Prefetcher(shelf.load, budget_bytes=5) as prefetcher:
        assert prefetcher.get(1).key == 1
        assert prefetcher.ready(1)
        prefetcher.get(2)
        assert not prefetcher.ready(1)


def test_a_film_on_its_way_is_waited_for_and_a_queued_one_is_not(shelf: Shelf) -> None:
    shelf.gate.clear()
    with Prefetcher(shelf.load) as prefetcher:
        prefetcher.prefetch([1, 2, 3])
        assert shelf.begun.wait(10)
        prefetcher.prefetch([1])  # 2 and 3 are no neighbours any more
        shelf.gate.set()
        assert prefetcher.get(1).key == 1
        assert prefetcher.get(3).key == 3
        assert shelf.loaded == [1, 3]


def test_a_neighbour_far_ahead_never_takes_the_place_of_a_nearer_one(shelf: Shelf) -> None:
    with Prefetcher(shelf.load, budget_bytes=30) as prefetcher:
        prefetcher.get(0)
        prefetcher.prefetch([1, 2, 3, 4, 5, 6])
        prefetcher.settle()
        assert [prefetcher.ready(key) for key in range(7)] == [True, True, True, False, False, False, False]
        assert prefetcher.kept_bytes == 30
        assert shelf.loaded == [0, 1, 2, 3], "what would not fit is not decoded in vain"


def test_walking_on_drops_what_lies_behind_and_never_passes_the_budget(shelf: Shelf) -> None:
    with Prefetcher(shelf.load, budget_bytes=40) as prefetcher:
        for here in range(1, 30):
            assert prefetcher.get(here).key == here
            prefetcher.prefetch([here, here + 1, here - 1])
            assert prefetcher.kept_bytes <= 40
        prefetcher.settle()
        assert all(prefetcher.ready(key) for key in (28, 29, 30))
        assert sorted(shelf.loaded) == sorted(set(shelf.loaded)), "nothing is decoded twice on the way"


def test_what_is_there_is_had_at_once_and_nothing_else_is_waited_for(shelf: Shelf) -> None:
    with Prefetcher(shelf.load) as prefetcher:
        prefetcher.get(1)
        shelf.gate.clear()
        prefetcher.prefetch([2])
        assert prefetcher.kept(2) is None
        kept = prefetcher.kept(1)
        assert kept is not None
        assert kept.key == 1
        shelf.gate.set()
        with pytest.raises(ImageError):
            prefetcher.get(-1)
        with pytest.raises(ImageError, match="film -1 is broken"):
            prefetcher.kept(-1)


def test_two_who_want_the_same_film_at_a_time_wait_for_one_decode(shelf: Shelf) -> None:
    shelf.gate.clear()
    with Prefetcher(shelf.load) as prefetcher, ThreadPoolExecutor(2) as people:
        first = people.submit(prefetcher.get, 1)
        assert shelf.begun.wait(10)
        prefetcher.prefetch([1])
        second = people.submit(prefetcher.get, 1)
        shelf.gate.set()
        assert first.result(10) is second.result(10)
        assert shelf.loaded == [1]


def test_closing_ends_what_waits_and_every_thread(shelf: Shelf) -> None:
    shelf.gate.clear()
    prefetcher = Prefetcher(shelf.load, workers=2)
    prefetcher.prefetch(range(20))
    assert shelf.begun.wait(10)
    shelf.gate.set()
    prefetcher.close()
    prefetcher.prefetch([50])
    assert len(shelf.loaded) < 20
    assert 50 not in shelf.loaded
    assert prefetcher.kept_bytes == 0
