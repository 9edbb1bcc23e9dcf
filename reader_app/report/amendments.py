"""What readers changed after they had signed: every amendment with its reason, as a section of the report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AmendmentLine:
    """One change to a locked reading.

    Parameters
    ----------
    at
        When, UTC, ISO 8601.
    feature, site
        What was graded; "exclusion" and None where the exclusion of the joint was changed.
    before, after
        Grades or exclusions in words.
    """

    at: str
    reader: str
    participant: str
    visit: str
    radiograph: str
    side: str
    feature: str
    site: str | None
    before: str
    after: str
    reason: str


COLUMNS = (
    "at", "reader", "participant", "visit", "radiograph", "side", "feature", "site",
    "before", "after", "reason",
)  # fmt: skip
"""Of the table for programs."""
