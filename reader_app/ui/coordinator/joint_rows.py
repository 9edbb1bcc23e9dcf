"""Joints with a sentence each, and the way to their films."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from reader_app.ui.labels import heading, hint
from reader_app.ui.rows_table import RowsTable
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.operations.pregrade_notes import JointNote


class JointRows(QWidget):
    """Takes no room while there is nothing to list.

    Attributes
    ----------
    film_wanted(int)
        Enter or a double click upon a joint, by the number of its film.
    """

    film_wanted = Signal(int)

    def __init__(self, title: str, words_title: str) -> None:
        super().__init__()
        self._rows: tuple[JointNote, ...] = ()
        self.table = RowsTable(("Participant", "Visit", "Side", words_title), name=title)
        self.table.activated.connect(self._open)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING // 2)
        head = QHBoxLayout()
        head.addWidget(heading(title, factor=1.1))
        head.addSpacing(SPACING)
        head.addWidget(hint("Enter shows the film."), 1)
        column.addLayout(head)
        column.addWidget(self.table, 1)
        self.hide()

    @property
    def rows(self) -> tuple[JointNote, ...]:
        """What is listed."""
        return self._rows

    def show_rows(self, rows: Sequence[JointNote]) -> None:
        """List these joints."""
        self._rows = tuple(rows)
        self.table.set_rows(
            [(each.place.participant, each.place.visit, each.place.side.label, each.words) for each in rows]
        )
        self.table.set_widths(110, 90, 60)
        self.setVisible(bool(rows))

    def _open(self, index: QModelIndex) -> None:
        if 0 <= index.row() < len(self._rows):
            self.film_wanted.emit(self._rows[index.row()].place.radiograph_id)
