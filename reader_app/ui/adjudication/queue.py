"""The adjudicator's queue: what the readers disagree on, the gravest first."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QTableView, QWidget

from reader_app.protocols.model import Item, Protocol
from reader_app.reading.case import JointSide
from reader_app.ui.rows_table import set_up_rows
from reader_app.ui.theme import Colour
from reader_app.ui.titled_model import Index, TitledModel

if TYPE_CHECKING:
    from reader_app.operations.adjudicate import Disagreement

_COLUMNS = ("Case", "Joint", "Item", "Apart", "State")
_SIDES = {
    JointSide.RIGHT: "R",
    JointSide.LEFT: "L",
    JointSide.UNSTATED: "–",
    JointSide.WHOLE: "film",
}
_WIDTHS = (84, 44, 84, 50)


class QueueFilter(Enum):
    """Which disagreements the queue shows; the value is what the button says."""

    OPEN = "Open"
    SETTLED = "Settled"
    ALL = "All"

    def admits(self, disagreement: Disagreement) -> bool:
        """Say whether this one is shown."""
        match self:
            case QueueFilter.OPEN:
                return disagreement.open
            case QueueFilter.SETTLED:
                return not disagreement.open
            case QueueFilter.ALL:
                return True


def item_title(protocol: Protocol, item: Item, *, short: bool = False) -> str:
    """Return the name of what is graded, with its site, or that the worst site counts."""
    feature = protocol.feature(item.feature_id)
    name = feature.short_title if short else feature.title
    if item.site_id is not None:
        return f"{name}, {feature.site(item.site_id).title.lower()}"
    return f"{name}, worst site" if feature.sites and not short else name


def apart_words(disagreement: Disagreement) -> str:
    """Return in words how far the readers are from each other."""
    if disagreement.gravity == 0:
        return "Same grade; the rule calls you for the change between visits"
    return f"{disagreement.gravity} {'grade' if disagreement.gravity == 1 else 'grades'} apart"


def state_words(protocol: Protocol, disagreement: Disagreement) -> str:
    """Return in a few words where the disagreement stands."""
    settled = disagreement.settled
    if settled is None:
        return "Open"
    if settled.code is None:
        return "Needs consensus"
    return f"Settled: {protocol.item_scale(disagreement.item).level(settled.code).label}"


class QueueModel(TitledModel):
    """The queue as a table; a filter keeps a list of positions only."""

    def __init__(self, protocol: Protocol, parent: QWidget | None = None) -> None:
        super().__init__(_COLUMNS, parent)
        self._protocol = protocol
        self._all: list[Disagreement] = []
        self._rows: list[int] = []
        self._filter = QueueFilter.OPEN

    @property
    def disagreements(self) -> tuple[Disagreement, ...]:
        """The whole queue, whatever is shown of it."""
        return tuple(self._all)

    @property
    def filter(self) -> QueueFilter:
        """What is shown now."""
        return self._filter

    def set_queue(self, queue: tuple[Disagreement, ...]) -> None:
        """Take over a queue as it was just read."""
        self.beginResetModel()
        self._all = list(queue)
        self._keep()
        self.endResetModel()

    def set_filter(self, wanted: QueueFilter) -> None:
        """Show only what the filter admits."""
        self.beginResetModel()
        self._filter = wanted
        self._keep()
        self.endResetModel()

    def put(self, disagreement: Disagreement) -> None:
        """Take over a new state of one disagreement; its row stays in sight until the next filter.

        What was just settled must not slip away under the eye of the person who settled it.
        """
        for place, known in enumerate(self._all):
            if same(known, disagreement):
                self._all[place] = disagreement
                if place in self._rows:
                    row = self._rows.index(place)
                    self.dataChanged.emit(self.index(row, 0), self.index(row, len(_COLUMNS) - 1))
                return

    def disagreement(self, row: int) -> Disagreement | None:
        """Return what stands in a row, None beyond the last."""
        return self._all[self._rows[row]] if 0 <= row < len(self._rows) else None

    def row_of(self, wanted: Disagreement) -> int | None:
        """Return the row of a disagreement, None where the filter hides it."""
        return next((row for row, place in enumerate(self._rows) if same(self._all[place], wanted)), None)

    def next_open(self, row: int) -> int | None:
        """Return the next row after this one that still lacks a final grade, going round once."""
        around = [*range(row + 1, len(self._rows)), *range(0, max(row, 0))]
        return next((place for place in around if self._all[self._rows[place]].open), None)

    def other_case(self, row: int, step: int) -> int | None:
        """Return the next row in a direction that is about another case, None where there is none."""
        here = self.disagreement(row)
        while here is not None:
            row += step
            there = self.disagreement(row)
            if there is None:
                return None
            if there.case_id != here.case_id:
                return row
        return None

    def neighbours(self, row: int) -> tuple[int, ...]:
        """Return the cases that may be wanted next, the likeliest first: the next open one, either side."""
        rows = (self.next_open(row), self.other_case(row, 1), self.other_case(row, -1))
        found = [self.disagreement(there) for there in rows if there is not None]
        return tuple(dict.fromkeys(one.case_id for one in found if one is not None))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Qt: what stands in a cell."""
        disagreement = self._all[self._rows[index.row()]]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(disagreement, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{disagreement.side.label}: {item_title(self._protocol, disagreement.item)}"
        if role == Qt.ItemDataRole.ForegroundRole:
            if disagreement.needs_consensus:
                return Colour.WARNING.qcolor
            return None if disagreement.open else Colour.MUTED.qcolor
        return None

    def _text(self, disagreement: Disagreement, column: int) -> str:
        match column:
            case 0:
                return disagreement.title
            case 1:
                return _SIDES[disagreement.side]
            case 2:
                return item_title(self._protocol, disagreement.item, short=True)
            case 3:
                return str(disagreement.gravity)
            case _:
                return state_words(self._protocol, disagreement)

    def _keep(self) -> None:
        self._rows = [place for place, one in enumerate(self._all) if self._filter.admits(one)]


class QueueTable(QTableView):
    """The queue; letters and digits are grades, so they go on to the page."""

    def __init__(self, model: QueueModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setModel(model)
        set_up_rows(self, name="Disagreements")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, width)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: leave characters to the page, which knows the grades."""
        if event.text().strip():
            event.ignore()
        else:
            super().keyPressEvent(event)


def same(one: Disagreement, other: Disagreement) -> bool:
    """Say whether two values are about the same item of the same joint."""
    return one.joint_id == other.joint_id and one.item == other.item
