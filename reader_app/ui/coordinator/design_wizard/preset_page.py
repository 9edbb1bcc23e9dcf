"""The first page: from what the design is made."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPushButton

from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.design_wizard.fields import FIELD_WORDS, Step
from reader_app.ui.coordinator.design_wizard.model import IN_FORCE, Origin, WizardModel
from reader_app.ui.coordinator.design_wizard.options import Option, OptionList
from reader_app.ui.coordinator.design_wizard.page import Page
from reader_app.ui.labels import FaultLine, hint
from reader_app.ui.theme import Colour, colour_text

if TYPE_CHECKING:
    from reader_app.errors import ReaderError
    from reader_app.reading.presets import Adapted, Preset

READING = "It is being read …"


class PresetPage(Page):
    """The design in force, the presets, and files of one's own.

    A choice that cannot be used stays marked and is said; one cannot go on until another is taken.
    """

    step = Step.PRESET
    about = "From what the design is made: a choice fills all pages, and each can then be changed."

    def __init__(self, model: WizardModel) -> None:
        super().__init__(model)
        self.options = OptionList()
        self.options.add(
            Option(IN_FORCE, "The design in force", "Begin with what the study is read under now.")
        )
        self.from_file = QPushButton("From a f&ile …")
        self.from_file.setAutoDefault(False)
        self.notes = hint()
        self.fault = FaultLine()
        self._marked = model.origin
        self._blocked = ""
        self._file_listed = False
        colour_text(self.notes, Colour.WARNING)
        self.column.addWidget(self.options)
        self.column.addWidget(self.from_file, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addWidget(self.notes)
        self.column.addWidget(self.fault)
        self.column.addStretch(1)
        self.options.chosen.connect(self._choose)
        self.from_file.clicked.connect(self._ask_file)
        self._read_presets()

    @property
    def waiting_for(self) -> str:
        """Why one cannot go on with what is marked; empty where one can."""
        return self._blocked

    def refresh(self) -> None:
        """Mark what was chosen."""
        self.options.show_value(self._marked)

    def focus_first(self) -> None:
        """Put the keyboard on the marked choice."""
        self.options.setFocus()

    def take_file(self, path: Path) -> None:
        """Begin with a design file."""
        origin = Origin(file=str(path))
        option = Option(origin, f"The file {path.name}", str(path))
        if self._file_listed:
            self.options.replace_last(option)
        else:
            self.options.add(option)
        self._file_listed = True
        self._choose(origin)
        self.refresh()
        self.focus_first()

    def _read_presets(self) -> None:
        def work(_job: Job) -> tuple[Preset, ...]:
            from reader_app.reading.presets import presets

            return presets()

        Operation(work).success(self._list).failure(self.fault.say).run(self)

    def _list(self, presets: tuple[Preset, ...]) -> None:
        for preset in presets:
            about = " ".join(preset.about.split())
            self.options.add(Option(Origin(preset=preset.id), preset.title, about))
        self.refresh()

    def _choose(self, choice: object) -> None:
        assert isinstance(choice, Origin)
        origin = choice
        self._marked = origin
        protocol, seed, start = self.model.protocol, self.model.draft.seed, self.model.start

        def work(_job: Job) -> Adapted:
            from reader_app.reading.design_file import load_design
            from reader_app.reading.presets import Adapted, adapt

            if origin.preset:
                return adapt(origin.preset, protocol, seed=seed)
            if origin.file:
                return Adapted(load_design(Path(origin.file), protocol=protocol), ())
            return Adapted(start, ())

        self._block(READING)
        taken: Callable[[Adapted], object] = partial(self._take, origin)
        Operation(work).success(taken).failure(partial(self._refuse, origin)).run(self)

    def _take(self, origin: Origin, found: Adapted) -> None:
        if origin != self._marked:
            return
        kept = self.model.take(found.design, origin)
        notes = list(found.notes)
        if kept:
            names = ", ".join(FIELD_WORDS[field] for field in kept)
            notes.append(f"Kept as in force, since reading has begun: {names}.")
        self.notes.setText("\n".join(notes))
        self.fault.clear()
        self._block("")

    def _refuse(self, origin: Origin, fault: ReaderError) -> None:
        if origin != self._marked:
            return
        self.notes.clear()
        self.fault.say(fault)
        self._block("What is marked cannot be used: choose another.")

    def _block(self, why: str) -> None:
        self._blocked = why
        self.edited.emit()

    def _ask_file(self) -> None:
        dialog = QFileDialog(self, "A reading design", "", "Reading designs (*.toml)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.take_file(Path(name)))
        dialog.open()
