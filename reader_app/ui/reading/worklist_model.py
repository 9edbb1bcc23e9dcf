"""The rows of a worklist as a table: fetched page by page, from wherever the reader looks."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from reader_app.reading.worklist import WORKLIST_PAGE, ReadingState, WorklistEntry, WorklistView, moment_words
from reader_app.ui.theme import Colour
from reader_app.ui.titled_model import Index, TitledModel

BLOCK = 1
"""The column that only worklists with blocks have."""
_COLUMNS = ("Case", "Block", "State", "Grades given")
_ON_ITS_WAY = "…"


class WorklistFilter(Enum):
    """Which cases the table shows; the value is what the button says."""

    ALL = "All"
    TO_DO = "To do"
    OPEN = "Started"
    LOCKED = "Locked"

    @property
    def states(self) -> Collection[ReadingState]:
        """The states of the cases that are shown."""
        match self:
            case WorklistFilter.ALL:
                return tuple(ReadingState)
            case WorklistFilter.TO_DO:
                return (ReadingState.WAITING, ReadingState.OPEN)
            case WorklistFilter.OPEN:
                return (ReadingState.OPEN,)
            case WorklistFilter.LOCKED:
                return (ReadingState.LOCKED,)


def state_words(entry: WorklistEntry) -> str:
    """Return how far a case is, and when it opens where it does not yet."""
    if entry.shut:
        return f"Opens {moment_words(entry.opens_at)}" if entry.opens_at is not None else "Opens later"
    if entry.first_locked:
        return "First reading locked, second with AI to do"
    match entry.state:
        case ReadingState.WAITING:
            return "Not started"
        case ReadingState.OPEN:
            return "Started, not locked"
        case ReadingState.LOCKED:
            return "Locked"


class WorklistModel(TitledModel):
    """As many rows as there are cases; those that were not read yet are asked for when they come into sight.

    Signals
    -------
    page_wanted(int)
        The page that begins with this row is wanted.
    """

    page_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(_COLUMNS, parent)
        self._rows = range(0)
        self._entries: dict[int, WorklistEntry] = {}
        self._asked: set[int] = set()
        self._blocks = 0

    def show_view(self, view: WorklistView) -> None:
        """Forget all rows and take those that were just read."""
        self.beginResetModel()
        self._rows = range(view.listed)
        self._entries = dict(enumerate(view.rows, start=view.first))
        self._asked = set(range(view.first, view.first + len(view.rows), WORKLIST_PAGE))
        self._blocks = view.progress.blocks
        self.endResetModel()

    def add_page(self, first: int, rows: tuple[WorklistEntry, ...]) -> None:
        """Take a page that was asked for."""
        self._entries.update(enumerate(rows, start=first))
        if rows:
            last = first + len(rows) - 1
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(_COLUMNS) - 1))

    def page_failed(self, first: int) -> None:
        """Take note that a page could not be read; it is asked for again when it comes into sight."""
        self._asked.discard(first)

    def entry(self, row: int) -> WorklistEntry | None:
        """Return the case in a row; None where it is still on its way."""
        found = self._entries.get(row)
        if found is None and 0 <= row < self.rowCount():
            first = row // WORKLIST_PAGE * WORKLIST_PAGE
            if first not in self._asked:
                self._asked.add(first)
                self.page_wanted.emit(first)
        return found

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Qt: what stands in a cell."""
        entry = self.entry(index.row())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._text(entry, index.column()) if entry is not None else _ON_ITS_WAY
        if role == Qt.ItemDataRole.ForegroundRole and entry is not None:
            return Colour.MUTED.qcolor if entry.shut or entry.state is ReadingState.LOCKED else None
        return None

    def _text(self, entry: WorklistEntry, column: int) -> str:
        match column:
            case 0:
                return entry.title
            case 1:
                return f"Block {entry.block} of {self._blocks}" if entry.block else "–"
            case 2:
                return state_words(entry)
            case _:
                return str(entry.graded) if entry.graded else "–"
