"""Build the cases of a study and put them on the readers' worklists, as the design says."""

from __future__ import annotations

from reader_app.operations.study import Study
from reader_app.reading.ordering import build_cases, reading_order
from reader_app.store import accounts, cases
from reader_app.store.records import Actor, Role


def assign_all(study: Study, actor: Actor) -> None:
    """Make cases of films that have none and give every reader those not yet on their worklist.

    Called after every import and every new reader; what is assigned already keeps its place.

    Raises
    ------
    NotAllowed
        If the acting account is no coordinator.
    """
    design = study.design
    places = cases.film_places_without_case(study.database, actor)
    if places:
        built = build_cases(places, design.presentation, seed=design.seed)
        cases.add_cases(study.database, actor, built, presentation=design.presentation)
    every_case = cases.case_ids(study.database, actor)
    for account in accounts.list_accounts(study.database, actor):
        if account.role is Role.READER and account.active:
            order = reading_order(every_case, seed=design.seed, reader=account.name)
            cases.assign(study.database, actor, account.id, order, arm=design.arm)
