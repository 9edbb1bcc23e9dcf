"""The pixels of one film of a study, checked against what was imported."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from reader_app.errors import ImageError
from reader_app.imaging.correction import corrected
from reader_app.imaging.files import file_sha256, read_header, read_radiograph
from reader_app.imaging.pyramid import Pyramid
from reader_app.imaging.radiograph import FileStamp, Radiograph, stamp_of
from reader_app.store.records import FilmSource

if TYPE_CHECKING:
    from reader_app.operations.study import Study

_NATIVE = frozenset({"Implicit VR Little Endian", "Explicit VR Little Endian", "Explicit VR Big Endian"})
"""Transfer syntaxes whose pixels are taken as they lie, without a decoder."""

T = TypeVar("T")


def load_film(study: Study, source: FilmSource) -> Radiograph:
    """Prove that a film's file is the one that was imported, decode it and correct it as the study says.

    No decoder sees a file that has changed since: nobody vouches for it. A file without compression needs
    none, so its pixels are laid out while its hash is still being worked out; they leave this function
    after the proof alone.

    Raises
    ------
    ImageError
        If the file vanished, cannot be read, or has changed since the import. The sentence names no
        path: a reader may see it, and file names can tell who the participant is.
    """
    return load_film_at(study.image_path(source.path), source)


def load_film_at(path: Path, source: FilmSource) -> Radiograph:
    """Do the same for a film whose place is known already, in a process that has no study open."""
    return _proven(path, source, lambda radiograph: radiograph)


def load_pyramid(study: Study, source: FilmSource) -> Pyramid:
    """Do the same as `load_film` and make the film ready for the screen."""
    return _proven(study.image_path(source.path), source, Pyramid)


def _proven(path: Path, source: FilmSource, prepared: Callable[[Radiograph], T]) -> T:
    if not path.exists():
        raise _vanished(path)

    def read() -> tuple[FileStamp | None, T]:
        radiograph = read_radiograph(path)
        return radiograph.stamp, prepared(corrected(radiograph, source.correction))

    try:
        stamp = stamp_of(path)
        with ThreadPoolExecutor(1, thread_name_prefix="hash") as pool:
            digest = pool.submit(file_sha256, path)
            early = _or_fault(read) if _is_native(path) else None
            same = digest.result() == source.file_sha256
        if same and early is None:
            early = read()
        if same and isinstance(early, ImageError):
            raise early
    except ImageError as fault:
        raise ImageError(
            "This film cannot be read any more.", "Tell the coordinator; “reader-app verify” names the file."
        ) from fault
    if not same or early is None or isinstance(early, ImageError) or early[0] != stamp:
        raise ImageError(
            "This film is not the one that was imported: its file has changed.",
            "Do not grade it; tell the coordinator, “reader-app verify” names the file.",
        )
    return early[1]


def _is_native(path: Path) -> bool:
    try:
        return read_header(path).transfer_syntax in _NATIVE
    except ImageError:
        return False


def _or_fault(read: Callable[[], T]) -> T | ImageError:
    """Keep a fault back: whether the file is the right one has to be known first."""
    try:
        return read()
    except ImageError as fault:
        return fault


def _vanished(path: Path) -> ImageError:
    if path.parent.exists():
        return ImageError(
            "The file of this film is gone.",
            "Tell the coordinator: importing it again from its new place brings it back.",
        )
    return ImageError(
        "The folder with the films of this study cannot be reached.",
        "Connect its disk and open the case again, or let the coordinator import the folder from its new "
        "place; grades given so far are safe.",
    )
