"""Our maps, made without a backward pass of the body, beside those of programs that make one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from reader_app.ai.bundle_spec import HeadKind
from reader_app.ai.nets.architectures import Tail
from reader_app.ai.nets.explain import grad_cam
from reader_app.ai.nets.grader import Grader
from tests.ai.cam_peers import (
    SYSTEMS,
    System,
    Target,
    as_the_library_scales,
    bias_of,
    captum_maps,
    class_score,
    expected_corn,
    expected_softmax,
    grad_cam_library,
    lively_grader,
)

SIZE = 64
JOINTS = 2


@dataclass(frozen=True)
class Case:
    system: System
    grader: Grader
    images: Tensor
    maps: Tensor


@pytest.fixture(scope="module", params=SYSTEMS, ids=lambda system: system.architecture)
def case(request: pytest.FixtureRequest) -> Case:
    system: System = request.param
    grader = lively_grader(system, seed=11)
    images = torch.randn(JOINTS, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(12))
    with torch.no_grad():
        maps = grader.features(images)
    return Case(system, grader, images, maps)


def questions(case: Case) -> Iterator[tuple[int, list[Tensor | None], list[Target]]]:
    """For the first and last head: what we are asked, and the same for a program that takes functions."""
    heads = case.system.heads
    for head in sorted({0, len(heads) - 1}):
        asked: list[Tensor | None] = [None] * len(heads)
        if heads[head].kind is HeadKind.CORN:
            yield head, list(asked), [expected_corn] * JOINTS
            continue
        yield head, list(asked), [expected_softmax] * JOINTS
        classes = [heads[head].classes - 1, 0]
        asked[head] = torch.tensor(classes)
        yield head, list(asked), [class_score(chosen) for chosen in classes]


def test_maps_are_those_of_pytorch_grad_cam(case: Case) -> None:
    for head, asked, targets in questions(case):
        ours = grad_cam(case.grader, case.maps, asked)[head]
        raw, handed_out = grad_cam_library(case.grader, case.images, head=head, targets=targets)
        assert np.abs(ours.numpy() - raw).max() <= 1e-4 * raw.max()
        assert np.abs(as_the_library_scales(ours, SIZE) - handed_out).max() <= 1e-4
    assert raw.max() > 0.0


@pytest.mark.parametrize("signed", [False, True])
def test_maps_are_those_of_captum(case: Case, signed: bool) -> None:
    for head, asked, targets in questions(case):
        ours = grad_cam(case.grader, case.maps, asked, signed=signed)[head]
        theirs = captum_maps(case.grader, case.images, head=head, targets=targets, signed=signed)
        assert float((ours - theirs).abs().max()) <= 1e-4 * float(theirs.abs().max())
    if signed:
        assert float(theirs.min()) < 0.0


def test_all_heads_at_once_give_the_maps_of_each_head_alone(case: Case) -> None:
    classes = [
        torch.tensor([spec.classes - 1, 0]) if place % 2 else None
        for place, spec in enumerate(case.system.heads)
    ]
    together = grad_cam(case.grader, case.maps, classes, signed=True)
    for head, chosen in enumerate(classes):
        asked: list[Tensor | None] = [None] * len(classes)
        asked[head] = chosen
        alone = grad_cam(case.grader, case.maps[1:], [c if c is None else c[1:] for c in asked], signed=True)
        torch.testing.assert_close(
            together[head][1:], alone[head], rtol=1e-4, atol=1e-5 * float(alone[head].abs().max())
        )


def test_a_classs_map_adds_up_to_its_logit_less_the_bias_but_for_a_norm_after_the_mean(case: Case) -> None:
    """The identity of Zhou et al. 2016; a map taken before DenseNet's final ReLU would break it."""
    chosen = torch.tensor([1, 0])
    (found,) = grad_cam(case.grader, case.maps, [chosen], signed=True)
    with torch.no_grad():
        logits = case.grader.logits(case.maps)[0].gather(1, chosen[:, None])[:, 0]
        bias = bias_of(case.grader.heads[0])[chosen]
    holds = torch.allclose(found.sum(dim=(1, 2)), logits - bias, rtol=1e-4, atol=1e-4)
    assert holds == (case.grader.facts.tail is Tail.MEAN)
