"""The learning rate over a run, and the moving average of the weights."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn


def one_cycle(step: int, total: int, *, peak: float, warmup_fraction: float) -> float:
    """Return the learning rate of a step: a cosine from peak / 25 up to the peak, then down to peak / 10,000.

    The shape of Smith & Topin's one-cycle policy (2019).  A pure function of the step, so that a run can be
    taken up again anywhere.
    """
    warmup = max(1.0, warmup_fraction * total)
    if step < warmup:
        return _cosine(peak / 25.0, peak, step / warmup)
    return _cosine(peak, peak / 1e4, min(1.0, (step - warmup) / max(1.0, total - warmup)))


def _cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) * (1.0 + math.cos(math.pi * part)) / 2.0


class MovingAverage:
    """An exponential moving average of all floating-point tensors of a network, buffers included.

    While few steps were taken the decay is smaller, ``(1 + step) / (10 + step)``, so that the start is
    forgotten.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take one step of the network into the average."""
        decay = min(self.decay, (1.0 + step) / (10.0 + step))
        for name, tensor in network.state_dict().items():
            average = self.state[name]
            if average.is_floating_point():
                average.lerp_(tensor, 1.0 - decay)
            else:
                average.copy_(tensor)

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take the average up again from a checkpoint."""
        for name, tensor in state.items():
            self.state[name].copy_(tensor)
