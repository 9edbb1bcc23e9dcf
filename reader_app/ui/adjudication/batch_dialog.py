"""Small differences in one list: each with a proposal, ticked or not, confirmed by one key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QTableView, QVBoxLayout, QWidget

from reader_app.protocols.model import Protocol
from reader_app.ui.adjudication.queue import item_title
from reader_app.ui.labels import counted, heading, hint
from reader_app.ui.rows_table import set_up_rows
from reader_app.ui.theme import SPACING
from reader_app.ui.titled_model import Index, TitledModel

if TYPE_CHECKING:
    from reader_app.operations.adjudicate_batch import Proposal

_SIZE = (860, 560)
_COLUMNS = ("", "Case", "Joint", "Item", "Readers", "Proposed")
_WIDTHS = (34, 90, 150, 210, 110)
_ABOUT = (
    "One grade apart, on the same side of every cut: the worse grade is proposed. Space ticks or unticks "
    "a row, A ticks all, N none; Ctrl+Enter confirms all that are ticked."
)


class ProposalsModel(TitledModel):
    """The proposals, each with its tick."""

    def __init__(
        self, protocol: Protocol, proposals: Sequence[Proposal], parent: QWidget | None = None
    ) -> None:
        super().__init__(_COLUMNS, parent)
        self._protocol = protocol
        self._rows: list[Proposal] = list(proposals)
        self._ticked = [True] * len(self._rows)

    @property
    def chosen(self) -> tuple[Proposal, ...]:
        """What is ticked."""
        return tuple(one for one, ticked in zip(self._rows, self._ticked, strict=True) if ticked)

    def toggle(self, row: int) -> None:
        """Tick a row, or take its tick away."""
        if 0 <= row < len(self._rows):
            self._ticked[row] = not self._ticked[row]
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(_COLUMNS) - 1))

    def tick_all(self, ticked: bool) -> None:
        """Tick all rows or none."""
        self._ticked = [ticked] * len(self._rows)
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, len(_COLUMNS) - 1))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Qt: what stands in a cell; the tick in the first."""
        if index.column() == 0:
            if role == Qt.ItemDataRole.CheckStateRole:
                ticked = self._ticked[index.row()]
                return Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked
            return None
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        one, code = self._rows[index.row()].disagreement, self._rows[index.row()].code
        match index.column():
            case 1:
                return one.title
            case 2:
                return "  ".join(part for part in (one.side.label, one.visit) if part)
            case 3:
                return item_title(self._protocol, one.item)
            case 4:
                return "   ".join(f"{letter} {given}" for letter, given in one.grades)
            case _:
                return f"{code}  {self._protocol.item_scale(one.item).level(code).label}"


class _ProposalsTable(QTableView):
    """The list; its keys tick."""

    def __init__(self, proposals: ProposalsModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._proposals = proposals
        self.setModel(proposals)
        set_up_rows(self, name="Small differences")
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, width)
        self.clicked.connect(lambda index: proposals.toggle(index.row()) if index.column() == 0 else None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: Space, A and N tick; Enter is left to the dialog."""
        match event.key():
            case Qt.Key.Key_Space:
                self._proposals.toggle(self.currentIndex().row())
            case Qt.Key.Key_A:
                self._proposals.tick_all(True)
            case Qt.Key.Key_N:
                self._proposals.tick_all(False)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                event.ignore()
            case _:
                super().keyPressEvent(event)


class BatchDialog(QDialog):
    """Shows the proposals; what is ticked when it is accepted is to be stored."""

    def __init__(self, protocol: Protocol, proposals: Sequence[Proposal], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Small differences")
        self.resize(*_SIZE)
        self.model = ProposalsModel(protocol, proposals, self)
        self.table = _ProposalsTable(self.model, self)
        self.confirm = QPushButton()
        self.back = QPushButton("&Back")
        for button in (self.confirm, self.back):
            button.setAutoDefault(False)
        self.confirm.clicked.connect(self.accept)
        self.back.clicked.connect(self.reject)
        self.model.dataChanged.connect(lambda *_: self._count())
        self._lay_out()
        self._count()
        self.table.selectRow(0)
        self.table.setFocus()

    @property
    def chosen(self) -> tuple[Proposal, ...]:
        """What is ticked."""
        return self.model.chosen

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: Ctrl+Enter confirms; a bare Enter, pressed too often, does nothing."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier and self.chosen:
                self.accept()
            return
        super().keyPressEvent(event)

    def _count(self) -> None:
        number = len(self.chosen)
        self.confirm.setText(f"Confirm {counted(number, 'grade')} (Ctrl+Enter)")
        self.confirm.setEnabled(number > 0)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.back)
        buttons.addStretch()
        buttons.addWidget(self.confirm)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACING, 2 * SPACING, 3 * SPACING, 2 * SPACING)
        column.setSpacing(SPACING)
        column.addWidget(heading("Small differences", factor=1.4))
        column.addWidget(hint(_ABOUT))
        column.addWidget(self.table, 1)
        column.addLayout(buttons)
