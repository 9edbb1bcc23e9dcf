"""The reading design of a study: looking at it, trying another, putting it in force."""

from __future__ import annotations

from dataclasses import dataclass

from reader_app.operations.study import Study
from reader_app.store import case_plans
from reader_app.store.records import Actor


@dataclass(frozen=True)
class PreviewRow:
    """One place of a worklist as a coordinator previews it; no reader is ever shown this.

    Attributes
    ----------
    arm, purpose
        In words.
    participant
        The pseudonym.
    """

    place: int
    arm: str
    purpose: str
    block: int
    participant: str


@dataclass(frozen=True)
class ReaderPreview:
    """What one reader would read.

    Attributes
    ----------
    cases
        How many different live cases.
    readings
        How many places the worklist has in all.
    aided
        How many of them with the AI in sight.
    first
        The first places.
    """

    name: str
    cases: int
    readings: int
    rereads: int
    calibration: int
    controls: int
    aided: int
    blocks: int
    first: tuple[PreviewRow, ...]


@dataclass(frozen=True)
class DesignPreview:
    """What a design would make of a study.

    Attributes
    ----------
    notes
        What cannot be met, in sentences.
    """

    readers: tuple[ReaderPreview, ...]
    notes: tuple[str, ...]


def changeable(study: Study, actor: Actor) -> bool:
    """Return whether everything of the design may still change: nobody has opened a case yet.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator or an auditor.
    """
    return not case_plans.begun(study.database, actor)
