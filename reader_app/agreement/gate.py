"""Whether agreement is good enough, with the lower end of its interval as the judge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from reader_app.agreement.kappa import clustered_kappa
from reader_app.agreement.ratings import Floats, RatingPairs
from reader_app.agreement.result import Estimate, Interval, IntervalMethod, Reason, Result, Undefined
from reader_app.agreement.weights import Weights


def gate_kappa(pairs: RatingPairs, weights: Weights | Floats, *, level: float = 0.95) -> Result:
    """Cohen's kappa against a reference with an interval that perfect agreement has as well.

    Parameters
    ----------
    pairs
        The reference first.
    weights, level
        As for `clustered_kappa`, whose interval this is wherever two grades differ.

    Returns
    -------
    Estimate or Undefined
        Without any difference there is no variance, and so no interval: but a flawless reader is not
        worse than one who missed one grade by a step. So the lower end is that of the same readings with one
        grade one step off, whichever lowers it most; the upper end is 1.
    """
    found = clustered_kappa(pairs, weights, level=level)
    if not isinstance(found, Estimate) or not isinstance(found.interval, Undefined):
        return found
    if found.interval.reason is not Reason.ZERO_VARIANCE or np.any(pairs.first != pairs.second):
        return found
    lows: list[float] = []
    for missed in _one_step_off(pairs):
        other = clustered_kappa(missed, weights, level=level)
        if isinstance(other, Undefined) or isinstance(other.interval, Undefined):
            return found
        lows.append(other.interval.low)
    return replace(found, interval=Interval(min(lows), 1.0, level, IntervalMethod.ONE_STEP_OFF))


def passes(result: Result, bound: float) -> bool:
    """Return whether the lower end of the interval reaches the bound; what is undefined does not."""
    return (
        isinstance(result, Estimate)
        and not isinstance(result.interval, Undefined)
        and result.interval.low >= bound
    )


def _one_step_off(pairs: RatingPairs) -> Iterator[RatingPairs]:
    """Go through the readings with one grade a step off; those that give the same tables only once."""
    seen: set[tuple[tuple[int, ...], int, int]] = set()
    held: defaultdict[int, list[int]] = defaultdict(list)
    for cluster, given in zip(pairs.clusters.tolist(), pairs.second.tolist(), strict=True):
        held[cluster].append(given)
    for joint in range(pairs.n):
        given = int(pairs.second[joint])
        alike = tuple(sorted(held[int(pairs.clusters[joint])]))
        for step in (-1, 1):
            kind = (alike, given, step)
            if not 0 <= given + step < len(pairs.categories) or kind in seen:
                continue
            seen.add(kind)
            second = pairs.second.copy()
            second[joint] = given + step
            yield RatingPairs(pairs.categories, pairs.first, second, pairs.clusters)
