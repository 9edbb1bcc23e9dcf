"""The worklists of all readers, as the design says: the same whenever they are made anew.

Everything random follows from the design's seed, the names of the readers and the ranks of the cases among
all cases of the study, oldest first. What stands on a worklist is never moved; what comes later is appended,
and keeps its distance from what is there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reader_app.protocols.model import Arm
from reader_app.reading.dealing import Deal, deal
from reader_app.reading.design import ReadingDesign
from reader_app.reading.drawing import draw
from reader_app.reading.planned import CasePurpose as CasePurpose
from reader_app.reading.planned import PlannedCase as PlannedCase
from reader_app.reading.planned import PlannedEntry as PlannedEntry
from reader_app.reading.planned import PlannedReader as PlannedReader
from reader_app.reading.planned import Purpose as Purpose
from reader_app.reading.planned import ReaderPlan as ReaderPlan
from reader_app.reading.repeats import Chance, add_controls, add_rereads, calibration_arm
from reader_app.reading.spacing import spaced

_OTHER_ARM = {Arm.UNAIDED: Arm.AIDED, Arm.AIDED: Arm.UNAIDED}


def plan_worklists(
    design: ReadingDesign, *, cases: Sequence[PlannedCase], readers: Sequence[PlannedReader]
) -> tuple[ReaderPlan, ...]:
    """Plan what is appended to each reader's worklist.

    Parameters
    ----------
    cases
        All cases of the study, whether anybody has them or not.
    readers
        All who read or have read, each with what they have been given so far.

    Returns
    -------
    tuple of ReaderPlan
        For each reader who takes more, in the order of `readers`.
    """
    ranks = {case_id: rank for rank, case_id in enumerate(sorted(case.case_id for case in cases), start=1)}
    live = [case for case in cases if case.purpose == CasePurpose.LIVE]
    calibration = [case.case_id for case in cases if case.purpose == CasePurpose.CALIBRATION]
    dealt = deal(design, cases=live, ranks=ranks, readers=readers)
    participant = {case.case_id: case.participant_id for case in cases}
    return tuple(
        _Planner(design, reader, dealt, ranks, participant).plan(calibration)
        for reader in readers
        if reader.takes_more
    )


@dataclass(frozen=True)
class _Part:
    """New readings that are ordered by chance among themselves."""

    period: int
    block: int
    cases: tuple[int, ...]


@dataclass
class _Planner:
    """Makes one reader's plan."""

    design: ReadingDesign
    reader: PlannedReader
    dealt: Deal
    ranks: Mapping[int, int]
    participant: Mapping[int, int]
    notes: list[str] = field(default_factory=list)
    last: dict[int, int] = field(default_factory=dict)

    def plan(self, calibration: Sequence[int]) -> ReaderPlan:
        """Return what is appended: calibration first, then the readings with what is hidden among them."""
        self.notes.extend(self.dealt.notes)
        for place, entry in enumerate(self.reader.existing):
            if entry.case_id in self.participant:
                self.last[self.participant[entry.case_id]] = place
        first = self._calibration(calibration)
        readings = self._readings(start=len(self.reader.existing) + len(first))
        chance = Chance(self.design, self.reader, self.ranks, self.participant)
        readings = add_rereads(chance, before=first, readings=readings, notes=self.notes)
        readings = add_controls(chance, sorted(calibration), readings=readings, notes=self.notes)
        return ReaderPlan(
            self.reader.account_id, self.reader.name, self._numbered([*first, *readings]), tuple(self.notes)
        )

    def _calibration(self, cases: Sequence[int]) -> list[PlannedEntry]:
        have = {entry.case_id for entry in self.reader.existing if entry.purpose == Purpose.CALIBRATION}
        order = self._by_chance("calibration", [case for case in cases if case not in have])
        order, _ = self._spaced(order, start=len(self.reader.existing))
        arm = calibration_arm(self.design)
        return [PlannedEntry(case, 0, 0, arm, Purpose.CALIBRATION) for case in order]

    def _readings(self, *, start: int) -> list[PlannedEntry]:
        """Return the first readings, and for a crossover the second ones after them; not numbered yet."""
        made: list[PlannedEntry] = []
        short = 0
        parts = self._parts()
        for part, until in zip(parts, self._room_for_later(parts, start), strict=True):
            what_for = "second period" if part.period == 2 else ""
            drawn = self._by_chance(what_for, part.cases)
            order, close = self._spaced(drawn, start=start + len(made), until=until)
            short += close
            made += [
                PlannedEntry(case, 0, 0, self._arm(case, part.period), block=part.block, period=part.period)
                for case in order
            ]
        if short:
            distance = self.design.participant_distance
            self.notes.append(
                f"{_count(short, 'case')} cannot be kept {_count(distance, 'other case')} away from another "
                "case of the same participant."
            )
        return made

    def _parts(self) -> list[_Part]:
        """Return the new readings by period and block, in the order in which they are read."""
        found: dict[int, list[int]] = {}
        for case in self.dealt.new.get(self.reader.account_id, ()):
            found.setdefault(self.dealt.blocks.get(case, 0), []).append(case)
        periods = (1, 2) if self.design.arm is Arm.CROSSOVER else (1,)
        return [_Part(period, block, tuple(found[block])) for period in periods for block in sorted(found)]

    def _room_for_later(self, parts: Sequence[_Part], start: int) -> list[dict[int, int]]:
        """Return for each part by when a participant's last case in it must be read.

        So that their cases in later parts can still keep their distance.
        """
        step = self.design.participant_distance + 1
        end = start + sum(len(part.cases) for part in parts)
        latest: dict[int, int] = {}
        found = []
        for part in reversed(parts):
            counts = Counter(self.participant[case] for case in part.cases)
            until = {group: latest[group] for group in counts if latest.get(group, end) < end - 1}
            found.append(until)
            for group, number in counts.items():
                latest[group] = min(end - 1, latest.get(group, end)) - number * step
            end -= len(part.cases)
        return found[::-1]

    def _by_chance(self, what_for: str, cases: Sequence[int]) -> list[int]:
        who = f"{self.reader.name}|{what_for}" if what_for else self.reader.name
        return sorted(cases, key=lambda case: draw(self.design.seed, who, self.ranks[case]))

    def _spaced(
        self, order: Sequence[int], *, start: int, until: Mapping[int, int] | None = None
    ) -> tuple[list[int], int]:
        found, short = spaced(
            order,
            group_of=self.participant.__getitem__,
            distance=self.design.participant_distance,
            last=self.last,
            start=start,
            until=until,
        )
        for place, case in enumerate(found, start=start):
            self.last[self.participant[case]] = place
        return found, short

    def _arm(self, case: int, period: int) -> Arm:
        if self.design.arm is not Arm.CROSSOVER:
            return self.design.arm
        arm = self.dealt.first_arms[self.reader.account_id, case]
        return arm if period == 1 else _OTHER_ARM[arm]

    def _numbered(self, entries: Sequence[PlannedEntry]) -> tuple[PlannedEntry, ...]:
        """Give places and passes, and tie second readings to the first ones."""
        passes: Counter[int] = Counter()
        firsts: dict[int, int] = {}
        last = 0
        for entry in self.reader.existing:
            passes[entry.case_id] = max(passes[entry.case_id], entry.pass_number)
            last = max(last, entry.place)
            if entry.purpose == Purpose.READING and entry.period == 1:
                firsts[entry.case_id] = entry.pass_number
        made = []
        for place, entry in enumerate(entries, start=last + 1):
            case = entry.case_id
            passes[case] += 1
            after, days = None, 0.0
            if entry.purpose == Purpose.REREAD:
                after, days = (case, firsts[case]), self.design.rereads.min_days
            elif entry.period == 2 and entry.purpose == Purpose.READING:
                after, days = (case, firsts[case]), self.design.washout_days
            elif entry.purpose == Purpose.READING:
                firsts[case] = passes[case]
            # Three times as fast as dataclasses.replace, and there may be hundreds of thousands.
            made.append(
                PlannedEntry(
                    case,
                    passes[case],
                    place,
                    entry.arm,
                    entry.purpose,
                    entry.period,
                    entry.block,
                    entry.mirrored,
                    after,
                    days,
                )
            )
        return tuple(made)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
