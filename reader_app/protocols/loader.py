"""From a TOML file to a protocol, or to an error that tells everything that is wrong with the file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reader_app.errors import ProtocolError
from reader_app.protocols.build import build_protocol
from reader_app.protocols.checks import CHECKS
from reader_app.protocols.layout import PROTOCOL
from reader_app.protocols.model import Protocol
from reader_app.protocols.schema import Fault, nearest
from reader_app.settings import resource_path

MAX_BYTES = 1_000_000
"""A protocol is a page or two; anything near this is another kind of file."""

MAX_TOLD = 40
"""More faults than this in one file help nobody."""

_OTHER_FILES = frozenset({"study.toml", "bundle.toml", "pyproject.toml"})


def parse_protocol(text: str, *, name: str) -> Protocol:
    """Read a protocol from TOML text.

    Parameters
    ----------
    text
        The content of the file.
    name
        What the file is called in an error.

    Raises
    ------
    ProtocolError
        If anything is wrong; all faults are told together, each with key, expectation and finding.
    """
    document = _parsed(text, name)
    faults: list[Fault] = []
    read = PROTOCOL.read(document, "", faults)
    for check in CHECKS:
        faults.extend(check(read))
    if faults:
        raise _error(name, [_with_owner(fault, document) for fault in faults])
    return build_protocol(read)


def load_protocol(path: Path) -> Protocol:
    """Read a protocol from a file.

    Raises
    ------
    ProtocolError
        If the file cannot be read or anything in it is wrong.
    """
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MAX_BYTES else b""
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault)
        raise ProtocolError(
            f"The protocol file {path} cannot be read: {reason}.",
            "Check the name and whether you may read it.",
        ) from fault
    if size > MAX_BYTES:
        raise ProtocolError(
            f"{path} has {size:,} bytes, far more than a protocol file.", "Choose a protocol file (TOML)."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise ProtocolError(
            f"The protocol file {path} is not UTF-8 text (line {line}).", "Save it as UTF-8 in a text editor."
        ) from fault
    return parse_protocol(text, name=str(path))


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        reason = str(fault)
        place = re.search(r"\(at line (\d+), column (\d+)\)", reason)
        # A fault at the end of the text has no line in the parser's message.
        line = place[1] if place else str(text.count("\n") + 1)
        what = re.sub(r"\s*\(at .*\)$", "", reason)
        raise ProtocolError(f"{name}, line {line}: not valid TOML: {what}.", "Correct this line.") from fault
    except (ValueError, RecursionError) as fault:
        raise ProtocolError(
            f"{name}: not valid TOML: a number is too long or tables are nested too deeply.",
            "Choose a protocol file (TOML).",
        ) from fault


def _with_owner(fault: Fault, document: dict[str, Any]) -> Fault:
    """Add the id of the table that a fault is in, so that nobody has to count tables."""
    place = re.match(r"(\w+)\[(\d+)\]", fault.key)
    if place is None:
        return fault
    tables = document.get(place[1])
    table = tables[int(place[2])] if isinstance(tables, list) else None
    owner = table.get("id") if isinstance(table, dict) else None
    if not isinstance(owner, str) or not owner.isprintable() or len(owner) > 40:
        return fault
    return replace(fault, key=f"{fault.key} (in {owner})")


def _error(name: str, faults: list[Fault]) -> ProtocolError:
    if len(faults) == 1:
        return ProtocolError(f"{name}: {faults[0]}.", "Correct the file and load it again.")
    lines = "".join(f"\n  {fault}" for fault in faults[:MAX_TOLD])
    if len(faults) > MAX_TOLD:
        lines += f"\n  and {len(faults) - MAX_TOLD} more"
    return ProtocolError(f"{name} has {len(faults)} faults:{lines}\n", "Correct the file and load it again.")


@dataclass(frozen=True)
class ProtocolFile:
    """A file that is a protocol or should be one: exactly one of `protocol` and `error` is given."""

    path: Path
    protocol: Protocol | None
    error: ProtocolError | None

    @property
    def id(self) -> str:
        """The protocol's id, or the file's name where the file is faulty."""
        return self.protocol.id if self.protocol is not None else self.path.stem


def available_protocols(*extra_folders: Path) -> tuple[ProtocolFile, ...]:
    """Return the protocol files in the given folders, in that order, then those that came with the software.

    A folder that is missing has no protocols. A faulty file is listed with its error, so that one
    bad file does not hide the others.

    Raises
    ------
    MissingPart
        If the software came without protocols.
    """
    folders = [*extra_folders, resource_path("protocols")]
    return tuple(_read(path) for folder in folders for path in _candidates(folder))


def _candidates(folder: Path) -> Iterator[Path]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".toml")
    except OSError:
        return
    yield from (path for path in paths if path.name.lower() not in _OTHER_FILES and path.is_file())


def _read(path: Path) -> ProtocolFile:
    try:
        return ProtocolFile(path, load_protocol(path), None)
    except ProtocolError as error:
        return ProtocolFile(path, None, error)


def find_protocol(id: str, *extra_folders: Path) -> Protocol:
    """Return the protocol with this id; one in the given folders goes before a shipped one of the same id.

    Raises
    ------
    ProtocolError
        If there is none, or if the file that bears the name is faulty.
    """
    files = available_protocols(*extra_folders)
    for file in files:
        if file.id == id and file.error is not None:
            raise file.error
        if file.protocol is not None and file.protocol.id == id:
            return file.protocol
    known = list(dict.fromkeys(file.id for file in files if file.protocol is not None))
    hint = nearest(id, known)
    suggestion = f" (did you mean “{hint}”?)" if hint else ""
    raise ProtocolError(
        f"There is no protocol “{id}”{suggestion}.", f"Known protocols: {', '.join(known) or 'none'}."
    )
