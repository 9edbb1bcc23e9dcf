"""The coordinator's list of films, page by page, those that a human should look at first."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import ColumnElement, and_, case, func, not_, or_, select

from reader_app.errors import StudyError
from reader_app.imaging.geometry import Box, Laterality
from reader_app.imaging.spacing import Spacing, SpacingKind
from reader_app.store.access import require
from reader_app.store.boxes import box_of
from reader_app.store.database import Database
from reader_app.store.film_records import FilmEntry
from reader_app.store.film_sources import calibrated
from reader_app.store.records import Actor, Role
from reader_app.store.rows import AnyRow, AnySelect
from reader_app.store.tables import box_out, film_correction, participant, radiograph

_WITH_CORRECTIONS = radiograph.outerjoin(film_correction, film_correction.c.radiograph_id == radiograph.c.id)
_CHECKED = func.coalesce(film_correction.c.text_checked, False)
_STATED = and_(not_(_CHECKED), func.coalesce(radiograph.c.burned_in, False))


def _to_check() -> ColumnElement[bool]:
    """`FilmEntry.to_check` in the database's words."""
    may_carry_text = and_(radiograph.c.burned_in.is_(None), not_(radiograph.c.phantom))
    no_millimetres = and_(radiograph.c.spacing_row_mm.is_(None), film_correction.c.row_mm.is_(None))
    no_side = radiograph.c.laterality == Laterality.UNKNOWN.value
    return and_(not_(_CHECKED), or_(_STATED, may_carry_text, no_millimetres, no_side))


def film_list(
    database: Database, actor: Actor, *, offset: int = 0, limit: int = 500, to_check_only: bool = False
) -> tuple[FilmEntry, ...]:
    """Return films in the order of import.

    Parameters
    ----------
    to_check_only
        Only those that a human should look at; then those whose file says that it carries text come first.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator or auditor.
    """
    page = select(radiograph.c.id).select_from(_WITH_CORRECTIONS)
    order: list[ColumnElement[object]] = []
    if to_check_only:
        page = page.where(_to_check())
        order.append(case((_STATED, 0), else_=1))
    page = page.order_by(*order, radiograph.c.id).limit(limit).offset(offset)
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        # Ids first: sorting and skipping ten thousands of rows is cheap while they are narrow.
        ids = list(connection.execute(page).scalars())
        rows = {row.id: row for row in connection.execute(_ENTRIES.where(radiograph.c.id.in_(ids)))}
        boxes: dict[int, list[Box]] = {}
        for row in connection.execute(
            select(box_out).where(box_out.c.radiograph_id.in_(ids)).order_by(box_out.c.id)
        ):
            box = box_of(row)
            if box is not None:
                boxes.setdefault(row.radiograph_id, []).append(box)
    return tuple(_entry(rows[id_], tuple(boxes.get(id_, ()))) for id_ in ids)


def film_entry(database: Database, actor: Actor, radiograph_id: int) -> FilmEntry:
    """Return one film of the list.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator or auditor.
    StudyError
        If the study has no such film.
    """
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        row = connection.execute(_ENTRIES.where(radiograph.c.id == radiograph_id)).one_or_none()
        boxes = connection.execute(
            select(box_out).where(box_out.c.radiograph_id == radiograph_id).order_by(box_out.c.id)
        ).all()
    if row is None:
        raise StudyError(f"The study has no film {radiograph_id}.", "Look it up in the list of films.")
    return _entry(row, tuple(box for each in boxes if (box := box_of(each)) is not None))


def film_count(database: Database, actor: Actor, *, to_check_only: bool = False) -> int:
    """Return how many films the list has.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator or auditor.
    """
    query = select(func.count()).select_from(_WITH_CORRECTIONS)
    if to_check_only:
        query = query.where(_to_check())
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return int(connection.execute(query).scalar_one())


def films_silent_on_text(database: Database, actor: Actor) -> tuple[int, ...]:
    """Return the films to be looked at whose files do not themselves say that text is burned in.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator or auditor.
    """
    query = (
        select(radiograph.c.id)
        .select_from(_WITH_CORRECTIONS)
        .where(_to_check(), not_(_STATED))
        .order_by(radiograph.c.id)
    )
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return tuple(connection.execute(query).scalars())


_ENTRIES: AnySelect = select(
    radiograph.c.id,
    participant.c.pseudonym,
    radiograph.c.visit,
    radiograph.c.view,
    radiograph.c.body_part,
    radiograph.c.laterality,
    radiograph.c.rows,
    radiograph.c.columns,
    radiograph.c.spacing_row_mm,
    radiograph.c.spacing_column_mm,
    radiograph.c.spacing_kind,
    radiograph.c.spacing_reason,
    radiograph.c.burned_in,
    radiograph.c.phantom,
    radiograph.c.path,
    radiograph.c.format,
    radiograph.c.file_sha256,
    radiograph.c.source_sha256,
    film_correction.c.row_mm,
    film_correction.c.column_mm,
    film_correction.c.marker_mm,
    film_correction.c.inverse_polarity,
    _CHECKED.label("text_checked"),
).select_from(_WITH_CORRECTIONS.join(participant, participant.c.id == radiograph.c.participant_id))


def _entry(row: AnyRow, boxes: tuple[Box, ...]) -> FilmEntry:
    own = Spacing(
        row.spacing_row_mm, row.spacing_column_mm, SpacingKind(row.spacing_kind), row.spacing_reason
    )
    spacing = calibrated(row) or own
    return FilmEntry(
        radiograph_id=row.id,
        participant=row.pseudonym,
        visit=row.visit,
        view=row.view,
        body_part=row.body_part,
        laterality=row.laterality,
        rows=row.rows,
        columns=row.columns,
        spacing_words_kind=spacing.kind.value,
        spacing_mm=(spacing.row_mm, spacing.column_mm)
        if spacing.row_mm is not None and spacing.column_mm is not None
        else None,
        spacing_reason=spacing.reason,
        own_spacing=own,
        burned_in=row.burned_in,
        text_checked=bool(row.text_checked),
        box_outs=boxes,
        inverse_polarity=row.inverse_polarity,
        calibrated_marker_mm=row.marker_mm,
        phantom=row.phantom,
        copied=_is_own_copy(row),
    )


def _is_own_copy(row: AnyRow) -> bool:
    """Whether the study has a de-identified copy.

    Older versions copied byte for byte. Such a DICOM file says who the person is, and nothing vouches for it
    as a copy, so that it is left as it is; a PNG file may be the same because it held nothing but pixels.
    """
    if Path(row.path).is_absolute():
        return False
    return bool(row.file_sha256 != row.source_sha256 or row.format == "PNG")
