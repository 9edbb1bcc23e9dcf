"""The adjudicator's queue: what the readers disagree on, the gravest first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QTableView, QWidget

from reader_app.protocols.model import Item, Protocol
from reader_app.reading.case import JointSide
from reader_app.ui.adjudication.wanted import Wanted
from reader_app.ui.paged_model import PAGE
from reader_app.ui.rows_table import set_up_rows
from reader_app.ui.theme import Colour
from reader_app.ui.titled_model import Index, TitledModel

if TYPE_CHECKING:
    from reader_app.store.records import Disagreement, ItemPlace

_COLUMNS = ("Case", "Joint", "Item", "Apart", "State")
_SIDES = {
    JointSide.RIGHT: "R",
    JointSide.LEFT: "L",
    JointSide.UNSTATED: "–",
    JointSide.WHOLE: "film",
}
_WIDTHS = (80, 44, 84, 46)
_JOINT = 1
_VISIT_WIDTH = 98
"""Of the joint with its visit, where cases show several."""
_NOWHERE = QModelIndex()


def item_title(protocol: Protocol, item: Item, *, short: bool = False) -> str:
    """Return the name of what is graded, with its site, or that the worst site counts."""
    feature = protocol.feature(item.feature_id)
    name = feature.short_title if short else feature.title
    if item.site_id is not None:
        return f"{name}, {feature.site(item.site_id).title.lower()}"
    return f"{name}, worst site" if feature.sites and not short else name


def view_name(disagreement: Disagreement | None) -> str:
    """Return how a picture of what is in sight is called: by the number of the case alone."""
    return f"{disagreement.title} view" if disagreement is not None else "view"


def apart_words(disagreement: Disagreement) -> str:
    """Return in words how far the readers are from each other."""
    if disagreement.hidden:
        return "Your grade comes first; the readers' grades are shown after it."
    if disagreement.rejected:
        who = " and ".join(f"Reader {letter}" for letter in disagreement.rejected)
        return f"{who} excluded the joint; a second look found that it can be graded."
    if disagreement.gravity == 0:
        return "The readers agree by now."
    return f"{disagreement.gravity} {'grade' if disagreement.gravity == 1 else 'grades'} apart"


def state_words(disagreement: Disagreement) -> str:
    """Return in a few words where the disagreement stands."""
    if disagreement.needs_consensus:
        return "Consensus"
    settled = disagreement.settled
    if settled is None or settled.code is None:
        return "Open"
    return f"Settled: {settled.code}"


class QueueModel(TitledModel):
    """The queue as a table; a filter keeps a list of positions, of which the table sees a page at a time."""

    def __init__(self, protocol: Protocol, parent: QWidget | None = None) -> None:
        super().__init__(_COLUMNS, parent)
        self._protocol = protocol
        self._all: list[Disagreement] = []
        self._kept: list[int] = []
        self._rows: list[int] = []
        self._row_of: dict[ItemPlace, int] = {}
        self._wanted = Wanted()

    @property
    def disagreements(self) -> tuple[Disagreement, ...]:
        """The whole queue, whatever is shown of it."""
        return tuple(self._all)

    @property
    def wanted(self) -> Wanted:
        """What is shown now."""
        return self._wanted

    @property
    def matching(self) -> int:
        """How many disagreements the filter admits, also those that the table has not come to yet."""
        return len(self._kept)

    @property
    def nothing_words(self) -> str:
        """Why nothing of the queue is shown."""
        if not self._all:
            return "Nothing to settle yet: cases come here once all their readers have locked them."
        if self._wanted == Wanted():
            return "Everything is settled."
        return "Nothing of the queue is like this: choose another state, feature, distance or case."

    def set_queue(self, queue: tuple[Disagreement, ...]) -> None:
        """Take over a queue as it was just read."""
        self.beginResetModel()
        self._all = list(queue)
        self._keep()
        self.endResetModel()

    def set_wanted(self, wanted: Wanted) -> None:
        """Show only what the filter admits."""
        self.beginResetModel()
        self._wanted = wanted
        self._keep()
        self.endResetModel()

    def put(self, disagreement: Disagreement) -> None:
        """Take over a new state of one disagreement; its row stays in sight until the next filter."""
        row = self.row_of(disagreement)
        place = (
            self._kept[row]
            if row is not None
            else next((at for at, one in enumerate(self._all) if one.at == disagreement.at), None)
        )
        if place is None:
            return
        self._all[place] = disagreement
        if row is not None:
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(_COLUMNS) - 1))

    def canFetchMore(self, parent: Index = _NOWHERE) -> bool:
        """Qt: whether the filter admits more than the table has."""
        return not parent.isValid() and len(self._rows) < len(self._kept)

    def fetchMore(self, parent: Index = _NOWHERE) -> None:
        """Qt: give the table its next page."""
        if self.canFetchMore(parent):
            self._fetch_to(len(self._rows))

    def disagreement(self, row: int) -> Disagreement | None:
        """Return what stands in a row, None outside the queue."""
        return self._all[self._kept[row]] if 0 <= row < len(self._kept) else None

    def row_of(self, wanted: Disagreement) -> int | None:
        """Return the row of a disagreement, None where the filter hides it; the table is filled up to it."""
        row = self._row_of.get(wanted.at)
        if row is not None:
            self._fetch_to(row)
        return row

    def next_row(self, row: int, *, takes: Callable[[Disagreement], bool]) -> int | None:
        """Return the next row after this one that takes a grade now, going round once."""
        around = [*range(row + 1, len(self._kept)), *range(0, max(row, 0))]
        found = next((place for place in around if takes(self._all[self._kept[place]])), None)
        if found is not None:
            self._fetch_to(found)
        return found

    def other_case(self, row: int, step: int) -> int | None:
        """Return the next row in a direction that is about another case, None where there is none."""
        here = self.disagreement(row)
        while here is not None:
            row += step
            there = self.disagreement(row)
            if there is None:
                return None
            if there.case_id != here.case_id:
                self._fetch_to(row)
                return row
        return None

    def neighbours(self, row: int) -> tuple[int, ...]:
        """Return the cases that may be wanted next, the likeliest first: the next open one, either side."""
        following = self.next_row(row, takes=lambda one: one.open)
        rows = (following, self.other_case(row, 1), self.other_case(row, -1))
        found = [self.disagreement(there) for there in rows if there is not None]
        return tuple(dict.fromkeys(one.case_id for one in found if one is not None))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Qt: what stands in a cell."""
        disagreement = self._all[self._rows[index.row()]]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(disagreement, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            where = f"{disagreement.side.label} {disagreement.visit}".strip()
            return f"{where}: {item_title(self._protocol, disagreement.item)}"
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
                side = _SIDES[disagreement.side]
                return f"{side}  {disagreement.visit}" if disagreement.visit else side
            case 2:
                return item_title(self._protocol, disagreement.item, short=True)
            case 3:
                return "" if disagreement.hidden else str(disagreement.gravity)
            case _:
                return state_words(disagreement)

    def _keep(self) -> None:
        self._kept = [place for place, one in enumerate(self._all) if self._wanted.admits(one)]
        self._row_of = {self._all[place].at: row for row, place in enumerate(self._kept)}
        self._rows = self._kept[:PAGE]

    def _fetch_to(self, row: int) -> None:
        """Fill the table by whole pages until it has a row."""
        have = len(self._rows)
        if row < have:
            return
        until = min((row // PAGE + 1) * PAGE, len(self._kept))
        self.beginInsertRows(_NOWHERE, have, until - 1)
        self._rows.extend(self._kept[have:until])
        self.endInsertRows()


class QueueTable(QTableView):
    """The queue; letters and digits are grades, so they go on to the page."""

    def __init__(self, model: QueueModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setModel(model)
        set_up_rows(self, name="Disagreements")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._set_widths()
        model.modelReset.connect(self._set_widths)

    def _set_widths(self) -> None:
        model = self.model()
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, width)
        if isinstance(model, QueueModel) and any(one.visit for one in model.disagreements):
            self.setColumnWidth(_JOINT, _VISIT_WIDTH)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: leave characters to the page, which knows the grades."""
        if event.text().strip():
            event.ignore()
        else:
            super().keyPressEvent(event)
