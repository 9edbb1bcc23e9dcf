"""The study's films as a table that is read page by page: never all of a hundred thousand at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QTableView, QWidget

from reader_app.ui.labels import counted
from reader_app.ui.rows_table import set_up_rows
from reader_app.ui.theme import Colour

if TYPE_CHECKING:
    from reader_app.operations.correct_film import FilmEntry

Index = QModelIndex | QPersistentModelIndex
PAGE = 200
"""Films read at once."""
_NOWHERE = QModelIndex()
_SHORT = {
    "TEXT_STATED": "text burned in",
    "TEXT_POSSIBLE": "text?",
    "NO_MILLIMETRES": "no mm",
    "SIDE_NOT_STATED": "no side",
}
_COLUMNS = ("Participant", "Visit", "View", "Side", "Millimetres", "State")
_STATE = len(_COLUMNS) - 1
_WIDTHS = (102, 86, 92, 44, 122)


class FilmsModel(QAbstractTableModel):
    """The films that were read so far; asks for the next page when the table comes near its end.

    Signals
    -------
    page_wanted(int)
        The films from this place of the list on are wanted.
    """

    page_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[FilmEntry] = []
        self._known: set[int] = set()
        self._to_check_only = False
        self._complete = True
        self._waiting = False

    @property
    def to_check_only(self) -> bool:
        """Whether only films that a human should look at are listed."""
        return self._to_check_only

    def start(self, *, to_check_only: bool) -> None:
        """Forget all films and ask for the first page."""
        self.beginResetModel()
        self._entries, self._known = [], set()
        self._to_check_only, self._complete, self._waiting = to_check_only, False, True
        self.endResetModel()
        self.page_wanted.emit(0)

    def add_page(self, entries: Sequence[FilmEntry]) -> None:
        """Take a page that was asked for; a short one is the last."""
        self._waiting = False
        self._complete = len(entries) < PAGE
        fresh = [entry for entry in entries if entry.radiograph_id not in self._known]
        if not fresh:
            return
        first = len(self._entries)
        self.beginInsertRows(QModelIndex(), first, first + len(fresh) - 1)
        self._entries.extend(fresh)
        self._known.update(entry.radiograph_id for entry in fresh)
        self.endInsertRows()

    def page_failed(self) -> None:
        """Take note that a page could not be read; it can be asked for again."""
        self._waiting = False

    def entry(self, row: int) -> FilmEntry | None:
        """Return the film of a row, None where there is none."""
        return self._entries[row] if 0 <= row < len(self._entries) else None

    def row_of(self, radiograph_id: int) -> int | None:
        """Return the row of a film, None where it was not read."""
        return next((n for n, e in enumerate(self._entries) if e.radiograph_id == radiograph_id), None)

    def put(self, entry: FilmEntry) -> None:
        """Show a film as it is now; it keeps its row even where it need not be checked any more."""
        row = self.row_of(entry.radiograph_id)
        if row is not None:
            self._entries[row] = entry
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(_COLUMNS) - 1))

    def mark_checked(self, radiograph_id: int, *, checked: bool) -> None:
        """Show at once that a film was looked at, or was not after all."""
        row = self.row_of(radiograph_id)
        if row is not None:
            self.put(replace(self._entries[row], text_checked=checked))

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """Qt: how many films were read."""
        return 0 if parent.isValid() else len(self._entries)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        """Qt: how many columns there are."""
        return 0 if parent.isValid() else len(_COLUMNS)

    def canFetchMore(self, parent: Index = _NOWHERE) -> bool:
        """Qt: whether there may be more films, and none are on their way."""
        return not parent.isValid() and not self._complete and not self._waiting

    def fetchMore(self, parent: Index = _NOWHERE) -> None:
        """Qt: ask for the next page."""
        if self.canFetchMore(parent):
            self._waiting = True
            self.page_wanted.emit(self._next_place())

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Qt: the titles of the columns."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _COLUMNS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Qt: what stands in a cell."""
        entry = self._entries[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == _STATE:
            return state_words(entry)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return _cells(entry)[index.column()]
        if role == Qt.ItemDataRole.ForegroundRole and not entry.to_check:
            return Colour.MUTED.qcolor
        return None

    def _next_place(self) -> int:
        # A film that was checked since has left the list that is being paged, not the table.
        if self._to_check_only:
            return sum(bool(entry.to_check) for entry in self._entries)
        return len(self._entries)


class FilmsTable(QTableView):
    """Shows a `FilmsModel`; the keys that move in it are actions of the section."""

    def __init__(self, model: FilmsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        set_up_rows(self, name="Films")
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, width)
        # What the last column cannot show stands in its tool tip; the table is never pushed sideways.
        self.setColumnWidth(_STATE, 40)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)


def _cells(entry: FilmEntry) -> tuple[str, ...]:
    millimetres = f"{entry.spacing_mm[1]:.3f} {entry.spacing_words_kind}" if entry.spacing_mm else "none"
    view = " ".join(part for part in (entry.body_part, entry.view) if part) or "–"
    side = {"R": "right", "L": "left", "B": "both"}.get(entry.laterality, "–")
    return (entry.participant, entry.visit, view, side, millimetres, state_words(entry, short=True))


def state_words(entry: FilmEntry, *, short: bool = False) -> str:
    """Return what is in doubt on a film and what was done about it, the most urgent first."""
    said = [_SHORT[doubt.name] if short else doubt.value for doubt in entry.to_check]
    if entry.text_checked:
        said.append("checked")
    if entry.box_outs:
        said.append(f"{counted(len(entry.box_outs), 'part')} boxed out")
    if entry.inverse_polarity is not None:
        said.append("polarity set: inverse" if entry.inverse_polarity else "polarity set: upright")
    if entry.phantom:
        said.append("phantom")
    return ", ".join(said)
