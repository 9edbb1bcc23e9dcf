"""The table of what becomes of differences: one row a feature, every cell changed by a key."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from reader_app.ui.coordinator.design_wizard.model import WizardModel
from reader_app.ui.coordinator.design_wizard.rule_rows import (
    Choice,
    Column,
    RuleRow,
    cell,
    changed,
    choices,
    is_of_protocol,
    like,
    words_of,
)
from reader_app.ui.rows_table import set_up_rows
from reader_app.ui.theme import Colour
from reader_app.ui.titled_model import Index, TitledModel

_COLUMNS = tuple(Column)
_WIDTHS = (205, 105, 130, 100, 140)


class RulesModel(TitledModel):
    """The rows of a wizard's model.

    Signals
    -------
    edited()
        A cell holds something else.
    """

    edited = Signal()

    def __init__(self, model: WizardModel, parent: QWidget | None = None) -> None:
        super().__init__([column.value for column in _COLUMNS], parent)
        self._model = model
        self._rows: tuple[RuleRow, ...] = model.rows()

    def refresh(self) -> None:
        """Show what the wizard's model holds."""
        self._rows = self._model.rows()
        if self._rows:
            last = self.index(len(self._rows) - 1, len(_COLUMNS) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def row(self, place: int) -> RuleRow:
        """Return a row."""
        return self._rows[place]

    def choices(self, index: Index) -> tuple[Choice, ...]:
        """Return what a cell can hold."""
        return choices(self._model.protocol, self._rows[index.row()], _COLUMNS[index.column()])

    def place_of(self, index: Index) -> int:
        """Return which of its choices a cell holds, -1 if none of them."""
        value = cell(self._rows[index.row()], _COLUMNS[index.column()])
        return next((n for n, each in enumerate(self.choices(index)) if each.value == value), -1)

    def choose(self, index: Index, place: int) -> None:
        """Put one of its choices into a cell."""
        known = self.choices(index)
        if known:
            row = changed(self._rows[index.row()], _COLUMNS[index.column()], known[place % len(known)].value)
            self._put([row if n == index.row() else each for n, each in enumerate(self._rows)])

    def spread(self, place: int) -> None:
        """Give the rule of a row to all features."""
        source = self._rows[place]
        self._put([row if row is source else like(self._model.protocol, row, source) for row in self._rows])

    def _put(self, rows: list[RuleRow]) -> None:
        self._model.set_rows(rows)
        self.refresh()
        self.edited.emit()

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Qt: everything but the feature's name can be changed."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Qt: the words of a cell; grey where the rule is the protocol's, in alarm where it is faulty."""
        row = self._rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return words_of(self._model.protocol, row, _COLUMNS[index.column()])
        if role == Qt.ItemDataRole.ForegroundRole:
            if row.fault:
                return Colour.DANGER.qcolor
            own = index.column() == 0 or not is_of_protocol(row, self._model.protocol)
            return (Colour.TEXT if own else Colour.MUTED).qcolor
        return None


class _ChoiceDelegate(QStyledItemDelegate):
    """Opens the choices of a cell as a list."""

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """Qt: a list with the choices."""
        del option
        editor = QComboBox(parent)
        model = index.model()
        if isinstance(model, RulesModel):
            editor.addItems([choice.words for choice in model.choices(index)])
        editor.activated.connect(lambda _place: self._finish(editor))
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """Qt: mark what the cell holds, and open the list."""
        model = index.model()
        if isinstance(editor, QComboBox) and isinstance(model, RulesModel):
            editor.setCurrentIndex(model.place_of(index))
            editor.showPopup()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        """Qt: put the choice into the cell."""
        if isinstance(editor, QComboBox) and isinstance(model, RulesModel) and editor.currentIndex() >= 0:
            model.choose(index, editor.currentIndex())

    def _finish(self, editor: QComboBox) -> None:
        self.commitData.emit(editor)
        self.closeEditor.emit(editor)


class RulesTable(QTableView):
    """Arrow keys move, Space takes the next choice of a cell, Shift+Space the one before, F2 lists them.

    Enter goes on to the next page, as everywhere in the wizard.
    """

    def __init__(self, model: WizardModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rules = RulesModel(model, self)
        self.setModel(self.rules)
        self.setItemDelegate(_ChoiceDelegate(self))
        set_up_rows(self, name="What becomes of differences")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.SelectedClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, width)
        self.setCurrentIndex(self.rules.index(0, 1))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: Space changes the cell; Enter is left to the dialog."""
        here = self.currentIndex()
        if event.key() == Qt.Key.Key_Space and here.isValid():
            back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.rules.choose(here, self.rules.place_of(here) + (-1 if back else 1))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.ignore()
        else:
            super().keyPressEvent(event)


def index_at(table: RulesTable, feature_id: str, column: Column) -> QModelIndex | QPersistentModelIndex:
    """Return the place of a feature's cell."""
    rows = (n for n in range(table.rules.rowCount()) if table.rules.row(n).feature_id == feature_id)
    return table.rules.index(next(rows), _COLUMNS.index(column))
