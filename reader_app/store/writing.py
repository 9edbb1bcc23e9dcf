"""How a change becomes rows: each is written only over what the reader saw."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import Connection, Delete, Insert, Table, Update, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from reader_app.errors import GradeError, NotAllowed
from reader_app.reading.change import BoxChange, Change, ExclusionChange, GradeChange, MeasurementChange
from reader_app.store.boxes import box_values
from reader_app.store.freeze import frozen_at, require_writing_allowed
from reader_app.store.measurements import measurement_values, place_values
from reader_app.store.rows import AnyRow
from reader_app.store.tables import assignment, case_film, exclusion, grade, joint, measurement, reading_box

Values = dict[str, object]

# Built once, as every keystroke needs them.
_SHOWN = (
    select(joint.c.id)
    .join_from(case_film, joint, joint.c.radiograph_id == case_film.c.radiograph_id)
    .where(
        case_film.c.case_id == bindparam("case_id"), joint.c.id.in_(bindparam("joint_ids", expanding=True))
    )
)
_FILMS = select(case_film.c.radiograph_id).where(
    case_film.c.case_id == bindparam("case_id"),
    case_film.c.radiograph_id.in_(bindparam("radiograph_ids", expanding=True)),
)
_COUNT = (
    update(assignment)
    .where(assignment.c.id == bindparam("assignment_id"))
    .values(graded=assignment.c.graded + bindparam("more"))
)


def store_change(
    connection: Connection,
    row: AnyRow,
    change: Change,
    *,
    pregrade_in_sight: bool,
    in_sight_seconds: float,
    at: str,
) -> None:
    """Write a change into the tables of one reading.

    Parameters
    ----------
    row
        The reading, with its `case_id`.

    Raises
    ------
    NotAllowed
        If it touches a joint or a film that the case does not show.
    GradeError
        If what it changes is no longer as it was before.
    StudyFrozen
        If the study is frozen.
    """
    # Asked here, as the refusal of a trigger would be taken for a grade that somebody else changed.
    require_writing_allowed(frozen_at(connection), change.verb)
    _check_joints(connection, row.case_id, change.joint_ids)
    graded = 0
    seen: Values = {"pregrade_in_sight": pregrade_in_sight, "in_sight_seconds": in_sight_seconds, "at": at}
    for each in change.grades:
        graded += _store_grade(connection, row.id, each, seen=seen)
    for box in change.boxes:
        _store_box(connection, row.id, box, at=at)
    for excluded in change.exclusions:
        _store_exclusion(connection, row.id, excluded, at=at)
    if change.measurements:
        _check_films(connection, row.case_id, change.radiograph_ids)
    for line in change.measurements:
        _store_measurement(connection, row.id, line, at=at)
    if graded:
        connection.execute(_COUNT, {"assignment_id": row.assignment_id, "more": graded})


def _check_joints(connection: Connection, case_id: int, joint_ids: frozenset[int]) -> None:
    shown = connection.execute(_SHOWN, {"case_id": case_id, "joint_ids": sorted(joint_ids)}).scalars()
    if set(shown) != joint_ids:
        raise NotAllowed("This joint does not belong to the case.", "Open the case again.")


def _check_films(connection: Connection, case_id: int, radiograph_ids: frozenset[int]) -> None:
    wanted = {"case_id": case_id, "radiograph_ids": sorted(radiograph_ids)}
    if set(connection.execute(_FILMS, wanted).scalars()) != radiograph_ids:
        raise NotAllowed("This film does not belong to the case.", "Open the case again.")


def _store_grade(connection: Connection, reading_id: int, change: GradeChange, *, seen: Values) -> int:
    where: Values = {
        "reading_id": reading_id,
        "joint_id": change.key.joint_id,
        "item": change.key.item.key,
    }
    before: Values | None = None if change.before is None else {"code": change.before}
    after: Values | None = None if change.after is None else {"code": change.after, **seen}
    _replace(connection, grade, where, before=before, after=after)
    return (after is not None) - (before is not None)


def _store_box(connection: Connection, reading_id: int, change: BoxChange, *, at: str) -> None:
    where: Values = {"reading_id": reading_id, "joint_id": change.joint_id}
    before: Values | None = dict(box_values(change.before)) if change.before else None
    after: Values | None = {**box_values(change.after), "at": at} if change.after else None
    _replace(connection, reading_box, where, before=before, after=after)


def _store_exclusion(connection: Connection, reading_id: int, change: ExclusionChange, *, at: str) -> None:
    where: Values = {"reading_id": reading_id, "joint_id": change.joint_id}
    before: Values | None = (
        {"reason_id": change.before.reason_id, "note": change.before.note} if change.before else None
    )
    after: Values | None = (
        {"reason_id": change.after.reason_id, "note": change.after.note, "at": at} if change.after else None
    )
    _replace(connection, exclusion, where, before=before, after=after)


def _store_measurement(
    connection: Connection, reading_id: int, change: MeasurementChange, *, at: str
) -> None:
    where: Values = {"reading_id": reading_id, "number": change.number}
    before: Values | None = dict(place_values(change.before)) if change.before else None
    after: Values | None = {**measurement_values(change.after), "at": at} if change.after else None
    _replace(connection, measurement, where, before=before, after=after)


def _replace(
    connection: Connection, table: Table, where: Values, *, before: Values | None, after: Values | None
) -> None:
    """Write `after` where the row is as `before` says; None means that there is no row."""
    if before is None and after is None:
        return
    if before is None:
        try:
            connection.execute(_insert(table), {**where, **(after or {})})
        except IntegrityError as error:
            raise _changed_elsewhere() from error
        return
    seen = {**where, **before}
    found = {f"seen_{name}": value for name, value in seen.items()}
    if after is None:
        touched = connection.execute(_delete(table, tuple(seen)), found).rowcount
    else:
        touched = connection.execute(_update(table, tuple(seen)), {**found, **after}).rowcount
    if touched != 1:
        raise _changed_elsewhere()


@lru_cache(maxsize=16)
def _insert(table: Table) -> Insert:
    return insert(table)


@lru_cache(maxsize=16)
def _update(table: Table, seen: tuple[str, ...]) -> Update:
    return update(table).where(*(table.c[name] == bindparam(f"seen_{name}") for name in seen))


@lru_cache(maxsize=16)
def _delete(table: Table, seen: tuple[str, ...]) -> Delete:
    return delete(table).where(*(table.c[name] == bindparam(f"seen_{name}") for name in seen))


def _changed_elsewhere() -> GradeError:
    return GradeError(
        "This reading was changed elsewhere, in another window or on another computer.",
        "Open the case again to see it as it is now.",
    )
