"""The image files of a folder, one after the other, however many there are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from reader_app.imaging.files import IMAGE_SUFFIXES, looks_like_image

CannotEnter = Callable[[OSError], None]

_INDEXES = frozenset({"dicomdir", "thumbs.db", "desktop.ini"})
"""Files beside images that are none, though one of them begins like DICOM."""


def folder_files(folder: Path, cannot_enter: CannotEnter) -> Iterator[Path]:
    """Yield the files below a folder, those of each folder by name and before those of its folders.

    Hidden files and indexes of media are left out. Nothing but the names of one folder at each depth is held
    in memory.

    Parameters
    ----------
    cannot_enter
        Told of folders that may not be listed.
    """
    for root, folders, names in os.walk(folder, onerror=cannot_enter):
        folders.sort()
        for name in sorted(names):
            if not name.startswith(".") and name.lower() not in _INDEXES:
                yield Path(root, name)


def count_files(folder: Path) -> int:
    """Return how many files `folder_files` will yield, so that progress can be told."""
    return sum(1 for _ in folder_files(folder, lambda _: None))


def may_be_image(path: Path) -> bool:
    """Whether a file is an image by its name or its first bytes."""
    return path.suffix.lower() in IMAGE_SUFFIXES or looks_like_image(path)


def is_readable(path: Path) -> bool:
    """Whether the file can be read at all now, apart from what is in it."""
    try:
        with path.open("rb") as stream:
            stream.read(1)
    except (OSError, ValueError):
        return False
    return True
