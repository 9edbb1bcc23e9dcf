"""A small language to say what a table of a TOML file must look like, and to tell every fault in it.

A reader takes a value as the TOML parser gave it. It returns the value, or adds a fault and returns
`INVALID`; a table keeps the values that are valid, so that later checks can go on and find more faults.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any, Protocol


class Absent(Enum):
    """Marks where there is no value to use."""

    INVALID = "invalid"
    REQUIRED = "required"


INVALID = Absent.INVALID


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a file.

    Parameters
    ----------
    key
        Where, as a dotted key that counts from 0, such as ``features[2].scale``.
    expected, found
        What should be there and what is.
    hint
        A nearest known name, or an empty string.
    """

    key: str
    expected: str
    found: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" (did you mean {quoted(self.hint)}?)" if self.hint else ""
        return f"{self.key}: expected {self.expected}, found {self.found}{hint}"


class Reader(Protocol):
    """What one value must be."""

    @property
    def expected(self) -> str:
        """What is expected, to be read after "expected"."""

    def read(self, value: object, key: str, faults: list[Fault]) -> Any:
        """Return the value, or add faults and return `INVALID`."""


def quoted(text: str) -> str:
    """Return text in quotation marks, shortened if it is long, on one line."""
    line = " ".join(text.split())
    return f"“{line if len(line) <= 60 else line[:57] + '...'}”"


def plain(name: str) -> str:
    """Return a key as it is, or in quotation marks where it is long or not printable."""
    return name if re.fullmatch(r"[\w-]{1,60}", name) else quoted("".join(c for c in name if c.isprintable()))


def shown(value: object) -> str:
    """Return how a value is named in a fault."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value) if value.strip() else "empty text"
    if isinstance(value, int | float):
        return str(value) if abs(value) < 10**12 else "a very large number"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "a table" if isinstance(value, dict) else f"a {type(value).__name__}"


def reflowed(text: str) -> str:
    """Return text with every paragraph on one line: how a file is wrapped is no part of what it says."""
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n[ \t]*\n", text))
    return "\n\n".join(part for part in paragraphs if part)


def nearest(text: str, known: Iterable[str]) -> str:
    """Return the known name that is most like the text, or an empty string if none is near."""
    folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(text.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else ""


def one_of(names: Iterable[object]) -> str:
    """Return an expectation that lists names."""
    listed = ", ".join(str(name) for name in names)
    return f"one of {listed}" if listed else "nothing"


@dataclass(frozen=True)
class Text:
    """Text that is not empty; on one line unless `lines`."""

    longest: int = 200
    lines: bool = False

    @property
    def expected(self) -> str:
        """What is expected."""
        return f"{'text' if self.lines else 'one line of text'} of at most {self.longest} characters"

    def read(self, value: object, key: str, faults: list[Fault]) -> Any:
        """Return the text without the white space around it, paragraphs on one line each."""
        if isinstance(value, str):
            text = reflowed(value) if self.lines else value.strip()
            if 0 < len(text) <= self.longest and text.replace("\n", "" if self.lines else "\n").isprintable():
                return text
        faults.append(Fault(key, self.expected, shown(value)))
        return INVALID


@dataclass(frozen=True)
class Pattern:
    """Text of a given form."""

    pattern: str
    expected: str

    def read(self, value: object, key: str, faults: list[Fault]) -> Any:
        """Return the text as it is."""
        if isinstance(value, str) and re.fullmatch(self.pattern, value) and value.isprintable():
            return value
        faults.append(Fault(key, self.expected, shown(value)))
        return INVALID


@dataclass(frozen=True)
class Whole:
    """A whole number within bounds; true and false are none."""

    low: int
    high: int

    @property
    def expected(self) -> str:
        """What is expected."""
        return f"a whole number from {self.low} to {self.high}"

    def read(self, value: object, key: str, faults: list[Fault]) -> Any:
        """Return the number."""
        if isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high:
            return value
        faults.append(Fault(key, self.expected, shown(value)))
        return INVALID


@dataclass(frozen=True)
class Number:
    """A number within bounds, whole or not; a value that is no number, and infinity, are none."""

    low: float
    high: float

    @property
    def expected(self) -> str:
        """What is expected."""
        return f"a number from {self.low:g} to {self.high:g}"

    def read(self, value: object, key: str, faults: list[Fault]) -> Any:
        """Return the number as a float."""
        if isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high:
            return float(value)
        faults.append(Fault(key, self.expected, shown(value)))
        return INVALID


@dataclass(frozen=True)
class Flag:
    """True or false."""

    expected: str = "true or false"

    def read(self, value: object, key: str, faults: list[Fault]) -> Any:
        """Return the flag."""
        if isinstance(value, bool):
            return value
        faults.append(Fault(key, self.expected, shown(value)))
        return INVALID


@dataclass(frozen=True)
class Choice:
    """One member of a closed set."""

    members: type[StrEnum]

    @property
    def expected(self) -> str:
        """What is expected."""
        return one_of(self.members)

    def read(self, value: object, key: str, faults: list[Fault]) -> Any:
        """Return the member."""
        names = [str(member) for member in self.members]
        if isinstance(value, str) and value in names:
            return self.members(value)
        hint = nearest(value, names) if isinstance(value, str) else ""
        faults.append(Fault(key, self.expected, shown(value), hint))
        return INVALID


@dataclass(frozen=True)
class ListOf:
    """A list whose members are all read the same way; an invalid member stays as `INVALID` in its place."""

    member: Reader
    least: int = 0
    most: int = 100

    @property
    def expected(self) -> str:
        """What is expected."""
        return f"a list of {self.least} to {self.most}, each {self.member.expected}"

    def read(self, value: object, key: str, faults: list[Fault]) -> Any:
        """Return the list."""
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            faults.append(Fault(key, self.expected, shown(value)))
            if not isinstance(value, list):
                return INVALID
        return [self.member.read(member, f"{key}[{index}]", faults) for index, member in enumerate(value)]


@dataclass(frozen=True)
class Key:
    """A key of a table: how its value is read, and what stands for it where it may be left out."""

    reader: Reader
    default: Any = Absent.REQUIRED


@dataclass(frozen=True)
class Table:
    """A table with known keys; what is invalid is left out of the result."""

    keys: Mapping[str, Key] = field(hash=False)

    @property
    def expected(self) -> str:
        """What is expected."""
        required = [name for name, key in self.keys.items() if key.default is Absent.REQUIRED]
        return f"a table with {', '.join(required)}"

    def read(self, value: object, key: str, faults: list[Fault]) -> Any:
        """Return the table with the defaults filled in."""
        if not isinstance(value, dict):
            faults.append(Fault(key, self.expected, shown(value)))
            return INVALID
        prefix = f"{key}." if key else ""
        faults.extend(
            Fault(prefix + plain(name), one_of(self.keys), "an unknown key", nearest(name, self.keys))
            for name in value
            if name not in self.keys
        )
        result: dict[str, Any] = {}
        for name, known in self.keys.items():
            if name in value:
                read = known.reader.read(value[name], prefix + name, faults)
                if read is not INVALID:
                    result[name] = read
            elif known.default is Absent.REQUIRED:
                faults.append(Fault(prefix + name, known.reader.expected, "nothing"))
            else:
                result[name] = known.default
        return result
