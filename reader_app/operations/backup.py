"""A copy of a study that can be opened as a study itself."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reader_app.errors import StudyError
from reader_app.operations.heatmaps import FOLDER as HEATMAPS
from reader_app.operations.pseudonyms import KEY_FILE
from reader_app.operations.study import DATABASE_FILE, PROTOCOL_FILE, Study
from reader_app.operations.study_config import ImagePolicy, name_database
from reader_app.store.database import BACKUPS


@dataclass(frozen=True)
class BackupReport:
    """Where a backup lies and what it holds.

    Attributes
    ----------
    files
        Names inside the folder.
    notes
        Sentences on what is not in it.
    """

    folder: Path
    files: tuple[str, ...]
    notes: tuple[str, ...]


def back_up(study: Study) -> BackupReport:
    """Copy database, protocol, settings and pseudonym key into ``backups/<time>/``.

    Readers may go on meanwhile: the copy shows the study at one moment. The folder appears under its
    name when it is complete, and can be opened and verified like a study.

    Raises
    ------
    StudyError
        If it cannot be written; then nothing of it is left.
    """
    folder = study.folder / BACKUPS / datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    unfinished = folder.with_name(f"{folder.name}.part")
    try:
        unfinished.mkdir(parents=True)
        study.database.copy_to(unfinished / DATABASE_FILE)
        # The copy of a study on a server is one with a file of its own.
        name_database(study.folder, None, target=unfinished)
        # The key last: it alone may be missing, as long as nothing has been imported.
        for name in (PROTOCOL_FILE, KEY_FILE):
            if name != KEY_FILE or (study.folder / name).exists():
                shutil.copy2(study.folder / name, unfinished / name)
        unfinished.replace(folder)
    except OSError as fault:
        raise StudyError(
            f"The backup {folder} cannot be written: {fault.strerror or fault}.",
            "Check the disk and your rights on the study folder.",
        ) from fault
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    files = tuple(sorted(path.name for path in folder.iterdir()))
    return BackupReport(folder, files, tuple(_left_out(study)))


def _left_out(study: Study) -> list[str]:
    notes = [f"Heatmaps are not in it: copy {study.folder / HEATMAPS} as well to keep them."]
    if study.config.images is ImagePolicy.COPY:
        notes.append(f"The films in {study.folder / 'images'} are not in it: back that folder up as well.")
    else:
        notes.append("The films are not in it; they lie where they were imported from.")
    return notes
