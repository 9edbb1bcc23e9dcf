from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reader_app.agreement.ratings import MISSING, Categories, ClusterTables, Ratings
from reader_app.agreement.result import Estimate, Interval, IntervalMethod, Reason, Undefined, check_level
from reader_app.errors import GradeError


def test_positions_follow_the_scale_not_the_numbers() -> None:
    # A scale may run downwards or skip codes; its order alone counts.
    scale = Categories((5, 3, 9))
    assert scale.positions([9, 5, None, 3, float("nan"), 3.0]).tolist() == [2, 0, MISSING, 1, MISSING, 1]
    assert scale.positions(np.array([9, 5, 3])).tolist() == [2, 0, 1]


@pytest.mark.parametrize("wrong", [4, 1.5, "mild", "1", True + 3])
def test_a_value_off_the_scale_is_refused_with_the_scale(wrong: object) -> None:
    with pytest.raises(GradeError, match=r"not on the scale, which has 0, 1, 2, 3"):
        Categories((0, 1, 2, 3)).positions([0, wrong])


def test_an_integer_array_off_the_scale_is_refused() -> None:
    with pytest.raises(GradeError, match="The grade 7 "):
        Categories((0, 1, 2, 3)).positions(np.array([0, 7, 1]))


@pytest.mark.parametrize("codes", [(), (0, 1, 1)])
def test_a_scale_needs_distinct_grades(codes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="each once"):
        Categories(codes)


def test_pairs_keep_the_joints_that_both_graded_and_renumber_their_participants() -> None:
    ratings = Ratings.from_columns(
        Categories((0, 1)), [[0, None, 1, 1], [1, 1, None, 0]], clusters=["x", "y", "y", "z"]
    )
    pairs = ratings.pair(0, 1)
    assert pairs.first.tolist() == [0, 1]
    assert pairs.second.tolist() == [1, 0]
    assert pairs.n_clusters == 2
    assert pairs.table.counts.tolist() == [[0, 1], [1, 0]]


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="length"):
        Ratings.from_columns(Categories((0, 1)), [[0, 1], [0]])
    with pytest.raises(ValueError, match="fit"):
        Ratings.from_columns(Categories((0, 1)), [[0, 1], [0, 1]], clusters=["a"])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=40))
def test_participants_tables_sum_to_the_whole(rows: list[tuple[int, int, int]]) -> None:
    ratings = Ratings.from_columns(
        Categories((0, 1, 2)),
        [[row[0] for row in rows], [row[1] for row in rows]],
        clusters=[r[2] for r in rows],
    )
    pairs = ratings.pair(0, 1)
    gathered = pairs.cluster_tables
    assert gathered.n_clusters == pairs.n_clusters == len({row[2] for row in rows})
    assert (gathered.frequency @ gathered.tables).tolist() == pairs.table.counts.ravel().tolist()


def test_no_participants_make_no_tables() -> None:
    assert ClusterTables.gather(np.zeros((0, 4), dtype=np.int64)).n_clusters == 0


def test_a_value_that_is_not_a_number_cannot_pass_for_an_estimate() -> None:
    with pytest.raises(ValueError, match="finite"):
        Estimate(float("nan"), 3)
    with pytest.raises(ValueError, match="finite"):
        Interval(0.0, float("inf"), 0.95, IntervalMethod.NORMAL)
    with pytest.raises(ValueError, match="level"):
        check_level(95)


def test_every_reason_and_method_has_its_words() -> None:
    assert all(Undefined(reason).sentence for reason in Reason)
    assert all(method.describe() for method in IntervalMethod)
    assert Undefined(Reason.NO_PAIRS, "nobody came").sentence == "nobody came"
