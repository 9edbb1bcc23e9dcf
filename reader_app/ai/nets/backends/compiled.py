"""Bodies compiled for the CPU by OpenVINO, kept on disk so that a network is converted once a machine."""

from __future__ import annotations

import hashlib
import io
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from reader_app.ai.fast import Backend, cpu_name, write_whole
from reader_app.ai.nets.backends.quiet import load_openvino
from reader_app.ai.nets.grader import Grader
from reader_app.errors import MissingPart

_FORMAT = 1  # raised when what is kept is made in another way
_PRECISION = {Backend.OPENVINO: "f32", Backend.OPENVINO_BF16: "bf16", Backend.OPENVINO_INT8: "f32"}
_SMALLEST_BATCH = 2  # of the example; a batch of one is traced with its axis fixed by some networks


class _Features(nn.Module):
    """What is compiled of a grader."""

    def __init__(self, grader: Grader) -> None:
        super().__init__()
        self.grader = grader

    def forward(self, images: Tensor) -> Tensor:
        return self.grader.features(images)


class CompiledBody:
    """A compiled network, with the room for its answer reused from call to call."""

    def __init__(self, name: str, compiled: Any) -> None:
        self.name = name
        self._request = compiled.create_infer_request()

    def features(self, images: Tensor) -> Tensor:
        """Return N x C x h x w, of N x 1 x size x size images."""
        (found,) = run_compiled(self._request, [images])
        return found


def run_compiled(request: Any, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Run a compiled network; the answers are copies, for the request's own memory is written anew."""
    arrays = {place: tensor.detach().cpu().contiguous().numpy() for place, tensor in enumerate(inputs)}
    answers = request.infer(arrays, share_inputs=True, share_outputs=True)
    return [torch.from_numpy(np.array(answers[place])) for place in range(len(answers))]


@dataclass(frozen=True, eq=False)
class Kept:
    """A compiled network as it lies on disk, and what is to be known of how it was made."""

    content: bytes
    about: str


class Compiler:
    """Makes compiled bodies.

    Parameters
    ----------
    cache
        Folder; None keeps nothing.
    threads
        That each body may use.

    Raises
    ------
    MissingPart
        OpenVINO is not installed.
    """

    def __init__(self, cache: Path | None, *, threads: int) -> None:
        self._openvino = load_openvino()
        self._core = self._openvino.Core()
        self.cache = cache
        self.threads = threads

    @property
    def version(self) -> str:
        """OpenVINO's, in full."""
        return str(self._openvino.__version__)

    def can(self, name: Backend) -> bool:
        """Whether this CPU has what the backend computes with."""
        able = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        return name is not Backend.OPENVINO_BF16 or "BF16" in able

    def body(self, name: Backend, grader: Grader, *, size: int, batch: int, weights: str) -> CompiledBody:
        """Return the compiled body of a grader, from disk where it was compiled before.

        Raises
        ------
        MissingPart
            The CPU cannot compute in this way, or the network has not been quantised.
        """
        if not self.can(name):
            raise MissingPart(
                "This processor does not compute in bfloat16.", "Choose another backend for the networks."
            )
        file = self.file(name, weights, size=size)
        compiled = self.load(file, name)
        if compiled is None:
            if name is Backend.OPENVINO_INT8:
                raise MissingPart(
                    f"The network {grader.architecture} has not been quantised on this computer.",
                    "Quantise it with training joints (reader-app bench int8), or choose another backend.",
                )
            compiled = self.compile(convert_grader(grader, size=size, batch=batch), name)
            self.keep(file, compiled)
        about = self.about(file) if name is Backend.OPENVINO_INT8 else ""
        return CompiledBody(f"{name.value} ({about})" if about else name.value, compiled)

    def file(self, name: Backend, weights: str, *, size: int) -> Path | None:
        """Return where a network is kept: by all that it was made from."""
        if self.cache is None or not weights:
            return None
        # Batches of all sizes share one file: the first axis stays open, which costs nothing measurable.
        parts = (str(_FORMAT), weights, name.value, str(size), self.version, cpu_name())
        return self.cache / f"{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:32]}.network"

    def is_kept(self, name: Backend, weights: str, *, size: int) -> bool:
        """Whether the network lies on disk, without looking into it."""
        file = self.file(name, weights, size=size)
        return file is not None and file.is_file()

    def compile(self, model: Any, name: Backend) -> Any:
        """Compile a converted network."""
        return self._core.compile_model(model, "CPU", self._settings(name))

    def _settings(self, name: Backend) -> dict[str, object]:
        return {
            # Left to itself, OpenVINO computes in bfloat16 wherever the CPU can: other probabilities.
            "INFERENCE_PRECISION_HINT": _PRECISION[name],
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": self.threads,
            # Two workers of one machine would be bound to the same cores.
            "ENABLE_CPU_PINNING": False,
        }

    def keep(self, file: Path | None, compiled: Any, about: str = "") -> None:
        """Write a compiled network to disk; a full or read-only disk costs the next start some seconds."""
        if file is None:
            return
        content = compiled.export_model()
        payload = content if isinstance(content, bytes) else content.getvalue()
        head = json.dumps({"sha256": hashlib.sha256(payload).hexdigest(), "about": about}).encode()
        try:
            write_whole(file, head + b"\n" + payload)
        except OSError:
            return

    def load(self, file: Path | None, name: Backend) -> Any:
        """Return a kept network, or None where there is none that is whole and fits this OpenVINO."""
        kept = _read(file)
        if kept is None:
            return None
        try:
            return self._core.import_model(io.BytesIO(kept.content), "CPU", self._settings(name))
        except RuntimeError:  # it says so of what another build of it wrote
            return None

    def about(self, file: Path | None) -> str:
        """Return what was said of a kept network."""
        kept = _read(file)
        return "" if kept is None else kept.about


def convert_grader(grader: Grader, *, size: int, batch: int) -> Any:
    """Return OpenVINO's model of a grader's body, for batches of any size."""
    example = torch.zeros(max(batch, _SMALLEST_BATCH), 1, size, size)
    # Traced in the plain layout: strides of the other one are not OpenVINO's concern.
    return convert(_Features(grader), [example], shapes=[(-1, 1, size, size)])


def convert(module: nn.Module, example: Sequence[Tensor], *, shapes: Sequence[Sequence[int]]) -> Any:
    """Return OpenVINO's model of a module in evaluation mode.

    Parameters
    ----------
    module
        Takes the tensors of `example`, returns one or a tuple or dict of them.
    shapes
        Of the inputs, -1 for an axis that stays open.
    """
    openvino = load_openvino()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch's of its tracer, on which the converter rests
        return openvino.convert_model(
            module,
            example_input=tuple(example) if len(example) > 1 else example[0],
            input=[openvino.PartialShape(list(shape)) for shape in shapes],
        )


def _read(file: Path | None) -> Kept | None:
    """Read a kept network; None where it is missing or damaged."""
    if file is None:
        return None
    try:
        head, _, payload = file.read_bytes().partition(b"\n")
        table = json.loads(head)
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(table, dict) or table.get("sha256") != hashlib.sha256(payload).hexdigest():
        return None
    return Kept(payload, cast(str, table.get("about", "")) if isinstance(table.get("about"), str) else "")
