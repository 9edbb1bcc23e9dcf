"""The films that are about to be imported as a table that is read page by page, never all of it at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QTableView, QWidget

from reader_app.ui.paged_model import PagedModel
from reader_app.ui.rows_table import set_up_rows
from reader_app.ui.theme import Colour
from reader_app.ui.titled_model import Index

if TYPE_CHECKING:
    from reader_app.operations.plan_import import PlannedFilm

SIDES: Mapping[str, str] = {"R": "right", "L": "left", "B": "both"}
_COLUMNS = ("File", "Participant", "Visit", "Body part", "View", "Side", "To know")
_WIDTHS = (200, 108, 96, 84, 60, 60)
_MISSING_COLUMN = {"participant": 1, "view": 4, "side": 5}


class PlanModel(PagedModel["PlannedFilm"]):
    """The films that were read so far; those of which something is not known are the open ones."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(_COLUMNS, parent)
        self._folder = Path()

    def id_of(self, row: PlannedFilm) -> int:
        """Return the film's number in the plan."""
        return row.id

    def is_open(self, row: PlannedFilm) -> bool:
        """Whether something is missing."""
        return bool(row.missing)

    def show_below(self, folder: Path) -> None:
        """Write paths as they are below this folder, those elsewhere whole.

        Where it is unknown, i.e. `Path()`, the folder that the first films have in common takes its place.
        """
        self._folder = folder

    def add_page(self, rows: Sequence[PlannedFilm]) -> None:
        """Take a page that was asked for; a short one is the last."""
        if rows and self._folder == Path():
            self._folder = Path(os.path.commonpath([film.path.parent for film in rows]))
        super().add_page(rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Qt: what stands in a cell."""
        film, column = self._rows[index.row()], index.column()
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
