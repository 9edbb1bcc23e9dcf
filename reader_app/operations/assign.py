"""Build the cases of a study and put them on the readers' worklists, as the design says."""

from __future__ import annotations

from collections.abc import Sequence

from reader_app.operations.study import Study
from reader_app.protocols.model import Presentation
from reader_app.reading.design import ReadingDesign
from reader_app.reading.ordering import (
    FilmPlace,
    ReferencedFilm,
    build_cases,
    calibration_cases,
    choose_calibration,
)
from reader_app.reading.planned import CasePurpose, PlannedReader
from reader_app.reading.worklists import plan_worklists
from reader_app.store import accounts, case_plans, cases
from reader_app.store.records import Actor, Role


def assign_all(study: Study, actor: Actor) -> None:
    """Make cases of films that have none and give every reader those not yet on their worklist.

    Called after every import, every new reader and every change of the design. Until somebody opens a case,
    all is dealt anew, so that films and readers that come in several steps are mixed and shared out as if
    they had come at once. From then on every place stays, and what comes later is appended.

    Raises
    ------
    NotAllowed
        If the acting account is no coordinator.
    StudyError
        If another window assigns cases at the same time.
    """
    begun = case_plans.begun(study.database, actor)
    if not begun and _belong_together(study, actor):
        # Visits that came in two imports are one case, and calibration cases are drawn from all films.
        begun = not case_plans.withdraw(study.database, actor, cases=True)
    _make_cases(study, actor, begun=begun)
    planned = case_plans.planned_cases(study.database, actor)
    readers = planned_readers(study, actor)
    if not begun and any(reader.existing for reader in readers):
        anew = [PlannedReader(each.account_id, each.name) for each in readers if each.takes_more]
        plans = plan_worklists(study.design, cases=planned, readers=anew)
        standing = {reader.account_id: reader.existing for reader in readers}
        if all(plan.entries == standing[plan.account_id] for plan in plans):
            return
        if case_plans.withdraw(study.database, actor, cases=False):
            for plan in plans:
                cases.assign(study.database, actor, plan.account_id, plan.entries)
            return
    for plan in plan_worklists(study.design, cases=planned, readers=readers):
        cases.assign(study.database, actor, plan.account_id, plan.entries)


def deal_anew(study: Study, actor: Actor) -> None:
    """Make all cases and worklists anew if nobody has opened a case, else append what is missing."""
    case_plans.withdraw(study.database, actor, cases=True)
    assign_all(study, actor)


def planned_readers(study: Study, actor: Actor) -> tuple[PlannedReader, ...]:
    """Return all readers with what stands on their worklists; closed accounts take nothing more."""
    standing = case_plans.planned_entries(study.database, actor)
    return tuple(
        PlannedReader(account.id, account.name, standing.get(account.id, ()), takes_more=account.active)
        for account in accounts.list_accounts(study.database, actor)
        if account.role is Role.READER and (account.active or account.id in standing)
    )


def built_cases(
    design: ReadingDesign, places: Sequence[FilmPlace], films: Sequence[ReferencedFilm]
) -> dict[CasePurpose, tuple[tuple[int, ...], ...]]:
    """Return the cases that the design makes of films, as radiograph ids, by what they are for."""
    built = build_cases(places, design.presentation, seed=design.seed)
    wanted = design.calibration.cases
    chosen = set(choose_calibration(calibration_cases(built, films), number=wanted, seed=design.seed))
    return {
        CasePurpose.CALIBRATION: tuple(case for case in built if case in chosen),
        CasePurpose.LIVE: tuple(case for case in built if case not in chosen),
    }


def _make_cases(study: Study, actor: Actor, *, begun: bool) -> None:
    places = cases.film_places_without_case(study.database, actor)
    if not places:
        return
    films: tuple[ReferencedFilm, ...] = ()
    # Once somebody reads, the set stays as it is: another case in it would close live reading for all.
    if study.design.calibration.cases and not begun:
        source = study.design.calibration.source
        films = case_plans.referenced_films(study.database, actor, source=source)
    for purpose, built in built_cases(study.design, places, films).items():
        cases.add_cases(study.database, actor, built, presentation=study.design.presentation, purpose=purpose)


def _belong_together(study: Study, actor: Actor) -> bool:
    """Whether new films may change the cases that there are."""
    if study.design.presentation is Presentation.SINGLE and not study.design.calibration.cases:
        return False
    return bool(cases.film_places_without_case(study.database, actor)) and bool(
        cases.case_ids(study.database, actor)
    )
