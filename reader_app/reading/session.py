"""One reader's pass over one case: state, commands, undo. Pure: what it decides is committed elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from reader_app.errors import GradeError
from reader_app.imaging.geometry import Box
from reader_app.protocols.model import CrossCheck, ExclusionScope, Item, Protocol
from reader_app.reading.case import Case, GradeKey, grade_keys
from reader_app.reading.change import (
    BoxChange,
    Change,
    Exclusion,
    ExclusionChange,
    GradeChange,
    MeasurementChange,
)
from reader_app.reading.commands import (
    AcceptPreGrade,
    ClearGrade,
    Command,
    ExcludeJoint,
    GradeRest,
    IncludeJoint,
    KeepMeasurement,
    MoveBox,
    RemoveMeasurement,
    SetGrade,
)
from reader_app.reading.measurement import KeptMeasurement, measured

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class ReadingContent:
    """What a reading holds: the state that is stored."""

    grades: Mapping[GradeKey, int] = field(default_factory=dict)
    boxes: Mapping[int, Box] = field(default_factory=dict)
    exclusions: Mapping[int, Exclusion] = field(default_factory=dict)
    measurements: Mapping[int, KeptMeasurement] = field(default_factory=dict)
    locked: bool = False


@dataclass(frozen=True)
class TrippedCheck:
    """A cross-check of the protocol that the grades of one joint trip."""

    joint_id: int
    check: CrossCheck


class ReadingSession:
    """The rules of one open reading.

    `plan` turns a command into a `Change` without touching the state; once the change is durable,
    `apply` takes it over. So a grade that could not be stored is never shown as given.

    Parameters
    ----------
    protocol, case
        What is graded, on what.
    content
        What the store already holds for this reading.
    """

    def __init__(self, protocol: Protocol, case: Case, content: ReadingContent | None = None) -> None:
        content = content or ReadingContent()
        self.protocol = protocol
        self.case = case
        self.keys = grade_keys(protocol, case)
        self._known = frozenset(self.keys)
        self._grades = dict(content.grades)
        self._boxes = dict(content.boxes)
        self._exclusions = dict(content.exclusions)
        self._measurements = dict(content.measurements)
        self._locked = content.locked
        self._done: list[Change] = []
        self._undone: list[Change] = []

    # What a screen asks -------------------------------------------------------------------------

    @property
    def locked(self) -> bool:
        """Whether the reading is signed and can only be amended."""
        return self._locked

    def grade(self, key: GradeKey) -> int | None:
        """Return the grade given, None if there is none yet."""
        return self._grades.get(key)

    def box(self, joint_id: int) -> Box | None:
        """Return the box as the reader moved it, else as it was found, else None."""
        return self._boxes.get(joint_id) or self.case.joint(joint_id).box

    def exclusion(self, joint_id: int) -> Exclusion | None:
        """Return why the joint is excluded, None if it is not."""
        return self._exclusions.get(joint_id)

    @property
    def measurements(self) -> dict[int, KeptMeasurement]:
        """The lengths that were kept, by their number, in the order in which they were."""
        return dict(sorted(self._measurements.items()))

    def open_keys(self) -> tuple[GradeKey, ...]:
        """Return what is still to be graded: neither graded nor on an excluded joint."""
        return tuple(
            key for key in self.keys if key not in self._grades and key.joint_id not in self._exclusions
        )

    def next_key(self, after: GradeKey | None = None) -> GradeKey | None:
        """Return the next open item after `after`, going round once; None when nothing is open."""
        still_open = self.open_keys()
        if after is None or after not in self._known:
            return still_open[0] if still_open else None
        place = self.keys.index(after)
        around = self.keys[place + 1 :] + self.keys[: place + 1]
        wanted = frozenset(still_open)
        return next((key for key in around if key in wanted), None)

    def grades_of(self, joint_id: int) -> dict[Item, int]:
        """Return the grades of one joint by item."""
        return {key.item: code for key, code in self._grades.items() if key.joint_id == joint_id}

    def warnings(self) -> tuple[TrippedCheck, ...]:
        """Return the cross-checks that the grades trip, joint by joint."""
        return tuple(
            TrippedCheck(joint.id, check)
            for joint in self.case.joints
            if joint.id not in self._exclusions
            for check in self.protocol.check(self.grades_of(joint.id))
        )

    @property
    def can_undo(self) -> bool:
        """Whether something of this session can be taken back."""
        return bool(self._done) and not self._locked

    @property
    def can_redo(self) -> bool:
        """Whether something taken back can be done again."""
        return bool(self._undone) and not self._locked

    # What a reader does -------------------------------------------------------------------------

    def plan(self, command: Command) -> Change:
        """Return what the command would change; the state stays.

        Raises
        ------
        GradeError
            If the reading is locked, the joint excluded, the grade not on the scale, the reason not in
            the protocol, or a line of no length or on another film.
        """
        self._must_be_open()
        match command:
            case SetGrade(key, code):
                change = Change("set-grade", grades=self._grade_changes({key: code}))
            case ClearGrade(key):
                change = Change("clear-grade", grades=self._grade_changes({key: None}))
            case GradeRest(joint_id):
                change = Change("grade-rest", grades=self._grade_changes(self._lowest(joint_id)))
            case AcceptPreGrade(joint_id, codes):
                fresh = {
                    key: code
                    for key, code in codes.items()
                    if key.joint_id == joint_id and key not in self._grades
                }
                change = Change("accept-pre-grade", grades=self._grade_changes(fresh))
            case MoveBox(joint_id, box):
                change = Change("move-box", boxes=self._box_changes(joint_id, box))
            case ExcludeJoint(joint_id, reason_id, note):
                change = Change("exclude-joint", exclusions=self._exclude(joint_id, reason_id, note))
            case IncludeJoint(joint_id):
                before = self._exclusions.get(joint_id)
                changes = (ExclusionChange(joint_id, before, None),) if before else ()
                change = Change("include-joint", exclusions=changes)
            case KeepMeasurement():
                change = Change("keep-measurement", measurements=(self._keep(command),))
            case RemoveMeasurement(number):
                kept = self._measurements.get(number)
                gone = (MeasurementChange(number, kept, None),) if kept else ()
                change = Change("remove-measurement", measurements=gone)
        return change

    def plan_undo(self) -> Change | None:
        """Return the change that takes the last one back, None if there is none."""
        self._must_be_open()
        return self._done[-1].inverse() if self._done else None

    def plan_redo(self) -> Change | None:
        """Return the change that does again what was taken back, None if there is none."""
        self._must_be_open()
        return self._undone[-1] if self._undone else None

    def apply(self, change: Change) -> None:
        """Take a committed change over; an undo or redo also moves the history."""
        for grade in change.grades:
            _put(self._grades, grade.key, grade.after)
        for box in change.boxes:
            _put(self._boxes, box.joint_id, box.after)
        for exclusion in change.exclusions:
            _put(self._exclusions, exclusion.joint_id, exclusion.after)
        for line in change.measurements:
            _put(self._measurements, line.number, line.after)
        if change.empty:
            return
        if change.undoes and self._done:
            self._undone.append(self._done.pop())
        elif self._undone and change == self._undone[-1]:
            self._done.append(self._undone.pop())
        else:
            self._done.append(change)
            self._undone.clear()

    def check_lockable(self) -> None:
        """Raise `GradeError` unless everything is graded or excluded."""
        self._must_be_open()
        still_open = self.open_keys()
        if still_open:
            first = self.protocol.feature(still_open[0].item.feature_id).title
            raise GradeError(
                f"{len(still_open)} of {len(self.keys)} grades of this case are missing, first {first}.",
                "Grade them, or exclude the joint with a reason.",
            )

    def mark_locked(self) -> None:
        """Take over that the store has locked the reading."""
        self._locked = True

    # Inside -------------------------------------------------------------------------------------

    def _must_be_open(self) -> None:
        if self._locked:
            raise GradeError("This reading is locked.", "It can only be amended, with a reason.")

    def _grade_changes(self, wanted: Mapping[GradeKey, int | None]) -> tuple[GradeChange, ...]:
        for key, code in wanted.items():
            if key not in self._known:
                raise GradeError(
                    "This protocol does not ask for that grade on this joint.", "Choose another item."
                )
            if key.joint_id in self._exclusions:
                raise GradeError("This joint is excluded.", "Take the exclusion back to grade it.")
            if code is not None:
                self.protocol.item_scale(key.item).level(code)
        return tuple(
            GradeChange(key, self._grades.get(key), code)
            for key, code in wanted.items()
            if self._grades.get(key) != code
        )

    def _lowest(self, joint_id: int) -> dict[GradeKey, int | None]:
        return {
            key: self.protocol.item_scale(key.item).levels[0].code
            for key in self.keys
            if key.joint_id == joint_id and key not in self._grades
        }

    def _box_changes(self, joint_id: int, box: Box) -> tuple[BoxChange, ...]:
        self.case.joint(joint_id)
        before = self._boxes.get(joint_id)
        return () if before == box else (BoxChange(joint_id, before, box),)

    def _exclude(self, joint_id: int, reason_id: str, note: str) -> tuple[ExclusionChange, ...]:
        reason = next((r for r in self.protocol.exclusion_reasons if r.id == reason_id), None)
        if reason is None:
            raise GradeError(
                f"The protocol has no exclusion reason “{reason_id}”.", "Choose one of its list."
            )
        joints = [self.case.joint(joint_id)]
        if reason.scope is ExclusionScope.RADIOGRAPH:
            joints = list(self.case.film_of(joint_id).joints)
        wanted = Exclusion(reason_id, note.strip())
        return tuple(
            ExclusionChange(joint.id, self._exclusions.get(joint.id), wanted)
            for joint in joints
            if self._exclusions.get(joint.id) != wanted
        )

    def _keep(self, wanted: KeepMeasurement) -> MeasurementChange:
        if all(film.radiograph_id != wanted.radiograph_id for film in self.case.films):
            raise GradeError("This film does not belong to the case.", "Measure on a film of the case.")
        length = measured(wanted.start, wanted.end, wanted.spacing)
        if length.pixels == 0:
            raise GradeError("A line of no length measures nothing.", "Draw it from one point to another.")
        kept = KeptMeasurement(wanted.radiograph_id, wanted.start, wanted.end, length)
        return MeasurementChange(max(self._measurements, default=0) + 1, None, kept)


def _put(into: dict[K, V], key: K, value: V | None) -> None:
    if value is None:
        into.pop(key, None)
    else:
        into[key] = value
