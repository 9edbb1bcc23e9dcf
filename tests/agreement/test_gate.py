"""The gate: kappa by the lower end of its interval, and what perfect agreement is worth."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reader_app.agreement.gate import gate_kappa, passes
from reader_app.agreement.kappa import clustered_kappa
from reader_app.agreement.ratings import Categories, RatingPairs, Ratings
from reader_app.agreement.result import Estimate, Interval, IntervalMethod, Reason, Undefined
from reader_app.agreement.weights import Weights

SCALE = Categories((0, 1, 2, 3, 4))
REFERENCE = (0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 2)


def pairs(first: Sequence[int], second: Sequence[int], clusters: Sequence[int] | None = None) -> RatingPairs:
    return Ratings.from_columns(SCALE, [first, second], clusters=clusters).pair(0, 1)


def interval(found: object) -> Interval:
    assert isinstance(found, Estimate)
    assert isinstance(found.interval, Interval)
    return found.interval


def test_with_a_difference_it_is_the_clustered_kappa_and_nothing_else() -> None:
    missed = pairs(REFERENCE, (1, *REFERENCE[1:]))
    assert gate_kappa(missed, Weights.LINEAR) == clustered_kappa(missed, Weights.LINEAR)


def test_a_flawless_reader_is_judged_as_if_one_grade_were_a_step_off() -> None:
    found = gate_kappa(pairs(REFERENCE, REFERENCE), Weights.LINEAR)
    assert isinstance(found, Estimate)
    assert found.value == 1.0
    lows = []
    for joint, code in enumerate(REFERENCE):
        for given_code in {code - 1, code + 1} & set(SCALE.codes):
            other = (*REFERENCE[:joint], given_code, *REFERENCE[joint + 1 :])
            lows.append(interval(clustered_kappa(pairs(REFERENCE, other), Weights.LINEAR)).low)
    assert interval(found).low == pytest.approx(min(lows), rel=1e-12)
    assert interval(found).high == 1.0
    assert interval(found).method is IntervalMethod.ONE_STEP_OFF


@given(st.lists(st.sampled_from(SCALE.codes), min_size=8, max_size=16), st.data())
def test_missing_a_grade_never_makes_a_reader_pass_who_would_not_pass_without_a_fault(
    reference: list[int], data: st.DataObject
) -> None:
    clusters = [joint // 2 for joint in range(len(reference))]
    flawless = gate_kappa(pairs(reference, reference, clusters), Weights.LINEAR)
    assume(isinstance(flawless, Estimate) and isinstance(flawless.interval, Interval))
    joint = data.draw(st.integers(0, len(reference) - 1))
    step = data.draw(st.sampled_from([-1, 1]))
    assume(reference[joint] + step in SCALE.codes)
    given_codes = [*reference[:joint], reference[joint] + step, *reference[joint + 1 :]]
    missed = gate_kappa(pairs(reference, given_codes, clusters), Weights.LINEAR)
    assert interval(flawless).low <= interval(missed).low + 1e-9


def test_what_is_undefined_does_not_pass() -> None:
    nothing = gate_kappa(pairs((), ()), Weights.LINEAR)
    assert isinstance(nothing, Undefined)
    assert nothing.reason is Reason.NO_PAIRS
    alike = gate_kappa(pairs((1,) * 8, (1,) * 8), Weights.LINEAR)
    assert isinstance(alike, Undefined)
    assert alike.reason is Reason.NO_VARIATION
    one_participant = gate_kappa(pairs(REFERENCE, REFERENCE, [0] * len(REFERENCE)), Weights.LINEAR)
    assert isinstance(one_participant, Estimate)
    assert isinstance(one_participant.interval, Undefined)
    assert not any(passes(found, -1.0) for found in (nothing, alike, one_participant))


def test_the_lower_end_decides_and_not_the_estimate() -> None:
    found = gate_kappa(pairs(REFERENCE, (1, 1, 3, *REFERENCE[3:])), Weights.LINEAR)
    low = interval(found).low
    assert isinstance(found, Estimate)
    assert found.value > low
    assert passes(found, low)
    assert not passes(found, found.value)
