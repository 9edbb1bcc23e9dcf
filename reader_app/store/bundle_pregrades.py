"""What bundles said, for whoever leads the study: pre-grades of one joint, of two bundles, and their remarks.

Coordinators and auditors may see what machines said at any time; of what readers said, nothing is here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import select

from reader_app.errors import StudyError
from reader_app.protocols.model import Item
from reader_app.reading.case import JointSide
from reader_app.store.access import require
from reader_app.store.database import Database
from reader_app.store.pregrade_records import JointPlace, JointPregrades, PairedPregrade, RemarkedJoint
from reader_app.store.pregrades import pregrades_of_joint
from reader_app.store.records import Actor, Role
from reader_app.store.rows import AnyRow
from reader_app.store.tables import joint, participant, pregrade, radiograph

_AT_ONCE = 1000  # an engine takes only so many values in one statement
_PLACES = (
    select(
        joint.c.id,
        joint.c.radiograph_id,
        joint.c.side,
        participant.c.pseudonym,
        radiograph.c.visit,
    )
    .join_from(joint, radiograph)
    .join(participant, participant.c.id == radiograph.c.participant_id)
)


def paired_pregrades(
    database: Database, actor: Actor, first_sha256: str, second_sha256: str
) -> tuple[PairedPregrade, ...]:
    """Return the items of joints that both of two bundles pre-graded, in the order of import.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator or auditor.
    """
    one, other = pregrade.alias("one"), pregrade.alias("other")
    query = (
        select(
            one.c.joint_id,
            radiograph.c.participant_id,
            one.c.item,
            one.c.code.label("first"),
            other.c.code.label("second"),
            one.c.probabilities_json.label("first_odds"),
            other.c.probabilities_json.label("second_odds"),
        )
        .select_from(one)
        .join(other, (other.c.joint_id == one.c.joint_id) & (other.c.item == one.c.item))
        .join(joint, joint.c.id == one.c.joint_id)
        .join(radiograph, radiograph.c.id == joint.c.radiograph_id)
        .where(one.c.bundle_sha256 == first_sha256, other.c.bundle_sha256 == second_sha256)
        .order_by(one.c.joint_id, one.c.id)
    )
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        items: dict[str, Item] = {}
        return tuple(
            PairedPregrade(
                row.joint_id,
                row.participant_id,
                items.setdefault(row.item, Item.parse(row.item)),
                row.first,
                row.second,
                _expected(row.first_odds),
                _expected(row.second_odds),
            )
            for row in connection.execute(query)
        )


def joint_pregrades(database: Database, actor: Actor, joint_id: int) -> JointPregrades:
    """Return what all bundles said of one joint.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator or auditor.
    StudyError
        If the study has no such joint.
    """
    files = (
        select(pregrade.c.bundle_sha256, pregrade.c.heatmap_file)
        .where(pregrade.c.joint_id == joint_id, pregrade.c.heatmap_file.is_not(None))
        .distinct()
    )
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        row = connection.execute(_PLACES.where(joint.c.id == joint_id)).one_or_none()
        if row is None:
            raise StudyError(f"The study has no joint {joint_id}.", "Look it up in the list of films.")
        return JointPregrades(
            _place(row),
            pregrades_of_joint(connection, joint_id),
            {found.bundle_sha256: found.heatmap_file for found in connection.execute(files)},
        )


def joint_places(database: Database, actor: Actor, joint_ids: Sequence[int]) -> dict[int, JointPlace]:
    """Return which joints these are, by their number.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator or auditor.
    """
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return {
            row.id: _place(row)
            for start in range(0, len(joint_ids), _AT_ONCE)
            for row in connection.execute(
                _PLACES.where(joint.c.id.in_(list(joint_ids[start : start + _AT_ONCE])))
            )
        }


def joints_of_film(database: Database, actor: Actor, radiograph_id: int) -> tuple[int, ...]:
    """Return the joints of a film by number; the whole-film entry, which is no joint, is left out.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator or auditor.
    """
    query = select(joint.c.id).where(
        joint.c.radiograph_id == radiograph_id, joint.c.side != JointSide.WHOLE.value
    )
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return tuple(connection.execute(query.order_by(joint.c.id)).scalars())


def remarks(database: Database, actor: Actor, bundle_sha256: str, limit: int) -> tuple[RemarkedJoint, ...]:
    """Return the joints of which this bundle's pre-grades remark something, in the order of import.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator or auditor.
    """
    query = (
        _PLACES.add_columns(pregrade.c.remark)
        .join(pregrade, pregrade.c.joint_id == joint.c.id)
        .where(pregrade.c.bundle_sha256 == bundle_sha256, pregrade.c.remark != "")
        .distinct()
        .order_by(joint.c.radiograph_id, joint.c.id, pregrade.c.remark)
        .limit(limit)
    )
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return tuple(RemarkedJoint(_place(row), row.remark) for row in connection.execute(query))


def _place(row: AnyRow) -> JointPlace:
    return JointPlace(row.id, row.radiograph_id, row.pseudonym, row.visit, JointSide(row.side))


def _expected(probabilities_json: str) -> float:
    return float(sum(int(code) * share for code, share in json.loads(probabilities_json).items()))
