"""The networks of a bundle, loaded and warm: crops in, raw answers out."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reader_app.ai.bundle import Bundle, ExplainTarget
from reader_app.ai.crop import ByteArray, network_input
from reader_app.ai.nets.distance import load_gaussian
from reader_app.ai.nets.explain import grad_cam, unit_maps
from reader_app.ai.nets.grader import Grader, HeadSpec, load_grader

FloatArray = npt.NDArray[np.float32]
HEATMAP_CELLS = 56
"""Edge of a heatmap: enough for a smooth picture of a map that has 7 to 16 cells itself."""


@dataclass(frozen=True, eq=False)
class RawAnswer:
    """What the networks say of a batch of N crops, per head in the order of the bundle.

    Attributes
    ----------
    probabilities
        N x classes each, calibrated, mean over members and mirror images.
    heatmaps
        N x `HEATMAP_CELLS` x `HEATMAP_CELLS` each, 0..1, on the crop's grid.
    distances
        N, from the training images.
    """

    probabilities: tuple[FloatArray, ...]
    heatmaps: tuple[FloatArray, ...]
    distances: FloatArray


def choose_device(wanted: str) -> str:
    """Return the device to run on; "auto" takes CUDA, then MPS, then the CPU.

    Raises
    ------
    ValueError
        torch knows no such device.
    """
    if wanted != "auto":
        try:
            torch.device(wanted)
        except RuntimeError as error:
            raise ValueError(f"unknown device {wanted}") from error
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


class Engine:
    """All members of a bundle on one device.

    Parameters
    ----------
    bundle
        Verified.
    device
        "auto", "cpu", "cuda", "cuda:1", "mps".
    threads
        Of torch on the CPU; None takes all cores that this process may use.
    """

    def __init__(self, bundle: Bundle, *, device: str = "auto", threads: int | None = None) -> None:
        self.device = choose_device(device)
        if threads is None:
            affinity = getattr(os, "sched_getaffinity", None)
            threads = len(affinity(0)) if affinity else os.cpu_count() or 1
        torch.set_num_threads(threads)
        self.bundle = bundle
        heads = [HeadSpec(head.item.key, len(head.codes)) for head in bundle.spec.heads]
        self.graders = [
            load_grader(bundle.folder / member.file, member.architecture, heads).to(self.device)
            for member in bundle.spec.members
        ]
        self.gaussian = load_gaussian(bundle.folder / bundle.spec.distance.file)

    @property
    def facts(self) -> dict[str, str]:
        """What of the machinery belongs into the provenance."""
        return {
            "device": self.device if self.device != "cuda" else torch.cuda.get_device_name(),
            "threads": str(torch.get_num_threads()),
            "torch": torch.__version__,
        }

    def run(self, crops: list[ByteArray]) -> RawAnswer:
        """Grade and explain a batch.

        Raises
        ------
        MemoryError
            The batch does not fit into the device's memory.
        """
        try:
            return self._run(crops)
        except torch.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise MemoryError(str(error)) from error
        except RuntimeError as error:
            # torch's CPU allocator and MPS report a failed allocation as a plain RuntimeError.
            if "alloc" in str(error).lower() or "out of memory" in str(error).lower():
                raise MemoryError(str(error)) from error
            raise

    def _run(self, crops: list[ByteArray]) -> RawAnswer:
        images = torch.from_numpy(network_input(crops)).to(self.device)
        views = [images, images.flip(-1)] if self.bundle.spec.mirror_test else [images]
        probabilities: list[list[Tensor]] = []
        heatmaps: list[list[Tensor]] = []
        distances: FloatArray | None = None
        for grader in self.graders:
            for view_number, view in enumerate(views):
                with torch.no_grad():
                    maps = grader.features(view.contiguous(memory_format=torch.channels_last))
                    logits = grader.logits(maps)
                if distances is None:
                    distances = self.gaussian.distance(grader.pooled(maps).cpu().numpy())
                probabilities.append(self._probabilities(logits))
                cams = self._explain(grader, maps, logits)
                heatmaps.append([cam.flip(-1) for cam in cams] if view_number else cams)
        assert distances is not None  # a bundle has a member
        return RawAnswer(
            tuple(
                torch.stack(views_of_head).mean(dim=0).cpu().numpy()
                for views_of_head in zip(*probabilities, strict=True)
            ),
            tuple(
                unit_maps(torch.stack(views_of_head).mean(dim=0), HEATMAP_CELLS).cpu().numpy()
                for views_of_head in zip(*heatmaps, strict=True)
            ),
            distances,
        )

    def _probabilities(self, logits: list[Tensor]) -> list[Tensor]:
        return [
            torch.softmax(output / head.temperature, dim=1)
            for output, head in zip(logits, self.bundle.spec.heads, strict=True)
        ]

    def _explain(self, grader: Grader, maps: Tensor, logits: list[Tensor]) -> list[Tensor]:
        """Return maps of a common height, so that members and mirror images weigh alike in the mean."""
        expected = self.bundle.spec.explainer.target is ExplainTarget.EXPECTED
        classes = [None if expected else output.argmax(dim=1) for output in logits]
        return [
            cam / cam.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)
            for cam in grad_cam(grader, maps, classes)
        ]
