"""The films of the study, one after the other: is text burned in, are the millimetres right, is bone bright.

Whatever is corrected here reaches every reader, adjudicator and network with the next loading of the film.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.actions import ActionSet, Place, key_text, spec
from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.film_asking import FilmAsking
from reader_app.ui.coordinator.film_bench import FilmBench
from reader_app.ui.coordinator.film_corrections import FilmCorrections, Stored
from reader_app.ui.coordinator.film_shelf import FilmShelf
from reader_app.ui.coordinator.films_model import FilmsModel, FilmsTable
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.polarity_menu import show_polarity_menu
from reader_app.ui.coordinator.section import Section
from reader_app.ui.film.commands import FilmCommands
from reader_app.ui.labels import hint
from reader_app.ui.message_bar import MessageBar
from reader_app.ui.paged_model import PAGE
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.operations.correct_film import FilmEntry
    from reader_app.operations.pregrade import WarmWorkers
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor, StudyCounts

AHEAD = 3
"""Films that are loaded ahead."""
_UNAPPLIED = "What you drew is not applied yet: Enter applies it, Esc forgets it."
_TOOLS = ("film-checked", "box-out", "calibrate", "polarity", "film-apply")
_VIEWS = ("fit-film", "zoom-in", "zoom-out", "window-choose", "invert", "overlay-show", "measure", "reset")


class FilmsSection(Section):
    """A table of the films at the left, the marked one with its tools at the right."""

    def __init__(
        self, study: Study, actor: Actor, *, jobs: JobsPanel, writes: bool, warm: WarmWorkers | None = None
    ) -> None:
        super().__init__(study, actor, jobs=jobs, writes=writes)
        self.asking = FilmAsking(study, actor, jobs=jobs, warm=warm, parent=self)
        self.model = FilmsModel(self)
        self.table = FilmsTable(self.model)
        self.bench = FilmBench()
        self.message = MessageBar()
        self._count = hint("Reading the list of films …")
        self._total: int | None = None
        self._to_check = 0
        self.shelf = FilmShelf(study, actor, self.bench, self._near)
        self._image = FilmCommands(self.bench.films)
        self.corrections = FilmCorrections(study, actor, self)
        self.commands = ActionSet(self, Place.FILMS, self._handlers())
        self._image.follow(self.commands)
        self._lay_out()
        self.model.page_wanted.connect(self._read_page)
        self.table.selectionModel().currentRowChanged.connect(lambda new, _old: self._moved(new.row()))
        self.bench.line_changed.connect(self._propose)
        self.bench.tool_changed.connect(self._show_tool)
        self._image.said.connect(self.message.say)
        self.corrections.stored.connect(self._take_over)
        self.corrections.refused.connect(self._refused)
        self.corrections.proposed.connect(self.bench.show_proposal)
        self.corrections.doubted.connect(self.bench.show_doubt)
        self.asking.said.connect(self.message.say)
        self.asking.failed.connect(self._refused)
        self.asking.done.connect(self.changed)
        self._show_tool()

    # What the page asks ---------------------------------------------------------------------------

    @property
    def current(self) -> FilmEntry | None:
        """The film that is marked."""
        return self.bench.entry

    def first_focus(self) -> QWidget:
        """The table."""
        return self.table

    def show_counts(self, counts: StudyCounts) -> None:
        """Read the list again where films came in."""
        if self._total is not None and counts.radiographs != self._total:
            self._total = None
            if self.isVisible():
                self.refresh()

    def refresh(self) -> None:
        """Read the list from its beginning."""
        self._total = self._total if self._total is not None else -1
        self.model.start(open_only=self.commands["films-to-check"].isChecked())

    def leave(self) -> None:
        """Let go of the films; to be called before the page is thrown away."""
        self.shelf.close()

    def show_film(self, radiograph_id: int) -> None:
        """Mark a film and show it, wherever it stands in the list."""
        if self._held_back():
            return
        row = self.model.place_of(radiograph_id)
        if row is not None:
            self.table.selectRow(row)
            return

        def work(_job: Job) -> FilmEntry:
            from reader_app.operations.correct_film import film_entry

            return film_entry(self.study, self.actor, radiograph_id)

        Operation(work).success(self.shelf.show).failure(self.failed.emit).run(self)

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: the list is read when it is first looked at."""
        super().showEvent(event)
        if self._total is None:
            self.refresh()

    # The list -------------------------------------------------------------------------------------

    def _read_page(self, place: int) -> None:
        only = self.model.open_only

        def work(_job: Job) -> tuple[tuple[FilmEntry, ...], int, int]:
            from reader_app.operations import correct_film

            page = correct_film.film_list(
                self.study, self.actor, offset=place, limit=PAGE, to_check_only=only
            )
            every = correct_film.film_count(self.study, self.actor)
            return page, every, correct_film.film_count(self.study, self.actor, to_check_only=True)

        def take(read: tuple[tuple[FilmEntry, ...], int, int]) -> None:
            if only is self.model.open_only:
                page, self._total, self._to_check = read
                self.model.add_page(page)
                self._say_count()
                self._mark_first()

        Operation(work).success(take).failure(self._page_failed).run(self)

    def _say_count(self) -> None:
        self._count.setText(f"{self._to_check:,} of {self._total or 0:,} films are to be checked")

    def _page_failed(self, fault: ReaderError) -> None:
        self.model.page_failed()
        self.failed.emit(fault)

    def _mark_first(self) -> None:
        if self.table.currentIndex().isValid() and self.current is not None:
            return
        if self.model.rowCount():
            self.table.selectRow(0)
        else:
            self.bench.show_entry(None)
            self.message.say(
                "No film has to be checked." if self.model.open_only else "There are no films yet."
            )

    def _filter(self, to_check_only: bool) -> None:
        if self._held_back():
            self._show_tool()
            return
        self.bench.show_entry(None)
        self.model.start(open_only=to_check_only)

    def _move(self, step: int) -> None:
        if self._held_back():
            return
        row = self.table.currentIndex().row() + step
        if row >= self.model.rowCount() and self.model.canFetchMore():
            self.model.fetchMore()
        if 0 <= row < self.model.rowCount():
            self.table.selectRow(row)
        elif self.model.rowCount():
            self.message.say(f"This is the {'last' if step > 0 else 'first'} film of the list.")

    def _moved(self, row: int) -> None:
        entry = self.model.row(row)
        shown = self.current
        if entry is None or (shown is not None and entry.radiograph_id == shown.radiograph_id):
            return
        if shown is not None and self._held_back():
            self._stay(shown)
            return
        self.message.clear()
        self.shelf.show(entry)

    def _near(self) -> list[FilmEntry]:
        """Return the films that may be wanted next, the likeliest first."""
        row = self.table.currentIndex().row()
        near = [self.model.row(row + step) for step in (*range(1, AHEAD + 1), -1)]
        return [entry for entry in near if entry is not None]

    def _stay(self, shown: FilmEntry) -> None:
        """Keep the mark on a film that something was drawn on: it would be lost unseen."""
        row = self.model.place_of(shown.radiograph_id)
        if row is not None:
            # Later: Qt is still about to move the mark.
            QTimer.singleShot(0, self.table, partial(self.table.selectRow, row))

    def _held_back(self) -> bool:
        """Say why the film in sight cannot be left yet; False where it can."""
        if self.corrections.busy:
            self.message.say("The film is still being stored.")
        elif self.bench.pending:
            self.message.warn(_UNAPPLIED)
        return self.corrections.busy or self.bench.pending

    # Correcting -----------------------------------------------------------------------------------

    def _free(self) -> FilmEntry | None:
        """Return the marked film if nothing drawn on it would be lost; else say why not."""
        return None if self._held_back() else self.current

    def _check(self, checked: bool) -> None:
        entry = self._free()
        if entry is not None and checked and not self.shelf.looked_at:
            gone = self.bench.unreadable
            why = "the film cannot be shown" if gone else "the film had only just come into sight"
            self.message.warn(f"That key was not taken: {why}.")
        elif entry is not None:
            self.corrections.check(entry, checked=checked)

    def _apply(self) -> None:
        """Store what was drawn: millimetres by the line, or the parts to be boxed out."""
        entry, line, parts = self.current, self.bench.line, self.bench.parts
        if entry is not None and line is not None:
            self.corrections.calibrate(entry, line, marker_mm=self.bench.marker.value())
        elif entry is not None and parts is not None and parts.pending:
            self.corrections.box_out(entry, parts.parts)
        else:
            self.message.say("There is nothing to apply.")

    def _forget_calibration(self) -> None:
        entry = self._free()
        if entry is not None and entry.calibrated_marker_mm is None:
            self.message.say("This film was not calibrated by a marker.")
        elif entry is not None:
            self.corrections.forget_calibration(entry)

    def _ask_polarity(self) -> None:
        entry = self._free()
        if entry is not None:
            foot = QPoint(12, self.bench.films.height() // 3)
            show_polarity_menu(self.bench.films, foot, entry.inverse_polarity, self._set_polarity)

    def _set_polarity(self, inverse: bool | None) -> None:
        entry = self.current
        if entry is not None and inverse is not entry.inverse_polarity:
            self.corrections.set_polarity(entry, inverse)

    def _take_over(self, stored: Stored) -> None:
        after = stored.after
        self.model.put(after)
        self._to_check += bool(after.to_check) - bool(stored.before.to_check)
        said = " ".join(part for part in (stored.said, *stored.notes) if part)
        (self.message.warn if stored.notes else self.message.say)(said)
        self._say_count()
        self.table.setFocus()
        here = self.current is not None and self.current.radiograph_id == after.radiograph_id
        if here:
            self.bench.take_tool(None)
            self.bench.update_entry(after)
        if stored.pixels:
            self.shelf.renew(after)
        if here and stored.onward:
            self._move(1)

    def _refused(self, fault: ReaderError) -> None:
        self.message.fault(f"{fault.what} {fault.next_step}".strip())

    # Tools ----------------------------------------------------------------------------------------

    def _take_tool(self, take: Callable[[bool], None], wanted: bool) -> None:
        if wanted and self._free() is None:
            self._show_tool()
            return
        if wanted:
            self.message.clear()
        take(wanted)
        if not wanted:
            self.table.setFocus()

    def _remove_part(self) -> None:
        why_not = self.bench.remove_part()
        if why_not:
            self.message.warn(why_not)

    def _end_tool(self) -> None:
        self._image.end_tool()
        self.bench.take_tool(None)
        self.message.clear()
        self.table.setFocus()

    def _show_tool(self) -> None:
        """Keep the switches among the actions as the tool in hand is."""
        states = {
            "calibrate": self.bench.calibrating,
            "box-out": self.bench.parts is not None,
            "films-to-check": self.model.open_only,
        }
        for name, state in states.items():
            if name in self.commands:
                action = self.commands[name]
                action.blockSignals(True)
                action.setChecked(state)
                action.blockSignals(False)

    def _propose(self) -> None:
        """Say what a line would come to before it is stored."""
        entry, line = self.current, self.bench.line
        if entry is not None and line is not None:
            self.corrections.propose(entry, line, marker_mm=self.bench.marker.value())

    def _handlers(self) -> dict[str, Callable[..., object]]:
        looking = self._image.handlers() | {
            "film-next": partial(self._move, 1),
            "film-previous": partial(self._move, -1),
            "films-to-check": self._filter,
            "tool-end": self._end_tool,
        }
        if not self.writes:
            return looking
        return looking | {
            "pregrade-ask": lambda: self.asking.toggle(self.current),
            "film-checked": partial(self._check, True),
            "film-unchecked": partial(self._check, False),
            "box-out": partial(self._take_tool, self.bench.box_out),
            "part-remove": self._remove_part,
            "calibrate": partial(self._take_tool, self.bench.calibrate),
            "calibration-forget": self._forget_calibration,
            "polarity": self._ask_polarity,
            "film-apply": self._apply,
        }

    def _lay_out(self) -> None:
        buttons = [
            self.commands.button(name, self.bench, text=True) for name in _TOOLS if name in self.commands
        ]
        views = [self.commands.button(name, self.bench) for name in _VIEWS]
        self.bench.add_buttons(buttons, views)
        head = QHBoxLayout()
        self._count.setWordWrap(False)
        head.addWidget(self._count, 1)
        for name in ("pregrade-ask", "films-to-check"):
            if name in self.commands:
                head.addWidget(self.commands.button(name, self, text=True))
        left = QWidget()
        list_column = QVBoxLayout(left)
        list_column.setContentsMargins(0, 0, SPACING, 0)
        list_column.setSpacing(SPACING)
        list_column.addLayout(head)
        list_column.addWidget(self.table, 1)
        split = QSplitter()
        split.setChildrenCollapsible(False)
        split.addWidget(left)
        split.addWidget(self.bench)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 2)
        split.setSizes([570, 640])
        names = ("film-next", "film-checked", "box-out", "calibrate", "pregrade-ask", "keys")
        words = ("next", "checked", "box out", "calibrate", "ask the AI", "all keys")
        self.message.hint(
            "   ".join(
                f"{key_text(spec(name))} {word}"
                for name, word in zip(names, words, strict=True)
                if name in self.commands or name == "keys"
            )
        )
        self.column.setContentsMargins(0, SPACING, 0, 0)
        self.column.addWidget(split, 1)
        self.column.addWidget(self.message)
