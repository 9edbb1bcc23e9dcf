"""Bringing a database to the newest revision, with Alembic, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from reader_app.errors import StudyDamaged
from reader_app.store.engine import WRITES


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
    folder=Path(__file__).resolve().parent / "migrations", revisions=("0001", "0002", "0003")
)


def migrate(engine: Engine, migrations: Migrations) -> None:
    """Bring the database to the newest revision; if any step fails, none has happened.

    Raises
    ------
    StudyDamaged
        If afterwards some row refers to one that is not there.
    """
    # Alembic takes half a second to load and is seldom needed.
    from alembic import command
    from alembic.config import Config

    config = Config()
    # Alembic reads "%" as the start of a substitution.
    config.set_main_option("script_location", str(migrations.folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with engine.connect() as plain:
        # Tables are rebuilt by copying, which foreign keys would hinder; SQLite ignores the switch inside
        # a transaction, so it is turned before and the keys are checked before the commit.
        driver = plain.connection.dbapi_connection
        if driver is None:
            raise RuntimeError("the connection was closed while migrating")
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            connection = plain.execution_options(**{WRITES: True})
            with connection.begin():
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                if broken is not None:
                    raise StudyDamaged(
                        f"The study database is damaged: a row of the table {broken[0]} refers to a row of "
                        f"{broken[2]} that is missing.",
                        "Nothing was changed; restore the newest file from the folder backups.",
                    )
        finally:
            driver.execute("PRAGMA foreign_keys=ON")
