"""Hashes of what the journal tells in few words: the facts of a film, the content of a pre-grade."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reader_app.store.canonical import sha256_of

FILM_FACTS = (
    "visit",
    "visit_order",
    "rows",
    "columns",
    "laterality",
    "view",
    "spacing_row_mm",
    "spacing_column_mm",
    "spacing_kind",
    "phantom",
)
"""What never changes of a film once it is in the study; its path and its pixels may, by a box-out."""

PREGRADE_FACTS = ("probabilities_json", "box_x", "box_y", "box_width", "box_height", "heatmap_file")
PREGRADE_DOUBT = ("spread", "remark")

Reference = tuple[str, str, str, int]
"""Side, item, source, grade."""


def film_facts_sha256(
    film: Mapping[str, object], participant: str, *, sides: Iterable[str], references: Iterable[Reference]
) -> str:
    """Return the hash of who and what a film shows, with the joints and reference grades that it came with.

    Parameters
    ----------
    film
        With `FILM_FACTS`, as the table has them.
    """
    return sha256_of(
        {
            **{name: _stored(film[name]) for name in FILM_FACTS},
            "participant": participant,
            "sides": sorted(set(sides)),
            "references": sorted(list(reference) for reference in references),
        }
    )


def pregrade_sha256(row: Mapping[str, object], *, provenance_sha256: str) -> str:
    """Return the hash of all that a pre-grade says besides its grade.

    Parameters
    ----------
    row
        As the table has it.

    Notes
    -----
    A spread of 0 and an empty remark are not told, so that what was stored before there were any keeps its
    hash.
    """
    doubt = {name: _stored(row[name]) for name in PREGRADE_DOUBT if row[name]}
    return sha256_of(
        {
            **{name: _stored(row[name]) for name in PREGRADE_FACTS},
            **doubt,
            "out_of_distribution": _stored(row["out_of_distribution"]),
            "unlike_training": bool(row["unlike_training"]),
            "provenance": provenance_sha256,
        }
    )


def _stored(value: object) -> object:
    """Return a number as the tables give it back: 1 and 1.0 have the same hash."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
