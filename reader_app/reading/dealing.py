"""Who reads which case, in which block, and in which arm first: the same for whoever asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reader_app.protocols.model import Arm
from reader_app.reading.design import ALL_READERS, ReadingDesign
from reader_app.reading.drawing import draw
from reader_app.reading.planned import PlannedCase, PlannedReader, Purpose
from reader_app.reading.spacing import spaced


@dataclass(frozen=True)
class Deal:
    """What is dealt out before any reader's order is made.

    Attributes
    ----------
    new
        By account, the live cases that this reader gets, in the order of dealing.
    blocks
        The block of every live case; empty where there are none.
    first_arms
        In a crossover, by account and case: the arm of the first reading.
    notes
        What could not be met, in sentences.
    """

    new: Mapping[int, tuple[int, ...]]
    blocks: Mapping[int, int]
    first_arms: Mapping[tuple[int, int], Arm]
    notes: tuple[str, ...]


def deal(
    design: ReadingDesign,
    *,
    cases: Sequence[PlannedCase],
    ranks: Mapping[int, int],
    readers: Sequence[PlannedReader],
) -> Deal:
    """Deal out the live cases.

    Parameters
    ----------
    cases
        The live ones, all of them.
    ranks
        Of each case, a number that is the same in every copy of the study; chance follows from it.
    """
    order = sorted((case.case_id for case in cases), key=lambda id_: draw(design.seed, "dealing", ranks[id_]))
    have = {reader.account_id: _has(reader) for reader in readers}
    notes: list[str] = []
    new = _who_reads(design, order, ranks, readers, have, notes)
    blocks = _blocks(design, cases, order, readers)
    arms = _first_arms(design, ranks, readers, new) if design.arm is Arm.CROSSOVER else {}
    return Deal(new, blocks, arms, tuple(notes))


def _has(reader: PlannedReader) -> frozenset[int]:
    return frozenset(entry.case_id for entry in reader.existing if entry.purpose == Purpose.READING)


def _who_reads(
    design: ReadingDesign,
    order: Sequence[int],
    ranks: Mapping[int, int],
    readers: Sequence[PlannedReader],
    have: Mapping[int, frozenset[int]],
    notes: list[str],
) -> dict[int, tuple[int, ...]]:
    takers = sorted((reader for reader in readers if reader.takes_more), key=lambda reader: reader.name)
    if not takers:
        return {}
    if design.readers_per_case == ALL_READERS and design.overlap_percent == 100:
        return {
            reader.account_id: tuple(case for case in order if case not in have[reader.account_id])
            for reader in takers
        }
    wanted = _wanted(design, order, readers, have)
    # With a reader left over for everybody's rest, the hand that is dealt least takes next.
    dealt: dict[int, list[int]] = {reader.account_id: [] for reader in takers}
    hands = {reader.account_id: draw(design.seed, f"hand of {reader.name}", 0) for reader in takers}
    before = {account: len(have[account]) for account in dealt}
    lacking = 0
    for case in sorted(order, key=lambda case: -wanted[case]):
        if wanted[case] <= 0:
            break
        free = [account for account in dealt if case not in have[account]]
        turn = ranks[case]
        free.sort(
            key=lambda account: (
                len(dealt[account]),
                before[account] + len(dealt[account]),
                draw(turn, "turn", int.from_bytes(hands[account][:6], "big")),
            )
        )
        lacking += len(free) < wanted[case]
        for account in free[: wanted[case]]:
            dealt[account].append(case)
    if lacking and design.readers_per_case != ALL_READERS:
        number = len(takers)
        notes.append(
            f"{_count(lacking, 'case')} cannot have {design.readers_per_case} readers: "
            f"the study has {_count(number, 'reader')}."
        )
    place = {case: place for place, case in enumerate(order)}
    return {account: tuple(sorted(hand, key=place.__getitem__)) for account, hand in dealt.items()}


def _wanted(
    design: ReadingDesign,
    order: Sequence[int],
    readers: Sequence[PlannedReader],
    have: Mapping[int, frozenset[int]],
) -> dict[int, int]:
    """Return for each case how many more readers it should have; the share that overlaps is met exactly."""
    count = dict.fromkeys(order, 0)
    for cases in have.values():
        for case in cases:
            if case in count:
                count[case] += 1
    full = design.readers_per_case or len(readers)
    sharing = round(design.overlap_percent * len(order) / 100) if full > 1 else 0
    sharing -= sum(1 for number in count.values() if number >= full > 1)
    # Those that are shared already, but not by enough, come before those that chance would add.
    candidates = sorted((case for case in order if count[case] < full), key=lambda case: count[case] < 2)
    shared = set(candidates[: max(sharing, 0)])
    return {case: (full if case in shared else 1) - count[case] for case in order}


def _blocks(
    design: ReadingDesign,
    cases: Sequence[PlannedCase],
    order: Sequence[int],
    readers: Sequence[PlannedReader],
) -> dict[int, int]:
    if not design.block_size:
        return {}
    live = set(order)
    blocks = {
        entry.case_id: entry.block
        for reader in readers
        for entry in reader.existing
        if entry.purpose == Purpose.READING and entry.block and entry.case_id in live
    }
    fresh = [case for case in order if case not in blocks]
    participant = {case.case_id: case.participant_id for case in cases}
    if design.participant_distance:
        # Visits of a participant go to different blocks where they can: within one there is little room.
        for distance in (design.participant_distance + design.block_size, design.participant_distance):
            spread, short = spaced(fresh, group_of=participant.__getitem__, distance=distance)
            if not short or distance == design.participant_distance:
                fresh = spread
                break
    block = max(blocks.values(), default=1)
    room = design.block_size - sum(1 for number in blocks.values() if number == block)
    for case in fresh:
        if room <= 0:
            block, room = block + 1, design.block_size
        blocks[case] = block
        room -= 1
    return blocks


def _first_arms(
    design: ReadingDesign,
    ranks: Mapping[int, int],
    readers: Sequence[PlannedReader],
    new: Mapping[int, tuple[int, ...]],
) -> dict[tuple[int, int], Arm]:
    """Choose with which arm each reader begins each case.

    Half of a reader's cases begin unaided; of the readers of a case half, so that over all of them neither
    arm comes first.
    """
    lead: dict[int, int] = {}
    balance: dict[int, int] = {}
    for reader in readers:
        for entry in reader.existing:
            if entry.purpose == Purpose.READING and entry.period == 1:
                step = _step(entry.arm)
                lead[entry.case_id] = lead.get(entry.case_id, 0) + step
                balance[reader.account_id] = balance.get(reader.account_id, 0) + step
    arms: dict[tuple[int, int], Arm] = {}
    for reader in sorted(readers, key=lambda reader: reader.name):
        account = reader.account_id
        own = balance.get(account, 0)
        mine = new.get(account, ())
        decided = [case for case in mine if lead.get(case, 0)]
        drawn = sorted(
            (case for case in mine if not lead.get(case, 0)),
            key=lambda case: draw(design.seed, f"first arm of {reader.name}", ranks[case]),
        )
        chance = -1 if draw(design.seed, f"begins of {reader.name}", 0)[0] % 2 else 1
        for case in (*decided, *drawn):
            towards = -lead.get(case, 0) or -own or chance
            step = 1 if towards > 0 else -1
            arms[account, case] = Arm.UNAIDED if step > 0 else Arm.AIDED
            lead[case] = lead.get(case, 0) + step
            own += step
    return arms


def _step(arm: Arm) -> int:
    return 1 if arm is Arm.UNAIDED else -1


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
