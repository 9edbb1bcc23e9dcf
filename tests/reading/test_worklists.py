"""Who reads what, when: as the design says, the same every time, and never moving what stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from reader_app.protocols.model import Arm, Presentation
from reader_app.reading.design import ALL_READERS, Calibration, ReadingDesign, Rereads
from reader_app.reading.planned import Purpose
from reader_app.reading.worklists import PlannedCase, PlannedEntry, PlannedReader, ReaderPlan, plan_worklists
from tests.plain_worklists import too_close

PLAIN = ReadingDesign(Presentation.SINGLE, Arm.UNAIDED, 7)
CROSSOVER = replace(PLAIN, arm=Arm.CROSSOVER, washout_days=28.0)
NAMES = ("Rita", "Rolf", "Roxana", "Ruben", "Ruth")


def study(live: int, *, visits: int = 1, calibration: int = 0) -> list[PlannedCase]:
    """Cases of participants with so many visits each; calibration cases come first."""
    return [
        PlannedCase(number, 1 + (number - 1) // visits, "calibration" if number <= calibration else "live")
        for number in range(1, live + calibration + 1)
    ]


def people(number: int, **existing: tuple[PlannedEntry, ...]) -> list[PlannedReader]:
    return [
        PlannedReader(place, name, existing.get(name, ())) for place, name in enumerate(NAMES[:number], 1)
    ]


def with_plans(readers: list[PlannedReader], plans: tuple[ReaderPlan, ...]) -> list[PlannedReader]:
    """The readers after their plans have been carried out."""
    new = {plan.account_id: plan.entries for plan in plans}
    return [
        replace(reader, existing=(*reader.existing, *new.get(reader.account_id, ()))) for reader in readers
    ]


def only(plan: ReaderPlan, purpose: Purpose, period: int = 1) -> list[PlannedEntry]:
    return [entry for entry in plan.entries if entry.purpose == purpose and entry.period == period]


designs = st.builds(
    ReadingDesign,
    presentation=st.just(Presentation.SINGLE),
    arm=st.sampled_from((Arm.UNAIDED, Arm.AIDED, Arm.UNAIDED_THEN_AIDED)),
    seed=st.integers(0, 2**31 - 1),
    readers_per_case=st.integers(ALL_READERS, 4),
    overlap_percent=st.integers(1, 100),
    block_size=st.sampled_from((0, 1, 5, 12)),
    participant_distance=st.integers(0, 6),
    rereads=st.builds(
        Rereads,
        percent=st.integers(0, 50),
        min_cases=st.integers(1, 12),
        min_days=st.sampled_from((0.0, 2.5)),
        mirrored=st.booleans(),
    ),
    calibration=st.builds(Calibration, cases=st.just(3), control_every=st.integers(0, 9)),
) | st.builds(
    ReadingDesign,
    presentation=st.just(Presentation.SINGLE),
    arm=st.just(Arm.CROSSOVER),
    seed=st.integers(0, 2**31 - 1),
    block_size=st.sampled_from((0, 5)),
    participant_distance=st.integers(0, 6),
    washout_days=st.just(28.0),
    calibration=st.builds(Calibration, cases=st.just(3), control_every=st.integers(0, 9)),
)
waves = st.lists(st.tuples(st.integers(0, 25), st.integers(0, 3)), min_size=1, max_size=4)


def carried_out(
    design: ReadingDesign, steps: list[tuple[int, int]], visits: int = 2
) -> tuple[list[PlannedReader], list[tuple[ReaderPlan, ...]]]:
    """Let cases and readers come step by step; return the readers at the end and every step's plans."""
    readers: list[PlannedReader] = []
    done = []
    number = 0
    for more, joining in steps:
        number += more
        fresh = NAMES[len(readers) : len(readers) + joining]
        readers += [PlannedReader(len(readers) + each, name) for each, name in enumerate(fresh, start=1)]
        plans = plan_worklists(design, cases=study(number, visits=visits, calibration=3), readers=readers)
        readers = with_plans(readers, plans)
        done.append(plans)
    return readers, done


@settings(max_examples=120, deadline=None)
@given(designs, waves, st.integers(1, 3))
def test_worklists_grow_at_their_end_and_hold_what_the_design_says(
    design: ReadingDesign, steps: list[tuple[int, int]], visits: int
) -> None:
    readers, done = carried_out(design, steps, visits)
    again, _ = carried_out(design, steps, visits)
    assert again == readers
    number = sum(more for more, _ in steps)
    live = set(range(4, number + 4))
    for reader in readers:
        entries = reader.existing
        assert [entry.place for entry in entries] == list(range(1, len(entries) + 1))
        assert len({(entry.case_id, entry.pass_number) for entry in entries}) == len(entries)
        by_key = {(entry.case_id, entry.pass_number): entry for entry in entries}
        first = [entry for entry in entries if entry.purpose == Purpose.READING and entry.period == 1]
        assert len({entry.case_id for entry in first}) == len(first)
        assert {entry.case_id for entry in first} <= live
        again_read = [entry for entry in entries if entry.purpose == Purpose.REREAD]
        assert len({entry.case_id for entry in again_read}) == len(again_read)
        for entry in again_read:
            assert entry.after is not None
            before = by_key[entry.after]
            assert before.purpose == Purpose.READING
            assert entry.place - before.place - 1 >= design.rereads.min_cases
            assert entry.after_days == design.rereads.min_days
            assert entry.mirrored is design.rereads.mirrored
            assert not before.mirrored
            assert entry.arm is before.arm
        if not design.rereads.mirrored:
            assert not any(entry.mirrored for entry in entries)
        seen: Counter[int] = Counter()
        for entry in entries:
            seen[entry.case_id] += 1
            assert entry.pass_number == seen[entry.case_id]
            assert entry.purpose in (Purpose.CALIBRATION, Purpose.CONTROL) or entry.case_id in live
    assert [plan.account_id for plan in done[-1]] == [reader.account_id for reader in readers]


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 60), st.integers(1, 5), st.integers(1, 5), st.integers(1, 100), st.integers(0, 2**31 - 1)
)
def test_a_split_is_balanced_and_overlaps_as_much_as_it_should(
    number: int, readers: int, per_case: int, overlap: int, seed: int
) -> None:
    design = replace(PLAIN, readers_per_case=per_case, overlap_percent=overlap, seed=seed)
    plans = plan_worklists(design, cases=study(number), readers=people(readers))
    loads = [len(plan.entries) for plan in plans]
    assert max(loads) - min(loads) <= 1
    read_by = Counter(entry.case_id for plan in plans for entry in plan.entries)
    assert set(read_by) == set(range(1, number + 1))
    shared = min(per_case, readers)
    expected = round(overlap * number / 100) if per_case > 1 else 0
    if shared > 1:
        assert Counter(read_by.values()) == Counter(
            {count: times for count, times in ((shared, expected), (1, number - expected)) if times}
        )
    assert bool(plans[0].notes) == (readers < per_case and expected > 0)


def test_every_reader_reads_everything_in_an_order_of_their_own() -> None:
    plans = plan_worklists(PLAIN, cases=study(50), readers=people(3))
    orders = [tuple(entry.case_id for entry in plan.entries) for plan in plans]
    assert len(set(orders)) == 3
    assert all(sorted(order) == list(range(1, 51)) for order in orders)
    other = plan_worklists(replace(PLAIN, seed=8), cases=study(50), readers=people(1))
    assert tuple(entry.case_id for entry in other[0].entries) != orders[0]


def test_the_order_follows_from_rank_and_not_from_the_numbers_that_a_server_gives() -> None:
    shifted = [replace(case, case_id=1000 + 3 * case.case_id) for case in study(40)]
    (plan,) = plan_worklists(PLAIN, cases=study(40), readers=people(1))
    (other,) = plan_worklists(PLAIN, cases=shifted, readers=people(1))
    assert [1000 + 3 * entry.case_id for entry in plan.entries] == [entry.case_id for entry in other.entries]


def test_a_reader_who_comes_later_changes_nothing_for_the_others_and_has_the_same_blocks() -> None:
    design = replace(PLAIN, block_size=10)
    early = people(2)
    first = plan_worklists(design, cases=study(35), readers=early)
    early = with_plans(early, first)
    three = [*early, PlannedReader(3, "Roxana")]
    later = plan_worklists(design, cases=study(35), readers=three)
    assert [len(plan.entries) for plan in later] == [0, 0, 35]
    blocks = [{entry.case_id: entry.block for entry in plan.entries} for plan in (*first, later[2])]
    assert blocks[0] == blocks[1] == blocks[2]
    assert Counter(blocks[0].values()) == {1: 10, 2: 10, 3: 10, 4: 5}
    for plan in (*first, later[2]):
        numbers = [entry.block for entry in plan.entries]
        assert numbers == sorted(numbers)
    grown = plan_worklists(design, cases=study(50), readers=with_plans(three, later))
    assert [Counter(entry.block for entry in plan.entries) for plan in grown] == [{4: 5, 5: 10}] * 3


def test_cases_of_one_participant_stay_apart_also_from_what_stands_already() -> None:
    design = replace(PLAIN, participant_distance=15, block_size=25)
    readers = people(2)
    for number in (60, 100):
        plans = plan_worklists(design, cases=study(number, visits=2), readers=readers)
        assert [plan.notes for plan in plans] == [(), ()]
        readers = with_plans(readers, plans)
    for reader in readers:
        order = [entry.case_id for entry in reader.existing]
        assert too_close(order, group_of=lambda case: (case - 1) // 2, distance=15) == 0


def test_what_cannot_be_kept_apart_is_said() -> None:
    design = replace(PLAIN, participant_distance=15)
    (plan,) = plan_worklists(design, cases=study(10, visits=5), readers=people(1))
    assert len(plan.entries) == 10
    assert plan.notes == (
        "8 cases cannot be kept 15 other cases away from another case of the same participant.",
    )


def test_a_crossover_is_counterbalanced_over_cases_and_readers() -> None:
    plans = plan_worklists(CROSSOVER, cases=study(40, visits=2), readers=people(4))
    first_arms = []
    for plan in plans:
        one, two = only(plan, Purpose.READING, 1), only(plan, Purpose.READING, 2)
        assert (len(one), len(two)) == (40, 40)
        assert max(entry.place for entry in one) < min(entry.place for entry in two)
        arms = {entry.case_id: entry.arm for entry in one}
        first_arms.append(arms)
        assert Counter(arms.values()) == {Arm.UNAIDED: 20, Arm.AIDED: 20}
        for entry in two:
            assert entry.arm in {Arm.UNAIDED, Arm.AIDED} - {arms[entry.case_id]}
            assert (entry.after, entry.after_days) == ((entry.case_id, 1), 28.0)
        assert [entry.case_id for entry in one] != [entry.case_id for entry in two]
    for case in range(1, 41):
        assert Counter(arms[case] for arms in first_arms) == {Arm.UNAIDED: 2, Arm.AIDED: 2}
    assert len({tuple(arms.items()) for arms in first_arms}) == 4


def test_a_reader_who_joins_a_crossover_later_balances_it() -> None:
    readers = people(1)
    readers = with_plans(readers, plan_worklists(CROSSOVER, cases=study(30), readers=readers))
    _, plan = plan_worklists(CROSSOVER, cases=study(30), readers=[*readers, PlannedReader(2, "Rolf")])
    before = {entry.case_id: entry.arm for entry in readers[0].existing if entry.period == 1}
    assert all(entry.arm is not before[entry.case_id] for entry in only(plan, Purpose.READING, 1))


def test_re_reads_are_the_share_that_is_asked_and_spread_over_the_rest_of_the_list() -> None:
    design = replace(PLAIN, rereads=Rereads(percent=10, min_cases=20, min_days=3.0))
    (plan,) = plan_worklists(design, cases=study(400), readers=people(1))
    again = only(plan, Purpose.REREAD)
    assert len(again) == 40
    assert plan.notes == ()
    assert {entry.after for entry in again} == {(entry.case_id, 1) for entry in again}
    thirds = Counter(3 * (entry.place - 1) // len(plan.entries) for entry in again)
    assert set(thirds) == {0, 1, 2}
    other = plan_worklists(replace(design, seed=8), cases=study(400), readers=people(1))[0]
    assert {e.case_id for e in only(other, Purpose.REREAD)} != {entry.case_id for entry in again}


def test_a_list_that_is_too_short_for_its_re_reads_says_so() -> None:
    design = replace(PLAIN, rereads=Rereads(percent=50, min_cases=20))
    (plan,) = plan_worklists(design, cases=study(24), readers=people(1))
    assert len(only(plan, Purpose.REREAD)) == 4
    assert plan.notes == (
        "Only 4 of 12 re-reads can have 20 other cases between the two readings: the worklist is too short.",
    )


def test_a_mirrored_film_is_as_often_a_first_reading_as_a_re_read() -> None:
    design = replace(PLAIN, rereads=Rereads(percent=20, min_cases=10, mirrored=True))
    (plan,) = plan_worklists(design, cases=study(200), readers=people(1))
    mirrored = Counter(entry.purpose for entry in plan.entries if entry.mirrored)
    assert mirrored == {Purpose.REREAD: 40, Purpose.READING: 40}
    again = {entry.case_id for entry in only(plan, Purpose.REREAD)}
    assert not any(entry.mirrored for entry in only(plan, Purpose.READING) if entry.case_id in again)


def test_a_re_read_and_a_control_bear_the_block_of_their_neighbours() -> None:
    design = replace(
        PLAIN,
        block_size=20,
        rereads=Rereads(percent=25, min_cases=5),
        calibration=Calibration(cases=3, control_every=7),
    )
    (plan,) = plan_worklists(design, cases=study(100, calibration=3), readers=people(1))
    blocks = [entry.block for entry in plan.entries if entry.purpose != Purpose.CALIBRATION]
    assert blocks == sorted(blocks)
    assert set(blocks) == {1, 2, 3, 4, 5}


def test_calibration_cases_come_first_and_back_in_turn() -> None:
    design = replace(PLAIN, calibration=Calibration(cases=3, control_every=10), participant_distance=2)
    (plan,) = plan_worklists(design, cases=study(90, calibration=3), readers=people(1))
    assert {entry.case_id for entry in plan.entries[:3]} == {1, 2, 3}
    assert all(entry.purpose == Purpose.CALIBRATION for entry in plan.entries[:3])
    controls = only(plan, Purpose.CONTROL)
    assert Counter(entry.case_id for entry in controls) == {1: 3, 2: 3, 3: 3}
    assert [entry.pass_number for entry in controls if entry.case_id == 1] == [2, 3, 4]
    places = [entry.place for entry in controls]
    assert [later - earlier for earlier, later in pairwise(places)] == [11] * 8
    readers = with_plans(people(1), (plan,))
    (more,) = plan_worklists(design, cases=study(97, calibration=3), readers=readers)
    assert not only(more, Purpose.CONTROL)
    (more,) = plan_worklists(design, cases=study(100, calibration=3), readers=readers)
    assert [entry.pass_number for entry in only(more, Purpose.CONTROL)] == [5]


def test_controls_without_calibration_cases_are_missing_and_said() -> None:
    design = replace(PLAIN, calibration=Calibration(cases=3, control_every=10))
    (plan,) = plan_worklists(design, cases=study(30), readers=people(1))
    assert plan.notes == ("There are no controls, as the study has no calibration cases yet.",)


def test_what_a_closed_account_has_read_needs_nobody_else() -> None:
    design = replace(PLAIN, readers_per_case=1)
    done = tuple(PlannedEntry(case, 1, case, Arm.UNAIDED) for case in range(1, 11))
    readers = [PlannedReader(1, "Rita", done, takes_more=False), PlannedReader(2, "Rolf")]
    (plan,) = plan_worklists(design, cases=study(30), readers=readers)
    assert {entry.case_id for entry in plan.entries} == set(range(11, 31))
