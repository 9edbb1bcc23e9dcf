"""Hold a bundle's localizer, and the tilt it tells, against joints that were pointed at."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reader_app.ai.bundle import Bundle
from reader_app.ai.bundle_spec import Localizer
from reader_app.ai.film_image import PreparedFilm, prepare_film
from reader_app.ai.located import JointBox, Located
from reader_app.errors import BundleError, ImageError, ManifestError
from reader_app.imaging.display import gray_bone_bright
from reader_app.imaging.files import read_radiograph
from reader_app.operations.evaluate import open_bundle, open_pipeline
from reader_app.operations.localizer_reference import ReferenceJoint, read_reference
from reader_app.operations.progress import Progress, Report, silent
from reader_app.protocols.loader import find_protocol

FOUND_FROM = 0.5
"""A joint counts as found from this intersection over union with its reference on."""


@dataclass(frozen=True)
class JointComparison:
    """One reference joint and what was found of it.

    Attributes
    ----------
    found
        The box that overlaps most with the reference; None where no box does.
    iou
        Intersection over union, both boxes cut to the film; 0 without a box.
    centre_error
        Distance of the boxes' centres in widths of the plateau; None without a box.
    edge_ratio
        Longer edge of the found box over the reference's.
    tilt_error
        Told tilt less reference, degrees; None where no tilt was told or the reference's is an estimate.
    point_error
        Mean distance of the told ends of the plateau to the reference's, in widths of the plateau.
    """

    reference: ReferenceJoint
    found: JointBox | None
    iou: float
    centre_error: float | None
    edge_ratio: float | None
    tilt_error: float | None
    point_error: float | None

    @property
    def missed(self) -> bool:
        """Whether there is no box, or one that overlaps too little."""
        return self.iou < FOUND_FROM

    @property
    def wrong_side(self) -> bool:
        """Whether it was found and called the other side, or no side."""
        return not self.missed and self.found is not None and self.found.side != self.reference.side.value

    @property
    def name(self) -> str:
        """How the joint is called in lists."""
        return f"{self.reference.image} {self.reference.side.value}"


@dataclass(frozen=True)
class FilmComparison:
    """One film; `false_boxes` were found where no reference joint is."""

    image: str
    joints: tuple[JointComparison, ...]
    false_boxes: tuple[JointBox, ...]
    seconds: float


@dataclass(frozen=True)
class LocalizerEvaluation:
    """How a localizer does.

    Attributes
    ----------
    localizer
        The one that was held against the reference.
    tilts
        Whether the bundle tells tilts.
    """

    bundle: Bundle
    localizer: Localizer
    tilts: bool
    device: str
    films: tuple[FilmComparison, ...]

    @property
    def joints(self) -> tuple[JointComparison, ...]:
        """All reference joints."""
        return tuple(itertools.chain.from_iterable(film.joints for film in self.films))


def evaluate_localizer(
    bundle: str,
    *,
    images: Path,
    reference: Path,
    light: bool = False,
    device: str = "auto",
    progress: Report = silent,
) -> LocalizerEvaluation:
    """Look for joints on every film of a table and compare.

    The localizer is told the film alone: neither which sides it shows nor how its pixels are spaced.

    Parameters
    ----------
    bundle
        The id of an installed bundle, or its folder.
    images
        Folder of the images.
    reference
        CSV, see `localizer_reference.read_reference`.
    light
        By the quicker localizer, where the bundle has one.

    Raises
    ------
    BundleError
        If there is no such bundle, it was altered, or its protocol is not known here.
    ImageError
        If an image cannot be read.
    ManifestError
        If the table is wrong.
    """
    if not images.expanduser().is_dir():
        raise ManifestError(f"The folder {images} does not exist.", "Check the path, or connect its disk.")
    joints = read_reference(reference.expanduser(), images=images.expanduser())
    chosen = open_bundle(bundle)
    kind = _joint_of(chosen)
    pipeline = open_pipeline(chosen, device)
    by_film = {name: list(group) for name, group in itertools.groupby(joints, lambda joint: joint.image)}
    if sum(len(group) for group in by_film.values()) != len(joints):
        raise ManifestError(f"The table {reference} is not sorted by image.", "Sort its lines.")
    films: list[FilmComparison] = []
    for name, group in by_film.items():
        film = _film(group[0].path, kind)
        started = time.perf_counter()
        (located,) = pipeline.locate([film], light=light)
        films.append(compare(name, film, group, located, seconds=time.perf_counter() - started))
        progress(Progress(len(films), len(by_film), name))
    light_one = chosen.spec.light_localizer if light else None
    return LocalizerEvaluation(
        bundle=chosen,
        localizer=light_one or chosen.spec.localizer,
        tilts=chosen.spec.landmarks is not None,
        device=pipeline.device,
        films=tuple(films),
    )


def _joint_of(bundle: Bundle) -> str:
    """Return which joint the bundle's protocols grade."""
    names = [protocol.id for protocol in bundle.spec.protocols]
    if not names:
        raise BundleError(f"The bundle “{bundle.id}” names no protocol.", "Install the bundle again.")
    return str(find_protocol(names[0]).joint.value)


def _film(path: Path, joint: str) -> PreparedFilm:
    try:
        return prepare_film(gray_bone_bright(read_radiograph(path)), joint=joint)
    except ImageError as fault:
        raise ImageError(f"{path.name}: {fault.what}", fault.next_step) from fault


def compare(
    image: str,
    film: PreparedFilm,
    references: Sequence[ReferenceJoint],
    located: Located,
    *,
    seconds: float,
) -> FilmComparison:
    """Match found boxes to reference joints, the best overlap first, and measure each pair."""
    rows, columns = (round(edge) for edge in film.film_shape)
    overlaps = sorted(
        (
            (
                found.box.clipped(rows, columns).iou(reference.box.clipped(rows, columns)),
                found_at,
                reference_at,
            )
            for found_at, found in enumerate(located.joints)
            for reference_at, reference in enumerate(references)
        ),
        reverse=True,
    )
    pairs: dict[int, tuple[int, float]] = {}
    taken: set[int] = set()
    for iou, found_at, reference_at in overlaps:
        if iou > 0.0 and found_at not in taken and reference_at not in pairs:
            pairs[reference_at] = (found_at, iou)
            taken.add(found_at)
    joints = tuple(
        _measured(reference, located.joints[pairs[at][0]], pairs[at][1])
        if at in pairs
        else JointComparison(reference, None, 0.0, None, None, None, None)
        for at, reference in enumerate(references)
    )
    right = {found_at for found_at, iou in pairs.values() if iou >= FOUND_FROM}
    false_boxes = tuple(found for at, found in enumerate(located.joints) if at not in right)
    return FilmComparison(image, joints, false_boxes, seconds)


def _measured(reference: ReferenceJoint, found: JointBox, iou: float) -> JointComparison:
    tilt_error = point_error = None
    if found.tilt_degrees is not None and not reference.note:
        tilt_error = found.tilt_degrees - reference.tilt_degrees
    if len(found.landmarks) == 2 and not reference.note:
        ends = sorted((point.x, point.y) for point in found.landmarks)
        point_error = (math.dist(ends[0], reference.left) + math.dist(ends[1], reference.right)) / 2.0
        point_error /= reference.width
    return JointComparison(
        reference=reference,
        found=found,
        iou=iou,
        centre_error=math.dist(found.box.centre, reference.box.centre) / reference.width,
        edge_ratio=max(found.box.width, found.box.height) / reference.box.width,
        tilt_error=tilt_error,
        point_error=point_error,
    )
