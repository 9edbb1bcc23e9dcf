"""Nothing that identifies gets past the door: identifiers become pseudonyms, dates move, go or stay."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_app.imaging.radiograph import FileStamp, RadiographHeader
from reader_app.interop.deidentify import DatePolicy
from reader_app.operations.importing.door import (
    LONGEST_SHIFT,
    SHORTEST_SHIFT,
    Door,
    is_day,
    looks_like_a_date,
    order_of,
)
from reader_app.operations.importing.film_plan import UNRANKED
from reader_app.operations.pseudonyms import Pseudonyms
from reader_app.operations.study_config import Privacy

KEY = bytes(range(32))
DAYS = st.dates(date(1950, 1, 1), date(2099, 12, 31))


def door(dates: DatePolicy = DatePolicy.SHIFTED, *, key: bytes = KEY, **privacy: bool) -> Door:
    return Door(Pseudonyms(key), Privacy(dates=dates, **privacy))


def header(identifier: str, issuer: str = "") -> RadiographHeader:
    return RadiographHeader(Path("x"), "DICOM", 1, 1, 8, participant_id=identifier, issuer=issuer)


@given(who=st.text(max_size=20))
def test_a_shift_is_whole_days_one_to_ten_years_back_and_always_the_same(who: str) -> None:
    days = door().shift_days(who)
    assert -LONGEST_SHIFT <= days <= -SHORTEST_SHIFT
    assert door().shift_days(who) == days


def test_shifts_differ_between_participants_and_studies() -> None:
    names = [f"P-{number}" for number in range(200)]
    assert len({door().shift_days(name) for name in names}) > 150
    other = door(key=bytes(32))
    assert sum(door().shift_days(name) == other.shift_days(name) for name in names) < 5


@given(first=DAYS, second=DAYS)
def test_shifting_keeps_intervals_and_hides_days(first: date, second: date) -> None:
    one, two = (door().visit("P", stated="", acquired=day.isoformat()) for day in (first, second))
    moved = date.fromisoformat(two.study_date) - date.fromisoformat(one.study_date)
    assert moved == second - first
    assert (two.order - one.order) == (second - first).days
    assert one.label == one.study_date != first.isoformat()


@given(day=DAYS)
def test_kept_dates_are_kept(day: date) -> None:
    visit = door(DatePolicy.KEPT).visit("P", stated="", acquired=day.isoformat())
    assert (visit.label, visit.study_date, visit.day) == (day.isoformat(), day.isoformat(), "")


@given(first=DAYS, second=DAYS)
def test_dropped_dates_are_recognised_and_never_told(first: date, second: date) -> None:
    dropping = door(DatePolicy.DROPPED)
    one, two = (dropping.visit("P", stated="", acquired=day.isoformat()) for day in (first, second))
    assert (one.day == two.day) == (first == second)
    assert (one.label, one.order, one.study_date) == ("", UNRANKED, "")
    assert dropping.visit("Q", stated="", acquired=first.isoformat()).day != one.day
    assert str(first.year) not in one.day or len(one.day) == 16


def test_a_stated_day_is_a_date_like_any_other_unless_the_study_wrote_it() -> None:
    shifted = door().visit("P", stated="2019-05-04", acquired="2001-01-01")
    assert shifted == door().visit("P", stated="", acquired="2019-05-04")
    own = door().visit("P", stated=shifted.label, acquired="", in_study_words=True)
    assert (own.label, own.order) == (shifted.label, shifted.order)


def test_a_named_visit_keeps_its_name_beside_its_day() -> None:
    visit = door().visit("P", stated="Month 24", acquired="2019-05-04")
    assert (visit.label, visit.order) == ("Month 24", 24)
    assert is_day(visit.study_date)


@pytest.mark.parametrize(
    ("visit", "order"),
    [("V01", 1), ("24 months", 24), ("Baseline", 0), ("123456789", 0), ("1970-01-02", 719164)],
)
def test_the_order_of_a_named_visit(visit: str, order: int) -> None:
    assert order_of(visit) == order


@pytest.mark.parametrize(
    ("text", "like"),
    [
        ("2019-05-04", True),
        ("04.05.2019", True),
        ("5/4/19", True),
        ("20190504", True),
        ("May 2019", True),
        ("V01 1998", True),
        ("Month 24", False),
        ("V00", False),
        ("12 months", False),
        ("Visit 201", False),
        ("MOST 84", False),
    ],
)
def test_what_looks_like_a_date(text: str, like: bool) -> None:
    assert looks_like_a_date(text) == like


@pytest.mark.parametrize(
    ("dates", "visit", "own", "refused"),
    [
        (DatePolicy.KEPT, "04.05.2019", False, False),
        (DatePolicy.SHIFTED, "2019-05-04", False, False),
        (DatePolicy.SHIFTED, "04.05.2019", False, True),
        (DatePolicy.SHIFTED, "04.05.2019", True, True),
        (DatePolicy.SHIFTED, "2016-05-04", True, False),
        (DatePolicy.DROPPED, "2019-05-04", False, False),
        (DatePolicy.DROPPED, "2019-05-04", True, True),
        (DatePolicy.DROPPED, "Visit 2", True, False),
    ],
)
def test_names_of_visits_may_not_smuggle_dates_in(
    dates: DatePolicy, visit: str, own: bool, refused: bool
) -> None:
    assert bool(door(dates).date_fault(visit, in_study_words=own)) == refused


def test_equal_identifiers_of_two_issuers_are_two_people() -> None:
    here = door()
    names = ["17", "17 ", "17a", "17A"]
    people = [here.participant(here.identity(header(name, issuer))) for name in names for issuer in "AB"]
    # Blanks around an identifier mean nothing (PS3.5 6.2); capitals and issuers do.
    assert len(set(people)) == 6
    assert here.identity(header("17", "A")) == "17^^^A"
    assert here.identity(header("17")) == "17"
    assert here.identity(header("", "A")) == ""


def test_a_study_from_before_knows_no_issuers() -> None:
    old = door(DatePolicy.KEPT, issuers=False)
    assert old.identity(header("17", "A")) == "17"


def test_films_of_nobody_are_people_of_their_own() -> None:
    here, stamp = door(), FileStamp(1, 2)
    places = [(Path("a"), stamp), (Path("b"), stamp), (Path("a"), FileStamp(1, 3))]
    assert len({here.nobody(*place) for place in places}) == 3
    assert here.nobody(Path("a"), stamp) == here.nobody(Path("a"), stamp)


def test_what_is_secret_is_not_used_twice() -> None:
    here = door()
    made = [
        here.participant("x"),
        here.keyed("x"),
        here.day_key("x", "x"),
        here.deidentification("P").uid_key.hex(),
        here.pseudonyms.key.hex(),
    ]
    assert all(one not in other for one, other in itertools.permutations(made, 2))
    assert "uid_key" not in repr(here.deidentification("P"))


def test_copies_are_moved_by_the_days_of_the_study() -> None:
    how = door().deidentification("P-AAAAAAAA")
    visit = door().visit("P-AAAAAAAA", stated="", acquired="2019-05-04")
    assert (date(2019, 5, 4) + timedelta(days=how.shift_days)).isoformat() == visit.study_date
    assert door(DatePolicy.DROPPED).deidentification("P").shift_days == 0


@pytest.mark.parametrize(
    ("dates", "kept", "age", "expected"),
    [
        (DatePolicy.SHIFTED, True, 95.0, 90.0),
        (DatePolicy.SHIFTED, True, 61.5, 61.5),
        (DatePolicy.KEPT, True, 95.0, 95.0),
        (DatePolicy.KEPT, False, 61.5, None),
        (DatePolicy.SHIFTED, True, None, None),
    ],
)
def test_ages_that_few_people_reach_are_not_told(
    dates: DatePolicy, kept: bool, age: float | None, expected: float | None
) -> None:
    assert door(dates, characteristics=kept).age(age) == expected
