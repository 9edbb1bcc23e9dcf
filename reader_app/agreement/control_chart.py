"""Control charts: whether a reader grades like at the calibration set, case after case.

Numbers in, numbers out. What is watched is, by case, the mean difference of the reader's codes to the
reference's; the cases come in the order in which they were locked.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from reader_app.agreement.proportion import wilson_proportion
from reader_app.agreement.result import Reason, Result, Undefined

MIN_BASE = 8
"""Fewer calibration cases tell too little of a reader's own spread."""


class AlarmRule(StrEnum):
    """What raised an alarm."""

    AVERAGE = "average"
    """The moving average is outside its limits."""
    RUN = "run"
    """So many cases in a row lie on one side of the median of the calibration."""


class Side(StrEnum):
    """Where a reader has gone."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class ChartRules:
    """When a chart raises an alarm.

    Parameters
    ----------
    smoothing
        Weight of the newest case in the moving average, above 0 to 1.
    width
        Limits in standard errors of the moving average. With 2.962 and a smoothing of 0.2 a reader who has
        not changed raises a false alarm once in 500 cases on average (Lucas and Saccucci 1990), 2.814
        belongs to a smoothing of 0.1.
    run
        How many cases in a row on one side of the median raise an alarm.
    """

    smoothing: float = 0.2
    width: float = 2.962
    run: int = 8

    def __post_init__(self) -> None:
        if not 0 < self.smoothing <= 1 or self.width <= 0 or self.run < 2:
            raise ValueError(f"no rules of a control chart: {self}")


STANDARD = ChartRules()


@dataclass(frozen=True, slots=True)
class WatchedPoint:
    """One case after the calibration.

    Parameters
    ----------
    value
        Its mean difference to the reference, in grades.
    average
        The moving average after it.
    low, high
        The limits of the average at it: they widen from the start to where they stay.
    """

    value: float
    average: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """A stretch of cases that should not look so by chance.

    Parameters
    ----------
    first, last
        Positions among the watched cases, from 0. The alarm is raised at `raised`; a run is known as one
        only at its last case.
    """

    rule: AlarmRule
    side: Side
    first: int
    last: int
    raised: int

    @property
    def words(self) -> str:
        """Which rule, where, in one sentence; cases are counted from 1."""
        if self.rule is AlarmRule.RUN:
            return (
                f"Controls {self.first + 1} to {self.last + 1} were all graded {self.side.value} against the "
                "reference than the calibration median."
            )
        where = f"control {self.first + 1}"
        if self.last > self.first:
            where = f"controls {self.first + 1} to {self.last + 1}"
        limit = "above its upper" if self.side is Side.HIGHER else "below its lower"
        return f"The moving average is {limit} limit at {where}: grades have become {self.side.value}."


@dataclass(frozen=True, slots=True)
class ControlChart:
    """A chart of one reader and feature.

    Parameters
    ----------
    center
        Mean difference at the calibration set, in grades.
    median
        Its median there, which runs are counted from.
    sigma
        Standard deviation of a case there, raised to its floor where it was less.
    floored
        Whether it was.
    base, points
        The calibration cases and the watched ones, in order of time.
    """

    center: float
    median: float
    sigma: float
    floored: bool
    base: tuple[float, ...]
    points: tuple[WatchedPoint, ...]
    alarms: tuple[Alarm, ...]
    rules: ChartRules


def control_chart(
    base: Sequence[float], watched: Sequence[float], *, step: float, rules: ChartRules = STANDARD
) -> ControlChart | Undefined:
    """Chart what was watched against the calibration.

    Parameters
    ----------
    base
        Mean differences of the calibration cases, in grades.
    watched
        Those of the cases since, in order of time.
    step
        The smallest difference other than none that one case can show: a grade, divided by the number of
        grades of a case.
    rules
        Smoothing, limits and run.

    Returns
    -------
    ControlChart or Undefined
        Undefined with fewer than `MIN_BASE` calibration cases.

    Notes
    -----
    The exponentially weighted moving average z(t) = smoothing * x(t) + (1 - smoothing) * z(t - 1) begins at
    the mean of the n calibration cases. Its limits are

        center +- width * sigma * sqrt(s / (2 - s) * (1 - (1 - s)**(2 t)) + (1 - (1 - s)**t)**2 / n)

    where the second term is for the center, which is an estimate itself. Roberts SW. Technometrics
    1959;1:239-250. Lucas JM, Saccucci MS. Technometrics 1990;32:1-12.

    A reader who met the reference throughout the calibration has no spread. Sigma is therefore at least
    step / width: then one case that is one step off is no alarm by itself.

    Grades are coarse, and most cases lie on the median itself. Such a case ends a run: so neither side of
    the median has more than half of the cases of a reader who has not changed. With both rules, twenty
    calibration cases of two joints and five to twenty grades in a hundred a step off, simulated readers who
    had not changed raised a false alarm once in 170 to 290 controls.
    """
    if step <= 0:
        raise ValueError(f"the smallest difference is above 0, not {step}")
    if len(base) < MIN_BASE:
        return Undefined(
            Reason.TOO_FEW_SUBJECTS,
            f"a control chart needs at least {MIN_BASE} calibration cases with this feature, "
            f"and there are {len(base)}",
            {"n": float(len(base))},
        )
    center, spread = statistics.fmean(base), statistics.stdev(base)
    floor = step / rules.width
    sigma = max(spread, floor)
    points = _averages(watched, center=center, sigma=sigma, n=len(base), rules=rules)
    median = statistics.median(base)
    alarms = [*_outside(points), *_runs(watched, median, rules.run)]
    alarms.sort(key=lambda alarm: (alarm.raised, alarm.rule))
    return ControlChart(
        center, median, sigma, spread < floor, tuple(base), tuple(points), tuple(alarms), rules
    )


def moving_agreement(
    agreed: Sequence[int], grades: Sequence[int], *, window: int = 10, level: float = 0.95
) -> tuple[Result, ...]:
    """Share of grades that are exactly the reference's, over the last cases up to each.

    Parameters
    ----------
    agreed, grades
        By case, how many grades agree and how many there are.
    window
        Over how many cases, fewer at the start.

    Returns
    -------
    tuple of Estimate or Undefined
        One for each case, with Wilson's interval, grades taken as independent.
    """
    if len(agreed) != len(grades):
        raise ValueError(f"cases differ in number: {len(agreed)} and {len(grades)}")
    found: list[Result] = []
    for end in range(1, len(agreed) + 1):
        start = max(end - window, 0)
        total = sum(grades[start:end])
        if not total:
            found.append(Undefined(Reason.NO_PAIRS, known={"n_pairs": 0.0}))
        else:
            found.append(wilson_proportion(sum(agreed[start:end]), total, level=level))
    return tuple(found)


def _averages(
    values: Sequence[float], *, center: float, sigma: float, n: int, rules: ChartRules
) -> list[WatchedPoint]:
    smoothing, average = rules.smoothing, center
    points: list[WatchedPoint] = []
    for time, value in enumerate(values, start=1):
        average = smoothing * value + (1 - smoothing) * average
        kept = (1 - smoothing) ** time
        share = smoothing / (2 - smoothing) * (1 - kept**2) + (1 - kept) ** 2 / n
        reach = rules.width * sigma * math.sqrt(share)
        points.append(WatchedPoint(value, average, center - reach, center + reach))
    return points


def _outside(points: Sequence[WatchedPoint]) -> list[Alarm]:
    sides = [_side(point.average, low=point.low, high=point.high) for point in points]
    return [Alarm(AlarmRule.AVERAGE, side, first, last, first) for side, first, last in _stretches(sides)]


def _runs(values: Sequence[float], median: float, length: int) -> list[Alarm]:
    return [
        Alarm(AlarmRule.RUN, side, first, last, first + length - 1)
        for side, first, last in _stretches([_side(value, low=median, high=median) for value in values])
        if last - first + 1 >= length
    ]


def _side(value: float, *, low: float, high: float) -> Side | None:
    # Rounding must not decide: what lies on a limit is inside.
    if value > high and not math.isclose(value, high, rel_tol=1e-9, abs_tol=1e-9):
        return Side.HIGHER
    if value < low and not math.isclose(value, low, rel_tol=1e-9, abs_tol=1e-9):
        return Side.LOWER
    return None


def _stretches(sides: Sequence[Side | None]) -> list[tuple[Side, int, int]]:
    """Return each longest stretch on one side, with its first and last position."""
    found: list[tuple[Side, int, int]] = []
    for position, side in enumerate(sides):
        if side is None:
            continue
        if found and found[-1][0] is side and found[-1][2] == position - 1:
            found[-1] = (side, found[-1][1], position)
        else:
            found.append((side, position, position))
    return found
