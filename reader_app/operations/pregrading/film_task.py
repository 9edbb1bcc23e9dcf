"""One film to be pre-graded, as plain values that travel between processes, and the steps on its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reader_app.ai.bundle import Bundle
from reader_app.ai.film_image import PreparedFilm, prepare_film
from reader_app.ai.located import Located
from reader_app.ai.pipeline import JointImage, JointPreGrade, PreparedJoint, prepare
from reader_app.errors import ImageError, PreGradeError
from reader_app.imaging.display import gray_bone_bright
from reader_app.imaging.geometry import Box
from reader_app.imaging.spacing import Spacing, SpacingKind
from reader_app.operations.film import load_film_at
from reader_app.store.records import FilmSource

NOT_FOUND = "The joint was not found on the film; move its box by hand."

_ON_THE_BODY = (SpacingKind.CALIBRATED, SpacingKind.GEOMETRY, SpacingKind.MAGNIFICATION_CORRECTED)
_COUNTS = (*_ON_THE_BODY, SpacingKind.AT_DETECTOR)
"""Kinds of millimetres that crops are cut by.

Those at the detector count too: the published networks learned from films of which no more is known, a knee
lies within a few centimetres of the detector, and the 5 to 15 % by which it is enlarged are less than what a
box from a localizer varies by.  The kind is kept in the provenance.
"""


@dataclass(frozen=True)
class JointTask:
    """A joint of the film; `side` is "R", "L" or "U"; `box` in film pixels where it is known already."""

    joint_id: int
    side: str
    box: Box | None


@dataclass(frozen=True)
class FilmTask:
    """A film and those of its joints that are to be pre-graded.

    Attributes
    ----------
    path
        Where the file lies, absolute: it may be read by another process, or another machine.
    pixel_sha256
        As `reader_app.reading.pregrade.Provenance` means it.
    laterality
        As in `reader_app.ai.film_image.PreparedFilm`.
    joint
        "knee" or "hip".
    view
        As the study has it.
    """

    radiograph_id: int
    path: Path
    source: FilmSource
    pixel_sha256: str
    laterality: str
    joint: str
    joints: tuple[JointTask, ...]
    view: str = ""


@dataclass(frozen=True, eq=False)
class OpenFilm:
    """A film that was read: float32 rows x columns, bone bright, and its reduced form."""

    pixels: npt.NDArray[np.float32]
    prepared: PreparedFilm
    spacing: Spacing


@dataclass(frozen=True)
class PlacedJoint:
    """Where a joint is to be cut out; `reason` says why it is not, and the box is None then.

    `remark` is kept with the pre-grade, `details` in its provenance.
    """

    task: JointTask
    box: Box | None = None
    tilt_degrees: float = 0.0
    reason: str = ""
    remark: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class JointOutcome:
    """What came of one joint: a result, or the reason why there is none."""

    placed: PlacedJoint
    result: JointPreGrade | None = None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class FilmOutcome:
    """What came of a film, joint by joint."""

    task: FilmTask
    joints: tuple[JointOutcome, ...]


class FilmReader(Protocol):
    """Reads one film at a time, and cuts joints out of the one that was read last."""

    def open(self, task: FilmTask) -> tuple[PreparedFilm, Spacing]:
        """Read a film.

        Raises
        ------
        ImageError
            It cannot be read, or is not the one that was imported.
        """

    def cut(self, placed: tuple[PlacedJoint, ...]) -> tuple[PreparedJoint | str, ...]:
        """Cut joints out; a sentence in the place of one that cannot be."""

    def close(self) -> None:
        """Let go of whatever is held."""


class DirectReader:
    """Reads films in this process."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._film: OpenFilm | None = None
        self._task: FilmTask | None = None

    def open(self, task: FilmTask) -> tuple[PreparedFilm, Spacing]:
        """Read a film; raises like `FilmReader.open`."""
        self._film = None  # two films are never held
        self._film, self._task = open_film(task), task
        return self._film.prepared, self._film.spacing

    def cut(self, placed: tuple[PlacedJoint, ...]) -> tuple[PreparedJoint | str, ...]:
        """Cut joints out of the film and let go of it."""
        film, task = self._film, self._task
        if film is None or task is None:
            raise RuntimeError("no film is open")
        self._film = None
        return tuple(
            cut_joint(film, each, pixel_sha256=task.pixel_sha256, bundle=self._bundle, view=task.view)
            for each in placed
        )

    def close(self) -> None:
        """Let go of the film."""
        self._film = None


def open_film(task: FilmTask) -> OpenFilm:
    """Read a film, proven to be the one that was imported and corrected as the study says.

    Raises
    ------
    ImageError
        It cannot be read, is not the one that was imported, or shows nothing.
    """
    radiograph = load_film_at(task.path, task.source)
    spacing = radiograph.header.spacing
    pixels = gray_bone_bright(radiograph)
    prepared = prepare_film(
        pixels, laterality=task.laterality, joint=task.joint, spacing_mm=millimetres(spacing)
    )
    return OpenFilm(pixels, prepared, spacing)


def millimetres(spacing: Spacing) -> tuple[float, float] | None:
    """Return from row to row and column to column where the kind of spacing counts, else None."""
    if spacing.kind not in _COUNTS or spacing.row_mm is None or spacing.column_mm is None:
        return None
    return spacing.row_mm, spacing.column_mm


def needs_locating(task: FilmTask, bundle: Bundle) -> bool:
    """Whether a localizer has to look at the film.

    Known boxes spare it, but where crops are levelled, or where prostheses are told from joints.
    """
    spec = bundle.spec
    by_network = spec.localizer.method.is_network and "prosthesis" in spec.localizer.classes
    return spec.preprocessing.upright or by_network or any(each.box is None for each in task.joints)


def place_joints(task: FilmTask, located: Located | None, spacing: Spacing) -> tuple[PlacedJoint, ...]:
    """Say where each joint is to be cut out; a box that is known already goes before a found one."""
    about_film = {"spacing": _told(spacing)}
    return tuple(_placed(joint, located, about_film) for joint in task.joints)


def _placed(joint: JointTask, located: Located | None, about_film: Mapping[str, str]) -> PlacedJoint:
    if located is None:
        return PlacedJoint(joint, joint.box, details={**about_film, "localizer": "box known already"})
    for left in located.left_out:
        if left.side == joint.side:
            return PlacedJoint(joint, reason=left.reason)
    found = located.of_side(joint.side)
    box = joint.box or (found.box if found is not None else None)
    if box is None:
        # A single joint whose side was told otherwise: whoever wrote the side knew better than the rules.
        if len(located.joints) != 1 or located.left_out:
            return PlacedJoint(joint, reason=NOT_FOUND)
        found = located.joints[0]
        box = found.box
    details = dict(about_film)
    tilt = 0.0
    if found is not None:
        details["localizer"] = f"{found.method}, confidence {found.confidence:.3f}"
        if found.tilt_degrees is not None:
            tilt = found.tilt_degrees
            details["tilt_degrees"] = f"{tilt:.2f}"
    if joint.box is not None:
        details["box"] = "known already"
    return PlacedJoint(joint, box, tilt, remark=" ".join(located.flags), details=details)


def _told(spacing: Spacing) -> str:
    if spacing.row_mm is None or spacing.column_mm is None:
        return "unknown, so the crop is a multiple of the joint's width"
    return f"{spacing.row_mm:.4g} x {spacing.column_mm:.4g} mm, {spacing.kind.value}"


def cut_joint(
    film: OpenFilm, placed: PlacedJoint, *, pixel_sha256: str, bundle: Bundle, view: str = ""
) -> PreparedJoint | str:
    """Cut one joint out as the networks want it, or say in a sentence why that cannot be."""
    if placed.box is None:
        return placed.reason
    image = JointImage(
        pixels=film.pixels,
        box=placed.box,
        side=placed.task.side,
        pixel_sha256=pixel_sha256,
        spacing_mm=film.prepared.spacing_mm,
        tilt_degrees=placed.tilt_degrees,
        view=view,
    )
    try:
        return prepare(image, bundle)
    except PreGradeError as fault:
        return str(fault)


def nothing(task: FilmTask, fault: ImageError | PreGradeError) -> FilmOutcome:
    """Return the outcome of a film on which nothing could be done."""
    return FilmOutcome(
        task, tuple(JointOutcome(PlacedJoint(joint), reason=str(fault)) for joint in task.joints)
    )
