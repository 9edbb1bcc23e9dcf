"""The pixels of one film of a study, checked against what was imported."""

from __future__ import annotations

from pathlib import Path

from reader_app.errors import ImageError
from reader_app.imaging.correction import corrected
from reader_app.imaging.files import file_sha256, read_radiograph
from reader_app.imaging.radiograph import Radiograph, stamp_of
from reader_app.operations.study import Study
from reader_app.store.records import FilmSource


def load_film(study: Study, source: FilmSource) -> Radiograph:
    """Prove that a film's file is the one that was imported, then decode it and correct it as the study says.

    A file that has changed since is not decoded at all: nobody vouches for it.

    Raises
    ------
    ImageError
        If the file vanished, cannot be read, or has changed since the import. The sentence names no
        path: a reader may see it, and file names can tell who the participant is.
    """
    path = study.image_path(source.path)
    if not path.exists():
        raise _vanished(path)
    try:
        stamp = stamp_of(path)
        same = file_sha256(path) == source.file_sha256
        radiograph = read_radiograph(path) if same else None
    except ImageError as fault:
        raise ImageError(
            "This film cannot be read any more.", "Tell the coordinator; “reader-app verify” names the file."
        ) from fault
    if radiograph is None or radiograph.stamp != stamp:
        raise ImageError(
            "This film is not the one that was imported: its file has changed.",
            "Do not grade it; tell the coordinator, “reader-app verify” names the file.",
        )
    return corrected(radiograph, source.correction)


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
