"""How the readers keep up with the reference: qualification, control charts, another attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.section import Section
from reader_app.ui.labels import FaultLine, counted, hint
from reader_app.ui.rows_table import RowsTable
from reader_app.ui.theme import Colour, colour_text

if TYPE_CHECKING:
    from reader_app.operations.calibration_gate import FeatureOutcome
    from reader_app.operations.quality import FeatureDrift, ReaderQuality
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor, StudyCounts
    from reader_app.ui.coordinator.drift_chart import DriftChart

_TITLES = ("Reader", "Calibration", "Attempts", "Result", "Feature", "Kappa (interval)", "Alarms")
_TABLE_ROWS = 6
"""As many are in sight at once; the chart has the rest of the room."""


class QualitySection(Section):
    """A table of readers and features; the chart below is that of the marked row."""

    def __init__(self, study: Study, actor: Actor, *, jobs: JobsPanel, writes: bool) -> None:
        super().__init__(study, actor, jobs=jobs, writes=writes)
        self.words = hint()
        self.table = RowsTable(_TITLES, name="Readers beside the reference")
        self.alarms = QLabel()
        self.reason = QLineEdit()
        self.grant = QPushButton("&Grant another attempt")
        self.fault = FaultLine()
        self.chart: DriftChart | None = None
        self._rows: list[tuple[ReaderQuality, FeatureDrift | None]] = []
        self._reading = False
        self._again = False
        self._lay_out()
        self.table.selectionModel().currentRowChanged.connect(self._show_marked)
        self.table.rows.modelReset.connect(self._show_marked)
        self.grant.clicked.connect(self.grant_attempt)
        self.reason.returnPressed.connect(self.grant_attempt)

    def first_focus(self) -> QWidget:
        """The table: up and down go through readers and features."""
        return self.table

    def show_counts(self, counts: StudyCounts) -> None:
        """Read everything again."""
        del counts
        self.refresh()

    def refresh(self) -> None:
        """Read how the readers stand; asked twice meanwhile, it is read once more."""
        if self._reading:
            self._again = True
            return
        self._reading = True

        def work(_job: Job) -> tuple[ReaderQuality, ...]:
            from reader_app.operations.quality import quality

            return quality(self.study, self.actor)

        Operation(work).success(self._show_quality).failure(self.failed.emit).done(self._read).run(self)

    def grant_attempt(self) -> None:
        """Give the marked reader the calibration set again, with the reason that was typed."""
        marked = self._marked()
        if marked is None or not self.writes or not self.grant.isEnabled():
            return
        reader, reason = marked[0].state.name, self.reason.text().strip()
        if not reason:
            self.fault.say("Write why the reader reads the set again; it goes into the journal.")
            self.reason.setFocus()
            return
        self.fault.clear()
        self.grant.setEnabled(False)

        def work(_job: Job) -> int:
            from reader_app.operations.quality import grant_attempt

            return grant_attempt(self.study, self.actor, reader, reason=reason)

        Operation(work).success(lambda number: self._granted(reader, number)).failure(self._refused).done(
            self._show_marked
        ).run(self)

    def alarm_text(self) -> str:
        """Return what is said about the marked row's chart."""
        return self.alarms.text()

    def _granted(self, reader: str, number: int) -> None:
        self.reason.clear()
        self.table.setFocus()
        self.said.emit(
            f"{reader} reads {counted(number, 'calibration case')} again; live cases are closed until then.",
            "",
        )
        self.changed.emit()

    def _refused(self, fault: ReaderError) -> None:
        self.fault.say(fault)

    def _read(self) -> None:
        self._reading = False
        if self._again:
            self._again = False
            self.refresh()

    def _show_quality(self, found: tuple[ReaderQuality, ...]) -> None:
        self._rows = [(reader, drift) for reader in found for drift in (reader.drift or (None,))]
        self.table.set_rows([_cells(reader, drift) for reader, drift in self._rows])
        self.words.setText(_about(self.study, found))
        self.table.setVisible(bool(found))

    def _show_marked(self) -> None:
        marked = self._marked()
        drift = marked[1] if marked else None
        if self.chart is None and drift is not None:
            # Made with the first figures: what it draws needs the statistics, which the start does without.
            from reader_app.ui.coordinator.drift_chart import DriftChart

            self.chart = DriftChart()
            self.column.insertWidget(self.column.indexOf(self.alarms), self.chart, 1)
        if self.chart is not None:
            self.chart.setVisible(drift is not None)
            self.chart.show_drift(drift)
        self._say_alarms(drift)
        through = marked is not None and marked[0].state.total > 0 and marked[0].state.judged
        self.grant.setEnabled(through)

    def _say_alarms(self, drift: FeatureDrift | None) -> None:
        if drift is None:
            self.alarms.setText("")
            return
        from reader_app.agreement.result import Undefined
        from reader_app.ui.coordinator.drift_chart import alarm_lines

        lines = alarm_lines(drift)
        colour_text(self.alarms, Colour.WARNING if lines else Colour.MUTED)
        if lines:
            self.alarms.setText("\n".join(lines[:3] + ((f"and {len(lines) - 3} more",) if lines[3:] else ())))
            self.alarms.setToolTip("\n".join(lines))
        elif isinstance(drift.chart, Undefined):
            self.alarms.setText("")
        elif not drift.chart.points:
            self.alarms.setText("No control has been read yet: alarms come from controls.")
        else:
            self.alarms.setText(
                "No alarm: the moving average stays within its limits and no "
                f"{drift.chart.rules.run} controls in a row lie on one side of the calibration median."
            )

    def _marked(self) -> tuple[ReaderQuality, FeatureDrift | None] | None:
        row = self.table.currentIndex().row()
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def _lay_out(self) -> None:
        self.table.set_widths(170, 110, 90, 190, 210, 210)
        row, head = self.table.verticalHeader().defaultSectionSize(), self.table.horizontalHeader()
        frame = 2 * self.table.frameWidth()
        self.table.setFixedHeight(row * _TABLE_ROWS + head.sizeHint().height() + frame)
        self.alarms.setTextFormat(Qt.TextFormat.PlainText)
        self.alarms.setWordWrap(True)
        self.reason.setPlaceholderText("Why the marked reader reads the calibration set again")
        self.grant.setEnabled(False)
        below = QHBoxLayout()
        below.addWidget(self.reason, 1)
        below.addWidget(self.grant)
        self.column.addWidget(self.words)
        self.column.addWidget(self.table)
        self.column.addWidget(self.alarms)
        self.column.addStretch()
        if self.writes:
            self.column.addWidget(self.fault)
            self.column.addLayout(below)
        for widget in (self.reason, self.grant):
            widget.setVisible(self.writes)


def _cells(reader: ReaderQuality, drift: FeatureDrift | None) -> tuple[str, ...]:
    state = reader.state
    outcome = None
    if drift is not None and reader.outcomes:
        outcome = next((f for f in reader.outcomes[-1].features if f.feature_id == drift.feature_id), None)
    return (
        state.name if state.active else f"{state.name} (closed)",
        f"{state.locked} of {state.total}" if state.total else "–",
        f"{len(state.attempts)}",
        reader.words,
        drift.title if drift is not None else "–",
        kappa_words(outcome),
        counted(len(drift.alarms), "alarm") if drift is not None and drift.alarms else "–",
    )


def kappa_words(outcome: FeatureOutcome | None) -> str:
    """Return the newest kappa with its interval and whether that was enough, or why there is none."""
    if outcome is None:
        return "–"
    if outcome.kappa is None or outcome.low is None or outcome.high is None:
        return outcome.words.partition(": ")[2]
    mark = "" if outcome.bound is None else " ✓" if outcome.passed else " ✗"
    return f"{outcome.kappa:.2f} ({outcome.low:.2f} to {outcome.high:.2f}){mark}"


def _about(study: Study, found: tuple[ReaderQuality, ...]) -> str:
    design = study.design.calibration
    if not design.cases:
        return (
            "This study has no calibration set. A design can ask readers to read cases with reference grades "
            "first, and bring some back unannounced."
        )
    if not found:
        return "There is no reader yet. Add readers under “Accounts”."
    gate = (
        "without a gate"
        if design.min_kappa is None
        else f"and live cases open once the lower end of kappa reaches {design.min_kappa:.2f}"
    )
    control = (
        f" A control comes after every {design.control_every} live cases." if design.control_every else ""
    )
    return f"Each reader begins with {counted(design.cases, 'calibration case')}, {gate}.{control}"
