"""What adjudicators settled, without any grade: a coordinator sends a marked one back, with a reason."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.section import Section
from reader_app.ui.labels import FaultLine, counted, hint
from reader_app.ui.rows_table import RowsTable

if TYPE_CHECKING:
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor, SettledPlace, StudyCounts

_NOTHING = "Nothing is settled yet. What adjudicators settle is listed here, without grades."


class _Reason(QLineEdit):
    """Why something is opened again; Escape goes back to the list."""

    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: Escape empties the field."""
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
            self.left.emit()
        else:
            super().keyPressEvent(event)


class _SettledTable(RowsTable):
    """The list; Enter goes on to the reason."""

    chosen = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit()
        else:
            super().keyPressEvent(event)


class SettledSection(Section):
    """One row for each settled item: mark it, write why, press Enter."""

    def __init__(self, study: Study, actor: Actor, *, jobs: JobsPanel, writes: bool) -> None:
        super().__init__(study, actor, jobs=jobs, writes=writes)
        self._places: tuple[SettledPlace, ...] = ()
        self._busy = False
        self.words = hint(_NOTHING)
        self.table = _SettledTable(("Case", "Joint", "Item", "How", "By", "When"), name="Settled grades")
        self.table.set_widths(110, 190, 240, 190, 200)
        self.reason = _Reason()
        self.reason.setPlaceholderText("Why is the marked one opened again?")
        self.reason.setAccessibleName("Reason")
        self.button = QPushButton("&Open again")
        self.button.setToolTip("The marked grade goes back to the adjudicators; the journal keeps what was.")
        self.fault = FaultLine()
        self.column.addWidget(self.words)
        self.column.addWidget(self.table, 1)
        below = QHBoxLayout()
        below.addWidget(self.reason, 1)
        below.addWidget(self.button)
        self.column.addLayout(below)
        self.column.addWidget(self.fault)
        for widget in (self.reason, self.button):
            widget.setVisible(writes)
        self.table.chosen.connect(self.reason.setFocus)
        self.reason.left.connect(self.table.setFocus)
        self.reason.returnPressed.connect(self.reopen)
        self.button.clicked.connect(self.reopen)

    @property
    def busy(self) -> bool:
        """Whether a settlement is being taken back."""
        return self._busy

    def first_focus(self) -> QWidget:
        """The list."""
        return self.table

    def show_counts(self, counts: StudyCounts) -> None:
        """Read the list again; the counts alone do not tell which."""
        del counts

        def work(_job: Job) -> tuple[SettledPlace, ...]:
            from reader_app.operations.reopen import settled_places

            return settled_places(self.study, self.actor)

        Operation(work).success(self._show).failure(self.failed.emit).run(self)

    def reopen(self) -> None:
        """Send the marked one back to the adjudicators."""
        row = self.table.currentIndex().row()
        if self._busy or not 0 <= row < len(self._places):
            return
        if not self.reason.text().strip():
            self.fault.say("Write in a few words why it is opened again.")
            self.reason.setFocus()
            return
        place, reason = self._places[row], self.reason.text()
        self._busy = True
        self.fault.clear()

        def work(_job: Job) -> None:
            from reader_app.operations.reopen import reopen

            reopen(self.study, self.actor, place, reason=reason)

        def done(_nothing: None) -> None:
            self.reason.clear()
            self.table.setFocus()
            self.said.emit(
                f"{place.title}, {place.side.label.lower()}, {place.item.key} is open again.",
                "It waits for an adjudicator.",
            )
            self.changed.emit()

        Operation(work).success(done).failure(self.fault.say).done(self._done).run(self)

    def _done(self) -> None:
        self._busy = False

    def _show(self, places: tuple[SettledPlace, ...]) -> None:
        from reader_app.ui.adjudication.queue import item_title

        self._places = places
        self.table.set_rows(
            [
                (
                    one.title,
                    "  ".join(part for part in (one.side.label, one.visit) if part),
                    item_title(self.study.protocol, one.item),
                    one.method.value if one.method is not None else "needs a consensus session",
                    one.adjudicator,
                    f"{datetime.fromisoformat(one.at).astimezone():%Y-%m-%d %H:%M}",
                )
                for one in places
            ]
        )
        self.button.setEnabled(bool(places))
        self.reason.setEnabled(bool(places))
        if places:
            tail = " Mark one, Enter, and write why it is to be settled anew." if self.writes else ""
            self.words.setText(f"{counted(len(places), 'item')} settled; grades are not shown.{tail}")
        else:
            self.words.setText(_NOTHING)
