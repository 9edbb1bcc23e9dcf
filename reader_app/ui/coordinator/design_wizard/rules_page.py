"""The page on which it is decided what becomes of differences between readers."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QPushButton

from reader_app.reading.design import WithinRule
from reader_app.reading.design_words import WITHIN_WORDS
from reader_app.ui.coordinator.design_wizard.fields import Field, Step
from reader_app.ui.coordinator.design_wizard.form import FieldForm
from reader_app.ui.coordinator.design_wizard.model import WizardModel
from reader_app.ui.coordinator.design_wizard.options import Option
from reader_app.ui.coordinator.design_wizard.page import Page
from reader_app.ui.coordinator.design_wizard.rules_table import RulesTable
from reader_app.ui.labels import FaultLine, hint
from reader_app.ui.theme import SPACING

_KEYS = "Arrow keys move, Space takes the next choice, F2 lists them. Grey rules are the protocol's."
_WITHIN = {
    WithinRule.WORST: "The worst is final",
    WithinRule.MEDIAN: "The median is final",
    WithinRule.OPEN: "They stand side by side",
}
_ROWS_IN_SIGHT = 9


class RulesPage(Page):
    """A table of the features, and what holds for all of them."""

    step = Step.DISAGREEMENTS
    about = "Which differences call the adjudicator, feature by feature, and how they are resolved."

    def __init__(self, model: WizardModel) -> None:
        super().__init__(model)
        self.table = RulesTable(model)
        self.spread = QPushButton("&All like this row")
        self.spread.setAutoDefault(False)
        self.keys = hint(_KEYS)
        self.fault = FaultLine()
        self.form = FieldForm(model)
        self._fill_form()
        self._lay_out()
        self.table.rules.edited.connect(self._tell)
        self.spread.clicked.connect(self._spread)
        self.form.edited.connect(self.edited)

    def refresh(self) -> None:
        """Show what the model holds, and what is wrong with it."""
        self.table.rules.refresh()
        self.form.refresh()
        self._say()

    def focus_first(self) -> None:
        """Put the keyboard into the table, or below it where its rules cannot be changed."""
        if self.table.isEnabled():
            self.table.setFocus()
        else:
            self.form.focus_first()

    def _tell(self) -> None:
        self._say()
        self.edited.emit()

    def _say(self) -> None:
        why_not, fault = self.model.disabled(Field.RULES), self.model.fault(Field.RULES)
        self.table.setEnabled(not why_not)
        self.spread.setEnabled(not why_not)
        self.keys.setText(why_not or _KEYS)
        if fault:
            self.fault.say(fault)
        else:
            self.fault.clear()

    def _spread(self) -> None:
        self.table.rules.spread(self.table.currentIndex().row())
        self.table.setFocus()

    def _fill_form(self) -> None:
        self.form.choice(
            Field.WITHIN,
            "&Within the rule",
            [Option(each, title, WITHIN_WORDS[each]) for each, title in _WITHIN.items()],
        )
        self.form.switch(
            Field.THIRD_BLIND,
            "Adjudicator &grades blind",
            about="Their grade is given before they see what the readers gave.",
        )
        self.form.switch(
            Field.PREGRADE_SHOWN, "&Pre-grade shown", about="The adjudicator may see the AI's grade."
        )

    def _lay_out(self) -> None:
        rows = min(self.table.rules.rowCount(), _ROWS_IN_SIGHT)
        head = self.table.horizontalHeader().sizeHint().height()
        self.table.setMinimumHeight(head + rows * self.table.verticalHeader().defaultSectionSize() + 4)
        line = QHBoxLayout()
        line.addWidget(self.spread)
        line.addSpacing(SPACING)
        line.addWidget(self.keys, 1)
        self.column.addWidget(self.table, 1)
        self.column.addWidget(self.fault)
        self.column.addLayout(line)
        self.column.addSpacing(SPACING)
        self.column.addWidget(self.form)
