"""What a study's database asks of the engine that keeps it; each engine answers in a file of its own."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from reader_app.errors import StudyBusy, StudyError
from reader_app.store.frozen_words import FROZEN, frozen_in_words

BUSY_SECONDS = 2.0
"""Nobody waits longer than this for another one's change."""

AWAY_SECONDS = 15
"""A server takes back the change of a program that falls silent in its middle for longer than this."""

WRITES = "reader_app_writes"
"""Execution option of a connection that is about to write."""


@dataclass(frozen=True)
class StudyFile:
    """An embedded database.

    Attributes
    ----------
    path
        The file.
    """

    path: Path


@dataclass(frozen=True)
class StudyServer:
    """A database on a PostgreSQL server.

    Attributes
    ----------
    url
        With the driver, without a password.
    """

    url: URL

    @property
    def text(self) -> str:
        """The address as it may be written down, in `study.toml` for instance."""
        return self.url.render_as_string(hide_password=True)


def place_of(place: str | Path) -> StudyFile | StudyServer:
    """Return what a path or URL names.

    Parameters
    ----------
    place
        A path, ``sqlite:///path``, or ``postgresql://user@host:port/database``; the driver may be named,
        ``postgresql+psycopg``. Settings of the connection may follow a question mark.

    Raises
    ------
    StudyError
        If it is the address of another kind of server, names no database, or holds a password.
    """
    text = str(place)
    if text.startswith("sqlite:///"):
        return StudyFile(Path(text.removeprefix("sqlite:///")).absolute())
    # "C://..." is a path on Windows; Python's Path folds the slashes of an address into one.
    if isinstance(place, Path) or not re.match(r"\w[\w+.-]+://", text):
        return StudyFile(Path(text).absolute())
    return StudyServer(_server_url(text))


def _server_url(text: str) -> URL:
    scheme = text.partition("://")[0]
    if scheme not in ("postgresql", "postgresql+psycopg", "postgres"):
        raise StudyError(
            f"A study cannot be kept on a database server of this kind ({scheme}).",
            "Use PostgreSQL, with an address like postgresql://user@host/database, or the embedded database.",
        )
    try:
        url = make_url("postgresql+psycopg" + text.removeprefix(scheme))
    except (ArgumentError, ValueError):
        # What is wrong with it is not repeated: a password may stand in it.
        raise StudyError(
            "The address of the database server cannot be understood.",
            "Write it like postgresql://user@host:5432/database.",
        ) from None
    if url.password is not None or "password" in url.query:
        raise StudyError(
            f"The address of the database server {url.host or ''} holds a password, which everyone who sees "
            "the study folder could read.",
            "Leave the password out and put it into the file ~/.pgpass of each user (or the one that "
            "PGPASSFILE names), or into the variable PGPASSWORD.",
        )
    if not url.database:
        raise StudyError(
            f"The address of the database server {url.host or ''} names no database.",
            "Write it like postgresql://user@host:5432/database.",
        )
    return url


class Backend(ABC):
    """One place where a study is kept, and all about it that depends on the engine.

    Attributes
    ----------
    shown
        The place, for sentences; never a password.
    readers
        Gives connections that see one unchanging state.
    writers
        Gives connections that may write, one at a time over all programs and machines.
    driver_errors
        What the driver raises where it is used past SQLAlchemy.
    """

    driver_errors: tuple[type[Exception], ...] = ()

    def __init__(self, engine: Engine, shown: str) -> None:
        self.shown = shown
        self.readers = engine
        self.writers = engine.execution_options(**{WRITES: True})

    def close(self) -> None:
        """Close all connections."""
        self.readers.dispose()

    @abstractmethod
    def in_words(self, error: BaseException | None) -> StudyError | None:
        """Return the sentence for an error of the engine, None where it is a bug of ours."""

    @abstractmethod
    def queue(self) -> AbstractContextManager[object]:
        """Wait for this program's turn to write, where the engine itself does not see to it.

        Raises
        ------
        StudyBusy
            After `BUSY_SECONDS`.
        """

    @abstractmethod
    def make_room(self) -> None:
        """See that a new database can be made here.

        Raises
        ------
        StudyError
            If there is something already, or the place will not do.
        """

    @abstractmethod
    def clear_away(self) -> None:
        """Remove what is left of a database that could not be made."""

    @abstractmethod
    def unmake(self) -> None:
        """Remove the tables of a study that has just been made; a file is removed with its folder."""

    @abstractmethod
    def revision(self) -> str:
        """Return the revision of the database that is here, without changing anything of it.

        Raises
        ------
        StudyDamaged
            If it is no study database, or damaged.
        StudyError
            If it is missing or cannot be reached.
        """

    @abstractmethod
    def migrating(self, *, new: bool) -> AbstractContextManager[Connection]:
        """Give a connection in a transaction of its own, in which all tables may be changed.

        Parameters
        ----------
        new
            Whether there must be no tables yet.

        Raises
        ------
        StudyDamaged
            If at the end some row refers to one that is not there.
        """

    @abstractmethod
    def copy_to(self, target: Path) -> None:
        """Write all that is here at one moment into a new embedded database; work may go on meanwhile.

        Parameters
        ----------
        target
            A file that is not there yet.
        """

    @property
    def backup_name(self) -> str:
        """How names of its copies begin."""
        return "study"


@contextmanager
def faults_in_words(backend: Backend) -> Iterator[None]:
    """Turn the engine's errors that the user can do something about into sentences.

    Raises
    ------
    StudyBusy, StudyDamaged, StudyError
        Instead of the engine's error; what it cannot name passes through.
    StudyFrozen
        Where the database refused to change a frozen study.
    """
    try:
        yield
    except DBAPIError as error:
        # Refused by a trigger: somebody froze the study while this was under way.
        known = frozen_in_words() if FROZEN in str(error.orig) else backend.in_words(error.orig)
        if known is None:
            raise
        raise known from error
    except backend.driver_errors as error:
        known = backend.in_words(error)
        if known is None:
            raise
        raise known from error
    except PoolTimeout as error:
        raise StudyBusy(
            f"Too many tasks of this program use the study database {backend.shown} at once.",
            "Nothing was changed; wait a moment and try again.",
        ) from error
