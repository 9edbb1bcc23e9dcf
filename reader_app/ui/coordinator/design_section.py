"""The reading design of the study in sentences, with its hash, its history and the wizard that changes it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from reader_app.reading.design_words import Topic, in_words
from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.section import Section
from reader_app.ui.labels import Card, FaultLine, hint
from reader_app.ui.rows_table import RowsTable
from reader_app.ui.theme import SPACING, Colour, colour_text, scaled_font

if TYPE_CHECKING:
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor, DesignRecord, StudyCounts
    from reader_app.ui.coordinator.design_wizard.wizard import DesignWizard

SHORT_HASH = 12
"""Characters of a hash that are shown; the whole is copied."""
_CARD_COLUMNS = 3
_ROWS_IN_SIGHT = 4


class DesignSection(Section):
    """The design in force; an auditor sees the same and changes nothing."""

    def __init__(self, study: Study, actor: Actor, *, jobs: JobsPanel, writes: bool) -> None:
        super().__init__(study, actor, jobs=jobs, writes=writes)
        self.about = QLabel()
        self.copy = QPushButton("Copy the &hash")
        self.change = QPushButton("&Change …")
        self.save = QPushButton("&Save as file …")
        self.history = RowsTable(("In force since", "Hash", "By", "Why"), name="Designs that were in force")
        self.history.set_widths(190, 140, 180)
        self.fault = FaultLine()
        self.wizard: DesignWizard | None = None
        self._topics = QGridLayout()
        self._lay_out()
        self.copy.clicked.connect(self._copy_hash)
        self.change.clicked.connect(self.open_wizard)
        self.save.clicked.connect(self._ask_file)
        self._show_design()

    def first_focus(self) -> QWidget:
        """The button that changes the design, or the history where nothing may be changed."""
        return self.change if self.writes else self.history

    def show_counts(self, counts: StudyCounts) -> None:
        """Read again what is in force."""
        del counts
        if self.isVisible():
            self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: what is in force is read whenever the section is looked at."""
        super().showEvent(event)
        self.refresh()

    def take_study(self, study: Study) -> None:
        """Show the study under another design."""
        super().take_study(study)
        self._show_design()

    def refresh(self) -> None:
        """Read what is in force and what was before."""

        def work(_job: Job) -> tuple[Study, tuple[DesignRecord, ...]]:
            from reader_app.operations.design_history import as_in_force, history

            return as_in_force(self.study), history(self.study, self.actor)

        def show(found: tuple[Study, tuple[DesignRecord, ...]]) -> None:
            study, records = found
            if study.design != self.study.design:
                self.study_changed.emit(study)
            self._show_history(records)

        Operation(work).success(show).failure(self.failed.emit).run(self)

    # The wizard -----------------------------------------------------------------------------------

    def open_wizard(self) -> None:
        """Open the wizard on the design in force, or bring the one that is open to the front."""
        if not self.writes or not self.change.isEnabled():
            return
        if self.wizard is not None:
            self.wizard.raise_()
            self.wizard.activateWindow()
            return
        self.fault.clear()
        self.change.setEnabled(False)

        def work(_job: Job) -> tuple[Study, bool]:
            from reader_app.operations.design import changeable
            from reader_app.operations.design_history import as_in_force

            return as_in_force(self.study), changeable(self.study, self.actor)

        Operation(work).success(self._start_wizard).failure(self.fault.say).done(
            lambda: self.change.setEnabled(True)
        ).run(self)

    def _start_wizard(self, found: tuple[Study, bool]) -> None:
        from reader_app.ui.coordinator.design_wizard.wizard import DesignWizard, model_for

        study, free = found
        self.wizard = DesignWizard(model_for(study, begun=not free), study, self.actor, self)
        self.wizard.in_force.connect(self._put_in_force)
        self.wizard.finished.connect(self._wizard_closed)
        self.wizard.show()

    def _put_in_force(self, study: Study) -> None:
        self.study_changed.emit(study)
        self.said.emit(
            f"The design {study.design.sha256[:SHORT_HASH]} is in force.",
            "Worklists follow it from now on; what was read already stays as it was.",
        )
        self.refresh()
        self.changed.emit()

    def _wizard_closed(self) -> None:
        self.wizard = None
        self.first_focus().setFocus()

    def may_leave(self) -> bool:
        """Return whether the page may be left; else the wizard asks what becomes of the changes in it."""
        if self.wizard is None:
            return True
        self.wizard.raise_()
        self.wizard.activateWindow()
        self.wizard.reject()
        return self.wizard is None

    # What is in force -----------------------------------------------------------------------------

    def _show_design(self) -> None:
        design = self.study.design
        origin = f"  ·  made from the preset “{design.preset}”" if design.preset else ""
        self.about.setText(f"Design {design.sha256[:SHORT_HASH]}{origin}")
        self.about.setToolTip(design.sha256)
        while (item := self._topics.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
        for place, topic in enumerate(in_words(design, self.study.protocol)):
            self._topics.addWidget(_card(topic), *divmod(place, _CARD_COLUMNS))

    def _show_history(self, records: tuple[DesignRecord, ...]) -> None:
        self.history.set_rows([_line(record) for record in records])
        rows = min(max(len(records), 1), _ROWS_IN_SIGHT)
        head = self.history.horizontalHeader().sizeHint().height()
        self.history.setFixedHeight(head + rows * self.history.verticalHeader().defaultSectionSize() + 4)

    def _copy_hash(self) -> None:
        QGuiApplication.clipboard().setText(self.study.design.sha256)
        self.said.emit("The whole hash of the design is copied.", "")

    def _ask_file(self) -> None:
        dialog = QFileDialog(self, "Save the design as", str(self.study.folder / "exports" / "design.toml"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("Reading designs (*.toml)")
        dialog.setDefaultSuffix("toml")
        dialog.fileSelected.connect(lambda name: self.save_as(Path(name)))
        dialog.open()

    def save_as(self, path: Path) -> None:
        """Write the design in force to a file that the wizard and the command line read."""
        study = self.study

        def work(_job: Job) -> None:
            from reader_app.operations.design import export_design

            export_design(study, path)

        def saved(_none: None) -> None:
            self.said.emit(f"The design is written to {path}.", "")

        self.fault.clear()
        Operation(work).success(saved).failure(self.fault.say).run(self)

    def _lay_out(self) -> None:
        self.about.setFont(scaled_font(self.about.font(), 1.1, bold=True))
        self.about.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        head = QHBoxLayout()
        head.setSpacing(SPACING)
        head.addWidget(self.about, 1)
        for button in (self.change, self.save, self.copy):
            head.addWidget(button)
        for button in (self.change, self.save):
            button.setVisible(self.writes)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, SPACING, 0)
        self._topics.setSpacing(SPACING)
        for place in range(_CARD_COLUMNS):
            self._topics.setColumnStretch(place, 1)
        column.addLayout(self._topics)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setAccessibleName("The design in sentences")
        scroll.setWidget(inside)
        self._show_history(())
        self.column.addLayout(head)
        self.column.addWidget(self.fault)
        self.column.addWidget(scroll, 1)
        self.column.addWidget(self.history)


def _card(topic: Topic) -> QWidget:
    card = Card(margin=SPACING)
    title = QLabel(topic.title)
    colour_text(title, Colour.ACCENT)
    card.body.addWidget(title)
    for sentence in topic.sentences:
        line = hint(sentence)
        colour_text(line, Colour.TEXT)
        card.body.addWidget(line)
    card.body.addStretch(1)
    return card


def _line(record: DesignRecord) -> tuple[str, ...]:
    at = datetime.fromisoformat(record.at).astimezone()
    return (f"{at:%d %b %Y, %H:%M}", record.sha256[:SHORT_HASH], record.who, record.reason or "–")
