"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import glob
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from reader_app.errors import ImageError

_READABLE = 0o644
_PART = ".part"
_STEM = 64  # characters of the target's name in that of its part; a copy is named after 64 hex digits


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
        If the file cannot be written; then an older one is as it was, and nothing is left beside it. What a
        process that was killed left of the same file is taken away by the next that writes it.
    """
    try:
        _write_aside(target, write)
    except OSError as error:
        raise ImageError(
            f"{target} cannot be written: {error.strerror or error}.",
            "Check that the folder exists and may be written to, and that there is space on the disk.",
        ) from error


def _write_aside(target: Path, write: Callable[[BinaryIO], object]) -> None:
    with written_aside(target, write) as put:
        put()


@contextlib.contextmanager
def written_aside(target: Path, write: Callable[[BinaryIO], object]) -> Iterator[Callable[[], None]]:
    """Write a file beside its place and bring it to the disk; calling what this gives puts it there.

    It is put there at once, and an older one of that name is replaced. If it never is, nothing is left of it.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    handle, partial = _part_of(target)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
            # mkstemp keeps a file to its owner; the folder's own rights are what counts here.
            partial.chmod(_READABLE)
            if not _LOCKS:
                file.close()  # a file that is open cannot be renamed there
            yield lambda: _put(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    _sweep(target)


def _put(partial: Path, target: Path) -> None:
    """Rename a whole file to where it belongs."""
    partial.replace(target)


def sweep_folder(folder: Path) -> int:
    """Take away, in a folder and those in it, what killed processes left half-written; return how many."""
    swept = 0
    for left in folder.rglob(f".*{_PART}"):
        # Another process may write that file now, or have swept too: then there is nothing to do.
        with contextlib.suppress(OSError):
            _unlink_unless_held(left)
            swept += not left.exists()
    return swept


def _part_of(target: Path) -> tuple[int, Path]:
    """Make a file beside the target, held while it is open, so that nobody sweeps it."""
    while True:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=_prefix(target), suffix=_PART)
        try:
            mine = _hold(handle) and (not _LOCKS or os.fstat(handle).st_nlink > 0)
        except OSError:
            mine = True  # a file system without locks: nobody can sweep there either
        if mine:
            return handle, Path(name)
        os.close(handle)  # swept in the moment before it was held


def _sweep(target: Path) -> None:
    """Take away what processes that were killed left of this very target."""
    for left in target.parent.glob(f"{glob.escape(_prefix(target))}????????{_PART}"):
        # Another process may write the same film now, or have swept too: then there is nothing to do.
        with contextlib.suppress(OSError):
            _unlink_unless_held(left)


def _unlink_unless_held(left: Path) -> None:
    if not _LOCKS:
        left.unlink()  # refused there while somebody has it open
        return
    with left.open("rb") as file:
        if _hold(file.fileno()):
            left.unlink()


def _prefix(target: Path) -> str:
    return f".{target.stem[:_STEM]}-"


if sys.platform == "win32":
    _LOCKS = False

    def _hold(handle: int) -> bool:
        """Nothing to do: an open file cannot be deleted there."""
        return handle >= 0

else:
    import fcntl

    _LOCKS = True

    def _hold(handle: int) -> bool:
        """Hold an open file against the sweeping of others; False if somebody else holds it."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
