"""What a reader can ask of a reading. A command says what is wanted; the session turns it into a `Change`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reader_app.imaging.geometry import Box
from reader_app.imaging.spacing import Spacing
from reader_app.reading.case import GradeKey
from reader_app.reading.measurement import Point


@dataclass(frozen=True)
class SetGrade:
    """Give one item of one joint a grade of its scale."""

    key: GradeKey
    code: int


@dataclass(frozen=True)
class ClearGrade:
    """Take one grade away."""

    key: GradeKey


@dataclass(frozen=True)
class GradeRest:
    """Give what is still ungraded on one joint the lowest grade of its scale: nothing else is there."""

    joint_id: int


@dataclass(frozen=True)
class MoveBox:
    """Put the box of a joint where the reader sees the joint, in film pixels."""

    joint_id: int
    box: Box


@dataclass(frozen=True)
class AcceptPreGrade:
    """Take the AI's most likely grades of one joint over as one's own, as far as still ungraded."""

    joint_id: int
    codes: Mapping[GradeKey, int]


@dataclass(frozen=True)
class ExcludeJoint:
    """Declare a joint impossible to grade, for a reason of the protocol."""

    joint_id: int
    reason_id: str
    note: str = ""


@dataclass(frozen=True)
class IncludeJoint:
    """Take the exclusion of a joint back."""

    joint_id: int


@dataclass(frozen=True)
class KeepMeasurement:
    """Keep a length with the reading: from one point (x, y) of a film to another, in film pixels."""

    radiograph_id: int
    start: Point
    end: Point
    spacing: Spacing


@dataclass(frozen=True)
class RemoveMeasurement:
    """Take a kept length away."""

    number: int


Command = (
    SetGrade
    | ClearGrade
    | GradeRest
    | MoveBox
    | AcceptPreGrade
    | ExcludeJoint
    | IncludeJoint
    | KeepMeasurement
    | RemoveMeasurement
)
