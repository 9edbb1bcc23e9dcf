"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

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
    OSError
        If the file cannot be written; then an older one is as it was, and nothing is left beside it.
    """
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
