"""What the adjudicator sees and decides, and what the coordinator may know of it: plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reader_app.imaging.geometry import Box
from reader_app.protocols.model import Item, Protocol
from reader_app.reading.adjudication import Method
from reader_app.reading.case import JointSide
from reader_app.reading.design import ReadingDesign
from reader_app.reading.measurement import KeptMeasurement


@dataclass(frozen=True)
class Rules:
    """By what a study judges: what is graded, and the design that is in force."""

    protocol: Protocol
    design: ReadingDesign


@dataclass(frozen=True)
class ItemPlace:
    """One item of one joint of one case: what is settled at a time."""

    case_id: int
    joint_id: int
    item: Item


@dataclass(frozen=True)
class Settled:
    """What the adjudicator decided on one item.

    Attributes
    ----------
    code, method
        The final grade and how it came about; None while a consensus session is still needed.
    third_code
        What the adjudicator graded; in a consensus session that nobody graded before, the session's grade.
    adjudicator
        The name; for an adjudicator it is empty where a colleague settled it.
    participants
        Accounts of the readers who sat in the consensus session; for an adjudicator always empty.
    """

    case_id: int
    joint_id: int
    item: Item
    code: int | None
    third_code: int
    method: Method | None
    adjudicator: str
    rationale: str
    at: str
    participants: tuple[int, ...] = ()


@dataclass(frozen=True)
class Disagreement:
    """One item of one joint on which the rule calls the adjudicator, or called before it was settled.

    Attributes
    ----------
    place
        Of the case among all cases of the study, by which the screen names it.
    visit
        What the visit is called, empty where the presentation keeps it to itself.
    hidden
        The design wants the third grade first: what the readers gave has not left the store.
    grades
        (letter, code) of each reader, letters drawn anew for each case; empty while hidden.
    rejected
        Letters of the readers who excluded the joint while a second look found that it can be graded.
    gravity
        How far apart the readers are, in grades; 0 while hidden.
    settled
        What was decided so far, None if nothing.
    together
        Only a session with all readers of the case settles it: no grade of the adjudicator's matched, or
        the rule wants the session at once.
    """

    case_id: int
    place: int
    joint_id: int
    side: JointSide
    visit: str
    item: Item
    hidden: bool
    grades: tuple[tuple[str, int], ...]
    rejected: tuple[str, ...]
    gravity: int
    settled: Settled | None
    together: bool

    @property
    def title(self) -> str:
        """How a screen names the case."""
        return case_title(self.place)

    @property
    def at(self) -> ItemPlace:
        """Where it stands."""
        return ItemPlace(self.case_id, self.joint_id, self.item)

    @property
    def open(self) -> bool:
        """Whether it still lacks a final grade."""
        return self.settled is None or self.settled.code is None

    @property
    def third_may_change(self) -> bool:
        """Whether the adjudicator, whose grade matched nobody, may still give another before the session."""
        return self.together and self.settled is not None and self.settled.code is None

    @property
    def needs_consensus(self) -> bool:
        """Whether the readers have to be heard together before there is a final grade."""
        return self.together and self.open


@dataclass(frozen=True)
class ReaderMarks:
    """What one reader drew on the films of a case, under the case's letter: boxes and kept lengths."""

    letter: str
    boxes: Mapping[int, Box]
    measurements: tuple[KeptMeasurement, ...]


@dataclass(frozen=True)
class SettledPlace:
    """That an item has been settled, and how, without any grade: what a coordinator may know.

    Attributes
    ----------
    final
        False while a consensus session is still needed.
    """

    case_id: int
    place: int
    joint_id: int
    side: JointSide
    visit: str
    item: Item
    final: bool
    method: Method | None
    adjudicator: str
    at: str

    @property
    def title(self) -> str:
        """How a screen names the case."""
        return case_title(self.place)


def case_title(place: int) -> str:
    """Return how adjudicator and coordinator name a case."""
    return f"Case {place:04d}"
