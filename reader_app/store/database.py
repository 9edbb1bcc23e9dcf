"""The door to a study's database: create, open, read, write, copy, close."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from reader_app.errors import NewerStudy, StudyBusy, StudyDamaged, StudyError
from reader_app.store.engine import BUSY_SECONDS, WRITES, faults_in_words, sqlite_engine
from reader_app.store.location import refuse_network_share
from reader_app.store.migrating import SHIPPED, Migrations, migrate
from reader_app.store.peek import revision_untouched

BACKUPS = "backups"

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


def as_text(moment: datetime) -> str:
    """Return a time as the store keeps it: UTC, ISO 8601, microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


class Database:
    """An open study database; threads may use it at the same time.

    Parameters
    ----------
    path
        The database file.
    clock
        Where times come from.
    """

    def __init__(self, engine: Engine, path: Path, *, clock: Clock = utc_now) -> None:
        self.path = path
        self._engine = engine
        self._clock = clock
        # SQLite has one writer and lets others poll; inside one program a lock is fairer and wakes at once.
        self._writer = threading.Lock()

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; the last one to go folds the write-ahead log into the file."""
        # What another thread still uses closes when it comes back, not when it is forgotten.
        event.listen(self._engine.pool, "checkin", _close_returned)
        self._engine.dispose()

    def clock(self) -> datetime:
        """Return the time now, in UTC."""
        return self._clock().astimezone(UTC)

    def now(self) -> str:
        """Return the time now as the store keeps it."""
        return as_text(self._clock())

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one unchanging state of the study.

        Raises
        ------
        StudyError
            In words, if the database cannot be read.
        """
        with faults_in_words(self.path), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection that alone may write; all of it is durable at the end, or none.

        Raises
        ------
        StudyBusy
            If another program or thread writes for longer than two seconds.
        StudyError
            In words, if the database cannot be written.
        """
        if not self._writer.acquire(timeout=BUSY_SECONDS):
            raise StudyBusy(
                "Another task of this program has been writing to the study for more than "
                f"{BUSY_SECONDS:.0f} seconds.",
                "Nothing was changed; wait a moment and try again.",
            )
        try:
            with faults_in_words(self.path), self._engine.connect() as plain:
                connection = plain.execution_options(**{WRITES: True})
                with connection.begin():
                    yield connection
        finally:
            self._writer.release()

    def back_up(self, folder: Path) -> Path:
        """Write a consistent copy of the database into a folder; work may go on meanwhile.

        Returns
        -------
        Path
            The copy; its name carries the time.

        Raises
        ------
        StudyError
            In words, if the copy cannot be written.
        """
        stamp = self.clock().strftime("%Y%m%dT%H%M%S%fZ")
        return copy_database(self.path, folder / f"{self.path.stem}-{stamp}.db")


def _close_returned(_connection: object, record: ConnectionPoolEntry) -> None:
    record.invalidate()


def create_database(place: str | Path, *, clock: Clock = utc_now) -> Database:
    """Make the database of a new study.

    Parameters
    ----------
    place
        The file, or an URL; only SQLite so far.

    Raises
    ------
    StudyError
        If the file is there already, its folder is not, or it lies on a network share.
    """
    path = _file_of(place)
    if path.exists():
        raise StudyError(
            f"There is a study database at {path} already.", "Open it, or choose another folder."
        )
    if not path.parent.is_dir():
        raise StudyError(f"The folder {path.parent} does not exist.", "Make the folder first.")
    refuse_network_share(path.parent)
    engine = sqlite_engine(path)
    try:
        with faults_in_words(path):
            migrate(engine, SHIPPED)
    except BaseException:
        engine.dispose()
        for half_made in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            half_made.unlink(missing_ok=True)
        raise
    return Database(engine, path, clock=clock)


def open_database(place: str | Path, *, clock: Clock = utc_now, migrations: Migrations = SHIPPED) -> Database:
    """Open the database of a study, and bring it up to date if an older version wrote it.

    Before the first change to an older database a copy is put into the folder ``backups`` beside it.

    Raises
    ------
    NewerStudy
        If a newer version wrote it; nothing is touched.
    StudyDamaged
        If it is no study database, or damaged.
    StudyBusy
        If another program keeps it locked.
    StudyError
        If it is missing, read-only or on a network share.
    """
    path = _file_of(place)
    if not path.is_file():
        raise StudyError(
            f"The study database {path} is missing.",
            "Choose the study folder, the one with study.toml in it.",
        )
    refuse_network_share(path.parent)
    revision = revision_untouched(path)
    if revision is None:
        raise StudyDamaged(
            f"{path} is not the database of a study.", "Choose another folder, or restore a backup."
        )
    if revision not in migrations.revisions:
        raise NewerStudy(
            f"The study database {path} was written by a newer version of this program (its revision is "
            f"{revision}, this version knows up to {migrations.head}).",
            "It has been left untouched; install the newer version to open it.",
        )
    engine = sqlite_engine(path)
    try:
        with faults_in_words(path):
            # Asks the engine for its settings now, so that what is wrong is said at opening.
            with engine.connect() as connection:
                connection.exec_driver_sql("SELECT count(*) FROM account").close()
            if revision != migrations.head:
                _bring_up_to_date(engine, path, revision, migrations=migrations, clock=clock)
    except BaseException:
        engine.dispose()
        raise
    return Database(engine, path, clock=clock)


def copy_database(source: Path, target: Path) -> Path:
    """Copy a database that may be in use, as it is at one moment; an unfinished copy is never left behind.

    Raises
    ------
    StudyError
        In words, if the copy cannot be written.
    """
    unfinished = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            faults_in_words(target),
            contextlib.closing(sqlite3.connect(source, timeout=BUSY_SECONDS)) as here,
            contextlib.closing(sqlite3.connect(unfinished)) as there,
        ):
            here.backup(there)
        unfinished.replace(target)
    except OSError as error:
        raise StudyError(
            f"The backup {target} cannot be written: {error.strerror or error}.",
            "Check the disk and its rights.",
        ) from error
    finally:
        # Where its folder cannot be used, there is nothing to clear away either.
        with contextlib.suppress(OSError):
            unfinished.unlink()
    return target


def _bring_up_to_date(
    engine: Engine, path: Path, revision: str, *, migrations: Migrations, clock: Clock
) -> None:
    stamp = clock().astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    backup = copy_database(path, path.parent / BACKUPS / f"{path.stem}-before-{migrations.head}-{stamp}.db")
    try:
        migrate(engine, migrations)
    except StudyError:
        raise
    except Exception as error:
        raise StudyError(
            f"The study database {path} could not be brought from revision {revision} to {migrations.head}; "
            "it is as it was.",
            f"Send the log to the makers; a copy from before the attempt is {backup}.",
        ) from error


def _file_of(place: str | Path) -> Path:
    """Return the file that a path or URL names."""
    text = str(place)
    if text.startswith("sqlite:///"):
        text = text.removeprefix("sqlite:///")
    elif "://" in text:
        scheme = text.partition("://")[0]
        raise StudyError(
            f"This version cannot keep a study on a database server ({scheme}).",
            "Use the embedded database: take the line url out of study.toml.",
        )
    return Path(text).absolute()
