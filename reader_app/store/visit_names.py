"""What the visits of films are called where the presentation tells them."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, select

from reader_app.protocols.model import Presentation
from reader_app.reading.visits import visit_titles
from reader_app.store.tables import case_film, radiograph, study_case


def visit_names(connection: Connection, case_id: int | None = None) -> dict[int, str]:
    """Return the visit of each film that is on a case, or on one of them, by radiograph.

    Films of a presentation that keeps the visit to itself are left out.
    """
    query = (
        select(case_film.c.case_id, radiograph.c.id, radiograph.c.visit, radiograph.c.visit_order)
        .join_from(case_film, radiograph, radiograph.c.id == case_film.c.radiograph_id)
        .join(study_case, study_case.c.id == case_film.c.case_id)
        .where(study_case.c.presentation == Presentation.PAIRED_ORDERED.value)
    )
    if case_id is not None:
        query = query.where(case_film.c.case_id == case_id)
    by_case: dict[int, list[tuple[int, str, int]]] = defaultdict(list)
    for of_case, radiograph_id, visit, visit_order in connection.execute(query):
        by_case[of_case].append((radiograph_id, visit, visit_order))
    found: dict[int, str] = {}
    for films in by_case.values():
        titles = visit_titles({visit: order for _, visit, order in films})
        found.update({radiograph_id: titles[visit] for radiograph_id, visit, _ in films})
    return found
