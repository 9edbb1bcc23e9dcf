"""Neighbours of the case on screen, decoded in the background within a budget of memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from reader_app.errors import ImageError

_DEFAULT_BUDGET = 512 * 1024 * 1024


class Sized(Protocol):
    """Anything that knows the memory that it takes: a `Radiograph` or a `Pyramid`."""

    @property
    def nbytes(self) -> int:
        """Bytes."""


Key = TypeVar("Key", bound=Hashable)
Film = TypeVar("Film", bound=Sized)


class Prefetcher(Generic[Key, Film]):
    """Loads films ahead of time and keeps the most recently used within a budget.

    What fails is remembered as its `ImageError` and raised by `get`, until `forget`.

    Parameters
    ----------
    load
        Makes the film of a key, e.g. `read_radiograph`, or that and a `Pyramid`; called in a background
        thread, or in the thread of `get` where nobody loads it yet; never twice at a time for one key.
    budget_bytes
        Memory for the films that are kept. The film that was asked for last is kept even if it alone is
        larger. Neighbours that would not fit beside nearer ones are not loaded: a film far ahead never
        takes the place of the next.
    workers
        Threads; codecs release the interpreter lock, so that two help on two cores.

    Notes
    -----
    Use it as a context manager, or call `close`: it leaves no thread behind.
    """

    def __init__(
        self, load: Callable[[Key], Film], *, budget_bytes: int = _DEFAULT_BUDGET, workers: int = 1
    ) -> None:
        self._load = load
        self._budget = budget_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, Film] = OrderedDict()
        self._failed: OrderedDict[Key, ImageError] = OrderedDict()
        self._loading: dict[Key, Future[Film]] = {}
        self._wanted: tuple[Key, ...] = ()
        self._current: Key | None = None
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="prefetch")
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def kept_bytes(self) -> int:
        """Memory of the films that are kept."""
        with self._lock:
            return sum(film.nbytes for film in self._kept.values())

    def settle(self) -> None:
        """Wait until all that was asked for is loaded or dropped."""
        while True:
            with self._lock:
                pending = tuple(self._loading.values())
            if not pending:
                return
            wait(pending)

    def ready(self, key: Key) -> bool:
        """Whether `get` would answer at once, be it with a film or its error."""
        with self._lock:
            return key in self._kept or key in self._failed

    def kept(self, key: Key) -> Film | None:
        """Return a film that is there already, at once; None where it has to be loaded.

        Raises
        ------
        ImageError
            If it is known that it cannot be read.
        """
        with self._lock:
            film = self._known(key)
            if film is not None:
                self._current = key
            return film

    def prefetch(self, keys: Iterable[Key]) -> None:
        """Load these in the background, the first first; waiting ones that are not among them are dropped."""
        wanted = tuple(dict.fromkeys(keys))
        with self._lock:
            if self._closed:
                return
            self._wanted = wanted
            for key, future in list(self._loading.items()):
                if key not in wanted and future.cancel():
                    del self._loading[key]
            for key in wanted:
                known = key in self._kept or key in self._failed or key in self._loading
                if not known:
                    self._loading[key] = self._pool.submit(self._work, key)

    def get(self, key: Key) -> Film:
        """Return a film: kept, or as soon as it is loaded.

        Raises
        ------
        ImageError
            If it cannot be read, now or when it was prefetched.
        """
        with self._lock:
            film = self._known(key)
            self._current = key
            if film is not None:
                return film
            future = self._loading.get(key)
            if future is not None and future.cancel():
                future = None  # it has not begun: no use to wait behind others
            if future is None:
                mine: Future[Film] = Future()
                mine.set_running_or_notify_cancel()
                self._loading[key] = mine  # whoever wants it too waits for this one
        if future is not None:
            try:
                return future.result()
            except CancelledError:
                return self.get(key)  # dropped by somebody's prefetch in between
        try:
            film = self._work(key)
        except BaseException as error:
            mine.set_exception(error)
            raise
        mine.set_result(film)
        return film

    def forget(self, key: Key) -> None:
        """Drop a film or its error, so that the next `get` reads it anew."""
        with self._lock:
            self._kept.pop(key, None)
            self._failed.pop(key, None)

    def close(self) -> None:
        """Drop what waits, wait for what is being loaded, and end the threads."""
        with self._lock:
            self._closed = True
            for future in self._loading.values():
                future.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            self._loading.clear()
            self._kept.clear()
            self._failed.clear()

    def _known(self, key: Key) -> Film | None:
        """A kept film, now the most recent one; raises a remembered error. The lock is held."""
        if key in self._failed:
            known = self._failed[key]
            raise type(known)(known.what, known.next_step)
        film = self._kept.get(key)
        if film is not None:
            self._kept.move_to_end(key)
        return film

    def _work(self, key: Key) -> Film:
        try:
            film = self._load(key)
        except ImageError as error:
            with self._lock:
                self._loading.pop(key, None)
                if not self._closed:
                    self._failed[key] = error.with_traceback(None)
            raise
        except BaseException:
            with self._lock:
                self._loading.pop(key, None)
            raise
        with self._lock:
            self._loading.pop(key, None)
            if not self._closed:
                self._kept[key] = film
                self._kept.move_to_end(key)
                self._make_room()
        return film

    def _make_room(self) -> None:
        """Drop films above the budget, never the one that was asked for last. The lock is held.

        First those that nobody wants any more, the least recently used first; then neighbours, the farthest
        first, and with it all that are still waiting and farther than that.
        """
        total = sum(film.nbytes for film in self._kept.values())
        places = {key: place for place, key in enumerate(self._wanted)}
        spare = [key for key in self._kept if key not in places]
        spare += sorted((key for key in self._kept if key in places), key=lambda key: -places[key])
        for key in spare:
            if total <= self._budget:
                return
            if key == self._current:
                continue
            total -= self._kept.pop(key).nbytes
            if key in places:
                for farther in self._wanted[places[key] + 1 :]:
                    future = self._loading.get(farther)
                    if future is not None and future.cancel():
                        del self._loading[farther]
