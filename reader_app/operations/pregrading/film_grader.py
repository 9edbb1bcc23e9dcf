"""From a film's file to its outcome within one process: what a worker of a cluster does."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass

from reader_app.ai.pipeline import JointPreGrade, Pipeline, PreparedJoint
from reader_app.ai.worker_process import Setup, load_pipeline
from reader_app.errors import ImageError, PreGradeError, ReaderError
from reader_app.operations.pregrading.film_task import (
    DirectReader,
    FilmOutcome,
    FilmTask,
    JointOutcome,
    PlacedJoint,
    needs_locating,
    nothing,
    place_joints,
)


@dataclass(frozen=True, eq=False)
class GradedFilm:
    """A film's outcome, from which process, and what went otherwise than asked for there.

    `unavailable` holds what and next step where the networks cannot be loaded; there is no outcome then.
    """

    process: str
    outcome: FilmOutcome | None = None
    notes: tuple[str, ...] = ()
    unavailable: tuple[str, str] | None = None


class FilmGrader:
    """A pipeline and what leads to it; two threads may call at once: one reads while the other computes.

    Parameters
    ----------
    setup
        What to load; it is loaded at the first film.
    bundle_sha256
        The bundle that the driver has; another one here is refused.
    light
        By the quicker localizer; None where there is no graphics card.
    """

    def __init__(self, setup: Setup, bundle_sha256: str, light: bool | None) -> None:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        self._setup, self._sha256, self._light = setup, bundle_sha256, light
        self._lock = threading.Lock()
        self._pipeline: Pipeline | None = None
        self._fault: tuple[str, str] | None = None
        self._process = f"{socket.gethostname()}:{os.getpid()}"

    def grade(self, task: FilmTask) -> GradedFilm:
        """Do all steps on a film."""
        with self._lock:
            pipeline = self._loaded()
        if pipeline is None:
            return GradedFilm(self._process, unavailable=self._fault)
        try:
            outcome = self._outcome(pipeline, task)
        except (ImageError, PreGradeError) as fault:
            outcome = nothing(task, fault)
        return GradedFilm(self._process, outcome, pipeline.notes)

    def _loaded(self) -> Pipeline | None:
        if self._pipeline is not None or self._fault is not None:
            return self._pipeline
        where = f"On {socket.gethostname()}"
        try:
            pipeline = load_pipeline(self._setup)
        except ReaderError as fault:
            self._fault = (f"{where}: {fault.what}", "Put the bundle into a folder that every machine sees.")
        except (ImportError, ValueError, RuntimeError, MemoryError) as fault:
            self._fault = (f"{where} the networks cannot be loaded: {fault}.", "Choose the device “cpu”.")
        else:
            if pipeline.bundle.sha256 == self._sha256:
                self._pipeline = pipeline
            else:
                self._fault = (
                    f"{where} the bundle {pipeline.bundle.id} is another one than here.",
                    "Copy it to every machine of the cluster, or put it into a shared folder.",
                )
        return self._pipeline

    def _outcome(self, pipeline: Pipeline, task: FilmTask) -> FilmOutcome:
        reader = DirectReader(pipeline.bundle)
        prepared, spacing = reader.open(task)
        located = None
        if needs_locating(task, pipeline.bundle):
            light = pipeline.device == "cpu" if self._light is None else self._light
            with self._lock:
                (located,) = pipeline.locate([prepared], light=light)
        placed = place_joints(task, located, spacing)
        cut = reader.cut(placed)
        return FilmOutcome(task, self._together(pipeline, placed, cut))

    def _together(
        self, pipeline: Pipeline, placed: tuple[PlacedJoint, ...], cut: tuple[PreparedJoint | str, ...]
    ) -> tuple[JointOutcome, ...]:
        """Grade the joints of a film in one batch, and one by one if that fails."""
        crops = [each for each in cut if isinstance(each, PreparedJoint)]
        try:
            with self._lock:
                results = iter(pipeline.pregrade_prepared(crops))
        except PreGradeError:
            return tuple(self._graded(pipeline, where, each) for where, each in zip(placed, cut, strict=True))
        return tuple(
            JointOutcome(where, reason=each) if isinstance(each, str) else JointOutcome(where, next(results))
            for where, each in zip(placed, cut, strict=True)
        )

    def _graded(self, pipeline: Pipeline, where: PlacedJoint, joint: PreparedJoint | str) -> JointOutcome:
        if isinstance(joint, str):
            return JointOutcome(where, reason=joint)
        try:
            with self._lock:
                result: JointPreGrade = pipeline.pregrade_prepared([joint])[0]
        except PreGradeError as fault:
            return JointOutcome(where, reason=str(fault))
        return JointOutcome(where, result)
