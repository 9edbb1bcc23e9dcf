"""Puts boxes, heatmap and labels of an open case upon its films."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reader_app.errors import ReaderError
from reader_app.operations.read import OpenCase
from reader_app.reading.case import CaseFilm, GradeKey, JointSide
from reader_app.reading.pregrade import Heatmap, speaking_for
from reader_app.ui.film.heat import HeatLayer
from reader_app.ui.film.labels import FilmLabels
from reader_app.ui.film.marks import JointMark
from reader_app.ui.film.row import FilmRow
from reader_app.ui.film.words import edge_letters, lone_letter
from reader_app.ui.grades.panel import film_title

OPACITY_STEP = 0.1


@dataclass
class Switches:
    """What the reader has switched on; kept from case to case.

    Attributes
    ----------
    pregrade
        Off hides everything that a machine said: grades, heatmap and the boxes that it found.
    follow_joint
        Whether the film is fitted to the current joint and goes along with it.
    """

    pregrade: bool = True
    heatmap: bool = False
    boxes: bool = True
    opacity: float = 0.5
    follow_joint: bool = False

    def of_actions(self) -> dict[str, bool]:
        """Return what is on, by the action that switches it."""
        return {"pregrade-show": self.pregrade, "heatmap-show": self.heatmap, "box-show": self.boxes}

    def fade(self, step: float) -> None:
        """Make the heatmap stronger or weaker."""
        self.opacity = min(max(round(self.opacity + step, 2), OPACITY_STEP), 1.0)


class CaseOverlays:
    """Draws what belongs upon the films of one open case.

    Parameters
    ----------
    heatmap
        Fetches a heatmap; None where there is none.

    Attributes
    ----------
    layer
        The heatmap that lies upon a film; None while there is none.
    """

    def __init__(self, row: FilmRow, heatmap: Callable[[OpenCase, GradeKey], Heatmap | None]) -> None:
        self._row = row
        self._fetch = heatmap
        self._layers: dict[GradeKey, HeatLayer | None] = {}
        self._case: OpenCase | None = None
        self.layer: HeatLayer | None = None

    def show(self, open_case: OpenCase, current: GradeKey | None, switches: Switches) -> str:
        """Draw everything anew.

        Returns
        -------
        str
            Why the heatmap that was asked for is not there; empty where nothing is missing.
        """
        if open_case is not self._case:
            self._case = open_case
            self._layers = {}
        word, layer = self._layer(open_case, current, switches)
        self.layer = layer
        for number, film in enumerate(open_case.case.films):
            view = self._row.view(film.radiograph_id)
            view.show_labels(_labels(open_case, film, number))
            view.show_boxes(switches.boxes)
            view.show_marks(_marks(open_case, film, current, switches))
            here = current is not None and any(joint.id == current.joint_id for joint in film.joints)
            view.show_heat(layer if here else None, opacity=switches.opacity)
        return word

    def _layer(
        self, open_case: OpenCase, current: GradeKey | None, switches: Switches
    ) -> tuple[str, HeatLayer | None]:
        if not (switches.heatmap and switches.pregrade) or current is None:
            return "", None
        speaking = speaking_for(open_case.pregrades, current)
        if speaking is None:
            why = open_case.silent.get(current, "") or "This item has no pre-grade."
            return f"No heatmap: {why[0].lower()}{why[1:]}", None
        if speaking.key not in self._layers:
            try:
                found = self._fetch(open_case, speaking.key)
            except ReaderError as fault:
                return f"{fault.what} {fault.next_step}".strip(), None
            self._layers[speaking.key] = HeatLayer.of(found) if found is not None else None
        layer = self._layers[speaking.key]
        return ("" if layer else "The bundle made no heatmap for this item."), layer


def _labels(open_case: OpenCase, film: CaseFilm, number: int) -> FilmLabels:
    places = [(joint.side, open_case.session.box(joint.id)) for joint in film.joints]
    title = film_title(film, number) if len(open_case.case.films) > 1 else film.visit
    return FilmLabels(title, edge_letters(places), lone_letter(places), film.phantom)


def _marks(
    open_case: OpenCase, film: CaseFilm, current: GradeKey | None, switches: Switches
) -> tuple[JointMark, ...]:
    session = open_case.session
    graded = {key.joint_id for key in session.keys}
    marks = []
    for joint in film.joints:
        box = session.box(joint.id)
        if box is None or joint.side is JointSide.WHOLE or joint.id not in graded:
            continue
        moved = box != joint.box
        if not moved and not switches.pregrade:
            continue  # the machine found it
        marks.append(
            JointMark(
                joint.id,
                box,
                joint.side.label,
                current=current is not None and current.joint_id == joint.id,
                moved=moved,
                excluded=session.exclusion(joint.id) is not None,
            )
        )
    return tuple(marks)
