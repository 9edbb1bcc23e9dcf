from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.stats.contingency_tables import SquareTable
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

from reader_app.agreement import (
    alpha,
    chance,
    confusion,
    dependent,
    kappa,
    measurements,
    panel,
    roc,
    symmetry,
)
from reader_app.agreement.chance import Coefficient, ErrorMethod
from reader_app.agreement.ratings import MISSING, Categories, PairTable, RatingPairs, Ratings
from reader_app.agreement.result import Estimate, Interval, Reason, Result, SignificanceTest, Undefined
from reader_app.agreement.weights import Weights

OARSI = Categories((0, 1, 2, 3))


def estimate(result: Result) -> Estimate:
    assert isinstance(result, Estimate)
    return result


def simulated(seed: int, n: int = 60, raters: int = 3, *, missing: float = 0.0) -> Ratings:
    rng = np.random.default_rng(seed)
    truth = rng.choice(4, size=n, p=[0.4, 0.3, 0.2, 0.1])
    noise = rng.choice([-1, 0, 0, 0, 1], size=(n, raters))
    positions = np.clip(truth[:, None] + noise, 0, 3)
    positions[rng.random((n, raters)) < missing] = MISSING
    return Ratings(OARSI, positions, np.arange(n))


def test_fleiss_is_that_of_statsmodels_on_complete_grades() -> None:
    ratings = simulated(1)
    theirs = fleiss_kappa(aggregate_raters(ratings.positions)[0])
    ours = chance.chance_corrected(ratings, Coefficient.FLEISS, Weights.NONE)
    assert estimate(ours).value == pytest.approx(theirs)


@pytest.mark.parametrize("weights", list(Weights))
def test_conger_of_two_raters_is_cohens_kappa(weights: Weights) -> None:
    ratings = simulated(2, raters=2)
    ours = estimate(chance.chance_corrected(ratings, Coefficient.CONGER, weights))
    cohen = estimate(kappa.cohen_kappa(ratings.pair(0, 1).table, weights))
    assert ours.value == pytest.approx(cohen.value)
    # Gwet divides by n-1 where Fleiss, Cohen and Everitt divide by n.
    n = len(ratings.positions)
    assert cohen.standard_error is not None
    assert ours.standard_error == pytest.approx(cohen.standard_error * (n / (n - 1)) ** 0.5)


@pytest.mark.parametrize("coefficient", list(Coefficient))
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_the_jackknife_is_the_loop_that_leaves_out_one_joint(
    coefficient: Coefficient, missing: float
) -> None:
    ratings = simulated(3, 25, 3, missing=missing)
    positions = ratings.positions[(ratings.positions != MISSING).any(axis=1)]
    n = len(positions)
    values = []
    for joint in range(n):
        rest = np.delete(positions, joint, axis=0)
        part = Ratings(OARSI, rest, np.arange(n - 1))
        values.append(estimate(chance.chance_corrected(part, coefficient, Weights.LINEAR)).value)
    by_hand = np.sqrt((n - 1) / n * np.sum((np.array(values) - np.mean(values)) ** 2))
    ours = chance.chance_corrected(ratings, coefficient, Weights.LINEAR, error=ErrorMethod.JACKKNIFE)
    assert estimate(ours).standard_error == pytest.approx(by_hand)


@pytest.mark.parametrize("coefficient", list(Coefficient))
def test_linearisation_and_jackknife_agree_on_complete_grades(coefficient: Coefficient) -> None:
    ratings = simulated(4, 300)
    errors = [
        estimate(
            chance.chance_corrected(ratings, coefficient, Weights.QUADRATIC, error=method)
        ).standard_error
        for method in (ErrorMethod.LINEARISED, ErrorMethod.JACKKNIFE)
    ]
    assert errors[0] == pytest.approx(errors[1], rel=0.02)


small = st.lists(st.tuples(*[st.sampled_from([MISSING, 0, 1, 2, 3])] * 3), min_size=3, max_size=25)


@settings(max_examples=50, deadline=None)
@given(small, st.sampled_from(list(Coefficient)), st.permutations(range(3)))
def test_the_order_of_raters_and_joints_does_not_matter(
    rows: list[tuple[int, ...]], coefficient: Coefficient, order: list[int]
) -> None:
    def of(positions: NDArray[np.intp]) -> Result:
        ratings = Ratings(OARSI, positions, np.arange(len(positions)))
        return chance.chance_corrected(ratings, coefficient, Weights.LINEAR)

    positions = np.array(rows, dtype=np.intp)
    straight, turned = of(positions), of(positions[::-1][:, order])
    assert type(straight) is type(turned)
    if isinstance(straight, Estimate) and isinstance(turned, Estimate):
        assert turned.value == pytest.approx(straight.value, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(small)
def test_perfect_agreement_is_one_wherever_it_is_defined(rows: list[tuple[int, ...]]) -> None:
    first = np.array(rows, dtype=np.intp)[:, :1]
    ratings = Ratings(OARSI, np.repeat(first, 3, axis=1), np.arange(len(first)))
    for coefficient in Coefficient:
        found = chance.chance_corrected(ratings, coefficient, Weights.QUADRATIC)
        if isinstance(found, Estimate):
            assert found.value == pytest.approx(1)
            assert isinstance(found.interval, Undefined)
    found = alpha.krippendorff_alpha(ratings, alpha.Metric.ORDINAL)
    if isinstance(found, Estimate):
        assert found.value == pytest.approx(1)


def test_alpha_is_fleiss_with_its_small_sample_term_on_complete_nominal_grades() -> None:
    ratings = simulated(5, 50, 4)
    pi = estimate(chance.chance_corrected(ratings, Coefficient.FLEISS, Weights.NONE)).value
    nominal = estimate(alpha.krippendorff_alpha(ratings, alpha.Metric.NOMINAL)).value
    assert 1 - nominal == pytest.approx((1 - pi) * (1 - 1 / (50 * 4)))


def test_a_joint_with_one_grade_does_not_enter_alpha() -> None:
    ratings = simulated(6)
    extra = np.array([[3, MISSING, MISSING]])
    longer = Ratings(OARSI, np.concatenate([ratings.positions, extra]), np.arange(61))
    for metric in alpha.Metric:
        assert alpha.krippendorff_alpha(longer, metric) == alpha.krippendorff_alpha(ratings, metric)


def test_a_scale_of_one_grade_and_no_grades_at_all_are_undefined() -> None:
    single = Ratings.from_columns(Categories((0,)), [[0, 0], [0, 0]])
    empty = Ratings.from_columns(OARSI, [[None, None], [None, None]])
    for coefficient in Coefficient:
        if coefficient is not Coefficient.PERCENT_AGREEMENT:
            found = chance.chance_corrected(single, coefficient, Weights.NONE)
            assert isinstance(found, Undefined)
            assert found.reason is Reason.NO_VARIATION
        none = chance.chance_corrected(empty, coefficient, Weights.NONE)
        assert isinstance(none, Undefined)
        assert none.reason is Reason.NO_PAIRS
    assert isinstance(alpha.krippendorff_alpha(empty, alpha.Metric.NOMINAL), Undefined)
    assert chance.fleiss_null_test(empty) is None


def test_light_is_the_mean_of_the_kappas_that_exist() -> None:
    positions = simulated(7).positions.copy()
    positions[:, 2] = MISSING
    found = panel.light_kappa(Ratings(OARSI, positions, np.arange(60)), Weights.LINEAR)
    assert estimate(found.mean).value == estimate(found.pairwise[0, 1]).value
    lost = found.pairwise[0, 2]
    assert isinstance(lost, Undefined)
    assert lost.reason is Reason.NO_PAIRS


def test_symmetry_tests_are_those_of_statsmodels_where_they_are_right() -> None:
    counts = simulated(8, 400, 2).pair(0, 1).table.counts + 1
    table = PairTable(OARSI, counts)
    theirs = SquareTable(counts, shift_zeros=False)
    bowker, margins = symmetry.bowker_test(table), symmetry.stuart_maxwell_test(table)
    assert isinstance(bowker, SignificanceTest)
    assert isinstance(margins, SignificanceTest)
    assert (bowker.statistic, bowker.p) == pytest.approx(
        (theirs.symmetry().statistic, theirs.symmetry().pvalue)
    )
    homogeneity = theirs.homogeneity(method="stuart_maxwell")
    assert (margins.statistic, margins.p) == pytest.approx((homogeneity.statistic, homogeneity.pvalue))
    assert margins.degrees == 3


def test_indices_are_for_two_grades_only() -> None:
    table = PairTable(OARSI, np.eye(4, dtype=np.int64))
    for function in (symmetry.mcnemar_test, symmetry.prevalence_index, symmetry.bias_index):
        with pytest.raises(ValueError, match="two grades"):
            function(table)


def test_averages_of_raters_are_more_reliable_and_a_constant_shift_counts_only_against_agreement() -> None:
    rng = np.random.default_rng(9)
    values = rng.normal(4, 1, size=(30, 1)) + rng.normal(0, 0.3, size=(30, 3))
    shifted = values + np.array([0.0, 1.0, 2.0])
    icc = measurements.Icc
    forms = {form: estimate(measurements.intraclass_correlation(shifted, form)).value for form in icc}
    assert forms[icc.TWO_WAY_RANDOM_MEAN] > forms[icc.TWO_WAY_RANDOM]
    assert forms[icc.ONE_WAY_MEAN] > forms[icc.ONE_WAY]
    assert forms[icc.TWO_WAY_MIXED] > 0.8 > forms[icc.TWO_WAY_RANDOM]
    plain = estimate(measurements.intraclass_correlation(values, icc.TWO_WAY_MIXED)).value
    assert forms[icc.TWO_WAY_MIXED] == pytest.approx(plain)


def test_perfect_measurements_have_no_interval_of_noise() -> None:
    values = np.repeat(np.arange(5.0)[:, None], 2, axis=1)
    for form in measurements.Icc:
        found = measurements.intraclass_correlation(values, form)
        assert isinstance(found, Undefined) or found.value == pytest.approx(1)


def test_limits_of_agreement_hold_about_95_of_100_differences() -> None:
    rng = np.random.default_rng(10)
    first = rng.normal(4, 1, 5000)
    found = measurements.bland_altman(first, first + rng.normal(0.2, 0.5, 5000))
    assert not isinstance(found, Undefined)
    assert found.bias.value == pytest.approx(-0.2, abs=0.03)
    assert (found.lower, found.upper) == pytest.approx((-1.18, 0.78), abs=0.05)
    assert isinstance(measurements.bland_altman(first[:0], first[:0]), Undefined)


def test_scores_compared_with_themselves_have_no_test() -> None:
    rng = np.random.default_rng(11)
    positive, score = rng.random(80) < 0.4, rng.normal(size=80)
    same = roc.compare_auc(positive, score, score)
    assert isinstance(same, Undefined)
    assert same.reason is Reason.ZERO_VARIANCE_DIFFERENCE
    better = roc.compare_auc(positive, score + 2 * positive, score)
    assert isinstance(better, SignificanceTest)
    assert better.p < 0.001
    clustered = roc.compare_auc(positive, score + 2 * positive, score, clusters=np.arange(80))
    assert isinstance(clustered, SignificanceTest)
    assert clustered.statistic == pytest.approx(better.statistic)


def test_kappas_of_the_same_joints_are_compared_with_their_dependence() -> None:
    ratings = simulated(12, 300, 3)
    one = RatingPairs(OARSI, ratings.positions[:, 0], ratings.positions[:, 1], np.arange(300))
    other = RatingPairs(OARSI, ratings.positions[:, 0], ratings.positions[:, 2], np.arange(300))
    found = dependent.compare_kappas(one, other, Weights.LINEAR)
    back = dependent.compare_kappas(other, one, Weights.LINEAR)
    assert isinstance(found, SignificanceTest)
    assert isinstance(back, SignificanceTest)
    assert back.statistic == pytest.approx(-found.statistic)
    with pytest.raises(ValueError, match="same reference"):
        dependent.compare_kappas(
            one, RatingPairs(OARSI, other.second, other.first, np.arange(300)), Weights.NONE
        )


def test_resampling_within_strata_keeps_how_often_the_reference_has_each_grade() -> None:
    table = simulated(13, 200, 2).pair(0, 1).table
    seen = []

    def statistic(resampled: PairTable) -> Result:
        seen.append(resampled.counts.sum(axis=1).tolist())
        return confusion.accuracy(resampled)

    found = dependent.stratified_bootstrap(table, statistic, seed=1, replicates=50)
    assert isinstance(estimate(found).interval, Interval)
    assert all(rows == table.counts.sum(axis=1).tolist() for rows in seen)
