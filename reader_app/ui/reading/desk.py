"""What the reading screen asks of the operations, and the real answer to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from reader_app.imaging.pyramid import Pyramid
from reader_app.operations import read
from reader_app.operations.progress import Report
from reader_app.operations.read import Locked, OpenCase
from reader_app.operations.study import Study
from reader_app.reading.case import GradeKey
from reader_app.reading.change import Change
from reader_app.reading.commands import Command
from reader_app.reading.pregrade import Heatmap
from reader_app.reading.worklist import Progress, Upcoming, WorklistEntry
from reader_app.store.records import Actor
from reader_app.store.signatures import SigningDetails
from reader_app.ui.reading.amender import Amender
from reader_app.ui.reading.clock import ActiveTime
from reader_app.ui.reading.signer import Signer

if TYPE_CHECKING:
    from reader_app.operations.pregrade import PregradeReport, WarmWorkers

Wanted = Command | Literal["undo", "redo"]


@dataclass(frozen=True)
class FilmKey:
    """Which film, in which version and which way round: one that was corrected meanwhile is loaded anew."""

    radiograph_id: int
    version: str
    mirrored: bool = False

    @classmethod
    def all_of(cls, case: OpenCase) -> tuple[FilmKey, ...]:
        """Return the keys of the films of a case, as they hang."""
        mirrored = case.reading.mirrored
        return tuple(cls(film.radiograph_id, film.version, mirrored) for film in case.case.films)


class ReadingDesk(Protocol):
    """The verbs of one reader in one study; each raises `ReaderError` for what a user can cause."""

    signer: Signer
    amender: Amender

    def progress(self) -> Progress:
        """Return how much of the reader's worklist is done."""

    def entry_at(self, place: int) -> WorklistEntry | None:
        """Return what stands at a place of the worklist now, None beyond its ends."""

    def next_case(self, after_place: int) -> Upcoming:
        """Return where to go on after a place."""

    def next_cases(self, after_place: int, limit: int) -> tuple[WorklistEntry, ...]:
        """Return the next cases that can be opened."""

    def open_case(self, assignment_id: int) -> OpenCase:
        """Open a case; the first time begins the reading."""

    def commit(
        self, open_case: OpenCase, wanted: Wanted, *, pregrade_in_sight: bool, in_sight_seconds: float
    ) -> Change:
        """Carry out a command and store it."""

    def lock(self, open_case: OpenCase, *, time: ActiveTime, signing: SigningDetails) -> Locked:
        """Sign the reading."""

    def add_active_time(self, open_case: OpenCase, time: ActiveTime) -> None:
        """Record reading time of a case that is left unlocked."""

    def film(self, key: FilmKey) -> Pyramid:
        """Return a film, ready for the screen; called from background threads."""

    def films_ahead(self, assignment_ids: Sequence[int]) -> tuple[FilmKey, ...]:
        """Return the films of cases to come, without beginning their readings."""

    def heatmap(self, open_case: OpenCase, key: GradeKey) -> Heatmap | None:
        """Return where the networks looked for one grade."""

    def ask(self, open_case: OpenCase, *, progress: Report, cancelled: Callable[[], bool]) -> PregradeReport:
        """Have the joints of the case pre-graded that are not yet; called from a background thread."""

    def pregrades_again(self, open_case: OpenCase) -> OpenCase:
        """Return the case with the pre-grades as they are now."""


class StudyDesk:
    """`ReadingDesk` upon a study on disk.

    Parameters
    ----------
    study, actor
        The open study and the reader who is logged in.
    warm
        The window's networks; None starts some for every question.
    """

    def __init__(self, study: Study, actor: Actor, *, warm: WarmWorkers | None = None) -> None:
        self._study = study
        self._actor = actor
        self._warm = warm
        self.signer = Signer(study, actor)
        self.amender = Amender(study, actor)

    def progress(self) -> Progress:
        """Return how much of the reader's worklist is done."""
        return read.progress(self._study, self._actor)

    def entry_at(self, place: int) -> WorklistEntry | None:
        """Return what stands at a place of the worklist now, None beyond its ends."""
        return read.entry_at(self._study, self._actor, place)

    def next_case(self, after_place: int) -> Upcoming:
        """Return where to go on after a place."""
        return read.next_case(self._study, self._actor, after_place=after_place)

    def next_cases(self, after_place: int, limit: int) -> tuple[WorklistEntry, ...]:
        """Return the next cases that can be opened."""
        return read.next_cases(self._study, self._actor, after_place=after_place, limit=limit)

    def open_case(self, assignment_id: int) -> OpenCase:
        """Open a case; the first time begins the reading."""
        return read.open_case(self._study, self._actor, assignment_id)

    def commit(
        self, open_case: OpenCase, wanted: Wanted, *, pregrade_in_sight: bool, in_sight_seconds: float
    ) -> Change:
        """Carry out a command and store it."""
        return read.commit(
            self._study,
            self._actor,
            open_case,
            wanted,
            pregrade_in_sight=pregrade_in_sight,
            in_sight_seconds=in_sight_seconds,
        )

    def lock(self, open_case: OpenCase, *, time: ActiveTime, signing: SigningDetails) -> Locked:
        """Sign the reading."""
        return read.lock(
            self._study,
            self._actor,
            open_case,
            active_seconds=time.seconds,
            in_sight_seconds=time.in_sight,
            signing=signing,
        )

    def add_active_time(self, open_case: OpenCase, time: ActiveTime) -> None:
        """Record reading time of a case that is left unlocked."""
        read.add_active_time(
            self._study, self._actor, open_case, time.seconds, in_sight_seconds=time.in_sight
        )

    def film(self, key: FilmKey) -> Pyramid:
        """Return a film, ready for the screen; called from background threads."""
        return read.pyramid(self._study, self._actor, key.radiograph_id, mirrored=key.mirrored)

    def films_ahead(self, assignment_ids: Sequence[int]) -> tuple[FilmKey, ...]:
        """Return the films of cases to come, without beginning their readings."""
        ahead = read.films_ahead(self._study, self._actor, assignment_ids)
        return tuple(FilmKey(film.radiograph_id, film.version, film.mirrored) for film in ahead)

    def heatmap(self, open_case: OpenCase, key: GradeKey) -> Heatmap | None:
        """Return where the networks looked for one grade."""
        return read.heatmap(self._study, self._actor, open_case, key)

    def ask(self, open_case: OpenCase, *, progress: Report, cancelled: Callable[[], bool]) -> PregradeReport:
        """Have the joints of the case pre-graded that are not yet; called from a background thread."""
        from reader_app.operations.ask_pregrade import ask_for_case

        return ask_for_case(
            self._study, self._actor, open_case, warm=self._warm, progress=progress, cancelled=cancelled
        )

    def pregrades_again(self, open_case: OpenCase) -> OpenCase:
        """Return the case with the pre-grades as they are now."""
        return read.pregrades_again(self._study, self._actor, open_case)
