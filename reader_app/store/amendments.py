"""Amending a locked reading: the original stays where it is, what changed is appended with its reason."""

from __future__ import annotations

import json

from sqlalchemy import Connection, exists, insert, select

from reader_app.errors import GradeError, NotAllowed, PasswordNeeded
from reader_app.protocols.model import Item
from reader_app.reading.case import GradeKey, JointSide
from reader_app.reading.change import Exclusion
from reader_app.reading.design import PasswordPolicy
from reader_app.reading.session import ReadingContent
from reader_app.reading.worklist import ReadingState
from reader_app.store.access import require
from reader_app.store.amendment_records import Amendment, OwnAmendment
from reader_app.store.canonical import canonical
from reader_app.store.content import load_content
from reader_app.store.database import Database
from reader_app.store.effective import EXCLUSION
from reader_app.store.freeze import is_frozen
from reader_app.store.journal import READING, append
from reader_app.store.proofs import Proof
from reader_app.store.records import Actor, Role
from reader_app.store.rows import AnyRow
from reader_app.store.signatures import proven_for, signing_in_force
from reader_app.store.tables import (
    account,
    amendment,
    assignment,
    case_film,
    joint,
    participant,
    radiograph,
    reading,
    settlement,
)

Value = int | Exclusion | None

_KINDS_THAT_STAY = ("calibration",)


def amend(
    database: Database,
    actor: Actor,
    reading_id: int,
    joint_id: int,
    item: Item | None,
    *,
    after: Value,
    reason: str,
    proof: Proof | None = None,
) -> OwnAmendment:
    """Amend one grade, or the exclusion of one joint, of an own locked reading.

    Parameters
    ----------
    item
        None for the exclusion of the joint.
    after
        The code, or the exclusion, None to take an exclusion back. Whether the protocol admits it, the
        caller has decided.
    reason
        Required: it stands in the report.
    proof
        Of the password, for `signing_purpose`; needed where the design asks for one to sign.

    Raises
    ------
    NotAllowed
        If the reading is not the actor's own.
    PasswordNeeded
        If the design asks for the password to sign and it was not typed.
    GradeError
        If the reading is not locked, was read against reference grades, the joint is not in its case, the
        reason is missing, or nothing would change.
    StudyFrozen
        If the study is frozen.
    """
    if (item is not None and isinstance(after, Exclusion)) or (item is None and isinstance(after, int)):
        raise ValueError("a grade is amended by a code, an exclusion by an exclusion")
    with database.writing() as connection:
        row = _own_locked(connection, actor, reading_id)
        _check_joint(connection, row.case_id, joint_id)
        _check_proof(connection, actor, row, proof)
        if not reason.strip():
            raise GradeError("An amendment needs a reason.", "Say in a few words why it is changed.")
        now = applied(connection, reading_id)
        before: Value
        if item is None:
            before = now.exclusions.get(joint_id)
        elif joint_id in now.exclusions:
            raise GradeError("This joint is excluded.", "Take the exclusion back to amend its grades.")
        else:
            before = now.grades.get(GradeKey(joint_id, item))
        if before == after or (item is not None and after is None):
            raise GradeError("This amendment would change nothing.", "Choose another grade.")
        at = database.now()
        told = {
            "reading": reading_id,
            "joint": joint_id,
            "item": EXCLUSION if item is None else item.key,
            "before": _plain(before),
            "after": _plain(after),
            "reason": reason.strip(),
        }
        append(connection, actor, READING + "amend", payload=told, at=at)
        connection.execute(
            insert(amendment).values(
                reading_id=reading_id,
                joint_id=joint_id,
                item=told["item"],
                before_json=canonical(told["before"]),
                after_json=canonical(told["after"]),
                reason=told["reason"],
                account_id=actor.account_id,
                at=at,
            )
        )
    return OwnAmendment(joint_id, item, before, after, reason.strip(), at)


def own_amendments(database: Database, actor: Actor, reading_id: int) -> tuple[OwnAmendment, ...]:
    """Return what the actor amended in an own reading, oldest first.

    Raises
    ------
    NotAllowed
        If the reading is not the actor's own.
    """
    with database.reading() as connection:
        _own(connection, actor, reading_id)
        return of_reading(connection, reading_id)


def all_amendments(database: Database, actor: Actor) -> tuple[Amendment, ...]:
    """Return every amendment, oldest first.

    A coordinator learns before the freeze who amended what and when, for settlements that have to be
    re-opened, but neither grades nor reasons.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator or an auditor.
    """
    query = (
        select(
            amendment,
            account.c.name,
            assignment.c.case_id,
            joint.c.radiograph_id,
            joint.c.side,
            participant.c.pseudonym,
            radiograph.c.visit,
        )
        .join_from(amendment, reading, reading.c.id == amendment.c.reading_id)
        .join(assignment, assignment.c.id == reading.c.assignment_id)
        .join(account, account.c.id == amendment.c.account_id)
        .join(joint, joint.c.id == amendment.c.joint_id)
        .join(radiograph, radiograph.c.id == joint.c.radiograph_id)
        .join(participant, participant.c.id == radiograph.c.participant_id)
        .order_by(amendment.c.id)
    )
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        hidden = actor.role is Role.COORDINATOR and not is_frozen(connection)
        settled = _settled_features(connection)
        return tuple(_amendment(row, settled, hidden=hidden) for row in connection.execute(query))


def applied(connection: Connection, reading_id: int) -> ReadingContent:
    """Return what a locked reading holds with its amendments applied."""
    content = load_content(connection, reading_id, locked=True)
    grades, exclusions = dict(content.grades), dict(content.exclusions)
    for each in of_reading(connection, reading_id):
        if each.item is not None and isinstance(each.after, int):
            grades[GradeKey(each.joint_id, each.item)] = each.after
        elif isinstance(each.after, Exclusion):
            exclusions[each.joint_id] = each.after
        else:
            exclusions.pop(each.joint_id, None)
    return ReadingContent(grades, content.boxes, exclusions, content.measurements, locked=True)


def of_reading(connection: Connection, reading_id: int) -> tuple[OwnAmendment, ...]:
    """Return the amendments of one reading, oldest first."""
    rows = connection.execute(
        select(amendment).where(amendment.c.reading_id == reading_id).order_by(amendment.c.id)
    )
    return tuple(
        OwnAmendment(
            row.joint_id,
            Item.parse(row.item) if row.item else None,
            _value(row.before_json),
            _value(row.after_json),
            row.reason,
            row.at,
        )
        for row in rows
    )


def _own(connection: Connection, actor: Actor, reading_id: int) -> AnyRow:
    require(connection, actor, Role.READER)
    row = connection.execute(
        select(reading, assignment.c.case_id, assignment.c.purpose, assignment.c.state)
        .join_from(reading, assignment)
        .where(reading.c.id == reading_id, assignment.c.account_id == actor.account_id)
    ).one_or_none()
    if row is None:
        raise NotAllowed("This reading is not yours.", "Open a case of your worklist.")
    return row


def _own_locked(connection: Connection, actor: Actor, reading_id: int) -> AnyRow:
    row = _own(connection, actor, reading_id)
    if row.locked_at is None:
        raise GradeError("This reading is not locked yet.", "Change the grade itself.")
    later = reading.alias("later")
    superseded = exists().where(later.c.assignment_id == row.assignment_id, later.c.id > reading_id)
    if row.state != ReadingState.LOCKED.value or connection.execute(select(superseded)).scalar_one():
        # What was read before the AI came into sight must not be touched by who has seen it since.
        raise GradeError(
            "This reading was the first of two of the same case and stays as it was signed.",
            "Put right in the second reading what you see otherwise now.",
        )
    if row.purpose in _KINDS_THAT_STAY:
        raise GradeError(
            "This case compares you with reference grades and stays as it was signed.",
            "It is no part of the results.",
        )
    return row


def _check_joint(connection: Connection, case_id: int, joint_id: int) -> None:
    shown = connection.execute(
        select(joint.c.id)
        .join_from(case_film, joint, joint.c.radiograph_id == case_film.c.radiograph_id)
        .where(case_film.c.case_id == case_id, joint.c.id == joint_id)
    ).one_or_none()
    if shown is None:
        raise GradeError("This joint does not belong to the case.", "Open the case again.")


def _check_proof(connection: Connection, actor: Actor, row: AnyRow, proof: Proof | None) -> None:
    signing, _ = signing_in_force(connection, row)
    if signing.password is not PasswordPolicy.NEVER and not proven_for(connection, actor, row.id, proof):
        raise PasswordNeeded("This study asks for your password to amend a reading.", "Type it again.")


def _settled_features(connection: Connection) -> dict[tuple[int, str], str]:
    """Return when which feature of which joint was settled."""
    rows = connection.execute(select(settlement.c.joint_id, settlement.c.item, settlement.c.at))
    return {(row.joint_id, Item.parse(row.item).feature_id): row.at for row in rows}


def _amendment(row: AnyRow, settled: dict[tuple[int, str], str], *, hidden: bool) -> Amendment:
    item = Item.parse(row.item) if row.item else None
    moments = [
        at
        for (joint_id, feature_id), at in settled.items()
        if joint_id == row.joint_id and (item is None or item.feature_id == feature_id)
    ]
    return Amendment(
        reader=row.name,
        account_id=row.account_id,
        reading_id=row.reading_id,
        case_id=row.case_id,
        participant=row.pseudonym,
        visit=row.visit,
        radiograph_id=row.radiograph_id,
        joint_id=row.joint_id,
        side=JointSide(row.side),
        item=item,
        before=None if hidden else _value(row.before_json),
        after=None if hidden else _value(row.after_json),
        reason="" if hidden else row.reason,
        at=row.at,
        settled=any(at < row.at for at in moments),
        hidden=hidden,
    )


def _plain(value: Value) -> int | list[str] | None:
    return [value.reason_id, value.note] if isinstance(value, Exclusion) else value


def _value(text: str) -> Value:
    value = json.loads(text)
    return Exclusion(*value) if isinstance(value, list) else value
