"""The wizard's window: seven pages, gone through by Enter and Alt+Left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.design_wizard.fields import Field, Step
from reader_app.ui.coordinator.design_wizard.form_pages import AiPage, ReadersPage, RepeatsPage, SigningPage
from reader_app.ui.coordinator.design_wizard.model import WizardModel
from reader_app.ui.coordinator.design_wizard.page import Page
from reader_app.ui.coordinator.design_wizard.preset_page import PresetPage
from reader_app.ui.coordinator.design_wizard.preview_page import PreviewPage
from reader_app.ui.coordinator.design_wizard.rules_page import RulesPage
from reader_app.ui.labels import heading, hint
from reader_app.ui.theme import SPACING, Colour, colour_text

if TYPE_CHECKING:
    from reader_app.errors import ReaderError
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor

SIZE = (1180, 660)
STEPS_WIDTH = 210
BEGUN = "Reading has begun: this stays as it is."
STEP_HEIGHT = 30


class DesignWizard(QDialog):
    """Leads through a reading design and puts it in force.

    Attributes
    ----------
    in_force
        The `Study` under its new design.
    """

    in_force = Signal(object)

    def __init__(self, model: WizardModel, study: Study, actor: Actor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Reading design")
        self.model = model
        self._study = study
        self._actor = actor
        self._busy = False
        self._refusal = ""
        self._question: QMessageBox | None = None
        self.pages: dict[Step, Page] = {
            page.step: page
            for page in (
                PresetPage(model),
                ReadersPage(model),
                AiPage(model),
                RepeatsPage(model),
                RulesPage(model),
                SigningPage(model),
                PreviewPage(model, study, actor),
            )
        }
        self.steps = QListWidget()
        self.stack = QStackedWidget()
        self.title = heading("", factor=1.3)
        self.about = hint()
        self.status = QLabel()
        self.back = QPushButton("&Back")
        self.next = QPushButton("&Next")
        self.force = QPushButton("Put in &force")
        self.cancel = QPushButton("&Cancel")
        self._lay_out()
        self._connect()
        self._open()

    @property
    def page(self) -> Page:
        """The page in front."""
        return self.pages[self.model.step]

    # Going about ----------------------------------------------------------------------------------

    def go(self, step: Step) -> None:
        """Open a page, unless one before it must be put right first."""
        forward = step.number > self.model.step.number
        held = self._busy or (forward and bool(self.page.waiting_for))
        if not held and step is not self.model.step and self.model.go(step):
            self._open()
        # A click has moved the mark already.
        self.steps.setCurrentRow(self.model.step.number - 1)

    def _go_next(self) -> None:
        if self.next.isEnabled() and self.model.next():
            self._open()

    def _go_back(self) -> None:
        if not self._busy and self.model.back():
            self._open()

    def _open(self) -> None:
        page = self.page
        self.title.setText(page.step.value)
        self.about.setText(page.about)
        self._refusal = ""
        page.refresh()
        self.stack.setCurrentIndex(page.step.number - 1)
        self.steps.setCurrentRow(page.step.number - 1)
        self._show_state()
        page.focus_first()

    def _edited(self) -> None:
        self._refusal = ""
        self._show_state()

    def _show_state(self) -> None:
        """Show where one may go, and why not further."""
        last = self.model.step is Step.PREVIEW
        why_not = self.page.waiting_for or (self.model.why_not_in_force if last else self.model.why_not_next)
        self.back.setEnabled(self.model.step.number > 1 and not self._busy)
        self.next.setVisible(not last)
        self.force.setVisible(last)
        (self.next if not last else self.force).setDefault(True)
        for button in (self.next, self.force):
            button.setEnabled(not why_not and not self._busy)
            button.setToolTip(why_not)
        self.status.setText(self._refusal or why_not)
        waiting = bool(self.page.waiting_for) and not self._refusal
        colour_text(self.status, Colour.MUTED if waiting else Colour.DANGER)
        for place, step in enumerate(Step):
            item = self.steps.item(place)
            reachable = self.model.reachable(step)
            usable = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
            item.setFlags(usable if reachable else Qt.ItemFlag.NoItemFlags)

    # In force, or not -----------------------------------------------------------------------------

    def put_in_force(self) -> None:
        """Put the draft in force; a refusal is said and the wizard stays open."""
        if not self.force.isEnabled() or self._busy:
            return
        study, actor = self._study, self._actor
        design, reason = self.model.chosen(), self.model.reason

        def work(_job: Job) -> Study:
            from reader_app.operations.design import set_design

            return set_design(study, actor, design, reason=reason)

        self._set_busy(busy=True)
        Operation(work).success(self._done).failure(self._refused).run(self)

    def _done(self, study: Study) -> None:
        self.in_force.emit(study)
        self._busy = False
        self.accept()

    def _refused(self, fault: ReaderError) -> None:
        self._refusal = str(fault)
        self._set_busy(busy=False)

    def _set_busy(self, *, busy: bool) -> None:
        self._busy = busy
        self.force.setText("Putting it in force …" if busy else "Put in &force")
        self._show_state()

    def reject(self) -> None:
        """Qt: Esc, Cancel and the window's cross; asks where something would be lost."""
        if self._busy or self._question is not None:
            return
        if not self.model.changed:
            super().reject()
            return
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle("Reading design")
        box.setIcon(QMessageBox.Icon.Question)
        box.setText("What you changed is not in force yet.")
        box.setInformativeText("Closing the wizard forgets it; the design in force stays as it is.")
        forget = box.addButton("&Forget the changes", QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton("&Go on designing", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        box.setEscapeButton(stay)
        self._question = box

        def answered() -> None:
            self._question = None
            if box.clickedButton() is forget:
                super(DesignWizard, self).reject()

        box.finished.connect(answered)
        box.open()

    # Furniture ------------------------------------------------------------------------------------

    def _connect(self) -> None:
        for page in self.pages.values():
            page.edited.connect(self._edited)
        self.back.clicked.connect(self._go_back)
        self.next.clicked.connect(self._go_next)
        self.force.clicked.connect(self.put_in_force)
        self.cancel.clicked.connect(self.reject)
        self.steps.itemClicked.connect(lambda item: self.go(list(Step)[self.steps.row(item)]))
        QShortcut(QKeySequence("Alt+Left"), self, self._go_back)
        QShortcut(QKeySequence("Alt+Right"), self, self._go_next)
        for step in Step:
            QShortcut(QKeySequence(f"Alt+{step.number}"), self, lambda step=step: self.go(step))

    def _lay_out(self) -> None:
        for step, page in self.pages.items():
            item = QListWidgetItem(f"{step.number}   {step.value}")
            item.setSizeHint(QSize(STEPS_WIDTH, STEP_HEIGHT))
            self.steps.addItem(item)
            scroll = QScrollArea()
            scroll.setFrameShape(QScrollArea.Shape.NoFrame)
            scroll.setWidgetResizable(True)
            scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            scroll.setWidget(page)
            self.stack.addWidget(scroll)
        self.steps.setFixedWidth(STEPS_WIDTH)
        self.steps.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.steps.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.steps.setAccessibleName("Pages")
        self.status.setWordWrap(True)
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        for button in (self.back, self.force, self.cancel):
            button.setAutoDefault(False)
        foot = QHBoxLayout()
        foot.setSpacing(SPACING)
        foot.addWidget(self.status, 1)
        foot.addWidget(self.cancel)
        foot.addWidget(self.back)
        foot.addWidget(self.next)
        foot.addWidget(self.force)
        right = QVBoxLayout()
        right.setSpacing(SPACING)
        right.addWidget(self.title)
        right.addWidget(self.about)
        right.addSpacing(SPACING)
        right.addWidget(self.stack, 1)
        right.addLayout(foot)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * SPACING, 2 * SPACING, 2 * SPACING, 2 * SPACING)
        layout.setSpacing(3 * SPACING)
        layout.addWidget(self.steps)
        layout.addLayout(right, 1)
        self.resize(*SIZE)


def model_for(study: Study, *, begun: bool) -> WizardModel:
    """Return a model that starts from the design in force; what reading has fixed cannot be changed in it."""
    from reader_app.operations.design import FIXED

    fixed = {Field(key): BEGUN for key in FIXED} if begun else {}
    return WizardModel(study.protocol, start=study.design, fixed=fixed, begun=begun)
