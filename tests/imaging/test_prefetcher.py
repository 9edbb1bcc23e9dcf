from __future__ import annotations

import threading
from collections.abc import Iterator
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


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    before = set(threading.enumerate())
    yield Shelf()
    assert set(threading.enumerate()) == before, "a prefetcher left a thread behind"


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
