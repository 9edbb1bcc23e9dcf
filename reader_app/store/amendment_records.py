"""What was changed in locked readings, as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from reader_app.protocols.model import Item
from reader_app.reading.case import JointSide
from reader_app.reading.change import Exclusion


@dataclass(frozen=True)
class OwnAmendment:
    """One change that a reader made to a locked reading of theirs.

    Attributes
    ----------
    item
        What was graded; None where the exclusion of the joint was changed.
    before, after
        Codes, or exclusions; None for none.
    """

    joint_id: int
    item: Item | None
    before: int | Exclusion | None
    after: int | Exclusion | None
    reason: str
    at: str


@dataclass(frozen=True)
class Amendment:
    """One change to a locked reading, for whoever looks after the study.

    Attributes
    ----------
    hidden
        Whether values and reason are left out, as the study is not frozen yet.
    settled
        Whether the adjudicator had settled the feature before: that settlement stands until it is re-opened.
    """

    reader: str
    account_id: int
    reading_id: int
    case_id: int
    participant: str
    visit: str
    radiograph_id: int
    joint_id: int
    side: JointSide
    item: Item | None
    before: int | Exclusion | None
    after: int | Exclusion | None
    reason: str
    at: str
    settled: bool
    hidden: bool
