"""Krippendorff's alpha."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from reader_app.agreement.ratings import MISSING, Floats, Ratings
from reader_app.agreement.result import Estimate, Reason, Result, Undefined


class Metric(StrEnum):
    """What the distance between two grades is."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"


def krippendorff_alpha(ratings: Ratings, metric: Metric) -> Result:
    """Krippendorff's alpha; joints with fewer than two grades do not count.

    Parameters
    ----------
    ratings
        Grades of any number of raters.
    metric
        Distance; ``INTERVAL`` uses the codes of the grades, ``ORDINAL`` how many grades were given
        between them.

    Returns
    -------
    Estimate or Undefined
        ``n`` is the number of joints with two or more grades.

    Notes
    -----
    Krippendorff K. Content Analysis, 3rd ed. 2013, chapter 12.
    """
    k = len(ratings.categories)
    several = (ratings.positions != MISSING).sum(axis=1) >= 2
    tally = (ratings.positions[several][:, :, None] == np.arange(k)).sum(axis=1).astype(np.float64)
    n = int(several.sum())
    if n == 0:
        return Undefined(Reason.NO_PAIRS, "no joint has two grades", {"n_pairs": 0, "n_units": 0})
    per_joint = 1 / (tally.sum(axis=1) - 1)
    coincidence = (tally * per_joint[:, None]).T @ tally - np.diag((tally * per_joint[:, None]).sum(axis=0))
    totals = coincidence.sum(axis=1)
    distance = _distance(metric, ratings, totals)
    pairable = float(totals.sum())
    expected = float(totals @ distance @ totals) / (pairable - 1)
    if expected == 0:
        agreed = float(np.trace(coincidence)) / pairable
        return Undefined(
            Reason.NO_VARIATION,
            "every grade is the same single grade, so the expected disagreement is 0",
            {"percent_agreement": agreed, "n": n},
        )
    return Estimate(1 - float((coincidence * distance).sum()) / expected, n)


def _distance(metric: Metric, ratings: Ratings, totals: Floats) -> Floats:
    k = len(totals)
    match metric:
        case Metric.NOMINAL:
            return 1 - np.eye(k)
        case Metric.INTERVAL:
            codes = np.asarray(ratings.categories.codes, dtype=np.float64)
            return np.asarray((codes[:, None] - codes[None, :]) ** 2)
        case Metric.ORDINAL:
            # Grades given from one to the other, both ends by half.
            middle = np.cumsum(totals) - totals / 2
            return np.asarray((middle[:, None] - middle[None, :]) ** 2)
