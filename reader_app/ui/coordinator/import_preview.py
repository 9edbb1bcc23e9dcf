"""The films that are about to be imported: looked through, corrected by key, then imported."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.actions import ActionSet, Place, key_text, spec
from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.plan_bar import PlanBar
from reader_app.ui.coordinator.plan_film import PlanFilm
from reader_app.ui.coordinator.plan_model import PlanModel, PlanTable
from reader_app.ui.labels import FaultLine, counted, hint
from reader_app.ui.paged_model import PAGE
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.operations.plan_import import PlannedFilm
    from reader_app.operations.study import Study
    from reader_app.store.import_records import PlanCounts
    from reader_app.store.records import Actor

AHEAD = 2


class ImportPreview(QWidget):
    """A table of what waits to be imported, the marked film beside it, and a bar to correct the marked ones.

    Signals
    -------
    import_wanted()
        The films are to be imported.
    forget_wanted()
        The films are to be forgotten.
    said(str)
        What was done.
    failed(ReaderError)
        What could not be read.

    `words` and `incomplete` are to be laid out by the owner, above the table.
    """

    import_wanted = Signal()
    forget_wanted = Signal()
    said = Signal(str)
    failed = Signal(object)

    def __init__(self, study: Study, actor: Actor, *, writes: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._study = study
        self._actor = actor
        self._writes = writes
        self.counts: PlanCounts | None = None
        self._busy = False
        self._storing = False
        self._corrections: deque[tuple[list[int], dict[str, str | bool]]] = deque()
        self._note = ""
        self.model = PlanModel(self)
        self.table = PlanTable(self.model)
        self.picture = PlanFilm()
        self.words = hint("")
        self.fault = FaultLine()
        self.take = QPushButton("Import")
        self.commands = ActionSet(self, Place.IMPORT, self._handlers())
        self.bar = PlanBar(self.commands) if writes else None
        self.incomplete = self.commands.button("plan-incomplete", self, text=True)
        self._lay_out()
        self.model.page_wanted.connect(self._read_page)
        marks = self.table.selectionModel()
        marks.currentRowChanged.connect(lambda new, _old: self._show_row(new.row()))
        marks.selectionChanged.connect(lambda _new, _old: self._show_marked())

    @property
    def film_in_sight(self) -> bool:
        """Whether the picture of the marked film is there."""
        return self.picture.view.radiograph is not None

    def show_plan(self, counts: PlanCounts, *, folder: Path | None = None, note: str = "") -> None:
        """List what waits to be imported; what is not complete alone, where there is any.

        Parameters
        ----------
        folder
            Below which paths are written.
        note
            Stands before the counts.
        """
        if folder is not None:
            self.model.show_below(folder)
        self.fault.clear()
        self._note = note
        self._show_counts(counts)
        only = bool(counts.incomplete)
        switch = self.commands["plan-incomplete"]
        switch.blockSignals(True)
        switch.setChecked(only)
        switch.blockSignals(False)
        self.model.start(open_only=only)

    def set_busy(self, busy: bool) -> None:
        """Take no corrections while the films are imported."""
        self._busy = busy
        for action in self.commands:
            action.setEnabled(not busy)
        if self.bar is not None:
            self.bar.setEnabled(not busy)
        self._show_ready()

    def clear(self) -> None:
        """Forget what is shown."""
        self.counts = None
        self.model.clear()
        self.picture.show_film(None)

    def focus_usual(self) -> None:
        """Bring the keyboard to where it is needed: to what is open, else to the import."""
        complete = self.counts is None or not self.counts.incomplete
        (self.take if self._writes and complete else self.table).setFocus()

    def leave(self) -> None:
        """Let go of the films; to be called before the widget is thrown away."""
        self.picture.leave()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: Esc in a field goes back to the table."""
        if event.key() == Qt.Key.Key_Escape and not self.table.hasFocus():
            self.table.setFocus()
        else:
            super().keyPressEvent(event)

    # Reading --------------------------------------------------------------------------------------

    def _read_page(self, place: int) -> None:
        only = self.model.open_only

        def work(_job: Job) -> tuple[PlannedFilm, ...]:
            from reader_app.operations.plan_import import planned_films

            return planned_films(self._study, self._actor, offset=place, limit=PAGE, incomplete_only=only)

        def take(films: tuple[PlannedFilm, ...]) -> None:
            if self.counts is not None and only is self.model.open_only:
                self.model.add_page(films)
                if self.model.rowCount() and not self.table.currentIndex().isValid():
                    self.table.selectRow(0)

        Operation(work).success(take).failure(self._page_failed).run(self)

    def _page_failed(self, fault: ReaderError) -> None:
        self.model.page_failed()
        self.failed.emit(fault)

    def _filter(self, incomplete_only: bool) -> None:
        self.picture.show_film(None)
        self.model.start(open_only=incomplete_only)
        self.table.setFocus()

    def _show_row(self, row: int) -> None:
        near = [self.model.row(row + step) for step in (*range(1, AHEAD + 1), -1)]
        self.picture.show_film(self.model.row(row), near=[film.path for film in near if film is not None])

    def _marked(self) -> tuple[PlannedFilm, ...]:
        films = (self.model.row(row) for row in self.table.marked_rows())
        return tuple(film for film in films if film is not None)

    def _show_marked(self) -> None:
        if self.bar is None:
            return
        films = self._marked()
        views, visits = {film.view for film in films}, {film.visit for film in films}
        self.bar.show_marked(
            len(films),
            view=views.pop() if len(views) == 1 else "",
            visit=visits.pop() if len(visits) == 1 else "",
        )
        out = bool(films) and all(film.left_out for film in films)
        self.commands["plan-leave-out"].setText("Take in" if out else "Leave out")

    def _show_counts(self, counts: PlanCounts) -> None:
        self.counts = counts
        films = counted(counts.planned, "film")
        parts = [f"{self._note} {films}" if self._note else f"{films} to be imported"]
        if counts.incomplete:
            parts.append(f"{counts.incomplete:,} of them incomplete")
        if counts.left_out:
            parts.append(f"{counts.left_out:,} left out")
        self.words.setText(f"{', '.join(parts)}.")
        self.take.setText(f"Import {counted(counts.planned, 'film')}")
        self._show_ready()

    def _show_ready(self) -> None:
        planned, open_ones = (self.counts.planned, self.counts.incomplete) if self.counts else (0, 0)
        self.take.setEnabled(planned > 0 and not self._busy)
        switch = self.commands["plan-incomplete"]
        switch.setText(f"Only incomplete ({open_ones:,})")
        switch.setEnabled(not self._busy and (bool(open_ones) or switch.isChecked()))

    # Correcting -----------------------------------------------------------------------------------

    def correct(self, **values: str | bool) -> None:
        """Correct all marked films: `side`, `view` or `visit`, or whether they are `left_out`.

        Corrections are stored one after the other, so that none overtakes another.
        """
        ids = [film.id for film in self._marked()]
        if ids and not self._busy:
            self.fault.clear()
            self._corrections.append((ids, values))
            self._store_next()

    def _leave_out(self) -> None:
        self.correct(left_out=not all(film.left_out for film in self._marked()))

    def _store_next(self) -> None:
        if self._storing or not self._corrections:
            return
        self._storing = True
        ids, values = self._corrections.popleft()

        def work(_job: Job) -> tuple[tuple[PlannedFilm, ...], PlanCounts]:
            from reader_app.operations import plan_import

            plan_import.correct_planned(self._study, self._actor, ids, **values)  # type: ignore[arg-type]
            return (
                plan_import.planned_by_id(self._study, self._actor, ids),
                plan_import.planned_counts(self._study, self._actor),
            )

        Operation(work).success(self._take_over).failure(self.fault.say).done(self._stored).run(self)

    def _stored(self) -> None:
        self._storing = False
        self._store_next()

    def _take_over(self, changed: tuple[Sequence[PlannedFilm], PlanCounts]) -> None:
        films, counts = changed
        if self.counts is None:
            return
        for film in films:
            self.model.put(film)
        self._show_counts(counts)
        self._show_marked()
        row = self.table.currentIndex().row()
        self._show_row(row)
        # One film after the other is the usual way; several that were marked stay marked.
        settled = len(films) == 1 and films[0] == self.model.row(row)
        if settled and (films[0].left_out or not films[0].missing) and row + 1 < self.model.rowCount():
            self.table.selectRow(row + 1)

    # Out of the window ----------------------------------------------------------------------------

    def _save(self) -> None:
        dialog = QFileDialog(self, "Save the table", "import.csv")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.setNameFilters(["Tables (*.csv)", "All files (*)"])
        dialog.fileSelected.connect(lambda name: self.save_table(Path(name)))
        dialog.open()

    def save_table(self, path: Path) -> None:
        """Write all films as a CSV table, which can be corrected elsewhere and given as manifest."""

        def work(_job: Job) -> int:
            from reader_app.operations.plan_import import write_preview

            return write_preview(self._study, self._actor, path)

        def tell(films: int) -> None:
            self.said.emit(f"{counted(films, 'film')} written to {path}; the table can be given as manifest.")

        Operation(work).success(tell).failure(self.fault.say).run(self)

    # Furniture ------------------------------------------------------------------------------------

    def _handlers(self) -> dict[str, Callable[..., object]]:
        looking: dict[str, Callable[..., object]] = {"plan-incomplete": self._filter, "plan-save": self._save}
        if not self._writes:
            return looking
        return looking | {
            "plan-right": lambda: self.correct(side="R"),
            "plan-left": lambda: self.correct(side="L"),
            "plan-both": lambda: self.correct(side="B"),
            "plan-unstated": lambda: self.correct(side=""),
            "plan-view": lambda: self.bar.write_view() if self.bar else None,
            "plan-visit": lambda: self.bar.write_visit() if self.bar else None,
            "plan-leave-out": self._leave_out,
            "plan-import": self.import_wanted.emit,
            "plan-forget": self.forget_wanted.emit,
        }

    def _key_words(self) -> str:
        names = (
            "plan-right",
            "plan-left",
            "plan-both",
            "plan-view",
            "plan-visit",
            "plan-leave-out",
            "plan-import",
        )
        words = ("right", "left", "both", "view", "visit", "leave out", "import")
        return "   ".join(
            f"{key_text(spec(name))} {word}"
            for name, word in zip(names, words, strict=True)
            if name in self.commands
        )

    def _lay_out(self) -> None:
        split = QSplitter()
        split.setChildrenCollapsible(False)
        split.addWidget(self.table)
        split.addWidget(self.picture)
        self.picture.setMinimumWidth(320)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        foot = QHBoxLayout()
        if self._writes:
            self.take.setAutoDefault(True)  # Enter, not the space bar alone
            self.take.setToolTip(key_text(spec("plan-import")))
            self.take.clicked.connect(self.import_wanted)
            foot.addWidget(self.take)
        foot.addWidget(self.commands.button("plan-save", self, text=True))
        if self._writes:
            foot.addWidget(self.commands.button("plan-forget", self, text=True))
        foot.addStretch()
        keys = hint(self._key_words())
        keys.setWordWrap(False)
        foot.addWidget(keys)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING)
        column.addWidget(split, 1)
        if self.bar is not None:
            self.bar.view_given.connect(lambda view: self.correct(view=view))
            self.bar.visit_given.connect(lambda visit: self.correct(visit=visit))
            self.bar.done.connect(self.table.setFocus)
            column.addWidget(self.bar)
        column.addWidget(self.fault)
        column.addLayout(foot)
