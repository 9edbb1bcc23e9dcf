"""From a TOML file to a protocol, or to an error that tells everything that is wrong with the file."""

from __future__ import annotations

import re
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
from reader_app.protocols.toml_file import faults_told, toml_table, toml_text
from reader_app.settings import resource_path

_OTHER_FILES = frozenset({"study.toml", "design.toml", "bundle.toml", "pyproject.toml"})


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
    document = toml_table(text, name=name, what="protocol", error=ProtocolError)
    faults: list[Fault] = []
    read = PROTOCOL.read(document, "", faults)
    for check in CHECKS:
        faults.extend(check(read))
    if faults:
        owned = [_with_owner(fault, document) for fault in faults]
        raise faults_told(owned, name=name, error=ProtocolError)
    return build_protocol(read)


def load_protocol(path: Path) -> Protocol:
    """Read a protocol from a file.

    Raises
    ------
    ProtocolError
        If the file cannot be read or anything in it is wrong.
    """
    return parse_protocol(toml_text(path, what="protocol", error=ProtocolError), name=str(path))


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
