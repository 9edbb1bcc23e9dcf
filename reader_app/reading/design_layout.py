"""How a design file is laid out: its tables and keys, declared once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reader_app.protocols.layout import ADJUDICATION_RULE
from reader_app.protocols.rules import Arm, Presentation
from reader_app.protocols.schema import (
    INVALID,
    Absent,
    Choice,
    Fault,
    Flag,
    Key,
    ListOf,
    Number,
    Pattern,
    Reader,
    Table,
    Text,
    Whole,
    shown,
)
from reader_app.reading.design import (
    ALL_READERS,
    Calibration,
    DisplayPolicy,
    PasswordPolicy,
    ReadingDesign,
    Rereads,
    Signing,
    WithinRule,
)

EVERY_READER = "all"
"""How a file says `ALL_READERS`."""

MAX_READERS = 50
MAX_DAYS = 3650

_USUAL = ReadingDesign(Presentation.SINGLE, Arm.UNAIDED, 0)
_REREADS, _CALIBRATION, _SIGNING = Rereads(), Calibration(), Signing()


@dataclass(frozen=True)
class ReadersPerCase:
    """How many readers read a case: a number, or all."""

    expected: str = f'a whole number from 1 to {MAX_READERS}, or "{EVERY_READER}"'

    def read(self, value: object, key: str, faults: list[Fault]) -> Any:
        """Return the number, `ALL_READERS` for all."""
        if value == EVERY_READER:
            return ALL_READERS
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_READERS:
            return value
        faults.append(Fault(key, self.expected, shown(value)))
        return INVALID


@dataclass(frozen=True)
class Optional:
    """Text as `reader` wants it, or empty text."""

    reader: Reader

    @property
    def expected(self) -> str:
        """What is expected."""
        return f"{self.reader.expected}, or empty text"

    def read(self, value: object, key: str, faults: list[Fault]) -> Any:
        """Return the text."""
        return "" if value == "" else self.reader.read(value, key, faults)


@dataclass(frozen=True)
class Part:
    """A table that may be left out, in part or as a whole."""

    table: Table
    expected: str = "a table"

    def read(self, value: object, key: str, faults: list[Fault]) -> Any:
        """Return the table with the defaults filled in."""
        if isinstance(value, dict):
            return self.table.read(value, key, faults)
        faults.append(Fault(key, self.expected, shown(value)))
        return INVALID

    @property
    def left_out(self) -> dict[str, Any]:
        """What stands for the table where it is left out."""
        return {name: key.default for name, key in self.table.keys.items()}


_FEATURE = Pattern(r"[A-Za-z][A-Za-z0-9_-]{0,39}", "the id of a feature")

REREADS = Part(
    Table(
        {
            "percent": Key(Whole(0, 100), _REREADS.percent),
            "min_cases": Key(Whole(1, 10_000), _REREADS.min_cases),
            "min_days": Key(Number(0, MAX_DAYS), _REREADS.min_days),
            "mirrored": Key(Flag(), _REREADS.mirrored),
        }
    )
)

CALIBRATION = Part(
    Table(
        {
            "cases": Key(Whole(0, 1000), _CALIBRATION.cases),
            "source": Key(Optional(Text(longest=120)), _CALIBRATION.source),
            "feedback": Key(Flag(), _CALIBRATION.feedback),
            "features": Key(ListOf(_FEATURE), []),
            "min_kappa": Key(Number(0, 1), None),
            "confidence": Key(Number(0.5, 0.999), _CALIBRATION.confidence),
            "control_every": Key(Whole(0, 10_000), _CALIBRATION.control_every),
        }
    )
)

ADJUDICATION = Part(
    Table(
        {
            "rules": Key(ListOf(ADJUDICATION_RULE), []),
            "within": Key(Choice(WithinRule), WithinRule.WORST),
            "third_blind": Key(Flag(), False),
            "pregrade_shown": Key(Flag(), False),
        }
    )
)

SIGNING = Part(
    Table(
        {
            "password": Key(Choice(PasswordPolicy), _SIGNING.password),
            "display_check": Key(Choice(DisplayPolicy), _SIGNING.display_check),
            "meaning": Key(Text(longest=400), _SIGNING.meaning),
        }
    )
)

DESIGN = Table(
    {
        "presentation": Key(Choice(Presentation), Absent.REQUIRED),
        "arm": Key(Choice(Arm), Absent.REQUIRED),
        "seed": Key(Whole(0, 2**31 - 1), None),
        "readers_per_case": Key(ReadersPerCase(), _USUAL.readers_per_case),
        "overlap_percent": Key(Whole(0, 100), _USUAL.overlap_percent),
        "block_size": Key(Whole(0, 10_000), _USUAL.block_size),
        "participant_distance": Key(Whole(0, 10_000), _USUAL.participant_distance),
        "washout_days": Key(Number(0, MAX_DAYS), _USUAL.washout_days),
        "session_minutes": Key(Whole(0, 24 * 60), _USUAL.session_minutes),
        "preset": Key(Optional(Pattern(r"[a-z][a-z0-9-]{0,39}", "the id of a preset")), ""),
        "rereads": Key(REREADS, REREADS.left_out),
        "calibration": Key(CALIBRATION, CALIBRATION.left_out),
        "adjudication": Key(ADJUDICATION, ADJUDICATION.left_out),
        "signing": Key(SIGNING, SIGNING.left_out),
    }
)
