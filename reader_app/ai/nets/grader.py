"""The network that grades a joint: a convolutional body once, then one linear head per feature and site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from reader_app.errors import BundleError


@dataclass(frozen=True)
class HeadSpec:
    """One head: its name (feature, or feature and site) and how many grades it tells apart."""

    name: str
    classes: int


class Grader(nn.Module):
    """A timm body and one linear head for every graded feature.

    `features` is run once per joint; the heads, and Grad-CAM, start from its last convolutional map.

    Parameters
    ----------
    architecture
        A model name of timm, e.g. ``tf_efficientnet_lite0``.
    heads
        The heads in the order of the bundle.
    dropout
        Dropout before the heads while training.
    drop_path
        Stochastic depth of the body while training.
    """

    def __init__(
        self,
        architecture: str,
        heads: Sequence[HeadSpec],
        *,
        dropout: float = 0.0,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.head_specs = tuple(heads)
        self.body: Any = timm.create_model(
            architecture,
            pretrained=False,
            in_chans=1,
            num_classes=0,
            global_pool="",
            drop_path_rate=drop_path,
        )
        self.width = width = cast(int, self.body.num_features)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleList(nn.Linear(width, head.classes) for head in self.head_specs)

    def features(self, images: Tensor) -> Tensor:
        """Return the last convolutional map, N x C x h x w, of N x 1 x H x W standardised images."""
        return cast(Tensor, self.body.forward_features(images))

    def pooled(self, maps: Tensor) -> Tensor:
        """Return the mean of each channel of the map, N x C."""
        return maps.mean(dim=(2, 3))

    def logits(self, maps: Tensor) -> list[Tensor]:
        """Return one N x classes tensor per head, from the map of `features`."""
        pooled = self.dropout(self.pooled(maps))
        return [head(pooled) for head in self.heads]

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return one N x classes tensor of logits per head."""
        return self.logits(self.features(images))


def build_grader(
    architecture: str, heads: Sequence[HeadSpec], *, drop_path: float = 0.0, dropout: float = 0.0
) -> Grader:
    """Build an untrained grader.

    Raises
    ------
    BundleError
        The architecture is not one that this program knows.
    """
    if not timm.is_model(architecture):
        raise BundleError(
            f"The network architecture “{architecture}” is not known to this version.",
            "Update the program or install another bundle.",
        )
    return Grader(architecture, heads, dropout=dropout, drop_path=drop_path)


def half_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a copy of a state dict with its floating-point tensors in half precision, for the disk."""
    return {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous().cpu()
        for name, tensor in state.items()
    }


def load_grader(file: Path, architecture: str, heads: Sequence[HeadSpec]) -> Grader:
    """Build a grader with the weights of a safetensors file (fp16 or fp32), ready to infer in fp32.

    Raises
    ------
    BundleError
        The file cannot be read or its tensors do not fit the architecture.
    """
    grader = build_grader(architecture, heads)
    try:
        state = load_file(file)
    except (SafetensorError, OSError) as error:
        raise BundleError(
            f"The weights {file.name} cannot be read: {error}.", "Install the bundle again."
        ) from error
    state = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    try:
        grader.load_state_dict(state)
    except RuntimeError as error:
        raise BundleError(
            f"The weights {file.name} do not fit the architecture {architecture}.",
            "Install the bundle again.",
        ) from error
    return grader.eval().to(memory_format=torch.channels_last)
