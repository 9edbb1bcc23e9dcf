"""What the command line prints: tables and progress bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import rich.progress
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from reader_app.operations.progress import Progress

PLAIN_STEPS = 10
"""A run that nobody watches prints at most about so many lines of progress."""

Tell = Callable[[Progress], None]


class Screen:
    """Prints results to the standard output, and progress to the standard error stream."""

    def __init__(self) -> None:
        self._out = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)
        self._err = Console(stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True)

    def line(self, text: str = "") -> None:
        """Print a line of results, exactly as it is."""
        print(text)

    def aside(self, text: str) -> None:
        """Print a line that is no result, such as what is being done."""
        print(text, file=sys.stderr, flush=True)

    def json(self, value: object) -> None:
        """Print a value for programs."""
        print(json.dumps(value, indent=2, ensure_ascii=False))

    def record(self, value: object) -> None:
        """Print a value for programs on a line of its own, at once; in ASCII, so that no name breaks it."""
        print(json.dumps(value, ensure_ascii=True, allow_nan=False), flush=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
        """Print rows under their headings; the first column is to the left, numbers to the right."""
        right = [
            bool(rows) and place > 0 and all(_is_number(row[place]) for row in rows)
            for place in range(len(columns))
        ]
        if not self._out.is_terminal:
            self._plain_table(columns, rows, right, title)
            return
        table = Table(title=Text(title) if title else None, title_justify="left")
        for name, numeric in zip(columns, right, strict=True):
            table.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self._out.print(table, soft_wrap=False)

    def _plain_table(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool], title: str
    ) -> None:
        if title:
            print(title)
        widths = [max(len(row[place]) for row in (columns, *rows)) for place in range(len(columns))]
        for row in (columns, *rows):
            cells = (
                cell.rjust(width) if numeric else cell.ljust(width)
                for cell, width, numeric in zip(row, widths, right, strict=True)
            )
            print("  ".join(cells).rstrip())

    @contextmanager
    def progress(self, title: str) -> Iterator[Tell]:
        """Show how far something is while the block runs."""
        if not self._err.is_terminal:
            yield _PlainProgress(self, title)
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[what]}", markup=False),
        )
        with rich.progress.Progress(*columns, console=self._err, transient=True) as bar:
            task = bar.add_task(title, total=None, what="")

            def tell(progress: Progress) -> None:
                what = "  ".join(part for part in (progress.pace, progress.what) if part)
                bar.update(task, completed=progress.done, total=progress.total, what=what)

            yield tell


class _PlainProgress:
    """Prints a line at every tenth of the way, for logs."""

    def __init__(self, screen: Screen, title: str) -> None:
        self._screen, self._title, self._told, self._done = screen, title, 0, 0

    def __call__(self, progress: Progress) -> None:
        step = progress.done * PLAIN_STEPS // max(progress.total, 1)
        if progress.done < self._done:  # the next part of the work
            self._told = 0
        self._done = progress.done
        if step > self._told:
            self._told = step
            pace = f", {progress.pace}" if progress.pace else ""
            self._screen.aside(f"{self._title}: {progress.done} of {progress.total}{pace}")


def _is_number(cell: str) -> bool:
    return not cell or cell.strip("+-%").replace(".", "", 1).replace(",", "").isdigit()


def add_device(parser: argparse.ArgumentParser) -> None:
    """Let a command be told where the networks run."""
    parser.add_argument(
        "--device", type=_device, default="auto", help="auto, cpu, cuda, cuda:1 or mps (default: auto)"
    )


def _device(text: str) -> str:
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", text):
        raise argparse.ArgumentTypeError(f"“{text}” is none of auto, cpu, cuda, cuda:1, mps")
    return text
