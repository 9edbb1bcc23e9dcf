"""Which readings count for agreement and consensus, and when a case is through.

Only first-period readings count: hidden re-reads, calibration cases and controls say something of the reader,
not of the joint. Of a case that is read unaided and then aided the aided reading counts, as its reader's last
word. Of a crossover the unaided reading counts, in whichever period it fell: for every reader it is made with
the same in sight, and what becomes the truth that the AI is measured by holds nothing of the AI.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import Subquery, and_, bindparam, exists, func, or_, select
from sqlalchemy import case as one_if

from reader_app.protocols.model import Arm
from reader_app.reading.worklist import ReadingState
from reader_app.store.rows import AnySelect
from reader_app.store.tables import assignment, exclusion_check, reading

_READING = "reading"


def counting_assignments() -> AnySelect:
    """Select id, case, reader and state of the assignments that count, one for each case and reader."""
    other = assignment.alias("unaided_too")
    outdone = exists().where(
        other.c.account_id == assignment.c.account_id,
        other.c.case_id == assignment.c.case_id,
        other.c.purpose == _READING,
        other.c.arm == Arm.UNAIDED.value,
    )
    return select(assignment.c.id, assignment.c.case_id, assignment.c.account_id, assignment.c.state).where(
        assignment.c.purpose == _READING, ~and_(assignment.c.arm == Arm.AIDED.value, outdone)
    )


def readings_that_count() -> AnySelect:
    """Select id, case and reader of the readings that count, locked or not."""
    mine = counting_assignments().subquery("counting")
    later = reading.alias("later")
    superseded = exists().where(
        later.c.assignment_id == mine.c.id,
        later.c.arm == Arm.AIDED.value,
        reading.c.arm == Arm.UNAIDED.value,
    )
    return (
        select(reading.c.id.label("reading_id"), mine.c.case_id, mine.c.account_id)
        .join_from(reading, mine, mine.c.id == reading.c.assignment_id)
        .where(~superseded)
    )


def cases_through() -> AnySelect:
    """Select the cases that all their readers have locked and that may need an adjudicator.

    Those are the cases of two readers or more; and those of one whose exclusion a second look rejected.
    """
    mine = counting_assignments().subquery("counting")
    not_locked = func.sum(one_if((mine.c.state == ReadingState.LOCKED.value, 0), else_=1))
    rejected = (
        select(assignment.c.case_id)
        .join_from(exclusion_check, reading, reading.c.id == exclusion_check.c.reading_id)
        .join(assignment, assignment.c.id == reading.c.assignment_id)
        .where(exclusion_check.c.confirmed.is_(False))
    )
    return (
        select(mine.c.case_id)
        .group_by(mine.c.case_id)
        .having(not_locked == 0, or_(func.count() >= 2, mine.c.case_id.in_(rejected)))
    )


@cache
def readings_of_cases_through(*, one: bool = False) -> Subquery:
    """Return the readings that count of the cases that are through.

    Parameters
    ----------
    one
        Of one of them: the parameter `case_id` then names it.
    """
    through = cases_through().subquery("through")
    counted = readings_that_count().subquery("counted")
    query = select(counted.c.reading_id, counted.c.case_id, counted.c.account_id).join_from(
        counted, through, through.c.case_id == counted.c.case_id
    )
    if one:
        query = query.where(
            counted.c.case_id == bindparam("case_id"), through.c.case_id == bindparam("case_id")
        )
    return query.subquery("in_force")


@cache
def case_through() -> AnySelect:
    """Select the case that the parameter `case_id` names if it is through."""
    through = cases_through().subquery("through")
    return select(through.c.case_id).where(through.c.case_id == bindparam("case_id"))
