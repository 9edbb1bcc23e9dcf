"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from reader_app.errors import ImageError

_READABLE = 0o644


def write_whole(target: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file under another name beside its place, bring it to the disk, and put it there at once.

    Parameters
    ----------
    target
        The file; an older one of that name is replaced.
    write
        Writes the content into the open file that it is given.

    Raises
    ------
    ImageError
        If the file cannot be written; then an older one is as it was, and nothing is left beside it.
    """
    try:
        _write_aside(target, write)
    except OSError as error:
        raise ImageError(
            f"{target} cannot be written: {error.strerror or error}.",
            "Check that the folder exists and may be written to, and that there is space on the disk.",
        ) from error


def _write_aside(target: Path, write: Callable[[BinaryIO], object]) -> None:
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem[:32]}-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp keeps a file to its owner; the folder's own rights are what counts here.
        Path(partial).chmod(_READABLE)
        Path(partial).replace(target)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
