"""Showing a case mirrored, right as left: what is stored stays as the film has it.

Each function here is its own inverse: what turns a film's coordinates and sides into those of the mirrored
display turns the display's back. The joint that a reader sees as the left one of a mirrored film is the right
one, under the same number: grades need no turning, only boxes, lines, letters and pixels do.

Points that readers set are rounded to 1/1024 of a pixel first (`snapped`, `snapped_point`): so they come back
from the mirror bit by bit, and a change finds what it replaces.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reader_app.imaging.geometry import Box, Laterality
from reader_app.imaging.overlay_planes import Overlay
from reader_app.imaging.radiograph import Radiograph
from reader_app.reading.case import Case, CaseFilm, Joint, JointSide
from reader_app.reading.change import BoxChange, Change, MeasurementChange
from reader_app.reading.commands import Command, KeepMeasurement, MoveBox
from reader_app.reading.measurement import KeptMeasurement, Point
from reader_app.reading.pregrade import Heatmap, PreGrade
from reader_app.reading.session import ReadingContent

GRID = 1024
"""Points a pixel: a power of two, so that differences of rounded places are exact."""

_SIDE_ORDER = {side: place for place, side in enumerate(JointSide)}
_LATERALITY = {Laterality.RIGHT: Laterality.LEFT, Laterality.LEFT: Laterality.RIGHT}


class CaseMirror:
    """Turns what belongs to the films of one case.

    Parameters
    ----------
    case
        As stored or as shown: it knows how wide the films are.
    """

    def __init__(self, case: Case) -> None:
        self._columns = {film.radiograph_id: film.columns for film in case.films}
        self._film_of = {joint.id: joint.radiograph_id for joint in case.joints}

    def case(self, case: Case) -> Case:
        """Return the case with sides and boxes turned; what looks like the right joint comes first."""
        return replace(case, films=tuple(self._film(film) for film in case.films))

    def box(self, joint_id: int, box: Box) -> Box:
        """Return the box of a joint."""
        return box.mirrored(self._columns[self._film_of[joint_id]])

    def content(self, content: ReadingContent) -> ReadingContent:
        """Return what a reading holds."""
        return replace(
            content,
            boxes={joint_id: self.box(joint_id, box) for joint_id, box in content.boxes.items()},
            measurements={number: self.measurement(kept) for number, kept in content.measurements.items()},
        )

    def change(self, change: Change) -> Change:
        """Return what a command changed."""
        return replace(
            change,
            boxes=tuple(self._box_change(each) for each in change.boxes),
            measurements=tuple(self._measurement_change(each) for each in change.measurements),
        )

    def measurement(self, kept: KeptMeasurement) -> KeptMeasurement:
        """Return a kept length, which is as long as before."""
        columns = self._columns[kept.radiograph_id]
        return replace(kept, start=mirrored_point(kept.start, columns), end=mirrored_point(kept.end, columns))

    def pregrade(self, pregrade: PreGrade) -> PreGrade:
        """Return a pre-grade with the box where the networks looked."""
        return replace(pregrade, box=self.box(pregrade.key.joint_id, pregrade.box))

    def heatmap(self, joint_id: int, heatmap: Heatmap) -> Heatmap:
        """Return a heatmap that lies where it belongs; its values stay."""
        return mirrored_heatmap(heatmap, self._columns[self._film_of[joint_id]])

    def _film(self, film: CaseFilm) -> CaseFilm:
        joints = [self._joint(joint) for joint in film.joints]
        joints.sort(key=lambda joint: _SIDE_ORDER[joint.side])
        return replace(film, joints=tuple(joints))

    def _joint(self, joint: Joint) -> Joint:
        box = self.box(joint.id, joint.box) if joint.box is not None else None
        return replace(joint, side=joint.side.mirrored, box=box)

    def _box_change(self, change: BoxChange) -> BoxChange:
        before, after = (
            self.box(change.joint_id, box) if box is not None else None
            for box in (change.before, change.after)
        )
        return replace(change, before=before, after=after)

    def _measurement_change(self, change: MeasurementChange) -> MeasurementChange:
        before, after = (
            self.measurement(kept) if kept is not None else None for kept in (change.before, change.after)
        )
        return replace(change, before=before, after=after)


def mirrored_point(point: Point, columns: int) -> Point:
    """Return a point (x, y) on the film flipped left to right."""
    return (columns - point[0], point[1])


def mirrored_heatmap(heatmap: Heatmap, columns: int) -> Heatmap:
    """Return a heatmap on the film flipped left to right: pixel centres at x go to columns - 1 - x."""
    turned = heatmap.to_film.copy()
    turned[0] = -turned[0]
    turned[0, 2] += columns - 1
    return replace(heatmap, to_film=turned)


def mirrored_radiograph(film: Radiograph) -> Radiograph:
    """Return a film flipped left to right, with all that lies upon it; its grays stay."""
    side = film.header.laterality
    return replace(
        film,
        header=replace(film.header, laterality=_LATERALITY.get(side, side)),
        pixels=np.ascontiguousarray(film.pixels[:, ::-1]),
        collimated=film.collimated.mirrored(film.header.columns) if film.collimated is not None else None,
        overlays=tuple(Overlay(each.name, each.mask[:, ::-1]) for each in film.overlays),
    )


def snapped(box: Box) -> Box:
    """Return a box with corner and extent rounded to the grid on which mirroring is exact."""
    return Box(*(_on_grid(value) for value in (box.x, box.y, box.width, box.height)))


def snapped_point(point: Point) -> Point:
    """Return a point (x, y) rounded to the same grid."""
    return (_on_grid(point[0]), _on_grid(point[1]))


def snapped_command(command: Command) -> Command:
    """Return a command whose places come back from the mirror as they were."""
    match command:
        case MoveBox(joint_id, box):
            return MoveBox(joint_id, snapped(box))
        case KeepMeasurement():
            return replace(command, start=snapped_point(command.start), end=snapped_point(command.end))
    return command


def _on_grid(value: float) -> float:
    return round(value * GRID) / GRID
