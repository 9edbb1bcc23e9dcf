"""What the reading screen asks of the operations, and the real answer to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from reader_app.imaging.pyramid import Pyramid
from reader_app.operations import read
from reader_app.operations.read import OpenCase
from reader_app.operations.study import Study
from reader_app.reading.case import CaseFilm, GradeKey
from reader_app.reading.change import Change
from reader_app.reading.commands import Command
from reader_app.reading.pregrade import Heatmap
from reader_app.reading.worklist import WorklistEntry
from reader_app.store.records import Actor

Wanted = Command | Literal["undo", "redo"]


@dataclass(frozen=True)
class FilmKey:
    """Which film, in which version: one that was corrected meanwhile is loaded anew."""

    radiograph_id: int
    version: str

    @classmethod
    def of(cls, film: CaseFilm) -> FilmKey:
        """Return the key of a film of a case."""
        return cls(film.radiograph_id, film.version)


class ReadingDesk(Protocol):
    """The verbs of one reader in one study; each raises `ReaderError` for what a user can cause."""

    def worklist(self) -> tuple[WorklistEntry, ...]:
        """Return the reader's cases in their order."""

    def open_case(self, assignment_id: int) -> OpenCase:
        """Open a case; the first time begins the reading."""

    def commit(self, open_case: OpenCase, wanted: Wanted, *, pregrade_in_sight: bool) -> Change:
        """Carry out a command and store it."""

    def lock(self, open_case: OpenCase, *, active_seconds: float) -> None:
        """Sign the reading."""

    def add_active_time(self, open_case: OpenCase, seconds: float) -> None:
        """Record reading time of a case that is left unlocked."""

    def film(self, key: FilmKey) -> Pyramid:
        """Return a film, ready for the screen; called from background threads."""

    def films_ahead(self, assignment_ids: Sequence[int]) -> tuple[FilmKey, ...]:
        """Return the films of cases to come, without beginning their readings."""

    def heatmap(self, open_case: OpenCase, key: GradeKey) -> Heatmap | None:
        """Return where the networks looked for one grade."""


class StudyDesk:
    """`ReadingDesk` upon a study on disk.

    Parameters
    ----------
    study, actor
        The open study and the reader who is logged in.
    """

    def __init__(self, study: Study, actor: Actor) -> None:
        self._study = study
        self._actor = actor

    def worklist(self) -> tuple[WorklistEntry, ...]:
        """Return the reader's cases in their order."""
        return read.worklist(self._study, self._actor)

    def open_case(self, assignment_id: int) -> OpenCase:
        """Open a case; the first time begins the reading."""
        return read.open_case(self._study, self._actor, assignment_id)

    def commit(self, open_case: OpenCase, wanted: Wanted, *, pregrade_in_sight: bool) -> Change:
        """Carry out a command and store it."""
        return read.commit(self._study, self._actor, open_case, wanted, pregrade_in_sight=pregrade_in_sight)

    def lock(self, open_case: OpenCase, *, active_seconds: float) -> None:
        """Sign the reading."""
        read.lock(self._study, self._actor, open_case, active_seconds=active_seconds)

    def add_active_time(self, open_case: OpenCase, seconds: float) -> None:
        """Record reading time of a case that is left unlocked."""
        read.add_active_time(self._study, self._actor, open_case, seconds)

    def film(self, key: FilmKey) -> Pyramid:
        """Return a film, ready for the screen; called from background threads."""
        return read.pyramid(self._study, self._actor, key.radiograph_id)

    def films_ahead(self, assignment_ids: Sequence[int]) -> tuple[FilmKey, ...]:
        """Return the films of cases to come, without beginning their readings."""
        ahead = read.films_ahead(self._study, self._actor, assignment_ids)
        return tuple(FilmKey(radiograph_id, version) for radiograph_id, version in ahead)

    def heatmap(self, open_case: OpenCase, key: GradeKey) -> Heatmap | None:
        """Return where the networks looked for one grade."""
        return read.heatmap(self._study, self._actor, open_case, key)
