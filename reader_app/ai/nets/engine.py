"""The networks of a bundle, loaded and warm: crops in, raw answers out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reader_app.ai.bundle import Bundle, BundleHead, Decision, ExplainMethod, ExplainTarget
from reader_app.ai.crop import ByteArray, network_input
from reader_app.ai.fast import Backend, fast_folder, find_backend, usable_threads
from reader_app.ai.nets.backends.ensemble import EnsembleBodies
from reader_app.ai.nets.distance import load_gaussian
from reader_app.ai.nets.explain import alike, grad_cam, unit_maps
from reader_app.ai.nets.grader import load_grader
from reader_app.ai.nets.heads import head_specs, probabilities
from reader_app.ai.nets.occlusion import occlusion_maps, usual_window
from reader_app.errors import MissingPart

if TYPE_CHECKING:
    from reader_app.ai.nets.backends.detector_parts import CompiledDetector
    from reader_app.ai.nets.localizer import FilmLocalizer

FloatArray = npt.NDArray[np.float32]
HEATMAP_CELLS = 56
"""Edge of a heatmap: enough for a smooth picture of a map that has 7 to 16 cells itself."""

_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"  # CUDA's products repeat their bits only with this set


@dataclass(frozen=True, eq=False)
class RawAnswer:
    """What the networks say of a batch of N crops, per head in the order of the bundle.

    Attributes
    ----------
    probabilities
        N x classes each, calibrated, mean over members and mirror images.
    heatmaps
        N x `HEATMAP_CELLS` x `HEATMAP_CELLS` each, 0..1, or -1..1 where the bundle's are signed, on the
        crop's grid; none where they were not asked for.
    distances
        N, from the training images.
    member_probabilities
        M x N x classes each: every member's, then, where the bundle looks at mirror images too, every
        member's of those.
    """

    probabilities: tuple[FloatArray, ...]
    heatmaps: tuple[FloatArray, ...]
    distances: FloatArray
    member_probabilities: tuple[FloatArray, ...]


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
        On the CPU; None takes all cores that this process may use, or one where bits must repeat.
    deterministic
        The same joint gives the same bits on the same machine: torch's own algorithms that promise it, a
        number of threads that does not follow the machine's load or limits, nothing compiled or measured.
    backend
        By name, see `reader_app.ai.fast.Backend`.
    folder
        Of compiled networks and remembered choices; None takes the user's.

    Raises
    ------
    MissingPart
        There is no such backend, or it lacks something that it cannot do without.
    BundleError
        A member cannot be loaded.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        device: str = "auto",
        threads: int | None = None,
        deterministic: bool = False,
        backend: str = Backend.AUTO,
        folder: Path | None = None,
    ) -> None:
        wanted = find_backend(backend)
        self.device = choose_device(device)
        self.bundle = bundle
        self.deterministic = deterministic
        self.threads = threads or (1 if deterministic else usable_threads())
        torch.set_num_threads(self.threads)
        if deterministic:
            os.environ.setdefault(_CUBLAS, ":4096:8")
        specs = head_specs(bundle.spec)
        self.graders = [
            load_grader(bundle.folder / member.file, member.architecture, specs).to(self.device)
            for member in bundle.spec.members
        ]
        self.gaussian = load_gaussian(bundle.folder / bundle.spec.distance.file)
        self.folder = folder or fast_folder()
        self._ensemble = EnsembleBodies(
            bundle,
            self.graders,
            device=self.device,
            backend=wanted,
            threads=self.threads,
            repeatable=deterministic,
            folder=self.folder,
        )

    @property
    def facts(self) -> dict[str, str]:
        """What of the machinery belongs into the provenance."""
        facts = {
            "device": self.device
            if not self.device.startswith("cuda")
            else torch.cuda.get_device_name(self.device),
            "threads": str(torch.get_num_threads()),
            "torch": torch.__version__,
            "backend": self._ensemble.described,
        }
        return {**facts, "deterministic": "true"} if self.deterministic else facts

    @property
    def notes(self) -> tuple[str, ...]:
        """What went otherwise than asked for."""
        return tuple(self._ensemble.notes)

    def detector_of(self, localizer: FilmLocalizer) -> CompiledDetector | None:
        """Return what compiles a localizer's network, where compiled networks are the fastest here."""
        if localizer.detector is None or not self._ensemble.wanted.is_compiled:
            return None
        from reader_app.ai.nets.backends.detector_parts import CompiledDetector

        try:
            return CompiledDetector(
                localizer.detector.network,
                size=localizer.spec.size,
                channels=localizer.detector.channels,
                weights=localizer.spec.sha256,
                folder=self.folder,
                threads=self.threads,
            )
        except MissingPart:
            return None  # it is said of the graders already, and torch finds the same joints

    def run(self, crops: list[ByteArray], *, explain: bool = True, urgent: bool = True) -> RawAnswer:
        """Grade and explain a batch.

        Parameters
        ----------
        crops
            uint8, size x size each.
        explain
            Whether heatmaps are made.
        urgent
            Somebody waits for this answer: not the moment to measure or to compile.

        Raises
        ------
        MemoryError
            The batch does not fit into the device's memory.
        """
        try:
            with _repeatable(self.deterministic):
                return self._run(crops, explain=explain, urgent=urgent)
        except torch.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise MemoryError(str(error)) from error
        except RuntimeError as error:
            # torch's CPU allocator and MPS report a failed allocation as a plain RuntimeError.
            if "alloc" in str(error).lower() or "out of memory" in str(error).lower():
                raise MemoryError(str(error)) from error
            raise

    def _run(self, crops: list[ByteArray], *, explain: bool, urgent: bool) -> RawAnswer:
        heads = self.bundle.spec.heads
        images = torch.from_numpy(network_input(crops)).to(self.device)
        # Mirror images go through the networks in the same batch: N joints, then their N mirror images.
        views = torch.cat([images, images.flip(-1)]) if self.bundle.spec.mirror_test else images
        if not urgent:
            self._ensemble.prepare(views)
        maps = [body.features(views) for body in self._ensemble.bodies]
        answers = self._answers(maps, joints=len(images))
        means = [answer.mean(dim=0) for answer in answers]
        return RawAnswer(
            tuple(mean.cpu().numpy() for mean in means),
            self._heatmaps(maps, views, means) if explain else (),
            self.gaussian.distance(self.graders[0].pooled(maps[0][: len(images)]).detach().cpu().numpy()),
            tuple(answers[number].cpu().numpy() for number in range(len(heads))),
        )

    @torch.no_grad()
    def _answers(self, maps: Sequence[Tensor], *, joints: int) -> list[Tensor]:
        """Return per graded head M x N x classes; what auxiliary heads say makes no pre-grade."""
        heads = self.bundle.spec.heads
        found: list[list[Tensor]] = [[] for _ in heads]
        for grader, own in zip(self.graders, maps, strict=True):
            for place, (head, logits) in enumerate(zip(heads, grader.logits(own), strict=False)):
                chances = probabilities(logits, head.kind, head.temperature)
                found[place].append(chances.reshape(-1, joints, chances.shape[-1]))
        # Members by views by joints, the members' own images first.
        return [torch.stack(views).transpose(0, 1).flatten(0, 1) for views in found]

    def _heatmaps(
        self, maps: Sequence[Tensor], views: Tensor, means: Sequence[Tensor]
    ) -> tuple[FloatArray, ...]:
        """Return per head the mean map over members and mirror images, each scaled to a common height."""
        spec = self.bundle.spec
        signed, joints = spec.explainer.signed, len(means[0])
        expected = spec.explainer.target is ExplainTarget.EXPECTED
        classes = [
            None if expected else _given(mean, head).repeat(len(views) // joints)
            for mean, head in zip(means, spec.heads, strict=True)
        ]
        sums: list[Tensor] = [torch.zeros(()) for _ in classes]
        for number, own in enumerate(maps):
            for place, found in enumerate(self._explained(number, own, views, classes)):
                heights = alike(found)
                upright = heights[:joints]
                if len(heights) > joints:
                    upright = upright + heights[joints:].flip(-1)
                sums[place] = upright if sums[place].ndim == 0 else sums[place] + upright
        return tuple(unit_maps(total, HEATMAP_CELLS, signed=signed).cpu().numpy() for total in sums)

    def _explained(
        self, number: int, maps: Tensor, views: Tensor, classes: Sequence[Tensor | None]
    ) -> list[Tensor]:
        """Return one member's map of every head, of all views."""
        explainer, grader = self.bundle.spec.explainer, self.graders[number]
        if explainer.method is ExplainMethod.GRAD_CAM:
            return grad_cam(grader, maps, classes, signed=explainer.signed)
        window, stride = usual_window(views.shape[-1])
        return occlusion_maps(
            grader,
            views,
            classes,
            window=window,
            stride=stride,
            features=self._ensemble.bodies[number].features,
            signed=explainer.signed,
        )


def _given(probability: Tensor, head: BundleHead) -> Tensor:
    """Return the class index of the grade given to each joint, N, by the head's decision rule."""
    if head.decision is Decision.LIKELIEST:
        return probability.argmax(dim=1)
    places = torch.arange(probability.shape[1], dtype=probability.dtype, device=probability.device)
    return (probability @ places + 0.5).floor().long().clamp(0, probability.shape[1] - 1)


@contextmanager
def _repeatable(wanted: bool) -> Iterator[None]:
    """Hold torch to algorithms whose bits repeat; what was set before is set again afterwards."""
    if not wanted:
        yield
        return
    before = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    tried_out = torch.backends.cudnn.benchmark
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn_only)
        torch.backends.cudnn.benchmark = tried_out
