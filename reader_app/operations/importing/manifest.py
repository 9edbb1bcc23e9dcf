"""The table that may come with an import: one row per image, with what the files do not say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reader_app.errors import GradeError, ManifestError
from reader_app.operations.importing.door import Door
from reader_app.operations.table import Row, find_image, read_table, table_error
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
VIEW, PSEUDONYM, LEAVE_OUT = "view", "pseudonym", "leave_out"
KNOWN_COLUMNS = (
    "image", "participant", PSEUDONYM, "visit", "side", VIEW, LEAVE_OUT, "spacing", "sex", "age", "weight"
)  # fmt: skip
SHOWN_COLUMNS = ("body_part", "rows", "columns", "missing", "notes")
"""What a preview tells beside; an import takes nothing from them."""

_YES_OR_NO = {
    "": None,
    "yes": True,
    "true": True,
    "1": True,
    "x": True,
    "no": False,
    "false": False,
    "0": False,
}
_PSEUDONYM = re.compile(r"P-[A-Z2-7]{8}")
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
    pseudonym
        Who it is in this study, as a preview writes it. The visit of such a row is in the study's words too:
        its date, if it has one, is shifted already.
    left_out
        Whether the film is to stay outside; None where the table does not say.
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
    pseudonym: str = ""
    view: str = ""
    left_out: bool | None = None

    @property
    def in_study_words(self) -> bool:
        """Whether participant and visit are named as the study names them."""
        return bool(self.pseudonym) and not self.participant


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
    door: Door | None
    rows: dict[Path, ManifestRow] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    elsewhere: int = 0

    def fault(self, line: int, what: str) -> None:
        self.faults.append(f"line {line}: {what}")


def read_manifest(path: Path, *, folder: Path, protocol: Protocol, door: Door | None = None) -> Manifest:
    """Read and check a CSV table.

    Image names are looked for in the imported folder first, then beside the table. Columns named like
    an item of the protocol, with or without ``ref_`` before and ``_R`` or ``_L`` behind, are reference
    grades.

    Parameters
    ----------
    door
        Says which names of visits would give a date away that the study may not hold; None allows all.

    Raises
    ------
    ManifestError
        If the table cannot be read, names images that do not exist, names one twice, or holds a value
        that cannot be. All faults are told together, the first ones in full; nothing is imported then.
    """
    table = read_table(path, called="manifest")
    if "image" not in table.columns:
        raise ManifestError(
            f"{path} has no column “image”; its columns are {', '.join(table.header)}.",
            "Name the column with the image files “image”.",
        )
    references, ignored = _reference_columns(table.header, protocol)
    reading = _Reading(path, folder.resolve(), door)
    for cells in table.rows:
        _read_row(reading, cells, references, protocol)
    if reading.faults:
        raise table_error(
            path,
            reading.faults,
            called="manifest",
            next_step="Correct the table and import again; nothing was imported.",
        )
    return Manifest(reading.rows, ignored, reading.elsewhere)


@dataclass(frozen=True)
class _ReferenceColumn:
    place: int
    name: str
    item: Item
    side: JointSide | None


def _reference_columns(
    header: tuple[str, ...], protocol: Protocol
) -> tuple[tuple[_ReferenceColumn, ...], tuple[str, ...]]:
    wanted = {item.key.lower().replace(":", "_"): item for item in protocol.items}
    for feature in protocol.features:
        for item in feature.final_items:
            wanted.setdefault(item.key.lower().replace(":", "_"), item)
    found: list[_ReferenceColumn] = []
    ignored: list[str] = []
    for place, title in enumerate(header):
        name = title.strip().lower()
        if name in KNOWN_COLUMNS or name in SHOWN_COLUMNS:
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
    cells: Row,
    references: tuple[_ReferenceColumn, ...],
    protocol: Protocol,
) -> None:
    line, name = cells.line, cells.get("image")
    if not name:
        reading.fault(line, "no image is named")
        return
    path = find_image(name, reading.folder, reading.path.resolve().parent)
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
        spacing_mm=_number(reading, cells, "spacing", above=0),
        sex=_sex(reading, line, cells.get("sex")),
        age=_number(reading, cells, "age", above=-1),
        weight_kg=_number(reading, cells, "weight", above=0),
        references=tuple(_references(reading, cells, references, sides=sides, protocol=protocol)),
        pseudonym=_pseudonym(reading, cells),
        view=cells.get(VIEW),
        left_out=_yes_or_no(reading, cells, LEAVE_OUT),
    )
    if reading.door is not None and (
        fault := reading.door.date_fault(row.visit, in_study_words=row.in_study_words)
    ):
        reading.fault(line, fault)
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
        pseudonym=first.pseudonym or second.pseudonym,
        view=first.view or second.view,
        left_out=second.left_out if first.left_out is None else first.left_out,
    )


def _sides(reading: _Reading, line: int, text: str) -> tuple[JointSide, ...]:
    if not text:
        return ()
    sides = SIDE_WORDS.get(text.lower())
    if sides is None:
        reading.fault(line, f"the side “{text}” is none of R, L, B")
        return ()
    return sides


def _pseudonym(reading: _Reading, cells: Row) -> str:
    text = cells.get(PSEUDONYM)
    if text and not _PSEUDONYM.fullmatch(text):
        reading.fault(
            cells.line, f"“{text}” is no pseudonym of a study: name participants in the column “participant”"
        )
        return ""
    return text


def _yes_or_no(reading: _Reading, cells: Row, name: str) -> bool | None:
    text = cells.get(name)
    if text.lower() not in _YES_OR_NO:
        reading.fault(cells.line, f"“{text}” in “{name}” is neither yes nor no")
        return None
    return _YES_OR_NO[text.lower()]


def _sex(reading: _Reading, line: int, text: str) -> str:
    letter = text[:1].upper()
    if text and letter not in "MFO":
        reading.fault(line, f"the sex “{text}” is none of M, F, O")
        return ""
    return letter


def _number(reading: _Reading, cells: Row, name: str, *, above: float) -> float | None:
    text = cells.get(name)
    if not text:
        return None
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = float("nan")
    if not above < number < 1e6:
        reading.fault(cells.line, f"the {name} “{text}” is no sensible number")
        return None
    return number


def _references(
    reading: _Reading,
    cells: Row,
    columns: tuple[_ReferenceColumn, ...],
    *,
    sides: tuple[JointSide, ...],
    protocol: Protocol,
) -> Iterator[Reference]:
    def say(what: str) -> None:
        reading.fault(cells.line, what)

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
