"""The last page: what the design would make of each reader's worklist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QWidget

from reader_app.reading.design import ReadingDesign
from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.design_wizard.fields import Step
from reader_app.ui.coordinator.design_wizard.model import WizardModel
from reader_app.ui.coordinator.design_wizard.page import Page
from reader_app.ui.labels import FaultLine, hint
from reader_app.ui.rows_table import RowsTable
from reader_app.ui.theme import SPACING, Colour, colour_text

if TYPE_CHECKING:
    from reader_app.errors import ReaderError
    from reader_app.operations.design import DesignPreview, PreviewRow, ReaderPreview
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor

CASES_AN_EVENING = 300
REASON_LENGTH = 400
_COUNTING = "The worklists are being worked out …"


class PreviewPage(Page):
    """Counts for each reader, the first places of the marked reader's worklist, and what cannot be met."""

    step = Step.PREVIEW
    about = "What each reader would read. The readers themselves never see what a place is for."

    def __init__(self, model: WizardModel, study: Study, actor: Actor) -> None:
        super().__init__(model)
        self._study = study
        self._actor = actor
        self._shown: ReadingDesign | None = None
        self._asked: ReadingDesign | None = None
        self._found: tuple[ReaderPreview, ...] = ()
        self.readers = RowsTable(
            (
                "Reader",
                "Cases",
                "Readings",
                "Re-reads",
                "Calibration",
                "Controls",
                "With the AI",
                "Blocks",
                f"Evenings of {CASES_AN_EVENING}",
            ),
            name="What each reader would read",
        )
        self.readers.set_widths(170, 65, 80, 80, 90, 80, 110, 65)
        self.first_title = hint()
        self.first = RowsTable(
            ("Place", "Block", "Read for", "The AI", "Participant"), name="First places of the worklist"
        )
        self.first.set_widths(70, 70, 230, 230)
        self.notes = hint()
        self.fault = FaultLine()
        self.reason = QLineEdit()
        self.reason.setMaxLength(REASON_LENGTH)
        self._reason_label = QLabel("&Reason")
        self._reason_label.setBuddy(self.reason)
        self._lay_out()
        self.readers.selectionModel().currentRowChanged.connect(lambda new, _old: self._show_first(new.row()))
        self.reason.textChanged.connect(self._give_reason)

    @property
    def waiting_for(self) -> str:
        """That the worklists are still being worked out."""
        return _COUNTING if self._asked is not None else ""

    def refresh(self) -> None:
        """Work out the worklists of the draft, unless they are shown already."""
        wanted = self.model.chosen()
        if wanted in (self._shown, self._asked):
            return
        self._shown, self._asked = None, wanted
        self._show(())
        self.fault.clear()
        self.notes.setText(_COUNTING)
        colour_text(self.notes, Colour.MUTED)

        def work(_job: Job) -> DesignPreview:
            from reader_app.operations.design import preview

            return preview(self._study, self._actor, wanted)

        def show(found: DesignPreview) -> None:
            if self._asked == wanted:
                self._shown, self._asked = wanted, None
                self._take(found)

        def fail(fault: ReaderError) -> None:
            if self._asked == wanted:
                self._asked = None
                self.notes.clear()
                self.fault.say(fault)
                self.edited.emit()

        Operation(work).success(show).failure(fail).run(self)

    def focus_first(self) -> None:
        """Put the keyboard to the reason where one is needed, else to the readers."""
        (self.reason if self.model.begun else self.readers).setFocus()

    def _take(self, found: DesignPreview) -> None:
        self._show(found.readers)
        self.notes.setText("\n".join(found.notes))
        colour_text(self.notes, Colour.WARNING)
        self.edited.emit()

    def _show(self, readers: tuple[ReaderPreview, ...]) -> None:
        self._found = readers
        self.readers.set_rows([_counts(reader) for reader in readers])
        self._show_first(self.readers.currentIndex().row())

    def _show_first(self, row: int) -> None:
        reader = self._found[row] if 0 <= row < len(self._found) else None
        self.first.set_rows([] if reader is None else [_place(each) for each in reader.first])
        self.first_title.setText("" if reader is None else f"How the worklist of {reader.name} begins:")

    def _give_reason(self, text: str) -> None:
        self.model.reason = text
        self.edited.emit()

    def _lay_out(self) -> None:
        self.readers.setMaximumHeight(170)
        self.reason.setPlaceholderText(
            "Why the design is amended" if self.model.begun else "Why, for the history; may stay empty"
        )
        line = QWidget()
        inside = QHBoxLayout(line)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(SPACING)
        inside.addWidget(self._reason_label, 0, Qt.AlignmentFlag.AlignVCenter)
        inside.addWidget(self.reason, 1)
        self.column.addWidget(self.readers, 2)
        self.column.addWidget(self.first_title)
        self.column.addWidget(self.first, 3)
        self.column.addWidget(self.notes)
        self.column.addWidget(self.fault)
        self.column.addWidget(line)


def evenings(readings: int) -> int:
    """Return how many evenings so many readings take."""
    return -(-readings // CASES_AN_EVENING)


def _counts(reader: ReaderPreview) -> tuple[str, ...]:
    share = f" ({reader.aided / reader.readings:.0%})" if reader.aided else ""
    numbers = (reader.cases, reader.readings, reader.rereads, reader.calibration, reader.controls)
    return (
        reader.name,
        *(f"{number:,}" for number in numbers),
        f"{reader.aided:,}{share}",
        f"{reader.blocks:,}" if reader.blocks else "–",
        f"{evenings(reader.readings):,}",
    )


def _place(row: PreviewRow) -> tuple[str, ...]:
    return (f"{row.place:,}", f"{row.block:,}" if row.block else "–", row.purpose, row.arm, row.participant)
