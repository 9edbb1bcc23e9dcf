"""Stores what the coordinator corrects on one film: one correction at a time, never in the UI thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from reader_app.imaging.geometry import Box
from reader_app.ui.background import Job, Operation
from reader_app.ui.film.ruler import Line

if TYPE_CHECKING:
    from reader_app.operations.correct_film import Calibration, FilmEntry
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor

_POLARITY_WORDS = {
    None: "Black and white are as the file says.",
    True: "The film is turned round for everybody.",
    False: "The film is upright for everybody.",
}


@dataclass(frozen=True)
class Stored:
    """A correction that was stored.

    Attributes
    ----------
    before, after
        The film as it was listed, and as it is now.
    said
        What was done; empty where the film itself shows it.
    notes
        What the coordinator should know about it.
    pixels
        Whether the film looks or measures otherwise and must be loaded anew.
    onward
        Whether the coordinator is done with the film.
    """

    before: FilmEntry
    after: FilmEntry
    said: str
    notes: tuple[str, ...] = ()
    pixels: bool = True
    onward: bool = False


class FilmCorrections(QWidget):
    """The verbs upon one film; invisible.

    Signals
    -------
    stored(Stored)
        A correction is on the disk.
    refused(ReaderError)
        It is not, and nothing was changed.
    proposed(Line, float, Calibration)
        What a line across a marker of that many mm would come to.
    doubted(ReaderError)
        Why it would come to nothing.
    """

    stored = Signal(object)
    refused = Signal(object)
    proposed = Signal(object, float, object)
    doubted = Signal(object)

    def __init__(self, study: Study, actor: Actor, parent: QWidget) -> None:
        super().__init__(parent)
        self.hide()
        self._study = study
        self._actor = actor
        self._busy = False

    @property
    def busy(self) -> bool:
        """Whether something is being stored: nothing else is taken until it is."""
        return self._busy

    def check(self, entry: FilmEntry, *, checked: bool) -> None:
        """Note that the coordinator has looked at a film, or has not after all."""

        def change() -> tuple[str, ...]:
            from reader_app.operations.correct_film import text_checked

            text_checked(self._study, self._actor, entry.radiograph_id, checked)
            return ()

        said = "" if checked else "This film is to be checked again."
        self._store(entry, change, said=said, pixels=False, onward=checked)

    def calibrate(self, entry: FilmEntry, line: Line, *, marker_mm: float) -> None:
        """Give a film millimetres by a line across a marker."""

        def change() -> tuple[str, ...]:
            from reader_app.operations.correct_film import calibrate

            return calibrate(
                self._study,
                self._actor,
                entry.radiograph_id,
                marker_mm=marker_mm,
                start=line.start,
                end=line.end,
            ).notes

        self._store(entry, change, said=f"Calibrated by a marker of {marker_mm:g} mm.")

    def forget_calibration(self, entry: FilmEntry) -> None:
        """Give a film its own millimetres back."""

        def change() -> tuple[str, ...]:
            from reader_app.operations.correct_film import forget_calibration

            return forget_calibration(self._study, self._actor, entry.radiograph_id)

        self._store(entry, change, said="The film has its own millimetres again.")

    def box_out(self, entry: FilmEntry, parts: tuple[Box, ...]) -> None:
        """Black out these parts of a film, instead of those before."""

        def change() -> tuple[str, ...]:
            from reader_app.operations.correct_film import box_out

            return box_out(self._study, self._actor, entry.radiograph_id, parts)

        self._store(
            entry, change, said=f"Parts boxed out: {len(parts)}." if parts else "No part is boxed out."
        )

    def set_polarity(self, entry: FilmEntry, inverse: bool | None) -> None:
        """Decide what is black and what is white; None leaves it to the file."""

        def change() -> tuple[str, ...]:
            from reader_app.operations.correct_film import override_polarity

            return override_polarity(self._study, self._actor, entry.radiograph_id, inverse)

        self._store(entry, change, said=_POLARITY_WORDS[inverse])

    def propose(self, entry: FilmEntry, line: Line, *, marker_mm: float) -> None:
        """Work out what `calibrate` would store."""

        def work(_job: Job) -> Calibration:
            from reader_app.operations.correct_film import proposed_calibration

            return proposed_calibration(
                self._study,
                self._actor,
                entry.radiograph_id,
                marker_mm=marker_mm,
                start=line.start,
                end=line.end,
            )

        def tell(found: Calibration) -> None:
            self.proposed.emit(line, marker_mm, found)

        Operation(work).success(tell).failure(self.doubted.emit).run(self)

    def _store(
        self,
        before: FilmEntry,
        change: Callable[[], tuple[str, ...]],
        *,
        said: str,
        pixels: bool = True,
        onward: bool = False,
    ) -> None:
        if self._busy:
            return
        self._busy = True

        def work(_job: Job) -> Stored:
            from reader_app.operations.correct_film import film_entry

            notes = change()
            after = film_entry(self._study, self._actor, before.radiograph_id)
            return Stored(before, after, said, notes, pixels, onward)

        def tell(stored: Stored) -> None:
            self._busy = False  # whoever hears it may store the next one at once
            self.stored.emit(stored)

        Operation(work).success(tell).failure(self.refused.emit).done(self._ended).run(self)

    def _ended(self) -> None:
        self._busy = False
