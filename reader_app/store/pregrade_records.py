"""What a coordinator sees of pre-grades: plain frozen values, no reader's grade among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reader_app.protocols.model import Item
from reader_app.reading.case import JointSide
from reader_app.reading.pregrade import PreGrade


@dataclass(frozen=True)
class JointPlace:
    """Which joint of which film.

    Attributes
    ----------
    participant
        The pseudonym.
    """

    joint_id: int
    radiograph_id: int
    participant: str
    visit: str
    side: JointSide


@dataclass(frozen=True)
class RemarkedJoint:
    """A joint of which a pre-grade has something to remark."""

    place: JointPlace
    remark: str


@dataclass(frozen=True)
class PairedPregrade:
    """What two bundles said of one item of one joint.

    Attributes
    ----------
    participant_id
        Joints of one participant are not independent.
    first, second
        Grade codes.
    first_expected, second_expected
        Expected grades.
    """

    joint_id: int
    participant_id: int
    item: Item
    first: int
    second: int
    first_expected: float
    second_expected: float


@dataclass(frozen=True)
class JointPregrades:
    """Everything that bundles said of one joint.

    Attributes
    ----------
    heatmap_files
        Within the study folder, by the SHA-256 of the bundle; bundles that made none are left out.
    """

    place: JointPlace
    pregrades: tuple[PreGrade, ...]
    heatmap_files: Mapping[str, str]
