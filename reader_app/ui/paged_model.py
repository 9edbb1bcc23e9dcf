"""A table that is read page by page: never all of a hundred thousand rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtWidgets import QWidget

from reader_app.ui.titled_model import Index, TitledModel

PAGE = 200
"""Rows read at once."""
_NOWHERE = QModelIndex()
Row = TypeVar("Row")


class PagedModel(TitledModel, Generic[Row]):
    """The rows that were read so far; asks for the next page when the table comes near its end.

    A row that is corrected keeps its place, also where it would not be listed any more: what was just set
    must not slip away under the eye of who set it.

    Parameters
    ----------
    columns
        Their titles.

    Signals
    -------
    page_wanted(int)
        The rows from this place of the list on are wanted.
    """

    page_wanted = Signal(int)

    def __init__(self, columns: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(columns, parent)
        self._rows: list[Row] = []
        self._places: dict[int, int] = {}
        self._open_only = False
        self._complete = True
        self._waiting = False

    def id_of(self, row: Row) -> int:
        """Return what tells a row from all others."""
        raise NotImplementedError

    def is_open(self, row: Row) -> bool:
        """Whether the row is still listed among those that somebody has to look at."""
        raise NotImplementedError

    @property
    def open_only(self) -> bool:
        """Whether only rows are listed that somebody has to look at."""
        return self._open_only

    def start(self, *, open_only: bool) -> None:
        """Forget all rows and ask for the first page."""
        self._forget(complete=False)
        self._open_only, self._waiting = open_only, True
        self.page_wanted.emit(0)

    def clear(self) -> None:
        """Forget all rows."""
        self._forget(complete=True)

    def add_page(self, rows: Sequence[Row]) -> None:
        """Take a page that was asked for; a short one is the last."""
        self._waiting = False
        self._complete = len(rows) < PAGE
        fresh = [row for row in rows if self.id_of(row) not in self._places]
        if not fresh:
            return
        first = len(self._rows)
        self.beginInsertRows(QModelIndex(), first, first + len(fresh) - 1)
        self._rows.extend(fresh)
        self._places.update({self.id_of(row): first + number for number, row in enumerate(fresh)})
        self.endInsertRows()

    def page_failed(self) -> None:
        """Take note that a page could not be read; it can be asked for again."""
        self._waiting = False

    def row(self, place: int) -> Row | None:
        """Return the row at a place, None where there is none."""
        return self._rows[place] if 0 <= place < len(self._rows) else None

    def place_of(self, id_: int) -> int | None:
        """Return the place of a row, None where it was not read."""
        return self._places.get(id_)

    def put(self, row: Row) -> None:
        """Show a row as it is now; nothing where it was not read."""
        place = self.place_of(self.id_of(row))
        if place is not None:
            self._rows[place] = row
            self.dataChanged.emit(self.index(place, 0), self.index(place, len(self._columns) - 1))

    def canFetchMore(self, parent: Index = _NOWHERE) -> bool:
        """Qt: whether there may be more rows, and none are on their way."""
        return not parent.isValid() and not self._complete and not self._waiting

    def fetchMore(self, parent: Index = _NOWHERE) -> None:
        """Qt: ask for the next page."""
        if self.canFetchMore(parent):
            self._waiting = True
            self.page_wanted.emit(self._next_place())

    def _forget(self, *, complete: bool) -> None:
        self.beginResetModel()
        self._rows, self._places = [], {}
        self._complete, self._waiting = complete, False
        self.endResetModel()

    def _next_place(self) -> int:
        # A row that was settled since has left the list that is being paged, not the table.
        if self._open_only:
            return sum(self.is_open(row) for row in self._rows)
        return len(self._rows)
