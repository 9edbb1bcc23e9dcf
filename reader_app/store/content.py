"""What a case shows and what a reading holds, read from the tables; who may see it, the callers decide."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, exists, select

from reader_app.imaging.geometry import Box
from reader_app.protocols.model import Item, Presentation
from reader_app.reading.case import Case, CaseFilm, GradeKey, Joint, JointSide
from reader_app.reading.change import Exclusion
from reader_app.reading.measurement import KeptMeasurement
from reader_app.reading.session import ReadingContent
from reader_app.reading.visits import visit_titles
from reader_app.store.boxes import box_of
from reader_app.store.canonical import sha256_of
from reader_app.store.film_sources import film_sources, shown_version
from reader_app.store.measurements import kept_measurements, told
from reader_app.store.rows import AnyRow
from reader_app.store.tables import case_film, exclusion, grade, joint, radiograph, reading_box, study_case

IS_EXCLUDED = exists().where(
    exclusion.c.reading_id == grade.c.reading_id, exclusion.c.joint_id == grade.c.joint_id
)
"""Of a grade: its joint was excluded afterwards in the same reading, so that the grade stands for nothing."""

# Right before left, as films hang; the whole film last.
_SIDE_ORDER = {side: place for place, side in enumerate(JointSide)}


def load_case(connection: Connection, case_id: int, *, boxes: bool) -> Case:
    """Return a case as a reader or adjudicator may know it: no participant, no file name.

    Parameters
    ----------
    boxes
        Whether the boxes that the AI found are shown.
    """
    rows = connection.execute(
        select(
            radiograph.c.id,
            radiograph.c.visit,
            radiograph.c.visit_order,
            radiograph.c.file_sha256,
            radiograph.c.phantom,
            radiograph.c.columns.label("width"),
            study_case.c.presentation,
            joint.c.id.label("joint_id"),
            joint.c.side,
            joint.c.box_x,
            joint.c.box_y,
            joint.c.box_width,
            joint.c.box_height,
        )
        .join_from(study_case, case_film, case_film.c.case_id == study_case.c.id)
        .join(radiograph, radiograph.c.id == case_film.c.radiograph_id)
        .outerjoin(joint, joint.c.radiograph_id == radiograph.c.id)
        .where(study_case.c.id == case_id)
        .order_by(case_film.c.place, joint.c.id)
    ).all()
    films: dict[int, tuple[AnyRow, list[Joint]]] = {}
    for row in rows:
        _, joints = films.setdefault(row.id, (row, []))
        if row.joint_id is not None:
            box = box_of(row) if boxes else None
            joints.append(Joint(row.joint_id, row.id, JointSide(row.side), box))
    titles = visit_titles({row.visit: row.visit_order for row, _ in films.values()})
    versions = {id_: shown_version(each) for id_, each in film_sources(connection, list(films)).items()}
    return Case(
        case_id, tuple(_film(row, joints, titles, versions[id_]) for id_, (row, joints) in films.items())
    )


def load_content(connection: Connection, reading_id: int, *, locked: bool) -> ReadingContent:
    """Return what a reading holds."""
    grades = connection.execute(
        select(grade.c.joint_id, grade.c.item, grade.c.code).where(grade.c.reading_id == reading_id)
    )
    boxes = connection.execute(select(reading_box).where(reading_box.c.reading_id == reading_id))
    exclusions = connection.execute(select(exclusion).where(exclusion.c.reading_id == reading_id))
    found = {row.joint_id: box_of(row) for row in boxes}
    return ReadingContent(
        grades={GradeKey(row.joint_id, Item.parse(row.item)): row.code for row in grades},
        boxes={joint_id: box for joint_id, box in found.items() if box is not None},
        exclusions={row.joint_id: Exclusion(row.reason_id, row.note) for row in exclusions},
        measurements=kept_measurements(connection, reading_id),
        locked=locked,
    )


def content_sha256(content: ReadingContent) -> str:
    """Return the hash of all that a reading holds: what its reader signs."""
    boxes: Mapping[int, Box] = content.boxes
    held: dict[str, object] = {
        "grades": sorted([key.joint_id, key.item.key, code] for key, code in content.grades.items()),
        # As the table gives them back: a box of whole numbers has the same hash before and after.
        "boxes": sorted(
            [id_, *map(float, (box.x, box.y, box.width, box.height))] for id_, box in boxes.items()
        ),
        "exclusions": sorted([id_, e.reason_id, e.note] for id_, e in content.exclusions.items()),
    }
    # Named only where there are any: readings that were signed before lengths could be kept stay signed.
    if content.measurements:
        held["measurements"] = [[number, *(told(kept) or ())] for number, kept in _numbered(content)]
    return sha256_of(held)


def _numbered(content: ReadingContent) -> list[tuple[int, KeptMeasurement]]:
    return sorted(content.measurements.items(), key=lambda each: each[0])


def _film(row: AnyRow, joints: list[Joint], titles: Mapping[str, str], version: str) -> CaseFilm:
    tells_visit = row.presentation == Presentation.PAIRED_ORDERED.value
    joints.sort(key=lambda each: _SIDE_ORDER[each.side])
    return CaseFilm(
        radiograph_id=row.id,
        visit=titles[row.visit] if tells_visit else "",
        joints=tuple(joints),
        file_sha256=row.file_sha256,
        phantom=row.phantom,
        version=version,
        columns=row.width,
    )
