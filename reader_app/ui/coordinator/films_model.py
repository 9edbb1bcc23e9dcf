"""The study's films as a table that is read page by page: never all of a hundred thousand at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTableView, QWidget

from reader_app.ui.labels import counted
from reader_app.ui.paged_model import PagedModel
from reader_app.ui.rows_table import set_up_rows
from reader_app.ui.theme import Colour
from reader_app.ui.titled_model import Index

if TYPE_CHECKING:
    from reader_app.operations.correct_film import FilmEntry

_SHORT = {
    "TEXT_STATED": "text burned in",
    "TEXT_POSSIBLE": "text?",
    "NO_MILLIMETRES": "no mm",
    "SIDE_NOT_STATED": "no side",
}
_COLUMNS = ("Participant", "Visit", "View", "Side", "Millimetres", "State")
_STATE = len(_COLUMNS) - 1
_WIDTHS = (102, 86, 92, 44, 122)


class FilmsModel(PagedModel["FilmEntry"]):
    """The films that were read so far; those still to be checked are the open ones."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(_COLUMNS, parent)

    def id_of(self, row: FilmEntry) -> int:
        """Return the radiograph's number."""
        return row.radiograph_id

    def is_open(self, row: FilmEntry) -> bool:
        """Whether a human should look at the film."""
        return bool(row.to_check)

    def mark_checked(self, radiograph_id: int, *, checked: bool) -> None:
        """Show at once that a film was looked at, or was not after all."""
        place = self.place_of(radiograph_id)
        if place is not None:
            self.put(replace(self._rows[place], text_checked=checked))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Qt: what stands in a cell."""
        entry = self._rows[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == _STATE:
            return state_words(entry)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return _cells(entry)[index.column()]
        if role == Qt.ItemDataRole.ForegroundRole and not entry.to_check:
            return Colour.MUTED.qcolor
        return None


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
