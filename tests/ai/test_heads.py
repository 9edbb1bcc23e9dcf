from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from reader_app.ai.bundle_spec import HeadKind
from reader_app.ai.nets.heads import (
    HeadSpec,
    class_evidence,
    expected_class,
    log_probabilities,
    probabilities,
)
from reader_app.ai.training.examples import MISSING
from reader_app.ai.training.loss import ordinal_loss, soft_targets
from reader_app.errors import BundleError

KINDS = st.sampled_from(HeadKind)
TEMPERATURES = st.floats(0.2, 5.0)
OUTPUTS = st.lists(st.floats(-30.0, 30.0), min_size=1, max_size=6)


def by_definition(outputs: list[float], kind: HeadKind, temperature: float) -> npt.NDArray[np.float64]:
    """Each grade's probability in double precision, as the papers write it, without any trick."""
    scaled = np.array(outputs, dtype=np.float64) / temperature
    if kind is HeadKind.SOFTMAX:
        return np.asarray(np.exp(scaled) / np.exp(scaled).sum())
    exceeded = [1.0]
    for threshold in scaled:  # exceed grade k: have exceeded k - 1, and pass the threshold k
        exceeded.append(exceeded[-1] / (1.0 + np.exp(-threshold)))
    exceeded.append(0.0)
    return np.asarray(np.array(exceeded[:-1]) - np.array(exceeded[1:]))


@given(OUTPUTS, KINDS, TEMPERATURES)
def test_probabilities_are_those_of_the_definition(
    outputs: list[float], kind: HeadKind, temperature: float
) -> None:
    found = probabilities(torch.tensor([outputs]), kind, temperature)[0].numpy()
    assert found == pytest.approx(by_definition(outputs, kind, temperature), abs=2e-6)


@given(OUTPUTS, KINDS, TEMPERATURES)
def test_probabilities_add_up_to_one_and_are_never_negative(
    outputs: list[float], kind: HeadKind, temperature: float
) -> None:
    found = probabilities(torch.tensor(outputs), kind, temperature)
    assert float(found.sum()) == pytest.approx(1.0, abs=1e-5)
    assert float(found.min()) >= 0.0


@given(OUTPUTS, TEMPERATURES)
def test_an_ordinal_heads_chance_to_exceed_a_grade_never_grows_with_the_grade(
    outputs: list[float], temperature: float
) -> None:
    found = probabilities(torch.tensor(outputs), HeadKind.CORN, temperature)
    exceeded = 1.0 - found.double().cumsum(0)[:-1]
    passed = (torch.tensor(outputs).double() / temperature).sigmoid().cumprod(0)
    assert exceeded.numpy() == pytest.approx(passed.numpy(), abs=2e-6)
    assert bool((exceeded.diff() <= 0).all())


@given(OUTPUTS, KINDS, st.floats(-3.0, 3.0), st.integers(0, 6))
def test_the_expected_class_is_the_mean_and_the_logarithms_are_those_of_the_probabilities(
    outputs: list[float], kind: HeadKind, step: float, place: int
) -> None:
    logits = torch.tensor(outputs)
    found = probabilities(logits, kind)
    mean = sum(grade * float(chance) for grade, chance in enumerate(found))
    assert float(expected_class(logits, kind)) == pytest.approx(mean, abs=1e-4)
    assert log_probabilities(logits, kind).exp().numpy() == pytest.approx(found.numpy(), abs=1e-6)
    if kind is HeadKind.CORN:  # passing any threshold more easily never lowers the grade
        raised = logits.clone()
        raised[place % len(outputs)] += abs(step)
        assert float(expected_class(raised, kind)) >= float(expected_class(logits, kind)) - 1e-5


def test_a_sure_ordinal_answer_keeps_its_small_chances() -> None:
    """A difference of two chances to exceed, both 1 in single precision, would give 0."""
    found = log_probabilities(torch.tensor([20.0, 20.0, 20.0]), HeadKind.CORN)
    assert found[:3].numpy() == pytest.approx([-20.0, -20.0, -20.0], abs=1e-3)
    assert bool((probabilities(torch.tensor([20.0, 20.0, 20.0]), HeadKind.CORN) > 0).all())


@pytest.mark.parametrize("kind", HeadKind)
def test_a_temperature_above_one_takes_certainty_away(kind: HeadKind) -> None:
    logits = torch.tensor([2.0, -1.0, 0.5])
    peaks = [float(probabilities(logits, kind, temperature).max()) for temperature in (0.5, 1.0, 3.0)]
    assert peaks == sorted(peaks, reverse=True)
    assert len(set(peaks)) == 3


def test_a_head_says_how_many_outputs_it_has_and_refuses_one_grade() -> None:
    assert HeadSpec("FO", 4).outputs == 4
    assert HeadSpec("FO", 4, HeadKind.CORN).outputs == 3
    with pytest.raises(BundleError, match="needs two or more"):
        HeadSpec("FO", 1, HeadKind.CORN)


def test_evidence_is_the_logit_or_for_an_ordinal_head_the_log_probability() -> None:
    logits = torch.tensor([[0.3, -1.2, 2.0], [1.0, 0.0, -1.0]])
    chosen = torch.tensor([2, 0])
    assert class_evidence(logits, chosen, HeadKind.SOFTMAX).tolist() == pytest.approx([2.0, 1.0])
    found = class_evidence(logits, torch.tensor([3, 0]), HeadKind.CORN)
    passed = [1 / (1 + np.exp(-value)) for value in (0.3, -1.2, 2.0)]
    assert float(found[0]) == pytest.approx(np.log(np.prod(passed)), abs=1e-5)
    assert float(found[1]) == pytest.approx(np.log(1 - 1 / (1 + np.exp(-1.0))), abs=1e-5)


# The loss --------------------------------------------------------------------------------------------------


def corn_by_threshold(outputs: Tensor, grades: list[int]) -> float:
    """The loss of Shi, Cao & Raschka, per joint: threshold k learns from joints of grade k and above."""
    total = 0.0
    for threshold in range(outputs.shape[1]):
        for joint, grade in enumerate(grades):
            if grade >= threshold:
                passed = 1.0 / (1.0 + np.exp(-float(outputs[joint, threshold])))
                total -= np.log(passed if grade > threshold else 1.0 - passed)
    return total / len(grades)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.integers(0, 1000))
def test_the_ordinal_loss_teaches_every_threshold_with_the_joints_that_reach_it(
    grades: list[int], seed: int
) -> None:
    outputs = torch.randn(len(grades), 3, generator=torch.Generator().manual_seed(seed)) * 2
    found = ordinal_loss(
        outputs,
        torch.tensor(grades),
        soft_targets(4, 0.0),
        expectation_weight=0.0,
        kind=HeadKind.CORN,
    )
    assert float(found) == pytest.approx(corn_by_threshold(outputs, grades), rel=1e-4)


@pytest.mark.parametrize("kind", HeadKind)
def test_joints_without_a_grade_teach_nothing(kind: HeadKind) -> None:
    spec = HeadSpec("JSN", 4, kind)
    outputs = torch.randn(3, spec.outputs, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    targets = soft_targets(4, 0.5)
    some = ordinal_loss(outputs, torch.tensor([2, MISSING, 0]), targets, expectation_weight=0.3, kind=kind)
    without = ordinal_loss(outputs[[0, 2]], torch.tensor([2, 0]), targets, expectation_weight=0.3, kind=kind)
    assert float(some.detach()) == pytest.approx(float(without.detach()))
    (gradient,) = torch.autograd.grad(some, outputs)
    assert bool((gradient[1] == 0).all())
    assert bool((gradient[[0, 2]] != 0).any())
    nobody = ordinal_loss(outputs, torch.full((3,), MISSING), targets, expectation_weight=0.3, kind=kind)
    assert float(nobody.detach()) == 0.0
    (gradient,) = torch.autograd.grad(nobody, outputs)
    assert bool((gradient == 0).all())


@pytest.mark.parametrize("kind", HeadKind)
def test_descending_the_loss_finds_the_grades(kind: HeadKind) -> None:
    spec = HeadSpec("KL", 5, kind)
    grades = torch.tensor([0, 1, 2, 3, 4, 2])
    outputs = torch.zeros(6, spec.outputs, requires_grad=True)
    optimiser = torch.optim.Adam([outputs], lr=0.3)
    for _ in range(150):
        loss = ordinal_loss(outputs, grades, soft_targets(5, 0.0), expectation_weight=0.2, kind=kind)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert probabilities(outputs.detach(), kind).argmax(dim=1).tolist() == grades.tolist()
