"""Films whose files are gone from where the study has them, and which an import finds again."""

from __future__ import annotations

from pathlib import Path

from reader_app.errors import ImageError
from reader_app.imaging.files import file_sha256, read_radiograph
from reader_app.operations.importing.door import Door
from reader_app.operations.importing.read_film import copied
from reader_app.operations.study import Study
from reader_app.operations.study_config import ImagePolicy
from reader_app.store import films
from reader_app.store.records import Actor, KnownFilm

MOVED = "The file was gone from its old place; the study now reads it from here."
COPIED_AGAIN = "The study's copy was gone; it was made again from this file."
NOT_THE_SAME = (
    "The study's copy is gone, and parts of it were blanked: bring it back from a backup of the study folder."
)


def bring_back(study: Study, actor: Actor, door: Door, film: KnownFilm, source: Path) -> str:
    """Let the study reach a film again whose very file was found; nothing happens where it can.

    Returns
    -------
    str
        A note for the coordinator; empty where nothing was wrong.

    Raises
    ------
    StudyError
        If the study folder cannot take a copy.
    """
    if study.image_path(film.path).exists():
        return ""
    if study.config.images is ImagePolicy.REFERENCE:
        films.move_radiographs(study.database, actor, {film.file_sha256: str(source)})
        return MOVED
    shown = films.radiograph(study.database, actor, film.id)
    try:
        copy, _ = copied(
            source, file_sha256(source), folder=study.folder, door=door, participant=shown.participant
        )
    except ImageError as fault:
        return str(fault)
    target = study.folder / copy
    if read_radiograph(target).pixel_sha256 != shown.pixel_sha256:
        target.unlink(missing_ok=True)
        return NOT_THE_SAME
    films.restore_copy(
        study.database,
        actor,
        film.id,
        path=copy,
        file_sha256=file_sha256(target),
        replaces=film.file_sha256,
    )
    return COPIED_AGAIN
