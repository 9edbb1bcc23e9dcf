"""What the adjudicator sees and decides: readers stand under letters, drawn anew for each case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import Connection, Subquery, exists, func, insert, select, update
from sqlalchemy import case as one_if

from reader_app.errors import GradeError, NotAllowed
from reader_app.protocols.model import Arm, Item
from reader_app.reading.adjudication import Method
from reader_app.reading.case import Case
from reader_app.reading.ordering import blinded_letters
from reader_app.reading.worklist import ReadingState
from reader_app.store.access import require
from reader_app.store.content import IS_EXCLUDED, load_case
from reader_app.store.database import Database
from reader_app.store.film_sources import film_sources
from reader_app.store.journal import ADJUDICATION, append
from reader_app.store.records import Actor, BlindExclusion, BlindGrade, CaseGrades, FilmSource, Role, Settled
from reader_app.store.rows import AnyRow, AnySelect
from reader_app.store.tables import (
    account,
    assignment,
    case_film,
    exclusion,
    grade,
    joint,
    reading,
    settlement,
    study_case,
)

Letters = Mapping[int, Mapping[int, str]]
"""By case, the letter of each account."""

_VIEWER = "adjudicator"
"""Letters are the same for every adjudicator, so that a second one can speak about a case with the first."""


def cases_ready(database: Database, actor: Actor, *, seed: int) -> tuple[CaseGrades, ...]:
    """Return the cases that at least two readers have, and all have, locked.

    Parameters
    ----------
    seed
        Of the reading design; the letters follow from it.

    Raises
    ------
    NotAllowed
        Unless the actor is an adjudicator.
    """
    ready = _ready_cases().subquery()
    in_force = _readings_in_force().join(ready, ready.c.case_id == assignment.c.case_id).subquery()
    with database.reading() as connection:
        require(connection, actor, Role.ADJUDICATOR)
        places = _places(connection)
        readers: dict[int, list[int]] = defaultdict(list)
        for row in connection.execute(select(in_force.c.case_id, in_force.c.account_id)):
            readers[row.case_id].append(row.account_id)
        letters = {
            case_id: blinded_letters(sorted(accounts), seed=seed, case_id=case_id, viewer=_VIEWER)
            for case_id, accounts in readers.items()
        }
        grades = _blind_grades(connection, in_force, letters)
        exclusions = _blind_exclusions(connection, in_force, letters)
    return tuple(
        CaseGrades(
            case_id=case_id,
            place=places[case_id],
            letters=tuple(sorted(letters[case_id].values())),
            grades=tuple(sorted(grades[case_id], key=lambda each: (each.joint_id, each.letter))),
            exclusions=tuple(sorted(exclusions[case_id], key=lambda each: (each.joint_id, each.letter))),
        )
        for case_id in sorted(letters)
    )


def case(database: Database, actor: Actor, case_id: int) -> Case:
    """Return a case that is ready for adjudication, as its readers saw it.

    Raises
    ------
    NotAllowed
        If it is not ready.
    """
    with database.reading() as connection:
        require(connection, actor, Role.ADJUDICATOR)
        _require_ready(connection, case_id)
        unaided = exists().where(assignment.c.case_id == case_id, assignment.c.arm == Arm.UNAIDED.value)
        boxes = not connection.execute(select(unaided)).scalar_one()
        return load_case(connection, case_id, boxes=boxes)


def film_source(database: Database, actor: Actor, radiograph_id: int) -> FilmSource:
    """Return where the file of a film of a ready case lies; for loading, never for showing.

    Raises
    ------
    NotAllowed
        If no ready case shows the film.
    """
    query = select(case_film.c.case_id).where(case_film.c.radiograph_id == radiograph_id)
    with database.reading() as connection:
        require(connection, actor, Role.ADJUDICATOR)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise NotAllowed("This film is on no case of your queue.", "Open a case of your queue.")
        _require_ready(connection, row.case_id)
        return film_sources(connection, [radiograph_id])[radiograph_id]


def save_settled(
    database: Database,
    actor: Actor,
    case_id: int,
    joint_id: int,
    item: Item,
    *,
    code: int | None,
    third_code: int,
    method: Method | None,
    rationale: str,
) -> Settled:
    """Store what the adjudicator decided on one item; an own earlier decision is replaced.

    Parameters
    ----------
    code, method
        The final grade and how it came about; None while a consensus session is still needed.

    Raises
    ------
    NotAllowed
        If the case is not ready, or the joint not one of its joints.
    GradeError
        If another adjudicator has settled the item.
    """
    if (code is None) != (method is None):
        raise ValueError("a final grade needs its method, and the other way round")
    with database.writing() as connection:
        require(connection, actor, Role.ADJUDICATOR)
        _require_ready(connection, case_id)
        _require_joint(connection, case_id, joint_id)
        at = database.now()
        values: dict[str, object] = {
            "case_id": case_id,
            "account_id": actor.account_id,
            "code": code,
            "third_code": third_code,
            "method": method.value if method else None,
            "rationale": rationale.strip(),
            "at": at,
        }
        here = (settlement.c.joint_id == joint_id, settlement.c.item == item.key)
        before = connection.execute(select(settlement).where(*here)).one_or_none()
        if before is None:
            connection.execute(insert(settlement).values(joint_id=joint_id, item=item.key, **values))
        elif before.account_id != actor.account_id:
            raise GradeError(
                "Another adjudicator has settled this grade meanwhile.", "Go on with the next one."
            )
        else:
            connection.execute(update(settlement).where(*here).values(values))
        payload = {
            "case": case_id,
            "joint": joint_id,
            "item": item.key,
            "before": None if before is None else [before.third_code, before.code],
            "third_code": third_code,
            "code": code,
            "method": values["method"],
            "rationale": values["rationale"],
        }
        append(connection, actor, ADJUDICATION + "settle", payload=payload, at=at)
    return Settled(case_id, joint_id, item, code, third_code, method, actor.name, rationale.strip(), at)


def settled(database: Database, actor: Actor) -> tuple[Settled, ...]:
    """Return what has been settled; a colleague's name is left out."""
    with database.reading() as connection:
        require(connection, actor, Role.ADJUDICATOR)
        rows = connection.execute(SETTLED).all()
    return tuple(
        settled_record(row, name=row.name if row.account_id == actor.account_id else "") for row in rows
    )


SETTLED = (
    select(settlement, account.c.name)
    .join_from(settlement, account)
    .order_by(settlement.c.case_id, settlement.c.joint_id, settlement.c.item)
)
"""All settlements, each with the name of its adjudicator."""


def settled_record(row: AnyRow, *, name: str) -> Settled:
    """Return the record of one row of `SETTLED`."""
    return Settled(
        case_id=row.case_id,
        joint_id=row.joint_id,
        item=Item.parse(row.item),
        code=row.code,
        third_code=row.third_code,
        method=Method(row.method) if row.method else None,
        adjudicator=name,
        rationale=row.rationale,
        at=row.at,
    )


def _ready_cases() -> AnySelect:
    """Select the cases with two or more readers who have all locked; hidden re-reads do not count."""
    not_locked = func.sum(one_if((assignment.c.state == ReadingState.LOCKED.value, 0), else_=1))
    return (
        select(assignment.c.case_id)
        .where(assignment.c.pass_number == 1)
        .group_by(assignment.c.case_id)
        .having(func.count() >= 2, not_locked == 0)
    )


def _readings_in_force() -> AnySelect:
    """Select of each first-pass assignment the reading that counts: the aided one where there are two."""
    later = reading.alias("later")
    superseded = exists().where(
        later.c.assignment_id == assignment.c.id,
        later.c.arm == Arm.AIDED.value,
        reading.c.arm == Arm.UNAIDED.value,
    )
    return (
        select(reading.c.id.label("reading_id"), assignment.c.case_id, assignment.c.account_id)
        .join_from(reading, assignment)
        .where(assignment.c.pass_number == 1, ~superseded)
    )


def _places(connection: Connection) -> dict[int, int]:
    ids = connection.execute(select(study_case.c.id).order_by(study_case.c.id)).scalars()
    return {case_id: place for place, case_id in enumerate(ids, start=1)}


def _blind_grades(
    connection: Connection, in_force: Subquery, letters: Letters
) -> dict[int, list[BlindGrade]]:
    found: dict[int, list[BlindGrade]] = defaultdict(list)
    query = (
        select(in_force.c.case_id, in_force.c.account_id, grade.c.joint_id, grade.c.item, grade.c.code)
        .join_from(in_force, grade, grade.c.reading_id == in_force.c.reading_id)
        .where(~IS_EXCLUDED)
        # By item, so that the stable sort by joint and letter leaves the items in order.
        .order_by(grade.c.item)
    )
    for row in connection.execute(query):
        letter = letters[row.case_id][row.account_id]
        found[row.case_id].append(BlindGrade(letter, row.joint_id, Item.parse(row.item), row.code))
    return found


def _blind_exclusions(
    connection: Connection, in_force: Subquery, letters: Letters
) -> dict[int, list[BlindExclusion]]:
    found: dict[int, list[BlindExclusion]] = defaultdict(list)
    query = select(
        in_force.c.case_id, in_force.c.account_id, exclusion.c.joint_id, exclusion.c.reason_id
    ).join_from(in_force, exclusion, exclusion.c.reading_id == in_force.c.reading_id)
    for row in connection.execute(query):
        letter = letters[row.case_id][row.account_id]
        found[row.case_id].append(BlindExclusion(letter, row.joint_id, row.reason_id))
    return found


def _require_ready(connection: Connection, case_id: int) -> None:
    ready = connection.execute(_ready_cases().where(assignment.c.case_id == case_id)).one_or_none()
    if ready is None:
        raise NotAllowed(
            "This case is not ready for adjudication.", "Wait until all its readers have locked it."
        )


def _require_joint(connection: Connection, case_id: int, joint_id: int) -> None:
    shown = connection.execute(
        select(joint.c.id)
        .join_from(case_film, joint, joint.c.radiograph_id == case_film.c.radiograph_id)
        .where(case_film.c.case_id == case_id, joint.c.id == joint_id)
    ).one_or_none()
    if shown is None:
        raise NotAllowed("This joint does not belong to the case.", "Open the case again.")
