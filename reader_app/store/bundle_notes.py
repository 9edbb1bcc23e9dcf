"""Which bundles came into a study's own folder and went out of it, in the journal."""

from __future__ import annotations

from reader_app.store.access import require
from reader_app.store.database import Database
from reader_app.store.journal import append
from reader_app.store.records import Actor, Role


def note_bundle(
    database: Database, actor: Actor, *, installed: bool, name: str, version: str, sha256: str
) -> None:
    """Write into the journal that a bundle was installed for the study, or removed.

    Parameters
    ----------
    name, version, sha256
        Of the bundle; the hash is empty where a damaged one was removed.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    StudyFrozen
        If the study is frozen.
    """
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        append(
            connection,
            actor,
            "bundle.install" if installed else "bundle.remove",
            payload={"bundle": name, "version": version, "sha256": sha256},
            at=database.now(),
        )
