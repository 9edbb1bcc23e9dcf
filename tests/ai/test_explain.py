from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from reader_app.ai.bundle_spec import HeadKind
from reader_app.ai.nets.explain import alike, channel_weights, grad_cam, unit_maps
from reader_app.ai.nets.grader import Grader, HeadSpec
from reader_app.ai.nets.heads import class_evidence, expected_class
from tests.ai.cam_peers import System, lively_grader, weight_of

HEADS = (HeadSpec("one", 5), HeadSpec("two", 4, HeadKind.CORN), HeadSpec("three", 2))
NETWORKS = ("resnet18", "convnext_atto", "tf_efficientnet_lite0")


@pytest.fixture(scope="module", params=NETWORKS)
def grader(request: pytest.FixtureRequest) -> Grader:
    return lively_grader(System(request.param, HEADS, 96), seed=3)


@pytest.fixture(scope="module")
def maps(grader: Grader) -> Tensor:
    images = torch.randn(3, 1, 96, 96, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        return grader.features(images)


CHOSEN = (torch.tensor([0, 2, 4]), torch.tensor([3, 1, 0]), torch.tensor([1, 1, 0]))


@pytest.mark.parametrize("asked", [CHOSEN, (None, None, None), (CHOSEN[0], None, CHOSEN[2])])
def test_weights_are_the_mean_over_positions_of_the_gradient_at_the_map_itself(
    grader: Grader, maps: Tensor, asked: tuple[Tensor | None, ...]
) -> None:
    """By the definition: the whole map as the variable, one backward pass a head and joint."""
    found = channel_weights(grader, maps, asked)
    for head, chosen in enumerate(asked):
        kind = HEADS[head].kind
        for joint in range(len(maps)):
            leaf = maps[joint : joint + 1].clone().requires_grad_(True)
            outputs = grader.logits(leaf)[head]
            target = (
                expected_class(outputs, kind)
                if chosen is None
                else class_evidence(outputs, chosen[joint : joint + 1], kind)
            )
            (gradient,) = torch.autograd.grad(target.sum(), leaf)
            reference = gradient.mean(dim=(2, 3))[0]
            torch.testing.assert_close(
                found[head, joint], reference, rtol=1e-3, atol=1e-5 * float(reference.abs().max())
            )


def test_the_upper_part_of_a_signed_map_is_the_unsigned_one(grader: Grader, maps: Tensor) -> None:
    unsigned = grad_cam(grader, maps, CHOSEN)
    signed = grad_cam(grader, maps, CHOSEN, signed=True)
    assert min(float(found.min()) for found in signed) < 0.0
    for one, other in zip(unsigned, signed, strict=True):
        assert torch.equal(one, other.clamp_min(0.0))


def test_what_speaks_for_one_of_two_classes_speaks_against_the_other_in_the_expected_grade(
    grader: Grader, maps: Tensor
) -> None:
    """Of two classes the expected grade is a sigmoid of the logits' difference: one map up to scale."""
    (*_, absent) = grad_cam(grader, maps, [None, None, torch.zeros(3, dtype=torch.long)], signed=True)
    (*_, present) = grad_cam(grader, maps, [None, None, torch.ones(3, dtype=torch.long)], signed=True)
    (*_, expected) = grad_cam(grader, maps, [None, None, None], signed=True)
    torch.testing.assert_close(alike(present - absent), alike(expected), rtol=1e-3, atol=1e-3)


def test_heads_beyond_those_asked_for_are_not_explained(grader: Grader, maps: Tensor) -> None:
    assert len(grad_cam(grader, maps, [None])) == 1
    with pytest.raises(ValueError, match="4 heads to explain"):
        grad_cam(grader, maps, [None] * 4)


def test_maps_made_in_inference_mode_and_in_another_memory_layout_are_explained_alike(grader: Grader) -> None:
    images = torch.randn(2, 1, 96, 96, generator=torch.Generator().manual_seed(8))
    with torch.no_grad():
        plain = grad_cam(grader, grader.features(images), [None])[0]
    with torch.inference_mode():
        found = grader.features(images.contiguous(memory_format=torch.channels_last))
        inside = grad_cam(grader, found, [None])[0]
    outside = grad_cam(grader, found, [None])[0]
    tolerance = 1e-4 * float(plain.max())
    torch.testing.assert_close(inside, plain, rtol=1e-3, atol=tolerance)
    torch.testing.assert_close(outside, plain, rtol=1e-3, atol=tolerance)


def test_explaining_leaves_no_gradient_on_the_network(grader: Grader, maps: Tensor) -> None:
    grad_cam(grader, maps, CHOSEN)
    assert all(parameter.grad is None for parameter in grader.parameters())


def test_a_very_sure_answer_is_still_explained() -> None:
    """The expected grade hardly moves there; in single precision its gradient would be noise."""
    grader = lively_grader(System("resnet18", (HeadSpec("KL", 5),), 96), seed=5)
    images = torch.randn(1, 1, 96, 96, generator=torch.Generator().manual_seed(6))
    with torch.no_grad():
        maps = grader.features(images)
        for parameter in grader.heads[0].parameters():
            parameter.mul_(20.0)
        logits = grader.logits(maps)[0].double()
    assert float(logits.softmax(1).max()) > 1 - 1e-6
    chances = logits.softmax(1)[0]
    moves = chances * (torch.arange(5) - (chances * torch.arange(5)).sum())
    exact = (moves @ weight_of(grader.heads[0]).double()) / (maps.shape[2] * maps.shape[3])
    found = channel_weights(grader, maps, [None])[0, 0].double()
    torch.testing.assert_close(found / exact.abs().max(), exact / exact.abs().max(), rtol=0.0, atol=1e-4)


def test_maps_move_when_the_weights_are_randomised(grader: Grader) -> None:
    images = torch.randn(3, 1, 96, 96, generator=torch.Generator().manual_seed(4))
    other = lively_grader(System(grader.architecture, HEADS, 96), seed=99)
    with torch.no_grad():
        found, moved = grader.features(images), other.features(images)
    for ours, theirs in zip(
        grad_cam(grader, found, CHOSEN, signed=True), grad_cam(other, moved, CHOSEN, signed=True), strict=True
    ):
        difference = unit_maps(ours, 28, signed=True) - unit_maps(theirs, 28, signed=True)
        assert float(difference.abs().mean()) > 0.1


# The heatmap from the map ------------------------------------------------------------------------------


def test_unit_maps_reach_one_and_empty_ones_stay_empty() -> None:
    maps = unit_maps(torch.stack([torch.zeros(4, 4), torch.eye(4) * 7]), 20)
    assert maps.shape == (2, 20, 20)
    assert maps[0].abs().max() == 0
    assert maps[1].max() == 1
    assert maps.min() >= 0


def test_signed_unit_maps_keep_the_sign_of_the_stronger_side() -> None:
    against = torch.zeros(7, 7)
    against[1, 1], against[5, 5] = -4.0, 2.0
    found = unit_maps(against[None], 56, signed=True)[0]
    assert float(found.min()) == -1.0
    assert 0.4 < float(found.max()) < 0.6
    assert found.argmin() // 56 < 28 < found.argmax() // 56


@given(st.floats(1e-3, 1e3), st.booleans(), st.integers(0, 100))
def test_the_height_of_a_map_says_nothing(height: float, signed: bool, seed: int) -> None:
    maps = torch.randn(2, 5, 5, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(
        unit_maps(maps * height, 20, signed=signed), unit_maps(maps, 20, signed=signed), rtol=1e-4, atol=1e-4
    )
    torch.testing.assert_close(alike(maps * height), alike(maps), rtol=1e-4, atol=1e-4)
    assert alike(maps).abs().amax(dim=(1, 2)).tolist() == pytest.approx([1.0, 1.0])


@given(st.integers(0, 100), st.booleans(), st.sampled_from([4, 7, 112]))
def test_a_mirrored_map_gives_the_mirrored_heatmap(seed: int, signed: bool, size: int) -> None:
    maps = torch.randn(1, size, size, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(
        unit_maps(maps.flip(-1), 56, signed=signed),
        unit_maps(maps, 56, signed=signed).flip(-1),
        rtol=1e-4,
        atol=1e-5,
    )


def test_maps_finer_than_the_heatmap_are_averaged_over_its_cells() -> None:
    maps = torch.rand(1, 112, 112, generator=torch.Generator().manual_seed(2))
    cells = maps.reshape(1, 56, 2, 56, 2).mean(dim=(2, 4))
    torch.testing.assert_close(unit_maps(maps, 56), cells / cells.max())
