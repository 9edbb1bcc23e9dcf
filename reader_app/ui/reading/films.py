"""Brings the films of a case onto the screen: at once where they are prefetched, else from the background."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from PySide6.QtCore import QObject, Signal

from reader_app.errors import ReaderError
from reader_app.imaging.prefetch import Prefetcher
from reader_app.imaging.pyramid import Pyramid
from reader_app.operations.read import OpenCase
from reader_app.ui.background import Operation
from reader_app.ui.film.row import FilmRow
from reader_app.ui.reading.desk import FilmKey, ReadingDesk

LOADING = "Loading the film …"


class FilmState(Enum):
    """How far a film of the open case is."""

    LOADING = auto()
    SHOWN = auto()
    UNREADABLE = auto()


class CaseFilms(QObject):
    """Loads films for a row of views.

    Signals
    -------
    settled(int)
        The film with this radiograph id is shown, or its fault is.
    """

    settled = Signal(int)

    def __init__(self, desk: ReadingDesk, row: FilmRow) -> None:
        super().__init__(row)
        self._row = row
        self._shelf: Prefetcher[FilmKey, Pyramid] = Prefetcher(desk.film)
        self._case: OpenCase | None = None
        self._keys: dict[int, FilmKey] = {}
        self._states: dict[int, FilmState] = {}

    def show_case(self, case: OpenCase) -> None:
        """Show the films of a case; those that are not there yet follow with `settled`.

        Films that hang already stay as they are, with window and zoom: the same case read again with the AI.
        """
        before, self._case = self._keys, case
        self._keys = {key.radiograph_id: key for key in FilmKey.all_of(case)}
        if before == self._keys and set(self._states.values()) == {FilmState.SHOWN}:
            return
        self._states = dict.fromkeys(self._keys, FilmState.LOADING)
        self._row.show_films(tuple(self._states))
        for key in self._keys.values():
            self._show_or_load(case, key)

    def prefetch(self, keys: Sequence[FilmKey]) -> None:
        """Load the films of cases to come; those in sight go on counting as the nearest."""
        here = [key for id_, key in self._keys.items() if self._states[id_] is not FilmState.UNREADABLE]
        self._shelf.prefetch((*here, *keys))

    def state(self, radiograph_id: int) -> FilmState:
        """Return how far a film of the open case is."""
        return self._states[radiograph_id]

    def close(self) -> None:
        """Drop all films and end the threads."""
        self._case = None
        self._shelf.close()

    def _show_or_load(self, case: OpenCase, key: FilmKey) -> None:
        try:
            pixels = self._shelf.kept(key)
        except ReaderError as fault:
            self._show_fault(case, key, fault)
            return
        if pixels is not None:
            self._show_film(case, key, pixels)
        else:
            self._row.view(key.radiograph_id).show_sentence(LOADING)
            self._load(case, key)

    def _load(self, case: OpenCase, key: FilmKey) -> None:
        (
            Operation(lambda _job: self._shelf.get(key))
            .success(lambda pixels: self._show_film(case, key, pixels))
            .failure(lambda fault: self._show_fault(case, key, fault))
            .run(self._row)
        )

    def _show_film(self, case: OpenCase, key: FilmKey, pixels: Pyramid) -> None:
        # The reader may have gone on while it was loading: a late film must not land on another case.
        if case is not self._case:
            return
        self._states[key.radiograph_id] = FilmState.SHOWN
        self._row.view(key.radiograph_id).show_film(pixels)
        self.settled.emit(key.radiograph_id)

    def _show_fault(self, case: OpenCase, key: FilmKey, fault: ReaderError) -> None:
        # Not remembered: the disk may be back when the case is opened again.
        self._shelf.forget(key)
        if case is not self._case:
            return
        self._states[key.radiograph_id] = FilmState.UNREADABLE
        self._row.view(key.radiograph_id).show_sentence(f"{fault.what}\n\n{fault.next_step}", fault=True)
        self.settled.emit(key.radiograph_id)
