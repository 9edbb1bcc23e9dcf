"""Bringing a database to the newest revision, with Alembic, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reader_app.store.backend import Backend


@dataclass(frozen=True)
class Migrations:
    """Where the migrations are and which revisions they know.

    The revisions stand here as well as in the files, so that opening an up-to-date study need not
    load Alembic; a test holds the two together.
    """

    folder: Path
    revisions: tuple[str, ...]

    @property
    def head(self) -> str:
        """The newest revision."""
        return self.revisions[-1]


SHIPPED = Migrations(
    folder=Path(__file__).resolve().parent / "migrations", revisions=("0001", "0002", "0003", "0004")
)


def migrate(backend: Backend, migrations: Migrations, *, to: str = "head", new: bool = False) -> None:
    """Bring the database to a revision; if any step fails, none has happened.

    Parameters
    ----------
    to
        The revision; by default the newest.
    new
        Whether the database must still be empty.

    Raises
    ------
    StudyDamaged
        If afterwards some row refers to one that is not there.
    StudyError
        If it should be empty, and somebody was quicker.
    """
    # Alembic takes half a second to load and is seldom needed.
    from alembic import command
    from alembic.config import Config

    config = Config()
    # Alembic reads "%" as the start of a substitution.
    config.set_main_option("script_location", str(migrations.folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with backend.migrating(new=new) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)
