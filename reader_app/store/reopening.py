"""Taking a settlement back: what a coordinator may do with it, and may know of it, which is no grade."""

from __future__ import annotations

from sqlalchemy import delete, select

from reader_app.errors import GradeError
from reader_app.protocols.model import Item
from reader_app.reading.adjudication import Method
from reader_app.reading.case import JointSide
from reader_app.store.access import require
from reader_app.store.adjudication_records import SettledPlace
from reader_app.store.database import Database
from reader_app.store.journal import ADJUDICATION, append
from reader_app.store.records import Actor, Role
from reader_app.store.tables import account, joint, settlement, study_case
from reader_app.store.visit_names import visit_names


def settled_places(database: Database, actor: Actor) -> tuple[SettledPlace, ...]:
    """Return what has been settled, by whom and how, without any grade; for coordinator and auditor."""
    query = (
        select(
            settlement.c.case_id,
            settlement.c.joint_id,
            settlement.c.item,
            settlement.c.code.is_not(None).label("final"),
            settlement.c.method,
            settlement.c.at,
            account.c.name,
            joint.c.side,
            joint.c.radiograph_id,
        )
        .join_from(settlement, account, account.c.id == settlement.c.account_id)
        .join(joint, joint.c.id == settlement.c.joint_id)
        .order_by(settlement.c.case_id, settlement.c.joint_id, settlement.c.item)
    )
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        rows = connection.execute(query).all()
        ids = connection.execute(select(study_case.c.id).order_by(study_case.c.id)).scalars()
        names = visit_names(connection)
        numbers = {case_id: place for place, case_id in enumerate(ids, start=1)}
    return tuple(
        SettledPlace(
            case_id=row.case_id,
            place=numbers[row.case_id],
            joint_id=row.joint_id,
            side=JointSide(row.side),
            visit=names.get(row.radiograph_id, ""),
            item=Item.parse(row.item),
            final=bool(row.final),
            method=Method(row.method) if row.method else None,
            adjudicator=row.name,
            at=row.at,
        )
        for row in rows
    )


def reopen(database: Database, actor: Actor, case_id: int, joint_id: int, item: Item, *, reason: str) -> None:
    """Take a settlement back, so that the item waits for an adjudicator again; the journal keeps it.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    GradeError
        If there is no reason, or nothing is settled there.
    """
    reason = reason.strip()
    here = (
        settlement.c.case_id == case_id,
        settlement.c.joint_id == joint_id,
        settlement.c.item == item.key,
    )
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        if not reason:
            raise GradeError(
                "Taking a settlement back needs a reason.", "Write in a few words why it is opened again."
            )
        row = connection.execute(select(settlement).where(*here)).one_or_none()
        if row is None:
            raise GradeError("Nothing is settled there.", "Look at the list of settled items again.")
        payload = {
            "case": case_id,
            "joint": joint_id,
            "item": item.key,
            "was": dict(row._mapping),
            "reason": reason,
        }
        append(connection, actor, ADJUDICATION + "reopen", payload=payload, at=database.now())
        connection.execute(delete(settlement).where(*here))
