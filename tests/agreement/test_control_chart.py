"""Control charts: against numbers worked out by hand, and what must hold of any chart."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_app.agreement.control_chart import (
    MIN_BASE,
    Alarm,
    AlarmRule,
    ChartRules,
    ControlChart,
    Side,
    control_chart,
    moving_agreement,
)
from reader_app.agreement.result import Estimate, Reason, Undefined

BASE = (-1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0)
"""Eight cases: mean 0, median 0, standard deviation sqrt(8 / 7)."""
HALF = ChartRules(smoothing=0.5, width=3.0, run=3)
NEVER = ChartRules(width=1e6, run=10**6)

_values = st.lists(st.integers(-8, 8).map(lambda n: n / 4), min_size=0, max_size=30)
_bases = st.lists(st.integers(-8, 8).map(lambda n: n / 4), min_size=MIN_BASE, max_size=20)


def chart(
    base: tuple[float, ...] | list[float],
    watched: tuple[float, ...] | list[float],
    *,
    step: float = 1.0,
    rules: ChartRules = HALF,
) -> ControlChart:
    found = control_chart(base, watched, step=step, rules=rules)
    assert isinstance(found, ControlChart)
    return found


def test_the_moving_average_and_its_limits_are_those_worked_out_by_hand() -> None:
    found = chart(BASE, (2.0, -1.0, 0.0))
    # 1/2 * 2 + 1/2 * 0; 1/2 * -1 + 1/2 * 1; 1/2 * 0 + 1/2 * 0.
    assert [point.average for point in found.points] == [1.0, 0.0, 0.0]
    sigma = math.sqrt(8 / 7)
    # s / (2 - s) = 1/3; (1 - s)^2t = 1/4, 1/16, 1/64; (1 - (1 - s)^t)^2 / 8 = 1/32, 9/128, 49/512.
    shares = (1 / 4 + 1 / 32, 5 / 16 + 9 / 128, 21 / 64 + 49 / 512)
    for point, share in zip(found.points, shares, strict=True):
        assert point.high == pytest.approx(3 * sigma * math.sqrt(share), rel=1e-12)
        assert point.low == pytest.approx(-point.high, rel=1e-12)
    assert (found.center, found.median, found.floored) == (0.0, 0.0, False)
    assert found.sigma == pytest.approx(sigma, rel=1e-12)
    assert found.alarms == ()


def test_limits_widen_from_the_start_to_where_they_stay() -> None:
    reach = [point.high for point in chart(BASE, (0.0,) * 60).points]
    assert all(before < after for before, after in itertools.pairwise(reach[:16]))
    assert reach[-1] == pytest.approx(3 * math.sqrt(8 / 7) * math.sqrt(1 / 3 + 1 / 8), rel=1e-12)


def test_an_average_beyond_its_limit_is_an_alarm_that_says_where() -> None:
    found = chart(BASE, (0.0, 8.0, 8.0, -8.0), rules=replace(HALF, run=99))
    # The averages are 0, 4, 6 and -1; the limits some 1.9, 2.0 and 2.1.
    assert found.alarms == (Alarm(AlarmRule.AVERAGE, Side.HIGHER, 1, 2, 1),)
    words = found.alarms[0].words
    assert "controls 2 to 3" in words
    assert "upper limit" in words
    assert "higher" in words


def test_a_run_is_an_alarm_from_its_last_needed_case_and_a_case_on_the_median_ends_it() -> None:
    run = ChartRules(smoothing=0.2, width=1e6, run=3)
    found = chart(BASE, (-0.1, -0.1, 0.0, -0.1, -0.1, -0.1, -0.1), rules=run)
    assert found.alarms == (Alarm(AlarmRule.RUN, Side.LOWER, 3, 6, 5),)
    assert "Controls 4 to 7" in found.alarms[0].words
    assert "lower" in found.alarms[0].words


def test_a_reader_without_spread_is_not_alarmed_by_one_case_one_step_off() -> None:
    perfect = (0.0,) * 20
    rules = ChartRules()
    for before in (0, 1, 5, 50):
        once = chart(perfect, (0.0,) * before + (1.0,), rules=rules)
        assert once.floored
        assert once.alarms == ()
    grave = chart(perfect, (0.0, 2.0, 1.0, 1.0), rules=rules)
    assert [alarm.rule for alarm in grave.alarms] == [AlarmRule.AVERAGE]


def test_too_few_calibration_cases_make_no_chart_and_say_why() -> None:
    found = control_chart(BASE[:-1], (0.0,), step=1.0)
    assert isinstance(found, Undefined)
    assert found.reason is Reason.TOO_FEW_SUBJECTS
    assert "at least 8" in found.sentence
    assert "7" in found.sentence


@pytest.mark.parametrize("wrong", [{"smoothing": 0.0}, {"smoothing": 1.5}, {"width": 0.0}, {"run": 1}])
def test_rules_that_are_none_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no rules"):
        ChartRules(**wrong)  # type: ignore[arg-type]


@given(_bases, _values, st.integers(-12, 12).map(lambda n: n / 4))
def test_shifting_every_case_shifts_the_chart_and_changes_no_alarm(
    base: list[float], watched: list[float], shift: float
) -> None:
    plain = chart(base, watched, step=0.5)
    moved = chart([x + shift for x in base], [x + shift for x in watched], step=0.5)
    assert moved.alarms == plain.alarms
    assert moved.sigma == pytest.approx(plain.sigma, rel=1e-9)
    for one, other in zip(plain.points, moved.points, strict=True):
        assert other.average == pytest.approx(one.average + shift, abs=1e-9)
        assert other.high == pytest.approx(one.high + shift, abs=1e-9)


@given(_bases, _values)
def test_mirroring_every_case_mirrors_every_alarm(base: list[float], watched: list[float]) -> None:
    plain = chart(base, watched, step=0.5)
    mirrored = chart([-x for x in base], [-x for x in watched], step=0.5)
    other = {Side.HIGHER: Side.LOWER, Side.LOWER: Side.HIGHER}
    assert mirrored.alarms == tuple(replace(alarm, side=other[alarm.side]) for alarm in plain.alarms)
    for one, opposite in zip(plain.points, mirrored.points, strict=True):
        assert (opposite.low, opposite.high) == pytest.approx((-one.high, -one.low), abs=1e-9)


@given(_bases, _values, st.integers(1, 8))
def test_coarser_units_change_no_alarm(base: list[float], watched: list[float], factor: int) -> None:
    plain = chart(base, watched, step=0.5)
    scaled = chart([x * factor for x in base], [x * factor for x in watched], step=0.5 * factor)
    assert scaled.alarms == plain.alarms


@given(_bases, _values, _values)
def test_what_comes_later_changes_nothing_of_what_was(
    base: list[float], early: list[float], late: list[float]
) -> None:
    assert chart(base, early + late).points[: len(early)] == chart(base, early).points


def test_a_reader_who_has_not_changed_is_alarmed_once_in_500_cases_by_the_average() -> None:
    draw = np.random.default_rng(20260)
    lengths = []
    rules = ChartRules(run=10**6)
    base = draw.standard_normal(100_000)
    for _ in range(300):
        found = chart(base.tolist(), draw.standard_normal(3000).tolist(), step=0.01, rules=rules)
        lengths.append(found.alarms[0].raised + 1 if found.alarms else 3000)
    # The mean of 300 run lengths that are all but exponential has a standard error of some 29.
    assert 420 < float(np.mean(lengths)) < 580


def test_coarse_grades_with_a_short_calibration_seldom_raise_a_false_alarm() -> None:
    draw = np.random.default_rng(4)
    alarmed = 0
    for _ in range(400):
        # Two joints a case; one grade in ten differs by a step, to either side alike.
        cases = draw.choice([-1, 0, 1], p=[0.05, 0.9, 0.05], size=(20 + 50, 2)).mean(axis=1).tolist()
        alarmed += bool(chart(cases[:20], cases[20:], step=0.5, rules=ChartRules()).alarms)
    # One in some 200 controls: coarse grades and an estimated spread cost more than half of the 500.
    assert alarmed < 0.3 * 400


def test_a_reader_who_drifts_by_half_a_grade_is_found_within_a_dozen_controls() -> None:
    draw = np.random.default_rng(5)
    found = 0
    for _ in range(200):
        before = draw.choice([-1, 0, 1], p=[0.05, 0.9, 0.05], size=(20, 2)).mean(axis=1).tolist()
        after = draw.choice([0, 1], p=[0.5, 0.5], size=(12, 2)).mean(axis=1).tolist()
        found += bool(chart(before, after, step=0.5, rules=ChartRules()).alarms)
    assert found > 0.9 * 200


def test_the_share_of_agreement_is_taken_over_the_last_cases() -> None:
    shares = moving_agreement([2, 1, 0], [2, 2, 2], window=2)
    assert [one.value for one in shares if isinstance(one, Estimate)] == [1.0, 0.75, 0.25]
    empty = moving_agreement([0], [0])[0]
    assert isinstance(empty, Undefined)
    assert empty.reason is Reason.NO_PAIRS
