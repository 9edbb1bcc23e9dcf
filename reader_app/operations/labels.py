"""The table of reference grades that an evaluation of a bundle needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reader_app.ai.bundle import BundleHead
from reader_app.errors import ManifestError
from reader_app.operations.table import Row, Table, find_image, read_table, table_error
from reader_app.protocols.model import Item
from reader_app.reading.case import JointSide

CALLED = "table of labels"
DEFAULT_SPLIT = "test"
_SIDES = {
    "": JointSide.UNSTATED,
    "u": JointSide.UNSTATED,
    "r": JointSide.RIGHT,
    "right": JointSide.RIGHT,
    "l": JointSide.LEFT,
    "left": JointSide.LEFT,
}


@dataclass(frozen=True)
class LabelledJoint:
    """One joint with its reference grades.

    Attributes
    ----------
    name
        The image as the table names it.
    participant
        Who joints belong to that are not independent; the image itself where the table does not say.
    grades
        By item; items without a grade are left out.
    """

    name: str
    path: Path
    participant: str
    side: JointSide
    grades: Mapping[Item, int]


@dataclass(frozen=True)
class Labels:
    """The rows that an evaluation uses.

    Attributes
    ----------
    split
        Which rows were taken; empty where the table has no splits.
    notes
        Sentences on what was taken and assumed.
    """

    joints: tuple[LabelledJoint, ...]
    items: tuple[Item, ...]
    split: str
    notes: tuple[str, ...]


@dataclass
class _Reading:
    images: Path
    table: Table
    columns: Mapping[Item, str]
    heads: Mapping[Item, BundleHead]
    faults: list[str] = field(default_factory=list)

    def fault(self, row: Row, what: str) -> None:
        self.faults.append(f"line {row.line}: {what}")


def read_labels(
    path: Path, *, images: Path, heads: tuple[BundleHead, ...], split: str | None = None
) -> Labels:
    """Read reference grades.

    The table has the column image, one column for each feature (``kl``, or ``jsn_medial`` with a site,
    in capitals or not), and if it likes participant, side and split.

    Parameters
    ----------
    split
        Which rows; None takes ``test`` where the table has splits.

    Raises
    ------
    ManifestError
        If a column is missing, an image does not exist or is named twice, or a grade is outside its scale.
    """
    table = read_table(path, called=CALLED)
    columns = {head.item: name for head in heads if (name := _column(table, head.item)) is not None}
    if "image" not in table.columns or not columns:
        wanted = " or ".join(f"“{head.item.key.lower().replace(':', '_')}”" for head in heads)
        raise ManifestError(
            f"The {CALLED} {path} needs the column “image” and {wanted}; it has {', '.join(table.header)}.",
            "Name the columns so.",
        )
    rows, taken = _rows_of(table, split)
    reading = _Reading(images, table, columns, {head.item: head for head in heads})
    joints = [joint for row in rows if (joint := _joint(reading, row)) is not None]
    _no_doubles(reading, joints)
    if reading.faults:
        raise table_error(
            path, reading.faults, called=CALLED, next_step="Correct the table and evaluate again."
        )
    return Labels(tuple(joints), tuple(columns), taken, tuple(_notes(table, taken, split, len(joints))))


def _column(table: Table, item: Item) -> str | None:
    names = (item.key.lower(), item.key.lower().replace(":", "_"))
    return next((name for name in names if name in table.columns), None)


def _rows_of(table: Table, split: str | None) -> tuple[tuple[Row, ...], str]:
    if "split" not in table.columns:
        if split is not None:
            raise ManifestError(
                f"The {CALLED} {table.path} has no column “split”.", "Leave --split out to take every row."
            )
        return table.rows, ""
    wanted = split or DEFAULT_SPLIT
    rows = tuple(row for row in table.rows if row.get("split").lower() == wanted.lower())
    if not rows:
        known = ", ".join(sorted({row.get("split") for row in table.rows if row.get("split")})) or "none"
        raise ManifestError(
            f"The {CALLED} {table.path} has no row of the split “{wanted}”.",
            f"Choose another with --split; it has {known}.",
        )
    return rows, wanted


def _joint(reading: _Reading, row: Row) -> LabelledJoint | None:
    name = row.get("image")
    path = find_image(name, reading.images, reading.table.path.resolve().parent) if name else None
    if path is None:
        reading.fault(row, f"the image “{name}” does not exist" if name else "no image is named")
        return None
    side = _SIDES.get(row.get("side").lower())
    if side is None:
        reading.fault(row, f"the side “{row.get('side')}” is none of R, L or empty")
        return None
    grades = {}
    for item, column in reading.columns.items():
        text = row.get(column)
        if not text:
            continue
        code = _code(text, reading.heads[item].codes)
        if code is None:
            known = ", ".join(str(each) for each in reading.heads[item].codes)
            reading.fault(row, f"the grade “{text}” in “{column}” is outside its scale ({known})")
        else:
            grades[item] = code
    return LabelledJoint(name, path, row.get("participant") or f"image:{path}", side, grades)


def _code(text: str, codes: tuple[int, ...]) -> int | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return next((code for code in codes if code == number), None)


def _no_doubles(reading: _Reading, joints: list[LabelledJoint]) -> None:
    seen: set[tuple[Path, JointSide]] = set()
    for joint in joints:
        if (joint.path, joint.side) in seen:
            reading.faults.append(f"the image “{joint.name}” is named twice for the same joint")
        seen.add((joint.path, joint.side))


def _notes(table: Table, taken: str, wanted: str | None, rows: int) -> list[str]:
    notes = []
    if taken:
        chosen = "as asked" if wanted else "as nothing else was asked"
        notes.append(f"Only the {rows} rows of the split “{taken}” are used, {chosen}.")
    if "participant" not in table.columns:
        notes.append("The table has no column “participant”: every image counts as a participant of its own.")
    if "side" not in table.columns:
        notes.append("The table has no column “side”: no joint is mirrored.")
    return notes
