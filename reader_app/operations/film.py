"""The pixels of one film of a study, checked against what was imported."""

from __future__ import annotations

from pathlib import Path

from reader_app.errors import ImageError
from reader_app.imaging.files import read_radiograph
from reader_app.imaging.radiograph import Radiograph
from reader_app.operations.study import Study


def load_film(study: Study, stored_path: str, file_sha256: str) -> Radiograph:
    """Read a film and prove that it is the one that was imported.

    Raises
    ------
    ImageError
        If the file vanished, cannot be read, or has changed since the import. The sentence names no
        path: a reader may see it, and file names can tell who the participant is.
    """
    path = study.image_path(stored_path)
    if not path.exists():
        raise _vanished(path)
    try:
        radiograph = read_radiograph(path)
        same = radiograph.file_sha256 == file_sha256
    except ImageError as fault:
        raise ImageError(
            "This film cannot be read any more.", "Tell the coordinator; “reader-app verify” names the file."
        ) from fault
    if not same:
        raise ImageError(
            "This film is not the one that was imported: its file has changed.",
            "Do not grade it; tell the coordinator, “reader-app verify” names the file.",
        )
    return radiograph


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
