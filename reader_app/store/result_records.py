"""What reports are made of, as plain frozen values; `records` offers them under its own name too."""

from __future__ import annotations

from dataclasses import dataclass

from reader_app.protocols.model import Arm, Item
from reader_app.reading.case import JointSide


@dataclass(frozen=True)
class ReadingGrade:
    """One grade of one reading, for reports.

    Attributes
    ----------
    code
        The grade that counts.
    original
        The grade that was signed, None where there was none.
    amended
        Whether the reader amended it after the lock.
    """

    account_id: int
    reader: str
    participant: str
    visit: str
    radiograph_id: int
    joint_id: int
    side: JointSide
    item: Item
    code: int | None
    locked: bool
    arm: Arm
    case_id: int
    reading_id: int
    original: int | None = None
    amended: bool = False


@dataclass(frozen=True)
class ReadingExclusion:
    """One joint that a locked reading excludes; `amended` if that was changed after the lock."""

    account_id: int
    reader: str
    participant: str
    visit: str
    radiograph_id: int
    joint_id: int
    side: JointSide
    reason_id: str
    note: str
    arm: Arm
    case_id: int
    reading_id: int
    amended: bool = False


@dataclass(frozen=True)
class ReferenceRecord:
    """A grade that came with the radiographs."""

    participant: str
    visit: str
    radiograph_id: int
    joint_id: int
    side: JointSide
    item: Item
    code: int
    source: str


@dataclass(frozen=True)
class JointPlace:
    """Where a joint stands in the study: what turns joint ids into rows of a table.

    Attributes
    ----------
    case_id
        None where its film is part of no case yet.
    calibration
        Whether the case is read against reference grades, and so is no part of the results.
    """

    joint_id: int
    radiograph_id: int
    participant: str
    visit: str
    visit_order: int
    side: JointSide
    case_id: int | None
    calibration: bool = False


@dataclass(frozen=True)
class CountedReading:
    """One case that one reader has to read, as far as that reading counts for the consensus.

    Attributes
    ----------
    locked
        Whether it is signed for good.
    reading_id
        None where it is not begun.
    """

    case_id: int
    account_id: int
    locked: bool
    reading_id: int | None


@dataclass(frozen=True)
class ReadingTime:
    """When and how long a locked reading was read, under which protocol, design and software."""

    account_id: int
    reader: str
    case_id: int
    reading_id: int
    arm: Arm
    opened_at: str
    locked_at: str
    active_seconds: float
    protocol_sha256: str
    design_sha256: str
    software: str
