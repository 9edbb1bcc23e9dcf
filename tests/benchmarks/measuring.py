"""What the benchmarks share: measuring in turns with a peer, and the rows of the table."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

Row = dict[str, Any]
"""name, value (median), p95, unit, peer, peer_value, peer_p95, ratio, goal, met."""


def times(work: Callable[[], object], repeats: int) -> list[float]:
    """Return the milliseconds of each call, after one that is not counted."""
    work()
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        found.append((time.perf_counter() - start) * 1000)
    return found


def row_of(name: str, found: list[float]) -> Row:
    """Return a row without a peer and a goal."""
    return {
        "name": name,
        "value": statistics.median(found),
        "p95": float(np.percentile(found, 95)),
        "unit": "ms",
        "peer": "",
        "peer_value": None,
        "peer_p95": None,
        "ratio": None,
        "goal": "",
        "met": "",
    }


def alone(name: str, ours: Callable[[], object], *, repeats: int) -> Row:
    """Measure something that has no peer."""
    return row_of(name, times(ours, repeats))


def beside(
    name: str,
    ours: Callable[[], object],
    peer: str,
    theirs: Callable[[], object],
    *,
    repeats: int,
    goal: str = "",
    least: float | None = None,
    most: float | None = None,
) -> Row:
    """Measure in turns of blocks, so that a busy neighbour on the machine hits both.

    `least` is the ratio and `most` the 95th percentile in ms that the goal asks for.
    """
    own: list[float] = []
    other: list[float] = []
    for _ in range(3):
        own += times(ours, max(repeats // 3, 1))
        other += times(theirs, max(repeats // 3, 1))
    row, theirs_row = row_of(name, own), row_of(peer, other)
    ratio = theirs_row["value"] / row["value"]
    met = (least is None or ratio >= least) and (most is None or row["p95"] <= most)
    return row | {
        "peer": peer,
        "peer_value": theirs_row["value"],
        "peer_p95": theirs_row["p95"],
        "ratio": ratio,
        "goal": goal,
        "met": yes(met) if goal else "",
    }


def yes(met: bool) -> str:
    """Whether a goal is met, as a cell."""
    return "yes" if met else "no"
