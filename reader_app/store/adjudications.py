"""What the adjudicator decides: readers stand under letters, drawn anew for each case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, update

from reader_app.errors import GradeError, NotAllowed
from reader_app.reading.adjudication import Method, Verdict, settle
from reader_app.reading.design_rules import rule_for
from reader_app.store.access import require
from reader_app.store.adjudication_records import Disagreement, ItemPlace, Rules, Settled
from reader_app.store.canonical import canonical
from reader_app.store.consensus_sessions import Seat, require_all_readers
from reader_app.store.counting import case_through
from reader_app.store.database import Database
from reader_app.store.journal import ADJUDICATION, append
from reader_app.store.judging import SETTLED as SETTLED
from reader_app.store.judging import after_settling, disagreements, rules_now, seen_by_adjudicator
from reader_app.store.judging import settled_record as settled_record
from reader_app.store.records import Actor, Role
from reader_app.store.tables import settlement


@dataclass(frozen=True)
class _Decision:
    """What is about to be stored on one item."""

    code: int | None
    third_code: int
    method: Method | None
    rationale: str
    participants: tuple[int, ...] = ()


def queue(database: Database, actor: Actor, rules: Rules) -> tuple[Disagreement, ...]:
    """Return what the rules call the adjudicator for, settled items included.

    The gravest first. Where the design wants the third grade first, what the readers gave stays in the store
    until it is given, and the order is that of the cases, which tells nothing.

    Raises
    ------
    NotAllowed
        Unless the actor is an adjudicator.
    """
    with database.reading() as connection:
        require(connection, actor, Role.ADJUDICATOR)
        rules = rules_now(connection, rules)
        found = disagreements(connection, actor, rules)
    if rules.design.adjudication.third_blind:
        return tuple(seen_by_adjudicator(one, rules) for one in found)
    # Stable: within one gravity the order of cases, joints and items stays.
    return tuple(sorted(found, key=lambda one: -one.gravity))


def settle_item(
    database: Database,
    actor: Actor,
    rules: Rules,
    where: ItemPlace,
    *,
    code: int,
    rationale: str,
    seats: Sequence[Seat] = (),
) -> Disagreement:
    """Store the third grade of an item, or the grade of a consensus session; an own decision is replaced.

    Parameters
    ----------
    code
        The adjudicator's grade, or the session's.
    seats
        The readers who sit in the consensus session.

    Returns
    -------
    Disagreement
        As it stands now, with what the readers gave.

    Raises
    ------
    NotAllowed
        If the case is not ready, or those in the session are not the readers of the case.
    GradeError
        If the grade is not on the scale, the readers do not differ here, another adjudicator has settled the
        item, or a consensus lacks its rationale.
    """
    with database.writing() as connection:
        require(connection, actor, Role.ADJUDICATOR)
        rules = rules_now(connection, rules)
        rules.protocol.item_scale(where.item).level(code)
        require_through(connection, where.case_id)
        before = _find(connection, actor, rules, where)
        if before.settled is not None and not before.settled.adjudicator:
            raise GradeError(
                "Another adjudicator has settled this grade meanwhile.", "Go on with the next one."
            )
        if before.together and (seats or not before.third_may_change):
            decision = _of_session(connection, before, code=code, rationale=rationale, seats=seats)
        else:
            verdict = _third(rules, before, code)
            decision = _Decision(verdict.code, code, verdict.method, rationale.strip())
        at = database.now()
        _write(connection, actor, before, decision, at=at)
    stored = Settled(
        case_id=where.case_id,
        joint_id=where.joint_id,
        item=where.item,
        code=decision.code,
        third_code=decision.third_code,
        method=decision.method,
        adjudicator=actor.name,
        rationale=decision.rationale,
        at=at,
    )
    return after_settling(before, rules, stored)


def settled(database: Database, actor: Actor) -> tuple[Settled, ...]:
    """Return what has been settled; a colleague's name is left out."""
    with database.reading() as connection:
        require(connection, actor, Role.ADJUDICATOR)
        rows = connection.execute(SETTLED).all()
    return tuple(
        settled_record(row, name=row.name if row.account_id == actor.account_id else "", participants=False)
        for row in rows
    )


def require_through(connection: Connection, case_id: int) -> None:
    """Raise unless all readers of a case have locked it.

    Raises
    ------
    NotAllowed
        In words.
    """
    if connection.execute(case_through(), {"case_id": case_id}).one_or_none() is None:
        raise NotAllowed(
            "This case is not ready for adjudication.", "Wait until all its readers have locked it."
        )


def _find(connection: Connection, actor: Actor, rules: Rules, where: ItemPlace) -> Disagreement:
    for one in disagreements(connection, actor, rules, case_id=where.case_id):
        if one.at == where:
            return one
    raise GradeError("The readers do not differ on this grade.", "Read the queue again.")


def _third(rules: Rules, before: Disagreement, code: int) -> Verdict:
    rule = rule_for(rules.design, rules.protocol, before.item.feature_id)
    return settle(rule, [given for _, given in before.grades], code)


def _of_session(
    connection: Connection,
    before: Disagreement,
    *,
    code: int,
    rationale: str,
    seats: Sequence[Seat],
) -> _Decision:
    accounts = require_all_readers(connection, before.case_id, seats)
    if not rationale.strip():
        raise GradeError(
            "The grade of a consensus session needs a word on how it came about.",
            "Write why the session decided so, then grade.",
        )
    # What the adjudicator alone had graded stays beside what the session found.
    third_code = before.settled.third_code if before.settled is not None else code
    return _Decision(code, third_code, Method.CONSENSUS_SESSION, rationale.strip(), accounts)


def _write(
    connection: Connection, actor: Actor, before: Disagreement, decision: _Decision, *, at: str
) -> None:
    method = decision.method.value if decision.method else None
    values: dict[str, object] = {
        "case_id": before.case_id,
        "account_id": actor.account_id,
        "code": decision.code,
        "third_code": decision.third_code,
        "method": method,
        "rationale": decision.rationale,
        "at": at,
        "participants_json": canonical(list(decision.participants)),
    }
    here = (settlement.c.joint_id == before.joint_id, settlement.c.item == before.item.key)
    if before.settled is None:
        key = {"joint_id": before.joint_id, "item": before.item.key}
        connection.execute(insert(settlement).values(**key, **values))
    else:
        connection.execute(update(settlement).where(*here).values(values))
    payload = {
        "case": before.case_id,
        "joint": before.joint_id,
        "item": before.item.key,
        "before": None if before.settled is None else [before.settled.third_code, before.settled.code],
        "third_code": decision.third_code,
        "code": decision.code,
        "method": method,
        "rationale": decision.rationale,
        "participants": list(decision.participants),
    }
    append(connection, actor, ADJUDICATION + "settle", payload=payload, at=at)
