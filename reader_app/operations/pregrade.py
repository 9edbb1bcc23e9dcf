"""Let the networks grade every joint of a study that they have not graded yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from reader_app.ai.bundle import Bundle
from reader_app.ai.localizer import locate_joints
from reader_app.ai.pipeline import JointImage, JointPreGrade
from reader_app.ai.worker import Worker
from reader_app.errors import ImageError, PreGradeError, StudyError
from reader_app.imaging.display import gray_bone_bright
from reader_app.imaging.geometry import Box
from reader_app.operations.bundles import bundle_of
from reader_app.operations.film import load_film
from reader_app.operations.heatmaps import heatmap_file, write_heatmaps
from reader_app.operations.progress import Progress, Report, never, silent
from reader_app.operations.study import Study
from reader_app.protocols.model import Item
from reader_app.reading.case import GradeKey
from reader_app.reading.pregrade import Heatmap, PreGrade, Provenance
from reader_app.store import pregrades as stored
from reader_app.store.records import Actor, PendingJoint

IN_FLIGHT = 8
"""Joints sent to the worker before the first answer is awaited: it never idles, memory stays flat."""


@dataclass(frozen=True)
class JointFault:
    """A joint that could not be pre-graded."""

    joint_id: int
    reason: str


@dataclass(frozen=True)
class PregradeReport:
    """What a run did."""

    bundle_id: str
    bundle_version: str
    done: int
    pending: int
    faults: tuple[JointFault, ...]
    cancelled: bool


@dataclass
class _Run:
    study: Study
    actor: Actor
    bundle: Bundle
    worker: Worker
    total: int
    progress: Report
    done: int = 0
    faults: list[JointFault] = field(default_factory=list)
    waiting: deque[tuple[PendingJoint, Box, Future[JointPreGrade]]] = field(default_factory=deque)


def pregrade(
    study: Study,
    actor: Actor,
    *,
    bundle: str | None = None,
    device: str = "auto",
    progress: Report = silent,
    cancelled: Callable[[], bool] = never,
) -> PregradeReport:
    """Pre-grade what is not pre-graded yet by this very bundle; may be stopped and started again.

    Raises
    ------
    BundleError
        If there is no bundle for this study, or it was altered.
    ImageError
        If not one of the films can be reached.
    NotAllowed
        If the acting account is no coordinator.
    """
    chosen = bundle_of(study, bundle)
    pending = stored.pending_joints(study.database, actor, chosen.sha256)
    if not pending:
        return PregradeReport(chosen.id, chosen.version, 0, 0, (), cancelled=False)
    _check_reachable(study, pending)
    with Worker(chosen.folder, device=device) as worker:
        run = _Run(study, actor, chosen, worker, len(pending), progress)
        stopped = False
        for joint, image in _images(run, pending):
            run.waiting.append((joint, image.box, worker.submit(image)))
            while len(run.waiting) >= IN_FLIGHT:
                _collect(run)
            if cancelled():
                stopped = True
                break
        while run.waiting:
            _collect(run)
    left = len(pending) - run.done - len(run.faults)
    return PregradeReport(chosen.id, chosen.version, run.done, left, tuple(run.faults), cancelled=stopped)


def _check_reachable(study: Study, pending: Sequence[PendingJoint]) -> None:
    """Say once that the films' folder is gone, rather than once for every joint."""
    paths = {study.image_path(joint.source.path) for joint in pending}
    if not any(path.exists() for path in paths):
        folder = min(paths).parent
        raise ImageError(
            f"None of the {len(paths)} films to be pre-graded can be reached, such as those in {folder}.",
            "Connect its disk, or import the folder from its new place; nothing is lost.",
        )


def _images(run: _Run, pending: tuple[PendingJoint, ...]) -> Iterator[tuple[PendingJoint, JointImage]]:
    """Read each film once, for all its joints; a film that cannot be read is a fault of each."""
    film_id: int | None = None
    pixels: NDArray[np.float32] | None = None
    reason = ""
    for joint in pending:
        if joint.radiograph_id != film_id:
            film_id, pixels, reason = joint.radiograph_id, None, ""
            try:
                film = load_film(run.study, joint.source)
                pixels = gray_bone_bright(film)
            except ImageError as fault:
                reason = str(fault)
        if pixels is None:
            _fail(run, joint, reason)
            continue
        box = joint.box or _found_box(pixels, joint)
        if box is None:
            _fail(run, joint, "The joint was not found on the film; move its box by hand.")
            continue
        yield (
            joint,
            JointImage(pixels=pixels, box=box, side=joint.side.value, pixel_sha256=joint.pixel_sha256),
        )


def _found_box(pixels: NDArray[np.float32], joint: PendingJoint) -> Box | None:
    found = locate_joints(pixels, bilateral=joint.laterality == "B")
    if len(found) == 1:
        return found[0].box
    return next((one.box for one in found if one.side == joint.side.value), None)


def _collect(run: _Run) -> None:
    """Take the oldest answer, write its heatmaps, then its grades: a grade never points to no file."""
    joint, located, future = run.waiting.popleft()
    try:
        result = future.result()
    except PreGradeError as fault:
        _fail(run, joint, str(fault))
        return
    maps = {
        item: Heatmap(prediction.heatmap.astype(np.float32), result.crop_to_film)
        for item, prediction in result.predictions.items()
        if prediction.heatmap is not None
    }
    relative = heatmap_file(joint.joint_id, run.bundle.sha256, joint.pixel_sha256) if maps else None
    if relative is not None:
        _write_maps(run.study, relative, maps)
    try:
        stored.save_pregrades(
            run.study.database,
            run.actor,
            _pregrades(run, joint, result),
            heatmap_file=relative,
            located_box=located,
        )
    except PreGradeError as fault:
        _fail(run, joint, str(fault))
        return
    run.done += 1
    _tell(run)


def _write_maps(study: Study, relative: str, maps: dict[Item, Heatmap]) -> None:
    try:
        write_heatmaps(study.folder, relative, maps)
    except OSError as fault:
        raise StudyError(
            f"The heatmap {relative} cannot be written: {fault.strerror or fault}.",
            "Free some space and start again; what is done stays done.",
        ) from fault


def _pregrades(run: _Run, joint: PendingJoint, result: JointPreGrade) -> list[PreGrade]:
    provenance = Provenance(
        bundle_id=result.bundle_id,
        bundle_version=result.bundle_version,
        bundle_sha256=result.bundle_sha256,
        protocol_sha256=run.study.protocol.sha256,
        software=result.software,
        pixel_sha256=result.pixel_sha256,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        details=result.details,
    )
    return [
        PreGrade(
            key=GradeKey(joint.joint_id, item),
            probabilities=prediction.probabilities,
            code=prediction.code,
            out_of_distribution=result.out_of_distribution,
            unlike_training=result.unlike_training,
            box=result.box,
            provenance=provenance,
        )
        for item, prediction in result.predictions.items()
    ]


def _fail(run: _Run, joint: PendingJoint, reason: str) -> None:
    run.faults.append(JointFault(joint.joint_id, reason))
    _tell(run)


def _tell(run: _Run) -> None:
    run.progress(Progress(run.done + len(run.faults), run.total))
