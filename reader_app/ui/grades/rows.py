"""Which rows and cells the grid of grades has, from the protocol alone. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from reader_app.protocols.model import Combine, Feature, Item, Level, Protocol
from reader_app.reading.case import GradeKey


@dataclass(frozen=True)
class GridRow:
    """One line of the grid.

    Attributes
    ----------
    first, last
        Whether it opens or closes its feature.
    """

    feature: Feature
    item: Item
    first: bool
    last: bool

    @property
    def site_title(self) -> str:
        """The site's name; empty where the feature has none."""
        return self.feature.site(self.item.site_id).title if self.item.site_id else ""

    @property
    def combines(self) -> bool:
        """Whether the sites make one final grade that is shown beside them."""
        return self.feature.combine is Combine.MAX and len(self.feature.items) > 1


@dataclass(frozen=True)
class Cell:
    """One grade that can be given; `key` is None where the joint is not asked for this item."""

    key: GradeKey
    level: Level


def grid_rows(protocol: Protocol, items: frozenset[Item]) -> tuple[GridRow, ...]:
    """Return the rows for the items asked for, in the protocol's order."""
    rows: list[GridRow] = []
    for feature in protocol.features:
        members = [item for item in feature.items if item in items]
        rows.extend(
            GridRow(feature, item, first=item == members[0], last=item == members[-1]) for item in members
        )
    return tuple(rows)
