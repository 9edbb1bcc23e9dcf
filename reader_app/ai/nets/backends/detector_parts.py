"""Detectors whose convolutions are compiled, while anchors, boxes and their choice stay torchvision's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from reader_app.ai.fast import Backend
from reader_app.ai.nets.backends.compiled import Compiler, convert, run_compiled
from reader_app.errors import MissingPart

COMPILE_FROM = 8
"""Films that nobody waits for: a run over a study has soon so many."""

Shape = Any
"""A tensor's place in nested lists, tuples and dicts: None for a tensor, else the same nest of places."""


class CompiledDetector:
    """Compiles the parts of a detector in place, once that is worth its seconds.

    Parameters
    ----------
    network
        A torchvision detector in evaluation mode.
    size, channels
        Of the squares that it takes.
    weights
        SHA-256 of its weights.
    folder
        Of compiled networks; None keeps none.
    threads
        That each part may use.

    Attributes
    ----------
    note
        Why it could not be compiled; empty where it could, or was not tried.

    Raises
    ------
    MissingPart
        OpenVINO is not installed.
    """

    def __init__(
        self, network: nn.Module, *, size: int, channels: int, weights: str, folder: Path | None, threads: int
    ) -> None:
        self.note = ""
        self._network, self._size, self._channels = network, size, channels
        self._weights = weights
        self._compiler = Compiler(folder, threads=threads)
        self._films = 0
        self._done = False

    def prepare(self, films: int, *, urgent: bool) -> None:
        """Before so many films: compile, where it was done before on this machine or nobody waits."""
        if self._done:
            return
        self._films += 0 if urgent else films
        if self._films >= COMPILE_FROM or self._is_kept():
            self._done = True
            try:
                self.compile()
            except (MissingPart, RuntimeError, MemoryError) as fault:
                self.note = f"the localizer could not be compiled ({type(fault).__name__}), it runs in torch"

    def _is_kept(self) -> bool:
        return all(
            self._compiler.is_kept(Backend.OPENVINO, self._name(path), size=self._size)
            for path in part_paths(self._network)
        )

    def _name(self, path: str) -> str:
        return f"{self._weights}:{path}" if self._weights else ""

    def compile(self) -> None:
        """Replace each part by its compiled self, all of them or none.

        Raises
        ------
        RuntimeError
            A part cannot be converted.
        """
        made: dict[str, nn.Module] = {}
        examples = _examples(self._network, self._size, self._channels)
        for path in part_paths(self._network):
            made[path] = self._part(path, examples[path])
        for path, part in made.items():
            owner, _, name = path.rpartition(".")
            setattr(self._network.get_submodule(owner), name, part)

    def _part(self, path: str, example: Any) -> nn.Module:
        module = self._network.get_submodule(path)
        with torch.no_grad():
            answer = module(example)
        inputs, shape_in = flat(example)
        shape_out = flat(answer)[1]
        file = self._compiler.file(Backend.OPENVINO, self._name(path), size=self._size)
        compiled = self._compiler.load(file, Backend.OPENVINO)
        if compiled is None:
            model = convert(_Flat(module, shape_in), inputs, shapes=[(-1, *one.shape[1:]) for one in inputs])
            compiled = self._compiler.compile(model, Backend.OPENVINO)
            self._compiler.keep(file, compiled)
        return _CompiledPart(compiled, shape_out)


def part_paths(network: nn.Module) -> tuple[str, ...]:
    """Return the parts of a torchvision detector that are convolutions and products throughout."""
    if hasattr(network, "rpn"):
        return ("backbone", "rpn.head", "roi_heads.box_head", "roi_heads.box_predictor")
    return ("backbone", "head")


def _examples(network: nn.Module, size: int, channels: int) -> dict[str, Any]:
    """Return what each part takes, seen as it takes it, for two squares."""
    seen: dict[str, Any] = {}

    def watch(path: str) -> RemovableHandle:
        def keep(_: nn.Module, inputs: tuple[Any, ...]) -> None:
            seen.setdefault(path, inputs[0])

        return network.get_submodule(path).register_forward_pre_hook(keep)

    hooks = [watch(path) for path in part_paths(network)]
    try:
        with torch.no_grad():
            network(list(torch.zeros(2, channels, size, size)))
    finally:
        for hook in hooks:
            hook.remove()
    return seen


class _Flat(nn.Module):
    """A module that takes and gives tensors side by side, as a compiler wants them."""

    def __init__(self, module: nn.Module, shape: Shape) -> None:
        super().__init__()
        self.module = module
        self.shape = shape

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(flat(self.module(nested(list(tensors), self.shape)))[0])


class _CompiledPart(nn.Module):
    """Stands where the part stood, and gives its answer in the same nest."""

    def __init__(self, compiled: Any, shape: Shape) -> None:
        super().__init__()
        self._request = compiled.create_infer_request()
        self._shape = shape

    def forward(self, inputs: Any) -> Any:
        return nested(run_compiled(self._request, flat(inputs)[0]), self._shape)


def flat(values: Any) -> tuple[list[Tensor], Shape]:
    """Return the tensors of a nest in order, and the nest without them."""
    if isinstance(values, Tensor):
        return [values], None
    if isinstance(values, Mapping):
        parts = {name: flat(value) for name, value in values.items()}
        return [one for part, _ in parts.values() for one in part], {
            name: shape for name, (_, shape) in parts.items()
        }
    found = [flat(value) for value in cast(Sequence[Any], values)]
    shapes = [shape for _, shape in found]
    return [one for part, _ in found for one in part], tuple(shapes) if isinstance(values, tuple) else shapes


def nested(tensors: list[Tensor], shape: Shape) -> Any:
    """Return the tensors in a nest; the inverse of `flat`."""
    waiting = iter(tensors)

    def build(place: Shape) -> Any:
        if place is None:
            return next(waiting)
        if isinstance(place, dict):
            return {name: build(inner) for name, inner in place.items()}
        built = [build(inner) for inner in place]
        return tuple(built) if isinstance(place, tuple) else built

    return build(shape)
