from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from captum.attr import Occlusion  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from reader_app.ai.bundle import Bundle, Explainer, ExplainMethod, ExplainTarget
from reader_app.ai.bundle_spec import HeadKind
from reader_app.ai.crop import network_input
from reader_app.ai.nets.engine import Engine
from reader_app.ai.nets.explain import alike, unit_maps
from reader_app.ai.nets.grader import load_grader
from reader_app.ai.nets.heads import HeadSpec, head_specs
from reader_app.ai.nets.occlusion import occlusion_maps, usual_window
from tests.ai.cam_peers import System, expected_corn, expected_softmax, lively_grader

HEADS = (HeadSpec("one", 5), HeadSpec("two", 4, HeadKind.CORN))


class SpotWatcher:
    """A network that grades by the brightness of one rectangle of the crop and sees nothing else."""

    head_specs = (HeadSpec("bright", 2),)

    def __init__(self, top: int, left: int, height: int, width: int) -> None:
        self.rows, self.columns = slice(top, top + height), slice(left, left + width)

    def features(self, images: Tensor) -> Tensor:
        return images[:, :, self.rows, self.columns].mean(dim=(1, 2, 3))

    def logits(self, maps: Tensor) -> list[Tensor]:
        return [torch.stack([torch.zeros_like(maps), maps], dim=1)]


BOXES = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(2, 8), st.integers(2, 8))
TILINGS = st.integers(2, 12).flatmap(lambda window: st.tuples(st.just(window), st.integers(1, window)))


@given(BOXES, TILINGS)
def test_what_the_network_does_not_look_at_gets_no_map(
    box: tuple[int, int, int, int], tiling: tuple[int, int]
) -> None:
    top, left, height, width = box
    window, stride = tiling
    images = torch.ones(1, 1, 30, 28)
    (found,) = occlusion_maps(SpotWatcher(*box), images, [torch.tensor([1])], window=window, stride=stride)
    near = torch.zeros(30, 28, dtype=torch.bool)  # within one window of what is looked at
    near[
        max(0, top - window + 1) : top + height + window - 1,
        max(0, left - window + 1) : left + width + window - 1,
    ] = True
    assert float(found[0][~near].abs().sum()) == 0.0
    inside = found[0][top : top + height, left : left + width]
    assert inside.numel() == 0 or float(inside.min()) > 0.0


@given(BOXES, TILINGS, st.integers(0, 50))
def test_every_pixel_holds_the_mean_drop_of_the_windows_that_cover_it(
    box: tuple[int, int, int, int], tiling: tuple[int, int], seed: int
) -> None:
    """By loops: cover, ask, add up, divide."""
    window, stride = tiling
    watcher = SpotWatcher(*box)
    image = torch.randn(1, 1, 30, 28, generator=torch.Generator().manual_seed(seed))
    total, count = np.zeros((30, 28)), np.zeros((30, 28))

    def chance(of: Tensor) -> float:
        return float(watcher.logits(watcher.features(of))[0].softmax(1)[0, 1])

    top = 0
    while True:
        left = 0
        while True:
            covered = image.clone()
            covered[..., top : top + window, left : left + window] = 0.0
            total[top : top + window, left : left + window] += chance(image) - chance(covered)
            count[top : top + window, left : left + window] += 1
            if left + window >= 28:
                break
            left += stride
        if top + window >= 30:
            break
        top += stride
    (found,) = occlusion_maps(
        watcher, image, [torch.tensor([1])], window=window, stride=stride, batch=7, signed=True
    )
    assert found[0].numpy() == pytest.approx(total / count, abs=1e-6)


@pytest.mark.parametrize(("window", "stride"), [(16, 8), (20, 9), (7, 7)])
def test_maps_are_those_of_captum(window: int, stride: int) -> None:
    grader = lively_grader(System("resnet18", HEADS, 64), seed=2, size=64)
    images = torch.randn(2, 1, 40, 40, generator=torch.Generator().manual_seed(3))
    chosen = torch.tensor([4, 1])
    ours = occlusion_maps(grader, images, [chosen, None], window=window, stride=stride, batch=5, signed=True)
    expected = occlusion_maps(grader, images, [None], window=window, stride=stride, signed=True)

    def their_map(watched: object) -> Tensor:
        found: Tensor = Occlusion(watched).attribute(
            images, sliding_window_shapes=(1, window, window), strides=(1, stride, stride), baselines=0
        )
        return found[:, 0]

    with torch.no_grad():
        for mine, theirs in (
            (ours[0], their_map(lambda batch: grader(batch)[0].softmax(1).gather(1, chosen[:, None])[:, 0])),
            (ours[1], their_map(lambda batch: expected_corn(grader(batch)[1]))),
            (expected[0], their_map(lambda batch: expected_softmax(grader(batch)[0]))),
        ):
            assert float(theirs.abs().max()) > 1e-3
            assert float((mine - theirs).abs().max()) <= 1e-4 * max(1.0, float(theirs.abs().max()))


@given(st.integers(1, 40), TILINGS)
def test_the_size_of_the_batch_says_nothing(batch: int, tiling: tuple[int, int]) -> None:
    window, stride = tiling
    images = torch.randn(3, 1, 24, 24, generator=torch.Generator().manual_seed(9))
    watcher, chosen = SpotWatcher(4, 5, 9, 7), torch.tensor([1, 0, 1])
    some = occlusion_maps(watcher, images, [chosen], window=window, stride=stride, batch=batch)[0]
    rest = [
        occlusion_maps(
            watcher, images[n : n + 1], [chosen[n : n + 1]], window=window, stride=stride, batch=999
        )[0]
        for n in range(3)
    ]
    torch.testing.assert_close(some, torch.cat(rest), rtol=0.0, atol=1e-6)


def test_the_picture_is_left_as_it_was_and_what_speaks_against_is_cut_unless_asked_for() -> None:
    images = -torch.ones(1, 1, 24, 24)  # dark: covering it brightens
    before = images.clone()
    watcher, chosen = SpotWatcher(8, 8, 8, 8), [torch.tensor([1])]
    (signed,) = occlusion_maps(watcher, images, chosen, window=8, stride=4, signed=True)
    (unsigned,) = occlusion_maps(watcher, images, chosen, window=8, stride=4)
    assert torch.equal(images, before)
    assert float(signed.min()) < -0.1
    assert float(unsigned.abs().max()) == 0.0


def test_a_stand_in_for_the_body_is_used() -> None:
    images = torch.ones(1, 1, 24, 24)
    watcher, chosen = SpotWatcher(0, 0, 4, 4), [torch.tensor([1])]
    (found,) = occlusion_maps(
        watcher, images, chosen, window=8, stride=8, features=SpotWatcher(16, 16, 8, 8).features
    )
    assert float(found[0, :16, :].abs().max()) == 0.0
    assert float(found[0, 16:, 16:].min()) > 0.0


@pytest.mark.parametrize(("window", "stride"), [(0, 0), (25, 5), (5, 6), (5, 0)])
def test_windows_that_do_not_tile_the_crop_are_refused(window: int, stride: int) -> None:
    with pytest.raises(ValueError, match="does not tile"):
        occlusion_maps(
            SpotWatcher(0, 0, 4, 4), torch.ones(1, 1, 24, 24), [None], window=window, stride=stride
        )
    with pytest.raises(ValueError, match="2 heads to explain"):
        occlusion_maps(SpotWatcher(0, 0, 4, 4), torch.ones(1, 1, 24, 24), [None] * 2, window=8, stride=4)


@pytest.mark.parametrize("size", [24, 64, 192, 224, 310])
def test_usual_windows_tile_any_crop_with_overlap(size: int) -> None:
    window, stride = usual_window(size)
    assert 2 * stride <= window <= size / 5
    assert usual_window(224) == (32, 16)


@pytest.mark.parametrize("signed", [False, True])
def test_a_bundle_that_asks_for_occlusion_gets_its_heatmaps_so(bundle: Bundle, signed: bool) -> None:
    """Over the crop and its mirror image, each map brought to one height before their mean."""
    explainer = Explainer(ExplainMethod.OCCLUSION, ExplainTarget.EXPECTED, signed=signed)
    spec = dataclasses.replace(bundle.spec, explainer=explainer)
    crop = np.random.default_rng(7).integers(0, 256, (64, 64), dtype=np.uint8)
    answer = Engine(dataclasses.replace(bundle, spec=spec), device="cpu", backend="eager").run([crop])
    member = spec.members[0]
    grader = load_grader(bundle.folder / member.file, member.architecture, head_specs(spec))
    window, stride = usual_window(64)
    image = torch.from_numpy(network_input([crop]))
    upright, mirrored = (
        occlusion_maps(grader, view, [None, None], window=window, stride=stride, signed=signed)
        for view in (image, image.flip(-1))
    )
    for found, one, other in zip(answer.heatmaps, upright, mirrored, strict=True):
        mean = (alike(one) + alike(other).flip(-1)) / 2
        assert found == pytest.approx(unit_maps(mean, 56, signed=signed).numpy(), abs=2e-3)
        assert (found.min() < 0.0) == signed
        assert np.abs(found).max() == 1.0
