"""What reports are made of: locked readings with names and pseudonyms. For coordinator and auditor."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, select

from reader_app.protocols.model import Arm, Item
from reader_app.reading.case import JointSide
from reader_app.reading.worklist import ReadingState
from reader_app.store.access import require, require_results
from reader_app.store.adjudications import SETTLED, settled_record
from reader_app.store.counting import counting_assignments, readings_that_count
from reader_app.store.database import Database
from reader_app.store.effective import exclusion_of, exclusion_sources, grade_sources
from reader_app.store.records import (
    Actor,
    JointPlace,
    ReadingExclusion,
    ReadingGrade,
    ReadingTime,
    ReferenceRecord,
    Role,
    Settled,
)
from reader_app.store.result_records import CountedReading
from reader_app.store.rows import AnyRow, AnySelect
from reader_app.store.tables import (
    account,
    assignment,
    case_film,
    joint,
    participant,
    radiograph,
    reading,
    reference_grade,
    study_case,
)

# A hidden re-read is no second opinion, and calibration is no result: they are not told of here.
_READING = assignment.c.purpose == "reading"


def locked_grades(database: Database, actor: Actor) -> tuple[ReadingGrade, ...]:
    """Return the grades of all locked readings, by case, reader and joint.

    Amendments are applied; the grade that was signed stands beside. A grade given before the joint was
    excluded stays stored, but is not returned: `exclusions` has the joint.

    Raises
    ------
    NotAllowed
        For a coordinator before the study is frozen.
    """
    queries = [
        _of_locked_readings(each, each.c.item, each.c.code, each.c.original, each.c.amended)
        for each in grade_sources()
    ]
    rows = _all_grades(database, actor, *queries)
    rows.sort(key=lambda row: (row.case_id, row.reading_id, row.joint_id, row.item))
    return tuple(
        ReadingGrade(
            account_id=row.account_id,
            reader=row.name,
            participant=row.pseudonym,
            visit=row.visit,
            radiograph_id=row.radiograph_id,
            joint_id=row.joint_id,
            side=JointSide(row.side),
            item=Item.parse(row.item),
            code=row.code,
            locked=True,
            arm=Arm(row.arm),
            case_id=row.case_id,
            reading_id=row.reading_id,
            original=row.original,
            amended=bool(row.amended),
        )
        for row in rows
    )


def exclusions(database: Database, actor: Actor) -> tuple[ReadingExclusion, ...]:
    """Return the joints that locked readings exclude, with reason and note; amendments are applied.

    Raises
    ------
    NotAllowed
        For a coordinator before the study is frozen.
    """
    queries = [
        _of_locked_readings(each, each.c.reason_id, each.c.note, each.c.after_json, each.c.amended)
        for each in exclusion_sources()
    ]
    rows = _all_grades(database, actor, *queries)
    rows.sort(key=lambda row: (row.case_id, row.reading_id, row.joint_id))
    return tuple(
        ReadingExclusion(
            account_id=row.account_id,
            reader=row.name,
            participant=row.pseudonym,
            visit=row.visit,
            radiograph_id=row.radiograph_id,
            joint_id=row.joint_id,
            side=JointSide(row.side),
            reason_id=found.reason_id,
            note=found.note,
            arm=Arm(row.arm),
            case_id=row.case_id,
            reading_id=row.reading_id,
            amended=bool(row.amended),
        )
        for row, found in ((row, exclusion_of(row)) for row in rows)
    )


def reference_grades(database: Database, actor: Actor) -> tuple[ReferenceRecord, ...]:
    """Return the grades that came with the radiographs."""
    query = (
        select(
            participant.c.pseudonym,
            radiograph.c.visit,
            joint.c.radiograph_id,
            joint.c.side,
            reference_grade.c.joint_id,
            reference_grade.c.item,
            reference_grade.c.code,
            reference_grade.c.source,
        )
        .join_from(reference_grade, joint)
        .join(radiograph)
        .join(participant)
        .order_by(reference_grade.c.joint_id, reference_grade.c.item, reference_grade.c.source)
    )
    return tuple(
        ReferenceRecord(
            participant=row.pseudonym,
            visit=row.visit,
            radiograph_id=row.radiograph_id,
            joint_id=row.joint_id,
            side=JointSide(row.side),
            item=Item.parse(row.item),
            code=row.code,
            source=row.source,
        )
        for row in _all(database, actor, query)
    )


def all_settled(database: Database, actor: Actor) -> tuple[Settled, ...]:
    """Return everything that adjudicators decided, with their names; raises like `locked_grades`."""
    return tuple(settled_record(row, name=row.name) for row in _all_grades(database, actor, SETTLED))


def joint_places(database: Database, actor: Actor) -> tuple[JointPlace, ...]:
    """Return where every joint stands in the study, in the order of import."""
    query = (
        select(
            joint.c.id,
            joint.c.radiograph_id,
            joint.c.side,
            participant.c.pseudonym,
            radiograph.c.visit,
            radiograph.c.visit_order,
            case_film.c.case_id,
            study_case.c.purpose,
        )
        .join_from(joint, radiograph)
        .join(participant)
        .outerjoin(case_film, case_film.c.radiograph_id == radiograph.c.id)
        .outerjoin(study_case, study_case.c.id == case_film.c.case_id)
        .order_by(joint.c.id)
    )
    return tuple(
        JointPlace(
            joint_id=row.id,
            radiograph_id=row.radiograph_id,
            participant=row.pseudonym,
            visit=row.visit,
            visit_order=row.visit_order,
            side=JointSide(row.side),
            case_id=row.case_id,
            calibration=row.purpose == "calibration",
        )
        for row in _all(database, actor, query)
    )


def counted_readings(database: Database, actor: Actor) -> tuple[CountedReading, ...]:
    """Return who has which case to read as far as it counts for the consensus, and how far that is.

    It holds no grade: coordinators may know it at any time.
    """
    mine = counting_assignments().subquery("mine")
    begun = readings_that_count().subquery("begun")
    query = (
        select(mine.c.case_id, mine.c.account_id, mine.c.state, begun.c.reading_id)
        .join_from(
            mine,
            begun,
            and_(begun.c.case_id == mine.c.case_id, begun.c.account_id == mine.c.account_id),
            isouter=True,
        )
        .order_by(mine.c.case_id, mine.c.account_id)
    )
    return tuple(
        CountedReading(row.case_id, row.account_id, row.state == ReadingState.LOCKED.value, row.reading_id)
        for row in _all(database, actor, query)
    )


def timings(database: Database, actor: Actor) -> tuple[ReadingTime, ...]:
    """Return when and how long each locked reading was read, and under which hashes."""
    query = (
        select(reading, assignment.c.account_id, assignment.c.case_id, account.c.name)
        .join_from(reading, assignment)
        .join(account)
        .where(_READING, reading.c.locked_at.is_not(None))
        .order_by(reading.c.id)
    )
    return tuple(
        ReadingTime(
            account_id=row.account_id,
            reader=row.name,
            case_id=row.case_id,
            reading_id=row.id,
            arm=Arm(row.arm),
            opened_at=row.opened_at,
            locked_at=row.locked_at,
            active_seconds=row.active_seconds,
            protocol_sha256=row.protocol_sha256,
            design_sha256=row.design_sha256,
            software=row.software,
        )
        for row in _all(database, actor, query)
    )


def _of_locked_readings(table: FromClause, *columns: ColumnElement[Any]) -> AnySelect:
    """Select what locked readings hold in a table, with all that says where it stands."""
    return (
        select(
            assignment.c.account_id,
            account.c.name,
            participant.c.pseudonym,
            radiograph.c.visit,
            joint.c.radiograph_id,
            table.c.joint_id,
            joint.c.side,
            reading.c.arm,
            assignment.c.case_id,
            table.c.reading_id,
            *columns,
        )
        .join_from(reading, assignment, assignment.c.id == reading.c.assignment_id)
        .join(account, account.c.id == assignment.c.account_id)
        .join(table, table.c.reading_id == reading.c.id)
        .join(joint, joint.c.id == table.c.joint_id)
        .join(radiograph, radiograph.c.id == joint.c.radiograph_id)
        .join(participant, participant.c.id == radiograph.c.participant_id)
        .where(_READING, reading.c.locked_at.is_not(None))
        .order_by(assignment.c.case_id, table.c.reading_id, table.c.joint_id)
    )


def _all(database: Database, actor: Actor, query: AnySelect) -> list[AnyRow]:
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return list(connection.execute(query).all())


def _all_grades(database: Database, actor: Actor, *queries: AnySelect) -> list[AnyRow]:
    """Fetch what only the auditor sees before the study is frozen; all of it at one moment."""
    with database.reading() as connection:
        require_results(connection, actor)
        return [row for query in queries for row in connection.execute(query)]
