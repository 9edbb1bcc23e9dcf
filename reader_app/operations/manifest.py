"""The table that may come with an import: one row per image, with what the files do not say."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reader_app.errors import GradeError, ManifestError
from reader_app.protocols.model import Item, Protocol
from reader_app.reading.case import JointSide

SIDE_WORDS = {
    "r": (JointSide.RIGHT,),
    "right": (JointSide.RIGHT,),
    "l": (JointSide.LEFT,),
    "left": (JointSide.LEFT,),
    "b": (JointSide.RIGHT, JointSide.LEFT),
    "both": (JointSide.RIGHT, JointSide.LEFT),
    "bilateral": (JointSide.RIGHT, JointSide.LEFT),
}
KNOWN_COLUMNS = ("image", "participant", "visit", "side", "spacing", "sex", "age", "weight")
_TOLD_AT_ONCE = 5
_SIDE_SUFFIX = re.compile(r"^(?P<stem>.+)_(?P<side>r|l|right|left)$")


@dataclass(frozen=True)
class Reference:
    """A grade that the table brings along, for example from an earlier study."""

    side: JointSide
    item: Item
    code: int


@dataclass(frozen=True)
class ManifestRow:
    """What the table says of one image; empty or None where it says nothing.

    Attributes
    ----------
    spacing_mm
        Millimetres per pixel, both ways.
    """

    path: Path
    participant: str = ""
    visit: str = ""
    sides: tuple[JointSide, ...] = ()
    spacing_mm: float | None = None
    sex: str = ""
    age: float | None = None
    weight_kg: float | None = None
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """A table, checked.

    Attributes
    ----------
    rows
        By the image's resolved path.
    ignored_columns
        Columns that mean nothing to us.
    elsewhere
        Rows of images that exist, but outside the imported folder.
    """

    rows: Mapping[Path, ManifestRow]
    ignored_columns: tuple[str, ...] = ()
    elsewhere: int = 0


@dataclass
class _Reading:
    """A table on its way to a `Manifest`."""

    path: Path
    folder: Path
    rows: dict[Path, ManifestRow] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    elsewhere: int = 0

    def fault(self, line: int, what: str) -> None:
        self.faults.append(f"line {line}: {what}")


def read_manifest(path: Path, *, folder: Path, protocol: Protocol) -> Manifest:
    """Read and check a CSV table.

    Image names are looked for in the imported folder first, then beside the table. Columns named like
    an item of the protocol, with or without ``ref_`` before and ``_R`` or ``_L`` behind, are reference
    grades.

    Raises
    ------
    ManifestError
        If the table cannot be read, names images that do not exist, names one twice, or holds a value
        that cannot be. All faults are told together, the first ones in full; nothing is imported then.
    """
    header, lines = _table(path)
    columns = {name.strip().lower(): place for place, name in enumerate(header)}
    if "image" not in columns:
        raise ManifestError(
            f"{path} has no column “image”; its columns are {', '.join(header) or 'none'}.",
            "Name the column with the image files “image”.",
        )
    references, ignored = _reference_columns(header, protocol)
    reading = _Reading(path, folder.resolve())
    for number, cells in lines:
        if any(cell.strip() for cell in cells):
            _read_row(reading, number, _Cells(columns, cells), references, protocol)
    if reading.faults:
        raise _all_faults(reading)
    return Manifest(reading.rows, ignored, reading.elsewhere)


@dataclass(frozen=True)
class _Cells:
    columns: Mapping[str, int]
    cells: list[str]

    def get(self, name: str) -> str:
        place = self.columns.get(name)
        return self.at(place) if place is not None else ""

    def at(self, place: int) -> str:
        return self.cells[place].strip() if place < len(self.cells) else ""


@dataclass(frozen=True)
class _ReferenceColumn:
    place: int
    name: str
    item: Item
    side: JointSide | None


def _table(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as fault:
        raise ManifestError(
            f"The manifest {path} cannot be read: {fault.strerror or fault}.", "Check the path."
        ) from fault
    except UnicodeDecodeError as fault:
        raise ManifestError(f"The manifest {path} is not UTF-8 text.", "Save it as CSV UTF-8.") from fault
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as fault:
        raise ManifestError(
            f"{path}, line {reader.line_num}: {fault}.", "Save the table as CSV anew."
        ) from fault
    if not rows:
        raise ManifestError(f"The manifest {path} is empty.", "Give a table with a column “image”.")
    return rows[0][1], iter(rows[1:])


def _reference_columns(
    header: list[str], protocol: Protocol
) -> tuple[tuple[_ReferenceColumn, ...], tuple[str, ...]]:
    wanted = {item.key.lower().replace(":", "_"): item for item in protocol.items}
    for feature in protocol.features:
        for item in feature.final_items:
            wanted.setdefault(item.key.lower().replace(":", "_"), item)
    found: list[_ReferenceColumn] = []
    ignored: list[str] = []
    for place, title in enumerate(header):
        name = title.strip().lower()
        if name in KNOWN_COLUMNS:
            continue
        stem = name.removeprefix("ref_").replace(":", "_")
        side: JointSide | None = None
        if stem not in wanted and (match := _SIDE_SUFFIX.match(stem)):
            stem, side = match["stem"], SIDE_WORDS[match["side"]][0]
        if stem in wanted:
            found.append(_ReferenceColumn(place, title.strip(), wanted[stem], side))
        elif name:
            ignored.append(title.strip())
    return tuple(found), tuple(ignored)


def _read_row(
    reading: _Reading,
    line: int,
    cells: _Cells,
    references: tuple[_ReferenceColumn, ...],
    protocol: Protocol,
) -> None:
    name = cells.get("image")
    if not name:
        reading.fault(line, "no image is named")
        return
    path = _locate(reading, name)
    if path is None:
        reading.fault(line, f"the image “{name}” does not exist")
        return
    if not path.is_relative_to(reading.folder):
        reading.elsewhere += 1
        return
    sides = _sides(reading, line, cells.get("side"))
    row = ManifestRow(
        path=path,
        participant=cells.get("participant"),
        visit=cells.get("visit"),
        sides=sides,
        spacing_mm=_number(reading, line, cells, "spacing", above=0),
        sex=_sex(reading, line, cells.get("sex")),
        age=_number(reading, line, cells, "age", above=-1),
        weight_kg=_number(reading, line, cells, "weight", above=0),
        references=tuple(_references(reading, line, cells, references, sides=sides, protocol=protocol)),
    )
    before = reading.rows.get(path)
    if before is None:
        reading.rows[path] = row
    elif before.sides and sides and not set(before.sides) & set(sides):
        reading.rows[path] = _joined(before, row)
    else:
        reading.fault(line, f"the image “{name}” is named twice")


def _joined(first: ManifestRow, second: ManifestRow) -> ManifestRow:
    """One film with a row for each side."""
    return ManifestRow(
        path=first.path,
        participant=first.participant or second.participant,
        visit=first.visit or second.visit,
        sides=tuple(sorted({*first.sides, *second.sides}, key=list(JointSide).index)),
        spacing_mm=first.spacing_mm or second.spacing_mm,
        sex=first.sex or second.sex,
        age=first.age if first.age is not None else second.age,
        weight_kg=first.weight_kg or second.weight_kg,
        references=(*first.references, *second.references),
    )


def _locate(reading: _Reading, name: str) -> Path | None:
    if "\0" in name:
        return None
    for base in (reading.folder, reading.path.resolve().parent):
        candidate = (base / name.replace("\\", "/")).resolve()
        if candidate.is_file():
            return candidate
    return None


def _sides(reading: _Reading, line: int, text: str) -> tuple[JointSide, ...]:
    if not text:
        return ()
    sides = SIDE_WORDS.get(text.lower())
    if sides is None:
        reading.fault(line, f"the side “{text}” is none of R, L, B")
        return ()
    return sides


def _sex(reading: _Reading, line: int, text: str) -> str:
    letter = text[:1].upper()
    if text and letter not in "MFO":
        reading.fault(line, f"the sex “{text}” is none of M, F, O")
        return ""
    return letter


def _number(reading: _Reading, line: int, cells: _Cells, name: str, *, above: float) -> float | None:
    text = cells.get(name)
    if not text:
        return None
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = float("nan")
    if not above < number < 1e6:
        reading.fault(line, f"the {name} “{text}” is no sensible number")
        return None
    return number


def _references(
    reading: _Reading,
    line: int,
    cells: _Cells,
    columns: tuple[_ReferenceColumn, ...],
    *,
    sides: tuple[JointSide, ...],
    protocol: Protocol,
) -> Iterator[Reference]:
    def say(what: str) -> None:
        reading.fault(line, what)

    for column in columns:
        text = cells.at(column.place)
        if not text:
            continue
        code = _code(text, column, protocol, say)
        side = column.side or (sides[0] if len(sides) == 1 else None)
        if side is None and not sides:
            side = JointSide.UNSTATED
        if side is None:
            say(f"the column “{column.name}” does not say for which side (add _R or _L)")
        elif code is not None:
            yield Reference(side, column.item, code)


def _code(text: str, column: _ReferenceColumn, protocol: Protocol, say: Callable[[str], None]) -> int | None:
    scale = protocol.item_scale(column.item)
    try:
        code = int(float(text))
        if code != float(text):
            raise ValueError(text)
        return scale.level(code).code
    except (ValueError, OverflowError, GradeError):
        codes = ", ".join(str(known) for known in scale.codes)
        say(f"the grade “{text}” in “{column.name}” is outside its scale ({codes})")
        return None


def _all_faults(reading: _Reading) -> ManifestError:
    told = "; ".join(reading.faults[:_TOLD_AT_ONCE])
    more = len(reading.faults) - _TOLD_AT_ONCE
    rest = f"; and {more} more" if more > 0 else ""
    return ManifestError(
        f"The manifest {reading.path} cannot be used: {told}{rest}.",
        "Correct the table and import again; nothing was imported.",
    )
