"""Chance-corrected agreement of two or more raters, with grades missing here and there.

All coefficients are (p_a - p_e) / (1 - p_e) with the same weighted observed agreement p_a and differ in what
they take for chance. They follow Gwet KL, Handbook of Inter-Rater Reliability, 4th ed. 2014: every joint
with a grade counts toward chance, those with two or more toward the observed agreement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from reader_app.agreement.ratings import MISSING, Booleans, Floats, Ratings
from reader_app.agreement.result import (
    NEGLIGIBLE_ERROR,
    Estimate,
    Interval,
    IntervalMethod,
    Reason,
    Result,
    Undefined,
    t_quantile,
)
from reader_app.agreement.weights import Weights, disagreement_weights


class Coefficient(StrEnum):
    """Which agreement is taken for chance."""

    PERCENT_AGREEMENT = "percent_agreement"
    """None: weighted agreement of pairs of raters as it is."""
    FLEISS = "fleiss"
    """Common grade frequencies of all raters; with two raters it is Scott's pi."""
    CONGER = "conger"
    """Each rater's own grade frequencies; with two raters it is Cohen's kappa."""
    GWET = "gwet"
    """AC1, or AC2 with weights."""
    BRENNAN_PREDIGER = "brennan_prediger"
    """All grades equally likely; on two grades it is PABAK."""


class ErrorMethod(StrEnum):
    """How the standard error over joints is made."""

    AUTO = "auto"
    """Linearised where every joint has two or more grades, else the jackknife."""
    LINEARISED = "linearised"
    """Gwet's; a joint with a single grade scores 0, which makes the error too large."""
    JACKKNIFE = "jackknife"


def chance_corrected(
    ratings: Ratings,
    coefficient: Coefficient,
    weights: Weights,
    *,
    level: float = 0.95,
    error: ErrorMethod = ErrorMethod.AUTO,
) -> Result:
    """Agreement of all raters, joints taken as independent.

    Parameters
    ----------
    ratings
        Grades; raters and joints without any are left out.
    coefficient, weights
        Which agreement. Weights are by steps on the scale.
    level
        Confidence level; the interval takes the t quantile with n-1 degrees of freedom for n joints and its
        upper end is cut at 1.
    error
        How the standard error is made.

    Returns
    -------
    Estimate or Undefined
        ``known`` has ``n_single_rating``, ``p_observed`` and ``p_expected``.
    """
    panel = _Panel.of(ratings, weights)
    several = int(panel.several.sum())
    if several == 0:
        return Undefined(
            Reason.NO_PAIRS,
            "no joint has two grades",
            {"n_pairs": 0, "n_subjects_two_or_more": 0},
        )
    observed = float(panel.agreement.sum()) / several
    chance = _chance(panel, coefficient)
    # 1 - p_e is a sum of disagreement weights, exactly 0 where only one grade occurs.
    if chance.disagreement <= 0:
        exact = _Panel.of(ratings, Weights.NONE)
        share = float(exact.agreement.sum()) / several
        return Undefined(Reason.NO_VARIATION, known={"percent_agreement": share, "n": panel.n})
    value = 1 - (1 - observed) / chance.disagreement
    single = panel.n - several
    known = {
        "n_single_rating": float(single),
        "p_observed": observed,
        "p_expected": 1 - chance.disagreement,
    }
    if panel.n < 2:
        return Estimate(value, panel.n, None, Undefined(Reason.TOO_FEW_SUBJECTS), known)
    jackknife = error is ErrorMethod.JACKKNIFE or (error is ErrorMethod.AUTO and single > 0)
    if jackknife:
        spread: float | Undefined = _jackknife(panel, coefficient)
    else:
        spread = _linearised(panel, chance, value)
    if isinstance(spread, Undefined):
        return Estimate(value, panel.n, None, spread, known)
    if spread < NEGLIGIBLE_ERROR:
        return Estimate(value, panel.n, 0.0, Undefined(Reason.ZERO_VARIANCE), known)
    half = t_quantile(level, panel.n - 1) * spread
    method = IntervalMethod.JACKKNIFE_T if jackknife else IntervalMethod.T
    interval = Interval(value - half, min(1.0, value + half), level, method)
    return Estimate(value, panel.n, spread, interval, known)


def fleiss_null_test(ratings: Ratings) -> tuple[float, float] | None:
    """Standard error of Fleiss' kappa under pure chance, and its z; None unless all joints are complete.

    Notes
    -----
    Fleiss JL, Nee JCM, Landis JR. Psychol Bull 1979;86:974-977.
    """
    found = chance_corrected(ratings, Coefficient.FLEISS, Weights.NONE)
    if (ratings.positions == MISSING).any() or not isinstance(found, Estimate):
        return None
    n, raters = ratings.positions.shape
    share = np.bincount(ratings.positions.ravel(), minlength=len(ratings.categories)) / (n * raters)
    spread = float((share * (1 - share)).sum())
    skew = float((share * (1 - share) * (1 - 2 * share)).sum())
    error = math.sqrt(2 * (spread**2 - skew) / (n * raters * (raters - 1))) / spread
    return error, found.value / error


@dataclass(frozen=True, eq=False)
class _Panel:
    """Joints with a grade by raters with a grade.

    `given` (n, m, k) says which grade; `tally` (n, k) counts grades; `count` (n,) their number;
    `agreement` (n,) is the weighted agreement of each joint's pairs, 0 where there is no pair.
    """

    given: Floats
    tally: Floats
    count: Floats
    agreement: Floats
    disagreement: Floats

    @property
    def n(self) -> int:
        return len(self.tally)

    @property
    def several(self) -> Booleans:
        return np.asarray(self.count >= 2)

    @classmethod
    def of(cls, ratings: Ratings, weights: Weights) -> _Panel:
        k = len(ratings.categories)
        present = ratings.positions != MISSING
        positions = ratings.positions[present.any(axis=1)][:, present.any(axis=0)]
        given = (positions[:, :, None] == np.arange(k)).astype(np.float64)
        tally = given.sum(axis=1)
        count = tally.sum(axis=1)
        disagreement = disagreement_weights(weights, k)
        pairs = count * (count - 1)
        differing = ((tally @ disagreement) * tally).sum(axis=1)
        share = np.divide(differing, pairs, out=np.zeros(len(count)), where=pairs > 0)
        return cls(given, tally, count, np.where(pairs > 0, 1 - share, 0.0), disagreement)


@dataclass(frozen=True, eq=False)
class _Chance:
    """`disagreement` is 1 - p_e; `influence` (n,) how each joint moves p_e."""

    disagreement: float
    influence: Floats


def _chance(panel: _Panel, coefficient: Coefficient) -> _Chance:
    v, n = panel.disagreement, panel.n
    k = len(v)
    shares = panel.tally / panel.count[:, None]
    mean = shares.mean(axis=0)
    match coefficient:
        case Coefficient.PERCENT_AGREEMENT:
            return _Chance(1.0, np.zeros(n))
        case Coefficient.BRENNAN_PREDIGER:
            return _Chance(float(v.sum()) / k**2, np.zeros(n))
        case Coefficient.GWET:
            factor = float((1 - v).sum()) / (k * (k - 1)) if k > 1 else 1.0
            # With q grades 1 - p_e is never 0; on a scale of one grade nothing can differ.
            expected = factor * float((mean * (1 - mean)).sum())
            moved = factor * ((shares - mean) @ (1 - 2 * mean))
            return _Chance(1 - expected if k > 1 else 0.0, moved)
        case Coefficient.FLEISS:
            return _Chance(float(mean @ v @ mean), -2 * ((shares - mean) @ v @ mean))
        case Coefficient.CONGER:
            return _conger(panel)


def _conger(panel: _Panel) -> _Chance:
    v, n = panel.disagreement, panel.n
    rated = panel.given.sum(axis=2)
    per_rater = rated.sum(axis=0)
    own = panel.given.sum(axis=0) / per_rater[:, None]
    raters = len(own)
    if raters < 2:
        return _Chance(0.0, np.zeros(n))
    others = own.sum(axis=0) - own
    pairs = raters * (raters - 1)
    moved = (panel.given - rated[:, :, None] * own) * (n / per_rater)[None, :, None]
    influence = -2 * np.einsum("igk,kl,gl->i", moved, v, others) / pairs
    return _Chance(float(np.einsum("gk,kl,gl->", own, v, others)) / pairs, influence)


def _linearised(panel: _Panel, chance: _Chance, value: float) -> float:
    n, expected = panel.n, 1 - chance.disagreement
    several = panel.several
    scored = n / several.sum() * (panel.agreement - expected * several) / chance.disagreement
    parts = scored - value - (1 - value) * chance.influence / chance.disagreement
    return math.sqrt(float(parts @ parts) / (n * (n - 1)))


def _jackknife(panel: _Panel, coefficient: Coefficient) -> float | Undefined:
    """Delete-one-joint jackknife standard error, all joints at once."""
    n = panel.n
    remaining = panel.several.sum() - panel.several
    chance = _chances_without_one(panel, coefficient)
    if (remaining == 0).any() or (chance <= 0).any():
        return Undefined(Reason.NO_VARIATION, "the coefficient is undefined without one of the joints")
    observed = (panel.agreement.sum() - panel.agreement) / remaining
    values = 1 - (1 - observed) / chance
    return math.sqrt((n - 1) / n * float(((values - values.mean()) ** 2).sum()))


def _chances_without_one(panel: _Panel, coefficient: Coefficient) -> Floats:
    """1 - p_e without each joint in turn, shape (n,)."""
    v, n = panel.disagreement, panel.n
    k = len(v)
    if coefficient is Coefficient.PERCENT_AGREEMENT:
        return np.ones(n)
    if coefficient is Coefficient.BRENNAN_PREDIGER:
        return np.full(n, float(v.sum()) / k**2)
    if coefficient is Coefficient.CONGER:
        rated = panel.given.sum(axis=2)
        per_rater = rated.sum(axis=0) - rated
        tallies = panel.given.sum(axis=0)[None] - panel.given
        # A rater whose only joint is left out takes no part any more.
        own = np.divide(
            tallies, per_rater[:, :, None], out=np.zeros_like(tallies), where=per_rater[:, :, None] > 0
        )
        raters = (per_rater > 0).sum(axis=1)
        others = own.sum(axis=1, keepdims=True) - own
        between = np.einsum("igk,kl,igl->i", own, v, others)
        pairs = raters * (raters - 1)
        without: Floats = np.divide(between, pairs, out=np.zeros(n), where=pairs > 0)
        return without
    shares = panel.tally / panel.count[:, None]
    mean = (shares.sum(axis=0) - shares) / (n - 1)
    if coefficient is Coefficient.GWET:
        factor = float((1 - v).sum()) / (k * (k - 1))
        return np.asarray(1 - factor * (mean * (1 - mean)).sum(axis=1), dtype=np.float64)
    return np.asarray(((mean @ v) * mean).sum(axis=1), dtype=np.float64)
