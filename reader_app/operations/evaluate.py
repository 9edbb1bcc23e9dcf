"""Hold a bundle against reference grades."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reader_app.ai.bundle import Bundle
from reader_app.ai.film_image import PreparedFilm, prepare_film
from reader_app.ai.located import Located
from reader_app.ai.pipeline import JointImage, Pipeline, PreparedJoint, prepare
from reader_app.errors import (
    ImageError,
    ManifestError,
    MissingPart,
    PreGradeError,
    ProtocolError,
)
from reader_app.imaging.display import gray_bone_bright
from reader_app.imaging.files import read_radiograph
from reader_app.imaging.radiograph import file_sha256
from reader_app.operations.bundles import bundle_folders, installed_bundle, knowledge_warning
from reader_app.operations.evaluation import Evaluation, Graded, ItemFigures, Unreadable, item_figures
from reader_app.operations.labels import LabelledJoint, Labels, read_labels
from reader_app.operations.pregrading.film_task import millimetres
from reader_app.operations.progress import Progress, Report, silent
from reader_app.protocols.loader import find_protocol
from reader_app.protocols.model import Protocol
from reader_app.reading.case import JointSide
from reader_app.settings import software_version

CHUNK = 16
"""Films in memory at once: it stays flat however long the table is."""


@dataclass
class _Run:
    bundle: Bundle
    pipeline: Pipeline
    total: int
    progress: Report
    graded: list[Graded] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)


def evaluate(
    bundle: str,
    *,
    images: Path,
    labels: Path,
    split: str | None = None,
    device: str = "auto",
    progress: Report = silent,
) -> Evaluation:
    """Grade every joint of a table with a bundle and compare.

    Parameters
    ----------
    bundle
        The id of an installed bundle, or its folder.
    images
        Folder that the table's image names are relative to.
    labels
        CSV, see `labels.read_labels`.
    split
        Which rows; None takes ``test`` where the table has splits.

    Raises
    ------
    BundleError
        If there is no such bundle, or it was altered.
    ManifestError
        If the table is wrong, or nothing of it can be graded.
    """
    chosen = open_bundle(bundle)
    if not images.expanduser().is_dir():
        raise ManifestError(f"The folder {images} does not exist.", "Check the path, or connect its disk.")
    wanted = read_labels(
        labels.expanduser(), images=images.expanduser(), heads=chosen.spec.heads, split=split
    )
    started = time.perf_counter()
    run = _Run(chosen, open_pipeline(chosen, device), len(wanted.joints), progress)
    _grade(run, wanted)
    if not run.graded:
        raise ManifestError(
            f"None of the {len(wanted.joints)} joints can be graded: {run.unreadable[0].reason}",
            "Check the images.",
        )
    seconds = time.perf_counter() - started
    return Evaluation(
        facts=_facts(run, images=images, labels=labels, split=wanted.split, seconds=seconds),
        figures=tuple(_figures(run, wanted)),
        graded=tuple(run.graded),
        unreadable=tuple(run.unreadable),
        notes=(*filter(None, [knowledge_warning(chosen)]), *wanted.notes),
    )


def open_bundle(wanted: str) -> Bundle:
    """Return a verified bundle by the folder it is in, or by the id it is installed under.

    Raises
    ------
    BundleError
        If there is no such bundle, or it was altered.
    """
    return installed_bundle(wanted, *bundle_folders())


def open_pipeline(bundle: Bundle, device: str) -> Pipeline:
    """Return a bundle's networks, loaded.

    Raises
    ------
    PreGradeError
        If they cannot run on this device.
    """
    try:
        return Pipeline(bundle, device=device)
    # The libraries have no error of their own for a device that is not there.
    except (RuntimeError, AssertionError, ValueError) as fault:
        raise PreGradeError(
            f"The networks cannot run on the device “{device}”: {str(fault).splitlines()[0]}.",
            "Choose cpu or auto.",
        ) from fault


@dataclass(frozen=True, eq=False)
class _OpenFilm:
    """The film that a labelled joint is on."""

    pixels: npt.NDArray[np.generic]
    pixel_sha256: str
    prepared: PreparedFilm


def _grade(run: _Run, wanted: Labels) -> None:
    kind = _joint_kind(run.bundle)
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for start in range(0, len(wanted.joints), CHUNK):
            chunk = wanted.joints[start : start + CHUNK]
            films = list(pool.map(lambda joint: _open_film(joint, kind), chunk))
            found = iter(
                run.pipeline.locate([film.prepared for film in films if isinstance(film, _OpenFilm)])
            )
            located = [next(found) if isinstance(film, _OpenFilm) else None for film in films]
            cut = list(pool.map(partial(_cut_out, bundle=run.bundle), chunk, films, located))
            _grade_crops(run, chunk, cut)
            run.progress(Progress(start + len(chunk), run.total, chunk[-1].name))


def _grade_crops(run: _Run, chunk: Sequence[LabelledJoint], cut: Sequence[PreparedJoint | str]) -> None:
    good: list[tuple[LabelledJoint, PreparedJoint]] = []
    for joint, crop in zip(chunk, cut, strict=True):
        if isinstance(crop, PreparedJoint):
            good.append((joint, crop))
        else:
            run.unreadable.append(Unreadable(joint.name, crop))
    answers = run.pipeline.pregrade_prepared([crop for _, crop in good])
    run.graded += [Graded(joint, answer) for (joint, _), answer in zip(good, answers, strict=True)]


def _joint_kind(bundle: Bundle) -> str:
    """Return which joint the bundle grades, as sentences call it."""
    protocol = _protocol(bundle)
    return protocol.joint.value if protocol is not None else "joint"


def _open_film(joint: LabelledJoint, kind: str) -> _OpenFilm | str:
    """Return the film, or why it cannot be read."""
    try:
        radiograph = read_radiograph(joint.path)
        pixels = gray_bone_bright(radiograph)
        spacing_mm = millimetres(radiograph.header.spacing)
        prepared = prepare_film(pixels, joint=kind, spacing_mm=spacing_mm)
    except ImageError as fault:
        return str(fault)
    return _OpenFilm(pixels, radiograph.pixel_sha256, prepared)


def _cut_out(
    joint: LabelledJoint, film: _OpenFilm | str, located: Located | None, *, bundle: Bundle
) -> PreparedJoint | str:
    """Return the joint as the networks see it, or why that is not possible."""
    if isinstance(film, str) or located is None:
        return str(film)
    found = located.joints[0] if len(located.joints) == 1 else located.of_side(joint.side.value)
    if found is None:
        return _why_none(located)
    side = joint.side if joint.side is not JointSide.WHOLE else JointSide.UNSTATED
    image = JointImage(
        pixels=film.pixels,
        box=found.box,
        side=side.value,
        pixel_sha256=film.pixel_sha256,
        spacing_mm=film.prepared.spacing_mm,
        tilt_degrees=found.tilt_degrees or 0.0,
    )
    try:
        return prepare(image, bundle)
    except PreGradeError as fault:
        return str(fault)


def _why_none(located: Located) -> str:
    if located.joints:
        return "The image shows both joints, and the table does not say which one is graded."
    return " ".join([*(each.reason for each in located.left_out), *located.flags]) or "No joint was found."


def _figures(run: _Run, wanted: Labels) -> Iterator[ItemFigures]:
    protocol = _protocol(run.bundle)
    for head in run.bundle.spec.heads:
        if head.item in wanted.items:
            cut = protocol.feature(head.feature).present_from if protocol else None
            yield item_figures(head.item, head.codes, run.graded, present_from=cut)


def _protocol(bundle: Bundle) -> Protocol | None:
    """Return the first protocol of the bundle that is known here in the very version it was made for."""
    for reference in bundle.spec.protocols:
        try:
            protocol = find_protocol(reference.id)
        except (ProtocolError, MissingPart):
            continue
        if protocol.sha256 == reference.sha256:
            return protocol
    return None


def _facts(run: _Run, *, images: Path, labels: Path, split: str, seconds: float) -> dict[str, str]:
    details = run.graded[0].answer.details
    return {
        "bundle": run.bundle.id,
        "version": run.bundle.version,
        "bundle_sha256": run.bundle.sha256,
        "images": str(images),
        "labels": str(labels),
        "labels_sha256": file_sha256(labels.expanduser()),
        "split": split,
        "software": software_version(),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": f"{seconds:.1f}",
        **{f"run_{name}": text for name, text in details.items() if name not in ("seconds", "batch")},
    }
