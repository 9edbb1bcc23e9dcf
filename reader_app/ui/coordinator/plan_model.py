"""The films that are about to be imported as a table that is read page by page, never all of it at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QTableView, QWidget

from reader_app.ui.rows_table import set_up_rows
from reader_app.ui.theme import Colour

if TYPE_CHECKING:
    from reader_app.operations.plan_import import PlannedFilm

Index = QModelIndex | QPersistentModelIndex
PAGE = 200
"""Films read at once."""
SIDES: Mapping[str, str] = {"R": "right", "L": "left", "B": "both"}
_NOWHERE = QModelIndex()
_COLUMNS = ("File", "Participant", "Visit", "Body part", "View", "Side", "To know")
_WIDTHS = (200, 108, 96, 84, 60, 60)
_MISSING_COLUMN = {"participant": 1, "view": 4, "side": 5}


class PlanModel(QAbstractTableModel):
    """The films that were read so far; asks for the next page when the table comes near its end.

    A corrected film keeps its row, also where it is incomplete no more: what was just set must not slip away
    under the eye of who set it.

    Signals
    -------
    page_wanted(int)
        The films from this place of the list on are wanted.
    """

    page_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._films: list[PlannedFilm] = []
        self._rows: dict[int, int] = {}
        self._folder = Path()
        self._incomplete_only = False
        self._complete = True
        self._waiting = False

    @property
    def incomplete_only(self) -> bool:
        """Whether only films are listed of which something is not known."""
        return self._incomplete_only

    def start(self, *, incomplete_only: bool) -> None:
        """Forget all films and ask for the first page."""
        self.beginResetModel()
        self._films, self._rows = [], {}
        self._incomplete_only, self._complete, self._waiting = incomplete_only, False, True
        self.endResetModel()
        self.page_wanted.emit(0)

    def clear(self) -> None:
        """Forget all films."""
        self.beginResetModel()
        self._films, self._rows, self._complete, self._waiting = [], {}, True, False
        self.endResetModel()

    def show_below(self, folder: Path) -> None:
        """Write paths as they are below this folder, those elsewhere whole.

        Where it is unknown, i.e. `Path()`, the folder that the first films have in common takes its place.
        """
        self._folder = folder

    def add_page(self, films: Sequence[PlannedFilm]) -> None:
        """Take a page that was asked for; a short one is the last."""
        self._waiting = False
        self._complete = len(films) < PAGE
        fresh = [film for film in films if film.id not in self._rows]
        if not fresh:
            return
        first = len(self._films)
        if self._folder == Path():
            self._folder = Path(os.path.commonpath([film.path.parent for film in fresh]))
        self.beginInsertRows(QModelIndex(), first, first + len(fresh) - 1)
        self._films.extend(fresh)
        self._rows.update({film.id: first + number for number, film in enumerate(fresh)})
        self.endInsertRows()

    def page_failed(self) -> None:
        """Take note that a page could not be read; it can be asked for again."""
        self._waiting = False

    def film(self, row: int) -> PlannedFilm | None:
        """Return the film of a row, None where there is none."""
        return self._films[row] if 0 <= row < len(self._films) else None

    def put(self, films: Sequence[PlannedFilm]) -> None:
        """Show films as they are now."""
        for film in films:
            row = self._rows.get(film.id)
            if row is not None:
                self._films[row] = film
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(_COLUMNS) - 1))

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """Qt: how many films were read."""
        return 0 if parent.isValid() else len(self._films)

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
        film, column = self._films[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cell(film, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            whole = {0: str(film.path), len(_COLUMNS) - 1: "\n".join(film.notes)}
            return whole.get(column, self._cell(film, column))
        if role == Qt.ItemDataRole.ForegroundRole:
            if film.left_out:
                return Colour.FAINT.qcolor
            open_here = any(_MISSING_COLUMN.get(name) == column for name in film.missing)
            return Colour.WARNING.qcolor if open_here else None
        return None

    def words_of(self, film: PlannedFilm) -> str:
        """Return the path of a film as the table writes it."""
        try:
            return str(film.path.relative_to(self._folder))
        except ValueError:
            return str(film.path)

    def _cell(self, film: PlannedFilm, column: int) -> str:
        match column:
            case 0:
                return self.words_of(film)
            case 1:
                return film.participant
            case 2:
                return film.visit or "–"
            case 3:
                return film.body_part or "–"
            case 4:
                return film.view or "?"
            case 5:
                return SIDES.get(film.side, "?")
            case _:
                return open_words(film)

    def _next_place(self) -> int:
        # A film that was completed since has left the list that is being paged, not the table.
        if self._incomplete_only:
            return sum(bool(film.missing) for film in self._films)
        return len(self._films)


def open_words(film: PlannedFilm) -> str:
    """Return what a coordinator should know of a film before it is imported, the most urgent first."""
    said = ["left out"] if film.left_out else []
    if film.missing:
        said.append(f"{', '.join(film.missing)} not stated")
    # That nobody is named is said as missing already.
    notes = [
        note
        for note in film.notes
        if not (note.startswith("No participant") and "participant" in film.missing)
    ]
    return ".  ".join((*said, *(note.rstrip(".") for note in notes)))


class PlanTable(QTableView):
    """Shows a `PlanModel`; several films can be marked, and their keys are actions of the panel."""

    def __init__(self, model: PlanModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        set_up_rows(self, name="Films to be imported")
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, width)

    def marked_rows(self) -> tuple[int, ...]:
        """Return the rows that are marked, in their order."""
        return tuple(sorted(index.row() for index in self.selectionModel().selectedRows()))
