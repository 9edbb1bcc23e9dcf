"""Files on disk on their way into the study: planned, corrected, imported, refused. For the coordinator.

What waits to be imported is a row with a plan. A plan is whatever `operations` puts into it, except for two
keys that are searched here: ``missing``, what the header does not say, and ``participant``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, or_, select, update

from reader_app.imaging.radiograph import FileStamp
from reader_app.store.access import require
from reader_app.store.canonical import canonical
from reader_app.store.database import Database
from reader_app.store.films import batches
from reader_app.store.import_records import FileState, KnownFile, LookedAt, PlanCounts, VisitPlace
from reader_app.store.journal import append
from reader_app.store.records import Actor, ImportFault, Role
from reader_app.store.rows import AnyRow
from reader_app.store.tables import import_file, participant, radiograph

_AT_ONCE = 500  # an engine takes only so many values in one statement

_FILES = select(import_file, radiograph.c.path.label("film_path")).outerjoin_from(
    import_file, radiograph, import_file.c.radiograph_id == radiograph.c.id
)
_WAITING = import_file.c.plan_json.is_not(None) & import_file.c.state.in_(
    (FileState.PLANNED.value, FileState.LEFT_OUT.value)
)
_INCOMPLETE = import_file.c.plan_json.not_like('%"missing":[]%')


def refuse_others(database: Database, actor: Actor) -> None:
    """Refuse whoever may not import, before anything is looked at or written."""
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR)


def known_files(database: Database, actor: Actor, paths: Sequence[str]) -> dict[str, KnownFile]:
    """Return what is known of files, by path; those never seen are not among them."""
    found: dict[str, KnownFile] = {}
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        for some in batches(paths, _AT_ONCE):
            for row in connection.execute(_FILES.where(import_file.c.path.in_(some))):
                found[row.path] = _known(row)
    return found


def keep_files(database: Database, actor: Actor, files: Sequence[LookedAt]) -> int:
    """Take note of files that were looked at; what was known of the same paths is replaced.

    All of them go in one transaction. A planned file that is looked at again keeps its number.

    Returns
    -------
    int
        How many there were.
    """
    if not files:
        return 0
    newest = {file.path: file for file in files}
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        at = database.now()
        ids: dict[str, int] = {}
        for some in batches(tuple(newest), _AT_ONCE):
            query = select(import_file.c.path, import_file.c.id).where(import_file.c.path.in_(some))
            ids.update({row.path: row.id for row in connection.execute(query)})
        old = [{"the_id": ids[path], **_row(file, at)} for path, file in newest.items() if path in ids]
        new = [_row(file, at) for path, file in newest.items() if path not in ids]
        if old:
            connection.execute(update(import_file).where(import_file.c.id == bindparam("the_id")), old)
        if new:
            connection.execute(insert(import_file), new)
        payload = {
            state.value: count
            for state in FileState
            if (count := sum(file.state is state for file in newest.values()))
        }
        append(connection, actor, "import.look", payload=payload, at=at)
    return len(newest)


def waiting_files(
    database: Database, actor: Actor, *, offset: int = 0, limit: int = 500, incomplete_only: bool = False
) -> tuple[KnownFile, ...]:
    """Return files that wait to be imported or are left out of it, in the order in which they were seen."""
    query = _FILES.where(_WAITING)
    if incomplete_only:
        query = query.where(_INCOMPLETE)
    query = query.order_by(import_file.c.id).offset(offset).limit(limit)
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return tuple(_known(row) for row in connection.execute(query))


def next_planned(database: Database, actor: Actor, *, after: int, limit: int) -> tuple[KnownFile, ...]:
    """Return the next planned files behind one of them, by number."""
    query = (
        _FILES.where(
            import_file.c.state == FileState.PLANNED.value,
            import_file.c.plan_json.is_not(None),
            import_file.c.id > after,
        )
        .order_by(import_file.c.id)
        .limit(limit)
    )
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return tuple(_known(row) for row in connection.execute(query))


def waiting_by_id(database: Database, actor: Actor, ids: Sequence[int]) -> tuple[KnownFile, ...]:
    """Return those of some files that wait to be imported or are left out of it."""
    found: list[KnownFile] = []
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        for some in batches(ids, _AT_ONCE):
            query = _FILES.where(_WAITING, import_file.c.id.in_(some)).order_by(import_file.c.id)
            found.extend(_known(row) for row in connection.execute(query))
    return tuple(found)


def change_plans(
    database: Database,
    actor: Actor,
    plans: Mapping[int, Mapping[str, object]],
    *,
    what: Mapping[str, object],
    state: FileState | None = None,
) -> int:
    """Replace the plans of files that wait, and where asked their state.

    Parameters
    ----------
    plans
        By the file's number; files that no longer wait are left as they are.
    what
        What was changed, for the journal.
    state
        `FileState.PLANNED` or `FileState.LEFT_OUT`; None leaves it.

    Returns
    -------
    int
        How many files waited.
    """
    if not plans:
        return 0
    values: dict[str, object] = {"plan_json": bindparam("the_plan")}
    if state is not None:
        values["state"] = state.value
        values["reason"] = "" if state is FileState.PLANNED else "Left out by the coordinator."
    statement = update(import_file).where(_WAITING, import_file.c.id == bindparam("the_id")).values(values)
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        done = 0
        for file_id, plan in plans.items():
            result = connection.execute(statement, {"the_id": file_id, "the_plan": canonical(dict(plan))})
            done += result.rowcount
        payload = {"files": sorted(plans), **what}
        append(connection, actor, "import.correct", payload=payload, at=database.now())
    return done


def forget_waiting(database: Database, actor: Actor) -> int:
    """Forget all files that wait to be imported or are left out of what waits; return how many."""
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        done = connection.execute(delete(import_file).where(_WAITING)).rowcount
        if done:
            append(connection, actor, "import.forget", payload={"files": done}, at=database.now())
    return done


def settle_left_out(database: Database, actor: Actor, ids: Sequence[int]) -> int:
    """Take files that are left out from the plan for good, so that later imports pass them by."""
    done = 0
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        for some in batches(ids, _AT_ONCE):
            done += connection.execute(
                update(import_file)
                .where(import_file.c.id.in_(some), import_file.c.state == FileState.LEFT_OUT.value)
                .values(plan_json=None)
            ).rowcount
        if done:
            append(connection, actor, "import.leave-out", payload={"files": sorted(ids)}, at=database.now())
    return done


def plan_counts(database: Database, actor: Actor) -> PlanCounts:
    """Count what waits to be imported."""
    planned = import_file.c.state == FileState.PLANNED.value
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)

        def number(*which: ColumnElement[bool]) -> int:
            query = select(func.count()).select_from(import_file).where(_WAITING, *which)
            return int(connection.execute(query).scalar_one())

        return PlanCounts(number(planned), number(planned, _INCOMPLETE), number(~planned))


def visits_of(database: Database, actor: Actor, participants: Sequence[str]) -> tuple[VisitPlace, ...]:
    """Return the visits of participants who are in the study, with what is remembered of their plans."""
    found: dict[tuple[str, str, int, str | None], None] = {}
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        for some in batches(participants, _AT_ONCE):
            query = (
                select(
                    participant.c.pseudonym,
                    radiograph.c.visit,
                    radiograph.c.visit_order,
                    import_file.c.plan_json,
                )
                .join_from(participant, radiograph)
                .outerjoin(import_file, import_file.c.radiograph_id == radiograph.c.id)
                .where(participant.c.pseudonym.in_(some))
                .order_by(radiograph.c.id)
            )
            found.update({tuple(row): None for row in connection.execute(query)})
    return tuple(VisitPlace(who, visit, order, _plan(plan)) for who, visit, order, plan in found)


def waiting_of(database: Database, actor: Actor, participants: Sequence[str]) -> tuple[KnownFile, ...]:
    """Return the waiting files of some participants."""
    found: list[KnownFile] = []
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        for some in batches(participants, 50):
            # Canonical JSON writes other letters than ASCII with a backslash, which PostgreSQL's LIKE has a
            # meaning of its own for.
            names = (
                import_file.c.plan_json.contains(f'"participant":{canonical(name)}', autoescape=True)
                for name in some
            )
            found.extend(_known(row) for row in connection.execute(_FILES.where(_WAITING, or_(*names))))
    return tuple(found)


def refused_files(database: Database, actor: Actor) -> tuple[ImportFault, ...]:
    """Return the files that could not be imported, by path."""
    return _with_reasons(database, actor, FileState.REFUSED)


def duplicate_files(database: Database, actor: Actor) -> tuple[ImportFault, ...]:
    """Return the files that hold the same pixels as a radiograph of the study, by path."""
    return _with_reasons(database, actor, FileState.DUPLICATE)


def _with_reasons(database: Database, actor: Actor, state: FileState) -> tuple[ImportFault, ...]:
    query = select(import_file).where(import_file.c.state == state.value).order_by(import_file.c.path)
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return tuple(ImportFault(row.path, row.reason, row.at) for row in connection.execute(query))


def _row(file: LookedAt, at: str) -> dict[str, object]:
    return {
        "path": file.path,
        "size": file.stamp.size,
        "modified_ns": file.stamp.modified_ns,
        "state": file.state.value,
        "reason": file.reason,
        "radiograph_id": file.radiograph_id,
        "plan_json": None if file.plan is None else canonical(dict(file.plan)),
        "at": at,
    }


def _known(row: AnyRow) -> KnownFile:
    return KnownFile(
        id=row.id,
        path=row.path,
        stamp=FileStamp(row.size, row.modified_ns),
        state=FileState(row.state),
        reason=row.reason,
        plan=_plan(row.plan_json),
        radiograph_id=row.radiograph_id,
        film_path=row.film_path or "",
    )


def _plan(text: str | None) -> Mapping[str, object] | None:
    if text is None:
        return None
    plan = json.loads(text)
    return plan if isinstance(plan, dict) else None
