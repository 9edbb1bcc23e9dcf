"""What a worker process does with one planned film: read it, hash it, copy it without identifiers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reader_app.errors import ImageError, StudyError
from reader_app.imaging.files import file_sha256, image_format, read_header, read_radiograph
from reader_app.imaging.radiograph import FileStamp, Radiograph, RadiographHeader, stamp_of
from reader_app.operations.importing.door import Door

IMAGES = "images"
_SPARE = 1 << 22  # bytes that a disk must have left beside a copy


@dataclass(frozen=True)
class FilmOrder:
    """What is to be done with one film.

    Attributes
    ----------
    stamp
        Of the file when its header was looked at.
    participant
        The pseudonym that a copy gets.
    locate
        Whether to look how many joints the picture shows, as nobody says which side it is.
    """

    stamp: FileStamp
    participant: str
    locate: bool


@dataclass(frozen=True)
class FilmRead:
    """What reading a film brought.

    Attributes
    ----------
    header
        Of what the study will show: the copy where there is one.
    source_sha256, file_sha256
        Of the file, and of what the study will show.
    blank
        Whether all pixels have one value.
    overlays
        How many the study would show.
    joints
        How many were found in the picture; 0 where nobody looked.
    copy
        Path of the copy in the study folder; empty without one.
    identity
        Who the file says that it belongs to, where that was asked for.
    """

    header: RadiographHeader
    source_sha256: str
    file_sha256: str
    pixel_sha256: str
    blank: bool
    overlays: int
    joints: int
    copy: str
    notes: tuple[str, ...]
    identity: str


@dataclass(frozen=True)
class ReadFilm:
    """The task of `FileWorkers`: reads planned films.

    Attributes
    ----------
    orders
        By path; a bounded number of films, as each process gets all of them.
    copies
        The study folder where films are copied; None where they stay where they are.
    identify
        Whether to say who the files belong to.
    """

    orders: Mapping[str, FilmOrder]
    door: Door
    copies: Path | None = None
    identify: bool = False

    def __call__(self, path: Path) -> FilmRead:
        """Read a film; raises `ImageError` if it cannot be, `StudyError` if the study has no room for it."""
        order = self.orders[str(path)]
        if stamp_of(path) != order.stamp:
            raise _changed(path)
        source = file_sha256(path)
        copy, notes = self._copied(path, source, order) if self.copies is not None else ("", ())
        shown = self.copies / copy if self.copies is not None else path
        try:
            radiograph = read_radiograph(shown)
            read = FilmRead(
                header=radiograph.header,
                source_sha256=source,
                file_sha256=file_sha256(shown) if copy else source,
                pixel_sha256=radiograph.pixel_sha256,
                blank=_is_blank(radiograph),
                overlays=len(radiograph.overlays),
                joints=_joints(radiograph) if order.locate else 0,
                copy=copy,
                notes=(*radiograph.header.notes, *notes),
                identity=self.door.identity(read_header(path)) if self.identify else "",
            )
            if stamp_of(path) != order.stamp:
                raise _changed(path)
        except BaseException:
            if copy:
                shown.unlink(missing_ok=True)
            raise
        return read

    def _copied(self, path: Path, source: str, order: FilmOrder) -> tuple[str, tuple[str, ...]]:
        assert self.copies is not None
        return copied(path, source, folder=self.copies, door=self.door, participant=order.participant)


def copied(
    path: Path, source: str, *, folder: Path, door: Door, participant: str
) -> tuple[str, tuple[str, ...]]:
    """Copy a film into a study, without what identifies.

    Parameters
    ----------
    source
        SHA-256 of the file: the copy is named after it, so that one that was made in vain is made over.

    Returns
    -------
    tuple
        Path of the copy in the study folder, and notes for the coordinator.

    Raises
    ------
    ImageError
        If the file cannot be copied.
    StudyError
        If the study folder cannot take a copy.
    """
    from reader_app.interop.deidentify import copy_suffix, deidentified_copy

    kind = image_format(path) or ""
    relative = Path(IMAGES, source[:2], f"{source}{copy_suffix(kind)}")
    target = folder / relative
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise _no_room(folder, fault.strerror or str(fault)) from fault
    try:
        notes = deidentified_copy(path, target, door.deidentification(participant))
    except ImageError as fault:
        if not os.access(target.parent, os.W_OK):
            raise _no_room(folder, "it may not be written") from fault
        if shutil.disk_usage(target.parent).free < path.stat().st_size + _SPARE:
            raise _no_room(folder, "its disk is full") from fault
        raise
    return relative.as_posix(), notes


def _joints(radiograph: Radiograph) -> int:
    from reader_app.ai.localizer import locate_joints
    from reader_app.imaging.display import gray_bone_bright

    return len(locate_joints(gray_bone_bright(radiograph)))


def _is_blank(radiograph: Radiograph) -> bool:
    pixels = radiograph.pixels
    first = pixels.flat[0]
    return bool((pixels[0] == first).all() and (pixels == first).all())


def _changed(path: Path) -> ImageError:
    return ImageError(f"{path} has changed since its header was looked at.", "Import its folder again.")


def _no_room(folder: Path, why: str) -> StudyError:
    return StudyError(
        f"No film can be copied into the study folder {folder}: {why}.",
        "Free some space or get the right to write there, and import again: what was imported stays.",
    )
