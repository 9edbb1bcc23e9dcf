"""The door to a study's database: create, open, read, write, copy, close."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from sqlalchemy import Connection

from reader_app.errors import NewerStudy, StudyError
from reader_app.store.backend import Backend, faults_in_words
from reader_app.store.engine import backend_of
from reader_app.store.migrating import SHIPPED, Migrations, migrate
from reader_app.store.sqlite_engine import SqliteBackend

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
    backend
        The engine that keeps it.
    clock
        Where times come from.
    """

    def __init__(self, backend: Backend, *, clock: Clock = utc_now) -> None:
        self._backend = backend
        self._clock = clock

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._backend.close()

    @property
    def backend(self) -> Backend:
        """The engine that keeps it."""
        return self._backend

    @property
    def shown(self) -> str:
        """Where it is, for sentences; never a password."""
        return self._backend.shown

    @property
    def path(self) -> Path:
        """The file of an embedded database; one on a server has none, and asking is a bug of ours."""
        if not isinstance(self._backend, SqliteBackend):
            raise TypeError("a study on a server has no database file")
        return self._backend.path

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
        with (
            faults_in_words(self._backend),
            self._backend.readers.connect() as connection,
            connection.begin(),
        ):
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
        with (
            self._backend.queue(),
            faults_in_words(self._backend),
            self._backend.writers.connect() as connection,
            connection.begin(),
        ):
            yield connection

    def unmake(self) -> None:
        """Close, and leave nothing on the server of a study that was begun and could not be finished.

        A file stays where it is, for whoever made its folder to remove.

        Raises
        ------
        StudyError
            In words, if the server cannot be reached any more.
        """
        try:
            self._backend.unmake()
        finally:
            self.close()

    def back_up(self, folder: Path) -> Path:
        """Write a consistent copy of the database into a folder; work may go on meanwhile.

        The copy is an embedded database, wherever this one is kept.

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
        return self.copy_to(folder / f"{self._backend.backup_name}-{stamp}.db")

    def copy_to(self, target: Path) -> Path:
        """Write a consistent copy into a new file; an unfinished one is never left behind.

        Raises
        ------
        StudyError
            In words, if the copy cannot be written.
        """
        return _copy(self._backend, target)


def create_database(place: str | Path, *, clock: Clock = utc_now) -> Database:
    """Make the database of a new study.

    Parameters
    ----------
    place
        The file, or the address of an empty database on a server,
        ``postgresql://user@host:port/database``.

    Raises
    ------
    StudyError
        If there is something already, the file's folder is not there or lies on a network share, the server
        cannot be reached or will not do, or the address holds a password.
    """
    backend = backend_of(place)
    try:
        backend.make_room()
        with faults_in_words(backend):
            try:
                migrate(backend, SHIPPED, new=True)
            except BaseException:
                backend.close()
                backend.clear_away()
                raise
    except BaseException:
        backend.close()
        raise
    return Database(backend, clock=clock)


def open_database(
    place: str | Path,
    *,
    clock: Clock = utc_now,
    migrations: Migrations = SHIPPED,
    backups: Path | None = None,
) -> Database:
    """Open the database of a study, and bring it up to date if an older version wrote it.

    Before the first change to an older database a copy is put away.

    Parameters
    ----------
    backups
        The folder for that copy; by default the folder ``backups`` beside an embedded database.

    Raises
    ------
    NewerStudy
        If a newer version wrote it; nothing is touched.
    StudyDamaged
        If it is no study database, or damaged.
    StudyBusy
        If another program keeps it locked.
    StudyError
        If it is missing, cannot be reached, is read-only or on a network share, or is older, on a server, and
        no folder for its copy is named.
    """
    backend = backend_of(place)
    try:
        revision = backend.revision()
        if revision not in migrations.revisions:
            raise NewerStudy(
                f"The study database {backend.shown} was written by a newer version of this program (its "
                f"revision is {revision}, this version knows up to {migrations.head}).",
                "It has been left untouched; install the newer version to open it.",
            )
        with faults_in_words(backend):
            # Asks the engine for its settings now, so that what is wrong is said at opening.
            with backend.readers.connect() as connection:
                connection.exec_driver_sql("SELECT count(*) FROM account").close()
            if revision != migrations.head:
                folder = backups or _beside(backend)
                _bring_up_to_date(backend, revision, folder, migrations=migrations, clock=clock)
    except BaseException:
        backend.close()
        raise
    return Database(backend, clock=clock)


def _beside(backend: Backend) -> Path:
    if isinstance(backend, SqliteBackend):
        return backend.path.parent / BACKUPS
    raise StudyError(
        f"The study database {backend.shown} was written by an older version of this program and must be "
        "copied before it is brought up to date.",
        "Open it through its study folder, where the copy can be kept.",
    )


def _copy(backend: Backend, target: Path) -> Path:
    unfinished = target.with_name(target.name + ".part")
    helpers = [unfinished.with_name(unfinished.name + end) for end in ("", "-wal", "-shm", "-journal")]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with faults_in_words(backend):
            backend.copy_to(unfinished)
        unfinished.replace(target)
    except OSError as error:
        raise StudyError(
            f"The backup {target} cannot be written: {error.strerror or error}.",
            "Check the disk and its rights.",
        ) from error
    finally:
        # Where its folder cannot be used, there is nothing to clear away either.
        for left in helpers:
            with contextlib.suppress(OSError):
                left.unlink()
    return target


def _bring_up_to_date(
    backend: Backend, revision: str, folder: Path, *, migrations: Migrations, clock: Clock
) -> None:
    stamp = clock().astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    backup = _copy(backend, folder / f"{backend.backup_name}-before-{migrations.head}-{stamp}.db")
    try:
        migrate(backend, migrations)
    except StudyError:
        raise
    except Exception as error:
        raise StudyError(
            f"The study database {backend.shown} could not be brought from revision {revision} to "
            f"{migrations.head}; it is as it was.",
            f"Send the log to the makers; a copy from before the attempt is {backup}.",
        ) from error
