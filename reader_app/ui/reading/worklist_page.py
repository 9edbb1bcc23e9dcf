"""The reader's worklist: which cases there are, how far each is, and where to go on."""

from __future__ import annotations

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

from reader_app.reading.worklist import (
    Progress,
    ReadingState,
    Upcoming,
    WorklistEntry,
    WorklistView,
    moment_words,
)
from reader_app.ui.labels import heading, hint, light_up_when_checked
from reader_app.ui.reading.worklist_model import BLOCK, WorklistFilter, WorklistModel
from reader_app.ui.rows_table import set_up_rows
from reader_app.ui.theme import SPACING, Colour, colour_text


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
        entry = self._cases.entry(row)
        if entry is not None:
            self.chosen.emit(entry.assignment_id)


class WorklistPage(QWidget):
    """Shows a worklist and asks for a case to be opened; it reads and writes nothing itself.

    Signals
    -------
    open_requested(int)
        The reader wants this assignment opened.
    view_wanted()
        Another filter is chosen: the list is to be read for it.
    page_wanted(int)
        The page of the list that begins with this row is wanted.
    """

    open_requested = Signal(int)
    view_wanted = Signal()
    page_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = WorklistModel(self)
        self.table = _CaseTable(self.model, self)
        self.filter = WorklistFilter.ALL
        self._upcoming = Upcoming()
        self._title = heading("Your worklist")
        self._done = hint("Reading the worklist …")
        self._rest = hint()
        colour_text(self._rest, Colour.WARNING)
        self._rest.hide()
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(SPACING)
        self._empty = hint()
        self.checks = QPushButton()
        self.checks.setToolTip("Films that another reader could not grade: confirm or reject (Q).")
        self.checks.setVisible(False)
        self._next = QPushButton("Open the next case")
        self._next.setEnabled(False)
        self._next.setToolTip("Enter opens the case that is marked; at first that is the next one to read.")
        self._filters = QButtonGroup(self)
        self._lay_out()
        self.model.page_wanted.connect(self.page_wanted)
        self.table.chosen.connect(self.open_requested)
        self.table.filter_step.connect(self._step_filter)
        self._next.clicked.connect(self.open_next)
        self._filters.idClicked.connect(lambda place: self.set_filter(list(WorklistFilter)[place]))

    @property
    def progress(self) -> str:
        """How much is done, in words."""
        return self._done.text()

    @property
    def rest(self) -> str:
        """That nothing can be opened now, and until when; empty while something can."""
        return "" if self._rest.isHidden() else self._rest.text()

    @property
    def sentence(self) -> str:
        """Why the table is empty; empty while it is not."""
        return "" if self._empty.isHidden() else self._empty.text()

    @property
    def marked(self) -> WorklistEntry | None:
        """The case that is marked, None where there is none."""
        return self.model.entry(self.table.currentIndex().row())

    def show_view(self, view: WorklistView) -> None:
        """Show a worklist as it was just read, and mark the next case to read."""
        self._upcoming = view.upcoming
        self.model.show_view(view)
        self.table.setColumnHidden(BLOCK, not view.progress.blocks)
        self._show_progress(view.progress)
        self._show_upcoming(view.upcoming, view.progress)
        self._mark(view.marked)
        self._say_if_empty(view)

    def set_filter(self, wanted: WorklistFilter) -> None:
        """Show only some of the cases, as soon as they are read."""
        self.filter = wanted
        self._filters.button(list(WorklistFilter).index(wanted)).setChecked(True)
        self.table.setFocus()
        self.view_wanted.emit()

    def open_marked(self) -> None:
        """Ask for the case that is marked; at first that is the next one to read."""
        marked = self.marked
        if marked is not None:
            self.open_requested.emit(marked.assignment_id)

    def open_next(self) -> None:
        """Ask for the case that is marked where it can be read, else for the next one that can."""
        marked = self.marked
        if marked is None or marked.state is ReadingState.LOCKED or marked.shut:
            marked = self._upcoming.entry
        if marked is not None:
            self.open_requested.emit(marked.assignment_id)

    def _show_progress(self, progress: Progress) -> None:
        self._bar.setRange(0, max(progress.total, 1))
        self._bar.setValue(progress.locked)
        self._bar.setAccessibleName(f"{progress.locked} of {progress.total} cases locked")
        self._done.setVisible(progress.total > 0)
        self._bar.setVisible(progress.total > 0)
        self._done.setText(
            f"{progress.locked:,} of {progress.total:,} cases locked ({progress.share:.0%})"
            f"  ·  {progress.open:,} started  ·  {progress.waiting:,} not started"
        )

    def _show_upcoming(self, upcoming: Upcoming, progress: Progress) -> None:
        entry, at = upcoming.entry, upcoming.opens_at
        resting = entry is None and progress.locked < progress.total
        self._next.setEnabled(entry is not None)
        self._rest.setVisible(resting)
        if entry is not None:
            block = f", block {entry.block} of {progress.blocks}" if entry.block else ""
            self._next.setText(f"Open {entry.title}{block}")
        elif not resting:
            self._next.setText("All cases are locked" if progress.total else "No cases yet")
        else:
            self._next.setText("Nothing to open now")
            when = f"The next one opens {moment_words(at)}." if at is not None else ""
            self._rest.setText(f"No case can be opened now. {when}".strip())

    def show_checks(self, number: int) -> None:
        """Say how many films of other readers wait to be looked at; nothing where none does."""
        self.checks.setText(f"Quality checks ({number:,})")
        self.checks.setVisible(number > 0)

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
            button.setChecked(wanted is self.filter)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            light_up_when_checked(button)
            button.setToolTip("Left and right arrow change what is shown.")
            self._filters.addButton(button, place)
            filters.addWidget(button)
        head = QHBoxLayout()
        head.addWidget(self._title)
        head.addStretch()
        head.addWidget(self.checks)
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
        layout.addWidget(self._rest)
        layout.addSpacing(SPACING)
        layout.addLayout(below)
        layout.addWidget(self._empty)
        layout.addWidget(self.table, 1)

    def _mark(self, row: int) -> None:
        if 0 <= row < self.model.rowCount():
            self.table.selectRow(row)
            self.table.scrollTo(self.model.index(row, 0), QAbstractItemView.ScrollHint.PositionAtCenter)

    def _step_filter(self, step: int) -> None:
        known = list(WorklistFilter)
        self.set_filter(known[(known.index(self.filter) + step) % len(known)])

    def _say_if_empty(self, view: WorklistView) -> None:
        if not view.progress.total:
            self._empty.setText(
                "No case has been given to you yet. The coordinator imports radiographs and adds readers; "
                "your cases then appear here."
            )
        else:
            self._empty.setText("No case is in this state.")
        self._empty.setVisible(view.listed == 0)
        self.table.setVisible(view.progress.total > 0)
