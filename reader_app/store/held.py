"""What the tables hold, in the form in which `told` says what they must hold."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping

from sqlalchemy import Connection, select

from reader_app.store.facts import FILM_FACTS, film_facts_sha256, pregrade_sha256
from reader_app.store.rows import AnyRow
from reader_app.store.tables import (
    account,
    amendment,
    assignment,
    case_film,
    design,
    display_check,
    exclusion_check,
    joint,
    participant,
    pregrade,
    provenance,
    qualification,
    radiograph,
    reference_grade,
    settlement,
    signature,
    study_case,
    study_state,
)
from reader_app.store.told import Key, Values

Held = dict[Key, Values]


def held(connection: Connection) -> Mapping[str, Callable[[], Held]]:
    """Return by table how to fetch its rows; one table at a time fits into memory, all might not."""
    return {
        "account": lambda: _accounts(connection),
        "radiograph": lambda: _films(connection),
        "case_film": lambda: _cases(connection),
        "assignment": lambda: _assignments(connection),
        "design": lambda: _designs(connection),
        "pregrade": lambda: _pregrades(connection),
        "settlement": lambda: _settlements(connection),
        "exclusion_check": lambda: _exclusion_checks(connection),
        "qualification": lambda: _qualifications(connection),
        "display_check": lambda: _display_checks(connection),
        "signature": lambda: _signatures(connection),
        "amendment": lambda: _amendments(connection),
        "study_state": lambda: {
            (row.id,): {"frozen_at": row.frozen_at}
            for row in connection.execute(select(study_state).where(study_state.c.frozen_at.is_not(None)))
        },
    }


def _values(row: AnyRow, *names: str) -> Values:
    return {name: getattr(row, name) for name in names}


def _all(row: AnyRow) -> Values:
    return {str(name): value for name, value in row._mapping.items()}


def _accounts(connection: Connection) -> Held:
    return {(row.id,): _values(row, "name", "role", "active") for row in connection.execute(select(account))}


def _films(connection: Connection) -> Held:
    sides: dict[int, list[str]] = defaultdict(list)
    for row in connection.execute(select(joint.c.radiograph_id, joint.c.side)):
        sides[row.radiograph_id].append(row.side)
    references: dict[int, list[tuple[str, str, str, int]]] = defaultdict(list)
    for row in connection.execute(
        select(joint.c.radiograph_id, joint.c.side, reference_grade).join_from(reference_grade, joint)
    ):
        references[row.radiograph_id].append((row.side, row.item, row.source, row.code))
    query = select(
        radiograph.c.id,
        radiograph.c.file_sha256,
        radiograph.c.pixel_sha256,
        participant.c.pseudonym,
        *(radiograph.c[name] for name in FILM_FACTS),
    ).join_from(radiograph, participant)
    return {
        (row.id,): {
            "file_sha256": row.file_sha256,
            "pixel_sha256": row.pixel_sha256,
            "facts": film_facts_sha256(
                _all(row), row.pseudonym, sides=sides[row.id], references=references[row.id]
            ),
        }
        for row in connection.execute(query)
    }


def _cases(connection: Connection) -> Held:
    query = select(case_film, study_case.c.presentation, study_case.c.purpose).join_from(
        case_film, study_case
    )
    return {
        (row.case_id, row.place): _values(row, "radiograph_id", "presentation", "purpose")
        for row in connection.execute(query)
    }


def _assignments(connection: Connection) -> Held:
    before = assignment.alias("before")
    query = select(
        assignment, before.c.case_id.label("before_case"), before.c.pass_number.label("before_pass")
    ).outerjoin_from(assignment, before, before.c.id == assignment.c.after_assignment_id)
    return {
        (row.account_id, row.case_id, row.pass_number): {
            **_values(row, "place", "arm", "purpose", "period", "block", "mirrored", "after_days"),
            "after": None if row.before_case is None else (row.before_case, row.before_pass),
        }
        for row in connection.execute(query)
    }


def _designs(connection: Connection) -> Held:
    rows = connection.execute(select(design).order_by(design.c.id))
    return {(place,): _values(row, "sha256", "content", "reason") for place, row in enumerate(rows, start=1)}


def _pregrades(connection: Connection) -> Held:
    query = select(pregrade, provenance.c.content_sha256).join_from(pregrade, provenance)
    return {
        (row.joint_id, row.bundle_sha256, row.item): {
            "code": row.code,
            "content": pregrade_sha256(_all(row), provenance_sha256=row.content_sha256),
        }
        for row in connection.execute(query)
    }


def _settlements(connection: Connection) -> Held:
    return {
        (row.joint_id, row.item): {
            **_values(row, "case_id", "account_id", "code", "third_code", "method", "rationale"),
            "participants": tuple(json.loads(row.participants_json)),
        }
        for row in connection.execute(select(settlement))
    }


def _exclusion_checks(connection: Connection) -> Held:
    return {
        (row.reading_id, row.joint_id): _values(row, "account_id", "confirmed", "note")
        for row in connection.execute(select(exclusion_check))
    }


def _qualifications(connection: Connection) -> Held:
    return {
        (row.account_id, row.attempt): {"passed": row.passed, "result": json.loads(row.result_json)}
        for row in connection.execute(select(qualification))
    }


def _display_checks(connection: Connection) -> Held:
    rows = connection.execute(select(display_check).order_by(display_check.c.id))
    return {
        (place,): {**_values(row, "account_id", "passed"), "screen": json.loads(row.screen_json)}
        for place, row in enumerate(rows, start=1)
    }


def _signatures(connection: Connection) -> Held:
    names = ("account_id", "at", "meaning", "software", "protocol_sha256", "design_sha256")
    return {
        (row.reading_id,): {
            **_values(row, *names, "content_sha256", "password_asked"),
            "display": json.loads(row.display_json),
        }
        for row in connection.execute(select(signature))
    }


def _amendments(connection: Connection) -> Held:
    rows = connection.execute(select(amendment).order_by(amendment.c.id))
    return {
        (place,): {
            "account_id": row.account_id,
            "reading": row.reading_id,
            "joint": row.joint_id,
            "item": row.item,
            "before": json.loads(row.before_json),
            "after": json.loads(row.after_json),
            "reason": row.reason,
        }
        for place, row in enumerate(rows, start=1)
    }
