"""What becomes of exclusions that a second reader has to look at, as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from reader_app.reading.case import CaseFilm


@dataclass(frozen=True)
class QualityCheck:
    """One question to a second reader: can this film be graded?

    Nothing here tells who could not grade it, what that reader graded or wrote.

    Attributes
    ----------
    film
        The film without visit, participant and boxes, with all its joints.
    joint_ids
        The joints that the question is about.
    reason_id
        The reason of the protocol that was given.
    """

    film: CaseFilm
    joint_ids: tuple[int, ...]
    reason_id: str


@dataclass(frozen=True)
class CheckRecord:
    """What a second reader said of one excluded joint.

    Attributes
    ----------
    reading_id
        The locked reading that excludes the joint.
    account_id, checker
        Who looked, and the name.
    note
        The checker's own words.
    """

    reading_id: int
    joint_id: int
    account_id: int
    checker: str
    confirmed: bool
    note: str
    at: str


@dataclass(frozen=True)
class CheckCounts:
    """How many joints stand where, of those that a reader excluded for a reason that needs a second look."""

    waiting: int = 0
    confirmed: int = 0
    rejected: int = 0
