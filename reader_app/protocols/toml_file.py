"""From a file of somebody's own to a table, or to an error that tells everything that is wrong with it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reader_app.errors import ReaderError
from reader_app.protocols.schema import Fault

MAX_BYTES = 1_000_000
"""A protocol or a design is a page or two; anything near this is another kind of file."""

MAX_TOLD = 40
"""More faults than this in one file help nobody."""


def toml_text(path: Path, *, what: str, error: type[ReaderError]) -> str:
    """Read a text file that a person has written.

    Parameters
    ----------
    what
        What kind of file it should be, such as "protocol".
    error
        What is raised if it cannot be read, is far too large, or is no UTF-8 text.
    """
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MAX_BYTES else b""
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault)
        raise error(
            f"The {what} file {path} cannot be read: {reason}.",
            "Check the name and whether you may read it.",
        ) from fault
    if size > MAX_BYTES:
        raise error(
            f"{path} has {size:,} bytes, far more than a {what} file.", f"Choose a {what} file (TOML)."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise error(
            f"The {what} file {path} is not UTF-8 text (line {line}).", "Save it as UTF-8 in a text editor."
        ) from fault


def toml_table(text: str, *, name: str, what: str, error: type[ReaderError]) -> dict[str, Any]:
    """Parse TOML text; `name` is what the file is called in an error, the rest is as in `toml_text`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        reason = str(fault)
        place = re.search(r"\(at line (\d+), column (\d+)\)", reason)
        # A fault at the end of the text has no line in the parser's message.
        line = place[1] if place else str(text.count("\n") + 1)
        told = re.sub(r"\s*\(at .*\)$", "", reason)
        raise error(f"{name}, line {line}: not valid TOML: {told}.", "Correct this line.") from fault
    except (ValueError, RecursionError) as fault:
        raise error(
            f"{name}: not valid TOML: a number is too long or tables are nested too deeply.",
            f"Choose a {what} file (TOML).",
        ) from fault


def faults_told(
    faults: Sequence[Fault],
    *,
    name: str,
    error: type[ReaderError],
    next_step: str = "Correct the file and load it again.",
) -> ReaderError:
    """Return one error that tells all faults, each with key, expectation and finding."""
    if len(faults) == 1:
        return error(f"{name}: {faults[0]}.", next_step)
    lines = "".join(f"\n  {fault}" for fault in faults[:MAX_TOLD])
    if len(faults) > MAX_TOLD:
        lines += f"\n  and {len(faults) - MAX_TOLD} more"
    return error(f"{name} has {len(faults)} faults:{lines}\n", next_step)
