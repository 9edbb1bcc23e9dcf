"""Bodies that torch computes itself, in one of its two layouts."""

from __future__ import annotations

import torch
from torch import Tensor

from reader_app.ai.fast import Backend
from reader_app.ai.nets.grader import Grader


class EagerBody:
    """The network as it is, one channel's image after the other in memory."""

    name = Backend.EAGER.value

    def __init__(self, grader: Grader) -> None:
        # Weights decide too: a convolution follows either of its operands into the other layout.
        self._grader = grader.to(memory_format=torch.contiguous_format)

    def features(self, images: Tensor) -> Tensor:
        """Return N x C x h x w, of N x 1 x size x size images."""
        with torch.no_grad():
            return self._grader.features(images.contiguous())


class ChannelsLastBody:
    """The network with all channels of a pixel side by side in memory, as CPUs' vector units like it."""

    name = Backend.CHANNELS_LAST.value

    def __init__(self, grader: Grader) -> None:
        self._grader = grader.to(memory_format=torch.channels_last)

    def features(self, images: Tensor) -> Tensor:
        """Return N x C x h x w, of N x 1 x size x size images."""
        with torch.no_grad():
            return self._grader.features(images.contiguous(memory_format=torch.channels_last))
