"""Lengths that readers kept: how rows and the journal hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from reader_app.imaging.spacing import SpacingKind
from reader_app.reading.measurement import KeptMeasurement, Measurement
from reader_app.store.tables import measurement

_OF_READING = (
    select(measurement)
    .where(measurement.c.reading_id == bindparam("reading_id"))
    .order_by(measurement.c.number)
)


def kept_measurements(connection: Connection, reading_id: int) -> dict[int, KeptMeasurement]:
    """Return the lengths of one reading by their number; who may see them, the callers decide."""
    return {
        row.number: KeptMeasurement(
            row.radiograph_id,
            (row.start_x, row.start_y),
            (row.end_x, row.end_y),
            Measurement(row.pixels, row.mm, SpacingKind(row.kind), row.reason),
        )
        for row in connection.execute(_OF_READING, {"reading_id": reading_id})
    }


def place_values(kept: KeptMeasurement) -> dict[str, object]:
    """Return the columns that say where a length lies: by them a row is known again."""
    return {
        "radiograph_id": kept.radiograph_id,
        "start_x": kept.start[0],
        "start_y": kept.start[1],
        "end_x": kept.end[0],
        "end_y": kept.end[1],
    }


def measurement_values(kept: KeptMeasurement) -> dict[str, object]:
    """Return the columns that keep a length."""
    length = kept.measurement
    return {
        **place_values(kept),
        "pixels": length.pixels,
        "mm": length.mm,
        "kind": length.kind.value,
        "reason": length.reason,
    }


def told(kept: KeptMeasurement | None) -> list[object] | None:
    """Return a length as the journal and the signature tell it; None is none.

    As the table gives it back: whole numbers have the same hash before and after.
    """
    if kept is None:
        return None
    length = kept.measurement
    points = [*map(float, (*kept.start, *kept.end)), float(length.pixels)]
    mm = None if length.mm is None else float(length.mm)
    return [kept.radiograph_id, *points, mm, length.kind.value, length.reason]


def heard(parts: Sequence[Any] | None) -> KeptMeasurement | None:
    """Return what `told` tells."""
    if parts is None:
        return None
    radiograph_id, start_x, start_y, end_x, end_y, pixels, mm, kind, reason = parts
    length = Measurement(pixels, mm, SpacingKind(kind), reason)
    return KeptMeasurement(radiograph_id, (start_x, start_y), (end_x, end_y), length)
