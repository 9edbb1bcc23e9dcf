"""What the pages of the wizard have in common."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from reader_app.ui.coordinator.design_wizard.fields import Step
from reader_app.ui.coordinator.design_wizard.form import FieldForm
from reader_app.ui.coordinator.design_wizard.model import WizardModel
from reader_app.ui.theme import SPACING


class Page(QWidget):
    """One page.

    Attributes
    ----------
    edited
        Something was changed on it.
    about
        One sentence under the page's title.
    """

    edited = Signal()
    step: Step
    about = ""

    def __init__(self, model: WizardModel) -> None:
        super().__init__()
        self.model = model
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, SPACING, 0)
        self.column.setSpacing(SPACING)

    @property
    def waiting_for(self) -> str:
        """What must come to an end before one can go on; empty where one can."""
        return ""

    def refresh(self) -> None:
        """Show what the model holds."""
        raise NotImplementedError

    def focus_first(self) -> None:
        """Put the keyboard where one begins."""
        raise NotImplementedError


class FormPage(Page):
    """A page that is a form and no more."""

    def __init__(self, model: WizardModel) -> None:
        super().__init__(model)
        self.form = FieldForm(model)
        self.form.edited.connect(self.edited)
        self.column.addWidget(self.form)
        self.column.addStretch(1)

    def refresh(self) -> None:
        """Show what the model holds."""
        self.form.refresh()

    def focus_first(self) -> None:
        """Put the keyboard into the first field that can be changed."""
        self.form.focus_first()
