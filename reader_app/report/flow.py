"""How many joints and radiographs came how far: numbers that add up at every level, or are refused."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class FlowStage(StrEnum):
    """How far a joint came; of the joints of a radiograph, the first in this order speaks for it.

    An excluded joint speaks for its radiograph only where all of its joints are out.
    """

    CALIBRATION = "read for calibration"
    NO_CASE = "in no case yet"
    UNREAD = "not all readings locked"
    CHECKING = "exclusion waits for a second reader"
    WAITING = "waiting"
    """Readers disagreed and somebody has still to settle it."""
    UNGRADED = "not graded"
    OPEN = "left side by side"
    ADJUDICATED = "adjudicated"
    BY_RULE = "settled by rule"
    AGREED = "agreed"
    SINGLE = "read once"
    EXCLUDED = "excluded"


_SPEAKS = {stage: place for place, stage in enumerate(FlowStage)}
_ASIDE = (FlowStage.CALIBRATION, FlowStage.NO_CASE)
_FINAL = (FlowStage.SINGLE, FlowStage.AGREED, FlowStage.BY_RULE, FlowStage.ADJUDICATED)
_DISAGREED = (FlowStage.BY_RULE, FlowStage.ADJUDICATED, FlowStage.WAITING, FlowStage.OPEN)
_GRADED = (FlowStage.SINGLE, FlowStage.AGREED, *_DISAGREED)

SEVERAL = "different reasons"
"""Where the joints of a radiograph, or two readers, are excluded for reasons that differ."""


@dataclass(frozen=True)
class JointFlow:
    """How far one joint came.

    Attributes
    ----------
    detail
        Within its stage: the reason of the exclusion, the method, what it waits for; in words.
    readings
        How many readers have locked it, or are to lock it where it is unread.
    rejected
        Whether a reader excluded it and a second one found that it can be graded.
    """

    radiograph_id: int
    stage: FlowStage
    detail: str = ""
    readings: int = 0
    rejected: bool = False


@dataclass(frozen=True)
class Count:
    """Radiographs and joints."""

    radiographs: int = 0
    joints: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.radiographs + other.radiographs, self.joints + other.joints)


@dataclass(frozen=True)
class FlowPart:
    """One line of a box: what, and how many."""

    label: str
    count: Count


Parts = tuple[FlowPart, ...]


@dataclass(frozen=True)
class FlowNumbers:
    """The flow of a study, level by level; `ValueError` where a level does not add up.

    Attributes
    ----------
    files, refused
        Files that were looked at as radiographs of the study, and those of them that were not imported.
    aside
        Imported, but not read for the results: by why.
    given
        Part of a case that is read for the results.
    unread
        Not locked by all their readers: by how far they are.
    read
        Locked by all their readers: by how many readings.
    excluded
        By reason; all of them confirmed, or for a reason that needs no second look.
    checking
        Excluded by a reader, and a second one has not looked yet.
    rejected
        Excluded by a reader, and found to be gradable by a second one; these go on and are part of `graded`.
    single, agreed, disagreed
        Of the graded: by one reader; alike; not alike, or alike with an adjudicator called.
    by_rule, adjudicated, waiting, left_open
        Of the disagreed: how they were settled, what the others wait for.
    final
        Every feature has a final grade.
    """

    participants: int
    files: int
    refused: int
    imported: Count
    aside: Parts
    given: Count
    unread: Parts
    read: Parts
    complete: Count
    excluded: Parts
    checking: Count
    ungraded: Count
    rejected: Count
    graded: Count
    single: Count
    agreed: Count
    disagreed: Count
    by_rule: Parts
    adjudicated: Parts
    waiting: Parts
    left_open: Count
    final: Count

    def __post_init__(self) -> None:
        settled = total(self.by_rule) + total(self.adjudicated)
        levels = {
            "files": (Count(self.files), Count(self.imported.radiographs + self.refused)),
            "imported": (self.imported, total(self.aside) + self.given),
            "given to readers": (self.given, total(self.unread) + self.complete),
            "read": (self.complete, total(self.read)),
            "read and what follows": (
                self.complete,
                total(self.excluded) + self.checking + self.ungraded + self.graded,
            ),
            "graded": (self.graded, self.single + self.agreed + self.disagreed),
            "disagreed": (self.disagreed, settled + total(self.waiting) + self.left_open),
            "final": (self.final, self.single + self.agreed + settled),
        }
        wrong = [
            f"{level}: {whole} is not {parts}" for level, (whole, parts) in levels.items() if whole != parts
        ]
        if self.rejected.joints > self.graded.joints or self.rejected.radiographs > self.graded.radiographs:
            wrong.append(f"more rejected exclusions than graded: {self.rejected}, {self.graded}")
        if wrong:
            raise ValueError("the flow of the study does not add up: " + "; ".join(wrong))


def total(parts: Iterable[FlowPart]) -> Count:
    """Return the sum of several parts."""
    found = Count()
    for part in parts:
        found += part.count
    return found


def flow_of(joints: Sequence[JointFlow], *, participants: int, refused: int, bare: int = 0) -> FlowNumbers:
    """Count how far the joints of a study came, and their radiographs.

    Parameters
    ----------
    refused
        Files that could not be imported.
    bare
        Radiographs without any joint to grade; they are counted as in no case.

    Raises
    ------
    ValueError
        If the numbers do not add up, which is a bug.
    """
    films: dict[int, list[JointFlow]] = defaultdict(list)
    for joint in joints:
        films[joint.radiograph_id].append(joint)
    spoken = [_spokesman(of_film) for of_film in films.values()]
    count = _Counter(joints, spoken, bare)
    imported = Count(len(films) + bare, len(joints))
    complete = tuple(stage for stage in FlowStage if stage not in (*_ASIDE, FlowStage.UNREAD))
    return FlowNumbers(
        participants=participants,
        files=imported.radiographs + refused,
        refused=refused,
        imported=imported,
        aside=count.by_stage(*_ASIDE),
        given=count.of(*(stage for stage in FlowStage if stage not in _ASIDE)),
        unread=count.by_detail(FlowStage.UNREAD),
        read=count.by_readings(*complete),
        complete=count.of(*complete),
        excluded=count.by_detail(FlowStage.EXCLUDED),
        checking=count.of(FlowStage.CHECKING),
        ungraded=count.of(FlowStage.UNGRADED),
        rejected=Count(
            sum(
                spokesman.stage in _GRADED and any(joint.rejected for joint in of_film)
                for spokesman, of_film in zip(spoken, films.values(), strict=True)
            ),
            sum(joint.stage in _GRADED and joint.rejected for joint in joints),
        ),
        graded=count.of(*_GRADED),
        single=count.of(FlowStage.SINGLE),
        agreed=count.of(FlowStage.AGREED),
        disagreed=count.of(*_DISAGREED),
        by_rule=count.by_detail(FlowStage.BY_RULE),
        adjudicated=count.by_detail(FlowStage.ADJUDICATED),
        waiting=count.by_detail(FlowStage.WAITING),
        left_open=count.of(FlowStage.OPEN),
        final=count.of(*_FINAL),
    )


def flow_rows(flow: FlowNumbers) -> tuple[tuple[str, str, Count], ...]:
    """Return every number with its level and part, in words; the part of a level's sum is empty."""
    rows: list[tuple[str, str, Count]] = []

    def level(name: str, whole: Count, *parts: FlowPart) -> None:
        rows.append((name, "", whole))
        rows.extend((name, part.label, part.count) for part in parts)

    level("imported", flow.imported)
    level("not read for the results", total(flow.aside), *flow.aside)
    level("given to readers", flow.given)
    level("not yet locked by all their readers", total(flow.unread), *flow.unread)
    level("read and locked by all their readers", flow.complete, *flow.read)
    level("excluded", total(flow.excluded), *flow.excluded)
    level("exclusion waits for a second reader", flow.checking)
    level("not graded", flow.ungraded)
    level("graded", flow.graded, FlowPart("Exclusion rejected by a second reader", flow.rejected))
    level("read by one reader", flow.single)
    level("readers agreed on every feature", flow.agreed)
    level("readers disagreed on a feature", flow.disagreed)
    level("settled by the rule", total(flow.by_rule), *flow.by_rule)
    level("adjudicated", total(flow.adjudicated), *flow.adjudicated)
    level("waiting to be settled", total(flow.waiting), *flow.waiting)
    level("left side by side", flow.left_open)
    level("final grade of every feature", flow.final)
    return tuple(rows)


def readings_words(readings: int) -> str:
    """Return how often something was read, in words."""
    return {1: "Read once", 2: "Read twice"}.get(readings, f"Read {readings} times")


class _Counter:
    """Joints, and the one joint that speaks for each radiograph, counted alike."""

    def __init__(self, joints: Sequence[JointFlow], films: Sequence[JointFlow], bare: int) -> None:
        self._joints, self._films = joints, films
        self._bare = bare

    def of(self, *stages: FlowStage) -> Count:
        wanted = frozenset(stages)
        bare = self._bare if FlowStage.NO_CASE in wanted else 0
        return Count(
            sum(film.stage in wanted for film in self._films) + bare,
            sum(joint.stage in wanted for joint in self._joints),
        )

    def by_stage(self, *stages: FlowStage) -> Parts:
        parts = (FlowPart(_capital(stage.value), self.of(stage)) for stage in stages)
        return tuple(part for part in parts if part.count != Count())

    def by_detail(self, stage: FlowStage) -> Parts:
        films = Counter(film.detail for film in self._films if film.stage is stage)
        joints = Counter(joint.detail for joint in self._joints if joint.stage is stage)
        return tuple(
            FlowPart(_capital(detail), Count(films[detail], joints[detail]))
            for detail in sorted({*films, *joints})
        )

    def by_readings(self, *stages: FlowStage) -> Parts:
        numbers = {each.readings for each in (*self._joints, *self._films) if each.stage in stages}
        wanted = frozenset(stages)
        return tuple(
            FlowPart(
                readings_words(number),
                Count(
                    sum(film.stage in wanted and film.readings == number for film in self._films),
                    sum(joint.stage in wanted and joint.readings == number for joint in self._joints),
                ),
            )
            for number in sorted(numbers)
        )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _spokesman(joints: Sequence[JointFlow]) -> JointFlow:
    """Return the joint that speaks for its radiograph."""
    first = min(joints, key=lambda joint: (_SPEAKS[joint.stage], joint.detail))
    details = {joint.detail for joint in joints if joint.stage is first.stage}
    if first.stage is FlowStage.EXCLUDED and len(details) > 1:
        return JointFlow(first.radiograph_id, first.stage, SEVERAL, first.readings)
    return first
