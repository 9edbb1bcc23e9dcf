"""Pre-grades: what the AI has still to do, what it said, and to whom that may be shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, select, true, update

from reader_app.errors import NotAllowed, PreGradeError
from reader_app.imaging.correction import shown_sha256
from reader_app.imaging.geometry import Box
from reader_app.protocols.model import Item
from reader_app.reading.case import GradeKey, JointSide
from reader_app.reading.pregrade import PreGrade, Provenance
from reader_app.store.access import require, require_results
from reader_app.store.asking import films_with_ai, joints_of, reading_shows_ai, require_may_pregrade
from reader_app.store.boxes import box_of, box_values
from reader_app.store.canonical import canonical, sha256_of
from reader_app.store.database import Database
from reader_app.store.facts import pregrade_sha256
from reader_app.store.film_sources import film_sources
from reader_app.store.journal import append
from reader_app.store.records import Actor, BundleUse, PendingJoint, Role
from reader_app.store.rows import AnyRow, AnySelect
from reader_app.store.tables import assignment, case_film, joint, pregrade, provenance, radiograph, reading


def pending_joints(
    database: Database,
    actor: Actor,
    bundle_sha256: str,
    limit: int | None = None,
    *,
    after: int = 0,
    joints: Sequence[int] | None = None,
    reading_id: int | None = None,
) -> tuple[PendingJoint, ...]:
    """Return the joints that this bundle has not pre-graded, in the order of import.

    The whole-film entries, which are no joints, are left out.

    Parameters
    ----------
    after
        The id of a radiograph: joints of later ones only, for reading page by page.
    joints
        Only these; all where left out.
    reading_id
        Of a reader who asks for the own case; left out where the coordinator asks.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator, or a reader whose reading shows the AI.
    """
    query = (
        select(
            joint.c.id,
            joint.c.radiograph_id,
            radiograph.c.pixel_sha256,
            joint.c.side,
            joint.c.box_x,
            joint.c.box_y,
            joint.c.box_width,
            joint.c.box_height,
            radiograph.c.laterality,
            radiograph.c.view,
        )
        .join_from(joint, radiograph)
        .where(_pending(actor, bundle_sha256, joints, reading_id), joint.c.radiograph_id > after)
        .order_by(joint.c.radiograph_id, joint.c.id)
        .limit(limit)
    )
    with database.reading() as connection:
        require_may_pregrade(connection, actor, reading_id)
        rows = connection.execute(query).all()
        sources = film_sources(connection, sorted({row.radiograph_id for row in rows}))
    return tuple(
        PendingJoint(
            joint_id=row.id,
            radiograph_id=row.radiograph_id,
            source=sources[row.radiograph_id],
            pixel_sha256=shown_sha256(row.pixel_sha256, sources[row.radiograph_id].correction),
            side=JointSide(row.side),
            box=box_of(row),
            laterality=row.laterality,
            view=row.view,
        )
        for row in rows
    )


def pending_count(
    database: Database,
    actor: Actor,
    bundle_sha256: str,
    *,
    joints: Sequence[int] | None = None,
    reading_id: int | None = None,
) -> int:
    """Return how many joints `pending_joints` would return without a limit; raises like it."""
    query = select(func.count()).select_from(joint).where(_pending(actor, bundle_sha256, joints, reading_id))
    with database.reading() as connection:
        require_may_pregrade(connection, actor, reading_id)
        return int(connection.execute(query).scalar_one())


def _pending(
    actor: Actor, bundle_sha256: str, joints: Sequence[int] | None, reading_id: int | None
) -> ColumnElement[bool]:
    done = exists().where(pregrade.c.joint_id == joint.c.id, pregrade.c.bundle_sha256 == bundle_sha256)
    chosen = true() if joints is None else joint.c.id.in_(list(joints))
    own = true() if reading_id is None else joint.c.radiograph_id.in_(films_with_ai(actor, reading_id))
    return and_(joint.c.side != JointSide.WHOLE.value, chosen, own, ~done)


def save_pregrades(
    database: Database,
    actor: Actor,
    pregrades: Sequence[PreGrade],
    *,
    heatmap_file: str | None,
    located_box: Box | None,
    publish: Callable[[], object] = lambda: None,
    reading_id: int | None = None,
) -> int:
    """Store what one bundle said of one joint, once: what is there already stays.

    Parameters
    ----------
    heatmap_file
        Where the heatmaps of the joint lie, within the study folder.
    located_box
        Where the joint was found; kept with the joint if it has no box yet.
    publish
        Called once it is sure that these are the pre-grades that stay, before they do: puts the heatmap file
        in its place. Of two runs that pre-grade the same joint, it is called in one only.
    reading_id
        Of a reader who asked for the own case; left out where the coordinator did.

    Returns
    -------
    int
        How many pre-grades were new.

    Raises
    ------
    PreGradeError
        If the film is no longer shown as the networks saw it.
    NotAllowed
        Unless the actor is a coordinator, or a reader whose reading shows the AI and has the joint.
    """
    joints = {(each.key.joint_id, each.provenance.bundle_sha256) for each in pregrades}
    if not pregrades:
        return 0
    if len(joints) > 1:
        raise ValueError("pre-grades are stored joint by joint and bundle by bundle")
    ((joint_id, bundle_sha256),) = joints
    with database.writing() as connection:
        require_may_pregrade(connection, actor, reading_id)
        if reading_id is not None and joint_id not in joints_of(connection, actor, reading_id):
            raise NotAllowed("That joint is not of your case.", "Open the case that it belongs to.")
        _check_same_film(connection, joint_id, pregrades)
        known = set(
            connection.execute(
                select(pregrade.c.item).where(
                    pregrade.c.joint_id == joint_id, pregrade.c.bundle_sha256 == bundle_sha256
                )
            ).scalars()
        )
        fresh = [each for each in pregrades if each.key.item.key not in known]
        if located_box is not None:
            connection.execute(
                update(joint)
                .where(joint.c.id == joint_id, joint.c.box_x.is_(None))
                .values(box_values(located_box))
            )
        if not fresh:
            return 0
        publish()
        at = database.now()
        made = [_provenance(connection, each.provenance) for each in fresh]
        rows = [
            _row(each, provenance_id=id_, heatmap_file=heatmap_file, at=at)
            for each, (id_, _) in zip(fresh, made, strict=True)
        ]
        connection.execute(insert(pregrade), rows)
        codes = {each.key.item.key: each.code for each in fresh}
        hashes = {
            str(row["item"]): pregrade_sha256(row, provenance_sha256=content)
            for row, (_, content) in zip(rows, made, strict=True)
        }
        payload = {"joint": joint_id, "bundle_sha256": bundle_sha256, "codes": codes, "sha256s": hashes}
        append(connection, actor, "pregrade.save", payload=payload, at=at)
    return len(fresh)


def pregrades_for_reading(
    database: Database, actor: Actor, reading_id: int, bundle_sha256: str
) -> tuple[PreGrade, ...]:
    """Return the pre-grades that a reading may show: none unless it is the actor's own and aided."""
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        rows = connection.execute(
            _shown(_PREGRADES, actor, reading_id, bundle_sha256).order_by(pregrade.c.joint_id, pregrade.c.id)
        ).all()
    return tuple(_pregrade(row) for row in rows)


def heatmap_file(
    database: Database, actor: Actor, reading_id: int, joint_id: int, bundle_sha256: str
) -> str | None:
    """Return where the heatmaps of a joint lie, within the study folder; None under the same rule."""
    query = select(pregrade.c.heatmap_file).select_from(pregrade)
    with database.reading() as connection:
        require(connection, actor, Role.READER)
        found = connection.execute(
            _shown(query, actor, reading_id, bundle_sha256)
            .where(pregrade.c.joint_id == joint_id, pregrade.c.heatmap_file.is_not(None))
            .limit(1)
        ).scalar_one_or_none()
    return None if found is None else str(found)


def all_pregrades(database: Database, actor: Actor, bundle_sha256: str) -> tuple[PreGrade, ...]:
    """Return every pre-grade of a bundle, for reports.

    Raises
    ------
    NotAllowed
        For a coordinator before the study is frozen.
    """
    with database.reading() as connection:
        require_results(connection, actor)
        rows = connection.execute(
            _PREGRADES.where(pregrade.c.bundle_sha256 == bundle_sha256).order_by(
                pregrade.c.joint_id, pregrade.c.id
            )
        ).all()
    return tuple(_pregrade(row) for row in rows)


def pregrades_of_case(connection: Connection, case_id: int, bundle_sha256: str) -> tuple[PreGrade, ...]:
    """Return what a bundle said of the joints of a case; who may see it, the callers decide."""
    rows = connection.execute(
        _PREGRADES.join(joint, joint.c.id == pregrade.c.joint_id)
        .join(case_film, case_film.c.radiograph_id == joint.c.radiograph_id)
        .where(case_film.c.case_id == case_id, pregrade.c.bundle_sha256 == bundle_sha256)
        .order_by(pregrade.c.joint_id, pregrade.c.id)
    ).all()
    return tuple(_pregrade(row) for row in rows)


def pregrades_of_joint(connection: Connection, joint_id: int) -> tuple[PreGrade, ...]:
    """Return what all bundles said of a joint; who may see it, the callers decide."""
    rows = connection.execute(
        _PREGRADES.where(pregrade.c.joint_id == joint_id).order_by(pregrade.c.bundle_sha256, pregrade.c.id)
    ).all()
    return tuple(_pregrade(row) for row in rows)


def bundles_used(database: Database, actor: Actor) -> tuple[BundleUse, ...]:
    """Return the bundles that pre-graded in this study."""
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return bundles_in(connection)


def bundles_in(connection: Connection) -> tuple[BundleUse, ...]:
    """Return the bundles that pre-graded, and how many joints each did."""
    rows = connection.execute(
        select(
            provenance.c.bundle_id,
            provenance.c.bundle_version,
            provenance.c.bundle_sha256,
            func.count(pregrade.c.joint_id.distinct()).label("joints"),
        )
        .join_from(pregrade, provenance)
        .group_by(provenance.c.bundle_id, provenance.c.bundle_version, provenance.c.bundle_sha256)
        .order_by(func.min(pregrade.c.id))
    )
    return tuple(BundleUse(*row) for row in rows)


def _check_same_film(connection: Connection, joint_id: int, pregrades: Sequence[PreGrade]) -> None:
    """Refuse what was made on a film that a coordinator corrected while the networks were at it."""
    film_id, pixels = connection.execute(
        select(radiograph.c.id, radiograph.c.pixel_sha256)
        .join_from(joint, radiograph)
        .where(joint.c.id == joint_id)
    ).one()
    shown = shown_sha256(pixels, film_sources(connection, [film_id])[film_id].correction)
    if any(each.provenance.pixel_sha256 != shown for each in pregrades):
        raise PreGradeError(
            "The film was corrected after the networks had seen it.", "Pre-grade it again; it is offered."
        )


_PREGRADES = select(
    pregrade,
    provenance.c.bundle_id,
    provenance.c.bundle_version,
    provenance.c.protocol_sha256,
    provenance.c.software,
    provenance.c.pixel_sha256,
    provenance.c.made_at,
    provenance.c.details_json,
).join_from(pregrade, provenance)


def _shown(query: AnySelect, actor: Actor, reading_id: int, bundle_sha256: str) -> AnySelect:
    """Limit a query on pre-grades to what this reading may show."""
    return (
        query.join(joint, joint.c.id == pregrade.c.joint_id)
        .join(case_film, case_film.c.radiograph_id == joint.c.radiograph_id)
        .join(assignment, assignment.c.case_id == case_film.c.case_id)
        .join(reading, reading.c.assignment_id == assignment.c.id)
        .where(reading_shows_ai(actor, reading_id), pregrade.c.bundle_sha256 == bundle_sha256)
    )


def _row(each: PreGrade, *, provenance_id: int, heatmap_file: str | None, at: str) -> dict[str, object]:
    return {
        "joint_id": each.key.joint_id,
        "bundle_sha256": each.provenance.bundle_sha256,
        "item": each.key.item.key,
        "code": each.code,
        "probabilities_json": canonical({str(code): float(p) for code, p in each.probabilities.items()}),
        "out_of_distribution": float(each.out_of_distribution),
        "unlike_training": bool(each.unlike_training),
        **box_values(each.box),
        "provenance_id": provenance_id,
        "heatmap_file": heatmap_file,
        "saved_at": at,
        "spread": float(each.spread),
        "remark": each.remark,
    }


def _provenance(connection: Connection, made: Provenance) -> tuple[int, str]:
    """Return number and hash of a provenance, stored now if it is new."""
    values: dict[str, object] = {
        "bundle_id": made.bundle_id,
        "bundle_version": made.bundle_version,
        "bundle_sha256": made.bundle_sha256,
        "protocol_sha256": made.protocol_sha256,
        "software": made.software,
        "pixel_sha256": made.pixel_sha256,
        "made_at": made.made_at,
        "details_json": canonical(dict(made.details)),
    }
    content = sha256_of(values)
    found = connection.execute(
        select(provenance.c.id).where(provenance.c.content_sha256 == content)
    ).scalar_one_or_none()
    if found is None:
        found = connection.execute(
            insert(provenance).values(content_sha256=content, **values).returning(provenance.c.id)
        ).scalar_one()
    return int(found), content


def _pregrade(row: AnyRow) -> PreGrade:
    box = box_of(row)
    if box is None:
        raise RuntimeError("a pre-grade without a box")
    return PreGrade(
        key=GradeKey(row.joint_id, Item.parse(row.item)),
        probabilities={int(code): p for code, p in json.loads(row.probabilities_json).items()},
        code=row.code,
        out_of_distribution=row.out_of_distribution,
        unlike_training=row.unlike_training,
        box=box,
        provenance=Provenance(
            bundle_id=row.bundle_id,
            bundle_version=row.bundle_version,
            bundle_sha256=row.bundle_sha256,
            protocol_sha256=row.protocol_sha256,
            software=row.software,
            pixel_sha256=row.pixel_sha256,
            made_at=row.made_at,
            details=json.loads(row.details_json),
        ),
        spread=row.spread,
        remark=row.remark,
    )
