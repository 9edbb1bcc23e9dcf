"""Take a study from its own file to a database server, where readers on other computers can join."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reader_app.operations.backup import back_up
from reader_app.operations.study import Study
from reader_app.operations.study_config import name_database
from reader_app.store.moving import Moved, move_database
from reader_app.store.records import Actor


@dataclass(frozen=True)
class MoveReport:
    """What went where.

    Attributes
    ----------
    moved
        What the server holds now.
    backup
        The folder with the study as it was before, which can be opened.
    notes
        What is left to do.
    """

    moved: Moved
    backup: Path
    notes: tuple[str, ...]


def move_to_server(study: Study, actor: Actor, url: str) -> MoveReport:
    """Copy the study's database to a server, check it there, and name the server in `study.toml`.

    The study must be opened again afterwards. Films, heatmaps and the pseudonym key stay in the folder.

    Parameters
    ----------
    url
        An empty database, ``postgresql://user@host/database``, without a password.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    StudyError
        If it is on a server already, or the server refuses; then the study is as it was.
    """
    backup = back_up(study)
    moved = move_database(study.database, actor, url)
    # Only now: until the server has all, the folder goes on with its file.
    name_database(study.folder, moved.address, target=study.folder)
    notes = (
        f"{study.database.path} stays as it was before and takes no more changes.",
        "Everybody who has the study open closes it and opens it again.",
        "Other computers need a copy of this folder without the database: study.toml, protocol.toml, "
        "pseudonyms.key, and heatmaps and images if there are any.",
    )
    return MoveReport(moved, backup.folder, notes)
