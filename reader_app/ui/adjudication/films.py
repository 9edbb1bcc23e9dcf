"""The films of a case for the adjudicator: loaded off the UI thread, the next case ahead of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reader_app.errors import ImageError
from reader_app.imaging.prefetch import Prefetcher
from reader_app.imaging.pyramid import Pyramid
from reader_app.reading.case import Case, CaseFilm
from reader_app.ui.film import words as film_words
from reader_app.ui.film.row import FilmRow
from reader_app.ui.film.view import FilmLabels

if TYPE_CHECKING:
    from reader_app.operations.adjudicate import CaseInQueue
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor


@dataclass(frozen=True)
class LoadedCase:
    """A case with its pixels, by radiograph id; a film that cannot be read has a fault in its place."""

    opened: CaseInQueue
    films: Mapping[int, Pyramid]
    faults: Mapping[int, ImageError]

    @property
    def case(self) -> Case:
        """Its films and joints."""
        return self.opened.case

    @property
    def nbytes(self) -> int:
        """Memory that the pixels take."""
        return sum(film.nbytes for film in self.films.values())


def load_case(study: Study, actor: Actor, case_id: int) -> LoadedCase:
    """Read a case in the queue with all its films; for any thread."""
    from reader_app.operations import adjudicate

    opened = adjudicate.open_case(study, actor, case_id)
    films: dict[int, Pyramid] = {}
    faults: dict[int, ImageError] = {}
    for film in opened.case.films:
        try:
            films[film.radiograph_id] = adjudicate.pyramid(study, actor, film.radiograph_id)
        except ImageError as fault:
            faults[film.radiograph_id] = fault
    return LoadedCase(opened, films, faults)


def case_loader(study: Study, actor: Actor) -> Prefetcher[int, LoadedCase]:
    """Return a prefetcher of cases by id."""
    return Prefetcher(lambda case_id: load_case(study, actor, case_id))


def show_case(row: FilmRow, loaded: LoadedCase, joint_id: int) -> None:
    """Show all films of a case, the one with the joint framed."""
    films = loaded.case.films
    row.show_films(tuple(film.radiograph_id for film in films))
    for film in films:
        view = row.view(film.radiograph_id)
        view.show_labels(_labels(film))
        fault = loaded.faults.get(film.radiograph_id)
        if fault is not None:
            view.show_sentence(str(fault), fault=True)
        else:
            view.show_film(loaded.films[film.radiograph_id])
    row.show_current(loaded.case.film_of(joint_id).radiograph_id)


def _labels(film: CaseFilm) -> FilmLabels:
    joints = [(joint.side, joint.box) for joint in film.joints]
    return FilmLabels(
        title=film.visit,
        edges=film_words.edge_letters(joints),
        lone=film_words.lone_letter(joints),
        phantom=film.phantom,
    )
