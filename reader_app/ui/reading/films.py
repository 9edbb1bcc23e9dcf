"""Brings the films of a case onto the screen: at once where they are prefetched, else from the background."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from PySide6.QtCore import QObject, Signal

from reader_app.errors import ReaderError
from reader_app.imaging.prefetch import Prefetcher
from reader_app.imaging.pyramid import Pyramid
from reader_app.reading.case import Case, CaseFilm
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
        self._case: Case | None = None
        self._states: dict[int, FilmState] = {}

    def show_case(self, case: Case) -> None:
        """Show the films of a case; those that are not there yet follow with `settled`."""
        self._case = case
        self._states = {film.radiograph_id: FilmState.LOADING for film in case.films}
        self._row.show_films(tuple(self._states))
        for film in case.films:
            self._show_or_load(case, film)

    def prefetch(self, keys: Sequence[FilmKey]) -> None:
        """Load the films of cases to come; those in sight go on counting as the nearest."""
        here = [FilmKey.of(film) for film in self._case.films if self._readable(film)] if self._case else []
        self._shelf.prefetch((*here, *keys))

    def _readable(self, film: CaseFilm) -> bool:
        return self._states[film.radiograph_id] is not FilmState.UNREADABLE

    def state(self, radiograph_id: int) -> FilmState:
        """Return how far a film of the open case is."""
        return self._states[radiograph_id]

    def close(self) -> None:
        """Drop all films and end the threads."""
        self._case = None
        self._shelf.close()

    def _show_or_load(self, case: Case, film: CaseFilm) -> None:
        try:
            pixels = self._shelf.kept(FilmKey.of(film))
        except ReaderError as fault:
            self._show_fault(case, film, fault)
            return
        if pixels is not None:
            self._show_film(case, film, pixels)
        else:
            self._row.view(film.radiograph_id).show_sentence(LOADING)
            self._load(case, film)

    def _load(self, case: Case, film: CaseFilm) -> None:
        key = FilmKey.of(film)
        (
            Operation(lambda _job: self._shelf.get(key))
            .success(lambda pixels: self._show_film(case, film, pixels))
            .failure(lambda fault: self._show_fault(case, film, fault))
            .run(self._row)
        )

    def _show_film(self, case: Case, film: CaseFilm, pixels: Pyramid) -> None:
        # The reader may have gone on while it was loading: a late film must not land on another case.
        if case is not self._case:
            return
        self._states[film.radiograph_id] = FilmState.SHOWN
        self._row.view(film.radiograph_id).show_film(pixels)
        self.settled.emit(film.radiograph_id)

    def _show_fault(self, case: Case, film: CaseFilm, fault: ReaderError) -> None:
        # Not remembered: the disk may be back when the case is opened again.
        self._shelf.forget(FilmKey.of(film))
        if case is not self._case:
            return
        self._states[film.radiograph_id] = FilmState.UNREADABLE
        self._row.view(film.radiograph_id).show_sentence(f"{fault.what}\n\n{fault.next_step}", fault=True)
        self.settled.emit(film.radiograph_id)
