"""The values of a plan: cases and readers that it starts from, and the places that it gives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reader_app.protocols.model import Arm


class CasePurpose(StrEnum):
    """What a case is in the study for."""

    LIVE = "live"
    CALIBRATION = "calibration"


class Purpose(StrEnum):
    """What a place on a worklist is for; no reader is ever told."""

    READING = "reading"
    REREAD = "re-read"
    CALIBRATION = "calibration"
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """A case of the study."""

    case_id: int
    participant_id: int
    purpose: str = CasePurpose.LIVE


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    """One place on a worklist.

    Attributes
    ----------
    pass_number
        1 for the first time that this reader reads the case; everything later counts on.
    place
        1 for the reader's first case.
    arm
        Of the reading; in a crossover that of its period.
    period
        1, or 2 for the second reading of a crossover.
    block
        1 for the first block of the design, 0 where there are none. Re-reads and controls bear the block that
        they are hidden in.
    after
        Case and pass of this reader's reading that must be locked `after_days` before; None for none.
    """

    case_id: int
    pass_number: int
    place: int
    arm: Arm
    purpose: str = Purpose.READING
    period: int = 1
    block: int = 0
    mirrored: bool = False
    after: tuple[int, int] | None = None
    after_days: float = 0.0


@dataclass(frozen=True)
class PlannedReader:
    """A reader and what they have been given so far.

    Attributes
    ----------
    name
        From which, with the seed, the reader's order follows.
    existing
        In place order; never moved.
    takes_more
        False for a reader who gets nothing more, and whose readings count all the same where cases are
        dealt out among readers.
    """

    account_id: int
    name: str
    existing: tuple[PlannedEntry, ...] = ()
    takes_more: bool = True


@dataclass(frozen=True)
class ReaderPlan:
    """What is appended to one reader's worklist.

    Attributes
    ----------
    entries
        The new places only, in their order.
    notes
        What of the design could not be met, in sentences.
    """

    account_id: int
    name: str
    entries: tuple[PlannedEntry, ...]
    notes: tuple[str, ...] = ()
