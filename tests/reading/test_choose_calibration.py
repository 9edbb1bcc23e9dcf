"""Drawing the calibration set: reproducible, spread over severities, one case of a participant first."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from reader_app.reading.ordering import (
    CalibrationCase,
    ReferencedFilm,
    calibration_cases,
    choose_calibration,
)


def candidates(number: int, *, severities: int = 5, per_participant: int = 1) -> list[CalibrationCase]:
    return [
        CalibrationCase((film,), film // per_participant, severity=film % severities)
        for film in range(number)
    ]


_sets = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4)), min_size=0, max_size=25).map(
    lambda pairs: [
        CalibrationCase((film,), participant, severity) for film, (participant, severity) in enumerate(pairs)
    ]
)


@given(_sets, st.integers(0, 30), st.integers(0, 10_000))
def test_as_many_as_wanted_are_drawn_each_once_in_whatever_order_they_come(
    cases: list[CalibrationCase], number: int, seed: int
) -> None:
    chosen = choose_calibration(cases, number=number, seed=seed)
    assert len(chosen) == len(set(chosen)) == min(number, len(cases))
    assert set(chosen) <= {case.radiograph_ids for case in cases}
    shuffled = random.Random(seed).sample(cases, len(cases))
    assert choose_calibration(shuffled, number=number, seed=seed) == chosen


@given(_sets, st.integers(1, 25), st.integers(0, 10_000))
def test_asking_for_more_keeps_what_fewer_would_have_been(
    cases: list[CalibrationCase], number: int, seed: int
) -> None:
    fewer = choose_calibration(cases, number=number - 1, seed=seed)
    assert choose_calibration(cases, number=number, seed=seed)[: len(fewer)] == fewer


@given(_sets, st.integers(0, 25), st.integers(0, 10_000))
def test_nobody_comes_twice_while_somebody_else_is_left(
    cases: list[CalibrationCase], number: int, seed: int
) -> None:
    person = {case.radiograph_ids: case.participant_id for case in cases}
    times = Counter(person[case] for case in choose_calibration(cases, number=number, seed=seed))
    available = Counter(case.participant_id for case in cases)
    most = max(times.values(), default=0)
    assert all(times[each] >= min(most - 1, available[each]) for each in available)


def test_severities_take_turns_though_most_joints_are_healthy() -> None:
    cases = [CalibrationCase((film,), film, severity=0) for film in range(90)]
    cases += [CalibrationCase((90 + grade,), 90 + grade, severity=grade) for grade in range(1, 5)]
    severity = {case.radiograph_ids: case.severity for case in cases}
    chosen = choose_calibration(cases, number=5, seed=3)
    assert sorted(severity[case] for case in chosen) == [0, 1, 2, 3, 4]


def test_another_seed_draws_another_set() -> None:
    cases = candidates(60)
    drawn = {frozenset(choose_calibration(cases, number=10, seed=seed)) for seed in range(20)}
    assert len(drawn) == 20


def test_only_cases_all_of_whose_films_have_a_reference_can_be_calibration_cases() -> None:
    films = [ReferencedFilm(1, 7, severity=1), ReferencedFilm(2, 7, severity=3), ReferencedFilm(3, 8, 0)]
    found = calibration_cases([(1, 2), (3, 4), (5,)], films)
    assert found == (CalibrationCase((1, 2), 7, severity=3),)
