"""From a joint on a film to its pre-grade: crop, networks, explanation, doubt, and where all of it came from.

This module loads no torch until a `Pipeline` is made; the values that go in and come out are plain.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reader_app.ai.bundle import Bundle
from reader_app.ai.crop import ByteArray, crop_joint
from reader_app.ai.crop_map import CropMap
from reader_app.ai.fast import FAST_FOLDER, usable_threads
from reader_app.ai.film_image import PreparedFilm
from reader_app.ai.located import Located
from reader_app.ai.prediction import Prediction, predict_item
from reader_app.errors import ImageError, PreGradeError
from reader_app.imaging.geometry import Box
from reader_app.protocols.model import Item
from reader_app.settings import data_folder, software_version

if TYPE_CHECKING:
    from reader_app.ai.nets.backends.detector_parts import CompiledDetector
    from reader_app.ai.nets.engine import Engine, RawAnswer
    from reader_app.ai.nets.localizer import FilmLocalizer

BATCH = 8
"""Joints through the networks at once; more gains nothing on a few CPU cores."""


@dataclass(frozen=True, eq=False)
class JointImage:
    """A joint to be pre-graded.

    Parameters
    ----------
    pixels
        The film, 2D, any real dtype, bone bright.
    box
        Where the joint lies, in film pixels.
    side
        "R", "L", or "U" where nobody stated it; the patient's.
    pixel_sha256
        Of the film's stored pixels, for the provenance.
    spacing_mm
        Millimetres on the body from row to row and column to column; None where not known.
    tilt_degrees
        Of the line that the bundle's crop may level, as a localizer found it.
    view
        As the film states it; a bundle may keep all grey values of some views.
    """

    pixels: npt.NDArray[np.generic]
    box: Box
    side: str
    pixel_sha256: str
    spacing_mm: tuple[float, float] | None = None
    tilt_degrees: float = 0.0
    view: str = ""


@dataclass(frozen=True, eq=False)
class PreparedJoint:
    """A joint cut out as the networks see it; small enough to travel between processes."""

    crop: ByteArray
    map: CropMap
    square: Box
    mirrored: bool
    pixel_sha256: str


@dataclass(frozen=True, eq=False)
class JointPreGrade:
    """All that a bundle says of one joint.

    Attributes
    ----------
    predictions
        By item, for what the bundle covers.
    crop_to_film
        2 x 3: film (x, y) = crop_to_film @ (column, row, 1) for cells of a heatmap, centres on whole numbers.
    box
        The square that the networks saw, in film pixels.
    out_of_distribution
        Distance from the training images, about 1 for joints like them; `unlike_training` is whether it is
        past the bundle's threshold.
    protocols
        SHA-256 by id of the protocols that the bundle was made for.
    details
        Further facts for the provenance, as text.
    """

    predictions: Mapping[Item, Prediction]
    crop_to_film: npt.NDArray[np.float64]
    box: Box
    mirrored: bool
    out_of_distribution: float
    unlike_training: bool
    pixel_sha256: str
    bundle_id: str
    bundle_version: str
    bundle_sha256: str
    protocols: Mapping[str, str]
    software: str
    details: Mapping[str, str]


def prepare(image: JointImage, bundle: Bundle) -> PreparedJoint:
    """Cut the joint out as the bundle's networks want it; needs no torch.

    Raises
    ------
    PreGradeError
        There is nothing to grade: no image, no box on it, or one flat grey.
    """
    try:
        crop = crop_joint(
            image.pixels,
            bundle.spec.preprocessing_of(image.view),
            side=image.side,
            box=image.box,
            spacing_mm=image.spacing_mm,
            tilt_degrees=image.tilt_degrees,
        )
    except ImageError as error:
        raise PreGradeError(error.what, error.next_step) from error
    return PreparedJoint(crop.pixels, crop.map, crop.square, crop.mirrored, image.pixel_sha256)


class Pipeline:
    """A bundle's networks, loaded and warm, in this process.

    Programs with a window use `reader_app.ai.worker.Worker`, which runs a pipeline in a process of its own.

    Parameters
    ----------
    bundle
        Verified.
    device
        "auto", "cpu", "cuda", "mps".
    threads
        On the CPU; None takes what the process may use.
    deterministic
        The same joint gives the same bits on the same machine, whatever comes with it: eager and one by one.
    backend
        What computes the networks, by a name of `reader_app.ai.fast.Backend`.

    Raises
    ------
    MissingPart
        There is no such backend, or it lacks something that it cannot do without.
    BundleError
        A network cannot be loaded.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        device: str = "auto",
        threads: int | None = None,
        deterministic: bool = False,
        backend: str = "auto",
    ) -> None:
        self.bundle = bundle
        self._threads, self._deterministic, self._backend = threads, deterministic, backend
        self._engine: Engine = self._new_engine(device)
        self._localizers: dict[bool, FilmLocalizer] = {}
        self._detectors: dict[bool, CompiledDetector] = {}
        self._batch = self._largest_batch
        self._notes: list[str] = []

    def _new_engine(self, device: str) -> Engine:
        from reader_app.ai.nets.engine import Engine

        return Engine(
            self.bundle,
            device=device,
            threads=self._threads,
            deterministic=self._deterministic,
            backend=self._backend,
        )

    @property
    def _largest_batch(self) -> int:
        # What comes with a joint changes its last bits: other sizes take other ways through a product.
        return 1 if self._deterministic else BATCH

    @property
    def device(self) -> str:
        """Where the networks run now: "cpu", "cuda", "mps"."""
        return self._engine.device

    @property
    def notes(self) -> tuple[str, ...]:
        """What went otherwise than asked for, such as a smaller batch after an out-of-memory."""
        of_detectors = (detector.note for detector in self._detectors.values() if detector.note)
        return (*self._engine.notes, *of_detectors, *self._notes)

    def locate(
        self, films: Sequence[PreparedFilm], *, light: bool = False, urgent: bool = False
    ) -> list[Located]:
        """Find the joints on films.

        Parameters
        ----------
        light
            By the quicker localizer, where the bundle has one.
        urgent
            Somebody waits, so that nothing is compiled first.

        Raises
        ------
        ImageError
            A film is too small to look for joints.
        """
        from reader_app.ai.nets.localizer import FilmLocalizer

        if light not in self._localizers:
            self._localizers[light] = FilmLocalizer(self.bundle, device=self._engine.device, light=light)
        localizer = self._localizers[light]
        if light not in self._detectors:
            compiled = self._engine.detector_of(localizer)
            if compiled is not None:
                self._detectors[light] = compiled
        if light in self._detectors:
            self._detectors[light].prepare(len(films), urgent=urgent)
        return localizer.locate(films)

    def pregrade(self, image: JointImage) -> JointPreGrade:
        """Pre-grade one joint.

        Raises
        ------
        PreGradeError
            There is nothing to grade, or the memory does not suffice for one joint.
        """
        return self.pregrade_many([image])[0]

    def pregrade_many(self, images: Sequence[JointImage]) -> list[JointPreGrade]:
        """Pre-grade joints in batches; raises like `pregrade`."""
        return self.pregrade_prepared([prepare(image, self.bundle) for image in images])

    def pregrade_prepared(
        self, joints: Sequence[PreparedJoint], *, urgent: bool = False
    ) -> list[JointPreGrade]:
        """Pre-grade joints that are cut out already; raises like `pregrade`.

        Parameters
        ----------
        urgent
            Somebody waits for them, so that nothing is measured or compiled first.
        """
        done: list[JointPreGrade] = []
        while len(done) < len(joints):
            batch = joints[len(done) : len(done) + self._batch]
            started = time.perf_counter()
            try:
                answer = self._engine.run([joint.crop for joint in batch], urgent=urgent)
            except MemoryError as error:
                self._make_room(len(batch), error)
                continue
            seconds = (time.perf_counter() - started) / len(batch)
            done.extend(self._results(batch, answer, seconds))
        return done

    def _make_room(self, batch: int, error: MemoryError) -> None:
        """After an out-of-memory: halve the batch; with a batch of one, go to the CPU; there, give up."""
        if batch > 1:
            self._batch = batch // 2
            self._notes.append(f"out of memory, batch reduced to {self._batch}")
        elif self._engine.device != "cpu":
            self._notes.append(f"out of memory on {self._engine.device}, went to the CPU")
            self._engine = self._new_engine("cpu")
            self._localizers.clear()  # they go along
            self._detectors.clear()
            self._batch = self._largest_batch
        else:
            raise PreGradeError(
                "The memory does not suffice to pre-grade a single joint.",
                "Close other programs and try again.",
            ) from error

    def _results(
        self, joints: Sequence[PreparedJoint], answer: RawAnswer, seconds: float
    ) -> list[JointPreGrade]:
        spec = self.bundle.spec
        details = {
            **self._engine.facts,
            "batch": str(len(joints)),
            "seconds": f"{seconds:.4f}",
            "preprocessing": f"{spec.preprocessing.recipe} {spec.preprocessing.size} px",
            "heatmap": f"{spec.explainer.method} of the {spec.explainer.target}",
            "mirror_test": str(spec.mirror_test).lower(),
        }
        if self.notes:
            details["fallback"] = "; ".join(self.notes)
        return [self._result(joint, answer, index, details) for index, joint in enumerate(joints)]

    def _result(
        self, joint: PreparedJoint, answer: RawAnswer, index: int, details: Mapping[str, str]
    ) -> JointPreGrade:
        bundle = self.bundle
        predictions = {
            head.item: predict_item(head, probabilities[index], heatmaps[index], members=of_members[:, index])
            for head, probabilities, heatmaps, of_members in zip(
                bundle.spec.heads,
                answer.probabilities,
                answer.heatmaps,
                answer.member_probabilities,
                strict=True,
            )
        }
        distance = float(answer.distances[index])
        return JointPreGrade(
            predictions=predictions,
            crop_to_film=joint.map.grid_matrix(bundle.spec.preprocessing.size, answer.heatmaps[0].shape[-1]),
            box=joint.square,
            mirrored=joint.mirrored,
            out_of_distribution=distance,
            unlike_training=distance > bundle.spec.distance.threshold,
            pixel_sha256=joint.pixel_sha256,
            bundle_id=bundle.id,
            bundle_version=bundle.version,
            bundle_sha256=bundle.sha256,
            protocols={protocol.id: protocol.sha256 for protocol in bundle.spec.protocols},
            software=software_version(),
            details=details,
        )


def quantise(
    bundle: Bundle,
    crops: Sequence[ByteArray],
    *,
    progress: Callable[[float, str], None] = lambda _share, _sentence: None,
) -> None:
    """Keep a bundle's networks in eight bits on this computer, for the backend ``openvino-int8``.

    Parameters
    ----------
    crops
        Of training joints, as `prepare` cuts them; never of any that the result is tested on.

    Raises
    ------
    MissingPart
        The optional part ``fast`` is not installed, or there is no folder to keep them in.
    PreGradeError
        There are too few crops, or a network cannot be quantised.
    """
    from reader_app.ai.nets.backends.eight_bits import quantise_bundle

    quantise_bundle(
        bundle, crops, folder=data_folder() / FAST_FOLDER, threads=usable_threads(), progress=progress
    )
