"""The grades and exclusions that count: the originals of locked readings with their amendments applied.

The originals stay in their own tables; nothing here writes. Each source is a plain subquery, one for what
nobody amended and one for what somebody did: the engines look both up by index.
"""

from __future__ import annotations

import json

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Subquery,
    Text,
    and_,
    case,
    cast,
    exists,
    false,
    literal,
    null,
    or_,
    select,
    true,
)

from reader_app.reading.change import Exclusion
from reader_app.store.rows import AnyRow
from reader_app.store.tables import amendment, exclusion, grade

NONE = "null"
"""How the table of amendments writes "no grade" and "not excluded"."""

EXCLUSION = ""
"""The item of an amendment that changes an exclusion."""


def grade_sources() -> tuple[Subquery, Subquery]:
    """Return the grades that count: those nobody amended, and those that amendments gave.

    Both have the columns reading_id, joint_id, item, code, original (the code that was signed, None where
    there was none) and amended. Grades of joints that are excluded by now are left out.
    """
    later = _later(amendment)
    kept = (
        select(
            grade.c.reading_id,
            grade.c.joint_id,
            grade.c.item,
            grade.c.code,
            grade.c.code.label("original"),
            false().label("amended"),
        )
        .where(~_amended(grade, grade.c.item), ~excluded_now(grade))
        .subquery("kept_grade")
    )
    # Asked in this order, as an engine may compute a cast before it filters.
    code = case((amendment.c.after_json == NONE, null()), else_=cast(amendment.c.after_json, Integer))
    original = (
        select(grade.c.code)
        .where(
            grade.c.reading_id == amendment.c.reading_id,
            grade.c.joint_id == amendment.c.joint_id,
            grade.c.item == amendment.c.item,
        )
        .scalar_subquery()
    )
    amended = (
        select(
            amendment.c.reading_id,
            amendment.c.joint_id,
            amendment.c.item,
            code.label("code"),
            original.label("original"),
            true().label("amended"),
        )
        .where(amendment.c.item != EXCLUSION, amendment.c.after_json != NONE)
        .where(~later, ~excluded_now(amendment))
        .subquery("amended_grade")
    )
    return kept, amended


def exclusion_sources() -> tuple[Subquery, Subquery]:
    """Return the exclusions that count: those nobody amended, and those that amendments made.

    Both have the columns reading_id, joint_id, reason_id, note, after_json and amended; `exclusion_of`
    turns a row into an `Exclusion`.
    """
    kept = (
        select(
            exclusion.c.reading_id,
            exclusion.c.joint_id,
            exclusion.c.reason_id,
            exclusion.c.note,
            cast(literal(NONE), Text).label("after_json"),
            false().label("amended"),
        )
        .where(~_amended(exclusion, literal(EXCLUSION)))
        .subquery("kept_exclusion")
    )
    amended = (
        select(
            amendment.c.reading_id,
            amendment.c.joint_id,
            cast(literal(""), Text).label("reason_id"),
            cast(literal(""), Text).label("note"),
            amendment.c.after_json,
            true().label("amended"),
        )
        .where(amendment.c.item == EXCLUSION, amendment.c.after_json != NONE, ~_later(amendment))
        .subquery("amended_exclusion")
    )
    return kept, amended


def exclusion_of(row: AnyRow) -> Exclusion:
    """Return the exclusion that a row of one of the `exclusion_sources` tells of."""
    return Exclusion(*json.loads(row.after_json)) if row.amended else Exclusion(row.reason_id, row.note)


def excluded_now(given: FromClause) -> ColumnElement[bool]:
    """Of rows with reading and joint: whether that joint is excluded, amendments applied."""
    original = exists().where(
        exclusion.c.reading_id == given.c.reading_id, exclusion.c.joint_id == given.c.joint_id
    )
    newest = amendment.alias()
    excluded = exists().where(
        newest.c.reading_id == given.c.reading_id,
        newest.c.joint_id == given.c.joint_id,
        newest.c.item == EXCLUSION,
        newest.c.after_json != NONE,
        ~_later(newest),
    )
    return or_(and_(original, ~_amended(given, literal(EXCLUSION))), excluded)


def _amended(given: FromClause, item: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether somebody amended what a row with reading and joint tells of."""
    any_one = amendment.alias()
    return exists().where(
        any_one.c.reading_id == given.c.reading_id,
        any_one.c.joint_id == given.c.joint_id,
        any_one.c.item == item,
    )


def _later(given: FromClause) -> ColumnElement[bool]:
    """Whether the same was amended again."""
    again = amendment.alias()
    return exists().where(
        again.c.reading_id == given.c.reading_id,
        again.c.joint_id == given.c.joint_id,
        again.c.item == given.c.item,
        again.c.id > given.c.id,
    )
