"""Which films the acting reader will need next, without beginning a reading."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from reader_app.store.access import require
from reader_app.store.database import Database
from reader_app.store.film_sources import film_sources, shown_version
from reader_app.store.records import Actor, Role
from reader_app.store.tables import assignment, case_film


def films_ahead(
    database: Database, actor: Actor, assignment_ids: Sequence[int]
) -> tuple[tuple[int, str], ...]:
    """Return the films of some of the actor's own cases, in the order asked for.

    Opening a case begins its reading; loading its film ahead of time must not.

    Returns
    -------
    tuple of (int, str)
        Radiograph id and `CaseFilm.version`; cases of other readers give nothing.

    Raises
    ------
    NotAllowed
        Unless the actor is a reader.
    """
    query = (
        select(assignment.c.id, case_film.c.radiograph_id)
        .join_from(assignment, case_film, case_film.c.case_id == assignment.c.case_id)
        .where(assignment.c.account_id == actor.account_id, assignment.c.id.in_(assignment_ids))
        .order_by(case_film.c.place)
    )
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        rows = connection.execute(query).all()
        sources = film_sources(connection, [radiograph_id for _, radiograph_id in rows])
    wanted = {assignment_id: place for place, assignment_id in enumerate(assignment_ids)}
    ordered = sorted(rows, key=lambda row: wanted[row[0]])
    return tuple((radiograph_id, shown_version(sources[radiograph_id])) for _, radiograph_id in ordered)
