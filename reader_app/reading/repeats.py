"""What is hidden in a worklist: re-reads by the same reader, and calibration cases that come back."""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from reader_app.protocols.model import Arm
from reader_app.reading.design import ReadingDesign
from reader_app.reading.drawing import draw, share
from reader_app.reading.planned import PlannedEntry, PlannedReader, Purpose

TRIES = 24
"""So many places are drawn for a re-read until one keeps its distance from the participant's other cases."""


@dataclass(frozen=True)
class Chance:
    """What everything random of one reader follows from.

    Attributes
    ----------
    ranks
        Of each case, a number that is the same in every copy of the study.
    participant
        Of each case.
    """

    design: ReadingDesign
    reader: PlannedReader
    ranks: Mapping[int, int]
    participant: Mapping[int, int]

    def order(self, what_for: str, case_id: int) -> bytes:
        """Return what sorts cases into a random order."""
        return draw(self.design.seed, f"{self.reader.name}|{what_for}", self.ranks[case_id])

    def share(self, what_for: str, number: int) -> float:
        """Return a number from 0 up to, but not including, 1."""
        return share(self.design.seed, f"{self.reader.name}|{what_for}", number)


def calibration_arm(design: ReadingDesign) -> Arm:
    """Return the arm of calibration cases and controls: the study's own, in a crossover without the AI."""
    return Arm.UNAIDED if design.arm is Arm.CROSSOVER else design.arm


def add_rereads(
    chance: Chance,
    *,
    before: Sequence[PlannedEntry],
    readings: Sequence[PlannedEntry],
    notes: list[str],
) -> list[PlannedEntry]:
    """Hide re-reads among new readings.

    The number follows from the new cases alone, so that what was decided before for others stands; read
    again may be any case of the reader that has not been yet. Where re-reads are mirrored, as many first
    readings of other cases are.

    Parameters
    ----------
    before
        What is new and comes before the readings.
    readings
        New first readings, in order.
    notes
        Is told what cannot be met.
    """
    rule = chance.design.rereads
    quota = rule.percent * len(readings) / 100
    number = int(quota + chance.share("re-reads", len(chance.reader.existing)))
    if not number:
        return list(readings)
    hiding = _Hiding(chance, [*chance.reader.existing, *before], list(readings))
    chosen = hiding.chosen(number)
    slots = sorted(
        (hiding.slot(place, entry), chance.order("turn", entry.case_id), entry) for place, entry in chosen
    )
    mirrored = hiding.mirrored(chosen) if rule.mirrored else frozenset()
    notes += hiding.notes(number, len(chosen), mirrored=len(mirrored))
    made: list[PlannedEntry] = []
    upcoming = iter(slots)
    following = next(upcoming, None)
    for place in range(len(readings) + 1):
        while following is not None and following[0] == place:
            made.append(_again(following[2], readings[max(place - 1, 0)].block, mirrored=rule.mirrored))
            following = next(upcoming, None)
        if place < len(readings):
            entry = readings[place]
            made.append(replace(entry, mirrored=True) if entry.case_id in mirrored else entry)
    return made


def _again(first: PlannedEntry, block: int, *, mirrored: bool) -> PlannedEntry:
    # The block is that of the cases around it: its own would give the re-read away.
    return PlannedEntry(first.case_id, 0, 0, first.arm, Purpose.REREAD, block=block, mirrored=mirrored)


@dataclass
class _Hiding:
    """Chooses what is read again, and where."""

    chance: Chance
    before: Sequence[PlannedEntry]
    readings: Sequence[PlannedEntry]
    short: int = 0
    places: dict[int, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place, entry in enumerate((*self.before, *self.readings)):
            group = self.chance.participant.get(entry.case_id)
            if group is not None:
                self.places.setdefault(group, []).append(place)

    @property
    def gap(self) -> int:
        """How many other cases lie between a case and its re-read, which is one of the same participant."""
        design = self.chance.design
        return max(design.rereads.min_cases, design.participant_distance)

    def chosen(self, number: int) -> list[tuple[int, PlannedEntry]]:
        """Draw first readings that leave room behind them, with their places."""
        last = len(self.before) + len(self.readings) - self.gap - 1
        again = {entry.case_id for entry in self.before if entry.purpose == Purpose.REREAD}
        open_to = [
            (place, entry)
            for place, entry in enumerate((*self.before, *self.readings))
            if place <= last
            and entry.purpose == Purpose.READING
            and entry.case_id not in again
            # Mirrored a second time it would look as it is.
            and not entry.mirrored
            and entry.case_id in self.chance.ranks
        ]
        return heapq.nsmallest(
            number, open_to, key=lambda pair: self.chance.order("re-read", pair[1].case_id)
        )

    def slot(self, place: int, entry: PlannedEntry) -> int:
        """Return before which of the readings the re-read comes; their number for the end."""
        start = len(self.before)
        low = max(place + self.gap + 1, start)
        width = start + len(self.readings) - low + 1
        best, found = -1, low
        for attempt in range(TRIES):
            drawn = self.chance.share(f"slot {attempt}", self.chance.ranks[entry.case_id])
            slot = low + int(drawn * width)
            away = self._away(slot, entry, place)
            if away > best:
                best, found = away, slot
            if best >= self.chance.design.participant_distance:
                break
        else:
            self.short += 1
        bisect.insort(self.places[self.chance.participant[entry.case_id]], found)
        return found - start

    def mirrored(self, chosen: Sequence[tuple[int, PlannedEntry]]) -> frozenset[int]:
        """Draw as many cases whose first reading is mirrored as are read again."""
        again = {entry.case_id for _, entry in chosen}
        others = [entry.case_id for entry in self.readings if entry.case_id not in again]
        drawn = heapq.nsmallest(len(again), others, key=lambda case: self.chance.order("mirrored", case))
        return frozenset(drawn)

    def notes(self, wanted: int, chosen: int, *, mirrored: int) -> list[str]:
        """Return what could not be met, in sentences."""
        told = []
        design = self.chance.design
        if chosen < wanted:
            told.append(
                f"Only {chosen:,} of {_count(wanted, 're-read')} can have {_count(self.gap, 'other case')} "
                "between the two readings: the worklist is too short."
            )
        if self.short:
            told.append(
                f"{_count(self.short, 're-read')} cannot be kept "
                f"{_count(design.participant_distance, 'case')} away from another case of the participant."
            )
        if design.rereads.mirrored and mirrored < chosen:
            told.append(
                f"Only {_count(mirrored, 'first reading')} can be mirrored beside "
                f"{_count(chosen, 'mirrored re-read')}: a mirrored film may tell that it is a re-read."
            )
        return told

    def _away(self, slot: int, entry: PlannedEntry, own: int) -> int:
        """Return how many others lie between the slot and the participant's nearest other case."""
        places = self.places[self.chance.participant[entry.case_id]]
        after = bisect.bisect_left(places, slot)
        near = [slot - place - 1 for place in places[max(after - 1, 0) : after] if place != own]
        near += [place - slot for place in places[after : after + 1]]
        return min(near, default=self.chance.design.participant_distance)


def add_controls(
    chance: Chance,
    calibration: Sequence[int],
    *,
    readings: Sequence[PlannedEntry],
    notes: list[str],
) -> list[PlannedEntry]:
    """Let a calibration case come back after every so many live ones; each as often as the others."""
    every = chance.design.calibration.control_every
    if not every or not readings:
        return list(readings)
    if not calibration:
        notes.append("There are no controls, as the study has no calibration cases yet.")
        return list(readings)
    turns = _Turns(chance, calibration, readings)
    arm = calibration_arm(chance.design)
    since = turns.since_last()
    made: list[PlannedEntry] = []
    for place, entry in enumerate(readings):
        made.append(entry)
        since += 1
        if since == every:
            case = turns.next(place)
            made.append(
                PlannedEntry(case, 0, 0, arm, Purpose.CONTROL, period=entry.period, block=entry.block)
            )
            since = 0
    return made


@dataclass
class _Turns:
    """Whose turn it is to come back: the one that has come back least often."""

    chance: Chance
    calibration: Sequence[int]
    readings: Sequence[PlannedEntry]
    waiting: list[tuple[int, bytes, int]] = field(default_factory=list)
    places: dict[int, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        back = dict.fromkeys(self.calibration, 0)
        for entry in self.chance.reader.existing:
            if entry.purpose == Purpose.CONTROL and entry.case_id in back:
                back[entry.case_id] += 1
        self.waiting = [self._turn(case, times) for case, times in back.items()]
        heapq.heapify(self.waiting)
        for place, entry in enumerate(self.readings):
            self.places.setdefault(self.chance.participant[entry.case_id], []).append(place)

    def since_last(self) -> int:
        """Return how many live cases stand at the worklist's end since the last control."""
        number = 0
        for entry in reversed(self.chance.reader.existing):
            if entry.purpose == Purpose.CONTROL:
                break
            number += entry.purpose in (Purpose.READING, Purpose.REREAD)
        return number

    def next(self, place: int) -> int:
        """Return the case that comes back after this place, if it can away from its participant's others."""
        passed: list[tuple[int, bytes, int]] = []
        while self.waiting and len(passed) < TRIES:
            turn = heapq.heappop(self.waiting)
            if self._is_away(turn[2], place):
                break
            passed.append(turn)
        else:
            # None is away from its participant's others: the first in turn it is.
            turn = passed.pop(0)
        for each in passed:
            heapq.heappush(self.waiting, each)
        heapq.heappush(self.waiting, self._turn(turn[2], turn[0] + 1))
        return turn[2]

    def _is_away(self, case: int, place: int) -> bool:
        places = self.places.get(self.chance.participant[case], [])
        after = bisect.bisect_right(places, place)
        distance = self.chance.design.participant_distance
        return all(place - near >= distance for near in places[max(after - 1, 0) : after]) and all(
            near - place - 1 >= distance for near in places[after : after + 1]
        )

    def _turn(self, case: int, times: int) -> tuple[int, bytes, int]:
        return times, self.chance.order(f"control {times}", case), case


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
