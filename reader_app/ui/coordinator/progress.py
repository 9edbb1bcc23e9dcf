"""How far each reader is. Never what they graded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from reader_app.reading.design import ALL_READERS
from reader_app.ui.coordinator.freezing import FreezeLine
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.section import Section
from reader_app.ui.labels import counted, hint
from reader_app.ui.rows_table import RowsTable

if TYPE_CHECKING:
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor, StudyCounts


class ProgressSection(Section):
    """One row per reader."""

    def __init__(self, study: Study, actor: Actor, *, jobs: JobsPanel, writes: bool) -> None:
        super().__init__(study, actor, jobs=jobs, writes=writes)
        self.words = hint()
        self.table = RowsTable(
            ("Reader", "Locked", "Started", "Not started", "Done", ""), name="Progress of the readers"
        )
        self.table.set_widths(240, 110, 110, 120, 80)
        self.freezing = FreezeLine(lambda: self.study, actor, writes=writes)
        self.freezing.failed.connect(self.failed)
        self.freezing.said.connect(self.said)
        self.freezing.changed.connect(self.changed)
        self.column.addWidget(self.freezing)
        self.column.addWidget(self.words)
        self.column.addWidget(self.table, 1)

    def first_focus(self) -> QWidget:
        """The table."""
        return self.table

    def show_counts(self, counts: StudyCounts) -> None:
        """Show how far each reader is, and read again whether the study is frozen."""
        self.freezing.refresh()
        self.table.set_rows(
            [
                (
                    reader.name,
                    f"{reader.locked:,}",
                    f"{reader.open:,}",
                    f"{reader.total - reader.locked - reader.open:,}",
                    f"{reader.locked / reader.total:.0%}" if reader.total else "–",
                    reader.locked / reader.total if reader.total else 0.0,
                )
                for reader in counts.readers
            ]
        )
        self.table.setVisible(bool(counts.readers))
        readers = self.study.design.readers_per_case
        who = "every reader" if readers == ALL_READERS else counted(readers, "reader")
        if not counts.readers:
            self.words.setText(
                "There is no reader yet. Add readers under “Accounts”; each gets a worklist at once."
            )
        else:
            self.words.setText(
                f"{counted(counts.cases, 'case')}, to be read by {who}."
                f" {counted(counts.adjudicated, 'grade')} settled by adjudication."
            )
