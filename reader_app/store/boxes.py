"""Boxes in rows: how the tables keep them."""

from __future__ import annotations

from reader_app.imaging.geometry import Box
from reader_app.store.rows import AnyRow


def box_of(row: AnyRow) -> Box | None:
    """Return the box in a row, None where it has none."""
    if row.box_x is None:
        return None
    return Box(row.box_x, row.box_y, row.box_width, row.box_height)


def box_values(box: Box | None) -> dict[str, float | None]:
    """Return the columns that keep a box."""
    if box is None:
        return dict.fromkeys(("box_x", "box_y", "box_width", "box_height"))
    return {"box_x": box.x, "box_y": box.y, "box_width": box.width, "box_height": box.height}
