"""The network that grades a joint: a convolutional body once, then one linear head per feature and site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from reader_app.ai.nets.architectures import Tail, find_architecture
from reader_app.ai.nets.heads import HeadSpec
from reader_app.errors import BundleError

__all__ = ["Grader", "HeadSpec", "build_grader", "half_state", "load_grader"]


class Grader(nn.Module):
    """A timm body and one linear head for every graded feature.

    `features` is run once per joint; the heads, and Grad-CAM, start from its last convolutional map.

    Parameters
    ----------
    architecture
        A name of `reader_app.ai.nets.architectures`, e.g. ``tf_efficientnet_lite0``.
    heads
        The heads in the order of the bundle, auxiliary ones last.
    dropout
        Dropout before the heads while training; None takes the architecture's own.
    drop_path
        Stochastic depth of the body while training.

    Raises
    ------
    BundleError
        The architecture is not known, or cannot be trained with stochastic depth.
    """

    def __init__(
        self,
        architecture: str,
        heads: Sequence[HeadSpec],
        *,
        dropout: float | None = None,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        facts = find_architecture(architecture)
        if drop_path > 0.0 and not facts.drop_path:
            raise BundleError(
                f"{facts.title} cannot be trained with stochastic depth.", "Set drop_path to 0 in the recipe."
            )
        self.architecture = architecture
        self.facts = facts
        self.head_specs = tuple(heads)
        options: dict[str, Any] = {"drop_path_rate": drop_path} if facts.drop_path else {}
        self.body: Any = timm.create_model(
            architecture, pretrained=False, in_chans=1, num_classes=0, global_pool="", **options
        )
        self.width = width = cast(int, self.body.num_features)
        self.dropout = nn.Dropout(facts.dropout if dropout is None else dropout)
        self.heads = nn.ModuleList(nn.Linear(width, head.outputs) for head in self.head_specs)

    @property
    def explained_layer(self) -> nn.Module:
        """The module of the body whose output `features` returns."""
        return cast(nn.Module, self.body.get_submodule(self.facts.explained))

    def features(self, images: Tensor) -> Tensor:
        """Return the last convolutional map, N x C x h x w, of N x 1 x H x W standardised images."""
        return cast(Tensor, self.body.forward_features(images))

    def tail(self, means: Tensor) -> Tensor:
        """Return what the heads take, ... x C, from the mean of each channel of the map, ... x C.

        It treats every vector by itself, so heads and joints may be stacked in the leading axes.
        """
        if self.facts.tail is Tail.MEAN:
            return means
        norm = self.body.head.norm
        return nn.functional.layer_norm(means, norm.normalized_shape, norm.weight, norm.bias, norm.eps)

    def pooled(self, maps: Tensor) -> Tensor:
        """Return the vector that the heads take, N x C, from the map of `features`."""
        return self.tail(maps.mean(dim=(2, 3)))

    def logits(self, maps: Tensor) -> list[Tensor]:
        """Return the N x outputs of every head, from the map of `features`."""
        pooled = self.dropout(self.pooled(maps))
        return [head(pooled) for head in self.heads]

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the N x outputs of every head."""
        return self.logits(self.features(images))


def build_grader(
    architecture: str, heads: Sequence[HeadSpec], *, drop_path: float = 0.0, dropout: float | None = None
) -> Grader:
    """Build an untrained grader; raises like `Grader`."""
    return Grader(architecture, heads, dropout=dropout, drop_path=drop_path)


def half_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a copy of a state dict for the disk, its floats in half precision.

    A tensor with a value beyond the range of half precision, such as the running variance of a
    normalisation can be, stays as it is.
    """
    return {name: _halved(tensor).contiguous().cpu() for name, tensor in state.items()}


def _halved(tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    half = tensor.half()
    return half if bool(half.isfinite().all()) else tensor


def load_grader(file: Path, architecture: str, heads: Sequence[HeadSpec]) -> Grader:
    """Build a grader with the weights of a safetensors file (fp16 or fp32), ready to infer in fp32.

    Raises
    ------
    BundleError
        The architecture is not known, the file cannot be read, its tensors do not fit the architecture and
        the heads, or they hold values that are no numbers.
    """
    grader = build_grader(architecture, heads)
    try:
        state = load_file(file)
    except (SafetensorError, OSError) as error:
        raise BundleError(
            f"The weights {file.name} cannot be read: {error}.", "Install the bundle again."
        ) from error
    fault = _misfit(state, grader.state_dict())
    if fault:
        raise BundleError(
            f"The weights {file.name} do not fit the architecture {architecture}: {fault}.",
            "Install the bundle again.",
        )
    grader.load_state_dict(
        {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    )
    return grader.eval().to(memory_format=torch.channels_last)


def _misfit(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    """Say what is wrong with the tensors of a file; empty where they fit."""
    for name, expected in wanted.items():
        if name not in state:
            return f"{name} is missing"
        found = state[name]
        if found.shape != expected.shape:
            return f"{name} is {_size(found)} and should be {_size(expected)}"
        if found.is_floating_point() != expected.is_floating_point() or found.is_complex():
            return f"{name} holds {found.dtype} in place of {expected.dtype}"
        if not bool(found.isfinite().all()):
            return f"{name} holds values that are no numbers"
    unknown = sorted(set(state) - set(wanted))
    return f"{unknown[0]} has no place in it" if unknown else ""


def _size(tensor: Tensor) -> str:
    return " × ".join(map(str, tensor.shape)) or "a single number"
