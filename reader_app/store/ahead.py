"""Which films the acting reader will need next, without beginning a reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select

from reader_app.store.access import require
from reader_app.store.database import Database
from reader_app.store.film_sources import film_sources, shown_version
from reader_app.store.gates import ROWS, gate_of
from reader_app.store.records import Actor, Role
from reader_app.store.rows import AnyRow
from reader_app.store.tables import assignment, case_film


class FilmAhead(NamedTuple):
    """A film that will be needed, and how it is shown; `version` is `CaseFilm.version`."""

    radiograph_id: int
    version: str
    mirrored: bool


def films_ahead(database: Database, actor: Actor, assignment_ids: Sequence[int]) -> tuple[FilmAhead, ...]:
    """Return the films of some of the actor's own cases, in the order asked for.

    Opening a case begins its reading; loading its film ahead of time must not. Where another case would open
    in the place of one, its films are given; a case that cannot be opened yet gives nothing, like the cases
    of other readers.

    Raises
    ------
    NotAllowed
        Unless the actor is a reader.
    """
    wanted = ROWS.where(assignment.c.account_id == actor.account_id, assignment.c.id.in_(assignment_ids))
    now = database.clock()
    shown: list[AnyRow] = []
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        own = {row.id: row for row in connection.execute(wanted)}
        for row in (own[id_] for id_ in assignment_ids if id_ in own):
            gate = gate_of(connection, row, now)
            if gate.is_open:
                shown.append(gate.instead if gate.instead is not None else row)
        films = connection.execute(
            select(case_film.c.case_id, case_film.c.radiograph_id)
            .where(case_film.c.case_id.in_({row.case_id for row in shown}))
            .order_by(case_film.c.case_id, case_film.c.place)
        ).all()
        sources = film_sources(connection, [film.radiograph_id for film in films])
    found = (
        FilmAhead(film.radiograph_id, shown_version(sources[film.radiograph_id]), bool(row.mirrored))
        for row in shown
        for film in films
        if film.case_id == row.case_id
    )
    return tuple(dict.fromkeys(found))
