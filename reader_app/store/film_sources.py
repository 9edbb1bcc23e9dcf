"""Where the file of a film lies and what the study corrects on it: for loading, never for showing."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from reader_app.imaging.correction import FilmCorrection, shown_sha256
from reader_app.imaging.spacing import Spacing, SpacingKind
from reader_app.reading.case import STATED_AT_IMPORT
from reader_app.store.boxes import box_of
from reader_app.store.canonical import sha256_of
from reader_app.store.records import FilmSource
from reader_app.store.rows import AnyRow
from reader_app.store.tables import box_out, film_correction, radiograph

_AT_ONCE = 1000  # an engine takes only so many values in one statement

_SOURCES = (
    select(
        radiograph.c.id,
        radiograph.c.path,
        radiograph.c.file_sha256,
        radiograph.c.spacing_row_mm,
        radiograph.c.spacing_column_mm,
        radiograph.c.spacing_reason,
        film_correction.c.row_mm,
        film_correction.c.column_mm,
        film_correction.c.marker_mm,
        film_correction.c.inverse_polarity,
        film_correction.c.text_checked,
    )
    .select_from(radiograph)
    .outerjoin(film_correction, film_correction.c.radiograph_id == radiograph.c.id)
)


def film_sources(connection: Connection, radiograph_ids: Sequence[int]) -> dict[int, FilmSource]:
    """Return the sources of films by radiograph id; whether the actor may load them, the caller decides."""
    found: dict[int, FilmSource] = {}
    for start in range(0, len(radiograph_ids), _AT_ONCE):
        some = radiograph_ids[start : start + _AT_ONCE]
        boxes: dict[int, list[AnyRow]] = {}
        for row in connection.execute(
            select(box_out).where(box_out.c.radiograph_id.in_(some)).order_by(box_out.c.id)
        ):
            boxes.setdefault(row.radiograph_id, []).append(row)
        for row in connection.execute(_SOURCES.where(radiograph.c.id.in_(some))):
            found[row.id] = FilmSource(row.path, row.file_sha256, _correction(row, boxes))
    return found


def shown_version(source: FilmSource) -> str:
    """Return what is another text whenever a film is shown otherwise: its hash, corrections included."""
    if source.correction == FilmCorrection(overlays_hidden=True):
        return source.file_sha256
    spacing = source.correction.spacing
    return sha256_of(
        {
            "file": shown_sha256(source.file_sha256, source.correction),
            "overlays": not source.correction.overlays_hidden,
            "spacing": [spacing.row_mm, spacing.column_mm, spacing.reason] if spacing else None,
        }
    )


def _correction(row: AnyRow, boxes: dict[int, list[AnyRow]]) -> FilmCorrection:
    return FilmCorrection(
        spacing=_spacing(row),
        inverse_polarity=row.inverse_polarity,
        box_outs=tuple(box for each in boxes.get(row.id, ()) if (box := box_of(each)) is not None),
        overlays_hidden=not row.text_checked,
    )


def calibrated(row: AnyRow) -> Spacing | None:
    """Return the millimetres by a marker that a row of corrections holds, None where it holds none."""
    if row.row_mm is None:
        return None
    reason = f"Calibrated by a marker of {row.marker_mm:g} mm."
    return Spacing(row.row_mm, row.column_mm, SpacingKind.CALIBRATED, reason)


def _spacing(row: AnyRow) -> Spacing | None:
    by_marker = calibrated(row)
    if by_marker is not None:
        return by_marker
    if row.spacing_reason == STATED_AT_IMPORT:
        return Spacing(row.spacing_row_mm, row.spacing_column_mm, SpacingKind.CALIBRATED, STATED_AT_IMPORT)
    return None
