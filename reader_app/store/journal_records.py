"""What the journal holds, and what comes of checking it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class JournalEntry:
    """One thing that was done: who, when, what, and the links of the chain.

    Attributes
    ----------
    account_id
        None for what the software did by itself, such as a migration.
    """

    sequence: int
    at: str
    account_id: int | None
    verb: str
    payload: Mapping[str, object] = field(hash=False)
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class ChainReport:
    """Whether the journal is whole.

    Attributes
    ----------
    entries
        How many were checked.
    first_broken
        Sequence number of the first entry that does not fit, None if all do.
    reason
        What does not fit there, in words; empty if all fits.
    """

    ok: bool
    entries: int
    first_broken: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class ReplayReport:
    """Whether the stored readings are what the journal tells.

    Attributes
    ----------
    readings
        How many were found right.
    first_broken
        The first reading that differs, None if none does.
    reason
        How it differs, in words; empty if all fits.
    """

    ok: bool
    readings: int
    first_broken: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class TablesReport:
    """Whether the tables besides the readings are what the journal tells.

    Attributes
    ----------
    checked
        By what a row is called, how many rows were found right.
    faults
        For each table that differs, a sentence on its first row that does.
    """

    checked: Mapping[str, int]
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not self.faults


@dataclass(frozen=True)
class ExportedEntry:
    """One entry of the journal as it leaves the study.

    Attributes
    ----------
    payload
        The text that the hash is made from; None where it carries grades that may not be seen yet.
    """

    sequence: int
    at: str
    account_id: int | None
    verb: str
    payload: str | None
    previous_hash: str
    hash: str
