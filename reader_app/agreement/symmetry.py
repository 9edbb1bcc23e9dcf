"""Do two raters use the scale alike? Tests of symmetry and of margins, and indices of two-grade tables."""

from __future__ import annotations

import numpy as np

from reader_app.agreement.ratings import PairTable
from reader_app.agreement.result import (
    Estimate,
    Reason,
    Result,
    SignificanceTest,
    TestResult,
    Undefined,
)


def bowker_test(table: PairTable) -> TestResult:
    """Bowker's test that disagreements go both ways alike.

    Pairs of grades that never stood against each other carry no information and no degree of freedom;
    ``known`` has the number of all pairs of the scale.

    Notes
    -----
    Bowker AH. J Am Stat Assoc 1948;43:572-574.
    """
    upper = np.triu_indices(len(table.categories), 1)
    above, below = table.counts[upper].astype(np.float64), table.counts.T[upper].astype(np.float64)
    used = above + below > 0
    degrees = int(used.sum())
    if degrees == 0:
        return Undefined(Reason.NO_DISCORDANT_PAIRS)
    statistic = float(((above - below)[used] ** 2 / (above + below)[used]).sum())
    return SignificanceTest(
        statistic, _chi_squared_p(statistic, degrees), degrees, known={"n_pairs_of_grades": len(used)}
    )


def stuart_maxwell_test(table: PairTable) -> TestResult:
    """Stuart-Maxwell test that both raters give every grade equally often.

    Degrees of freedom are the rank of the covariance of the differences of margins, so that grades
    without a disagreement drop out, and those with equal margins stay.

    Notes
    -----
    Stuart A. Biometrika 1955;42:412-416. Maxwell AE. Br J Psychiatry 1970;116:651-655.
    """
    counts = table.counts.astype(np.float64)
    difference = counts.sum(axis=1) - counts.sum(axis=0)
    covariance = -(counts + counts.T)
    np.fill_diagonal(covariance, 0)
    np.fill_diagonal(covariance, -covariance.sum(axis=1))
    degrees = int(np.linalg.matrix_rank(covariance))
    if degrees == 0:
        return Undefined(Reason.NO_MARGINAL_INFORMATION)
    statistic = float(difference @ np.linalg.pinv(covariance, hermitian=True) @ difference)
    return SignificanceTest(statistic, _chi_squared_p(statistic, degrees), degrees)


def mcnemar_test(table: PairTable) -> TestResult:
    """McNemar's test on a scale of two grades; ``known`` has the corrected and the exact form as well.

    Notes
    -----
    McNemar Q. Psychometrika 1947;12:153-157. The continuity correction is clipped at 0.
    """
    from scipy.special import bdtr

    _two_grades(table)
    b, c = int(table.counts[0, 1]), int(table.counts[1, 0])
    if b + c == 0:
        return Undefined(Reason.NO_DISCORDANT_PAIRS, known={"exact_p": 1.0, "b": float(b), "c": float(c)})
    statistic = (b - c) ** 2 / (b + c)
    corrected = max(abs(b - c) - 1, 0) ** 2 / (b + c)
    exact = min(1.0, 2 * float(bdtr(min(b, c), b + c, 0.5)))
    return SignificanceTest(
        statistic,
        _chi_squared_p(statistic, 1),
        1,
        known={
            "b": float(b),
            "c": float(c),
            "chi2_corrected": corrected,
            "p_corrected": _chi_squared_p(corrected, 1),
            "p_exact": exact,
        },
    )


def prevalence_index(table: PairTable) -> Result:
    """Absolute difference of the shares of joints that both call absent and both call present.

    Notes
    -----
    Byrt T, Bishop J, Carlin JB. J Clin Epidemiol 1993;46:423-429.
    """
    return _index(table, int(table.counts[0, 0] - table.counts[-1, -1]))


def bias_index(table: PairTable) -> Result:
    """Absolute difference of the raters' shares of "present" (Byrt, Bishop and Carlin 1993)."""
    return _index(table, int(table.counts[0, -1] - table.counts[-1, 0]))


def _index(table: PairTable, difference: int) -> Result:
    _two_grades(table)
    if table.n == 0:
        return Undefined(Reason.NO_PAIRS, known={"n_pairs": 0})
    return Estimate(abs(difference) / table.n, table.n)


def _two_grades(table: PairTable) -> None:
    if len(table.categories) != 2:
        raise ValueError(f"this is for a scale of two grades, not {len(table.categories)}")


def _chi_squared_p(statistic: float, degrees: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(degrees, statistic))
