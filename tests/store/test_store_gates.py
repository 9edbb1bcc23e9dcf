"""Washouts refuse to open early and say when; re-reads wait without anybody being able to tell."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from reader_app.errors import NotYet
from reader_app.protocols.model import Arm
from reader_app.reading.worklist import ReadingState, WorklistEntry, moment_words, told_moment
from reader_app.store import ahead, journal, readings, worklists
from reader_app.store.records import Actor, Role
from reader_app.store.tables import assignment
from tests.plain_worklists import next_entry
from tests.store.conftest import STAMPS, Study, film

WAITING, OPEN, LOCKED = ReadingState.WAITING, ReadingState.OPEN, ReadingState.LOCKED
WASHOUT = 28.0
ALL = tuple(ReadingState)


def assign(
    study: Study,
    reader: Actor,
    case_id: int,
    *,
    after: int | None = None,
    **more: Any,
) -> int:
    """Append a case to a worklist as a design would; return the assignment."""
    values = {
        "arm": Arm.UNAIDED.value,
        "pass_number": 1,
        "purpose": "reading",
        "period": 1,
        "block": 0,
        "mirrored": False,
        "after_days": 0.0,
        "state": "waiting",
        "graded": 0,
    } | more
    with study.db.writing() as connection:
        place = len(
            connection.execute(
                select(assignment.c.id).where(assignment.c.account_id == reader.account_id)
            ).all()
        )
        return int(
            connection.execute(
                insert(assignment)
                .values(
                    account_id=reader.account_id,
                    case_id=case_id,
                    place=place + 1,
                    after_assignment_id=after,
                    **values,
                )
                .returning(assignment.c.id)
            ).scalar_one()
        )


def reread(study: Study, reader: Actor, case_id: int, *, after: int, days: float, **more: Any) -> int:
    values = {"purpose": "re-read", "pass_number": 2, "after_days": days} | more
    return assign(study, reader, case_id, after=after, **values)


def second(study: Study, reader: Actor, case_id: int, *, after: int, **more: Any) -> int:
    values = {"period": 2, "pass_number": 2, "after_days": WASHOUT, "arm": Arm.AIDED.value} | more
    return assign(study, reader, case_id, after=after, **values)


@pytest.fixture
def rita(study: Study) -> Actor:
    study.add_cases(*(film(f"P{number:04d}") for number in range(1, 7)))
    return study.person("Rita", Role.READER)


def read(study: Study, reader: Actor, place: int) -> int:
    """Open and lock what stands at a place; return its case."""
    opened = study.open(reader, place)
    study.lock(reader, opened)
    return opened.case.id


def told(entries: Iterable[WorklistEntry]) -> list[tuple[int, str, bool, str]]:
    """All that a worklist says of its cases."""
    return [
        (each.place, each.state.value, each.shut, each.opens_at.isoformat() if each.opens_at else "")
        for each in entries
    ]


# The second period --------------------------------------------------------------------------------


def test_the_second_period_refuses_to_open_early_and_says_when(study: Study, rita: Actor) -> None:
    first = assign(study, rita, 1)
    later = second(study, rita, 1, after=first)
    with pytest.raises(NotYet, match="not locked yet") as refused:
        readings.open_reading(study.db, rita, later, **STAMPS)
    assert refused.value.opens_at is None
    opened = study.open(rita)
    with pytest.raises(NotYet, match="not locked yet"):
        readings.open_reading(study.db, rita, later, **STAMPS)
    study.lock(rita, opened)
    moment = study.clock.now + timedelta(days=WASHOUT)
    with pytest.raises(NotYet) as refused:
        readings.open_reading(study.db, rita, later, **STAMPS)
    assert refused.value.opens_at == moment
    assert moment_words(moment) in refused.value.what
    study.clock.pass_by(timedelta(days=WASHOUT) - timedelta(microseconds=1))
    with pytest.raises(NotYet):
        readings.open_reading(study.db, rita, later, **STAMPS)
    study.clock.pass_by(timedelta(microseconds=1))
    at_last = readings.open_reading(study.db, rita, later, **STAMPS)
    assert (at_last.arm, at_last.second_period, at_last.place) == (Arm.AIDED, True, 2)


def test_a_refusal_leaves_no_reading_and_no_entry_behind(study: Study, rita: Actor) -> None:
    first = assign(study, rita, 1)
    later = second(study, rita, 1, after=first)
    entries = journal.verify_chain(study.db).entries
    with pytest.raises(NotYet):
        readings.open_reading(study.db, rita, later, **STAMPS)
    assert journal.verify_chain(study.db).entries == entries
    assert readings.worklist(study.db, rita)[1].state is WAITING


def test_the_worklist_says_from_when_and_the_next_case_goes_past(study: Study, rita: Actor) -> None:
    first, other = assign(study, rita, 1), assign(study, rita, 2)
    second(study, rita, 1, after=first)
    second(study, rita, 2, after=other)
    read(study, rita, 1)
    begun = study.clock.now
    assert worklists.next_case(study.db, rita, after_place=1).entry == readings.worklist(study.db, rita)[1]
    study.clock.pass_by(timedelta(minutes=20))
    assert told(readings.worklist(study.db, rita))[2:] == [
        (3, "waiting", True, (begun + timedelta(days=WASHOUT)).isoformat()),
        (4, "waiting", True, ""),
    ]
    read(study, rita, 2)
    nothing = worklists.next_case(study.db, rita, after_place=2)
    assert (nothing.entry, nothing.opens_at) == (None, begun + timedelta(days=WASHOUT))
    study.clock.now = begun + timedelta(days=WASHOUT)
    going_on = worklists.next_case(study.db, rita, after_place=2).entry
    assert going_on is not None
    assert (going_on.place, going_on.shut) == (3, False)


def test_moments_are_told_in_full_quarters_never_too_early() -> None:
    quarter = datetime(2026, 12, 19, 20, 15, tzinfo=UTC)
    assert told_moment(quarter) == quarter
    assert told_moment(quarter + timedelta(microseconds=1)) == quarter + timedelta(minutes=15)
    assert told_moment(quarter - timedelta(minutes=14)) == quarter


# Re-reads -----------------------------------------------------------------------------------------


def test_a_re_read_that_is_not_due_changes_places_with_a_later_case(study: Study, rita: Actor) -> None:
    first = assign(study, rita, 1, block=1)
    again = reread(study, rita, 1, after=first, days=7.0, block=1)
    assign(study, rita, 2, block=2)
    assign(study, rita, 3, block=2)
    read(study, rita, 1)
    before = told(readings.worklist(study.db, rita))
    opened = readings.open_reading(study.db, rita, again, **STAMPS)
    assert (opened.case.id, opened.place, opened.title, opened.block) == (2, 2, "Case 0002", 1)
    after = told(readings.worklist(study.db, rita))
    waiting = [(3, "waiting", False, ""), (4, "waiting", False, "")]
    assert before == [(1, "locked", False, ""), (2, "waiting", False, ""), *waiting]
    assert after == [(1, "locked", False, ""), (2, "open", False, ""), *waiting]
    assert [each.block for each in readings.worklist(study.db, rita)] == [1, 1, 2, 2]
    auditor = study.person("Ada", Role.AUDITOR)
    swaps = [each.payload for each in journal.entries(study.db, auditor) if each.verb == "case.swap"]
    assert swaps == [{"reader": rita.account_id, "places": [2, 3]}]
    assert journal.verify_chain(study.db).ok


def test_a_re_read_that_is_due_opens_where_it_stands(study: Study, rita: Actor) -> None:
    first = assign(study, rita, 1)
    reread(study, rita, 1, after=first, days=7.0)
    assign(study, rita, 2)
    read(study, rita, 1)
    study.clock.pass_by(timedelta(days=7))
    assert study.open(rita, 2).case.id == 1


def test_a_re_read_cannot_come_before_its_first_reading(study: Study, rita: Actor) -> None:
    first = assign(study, rita, 1)
    reread(study, rita, 1, after=first, days=0.0)
    opened = study.open(rita, 2)
    assert opened.case.id == 1
    assert opened.assignment_id == first, "the first reading came in the place of the re-read"


def test_only_where_nothing_else_is_left_a_re_read_refuses_without_telling_itself(
    study: Study, rita: Actor
) -> None:
    first = assign(study, rita, 1)
    assign(study, rita, 2)
    reread(study, rita, 1, after=first, days=7.0)
    read(study, rita, 1)
    # The second case was passed by: it comes in the place of the re-read.
    assert study.open(rita, 3).case.id == 2
    begun = study.clock.now
    with pytest.raises(NotYet, match="The rest of your worklist opens") as refused:
        study.open(rita, 2)
    assert refused.value.opens_at == begun + timedelta(days=7)
    study.lock(rita, study.open(rita, 3))
    nothing = worklists.next_case(study.db, rita, after_place=3)
    assert (nothing.entry, nothing.opens_at) == (None, begun + timedelta(days=7))


def test_prefetching_follows_the_swap_and_begins_nothing(study: Study, rita: Actor) -> None:
    first = assign(study, rita, 1)
    again = reread(study, rita, 1, after=first, days=7.0)
    assign(study, rita, 2, mirrored=True)
    shut = second(study, rita, 1, after=first, pass_number=3)
    read(study, rita, 1)
    (coming,) = ahead.films_ahead(study.db, rita, [again])
    assert ahead.films_ahead(study.db, rita, [shut]) == ()
    opened = readings.open_reading(study.db, rita, again, **STAMPS)
    (shown,) = opened.case.films
    assert coming == (shown.radiograph_id, shown.version, opened.mirrored)
    assert opened.mirrored


def test_a_hidden_case_of_the_second_period_opens_when_its_neighbour_does(study: Study, rita: Actor) -> None:
    one, two = assign(study, rita, 1), assign(study, rita, 2)
    again_one = second(study, rita, 1, after=one)
    reread(study, rita, 1, after=again_one, days=1.0, period=2, pass_number=3)
    second(study, rita, 2, after=two)
    read(study, rita, 1)
    study.clock.pass_by(timedelta(days=1))
    read(study, rita, 2)
    third, hidden, last = told(readings.worklist(study.db, rita))[2:]
    assert third != last
    assert hidden[1:] == last[1:], "it says what its neighbour says"
    with pytest.raises(NotYet) as refused:
        study.open(rita, 4)
    assert refused.value.opens_at == study.clock.now + timedelta(days=WASHOUT)


def evening(study: Study, reader: Actor, cases: int) -> list[tuple[object, ...]]:
    """Read a worklist from front to back; return all that its reader gets to see of it."""
    seen: list[tuple[object, ...]] = []
    place = 0
    for _ in range(cases):
        seen.append(tuple(told(readings.worklist(study.db, reader))))
        pages = [
            worklists.page(study.db, reader, states=(WAITING, OPEN), first=first, limit=2)
            for first in range(0, 12, 2)
        ]
        seen += [tuple(told(page)) for page in pages]
        entry = worklists.next_case(study.db, reader, after_place=place).entry
        assert entry is not None
        opened = readings.open_reading(study.db, reader, entry.assignment_id, **STAMPS)
        seen.append((opened.place, opened.title, opened.arm, opened.block, opened.content.grades))
        study.lock(reader, opened)
        place = opened.place
    return seen


@pytest.mark.parametrize(
    "kinds", ["pprpprpppr", "rrrppppppp", "prdprdpppp", "pppppppprr", "drpdrpdrpp"], ids=lambda kinds: kinds
)
def test_a_worklist_with_re_reads_looks_like_one_without(study: Study, rita: Actor, kinds: str) -> None:
    """While a plain case waits, nothing tells plain ones, due re-reads and others apart."""
    rolf = study.person("Rolf", Role.READER)
    for reader, hides in ((rita, True), (rolf, False)):
        first = assign(study, reader, 1)
        for number, kind in enumerate(kinds, start=2):
            if hides and kind in "rd":
                days = 9.0 if kind == "r" else 0.0
                reread(study, reader, 1, after=first, days=days, pass_number=number)
            else:
                assign(study, reader, 2, pass_number=number)
    readable = 1 + sum(kind in "pd" for kind in kinds)
    assert evening(study, rita, readable) == evening(study, rolf, readable)
    assert worklists.next_case(study.db, rita).entry is None
    assert worklists.next_case(study.db, rolf).entry is not None


# Pages --------------------------------------------------------------------------------------------


@given(
    states=st.lists(st.sampled_from([WAITING, OPEN, LOCKED]), min_size=1, max_size=12), at=st.integers(0, 12)
)
def test_next_case_of_the_pure_rule_goes_round_once(states: list[ReadingState], at: int) -> None:
    entries = tuple(WorklistEntry(100 + n, n, state) for n, state in enumerate(states, start=1))
    found = next_entry(entries, after=100 + at)
    left = [e.place for e in entries if e.state is not LOCKED]
    expected = next((p for p in left if p > (at if at <= len(states) else 0)), left[0] if left else None)
    assert (found.place if found else None) == expected


def test_pages_rows_and_places_of_a_worklist_agree(study: Study, rita: Actor) -> None:
    for case_id in range(1, 7):
        assign(study, rita, case_id, block=1 + case_id // 4)
    for place, state in ((1, "locked"), (2, "open"), (4, "locked")):
        with study.db.writing() as connection:
            connection.execute(
                update(assignment)
                .where(assignment.c.account_id == rita.account_id, assignment.c.place == place)
                .values(state=state)
            )
    everything = readings.worklist(study.db, rita)
    assert readings.worklist_progress(study.db, rita).blocks == 2
    for states in (ALL, (WAITING,), (WAITING, OPEN), (LOCKED,)):
        listed = [each for each in everything if each.state in states]
        pages = [
            worklists.page(study.db, rita, states=states, first=first, limit=2)
            for first in range(0, len(everything), 2)
        ]
        assert [entry for page in pages for entry in page] == listed
        for row, entry in enumerate(listed):
            assert worklists.rows_before(study.db, rita, entry.place, states=states) == row
    assert [worklists.entry_at(study.db, rita, place) for place in (0, 3, 7)] == [None, everything[2], None]
    coming = worklists.next_cases(study.db, rita, after_place=4, limit=3)
    assert [entry.place for entry in coming] == [5, 6, 2]
