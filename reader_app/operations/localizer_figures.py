"""The figures of a localizer against joints that were pointed at, and the files that hold them."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reader_app.errors import StudyError
from reader_app.imaging.display import gray_bone_bright
from reader_app.imaging.files import read_radiograph
from reader_app.imaging.geometry import Box
from reader_app.operations.evaluate_localizer import FilmComparison, JointComparison, LocalizerEvaluation
from reader_app.operations.table import write_table
from reader_app.settings import software_version

EVALUATION_FILE = "localizer.json"
JOINTS_FILE = "localizer.csv"
PICTURES = "pictures"
WORST = 5
"""How many joints are named as the worst ones of a figure."""

_SMALLEST_PICTURE = 1280  # columns, so that boxes of one pixel's width are seen


@dataclass(frozen=True)
class Spread:
    """How a figure is spread over the joints that have it; standard deviation 0 for one joint."""

    joints: int
    median: float
    mean: float
    deviation: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class LocalizerFigures:
    """All figures of an evaluation; a spread is None where no joint has the figure.

    Attributes
    ----------
    films, joints
        How many were looked at.
    missed, wrong_side
        Names of joints, and `false_boxes` of films.
    iou, centre, edge
        As in `JointComparison`, over all joints (`iou`: 0 where there is no box), and those with a box.
    tilt
        Absolute error in degrees, and `tilt_bias` with its sign.
    points
        Mean distance of the ends of the plateau, in its widths.
    worst_iou, worst_tilt
        Names with their figure, worst first.
    untold_tilts
        Joints with a certain reference and a box, of which no tilt was told; None where the bundle tells
        no tilts.
    seconds
        Per film, without reading its file.
    """

    films: int
    joints: int
    missed: tuple[str, ...]
    wrong_side: tuple[str, ...]
    false_boxes: tuple[str, ...]
    iou: Spread | None
    centre: Spread | None
    edge: Spread | None
    tilt: Spread | None
    tilt_bias: Spread | None
    points: Spread | None
    worst_iou: tuple[tuple[str, float], ...]
    worst_tilt: tuple[tuple[str, float], ...]
    untold_tilts: tuple[str, ...] | None
    seconds: Spread | None


def spread(values: Iterable[float]) -> Spread | None:
    """Return the spread of some numbers, None of none."""
    found = list(values)
    if not found:
        return None
    return Spread(
        joints=len(found),
        median=statistics.median(found),
        mean=math.fsum(found) / len(found),
        deviation=statistics.stdev(found) if len(found) > 1 else 0.0,
        lowest=min(found),
        highest=max(found),
    )


def localizer_figures(evaluation: LocalizerEvaluation) -> LocalizerFigures:
    """Sum up an evaluation."""
    joints = evaluation.joints
    tilts = [(joint.name, abs(joint.tilt_error)) for joint in joints if joint.tilt_error is not None]
    untold = tuple(
        joint.name
        for joint in joints
        if not joint.reference.note and joint.found is not None and joint.tilt_error is None
    )
    return LocalizerFigures(
        films=len(evaluation.films),
        joints=len(joints),
        missed=tuple(joint.name for joint in joints if joint.missed),
        wrong_side=tuple(joint.name for joint in joints if joint.wrong_side),
        false_boxes=tuple(film.image for film in evaluation.films for _ in film.false_boxes),
        iou=spread(joint.iou for joint in joints),
        centre=spread(joint.centre_error for joint in joints if joint.centre_error is not None),
        edge=spread(joint.edge_ratio for joint in joints if joint.edge_ratio is not None),
        tilt=spread(error for _, error in tilts),
        tilt_bias=spread(joint.tilt_error for joint in joints if joint.tilt_error is not None),
        points=spread(joint.point_error for joint in joints if joint.point_error is not None),
        worst_iou=_worst([(joint.name, joint.iou) for joint in joints], highest=False),
        worst_tilt=_worst(tilts, highest=True),
        untold_tilts=untold if evaluation.tilts else None,
        seconds=spread(film.seconds for film in evaluation.films),
    )


def _worst(figures: Sequence[tuple[str, float]], *, highest: bool) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(figures, key=lambda figure: figure[1], reverse=highest)[:WORST])


def localizer_values(evaluation: LocalizerEvaluation) -> dict[str, Any]:
    """Return the evaluation as plain values, with how it was made and every joint."""
    return {
        "bundle": evaluation.bundle.id,
        "version": evaluation.bundle.version,
        "bundle_sha256": evaluation.bundle.sha256,
        "localizer": str(evaluation.localizer.method),
        "device": evaluation.device,
        "software": software_version(),
        "figures": asdict(localizer_figures(evaluation)),
        "joints": [_joint_values(joint) for joint in evaluation.joints],
    }


def _joint_values(joint: JointComparison) -> dict[str, Any]:
    found = joint.found
    return {
        "image": joint.reference.image,
        "side": joint.reference.side.value,
        "iou": joint.iou,
        "centre_error": joint.centre_error,
        "edge_ratio": joint.edge_ratio,
        "tilt": None if found is None else found.tilt_degrees,
        "tilt_reference": joint.reference.tilt_degrees,
        "tilt_error": joint.tilt_error,
        "point_error": joint.point_error,
        "found_side": None if found is None else found.side,
        "confidence": None if found is None else found.confidence,
        "box": None if found is None else asdict(found.box),
        "box_reference": asdict(joint.reference.box),
        "note": joint.reference.note,
    }


def write_localizer_evaluation(
    evaluation: LocalizerEvaluation, folder: Path, *, pictures: bool = False
) -> tuple[Path, ...]:
    """Write the figures, a table of joints and, if asked for, a picture of every film with both boxes.

    Raises
    ------
    StudyError
        If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        whole = folder / EVALUATION_FILE
        whole.write_text(
            json.dumps(localizer_values(evaluation), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        files = [whole, folder / JOINTS_FILE]
        _write_joints(evaluation, files[1])
        if pictures:
            (folder / PICTURES).mkdir(exist_ok=True)
            for film in evaluation.films:
                _draw(film, folder / PICTURES / f"{Path(film.image).stem}.png")
            files.append(folder / PICTURES)
    except OSError as fault:
        raise StudyError(
            f"The folder {folder} cannot be written: {fault.strerror}.", "Choose another folder."
        ) from fault
    return tuple(files)


def _write_joints(evaluation: LocalizerEvaluation, path: Path) -> None:
    columns = ("image", "side", "iou", "centre_error", "edge_ratio", "tilt_reference", "tilt", "point_error")
    rows = []
    for joint in evaluation.joints:
        values = _joint_values(joint)
        rows.append([_cell(values[column]) for column in columns] + [joint.reference.note])
    write_table(path, (*columns, "note"), rows)


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


def _draw(film: FilmComparison, path: Path) -> None:
    """Draw the reference in green and what was found in red."""
    import numpy as np
    from PIL import Image, ImageDraw

    pixels = gray_bone_bright(read_radiograph(film.joints[0].reference.path)).astype(np.float32)
    low, high = np.percentile(pixels, (0.5, 99.5))
    grey = np.clip((pixels - low) / max(float(high - low), 1e-6) * 255.0, 0.0, 255.0).astype(np.uint8)
    times = max(1, math.ceil(_SMALLEST_PICTURE / grey.shape[1]))
    size = (grey.shape[1] * times, grey.shape[0] * times)
    picture = Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC).convert("RGB")
    pen = ImageDraw.Draw(picture)

    def outline(box: Box, colour: str) -> None:
        seen = box.clipped(*grey.shape)
        if seen.area > 0.0:
            pen.rectangle(
                [seen.x * times, seen.y * times, seen.right * times - 1, seen.bottom * times - 1],
                outline=colour,
                width=2,
            )

    for joint in film.joints:
        outline(joint.reference.box, "lime")
        ends = [joint.reference.left, joint.reference.right]
        pen.line([(x * times, y * times) for x, y in ends], fill="lime", width=1)
    shown = [joint.found for joint in film.joints if joint.found is not None]
    for box in dict.fromkeys((*shown, *film.false_boxes)):
        outline(box.box, "red")
        if len(box.landmarks) == 2:
            pen.line([(point.x * times, point.y * times) for point in box.landmarks], fill="red", width=1)
    picture.save(path)
