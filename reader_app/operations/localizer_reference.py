"""The table that says where joints really are, against which a localizer is held."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reader_app.errors import ManifestError
from reader_app.imaging.geometry import Box, Side
from reader_app.operations.table import Row, find_image, read_table, table_error

CALLED = "table of joints"
COLUMNS = ("image", "side", "left_x", "left_y", "right_x", "right_y", "joint_line_y")
EDGE_PER_PLATEAU = 1.45
"""Edge of the reference box, in widths of the plateau; as `reader_app.ai.localizer` boxes knees."""
JOINT_HEIGHT = 0.60
"""How far down in the box the joint line lies, as a share of its edge."""


@dataclass(frozen=True)
class ReferenceJoint:
    """A knee whose plateau was pointed at.

    Attributes
    ----------
    left, right
        Ends of the tibial plateau as the image is seen, pixels.
    joint_line_y
        Height of the joint space's middle, pixels.
    note
        Why the points are estimates; empty where they are not.  The tilt of such a knee is not compared.
    """

    image: str
    path: Path
    side: Side
    left: tuple[float, float]
    right: tuple[float, float]
    joint_line_y: float
    note: str

    @property
    def width(self) -> float:
        """Width of the plateau, pixels."""
        return math.dist(self.left, self.right)

    @property
    def tilt_degrees(self) -> float:
        """Slope of the plateau, positive where its right end lies lower."""
        return math.degrees(math.atan2(self.right[1] - self.left[1], self.right[0] - self.left[0]))

    @property
    def box(self) -> Box:
        """The square that a localizer should find; it may reach beyond the film."""
        edge = EDGE_PER_PLATEAU * self.width
        middle = (self.left[0] + self.right[0]) / 2.0
        return Box(middle - edge / 2.0, self.joint_line_y - JOINT_HEIGHT * edge, edge, edge)


def read_reference(path: Path, *, images: Path) -> tuple[ReferenceJoint, ...]:
    """Read a table of joints, one a line.

    Parameters
    ----------
    path
        CSV with the columns `COLUMNS`, and ``note`` if it likes; pixels.
    images
        Folder of the images.

    Raises
    ------
    ManifestError
        If it cannot be read, lacks a column, has no rows, or a row is wrong; the sentence names the lines.
    """
    table = read_table(path, called=CALLED)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing or not table.rows:
        what = f"lacks the column “{missing[0]}”" if missing else "has no rows"
        raise ManifestError(f"The {CALLED} {path} {what}.", f"Give the columns {', '.join(COLUMNS)}.")
    faults: list[str] = []
    joints = tuple(_joints(table.rows, images, faults))
    seen = [(joint.image, joint.side) for joint in joints]
    faults += [
        f"{image} has the side {side.value} more than once"
        for image, side in dict.fromkeys(seen)
        if seen.count((image, side)) > 1
    ]
    if faults:
        raise table_error(path, faults, called=CALLED, next_step="Correct these lines.")
    return joints


def _joints(rows: tuple[Row, ...], images: Path, faults: list[str]) -> Iterator[ReferenceJoint]:
    for row in rows:
        name, path = row.get("image"), find_image(row.get("image"), images) if row.get("image") else None
        numbers = [_number(row.get(column)) for column in COLUMNS[2:]]
        if path is None:
            faults.append(f"line {row.line}: there is no image “{name}” in {images}")
        elif row.get("side") not in ("R", "L"):
            faults.append(f"line {row.line}: the side must be R or L")
        elif any(number is None for number in numbers):
            faults.append(f"line {row.line}: a coordinate is no number")
        else:
            left_x, left_y, right_x, right_y, line_y = (number for number in numbers if number is not None)
            if right_x - left_x < 1.0:
                faults.append(f"line {row.line}: right_x must lie to the right of left_x")
                continue
            yield ReferenceJoint(
                image=name,
                path=path,
                side=Side(row.get("side")),
                left=(left_x, left_y),
                right=(right_x, right_y),
                joint_line_y=line_y,
                note=row.get("note"),
            )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
