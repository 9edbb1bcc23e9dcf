"""The bar under the films that are about to be imported: what can be corrected on the marked ones."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from reader_app.ui.actions import ActionSet
from reader_app.ui.labels import hint
from reader_app.ui.theme import SPACING

USUAL_VIEWS = ("AP", "PA", "LL", "RL", "LLO", "RLO")
"""Of the defined terms of View Position (PS3.3 C.8.1.1 and C.8.11.5), those that joints are imaged with."""
_SIDES = ("plan-right", "plan-left", "plan-both", "plan-unstated")


class PlanBar(QWidget):
    """Side, view and visit of the marked films, and whether they are left out.

    Signals
    -------
    view_given(str), visit_given(str)
        To be stored for the marked films.
    done()
        The keyboard goes back to the table.
    """

    view_given = Signal(str)
    visit_given = Signal(str)
    done = Signal()

    def __init__(self, commands: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.marked = hint("")
        self.marked.setWordWrap(False)
        self.view = QComboBox()
        self.view.setEditable(True)
        self.view.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.view.addItems(USUAL_VIEWS)
        self.view.setAccessibleName("View of the marked films")
        self.visit = QLineEdit()
        self.visit.setAccessibleName("Visit of the marked films")
        self._commands = commands
        self._lay_out()
        self.show_marked(0, view="", visit="")
        edit = self.view.lineEdit()
        assert edit is not None
        edit.returnPressed.connect(lambda: self._give(self.view_given, self.view.currentText()))
        self.view.activated.connect(lambda _place: self._give(self.view_given, self.view.currentText()))
        self.visit.returnPressed.connect(lambda: self._give(self.visit_given, self.visit.text()))

    def show_marked(self, count: int, *, view: str, visit: str) -> None:
        """Say how many films are marked, and the view and visit that they share."""
        self.marked.setText("No film is marked" if not count else f"{count:,} marked")
        for field in (self.view, self.visit):
            field.setEnabled(bool(count))
        if not self.view.hasFocus():
            self.view.setCurrentText(view)
        if not self.visit.hasFocus():
            self.visit.setText(visit)

    def write_view(self) -> None:
        """Bring the keyboard into the field of the view."""
        self._write(self.view.lineEdit())

    def write_visit(self) -> None:
        """Bring the keyboard into the field of the visit."""
        self._write(self.visit)

    def _write(self, field: QLineEdit | None) -> None:
        if field is not None and field.isEnabled():
            field.setFocus()
            field.selectAll()

    def _give(self, signal: object, text: str) -> None:
        self.done.emit()
        signal.emit(text.strip())  # type: ignore[attr-defined]

    def _lay_out(self) -> None:
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(SPACING)
        line.addWidget(self.marked)
        line.addSpacing(SPACING)
        line.addWidget(QLabel("Side"))
        sides = QButtonGroup(self)
        for name in _SIDES:
            button = self._commands.button(name, self, text=True)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            button.setAutoRaise(False)
            sides.addButton(button)
            line.addWidget(button)
        for title, field, width in (("View", self.view, 78), ("Visit", self.visit, 120)):
            line.addSpacing(SPACING)
            line.addWidget(QLabel(title))
            field.setFixedWidth(width)
            line.addWidget(field)
        line.addSpacing(SPACING)
        leave_out: QToolButton = self._commands.button("plan-leave-out", self, text=True)
        line.addWidget(leave_out)
        line.addStretch()
