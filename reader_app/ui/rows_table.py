"""A plain table of text rows, looked up rather than built from items; a share can be drawn as a bar."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from reader_app.ui.theme import SPACING, Colour
from reader_app.ui.titled_model import Index, TitledModel

Cell = str | float
"""Text, or a share from 0 to 1 that is drawn as a bar."""
_SHARE = Qt.ItemDataRole.UserRole


class RowsModel(TitledModel):
    """Rows of cells under fixed titles."""

    def __init__(self, titles: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(titles, parent)
        self._rows: tuple[tuple[Cell, ...], ...] = ()

    @property
    def rows(self) -> tuple[tuple[Cell, ...], ...]:
        """What the table shows."""
        return self._rows

    def set_rows(self, rows: Sequence[tuple[Cell, ...]]) -> None:
        """Show these rows in place of what was there."""
        self.beginResetModel()
        self._rows = tuple(rows)
        self.endResetModel()

    def set_titles(self, titles: Sequence[str]) -> None:
        """Give the columns other titles; the rows, which were under the old ones, go."""
        self.beginResetModel()
        self._columns, self._rows = tuple(titles), ()
        self.endResetModel()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Qt: a cell as text, or its share."""
        cell = self._rows[index.row()][index.column()]
        if isinstance(cell, float):
            if role == _SHARE:
                return cell
            return f"{cell:.0%}" if role == Qt.ItemDataRole.AccessibleTextRole else None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return cell
        return None


class _CellDelegate(QStyledItemDelegate):
    """Draws shares as bars and leaves text to Qt."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt: draw one cell."""
        super().paint(painter, option, index)
        share = index.data(_SHARE)
        if share is None:
            return
        area = option.rect.adjusted(SPACING, 0, -SPACING, 0)
        area.setTop(area.center().y() - SPACING // 2)
        area.setHeight(SPACING)
        painter.fillRect(area, Colour.LINE.qcolor)
        area.setWidth(round(area.width() * min(max(share, 0.0), 1.0)))
        painter.fillRect(area, Colour.ACCENT.qcolor)


def set_up_rows(table: QTableView, *, name: str) -> None:
    """Make a table one of plain rows: one is marked at a time, no grid, the last column takes the rest."""
    table.setAccessibleName(name)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.setCornerButtonEnabled(False)
    rows, columns = table.verticalHeader(), table.horizontalHeader()
    rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    rows.setDefaultSectionSize(table.fontMetrics().height() + 12)
    rows.hide()
    columns.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    columns.setHighlightSections(False)
    columns.setStretchLastSection(True)


class RowsTable(QTableView):
    """Shows a `RowsModel`; Tab goes on to the next widget, not to the next cell."""

    def __init__(self, titles: Sequence[str], parent: QWidget | None = None, *, name: str) -> None:
        super().__init__(parent)
        self.rows = RowsModel(titles, self)
        self.setModel(self.rows)
        self.setItemDelegate(_CellDelegate(self))
        set_up_rows(self, name=name)

    def set_rows(self, rows: Sequence[tuple[Cell, ...]]) -> None:
        """Show these rows; the same row number stays marked where there still is one."""
        marked = self.currentIndex().row()
        self.rows.set_rows(rows)
        if rows:
            self.selectRow(min(max(marked, 0), len(rows) - 1))

    def set_widths(self, *shares: int) -> None:
        """Give the columns widths in pixels; the last takes what is left."""
        for column, width in enumerate(shares):
            self.setColumnWidth(column, width)
