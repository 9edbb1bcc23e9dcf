"""The consensus as a table for other programs: a row for each joint and graded item, nothing left out.

Rows of kind "final" hold what the consensus is made of and what it is. Rows of kind "site" hold what readers
graded site by site where the sites of a feature combine: with them the table has every locked grade.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reader_app.report.csv import csv_text

FINAL, SITE = "final", "site"

_PLACE = ("participant", "visit", "radiograph", "side", "kind", "feature", "site")
_OUTCOME = (
    "third", "final", "final_label", "method", "settled_by", "consensus_participants", "rationale",
    "missing_because", "exclusion",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReadGrade:
    """One reader's grade, as it counts and as it was signed; what differs was amended.

    Parameters
    ----------
    counts
        None where the joint is excluded, the case not locked, or the reader does not read it.
    signed
        None where there was no grade when the reading was signed.
    exclusion
        Why the reader excludes the joint and where that stands, in words; empty where not.
    """

    counts: int | None
    signed: int | None
    exclusion: str = ""


@dataclass(frozen=True, slots=True)
class ConsensusExportRow:
    """One row.

    Parameters
    ----------
    kind
        `FINAL` or `SITE`.
    readings
        By the reader's label.
    third
        The adjudicator's grade, None where there is none.
    method
        How the final grade came about, in words; empty without a final grade.
    settled_by, consensus_participants
        Labels; empty where no person settled it.
    missing_because
        Why there is no final grade, in words; empty where there is one.
    exclusion
        Where the exclusion of the joint stands: confirmed, rejected, waiting; empty without any.
    """

    participant: str
    visit: str
    radiograph: str
    side: str
    kind: str
    feature: str
    site: str | None
    readings: Mapping[str, ReadGrade]
    third: int | None = None
    final: int | None = None
    final_label: str = ""
    method: str = ""
    settled_by: str = ""
    consensus_participants: tuple[str, ...] = ()
    rationale: str = ""
    missing_because: str = ""
    exclusion: str = ""


@dataclass(frozen=True, slots=True)
class ConsensusExport:
    """The table with where it comes from.

    Parameters
    ----------
    about
        What it is of, by what it is called: study, protocol, hashes, software.
    readers
        Labels in their order.
    """

    about: Mapping[str, str]
    readers: tuple[str, ...]
    rows: tuple[ConsensusExportRow, ...]


def consensus_csv(export: ConsensusExport) -> str:
    """Render as CSV: UTF-8, comma; a grade that is not there is an empty cell.

    Of every reader it has three columns: the grade that counts, the grade as signed, and why the reader
    excludes the joint.
    """
    of_readers = [
        head for reader in export.readers for head in (reader, f"{reader} as signed", f"{reader} excludes")
    ]
    return csv_text((*_PLACE, *of_readers, *_OUTCOME), (_cells(row, export.readers) for row in export.rows))


def consensus_json(export: ConsensusExport) -> str:
    """Render as JSON with the same content, and where it comes from."""
    rows = [
        {
            **{name: getattr(row, name) for name in _PLACE},
            "readings": [
                {"reader": reader, "grade": given.counts, "signed": given.signed, "excludes": given.exclusion}
                for reader, given in row.readings.items()
            ],
            **{name: getattr(row, name) for name in _OUTCOME},
        }
        for row in export.rows
    ]
    content = {"about": dict(export.about), "readers": export.readers, "rows": rows}
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _cells(row: ConsensusExportRow, readers: Sequence[str]) -> list[object]:
    cells: list[object] = [getattr(row, name) for name in _PLACE]
    for reader in readers:
        given = row.readings.get(reader)
        cells += [given.counts, given.signed, given.exclusion] if given is not None else [None, None, None]
    joined = "; ".join(row.consensus_participants)
    return cells + [joined if name == "consensus_participants" else getattr(row, name) for name in _OUTCOME]
