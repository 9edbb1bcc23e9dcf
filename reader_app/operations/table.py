"""Tables that come from outside: CSV with comma, semicolon or tab, as spreadsheets write it."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reader_app.errors import ManifestError

_TOLD_AT_ONCE = 5
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_SIGNED_NUMBER = re.compile(r"[+-]?[0-9.]+")


@dataclass(frozen=True)
class Row:
    """One row of a table; a cell is read by its column's name in small letters, and empty where missing."""

    line: int
    columns: Mapping[str, int]
    cells: tuple[str, ...]

    def get(self, name: str) -> str:
        """Return the cell under a column, without blanks around it."""
        place = self.columns.get(name)
        return self.at(place) if place is not None else ""

    def at(self, place: int) -> str:
        """Return the cell at a column's place."""
        return _plain(self.cells[place].strip()) if place < len(self.cells) else ""


@dataclass(frozen=True)
class Table:
    """A table with its headings.

    Attributes
    ----------
    header
        As written.
    columns
        Place of each heading, in small letters.
    rows
        Those that are not empty.
    """

    path: Path
    header: tuple[str, ...]
    columns: Mapping[str, int]
    rows: tuple[Row, ...]


def read_table(path: Path, *, called: str) -> Table:
    """Read a CSV table.

    Parameters
    ----------
    called
        What an error calls it, such as “manifest”.

    Raises
    ------
    ManifestError
        If it cannot be read, is empty, is not UTF-8, or names a column twice.
    """
    lines = _lines(path, called)
    header = next(lines, (1, []))[1]
    if not any(name.strip() for name in header):
        raise ManifestError(f"The {called} {path} is empty.", "Give a table with a column “image”.")
    columns: dict[str, int] = {}
    for place, title in enumerate(header):
        name = title.strip().lower()
        if name and columns.setdefault(name, place) != place:
            raise ManifestError(f"The {called} {path} has two columns “{name}”.", "Rename one of them.")
    rows = tuple(
        Row(number, columns, tuple(cells)) for number, cells in lines if any(cell.strip() for cell in cells)
    )
    return Table(path, tuple(header), columns, rows)


def find_image(name: str, *bases: Path) -> Path | None:
    """Return the file that a cell names, looked for in the given folders; None if there is none."""
    if "\0" in name:
        return None
    for base in bases:
        # A backslash is part of a name on some systems, and parts folders on others.
        for spelled in dict.fromkeys((name, name.replace("\\", "/"))):
            candidate = (base / spelled).resolve()
            if candidate.is_file():
                return candidate
    return None


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Write a table that `read_table` reads back, whole or not at all.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it, which it takes for
    “text”; reading takes it away again.

    Returns
    -------
    int
        How many rows were written.

    Raises
    ------
    ManifestError
        If the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.part")
    count = 0
    try:
        # With a mark at the beginning, spreadsheets take the table for the UTF-8 that it is.
        with partial.open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(header)
            for count, row in enumerate(rows, start=1):  # noqa: B007 - the last count is what is returned
                writer.writerow([_guarded(cell) for cell in row])
        partial.replace(path)
    except (OSError, UnicodeEncodeError) as fault:
        raise ManifestError(
            f"The table {path} cannot be written: {getattr(fault, 'strerror', None) or fault}.",
            "Choose another place for it.",
        ) from fault
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return count


def _guarded(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) and not _SIGNED_NUMBER.fullmatch(cell) else cell


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def table_error(path: Path, faults: list[str], *, called: str, next_step: str) -> ManifestError:
    """Return one error for all faults of a table, the first ones in full."""
    told = "; ".join(faults[:_TOLD_AT_ONCE])
    more = len(faults) - _TOLD_AT_ONCE
    rest = f"; and {more} more" if more > 0 else ""
    return ManifestError(f"The {called} {path} cannot be used: {told}{rest}.", next_step)


def _lines(path: Path, called: str) -> Iterator[tuple[int, list[str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as fault:
        raise ManifestError(
            f"The {called} {path} cannot be read: {fault.strerror or fault}.", "Check the path."
        ) from fault
    except UnicodeDecodeError as fault:
        raise ManifestError(f"The {called} {path} is not UTF-8 text.", "Save it as CSV UTF-8.") from fault
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    # Strict: a quotation mark that is never closed would swallow the rest of the table in silence.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from [(reader.line_num, row) for row in reader]
    except csv.Error as fault:
        raise ManifestError(
            f"{path}, line {reader.line_num}: {fault}.", "Save the table as CSV anew."
        ) from fault
