"""A study that began in a file goes to a server, whole, and the file takes no more changes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, text

from reader_app.errors import StudyDamaged, StudyError
from reader_app.store.access import require
from reader_app.store.backend import faults_in_words
from reader_app.store.database import Database
from reader_app.store.engine import backend_of, server_address
from reader_app.store.journal import append, verify_chain
from reader_app.store.records import Actor, Role
from reader_app.store.sqlite_engine import SqliteBackend
from reader_app.store.tables import grade, radiograph
from reader_app.store.transfer import onto_server
from reader_app.store.triggers import moved_to


@dataclass(frozen=True)
class Moved:
    """What went to the server.

    Attributes
    ----------
    address
        Of the database there, as `study.toml` names it.
    entries
        Of the journal, the one about the move included.
    films, grades
        How many.
    """

    address: str
    entries: int
    films: int
    grades: int


def move_database(database: Database, actor: Actor, address: str) -> Moved:
    """Copy an embedded database into an empty one on a server, prove that it is the same, and close the file.

    Nobody else can write meanwhile. From then on the file can be read, but refuses every change, so that a
    window that still has it open loses no grade without noticing.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    StudyError
        If the study is on a server already, or the server refuses or is not empty; then nothing was changed.
    StudyDamaged
        If the journal is broken, or the copy is not what the file holds; then nothing was changed.
    """
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR)
    if not isinstance(database.backend, SqliteBackend):
        raise StudyError(f"The study is on the server {database.shown} already.", "Go on with it there.")
    address = server_address(address)
    target = Database(backend_of(address), clock=database.clock)
    with target, database.writing() as source:
        target.backend.make_room()
        try:
            with faults_in_words(target.backend):
                onto_server(source, target.backend)
            chain = verify_chain(target)
            if not chain.ok:
                raise StudyDamaged(
                    f"The study's journal is not whole from entry {chain.first_broken} on: {chain.reason}.",
                    "Nothing was changed; check the study with “reader-app verify” first.",
                )
            with target.writing() as there:
                payload = {"from": database.path.name, "to": target.shown}
                entries = append(there, actor, "study.move", payload=payload, at=database.now())
                films, grades = (
                    there.execute(select(func.count()).select_from(table)).scalar_one()
                    for table in (radiograph, grade)
                )
            source.execute(text(moved_to(target.shown)))
        except BaseException:
            target.backend.unmake()
            raise
    return Moved(address, entries, films, grades)
