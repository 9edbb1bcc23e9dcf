"""Parts blanked in the study's own copy of a film, so that a power cut at any moment leaves a whole study.

The blanked copy is written beside the old one under a name of its own, and is on the disk before one
transaction of the store makes it the film's file. Only then the old copy is removed, and the store
remembers that until it is done.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reader_app.errors import ImageError
from reader_app.imaging.correction import covered
from reader_app.imaging.files import read_radiograph
from reader_app.imaging.geometry import Box
from reader_app.imaging.radiograph import Radiograph, file_sha256
from reader_app.operations.study import Study
from reader_app.store import corrections
from reader_app.store.film_records import BlankedCopy
from reader_app.store.records import Actor, FilmSource

_FOLDER = "images"


def blanked_copy(study: Study, source: FilmSource, boxes: Sequence[Box]) -> BlankedCopy:
    """Write a copy of a film's copy in which parts are blanked; the store is not touched.

    Raises
    ------
    ImageError
        If the copy vanished, has changed since the import or cannot be blanked, or if anything but the
        parts would be different in it; then nothing is left behind.
    """
    old = study.image_path(source.path)
    desk = _desk(old)
    try:
        shutil.rmtree(desk, ignore_errors=True)
        desk.mkdir()
        return _blanked(study, source, Path(shutil.copyfile(old, desk / old.name)), boxes)
    except OSError as fault:
        raise ImageError(
            f"The parts cannot be blanked in the study's copy of this film: {fault.strerror or fault}.",
            "Check the disk and your rights on the study folder; nothing was changed.",
        ) from fault
    finally:
        shutil.rmtree(desk, ignore_errors=True)


def remove_superseded(study: Study, actor: Actor) -> tuple[str, ...]:
    """Remove copies from before a box-out that are still on the disk; return notes on what could not be.

    Raises
    ------
    NotAllowed
        Unless the acting account is a coordinator.
    """
    notes = []
    for radiograph_id, path in corrections.superseded_copies(study.database, actor).items():
        copy = study.image_path(path).resolve()
        if (study.folder / _FOLDER).resolve() not in copy.parents:
            continue  # nothing of ours; `verify` finds who wrote that into the table
        try:
            shutil.rmtree(_desk(copy), ignore_errors=True)
            copy.unlink(missing_ok=True)
        except OSError as fault:
            notes.append(
                f"The copy of film {radiograph_id} from before the box-out could not be removed "
                f"({fault.strerror or fault}); the next box-out tries again."
            )
        else:
            corrections.copy_removed(study.database, actor, radiograph_id)
    return tuple(notes)


def _desk(copy: Path) -> Path:
    """Where a copy is worked on; known by its name, since what a power cut leaves there still shows all."""
    return copy.with_name(f".{copy.stem}.blanking")


def _blanked(study: Study, source: FilmSource, work: Path, boxes: Sequence[Box]) -> BlankedCopy:
    from reader_app.interop.box_out import blank_in_copy
    from reader_app.interop.deidentify import copy_suffix

    if file_sha256(work) != source.file_sha256:
        raise ImageError(
            "This film is not the one that was imported: its file has changed.",
            "Nothing was changed; “reader-app verify” names the file.",
        )
    before = read_radiograph(work)
    blank_in_copy(work, boxes)
    after = read_radiograph(work)
    _check_faithful(before, after, boxes)
    digest = file_sha256(work)
    relative = Path(_FOLDER, digest[:2], f"{digest}{copy_suffix(after.header.format)}")
    target = study.folder / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    with work.open("rb+") as stream:
        os.fsync(stream.fileno())
    work.replace(target)
    _flush_folder(target.parent)
    return BlankedCopy(relative.as_posix(), digest, after.pixel_sha256, source.file_sha256)


def _check_faithful(before: Radiograph, after: Radiograph, boxes: Sequence[Box]) -> None:
    """Refuse a copy in which anything but the parts is different, or something of them is left."""
    hidden = covered(before.pixels.shape, boxes)
    same = (
        after.pixels.shape == before.pixels.shape
        and after.inverse_polarity == before.inverse_polarity
        and np.array_equal(after.pixels[~hidden], before.pixels[~hidden])
        and np.unique(after.pixels[hidden]).size == 1
    )
    if not same:
        raise ImageError(
            "The parts cannot be blanked in the study's copy of this film without changing the rest of it.",
            "Nothing was changed; leave the film out, or box the text out before the import.",
        )


def _flush_folder(folder: Path) -> None:
    """Make a new name in a folder outlast a power cut; Windows does so by itself."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
