"""Exclusions that a second reader confirms or rejects, without learning who excluded or what was graded.

An exclusion is asked about once its reading is locked for good, where the protocol's reason needs a second
look. Where another reader of the case excludes the joint too, nobody is asked: two have said so. Else every
other reader of the case may answer, once all their own readings of it are locked; where the case has a single
reader, any other reader of the study. Only readings that count for the consensus are asked about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from reader_app.errors import GradeError, NotAllowed
from reader_app.protocols.model import Protocol
from reader_app.reading.adjudication import ExclusionState
from reader_app.reading.worklist import ReadingState
from reader_app.store.access import require, require_results
from reader_app.store.content import load_case
from reader_app.store.counting import counting_assignments, readings_that_count
from reader_app.store.database import Database
from reader_app.store.effective import exclusion_of, exclusion_sources
from reader_app.store.exclusion_records import CheckCounts, CheckRecord, QualityCheck
from reader_app.store.film_sources import film_sources
from reader_app.store.journal import EXCLUSION, append
from reader_app.store.records import Actor, FilmSource, Role
from reader_app.store.tables import account, assignment, exclusion_check, joint, reading

_LOCKED = ReadingState.LOCKED.value


@dataclass(frozen=True)
class _Excluded:
    """One joint that a locked reading excludes."""

    reading_id: int
    joint_id: int
    case_id: int
    account_id: int
    reason_id: str


def states(connection: Connection, protocol: Protocol) -> dict[tuple[int, int], ExclusionState]:
    """Return where every exclusion stands, by its reading and joint.

    Parameters
    ----------
    protocol
        Says which reasons need a second look; one that it does not know is taken to need none.
    """
    return _states(_excluded(connection), _answers(connection), protocol)


def waiting(database: Database, actor: Actor, protocol: Protocol) -> tuple[QualityCheck, ...]:
    """Return what the actor is asked, in the order of the films.

    Raises
    ------
    NotAllowed
        Unless the actor is a reader.
    """
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        asked = _asked(connection, actor, protocol)
        return tuple(_question(connection, group) for group in asked)


def film_source(database: Database, actor: Actor, protocol: Protocol, radiograph_id: int) -> FilmSource:
    """Return where the file of a film lies that the actor is asked about; for loading, never for showing.

    Raises
    ------
    NotAllowed
        If nothing of this film waits for the actor.
    """
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        joints = [each.joint_id for group in _asked(connection, actor, protocol) for each in group]
        if radiograph_id not in set(_films(connection, joints).values()):
            raise NotAllowed("You are not asked about this film.", "Open one of your quality checks.")
        return film_sources(connection, [radiograph_id])[radiograph_id]


def save_check(
    database: Database,
    actor: Actor,
    protocol: Protocol,
    joint_ids: Sequence[int],
    *,
    confirmed: bool,
    note: str,
) -> None:
    """Store what the actor says of one question; nothing changes or takes it back.

    Parameters
    ----------
    joint_ids
        Those of the question, all of them.
    confirmed
        Whether the film cannot be graded.
    note
        The actor's own words, which nobody sees before the results.

    Raises
    ------
    NotAllowed
        If the actor is not asked about these joints, or not any more.
    GradeError
        If somebody else answered at the same moment.
    """
    with database.writing() as connection:
        require(connection, actor, Role.READER)
        asked = {
            frozenset(one.joint_id for one in group): group for group in _asked(connection, actor, protocol)
        }
        group = asked.get(frozenset(joint_ids))
        if group is None:
            raise NotAllowed(
                "This question is not open to you, or somebody has answered it meanwhile.",
                "Look at your quality checks again.",
            )
        at = database.now()
        for each in group:
            told: dict[str, object] = {
                "reading": each.reading_id,
                "joint": each.joint_id,
                "confirmed": confirmed,
                "note": note,
            }
            try:
                connection.execute(
                    insert(exclusion_check).values(
                        reading_id=each.reading_id,
                        joint_id=each.joint_id,
                        account_id=actor.account_id,
                        confirmed=confirmed,
                        note=note,
                        at=at,
                    )
                )
            except IntegrityError as error:
                raise GradeError(
                    "Somebody else has just answered this question.", "Look at your quality checks again."
                ) from error
            append(connection, actor, EXCLUSION + "check", payload=told, at=at)


def check_counts(database: Database, actor: Actor, protocol: Protocol) -> CheckCounts:
    """Return how many excluded joints wait for a second look, and what came of the others.

    Only reasons that need a second look count. It tells of progress, not of any grade.
    """
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        excluded = _excluded(connection)
        found = _states(excluded, _answers(connection), protocol)
    asking = _needing(protocol)
    number = dict.fromkeys(ExclusionState, 0)
    for each in excluded:
        if each.reason_id in asking:
            number[found[(each.reading_id, each.joint_id)]] += 1
    return CheckCounts(
        waiting=number[ExclusionState.WAITING],
        confirmed=number[ExclusionState.CONFIRMED],
        rejected=number[ExclusionState.REJECTED],
    )


def all_checks(database: Database, actor: Actor) -> tuple[CheckRecord, ...]:
    """Return what second readers said, with names: for reports, once results may be seen."""
    query = (
        select(exclusion_check, account.c.name)
        .join_from(exclusion_check, account)
        .order_by(exclusion_check.c.reading_id, exclusion_check.c.joint_id)
    )
    with database.reading() as connection:
        require_results(connection, actor)
        return tuple(
            CheckRecord(
                reading_id=row.reading_id,
                joint_id=row.joint_id,
                account_id=row.account_id,
                checker=row.name,
                confirmed=row.confirmed,
                note=row.note,
                at=row.at,
            )
            for row in connection.execute(query)
        )


def exclusion_states(
    database: Database, actor: Actor, protocol: Protocol
) -> dict[tuple[int, int], ExclusionState]:
    """Return `states`: for reports, once results may be seen."""
    with database.reading() as connection:
        require_results(connection, actor)
        return states(connection, protocol)


# What stands excluded -----------------------------------------------------------------------------


def _excluded(connection: Connection) -> list[_Excluded]:
    """Return the exclusions of all readings that count and are locked for good, amendments applied."""
    counted = readings_that_count().subquery("counted")
    found: list[_Excluded] = []
    for source in exclusion_sources():
        rows = connection.execute(
            select(source, counted.c.case_id, counted.c.account_id)
            .join_from(source, counted, counted.c.reading_id == source.c.reading_id)
            .join(reading, reading.c.id == source.c.reading_id)
            .join(assignment, assignment.c.id == reading.c.assignment_id)
            .where(reading.c.locked_at.is_not(None), assignment.c.state == _LOCKED)
        )
        found += [
            _Excluded(row.reading_id, row.joint_id, row.case_id, row.account_id, exclusion_of(row).reason_id)
            for row in rows
        ]
    return sorted(found, key=lambda each: (each.joint_id, each.reading_id))


def _answers(connection: Connection) -> dict[tuple[int, int], bool]:
    rows = connection.execute(
        select(exclusion_check.c.reading_id, exclusion_check.c.joint_id, exclusion_check.c.confirmed)
    )
    return {(row.reading_id, row.joint_id): row.confirmed for row in rows}


def _needing(protocol: Protocol) -> frozenset[str]:
    return frozenset(reason.id for reason in protocol.exclusion_reasons if reason.needs_confirmation)


def _states(
    excluded: Sequence[_Excluded], answers: Mapping[tuple[int, int], bool], protocol: Protocol
) -> dict[tuple[int, int], ExclusionState]:
    asking = _needing(protocol)
    readers: dict[int, set[int]] = defaultdict(set)
    for each in excluded:
        readers[each.joint_id].add(each.account_id)
    found: dict[tuple[int, int], ExclusionState] = {}
    for each in excluded:
        key = (each.reading_id, each.joint_id)
        if each.reason_id not in asking or len(readers[each.joint_id]) > 1:
            found[key] = ExclusionState.CONFIRMED
        elif key in answers:
            found[key] = ExclusionState.CONFIRMED if answers[key] else ExclusionState.REJECTED
        else:
            found[key] = ExclusionState.WAITING
    return found


# Who is asked -------------------------------------------------------------------------------------


def _asked(connection: Connection, actor: Actor, protocol: Protocol) -> list[list[_Excluded]]:
    """Return what waits for the actor, one group for each film and reason, in the order of the films."""
    excluded = _excluded(connection)
    found = _states(excluded, _answers(connection), protocol)
    open_ = [
        each
        for each in excluded
        if found[(each.reading_id, each.joint_id)] is ExclusionState.WAITING
        and each.account_id != actor.account_id
    ]
    may = _may_answer(connection, actor, {each.case_id for each in open_})
    mine = [each for each in open_ if each.case_id in may]
    films = _films(connection, [each.joint_id for each in mine])
    groups: dict[tuple[int, int, str], list[_Excluded]] = defaultdict(list)
    for each in mine:
        groups[(films[each.joint_id], each.reading_id, each.reason_id)].append(each)
    return [group for _, group in sorted(groups.items())]


def _may_answer(connection: Connection, actor: Actor, case_ids: Iterable[int]) -> set[int]:
    """Return the cases about which the actor may be asked."""
    wanted = sorted(case_ids)
    if not wanted:
        return set()
    counting = counting_assignments().where(assignment.c.case_id.in_(wanted))
    readers: dict[int, set[int]] = defaultdict(set)
    for row in connection.execute(counting):
        readers[row.case_id].add(row.account_id)
    # Also the period of a crossover that does not count: nobody learns of an exclusion before reading.
    unread = set(
        connection.execute(
            select(assignment.c.case_id).where(
                assignment.c.case_id.in_(wanted),
                assignment.c.account_id == actor.account_id,
                assignment.c.purpose == "reading",
                assignment.c.state != _LOCKED,
            )
        ).scalars()
    )
    return {
        case_id
        for case_id in wanted
        if case_id not in unread and (actor.account_id in readers[case_id] or len(readers[case_id]) == 1)
    }


def _films(connection: Connection, joint_ids: Iterable[int]) -> dict[int, int]:
    """Return on which film each joint lies."""
    rows = connection.execute(select(joint.c.id, joint.c.radiograph_id).where(joint.c.id.in_(set(joint_ids))))
    return {row.id: row.radiograph_id for row in rows}


def _question(connection: Connection, group: Sequence[_Excluded]) -> QualityCheck:
    joints = tuple(each.joint_id for each in group)
    film = load_case(connection, group[0].case_id, boxes=False).film_of(joints[0])
    return QualityCheck(replace(film, visit=""), joints, group[0].reason_id)
