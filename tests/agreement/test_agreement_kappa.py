from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from reader_app.agreement import kappa
from reader_app.agreement.kappa import ClusterVariance
from reader_app.agreement.ratings import Categories, PairTable, RatingPairs, Ratings
from reader_app.agreement.result import Estimate, Interval, Reason, Result, Undefined
from reader_app.agreement.weights import Weights, disagreement_weights, scaled_disagreement

OARSI = Categories((0, 1, 2, 3))
SKLEARN = {Weights.NONE: None, Weights.LINEAR: "linear", Weights.QUADRATIC: "quadratic"}


def estimate(result: Result) -> Estimate:
    assert isinstance(result, Estimate)
    return result


def interval(result: Result) -> Interval:
    found = estimate(result).interval
    assert isinstance(found, Interval)
    return found


def simulated(seed: int, participants: int, *, joints: int = 2, shared: float = 0.8) -> RatingPairs:
    """Two readers of `joints` joints of each participant, severity shared within the participant."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(participants), joints)
    severity = shared * rng.normal(size=participants)[person] + 0.6 * rng.normal(size=len(person))
    # A reader's leniency that varies with the participant makes errors dependent as well.
    habit = 0.4 * rng.normal(size=participants)[person]
    cuts = [0.2, 0.9, 1.5]
    first = np.digitize(severity + 0.3 * rng.normal(size=len(person)), cuts)
    second = np.digitize(severity + habit + 0.3 * rng.normal(size=len(person)), cuts)
    return Ratings.from_columns(OARSI, [first, second], clusters=person.tolist()).pair(0, 1)


@pytest.mark.parametrize("weights", list(Weights))
def test_kappa_is_that_of_scikit_learn_and_statsmodels(weights: Weights) -> None:
    pairs = simulated(1, 300)
    ours = estimate(kappa.cohen_kappa(pairs.table, weights))

    assert ours.value == pytest.approx(
        cohen_kappa_score(pairs.first, pairs.second, labels=[0, 1, 2, 3], weights=SKLEARN[weights]), abs=1e-12
    )
    theirs = cohens_kappa(
        pairs.table.counts, weights=1 - (1 - disagreement_weights(weights, 4)), return_results=True
    )
    assert ours.value == pytest.approx(theirs.kappa, abs=1e-12)
    if weights is Weights.NONE:
        plain = cohens_kappa(pairs.table.counts, return_results=True)
        assert ours.standard_error == pytest.approx(plain.std_kappa, abs=1e-12)
    else:
        kind = "linear" if weights is Weights.LINEAR else "quadratic"
        named = cohens_kappa(pairs.table.counts, wt=kind, return_results=True)
        assert ours.standard_error == pytest.approx(named.std_kappa, abs=1e-12)


def test_a_grade_that_nobody_gave_still_counts_as_a_step_of_the_scale() -> None:
    counts = np.array([[30, 6, 0, 1], [5, 20, 0, 3], [0, 0, 0, 0], [2, 4, 0, 9]])
    with_grade = estimate(kappa.cohen_kappa(PairTable(OARSI, counts), Weights.LINEAR))
    used = [0, 1, 3]
    without = estimate(
        kappa.cohen_kappa(PairTable(Categories((0, 1, 3)), counts[np.ix_(used, used)]), Weights.LINEAR)
    )
    assert with_grade.value == pytest.approx(0.6048, abs=5e-5)
    assert without.value == pytest.approx(0.6184, abs=5e-5)


def test_one_single_grade_is_undefined_and_says_what_is_known() -> None:
    result = kappa.cohen_kappa(PairTable(OARSI, np.diag([50, 0, 0, 0])), Weights.LINEAR)
    assert isinstance(result, Undefined)
    assert result.reason is Reason.NO_VARIATION
    assert result.known == {"percent_agreement": 1.0, "n": 50}
    assert "0/0" in result.sentence


def test_perfect_agreement_is_one_without_an_interval() -> None:
    pairs = Ratings.from_columns(
        OARSI, [[0, 1, 2, 3, 0, 1], [0, 1, 2, 3, 0, 1]], clusters=["a", "a", "b", "b", "c", "c"]
    ).pair(0, 1)
    for result in (
        kappa.cohen_kappa(pairs.table, Weights.LINEAR),
        kappa.clustered_kappa(pairs, Weights.LINEAR),
        kappa.bootstrap_kappa(pairs, Weights.LINEAR, seed=1),
    ):
        found = estimate(result)
        assert found.value == 1.0
        assert found.standard_error == 0.0
        assert isinstance(found.interval, Undefined)
        assert found.interval.reason is Reason.ZERO_VARIANCE


def test_readers_without_a_joint_in_common_are_undefined() -> None:
    pairs = Ratings.from_columns(OARSI, [[0, 1, None], [None, None, 2]], clusters=[1, 1, 2]).pair(0, 1)
    for result in (
        kappa.clustered_kappa(pairs, Weights.LINEAR),
        kappa.cohen_kappa(pairs.table, Weights.NONE),
        kappa.clustered_percent_agreement(pairs),
        kappa.weighted_percent_agreement(pairs.table, Weights.LINEAR),
        kappa.bootstrap_kappa(pairs, Weights.LINEAR, seed=1),
    ):
        assert isinstance(result, Undefined)
        assert result.reason is Reason.NO_PAIRS


def test_no_joint_at_all_is_undefined() -> None:
    empty = Ratings.from_columns(OARSI, [[], []], clusters=[]).pair(0, 1)
    result = kappa.clustered_kappa(empty, Weights.QUADRATIC)
    assert isinstance(result, Undefined)
    assert result.reason is Reason.NO_PAIRS
    assert empty.n_clusters == 0


def test_one_participant_gives_a_value_but_no_clustered_interval() -> None:
    pairs = Ratings.from_columns(OARSI, [[0, 1], [0, 2]], clusters=["p", "p"]).pair(0, 1)
    found = estimate(kappa.clustered_kappa(pairs, Weights.LINEAR))
    assert isinstance(found.interval, Undefined)
    assert found.interval.reason is Reason.TOO_FEW_PARTICIPANTS
    share = estimate(kappa.clustered_percent_agreement(pairs))
    assert share.value == 0.5
    assert isinstance(share.interval, Undefined)


def test_joints_of_their_own_participants_give_the_independent_error() -> None:
    pairs = simulated(2, 400, joints=1)
    plain = estimate(kappa.cohen_kappa(pairs.table, Weights.LINEAR))
    clustered = estimate(
        kappa.clustered_kappa(pairs, Weights.LINEAR, variance=ClusterVariance.SANDWICH_NORMAL)
    )
    assert clustered.standard_error == pytest.approx(plain.standard_error, rel=1e-12)
    assert interval(clustered).low == pytest.approx(interval(plain).low, abs=1e-12)


def test_every_joint_read_twice_does_not_make_the_clustered_interval_narrower() -> None:
    once = simulated(3, 200)
    twice = RatingPairs(
        once.categories,
        np.tile(once.first, 2),
        np.tile(once.second, 2),
        np.tile(once.clusters, 2),
    )
    single = estimate(kappa.clustered_kappa(once, Weights.QUADRATIC))
    doubled = estimate(kappa.clustered_kappa(twice, Weights.QUADRATIC))
    assert doubled.value == pytest.approx(single.value, abs=1e-12)
    assert doubled.standard_error == pytest.approx(single.standard_error, rel=1e-9)
    naive = estimate(kappa.cohen_kappa(twice.table, Weights.QUADRATIC)).standard_error
    assert naive is not None
    assert single.standard_error is not None
    assert naive < 0.85 * single.standard_error


@pytest.mark.parametrize("weights", list(Weights))
def test_sandwich_jackknife_and_bootstrap_agree(weights: Weights) -> None:
    pairs = simulated(4, 500)
    sandwich = estimate(kappa.clustered_kappa(pairs, weights, variance=ClusterVariance.SANDWICH_T))
    jackknife = estimate(kappa.clustered_kappa(pairs, weights, variance=ClusterVariance.JACKKNIFE_T))
    bootstrap = estimate(kappa.bootstrap_kappa(pairs, weights, seed=7, replicates=4000))
    assert jackknife.standard_error == pytest.approx(sandwich.standard_error, rel=0.02)
    assert bootstrap.standard_error == pytest.approx(sandwich.standard_error, rel=0.06)


def test_jackknife_is_the_loop_that_leaves_out_one_participant() -> None:
    pairs = simulated(5, 25)
    left_out = []
    for person in range(pairs.n_clusters):
        keep = pairs.clusters != person
        table = PairTable(
            OARSI,
            np.bincount(pairs.first[keep] * 4 + pairs.second[keep], minlength=16).reshape(4, 4),
        )
        left_out.append(estimate(kappa.cohen_kappa(table, Weights.LINEAR)).value)
    k = len(left_out)
    by_hand = math.sqrt((k - 1) / k * np.sum((np.array(left_out) - np.mean(left_out)) ** 2))
    ours = estimate(kappa.clustered_kappa(pairs, Weights.LINEAR, variance=ClusterVariance.JACKKNIFE_T))
    assert ours.standard_error == pytest.approx(by_hand, rel=1e-10)


def test_the_bootstrap_repeats_with_its_seed_and_changes_with_another() -> None:
    pairs = simulated(6, 60)
    first = interval(kappa.bootstrap_kappa(pairs, Weights.LINEAR, seed=11))
    again = interval(kappa.bootstrap_kappa(pairs, Weights.LINEAR, seed=11))
    other = interval(kappa.bootstrap_kappa(pairs, Weights.LINEAR, seed=12))
    assert first == again
    assert first != other


def test_replicates_without_variation_are_counted_not_hidden() -> None:
    # Only one of four participants has any disease: about 0.75^4 of the replicates lack it.
    pairs = Ratings.from_columns(
        OARSI, [[0, 0, 0, 0, 0, 0, 1, 2], [0, 0, 0, 0, 0, 0, 1, 1]], clusters=[1, 1, 2, 2, 3, 3, 4, 4]
    ).pair(0, 1)
    found = estimate(kappa.bootstrap_kappa(pairs, Weights.LINEAR, seed=3, replicates=2000))
    assert found.known["undefined_replicates"] / 2000 == pytest.approx(0.75**4, abs=0.04)
    jackknife = estimate(kappa.clustered_kappa(pairs, Weights.LINEAR, variance=ClusterVariance.JACKKNIFE_T))
    assert isinstance(jackknife.interval, Undefined)


def test_clustered_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    truth = estimate(kappa.cohen_kappa(simulated(100, 60_000).table, Weights.LINEAR)).value
    covered = []
    for seed in range(400):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = interval(kappa.clustered_kappa(simulated(1000 + seed, 30), Weights.LINEAR))
        covered.append(found.low <= truth <= found.high)
    # 400 trials at 95 % have a standard error of 1.1 %.
    assert 0.915 <= np.mean(covered) <= 0.985


def test_percent_agreement_within_one_step() -> None:
    table = PairTable(OARSI, np.array([[5, 2, 0, 1], [0, 3, 0, 0], [0, 0, 4, 0], [0, 1, 0, 4]]))
    assert estimate(kappa.percent_agreement(table)).value == pytest.approx(16 / 20)
    assert estimate(kappa.percent_agreement(table, within=1)).value == pytest.approx(18 / 20)
    assert table.apart(2) == 2


def test_clustered_share_without_misses_counts_each_participant_once() -> None:
    n = 40
    pairs = Ratings.from_columns(OARSI, [[0] * n, [0] * n], clusters=[joint // 2 for joint in range(n)]).pair(
        0, 1
    )
    clustered = interval(kappa.clustered_percent_agreement(pairs))
    independent = interval(kappa.percent_agreement(pairs.table))
    assert clustered.high == independent.high == 1.0
    assert clustered.low < independent.low


def test_custom_weights_that_equal_the_linear_ones_give_the_linear_kappa() -> None:
    table = simulated(8, 100).table
    rank = np.arange(4.0)
    custom = scaled_disagreement(np.abs(rank[:, None] - rank[None, :]) * 5)
    ours = estimate(kappa.cohen_kappa(table, custom))
    linear = estimate(kappa.cohen_kappa(table, Weights.LINEAR))
    assert ours.value == pytest.approx(linear.value)
    assert ours.standard_error == pytest.approx(linear.standard_error)


@pytest.mark.parametrize(
    "custom", [np.ones((3, 3)), np.zeros((3, 3)), np.array([[0.0, -1.0], [1.0, 0.0]]), np.zeros((2, 3))]
)
def test_custom_weights_that_make_no_sense_are_refused(
    custom: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> None:
    with pytest.raises(ValueError, match="disagreement weights"):
        scaled_disagreement(custom)


grades = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 6)), min_size=4, max_size=60)


@settings(max_examples=50, deadline=None)
@given(grades, st.sampled_from(list(Weights)))
def test_order_of_readers_and_of_rows_does_not_matter(
    rows: list[tuple[int, int, int]], weights: Weights
) -> None:
    def of(chosen: list[tuple[int, int, int]], first: int, second: int) -> Result:
        columns = [[row[0] for row in chosen], [row[1] for row in chosen]]
        ratings = Ratings.from_columns(OARSI, columns, clusters=[row[2] for row in chosen])
        return kappa.clustered_kappa(ratings.pair(first, second), weights)

    straight, swapped, reordered = of(rows, 0, 1), of(rows, 1, 0), of(sorted(rows), 0, 1)
    for other in (swapped, reordered):
        assert type(other) is type(straight)
        if isinstance(straight, Estimate) and isinstance(other, Estimate):
            assert other.value == pytest.approx(straight.value, abs=1e-9)
            if straight.standard_error is None:
                assert other.standard_error is None
            else:
                assert other.standard_error == pytest.approx(straight.standard_error, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(grades)
def test_binary_scales_have_one_kappa_whatever_the_weights(rows: list[tuple[int, int, int]]) -> None:
    binary = Categories((0, 1))
    columns = [[row[0] % 2 for row in rows], [row[1] % 2 for row in rows]]
    table = Ratings.from_columns(binary, columns).pair(0, 1).table
    results = [kappa.cohen_kappa(table, weights) for weights in Weights]
    if isinstance(results[0], Estimate):
        assert estimate(results[1]).value == pytest.approx(results[0].value)
        assert estimate(results[2]).value == pytest.approx(results[0].value)
    else:
        assert all(isinstance(result, Undefined) for result in results)
