"""What lies upon the films: readers' boxes and lengths, the AI where the design allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from reader_app.errors import ReaderError
from reader_app.reading.case import CaseFilm, GradeKey, JointSide
from reader_app.reading.measurement import Measurement
from reader_app.ui.adjudication.films import LoadedCase
from reader_app.ui.background import Job, Operation
from reader_app.ui.film import words as film_words
from reader_app.ui.film.heat import HeatLayer
from reader_app.ui.film.kept_lines import KeptLine
from reader_app.ui.film.marks import JointMark
from reader_app.ui.film.row import FilmRow
from reader_app.ui.film.ruler import Line

if TYPE_CHECKING:
    from reader_app.operations.study import Study
    from reader_app.reading.pregrade import PreGrade
    from reader_app.store.records import Actor, Disagreement, ReaderMarks

OPACITY_STEP = 0.1
NO_BOXES = "No reader of this case moved a box."
NO_LENGTHS = "No reader of this case kept a length."


@dataclass
class _Switches:
    """What the adjudicator has switched on; kept from case to case."""

    boxes: bool = True
    marks: bool = False
    lengths: bool = False
    pregrade: bool = True
    heatmap: bool = False
    opacity: float = 0.5


class CaseSights(QObject):
    """Draws what belongs upon the films of the disagreement in front.

    The readers' marks are fetched when they are first asked for, and again after each grade: where the third
    grade comes first, the store gives them only then.

    Parameters
    ----------
    owner
        The page: work that outlives it is dropped.

    Attributes
    ----------
    said
        Why something that was asked for is not there, in words; empty where nothing is missing.
    pregrade_changed
        The pre-grade to be shown beside the grades, None where there is none or it is switched off, and why.
    """

    said = Signal(str)
    pregrade_changed = Signal(object, str)

    def __init__(self, study: Study, actor: Actor, films: FilmRow, owner: QWidget) -> None:
        super().__init__(owner)
        self._study = study
        self._actor = actor
        self._films = films
        self._owner = owner
        self._on = _Switches()
        self._loaded: LoadedCase | None = None
        self._current: Disagreement | None = None
        self._marks: tuple[ReaderMarks, ...] | None = None
        self._layers: dict[GradeKey, HeatLayer | None] = {}
        self._asked = 0

    def handlers(self) -> dict[str, Callable[..., object]]:
        """Return what each action does, by its id in the table of actions."""
        return {
            "box-show": partial(self._switch, "boxes"),
            "marks-show": partial(self._switch, "marks"),
            "lengths-show": partial(self._switch, "lengths"),
            "pregrade-show": partial(self._switch, "pregrade"),
            "heatmap-show": partial(self._switch, "heatmap"),
            "heatmap-weaker": partial(self._fade, -OPACITY_STEP),
            "heatmap-stronger": partial(self._fade, OPACITY_STEP),
        }

    def show(self, loaded: LoadedCase, disagreement: Disagreement) -> None:
        """Draw what lies upon the films of a disagreement."""
        if self._loaded is None or self._loaded.case.id != loaded.case.id:
            self._marks, self._layers = None, {}
        self._loaded, self._current = loaded, disagreement
        self._asked += 1
        self.draw()
        self._fetch()

    def forget_marks(self) -> None:
        """Fetch the readers' marks again when they are wanted next."""
        self._marks = None

    def clear(self) -> None:
        """Let go of the case."""
        self._loaded, self._current, self._marks = None, None, None
        self._asked += 1
        self.pregrade_changed.emit(None, "")

    def draw(self) -> None:
        """Draw everything anew."""
        loaded, current = self._loaded, self._current
        if loaded is None or current is None:
            return
        missing = ""
        pregrade, note = self._pregrade(loaded, current)
        self.pregrade_changed.emit(pregrade, note)
        layer: HeatLayer | None = None
        if self._on.heatmap:
            layer, missing = self._heat(pregrade, note)
        here = loaded.case.film_of(current.joint_id).radiograph_id
        for film in loaded.case.films:
            view = self._films.view(film.radiograph_id)
            view.show_boxes(self._on.boxes or self._on.marks)
            view.show_marks(self._marks_of(film, current))
            view.kept.show(self._lines_of(film))
            view.show_heat(layer if film.radiograph_id == here else None, opacity=self._on.opacity)
        self.said.emit(missing or self._absent())

    # Switches -----------------------------------------------------------------------------------

    def _switch(self, name: str, on: bool) -> None:
        setattr(self._on, name, on)
        self.draw()
        self._fetch()

    def _fade(self, step: float) -> None:
        self._on.opacity = min(max(round(self._on.opacity + step, 2), OPACITY_STEP), 1.0)
        self.draw()

    # The readers' marks -------------------------------------------------------------------------

    def _fetch(self) -> None:
        loaded = self._loaded
        if loaded is None or self._marks is not None or not (self._on.marks or self._on.lengths):
            return
        asked, case_id = self._asked, loaded.case.id

        def work(_job: Job) -> tuple[ReaderMarks, ...]:
            from reader_app.operations import adjudicate

            return adjudicate.marks(self._study, self._actor, case_id)

        def take(found: tuple[ReaderMarks, ...]) -> None:
            # The person may have gone on meanwhile.
            if asked == self._asked:
                self._marks = found
                self.draw()

        def refuse(fault: ReaderError) -> None:
            if asked == self._asked:
                self.said.emit(f"{fault.what} {fault.next_step}".strip())

        Operation(work).success(take).failure(refuse).run(self._owner)

    def _absent(self) -> str:
        if self._marks is None:
            return ""
        boxes = any(one.boxes for one in self._marks)
        lengths = any(one.measurements for one in self._marks)
        missing = [
            words
            for on, there, words in (
                (self._on.marks, boxes, NO_BOXES),
                (self._on.lengths, lengths, NO_LENGTHS),
            )
            if on and not there
        ]
        return " ".join(missing)

    def _marks_of(self, film: CaseFilm, current: Disagreement) -> tuple[JointMark, ...]:
        shown = [
            JointMark(joint.id, joint.box, joint.side.label, current=joint.id == current.joint_id)
            for joint in film.joints
            if self._on.boxes and joint.box is not None and joint.side is not JointSide.WHOLE
        ]
        joints = {joint.id for joint in film.joints}
        if self._on.marks:
            drawn = [
                (one.letter, box)
                for one in self._marks or ()
                for joint_id, box in one.boxes.items()
                if joint_id in joints
            ]
            # Numbers below zero are no joints: a reader's box is looked at, not taken hold of.
            shown += [
                JointMark(-number, box, f"Reader {letter}")
                for number, (letter, box) in enumerate(drawn, start=1)
            ]
        return tuple(shown)

    def _lines_of(self, film: CaseFilm) -> Sequence[KeptLine]:
        if not self._on.lengths:
            return ()
        kept = [
            (one.letter, length)
            for one in self._marks or ()
            for length in one.measurements
            if length.radiograph_id == film.radiograph_id
        ]
        return [
            KeptLine(number, Line(length.start, length.end), _signed(letter, length.measurement))
            for number, (letter, length) in enumerate(kept, start=1)
        ]

    # The AI -------------------------------------------------------------------------------------

    def _pregrade(self, loaded: LoadedCase, current: Disagreement) -> tuple[PreGrade | None, str]:
        from reader_app.operations import adjudicate

        if not self._study.design.adjudication.pregrade_shown:
            return None, loaded.opened.pregrade_note if self._on.heatmap else ""
        if not self._on.pregrade:
            return None, ""
        found = adjudicate.pregrade_for(self._study, loaded.opened, current.joint_id, current.item)
        return found, "" if found else (loaded.opened.pregrade_note or "No pre-grade for this item.")

    def _heat(self, pregrade: PreGrade | None, note: str) -> tuple[HeatLayer | None, str]:
        if pregrade is None:
            return None, note or "There is no heatmap: the pre-grade is not shown."
        if pregrade.key not in self._layers:
            from reader_app.operations import adjudicate

            try:
                found = adjudicate.heatmap(self._study, self._actor, pregrade)
            except ReaderError as fault:
                return None, f"{fault.what} {fault.next_step}".strip()
            self._layers[pregrade.key] = HeatLayer.of(found) if found is not None else None
        layer = self._layers[pregrade.key]
        return layer, "" if layer else "The bundle made no heatmap for this item."


def _signed(letter: str, measurement: Measurement) -> tuple[str, ...]:
    first, *others = film_words.words_of(measurement)
    return (f"Reader {letter}: {first}", *others)
