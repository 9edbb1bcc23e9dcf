"""What is on screen at once: a case with its films and joints."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reader_app.imaging.geometry import Box
from reader_app.protocols.model import Item, Protocol, Unit

STATED_AT_IMPORT = "Stated in the manifest"
"""The reason that is stored with a spacing that came from the import's table."""


class JointSide(StrEnum):
    """Which joint of a radiograph is graded."""

    RIGHT = "R"
    LEFT = "L"
    UNSTATED = "U"
    """A film of one joint whose side nobody stated."""
    WHOLE = "W"
    """Not one joint but the whole film: carries the grades that belong to the participant."""

    @property
    def label(self) -> str:
        """The word that a screen or a report shows."""
        return _SIDE_TITLES[self]

    @property
    def mirrored(self) -> JointSide:
        """The side that it looks like on a mirrored film."""
        return _MIRRORED.get(self, self)


_SIDE_TITLES = {
    JointSide.RIGHT: "Right",
    JointSide.LEFT: "Left",
    JointSide.UNSTATED: "Side not stated",
    JointSide.WHOLE: "Whole film",
}
_MIRRORED = {JointSide.RIGHT: JointSide.LEFT, JointSide.LEFT: JointSide.RIGHT}


@dataclass(frozen=True)
class Joint:
    """One side of one radiograph; `box` is where it lies, in film pixels, None while unknown."""

    id: int
    radiograph_id: int
    side: JointSide
    box: Box | None = None


@dataclass(frozen=True)
class CaseFilm:
    """One radiograph of a case, as a reader may know it: no participant identifier, no file name.

    Attributes
    ----------
    visit
        What the reader may be told of the time, such as "Baseline"; empty in single presentation.
    file_sha256
        Of the file as imported, to prove that the pixels shown are the pixels imported.
    version
        Another text whenever the film is to be shown otherwise, such as after a correction; tells nothing.
    columns
        Width in pixels; what is shown mirrored is mirrored about its middle.
    """

    radiograph_id: int
    visit: str
    joints: tuple[Joint, ...]
    file_sha256: str
    phantom: bool = False
    version: str = ""
    columns: int = 0


@dataclass(frozen=True)
class Case:
    """One or more films of a participant, shown and graded together."""

    id: int
    films: tuple[CaseFilm, ...]

    @property
    def joints(self) -> tuple[Joint, ...]:
        """All joints, film by film."""
        return tuple(joint for film in self.films for joint in film.joints)

    def joint(self, joint_id: int) -> Joint:
        """Return the joint with this id.

        Raises
        ------
        KeyError
            If the case has no such joint; a bug of the caller.
        """
        for joint in self.joints:
            if joint.id == joint_id:
                return joint
        raise KeyError(joint_id)

    def film_of(self, joint_id: int) -> CaseFilm:
        """Return the film that the joint lies on; raises KeyError like `joint`."""
        for film in self.films:
            if any(joint.id == joint_id for joint in film.joints):
                return film
        raise KeyError(joint_id)


@dataclass(frozen=True)
class GradeKey:
    """What one keystroke grades: an item of the protocol on one joint."""

    joint_id: int
    item: Item


def grade_keys(protocol: Protocol, case: Case) -> tuple[GradeKey, ...]:
    """Return everything that the protocol asks of this case, in reading order.

    Joint by joint as the films lie, and within a joint feature by feature. Features of the
    participant are asked of the whole film only, features of a joint of the joints only.
    """
    keys: list[GradeKey] = []
    for joint in case.joints:
        unit = Unit.PARTICIPANT if joint.side is JointSide.WHOLE else Unit.JOINT
        keys.extend(
            GradeKey(joint.id, item)
            for feature in protocol.features
            if feature.unit is unit
            for item in feature.items
        )
    return tuple(keys)
