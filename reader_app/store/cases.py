"""Cases, who reads them, and how far the study is. For the coordinator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, Table, case, func, insert, select
from sqlalchemy.exc import IntegrityError

from reader_app.errors import StudyError
from reader_app.protocols.model import Presentation
from reader_app.reading.ordering import FilmPlace
from reader_app.reading.planned import CasePurpose, PlannedEntry
from reader_app.reading.worklist import ReadingState
from reader_app.store.access import require
from reader_app.store.database import Database
from reader_app.store.films import batches
from reader_app.store.journal import append
from reader_app.store.pregrades import bundles_in
from reader_app.store.records import Actor, ReaderProgress, Role, StudyCounts
from reader_app.store.tables import (
    account,
    assignment,
    case_film,
    import_file,
    joint,
    participant,
    radiograph,
    settlement,
    study_case,
)

BATCH = 2000


def film_places_without_case(database: Database, actor: Actor) -> tuple[FilmPlace, ...]:
    """Return the radiographs that no case shows yet."""
    query = (
        select(radiograph.c.id, radiograph.c.participant_id, radiograph.c.visit_order)
        .outerjoin_from(radiograph, case_film)
        .where(case_film.c.case_id.is_(None))
        .order_by(radiograph.c.id)
    )
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return tuple(FilmPlace(*row) for row in connection.execute(query))


def add_cases(
    database: Database,
    actor: Actor,
    cases: Sequence[tuple[int, ...]],
    *,
    presentation: Presentation,
    purpose: CasePurpose = CasePurpose.LIVE,
) -> int:
    """Make cases of radiographs, in the order in which their films are shown.

    Parameters
    ----------
    cases
        Radiograph ids, case by case.
    presentation
        Decides whether a reader is told the visits.
    purpose
        What the cases are in the study for.

    Returns
    -------
    int
        How many were made.

    Raises
    ------
    StudyError
        If a radiograph is in a case already, or not in the study; then nothing of that batch is made.
    """
    for batch in batches(cases, BATCH):
        with database.writing() as connection:
            require(connection, actor, Role.COORDINATOR)
            at = database.now()
            row = {"presentation": presentation.value, "purpose": purpose.value, "created_at": at}
            ids = connection.execute(
                insert(study_case).returning(study_case.c.id, sort_by_parameter_order=True),
                [row] * len(batch),
            ).scalars()
            films = dict(zip(ids, batch, strict=True))
            _add_films(connection, films)
            payload = {
                "presentation": presentation.value,
                "purpose": purpose.value,
                "cases": {str(id_): list(f) for id_, f in films.items()},
            }
            append(connection, actor, "case.add", payload=payload, at=at)
    return len(cases)


def case_ids(database: Database, actor: Actor) -> tuple[int, ...]:
    """Return all cases, oldest first."""
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return tuple(connection.execute(select(study_case.c.id).order_by(study_case.c.id)).scalars())


def assign(database: Database, actor: Actor, account_id: int, entries: Sequence[PlannedEntry]) -> int:
    """Append entries to a reader's worklist; those already on it stay where they are.

    Many are appended in several transactions, so that readers can go on writing meanwhile.

    Parameters
    ----------
    entries
        In place order, as `plan_worklists` plans them; what one comes `after` stands before it or on the
        worklist already.

    Returns
    -------
    int
        How many were appended.

    Raises
    ------
    StudyError
        If the account is no active reader's, a case is not in the study, or the worklist is not as it was
        when the entries were planned; then nothing of that batch is appended.
    """
    for batch in batches(entries, BATCH) if entries else ((),):
        with database.writing() as connection:
            require(connection, actor, Role.COORDINATOR)
            _require_reader(connection, account_id)
            if not batch:
                break
            _add_entries(connection, account_id, batch)
            payload = {"reader": account_id, "entries": [_told(entry) for entry in batch]}
            append(connection, actor, "case.assign", payload=payload, at=database.now())
    return len(entries)


def counts(database: Database, actor: Actor) -> StudyCounts:
    """Return how far the study is: progress, never grades."""
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)

        def number(table: Table, *which: ColumnElement[bool]) -> int:
            query = select(func.count()).select_from(table).where(*which)
            return int(connection.execute(query).scalar_one())

        return StudyCounts(
            participants=number(participant),
            radiographs=number(radiograph),
            joints=number(joint),
            faults=number(import_file, import_file.c.state == "refused"),
            # A calibration case is none of those that the study is about.
            cases=number(study_case, study_case.c.purpose == CasePurpose.LIVE.value),
            readers=_progress(connection),
            pregraded=bundles_in(connection),
            adjudicated=int(
                connection.execute(
                    select(func.count()).select_from(settlement).where(settlement.c.code.is_not(None))
                ).scalar_one()
            ),
        )


def _add_entries(connection: Connection, account_id: int, entries: Sequence[PlannedEntry]) -> None:
    waiting = list(entries)
    known = _known(connection, account_id, {entry.after[0] for entry in entries if entry.after})
    try:
        while waiting:
            now = [entry for entry in waiting if entry.after is None or entry.after in known]
            if not now:
                raise _moved()
            ids = connection.execute(
                insert(assignment).returning(assignment.c.id, sort_by_parameter_order=True),
                [_row(account_id, entry, known) for entry in now],
            ).scalars()
            known |= {(entry.case_id, entry.pass_number): id_ for entry, id_ in zip(now, ids, strict=True)}
            waiting = [entry for entry in waiting if (entry.case_id, entry.pass_number) not in known]
    except IntegrityError as error:
        raise _moved() from error


def _row(account_id: int, entry: PlannedEntry, known: Mapping[tuple[int, int], int]) -> dict[str, object]:
    return {
        "account_id": account_id,
        "case_id": entry.case_id,
        "pass_number": entry.pass_number,
        "place": entry.place,
        "arm": entry.arm.value,
        "purpose": str(entry.purpose),
        "period": entry.period,
        "block": entry.block,
        "mirrored": entry.mirrored,
        "after_assignment_id": known[entry.after] if entry.after else None,
        "after_days": entry.after_days,
        "state": ReadingState.WAITING.value,
        "graded": 0,
    }


def _told(entry: PlannedEntry) -> dict[str, object]:
    return {
        "case": entry.case_id,
        "place": entry.place,
        "pass": entry.pass_number,
        "arm": entry.arm.value,
        "purpose": str(entry.purpose),
        "period": entry.period,
        "block": entry.block,
        "mirrored": entry.mirrored,
        "after": list(entry.after) if entry.after else None,
        "after_days": entry.after_days,
    }


def _known(connection: Connection, account_id: int, cases: set[int]) -> dict[tuple[int, int], int]:
    """Return the assignments of a reader by case and pass."""
    if not cases:
        return {}
    query = select(assignment.c.id, assignment.c.case_id, assignment.c.pass_number).where(
        assignment.c.account_id == account_id, assignment.c.case_id.in_(sorted(cases))
    )
    return {(row.case_id, row.pass_number): row.id for row in connection.execute(query)}


def _moved() -> StudyError:
    return StudyError(
        "A worklist has changed since it was planned, or a case to be assigned is not in the study.",
        "Open the study again; another window may have assigned the cases.",
    )


def _add_films(connection: Connection, films: dict[int, tuple[int, ...]]) -> None:
    rows = [
        {"case_id": case_id, "place": place, "radiograph_id": film}
        for case_id, ids in films.items()
        for place, film in enumerate(ids)
    ]
    if not all(films.values()):
        raise StudyError("A case needs at least one radiograph.", "Import radiographs first.")
    try:
        connection.execute(insert(case_film), rows)
    except IntegrityError as error:
        raise StudyError(
            "A radiograph that was to become a case is in a case already, or not in the study.",
            "Open the study again; another window may have made the cases.",
        ) from error


def _require_reader(connection: Connection, account_id: int) -> None:
    found = connection.execute(
        select(account.c.role, account.c.active).where(account.c.id == account_id)
    ).one_or_none()
    if found is None or found.role != Role.READER.value or not found.active:
        raise StudyError("Cases can only be assigned to an active reader's account.", "Choose a reader.")


def _progress(connection: Connection) -> tuple[ReaderProgress, ...]:
    in_state = {
        state: func.coalesce(func.sum(case((assignment.c.state == state.value, 1), else_=0)), 0)
        for state in (ReadingState.LOCKED, ReadingState.OPEN)
    }
    query = (
        select(
            account.c.id,
            account.c.name,
            in_state[ReadingState.LOCKED].label("locked"),
            in_state[ReadingState.OPEN].label("open"),
            func.count(assignment.c.id).label("total"),
        )
        .outerjoin_from(account, assignment)
        .where(account.c.role == Role.READER.value)
        .group_by(account.c.id, account.c.name)
        .order_by(account.c.id)
    )
    return tuple(
        ReaderProgress(row.id, row.name, locked=row.locked, open=row.open, total=row.total)
        for row in connection.execute(query)
    )
