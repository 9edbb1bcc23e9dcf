from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    precision_recall_fscore_support,
    roc_auc_score,
    roc_curve,
)
from statsmodels.stats.proportion import proportion_confint

from reader_app.agreement import confusion, proportion, roc
from reader_app.agreement.ratings import Categories, PairTable, RatingPairs, Ratings
from reader_app.agreement.result import Estimate, Interval, Reason, Result, Undefined

OARSI = Categories((0, 1, 2, 3))


def estimate(result: Result) -> Estimate:
    assert isinstance(result, Estimate)
    return result


def read_against_truth(seed: int, n: int = 200, *, per_participant: int = 2) -> RatingPairs:
    rng = np.random.default_rng(seed)
    truth = rng.choice(4, size=n, p=[0.5, 0.25, 0.15, 0.1])
    read = np.clip(truth + rng.choice([-1, 0, 0, 0, 1], size=n), 0, 3)
    people = (np.arange(n) // per_participant).tolist()
    return Ratings.from_columns(OARSI, [truth, read], clusters=people).pair(0, 1)


def scores(seed: int, n: int, *, rounded: bool) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.35
    score = positive * 0.9 + rng.normal(size=n)
    return positive, np.round(score, 0 if rounded else 6)


def test_wilson_interval_is_that_of_statsmodels() -> None:
    for hits, total in ((0, 12), (7, 12), (12, 12), (970, 1000)):
        found = estimate(proportion.wilson_proportion(hits, total))
        assert isinstance(found.interval, Interval)
        low, high = proportion_confint(hits, total, method="wilson")
        assert found.interval.low == pytest.approx(low, abs=1e-12)
        assert found.interval.high == pytest.approx(high, abs=1e-12)


def test_a_share_of_nothing_is_undefined() -> None:
    for result in (
        proportion.wilson_proportion(0, 0),
        proportion.clustered_proportion(np.zeros(0, dtype=bool), np.zeros(0, dtype=np.intp)),
    ):
        assert isinstance(result, Undefined)
        assert result.reason is Reason.ZERO_DENOMINATOR


def test_clustered_share_widens_with_dependence_and_never_beats_independence() -> None:
    rng = np.random.default_rng(5)
    per_person = rng.random(100) < 0.7
    clusters = np.repeat(np.arange(100), 4)
    dependent = estimate(proportion.clustered_proportion(np.repeat(per_person, 4), clusters))
    independent = estimate(proportion.wilson_proportion(int(per_person.sum()) * 4, 400))
    assert dependent.known["design_effect"] == pytest.approx(4 * 100 / 99)
    assert isinstance(dependent.interval, Interval)
    assert isinstance(independent.interval, Interval)
    assert dependent.interval.high - dependent.interval.low > 1.8 * (
        independent.interval.high - independent.interval.low
    )
    # Two participants with one hit in two each show no variance; that must not make the interval vanish.
    few = estimate(
        proportion.clustered_proportion(np.array([True, False, True, False]), np.array([0, 0, 1, 1]))
    )
    assert isinstance(few.interval, Interval)
    assert few.interval.high - few.interval.low > 0.5


def test_grade_figures_are_those_of_scikit_learn() -> None:
    pairs = read_against_truth(1)
    precision, recall, f1, support = precision_recall_fscore_support(
        pairs.first, pairs.second, labels=[0, 1, 2, 3]
    )
    for position, grade in enumerate(confusion.per_grade(pairs.table)):
        assert estimate(grade.precision).value == pytest.approx(precision[position])
        assert estimate(grade.recall).value == pytest.approx(recall[position])
        assert estimate(grade.f1).value == pytest.approx(f1[position])
        assert grade.support == support[position]
    balanced = balanced_accuracy_score(pairs.first, pairs.second)
    assert estimate(confusion.balanced_accuracy(pairs.table)).value == pytest.approx(balanced)
    assert estimate(confusion.clustered_balanced_accuracy(pairs)).value == pytest.approx(balanced)
    macro = f1_score(pairs.first, pairs.second, average="macro")
    assert estimate(confusion.macro_f1(pairs.table)).value == pytest.approx(macro)


def test_a_grade_never_given_has_no_precision_and_one_never_true_no_recall() -> None:
    table = PairTable(OARSI, np.array([[18, 2, 0, 0], [0, 8, 0, 2], [0, 4, 0, 0], [0, 0, 0, 0]]))
    grades = confusion.per_grade(table)
    assert isinstance(grades[2].precision, Undefined)
    assert grades[2].precision.reason is Reason.GRADE_NEVER_GIVEN
    assert isinstance(grades[3].recall, Undefined)
    assert grades[3].recall.reason is Reason.GRADE_NEVER_TRUE
    assert estimate(grades[2].f1).value == 0
    assert estimate(confusion.balanced_accuracy(table)).known["grades_averaged"] == 3
    never = PairTable(OARSI, np.diag([3, 3, 0, 0]))
    assert isinstance(confusion.per_grade(never)[3].f1, Undefined)


def test_error_of_balanced_accuracy_is_that_of_resampling_participants() -> None:
    pairs = read_against_truth(3, 400)
    rng = np.random.default_rng(1)
    tables = np.zeros((pairs.n_clusters, 16))
    np.add.at(tables, (pairs.clusters, pairs.first * 4 + pairs.second), 1)
    drawn = (
        rng.multinomial(pairs.n_clusters, np.full(pairs.n_clusters, 1 / pairs.n_clusters), size=3000) @ tables
    )
    drawn = drawn.reshape(-1, 4, 4)
    resampled = (np.diagonal(drawn, axis1=1, axis2=2) / drawn.sum(axis=2)).mean(axis=1)
    ours = estimate(confusion.clustered_balanced_accuracy(pairs))
    assert ours.standard_error == pytest.approx(resampled.std(), rel=0.07)


def test_presence_at_a_cut() -> None:
    pairs = read_against_truth(4)
    true, given = pairs.first >= 2, pairs.second >= 2
    for found in (confusion.presence(pairs.table, 2), confusion.clustered_presence(pairs, 2)):
        assert estimate(found.sensitivity).value == pytest.approx(given[true].mean())
        assert estimate(found.specificity).value == pytest.approx((~given[~true]).mean())
        assert estimate(found.positive_predictive_value).value == pytest.approx(true[given].mean())
        assert estimate(found.negative_predictive_value).value == pytest.approx((~true[~given]).mean())


def test_presence_without_a_diseased_joint_has_no_sensitivity() -> None:
    pairs = Ratings.from_columns(OARSI, [[0, 0, 1], [0, 0, 0]], clusters=[1, 1, 2]).pair(0, 1)
    for found in (confusion.presence(pairs.table, 2), confusion.clustered_presence(pairs, 2)):
        assert isinstance(found.sensitivity, Undefined)
        assert isinstance(found.positive_predictive_value, Undefined)
        assert estimate(found.specificity).value == 1


@pytest.mark.parametrize("rounded", [False, True])
def test_area_and_precision_are_those_of_scikit_learn(rounded: bool) -> None:
    positive, score = scores(2, 300, rounded=rounded)
    assert estimate(roc.auc(positive, score)).value == pytest.approx(roc_auc_score(positive, score))
    assert estimate(roc.average_precision(positive, score)).value == pytest.approx(
        average_precision_score(positive, score)
    )


@pytest.mark.parametrize("rounded", [False, True])
def test_the_curve_is_that_of_scikit_learn_and_encloses_the_area(rounded: bool) -> None:
    positive, score = scores(3, 250, rounded=rounded)
    points = roc.roc_points(positive, score)
    fpr = np.array([point.false_positive_rate for point in points])
    tpr = np.array([point.true_positive_rate for point in points])
    theirs_fpr, theirs_tpr, _ = roc_curve(positive, score, drop_intermediate=False)
    assert np.interp(0.37, fpr, tpr) == pytest.approx(np.interp(0.37, theirs_fpr, theirs_tpr))
    assert np.trapezoid(tpr, fpr) == pytest.approx(roc_auc_score(positive, score))
    assert (fpr[0], tpr[0], points[0].threshold) == (0, 0, None)
    assert (fpr[-1], tpr[-1]) == (1, 1)


def test_one_joint_per_participant_gives_delong() -> None:
    positive, score = scores(4, 120, rounded=True)
    plain = estimate(roc.auc(positive, score))
    clustered = estimate(roc.auc(positive, score, clusters=np.arange(120)))
    assert clustered.standard_error == pytest.approx(plain.standard_error, rel=1e-12)


def test_joints_copied_within_their_participant_leave_the_clustered_error() -> None:
    positive, score = scores(5, 150, rounded=False)
    people = np.arange(150)
    once = estimate(roc.auc(positive, score, clusters=people))
    copied = estimate(roc.auc(np.tile(positive, 3), np.tile(score, 3), clusters=np.tile(people, 3)))
    assert copied.value == pytest.approx(once.value)
    assert copied.standard_error == pytest.approx(once.standard_error, rel=1e-9)
    naive = estimate(roc.auc(np.tile(positive, 3), np.tile(score, 3)))
    assert naive.standard_error is not None
    assert once.standard_error is not None
    assert naive.standard_error < 0.65 * once.standard_error


def test_areas_without_an_interval_say_why() -> None:
    one_class = roc.auc(np.zeros(5, dtype=bool), np.arange(5.0))
    assert isinstance(one_class, Undefined)
    assert one_class.reason is Reason.ONE_CLASS
    assert roc.roc_points(np.ones(5, dtype=bool), np.arange(5.0)) == ()
    perfect = estimate(roc.auc(np.arange(8) > 3, np.arange(8.0)))
    assert perfect.value == 1
    assert isinstance(perfect.interval, Undefined)
    assert perfect.interval.reason is Reason.ZERO_VARIANCE
    lonely = estimate(roc.auc(np.arange(5) == 2, np.arange(5.0)))
    assert isinstance(lonely.interval, Undefined)
    assert lonely.interval.reason is Reason.TOO_FEW_POSITIVE_OR_NEGATIVE
