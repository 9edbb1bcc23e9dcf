"""Pre-grades of a film that is shown otherwise now: out of the tables, kept word for word in the journal."""

from __future__ import annotations

import json

from sqlalchemy import Connection, delete, select, update

from reader_app.store.boxes import box_of, box_values
from reader_app.store.journal import append
from reader_app.store.records import Actor
from reader_app.store.rows import AnyRow
from reader_app.store.tables import joint, pregrade, provenance

WITHDRAW = "pregrade.withdraw"


def withdraw_pregrades(connection: Connection, actor: Actor, radiograph_id: int, *, at: str) -> int:
    """Withdraw all that the AI said of a film, the places of its joints included.

    The networks saw other pixels, so that nothing of it may be shown or counted any more; whoever wants to
    know what a reader had in sight finds it in the journal, with its provenance and heatmap.

    Returns
    -------
    int
        Of how many joints there were pre-grades.
    """
    joints = connection.execute(
        select(joint).where(joint.c.radiograph_id == radiograph_id).order_by(joint.c.id)
    ).all()
    ids = [row.id for row in joints]
    rows = connection.execute(
        select(pregrade, provenance.c.content_sha256)
        .join_from(pregrade, provenance)
        .where(pregrade.c.joint_id.in_(ids))
        .order_by(pregrade.c.id)
    ).all()
    located = [[row.id, *box_values(box).values()] for row in joints if (box := box_of(row)) is not None]
    if not rows and not located:
        return 0
    connection.execute(delete(pregrade).where(pregrade.c.joint_id.in_(ids)))
    connection.execute(update(joint).where(joint.c.id.in_(ids)).values(box_values(None)))
    payload = {"radiograph": radiograph_id, "pregrades": [_told(row) for row in rows], "located": located}
    append(connection, actor, WITHDRAW, payload=payload, at=at)
    return len({row.joint_id for row in rows})


def _told(row: AnyRow) -> dict[str, object]:
    return {
        "joint": row.joint_id,
        "bundle_sha256": row.bundle_sha256,
        "item": row.item,
        "code": row.code,
        "probabilities": json.loads(row.probabilities_json),
        "out_of_distribution": row.out_of_distribution,
        "unlike_training": row.unlike_training,
        "box": [row.box_x, row.box_y, row.box_width, row.box_height],
        "provenance_sha256": row.content_sha256,
        "heatmap_file": row.heatmap_file,
        "saved_at": row.saved_at,
        "spread": row.spread,
        "remark": row.remark,
    }
