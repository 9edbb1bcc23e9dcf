"""What readers, adjudicators and visits are called in what leaves the study."""

from __future__ import annotations

from collections.abc import Iterable

from reader_app.operations.consensus import LockedResults
from reader_app.reading.visits import visit_titles
from reader_app.store.records import JointPlace


class Labels:
    """By which words people and visits stand in a report or an export.

    Parameters
    ----------
    names
        Whether people appear by name; else as Reader 1, Adjudicator 1 and so on.
    """

    def __init__(self, found: LockedResults, *, names: bool) -> None:
        self.readers = {
            account: name if names else f"Reader {place}"
            for place, (account, name) in enumerate(found.readers.items(), start=1)
        }
        self._visits = _visit_labels(found.joints)
        adjudicators = sorted({one.adjudicator for one in found.settled})
        self.adjudicators = {
            name: name if names else f"Adjudicator {place}"
            for place, name in enumerate(adjudicators, start=1)
        }

    def visit(self, participant: str, visit: str) -> str:
        """Return what a visit is called: never its date."""
        return self._visits[(participant, visit)]

    def sat(self, accounts: Iterable[int]) -> tuple[str, ...]:
        """Return who sat in a consensus session besides the adjudicator."""
        return tuple(self.readers.get(account, "another reader") for account in accounts)


def film_label(radiograph_id: int) -> str:
    """Return what a radiograph is called: its number in the study."""
    return f"R{radiograph_id:05d}"


def _visit_labels(joints: Iterable[JointPlace]) -> dict[tuple[str, str], str]:
    order: dict[str, dict[str, int]] = {}
    for joint in joints:
        order.setdefault(joint.participant, {})[joint.visit] = joint.visit_order
    return {
        (participant, visit): title
        for participant, visits in order.items()
        for visit, title in visit_titles(visits).items()
    }
