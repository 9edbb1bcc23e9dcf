"""`reader-app inspect`: what files say and how they would be shown, without a study."""

from __future__ import annotations

import argparse
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import set_cell_size

from reader_app.cli.screen import Screen

if TYPE_CHECKING:
    from reader_app.operations.inspect import Inspection

Commands = argparse._SubParsersAction  # argparse has no public name for it

_COLUMNS = (
    ("Size", 11),
    ("Bits", 4),
    ("Kind", 5),
    ("Part", 10),
    ("View", 10),
    ("Side", 4),
    ("mm per pixel", 30),
    ("Polarity", 9),
    ("Window", 18),
    ("s", 5),
)
"""Headings with their widths: fixed, as rows are printed as they come."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "inspect",
        help="look at image files without a study",
        description=(
            "Look at image files without a study: what each says, how it would be shown, or the reason why "
            "it cannot be. Nothing is written, and whatever the files are, the exit code is 0."
        ),
        epilog="example:\n  reader-app inspect /data/radiographs --json > films.jsonl",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("paths", metavar="PATH", type=Path, nargs="+", help="file, or folder with files")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line, for programs")
    parser.add_argument(
        "--workers", metavar="N", type=_count, help="processes that read files (default: one a core)"
    )
    parser.set_defaults(handler=_inspect)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"“{printable(text)}” is no whole number above 0")
    return int(text)


def _inspect(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.inspect import as_record, inspect_files

    inspections = inspect_files(arguments.paths, workers=arguments.workers)
    if arguments.json:
        for inspection in inspections:
            screen.record(as_record(inspection))
        return 0
    shown = refused = 0
    for inspection in inspections:
        if shown + refused == 0:
            screen.line(_row([title for title, _ in _COLUMNS], "File"))
        shown, refused = shown + inspection.readable, refused + (not inspection.readable)
        screen.line(_film(inspection) if inspection.readable else f"{'':2}{printable(_why(inspection))}")
    screen.line(_summary(shown, refused))
    return 0


def _summary(shown: int, refused: int) -> str:
    if shown + refused == 0:
        return "There are no files."
    files = "1 file" if shown + refused == 1 else f"{shown + refused} files"
    return f"{files}: {shown} can be shown, {refused} cannot."


def _why(inspection: Inspection) -> str:
    return inspection.reason or f"{inspection.path} cannot be read."


def _film(film: Inspection) -> str:
    millimetres = film.spacing_kind or ""
    if film.spacing_mm is not None:
        row, column = (f"{mm:.4g}" for mm in film.spacing_mm)
        millimetres = f"{row if row == column else f'{row} x {column}'} {millimetres}"
    cells = [
        f"{film.rows} x {film.columns}",
        "" if film.bits is None else str(film.bits),
        film.modality or film.format or "",
        film.body_part or "",
        film.view_position or "",
        film.laterality or "",
        millimetres,
        film.polarity or "",
        film.window.name if film.window else "",
        "" if film.seconds is None else f"{film.seconds:.2f}",
    ]
    return _row(cells, str(film.path))


def _row(cells: list[str], path: str) -> str:
    """One line: cells cut or filled to the widths of their columns, the path as long as it is."""
    fitted = (_fitted(printable(cell), width) for cell, (_, width) in zip(cells, _COLUMNS, strict=True))
    return "  ".join((*fitted, printable(path)))


def _fitted(cell: str, width: int) -> str:
    whole = set_cell_size(cell, width)
    return whole if whole.startswith(cell) else f"{set_cell_size(cell, width - 1)}…"


def printable(text: str) -> str:
    """Return a text of one line that a terminal shows as it is.

    Control signs, escapes, line ends, marks of direction and of no width, and bytes that are no text are
    written as escapes.
    """
    return "".join(
        sign.encode("ascii", "backslashreplace").decode("ascii")
        if ord(sign) > 0x7F and unicodedata.category(sign) in _INVISIBLE
        else (f"\\x{ord(sign):02x}" if unicodedata.category(sign) in _INVISIBLE else sign)
        for sign in text
    )
