"""What the store tells of calibration and qualification: plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reader_app.protocols.model import Item
from reader_app.reading.case import JointSide


@dataclass(frozen=True)
class CalibrationJoint:
    """One joint of a calibration case as the reference and one locked reading grade it.

    Attributes
    ----------
    cluster
        The same number for the joints of one participant; says nothing else.
    reference, given
        Codes by item; `given` is None where the reader excluded the joint.
    """

    joint_id: int
    side: JointSide
    cluster: int
    reference: Mapping[Item, int]
    given: Mapping[Item, int] | None


@dataclass(frozen=True)
class Judgement:
    """What came of one attempt at the calibration set.

    Attributes
    ----------
    result
        By feature id what the gate looked at, as JSON can hold it: see `operations.calibration`.
    """

    passed: bool
    result: Mapping[str, object]


@dataclass(frozen=True)
class Qualification:
    """One attempt at the calibration set, as it was judged.

    Attributes
    ----------
    attempt
        1 for the first.
    at
        UTC, ISO 8601.
    """

    attempt: int
    passed: bool
    at: str
    result: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ReaderQualification:
    """How a reader stands with the calibration set, for coordinator and auditor.

    Attributes
    ----------
    attempt
        The current one, 1 for the first; 0 where no calibration case was assigned yet.
    locked, total
        Calibration cases of the current attempt.
    attempts
        Those that were judged, oldest first.
    """

    account_id: int
    name: str
    active: bool
    attempt: int
    locked: int
    total: int
    attempts: tuple[Qualification, ...]

    @property
    def qualified(self) -> bool:
        """Whether the current attempt was judged and passed."""
        return self.judged and self.attempts[-1].passed

    @property
    def judged(self) -> bool:
        """Whether all of the current attempt is locked and judged."""
        return self.locked == self.total and 0 < self.attempt <= len(self.attempts)


@dataclass(frozen=True)
class CalibrationPoint:
    """How one locked reading of a calibration case compares with the reference in one feature.

    Attributes
    ----------
    attempt
        At the calibration set, 1 for the first; 0 for a control.
    at
        When the reading was locked: UTC, ISO 8601.
    grades
        How many grades are compared.
    mean_difference
        Of the codes, the reader's minus the reference.
    agreed
        How many are exactly the reference.
    """

    account_id: int
    reader: str
    reading_id: int
    attempt: int
    at: str
    feature_id: str
    grades: int
    mean_difference: float
    agreed: int
