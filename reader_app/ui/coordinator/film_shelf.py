"""Brings the marked film onto the bench: at once where it was loaded ahead, else from the background."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from reader_app.errors import ReaderError
from reader_app.imaging.prefetch import Prefetcher
from reader_app.imaging.pyramid import Pyramid
from reader_app.ui.background import Operation
from reader_app.ui.coordinator.film_bench import FilmBench

if TYPE_CHECKING:
    from reader_app.operations.correct_film import FilmEntry
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor

STILL_MILLISECONDS = 60
"""A film is loaded once the mark has stood on it for this long: a held key flies over the others."""
SETTLE_MILLISECONDS = 150
"""Nobody has looked at a film in less: a key that comes sooner was meant for the film before."""

_Key = tuple[int, int]
"""Radiograph and how often it was corrected since the list was opened."""


class FilmShelf(QObject):
    """Loads films for one bench.

    Parameters
    ----------
    near
        The films that may be wanted next, the likeliest first; asked for once a film is in sight.
    """

    def __init__(
        self, study: Study, actor: Actor, bench: FilmBench, near: Callable[[], Sequence[FilmEntry]]
    ) -> None:
        super().__init__(bench)
        self._study = study
        self._actor = actor
        self._bench = bench
        self._near = near
        self._revisions: dict[int, int] = {}
        self._shelf: Prefetcher[_Key, Pyramid] = Prefetcher(self._load)
        self._still = QTimer(self, singleShot=True, interval=STILL_MILLISECONDS)
        self._still.timeout.connect(self._get)
        self._arrival = QTimer(self, singleShot=True, interval=SETTLE_MILLISECONDS)

    @property
    def looked_at(self) -> bool:
        """Whether the film on the bench has been in sight for long enough to be looked at."""
        view = self._bench.view
        in_sight = view is not None and view.radiograph is not None
        return in_sight and not self._arrival.isActive()

    def show(self, entry: FilmEntry) -> None:
        """Put a film on the bench; its pixels follow as soon as they are there."""
        self._bench.show_entry(entry)
        self._still.stop()
        film = None
        try:
            film = self._shelf.kept(self._key(entry))
        except ReaderError:
            self._shelf.forget(self._key(entry))  # the disk may be back
        if film is not None:
            self._show(self._key(entry), film)
        else:
            self._still.start()

    def renew(self, entry: FilmEntry) -> None:
        """Drop a film that was corrected; the one on the bench is loaded again at once."""
        self._shelf.forget(self._key(entry))
        self._revisions[entry.radiograph_id] = self._key(entry)[1] + 1
        if self._bench.entry is not None and self._bench.entry.radiograph_id == entry.radiograph_id:
            self._bench.show_loading()  # what is in sight is no longer what readers get
            self._get()

    def close(self) -> None:
        """Drop all films and end the threads, in the background."""
        self._still.stop()
        self._arrival.stop()
        Operation(lambda _job: self._shelf.close()).run(self._bench.window())

    def _key(self, entry: FilmEntry) -> _Key:
        return (entry.radiograph_id, self._revisions.get(entry.radiograph_id, 0))

    def _load(self, key: _Key) -> Pyramid:
        from reader_app.operations.correct_film import film

        return Pyramid(film(self._study, self._actor, key[0]))

    def _get(self) -> None:
        entry = self._bench.entry
        if entry is None:
            return
        key = self._key(entry)
        (
            Operation(lambda _job: self._shelf.get(key))
            .success(lambda film: self._show(key, film))
            .failure(lambda fault: self._show_fault(key, fault))
            .run(self._bench)
        )

    def _wanted(self, key: _Key) -> bool:
        # The coordinator may have gone on while it was loading: a late film must not land on another.
        return self._bench.entry is not None and self._key(self._bench.entry) == key

    def _show(self, key: _Key, film: Pyramid) -> None:
        if self._wanted(key):
            self._bench.show_film(film)
            self._arrival.start()
            self._shelf.prefetch([key, *(self._key(entry) for entry in self._near())])

    def _show_fault(self, key: _Key, fault: ReaderError) -> None:
        # Not remembered: the disk may be back when it is looked at again.
        self._shelf.forget(key)
        if self._wanted(key):
            self._bench.show_sentence(f"{fault.what}\n\n{fault.next_step}")
