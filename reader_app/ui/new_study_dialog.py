"""Making a study: what it is called, where it lies, what is graded, who coordinates it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from reader_app.errors import ReaderError
from reader_app.protocols.loader import ProtocolFile, available_protocols
from reader_app.protocols.model import Arm, Protocol
from reader_app.ui.background import Operation
from reader_app.ui.labels import Card, FaultLine, heading, hint, show_indicator
from reader_app.ui.preset_choice import PresetChoice
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.interop.deidentify import DatePolicy
    from reader_app.operations.study import NewStudy, Study

MIN_PASSWORD = 8


@dataclass(frozen=True)
class Complaint:
    """What is missing or wrong in the dialog, and at which field."""

    field: QWidget
    sentence: str


class NewStudyDialog(QDialog):
    """Asks for everything that a study needs and makes it.

    Attributes
    ----------
    created
        The new `Study`, open, and the coordinator's name.
    """

    created = Signal(object, str)

    def __init__(self, parent: QWidget | None = None, *, folder: Path | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("New study")
        self.title = QLineEdit()
        self.title.setPlaceholderText("Knee OA in the north, first reading")
        self.folder = QLineEdit(str(folder) if folder else "")
        self.folder.setPlaceholderText("A new or an empty folder")
        self.browse = QPushButton("&Browse …")
        self.browse.setAutoDefault(False)
        self.protocol = QComboBox()
        self.about = hint()
        self.design = PresetChoice()
        self.aided = QRadioButton("&Aided: the reader sees the AI's pre-grade")
        self.unaided = QRadioButton("&Unaided: nothing of the AI is shown")
        self.reference = QRadioButton("&Stay where they are, untouched, and are checked by their hash")
        self.copy = QRadioButton("Are &copied into the study folder, without what names a person")
        self.shifted = QRadioButton(
            "S&hifted: by a secret number of days for each participant; intervals stay true"
        )
        self.dropped = QRadioButton("&Dropped: only the order of the visits is kept")
        self.kept = QRadioButton("&Kept: true days, which can help to tell who somebody is")
        self.characteristics = QCheckBox("Sex, ag&e and weight are kept, to describe the participants")
        self.coordinator = QLineEdit()
        self.password = QLineEdit()
        self.again = QLineEdit()
        for field in (self.password, self.again):
            field.setEchoMode(QLineEdit.EchoMode.Password)
        self.password.setPlaceholderText(f"At least {MIN_PASSWORD} characters")
        self.fault = FaultLine()
        self._protocols = self._known_protocols()
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.make = self._buttons.addButton("&Make the study", QDialogButtonBox.ButtonRole.AcceptRole)
        self._buttons.button(QDialogButtonBox.StandardButton.Cancel).setAutoDefault(False)
        self.make.setDefault(True)
        self._lay_out()
        self._buttons.accepted.connect(self._make)
        self._buttons.rejected.connect(self.reject)
        self.browse.clicked.connect(self._choose_folder)
        self.protocol.currentIndexChanged.connect(self._describe)
        self.design.changed.connect(self._show_arm)
        self.reference.setChecked(True)
        self.shifted.setChecked(True)
        self.characteristics.setChecked(True)
        show_indicator(self.characteristics)
        self._describe()
        self.resize(820, 640)

    def _known_protocols(self) -> tuple[ProtocolFile, ...]:
        try:
            files = tuple(file for file in available_protocols() if file.protocol is not None)
        except ReaderError as fault:
            self.fault.say(fault)
            return ()
        for file in files:
            if file.protocol is not None:
                self.protocol.addItem(file.protocol.title, file.path)
        return files

    def _chosen(self) -> Protocol | None:
        place = self.protocol.currentIndex()
        return self._protocols[place].protocol if place >= 0 else None

    def _describe(self) -> None:
        protocol = self._chosen()
        if protocol is None:
            return
        self.about.setText(describe(protocol))
        aided = protocol.reading.arm is Arm.AIDED and protocol.bundle is not None
        (self.aided if aided else self.unaided).setChecked(True)
        self.design.show_protocol(protocol)

    def _show_arm(self) -> None:
        """Leave what is shown of the AI to the preset where there is one."""
        for button in (self.aided, self.unaided):
            button.setEnabled(not self.design.preset)
            button.setToolTip("The preset says what is shown of the AI." if self.design.preset else "")

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setSpacing(SPACING)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        place = QHBoxLayout()
        place.addWidget(self.folder)
        place.addWidget(self.browse)
        form.addRow("&Title", self.title)
        folder_label = QLabel("&Folder")
        folder_label.setBuddy(self.folder)
        form.addRow(folder_label, place)
        about = Card(margin=SPACING)
        about.body.addWidget(self.about)
        form.addRow("&Protocol", self.protocol)
        form.addRow("", about)
        design_label = QLabel("&Reading design")
        design_label.setBuddy(self.design)
        form.addRow(design_label, self.design)
        form.addRow("The AI", self._choice(self.aided, self.unaided))
        form.addRow("Images", self._choice(self.reference, self.copy))
        form.addRow("Dates", self._choice(self.shifted, self.dropped, self.kept))
        form.addRow("Persons", self.characteristics)
        form.addRow("Coordinator's &name", self.coordinator)
        form.addRow("Pass&word", self.password)
        form.addRow("Password a&gain", self.again)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, SPACING, 0)
        column.addLayout(form)
        column.addStretch()
        # On a small screen the form scrolls and the buttons stay in reach.
        scroll = QScrollArea()
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * SPACING, 2 * SPACING, 3 * SPACING, 2 * SPACING)
        layout.setSpacing(SPACING)
        layout.addWidget(heading("New study", factor=1.4))
        layout.addWidget(scroll, 1)
        layout.addWidget(self.fault)
        layout.addWidget(self._buttons)

    def _choice(self, *buttons: QRadioButton) -> QWidget:
        box = QWidget()
        group = QButtonGroup(box)
        lines = QVBoxLayout(box)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(2)
        for button in buttons:
            show_indicator(button)
            group.addButton(button)
            lines.addWidget(button)
        return box

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, "Where the study is to lie", self.folder.text())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self.folder.setText)
        dialog.open()

    def complaint(self) -> Complaint | None:
        """Return what must be put right before the study can be made, None if nothing."""
        checks = (
            (self.title, not self.title.text().strip(), "Give the study a title."),
            (self.folder, not self.folder.text().strip(), "Choose a folder for the study."),
            (self.protocol, self._chosen() is None, "Choose a protocol."),
            (self.design, bool(self.design.refusal), self.design.refusal),
            (self.coordinator, not self.coordinator.text().strip(), "Type the coordinator's name."),
            (
                self.password,
                len(self.password.text()) < MIN_PASSWORD,
                f"A password needs at least {MIN_PASSWORD} characters.",
            ),
            (
                self.again,
                self.password.text() != self.again.text(),
                "The two passwords differ: type it again.",
            ),
        )
        return next((Complaint(field, sentence) for field, wrong, sentence in checks if wrong), None)

    def _make(self) -> None:
        complaint = self.complaint()
        if complaint is not None:
            self.fault.say(complaint.sentence)
            complaint.field.setFocus()
            return
        self.fault.clear()
        self._set_busy(busy=True)
        folder, choices = Path(self.folder.text().strip()), self._choices()

        def make() -> Study:
            from reader_app.operations.study import create_study

            return create_study(folder, choices)

        Operation(lambda _job: make()).success(self._tell).failure(self._say).run(self)

    def _choices(self) -> NewStudy:
        from reader_app.operations.study import NewStudy
        from reader_app.operations.study_config import ImagePolicy

        return NewStudy(
            protocol=str(self.protocol.currentData()),
            title=self.title.text().strip(),
            coordinator=self.coordinator.text().strip(),
            password=self.password.text(),
            arm=None if self.design.preset else Arm.AIDED if self.aided.isChecked() else Arm.UNAIDED,
            preset=self.design.preset or None,
            images=ImagePolicy.COPY if self.copy.isChecked() else ImagePolicy.REFERENCE,
            dates=self._dates(),
            characteristics=self.characteristics.isChecked(),
        )

    def _dates(self) -> DatePolicy:
        from reader_app.interop.deidentify import DatePolicy

        if self.dropped.isChecked():
            return DatePolicy.DROPPED
        return DatePolicy.KEPT if self.kept.isChecked() else DatePolicy.SHIFTED

    def _tell(self, study: Study) -> None:
        self.created.emit(study, self.coordinator.text().strip())
        self.accept()

    def _say(self, fault: ReaderError) -> None:
        self._set_busy(busy=False)
        self.fault.say(fault)

    def _set_busy(self, *, busy: bool) -> None:
        self.make.setEnabled(not busy)
        self.make.setText("Making it …" if busy else "&Make the study")


def describe(protocol: Protocol) -> str:
    """Return in a few lines what a protocol grades and how it is read."""
    features = ", ".join(
        f"{feature.title} ({feature.scale.levels[0].code} to {feature.scale.levels[-1].code})"
        for feature in protocol.features
    )
    readers = protocol.reading.readers_per_case
    lines = [
        f"{protocol.id}, version {protocol.version}. {protocol.joint.value.capitalize()}, "
        f"{readers} {'reader' if readers == 1 else 'readers'} per case.",
        f"Graded: {features}.",
        f"Pre-grades: bundle {protocol.bundle}." if protocol.bundle else "No bundle makes pre-grades for it.",
        f"Source: {protocol.source}",
    ]
    return "\n".join(lines)
