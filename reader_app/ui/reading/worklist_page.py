"""The reader's worklist: which cases there are, how far each is, and where to go on."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QHBoxLayout,
    QHeaderView,
    QProgressBar,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from reader_app.reading.worklist import ReadingState, WorklistEntry, next_entry, progress_of
from reader_app.ui.labels import heading, hint, light_up_when_checked
from reader_app.ui.rows_table import set_up_rows
from reader_app.ui.theme import SPACING, Colour
from reader_app.ui.titled_model import Index, TitledModel


class WorklistFilter(Enum):
    """Which cases the table shows; the value is what the button says."""

    ALL = "All"
    TO_DO = "To do"
    OPEN = "Started"
    LOCKED = "Locked"

    def admits(self, state: ReadingState) -> bool:
        """Say whether a case in this state is shown."""
        match self:
            case WorklistFilter.ALL:
                return True
            case WorklistFilter.TO_DO:
                return state is not ReadingState.LOCKED
            case WorklistFilter.OPEN:
                return state is ReadingState.OPEN
            case WorklistFilter.LOCKED:
                return state is ReadingState.LOCKED


STATE_WORDS = {
    ReadingState.WAITING: "Not started",
    ReadingState.OPEN: "Started, not locked",
    ReadingState.LOCKED: "Locked",
}
_COLUMNS = ("Case", "State", "Grades given")


class WorklistModel(TitledModel):
    """The worklist as a table.

    Rows are looked up, never built: a change of filter keeps a list of positions only, so a worklist of
    100,000 cases costs no more on screen than one of ten.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(_COLUMNS, parent)
        self._entries: tuple[WorklistEntry, ...] = ()
        self._rows: list[int] = []
        self._filter = WorklistFilter.ALL

    @property
    def entries(self) -> tuple[WorklistEntry, ...]:
        """The whole worklist, whatever is shown of it."""
        return self._entries

    @property
    def filter(self) -> WorklistFilter:
        """What is shown now."""
        return self._filter

    def set_entries(self, entries: tuple[WorklistEntry, ...]) -> None:
        """Take over a worklist as it was just read."""
        self.beginResetModel()
        self._entries = entries
        self._keep()
        self.endResetModel()

    def set_filter(self, wanted: WorklistFilter) -> None:
        """Show only what the filter admits."""
        self.beginResetModel()
        self._filter = wanted
        self._keep()
        self.endResetModel()

    def entry(self, row: int) -> WorklistEntry:
        """Return the case in a row of the table."""
        return self._entries[self._rows[row]]

    def row_of(self, assignment_id: int) -> int | None:
        """Return the row in which a case stands, None where the filter hides it."""
        return next(
            (
                row
                for row, place in enumerate(self._rows)
                if self._entries[place].assignment_id == assignment_id
            ),
            None,
        )

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Qt: what stands in a cell."""
        entry = self.entry(index.row())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._text(entry, index.column())
        if role == Qt.ItemDataRole.ForegroundRole and entry.state is ReadingState.LOCKED:
            return Colour.MUTED.qcolor
        return None

    @staticmethod
    def _text(entry: WorklistEntry, column: int) -> str:
        match column:
            case 0:
                return entry.title
            case 1:
                return STATE_WORDS[entry.state]
            case _:
                return str(entry.graded) if entry.graded else "–"

    def _keep(self) -> None:
        admits = {state: self._filter.admits(state) for state in ReadingState}
        self._rows = [place for place, entry in enumerate(self._entries) if admits[entry.state]]


class _CaseTable(QTableView):
    """A table that is worked by keyboard: up and down choose, left and right filter; Enter is an action."""

    chosen = Signal(int)
    filter_step = Signal(int)

    def __init__(self, model: WorklistModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setModel(model)
        self._cases = model
        set_up_rows(self, name="Worklist")
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 14)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.doubleClicked.connect(lambda index: self._choose(index.row()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: the keys that a plain table does not know."""
        match event.key():
            case Qt.Key.Key_Left:
                self.filter_step.emit(-1)
            case Qt.Key.Key_Right:
                self.filter_step.emit(1)
            case _:
                super().keyPressEvent(event)

    def _choose(self, row: int) -> None:
        if row >= 0:
            self.chosen.emit(self._cases.entry(row).assignment_id)


class WorklistPage(QWidget):
    """Shows a worklist and asks for a case to be opened; it reads and writes nothing itself."""

    open_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = WorklistModel(self)
        self.table = _CaseTable(self.model, self)
        self._title = heading("Your worklist")
        self._done = hint("Reading the worklist …")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(SPACING)
        self._empty = hint()
        self._next = QPushButton("Open the next case")
        self._next.setEnabled(False)
        self._next.setToolTip("Enter opens the case that is marked; at first that is the next one to read.")
        self._filters = QButtonGroup(self)
        self._lay_out()
        self.table.chosen.connect(self.open_requested)
        self.table.filter_step.connect(self._step_filter)
        self._next.clicked.connect(self.open_next)
        self._filters.idClicked.connect(lambda place: self.set_filter(list(WorklistFilter)[place]))

    @property
    def progress(self) -> str:
        """How much is done, in words."""
        return self._done.text()

    @property
    def sentence(self) -> str:
        """Why the table is empty; empty while it is not."""
        return "" if self._empty.isHidden() else self._empty.text()

    def show_worklist(self, entries: tuple[WorklistEntry, ...], *, after: int | None = None) -> None:
        """Show a worklist as it was just read, and mark the next case to read.

        Parameters
        ----------
        after
            The assignment that was read last; the mark goes to the next one after it.
        """
        self.model.set_entries(entries)
        progress = progress_of(entries)
        waiting = progress.total - progress.locked - progress.open
        self._bar.setRange(0, max(progress.total, 1))
        self._bar.setValue(progress.locked)
        self._bar.setAccessibleName(f"{progress.locked} of {progress.total} cases locked")
        self._done.setVisible(bool(entries))
        self._bar.setVisible(bool(entries))
        self._done.setText(
            f"{progress.locked:,} of {progress.total:,} cases locked ({progress.share:.0%})"
            f"  ·  {progress.open:,} started  ·  {waiting:,} not started"
        )
        upcoming = next_entry(entries, after)
        self._next.setEnabled(upcoming is not None)
        if upcoming is None:
            self._next.setText("All cases are locked" if entries else "No cases yet")
        else:
            self._next.setText(f"Open {upcoming.title}")
        self._mark(upcoming.assignment_id if upcoming else after)
        self._say_if_empty()

    def set_filter(self, wanted: WorklistFilter) -> None:
        """Show only some of the cases; the marked one stays marked where it is still shown."""
        row = self.table.currentIndex().row()
        marked = self.model.entry(row).assignment_id if row >= 0 else None
        self.model.set_filter(wanted)
        self._filters.button(list(WorklistFilter).index(wanted)).setChecked(True)
        self._mark(marked)
        self._say_if_empty()
        self.table.setFocus()

    def open_marked(self) -> None:
        """Ask for the case that is marked; at first that is the next one to read."""
        row = self.table.currentIndex().row()
        if row >= 0:
            self.open_requested.emit(self.model.entry(row).assignment_id)

    def open_next(self) -> None:
        """Ask for the next case that is not locked."""
        row = self.table.currentIndex().row()
        marked = self.model.entry(row) if row >= 0 else None
        if marked is not None and marked.state is not ReadingState.LOCKED:
            self.open_requested.emit(marked.assignment_id)
            return
        upcoming = next_entry(self.model.entries)
        if upcoming is not None:
            self.open_requested.emit(upcoming.assignment_id)

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: the table has the keyboard as soon as the page is there."""
        super().showEvent(event)
        self.table.setFocus()

    def _lay_out(self) -> None:
        filters = QHBoxLayout()
        filters.setSpacing(SPACING // 2)
        for place, wanted in enumerate(WorklistFilter):
            button = QPushButton(wanted.value)
            button.setCheckable(True)
            button.setChecked(wanted is self.model.filter)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            light_up_when_checked(button)
            button.setToolTip("Left and right arrow change what is shown.")
            self._filters.addButton(button, place)
            filters.addWidget(button)
        head = QHBoxLayout()
        head.addWidget(self._title)
        head.addStretch()
        head.addWidget(self._next)
        below = QHBoxLayout()
        below.addLayout(filters)
        below.addStretch()
        keys = hint("Enter opens   ↑ ↓ choose   ← → filter")
        keys.setWordWrap(False)
        below.addWidget(keys)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * SPACING, 3 * SPACING, 4 * SPACING, 2 * SPACING)
        layout.setSpacing(SPACING)
        layout.addLayout(head)
        layout.addWidget(self._done)
        layout.addWidget(self._bar)
        layout.addSpacing(SPACING)
        layout.addLayout(below)
        layout.addWidget(self._empty)
        layout.addWidget(self.table, 1)

    def _mark(self, assignment_id: int | None) -> None:
        row = self.model.row_of(assignment_id) if assignment_id is not None else None
        if row is None:
            row = 0 if self.model.rowCount() else -1
        if row >= 0:
            self.table.selectRow(row)
            self.table.scrollTo(self.model.index(row, 0), QAbstractItemView.ScrollHint.PositionAtCenter)

    def _step_filter(self, step: int) -> None:
        known = list(WorklistFilter)
        self.set_filter(known[(known.index(self.model.filter) + step) % len(known)])

    def _say_if_empty(self) -> None:
        if not self.model.entries:
            self._empty.setText(
                "No case has been given to you yet. The coordinator imports radiographs and adds readers; "
                "your cases then appear here."
            )
        else:
            self._empty.setText("No case is in this state.")
        self._empty.setVisible(self.model.rowCount() == 0)
        self.table.setVisible(bool(self.model.entries))
