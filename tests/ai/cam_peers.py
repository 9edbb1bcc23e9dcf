"""Other makings of class activation maps over our own networks, for the tests and the benchmark of parity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from captum.attr import LayerGradCam  # type: ignore[import-untyped]
from pytorch_grad_cam import GradCAM  # type: ignore[import-untyped]
from pytorch_grad_cam.utils.image import scale_cam_image  # type: ignore[import-untyped]
from torch import Tensor, nn

from reader_app.ai.bundle_spec import HeadKind
from reader_app.ai.nets.grader import Grader, HeadSpec, build_grader

FloatArray = npt.NDArray[np.float32]
Target = Callable[[Tensor], Tensor]
"""From a head's outputs (... x outputs) to the number explained (...)."""


@dataclass(frozen=True)
class System:
    """A published system's network: which, its heads, and the edge of its images."""

    architecture: str
    heads: tuple[HeadSpec, ...]
    size: int


def _heads(**classes: int) -> tuple[HeadSpec, ...]:
    return tuple(HeadSpec(name, count) for name, count in classes.items())


_HIP = _heads(FO=4, AO=4, JSN=4, SCL=2, CYST=2, KL=5)
_KNEE = _heads(KL=5, FO_L=4, TO_L=4, JSN_L=4, FO_M=4, TO_M=4, JSN_M=4)
_MORPHOLOGY = _heads(spine_sign=2, cam=2, dysplasia=2, other=2, auxiliary_sex=2)

SYSTEMS = (
    System("densenet161", _HIP, 224),
    System("legacy_seresnet50", _KNEE, 310),
    System("legacy_seresnext50_32x4d", _KNEE, 310),
    System("seresnet50", _KNEE, 310),
    System("seresnext50_32x4d", _KNEE, 310),
    System("convnext_tiny", _MORPHOLOGY, 224),
    System("resnet18", (HeadSpec("rHOA", 2), HeadSpec("KL", 5, HeadKind.CORN)), 224),
    System("tf_efficientnet_lite0", _heads(KL=5), 192),
)


def lively_grader(system: System, *, seed: int, size: int = 64) -> Grader:
    """Return a grader of random weights whose layers are neither dead nor saturated.

    Scales and shifts of normalisations are drawn too, and batch statistics are those of noise: an untrained
    network has ones and zeros there, which would hide it if one were left out.
    """
    torch.manual_seed(seed)
    grader = build_grader(system.architecture, system.heads, dropout=0.0)
    with torch.no_grad():
        for name, parameter in grader.named_parameters():
            if parameter.ndim == 1 and name.endswith("weight"):
                parameter.uniform_(0.5, 1.5)
            elif parameter.ndim == 1 and name.endswith("bias"):
                parameter.normal_(0.0, 0.3)
        for head in grader.heads:  # answers between doubt and certainty
            weight_of(head).normal_(0.0, grader.width**-0.5)
        grader.train()(torch.randn(4, 1, size, size))
    return grader.eval()


def weight_of(head: nn.Module) -> Tensor:
    """Return a linear head's weights, outputs x C."""
    assert isinstance(head, nn.Linear)
    return head.weight.detach()


def bias_of(head: nn.Module) -> Tensor:
    """Return a linear head's biases, one an output."""
    assert isinstance(head, nn.Linear)
    return head.bias.detach()


class OneHead(nn.Module):
    """The network as other programs want it: images in, the outputs of one head out."""

    def __init__(self, grader: Grader, head: int) -> None:
        super().__init__()
        self.grader, self.head = grader, head

    def forward(self, images: Tensor) -> Tensor:
        return self.grader(images)[self.head]  # type: ignore[no-any-return]


def class_score(chosen: int) -> Target:
    """Return the target "the output of this class"."""
    return lambda outputs: outputs[..., chosen]


def expected_softmax(outputs: Tensor) -> Tensor:
    """The expected grade by its definition."""
    chances = outputs.exp() / outputs.exp().sum(dim=-1, keepdim=True)
    return sum((grade * chances[..., grade] for grade in range(outputs.shape[-1])), start=torch.zeros(()))


def expected_corn(outputs: Tensor) -> Tensor:
    """The expected grade of an ordinal head: the sum of the chances to exceed each grade."""
    return outputs.sigmoid().cumprod(dim=-1).sum(dim=-1)


def grad_cam_library(
    grader: Grader, images: Tensor, *, head: int, targets: Sequence[Target]
) -> tuple[FloatArray, FloatArray]:
    """Return pytorch-grad-cam's maps: before its scaling, N x h x w, and as handed out, N x H x W."""
    with GradCAM(OneHead(grader, head), [grader.explained_layer]) as cam:
        handed_out = cam(images, list(targets))
        hooks = cam.activations_and_grads
        raw = cam.get_cam_image(
            images,
            grader.explained_layer,
            list(targets),
            hooks.activations[0].numpy(),
            hooks.gradients[0].numpy(),
        )
        return np.maximum(raw, 0.0), handed_out


def as_the_library_scales(maps: Tensor, size: int) -> FloatArray:
    """Bring our maps to the image's size and 0..1 by pytorch-grad-cam's own function, as it does: twice."""
    return np.asarray(scale_cam_image(scale_cam_image(maps.numpy(), (size, size))), dtype=np.float32)


def captum_maps(
    grader: Grader, images: Tensor, *, head: int, targets: Sequence[Target], signed: bool
) -> Tensor:
    """Return captum's maps, N x h x w."""

    def explained(batch: Tensor) -> Tensor:
        outputs = grader(batch)[head]
        return torch.stack([target(one) for target, one in zip(targets, outputs, strict=True)])

    layer = LayerGradCam(explained, grader.explained_layer)
    found: Tensor = layer.attribute(images, relu_attributions=not signed)
    return found[:, 0].detach()
