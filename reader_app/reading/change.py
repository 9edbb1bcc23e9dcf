"""What a command did, in a form that can be stored, shown and undone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reader_app.imaging.geometry import Box
from reader_app.reading.case import GradeKey
from reader_app.reading.measurement import KeptMeasurement


@dataclass(frozen=True)
class GradeChange:
    """One grade before and after; None is ungraded."""

    key: GradeKey
    before: int | None
    after: int | None


@dataclass(frozen=True)
class BoxChange:
    """The box of one joint before and after, in film pixels."""

    joint_id: int
    before: Box | None
    after: Box | None


@dataclass(frozen=True)
class Exclusion:
    """Why a joint cannot be graded: a reason of the protocol and the reader's own words."""

    reason_id: str
    note: str = ""


@dataclass(frozen=True)
class ExclusionChange:
    """The exclusion of one joint before and after; None is not excluded."""

    joint_id: int
    before: Exclusion | None
    after: Exclusion | None


@dataclass(frozen=True)
class MeasurementChange:
    """One kept length before and after, by its number in the reading; None is not there."""

    number: int
    before: KeptMeasurement | None
    after: KeptMeasurement | None


@dataclass(frozen=True)
class Change:
    """All that one command changed in one reading; the unit of commit, refresh and undo.

    Attributes
    ----------
    verb
        What happened, for the journal: "set-grade", "clear-grade", "move-box",
        "grade-rest", "accept-pre-grade", "exclude-joint", "include-joint",
        "keep-measurement", "remove-measurement".
    undoes
        Whether this takes an earlier change back.
    """

    verb: str
    grades: tuple[GradeChange, ...] = ()
    boxes: tuple[BoxChange, ...] = ()
    exclusions: tuple[ExclusionChange, ...] = ()
    measurements: tuple[MeasurementChange, ...] = ()
    undoes: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing differs between before and after."""
        return not (self.grades or self.boxes or self.exclusions or self.measurements)

    @property
    def joint_ids(self) -> frozenset[int]:
        """The joints that it touches."""
        return frozenset(
            [change.key.joint_id for change in self.grades]
            + [change.joint_id for change in self.boxes]
            + [change.joint_id for change in self.exclusions]
        )

    @property
    def radiograph_ids(self) -> frozenset[int]:
        """The films that it measures on."""
        return frozenset(
            kept.radiograph_id
            for change in self.measurements
            for kept in (change.before, change.after)
            if kept is not None
        )

    def inverse(self) -> Change:
        """Return the change that takes this one back."""
        return Change(
            verb=self.verb,
            grades=tuple(replace(c, before=c.after, after=c.before) for c in self.grades),
            boxes=tuple(replace(c, before=c.after, after=c.before) for c in self.boxes),
            exclusions=tuple(replace(c, before=c.after, after=c.before) for c in self.exclusions),
            measurements=tuple(replace(c, before=c.after, after=c.before) for c in self.measurements),
            undoes=not self.undoes,
        )
