"""Several raters at once: who graded what, how often all agree, Light's mean kappa."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from reader_app.agreement.kappa import cohen_kappa
from reader_app.agreement.ratings import MISSING, Ratings
from reader_app.agreement.result import Estimate, Reason, Result, Undefined
from reader_app.agreement.weights import Weights


@dataclass(frozen=True, slots=True)
class PanelCounts:
    """How complete a set of ratings is; a subject is a joint."""

    n_subjects: int
    n_subjects_rated: int
    n_subjects_two_or_more: int
    n_complete: int
    n_raters: int
    n_raters_with_ratings: int
    n_missing: int


def panel_counts(ratings: Ratings) -> PanelCounts:
    """Count joints and raters with grades."""
    given = ratings.positions != MISSING
    per_joint = given.sum(axis=1)
    n, raters = given.shape
    return PanelCounts(
        n_subjects=n,
        n_subjects_rated=int((per_joint >= 1).sum()),
        n_subjects_two_or_more=int((per_joint >= 2).sum()),
        n_complete=int((per_joint == raters).sum()),
        n_raters=raters,
        n_raters_with_ratings=int(given.any(axis=0).sum()),
        n_missing=int((~given).sum()),
    )


def all_agree(ratings: Ratings, *, within: int = 0) -> Result:
    """Share of joints, among those that all graded, whose grades span at most `within` steps."""
    complete = (ratings.positions != MISSING).all(axis=1)
    n = int(complete.sum())
    if n == 0 or ratings.positions.shape[1] == 0:
        return Undefined(Reason.NO_COMPLETE_CASE, known={"n_complete": 0})
    grades = ratings.positions[complete]
    return Estimate(float(np.mean(np.ptp(grades, axis=1) <= within)), n)


@dataclass(frozen=True, slots=True)
class LightKappa:
    """Mean of the pairwise kappas that are defined, with all of them by pair of raters."""

    mean: Result
    pairwise: Mapping[tuple[int, int], Result]


def light_kappa(ratings: Ratings, weights: Weights) -> LightKappa:
    """Light's kappa: the mean of Cohen's over all pairs of raters, on the joints that each pair shares.

    Notes
    -----
    Light RJ. Psychol Bull 1971;76:365-377.
    """
    raters = range(ratings.positions.shape[1])
    pairwise = {
        (one, other): cohen_kappa(ratings.pair(one, other).table, weights)
        for one, other in combinations(raters, 2)
    }
    defined = [result.value for result in pairwise.values() if isinstance(result, Estimate)]
    reasons = {result.reason for result in pairwise.values() if isinstance(result, Undefined)}
    if defined:
        mean: Result = Estimate(sum(defined) / len(defined), len(ratings.positions))
    else:
        reason = Reason.NO_VARIATION if Reason.NO_VARIATION in reasons else Reason.NO_PAIRS
        mean = Undefined(reason, "no pair of raters has a defined kappa")
    return LightKappa(mean, pairwise)
