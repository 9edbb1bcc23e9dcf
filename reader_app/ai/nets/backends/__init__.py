"""How the body of a network is computed; heads and heatmaps are torch's, whatever the backend."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from torch import Tensor

from reader_app.ai.fast import Backend, usable_threads
from reader_app.ai.nets.backends.in_torch import ChannelsLastBody, EagerBody
from reader_app.ai.nets.grader import Grader

__all__ = ["Body", "build_body"]


class Body(Protocol):
    """A network up to its last convolutional map.

    Attributes
    ----------
    name
        The backend, as the provenance tells it.
    """

    name: str

    def features(self, images: Tensor) -> Tensor:
        """Return what `Grader.features` does: N x C x h x w, of N x 1 x size x size images."""


def build_body(
    name: Backend,
    grader: Grader,
    *,
    size: int,
    batch: int,
    cache: Path | None,
    weights: str = "",
    threads: int | None = None,
) -> Body:
    """Make the body of a grader compute in this way; the grader's own body may change its layout for it.

    Parameters
    ----------
    name
        Not ``auto``.
    grader
        In evaluation mode.
    size
        Edge of the images.
    batch
        How many images usually come at once; others work too.
    cache
        Folder of compiled networks; None keeps none.
    weights
        SHA-256 of the grader's weights, by which a compiled network is found again; empty keeps none.
    threads
        That a compiled network may use; None takes what the process may.

    Raises
    ------
    MissingPart
        What the backend needs is not installed, or, for eight bits, no network has been quantised yet.
    """
    if name is Backend.EAGER:
        return EagerBody(grader)
    if name is Backend.CHANNELS_LAST:
        return ChannelsLastBody(grader)
    from reader_app.ai.nets.backends.compiled import Compiler

    compiler = Compiler(cache, threads=usable_threads() if threads is None else threads)
    return compiler.body(name, grader, size=size, batch=batch, weights=weights)
