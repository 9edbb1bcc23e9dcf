"""Settling what the readers disagree on: one key gives the third grade and goes on to the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from reader_app.protocols.model import Resolution
from reader_app.ui.actions import ActionSet, Place
from reader_app.ui.adjudication.films import LoadedCase, case_loader, marks_of, show_case
from reader_app.ui.adjudication.panel import AdjudicationPanel
from reader_app.ui.adjudication.queue import QueueFilter, QueueModel, QueueTable, same
from reader_app.ui.background import Job, Operation
from reader_app.ui.film.commands import FilmCommands
from reader_app.ui.film.row import FilmRow
from reader_app.ui.labels import heading, hint, light_up_when_checked
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.operations.adjudicate import Disagreement
    from reader_app.operations.study import Study
    from reader_app.reading.adjudication import Verdict
    from reader_app.reading.case import Case
    from reader_app.store.records import Actor

QUEUE_WIDTH = 410
SETTLE_MILLISECONDS = 150
"""A grade that comes sooner after a film came into sight was meant for the one before."""


class AdjudicationPage(QWidget):
    """The queue, the film with the joint's box, and the grades under letters.

    A grade is stored before it is shown as given. While it is being stored, and until the film of the
    next one is in sight, the page takes no other grade, so a key that is pressed twice cannot settle two
    disagreements.

    Parameters
    ----------
    settle_milliseconds
        For how long a film that comes into sight takes no grade.

    Attributes
    ----------
    failed, said
        A `ReaderError`, or what was done and what can follow, to be shown by the window.
    """

    failed = Signal(object)
    said = Signal(str, str)

    def __init__(self, study: Study, actor: Actor, *, settle_milliseconds: int = SETTLE_MILLISECONDS) -> None:
        super().__init__()
        self._study = study
        self._actor = actor
        self._cases = case_loader(study, actor)
        self._loaded: LoadedCase | None = None
        self._current: Disagreement | None = None
        self._pending: int | None = None
        self._storing = False
        self._queue_read = False
        self._arrival = QTimer(self, singleShot=True, interval=settle_milliseconds)
        self._in_sight = False
        self.model = QueueModel(study.protocol, self)
        self.table = QueueTable(self.model, self)
        self.films = FilmRow()
        self.image = FilmCommands(self.films, file_name=self._file_name)
        self.image.said.connect(lambda text: self.said.emit(text, ""))
        self.image.failed.connect(self.failed)
        self.panel = AdjudicationPanel(study.protocol)
        self._count = hint()
        self._filters = QButtonGroup(self)
        self._lay_out()
        self._make_actions()
        self._show_nothing()
        self.table.selectionModel().currentRowChanged.connect(lambda index, _old: self._show_row(index.row()))
        self._arrival.timeout.connect(self._look_ahead)
        self._filters.idClicked.connect(lambda place: self.set_filter(list(QueueFilter)[place]))
        self.panel.graded.connect(self.grade)
        self.panel.rationale.finished.connect(self._written)
        self.films.box_moved.connect(lambda _joint, _box: self._put_boxes_back())

    @property
    def current(self) -> Disagreement | None:
        """What is in front."""
        return self._current

    @property
    def case(self) -> Case | None:
        """The case whose films are in sight; None while they are being read."""
        return self._loaded.case if self._loaded is not None else None

    @property
    def storing(self) -> bool:
        """Whether a grade is being stored."""
        return self._storing

    # The queue ----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the queue again."""

        def work(_job: Job) -> tuple[Disagreement, ...]:
            from reader_app.operations import adjudicate

            return adjudicate.queue(self._study, self._actor)

        Operation(work).success(self._show_queue).failure(self.failed.emit).run(self)

    def set_filter(self, wanted: QueueFilter) -> None:
        """Show only some of the queue; what is in front stays in front where it is still shown."""
        kept = self._current
        self.model.set_filter(wanted)
        self._filters.button(list(QueueFilter).index(wanted)).setChecked(True)
        self._choose(kept)

    def leave(self) -> None:
        """Let go of the films; to be called before the page is thrown away."""
        Operation(lambda _job: self._cases.close()).run(self.window())

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: a fresh queue whenever the page comes back."""
        super().showEvent(event)
        self.table.setFocus()
        self.refresh()

    def _show_queue(self, queue: tuple[Disagreement, ...]) -> None:
        kept = self._current
        self._queue_read = True
        self.model.set_queue(queue)
        self._say_count()
        self._choose(kept)

    def _choose(self, kept: Disagreement | None) -> None:
        row = self.model.row_of(kept) if kept is not None else None
        if row is None:
            row = 0
        if self.model.rowCount():
            self.table.selectRow(row)
            self._show_row(row)
        else:
            self._show_nothing()
        self.table.setFocus()

    def _move(self, step: int) -> None:
        row = self.table.currentIndex().row() + step
        if 0 <= row < self.model.rowCount():
            self.table.selectRow(row)

    def _move_case(self, step: int) -> None:
        row = self.model.other_case(self.table.currentIndex().row(), step)
        if row is not None:
            self.table.selectRow(row)

    def _say_count(self) -> None:
        every = self.model.disagreements
        still_open = sum(one.open for one in every)
        consensus = sum(one.needs_consensus for one in every)
        words = f"{still_open:,} of {len(every):,} disagreements are open"
        self._count.setText(f"{words}, {consensus:,} need a consensus session" if consensus else words)

    # One disagreement ---------------------------------------------------------------------------

    def _show_row(self, row: int) -> None:
        disagreement = self.model.disagreement(row)
        if disagreement is None:
            return
        self._current = disagreement
        self._pending = None
        self._in_sight = False
        self.panel.show_disagreement(disagreement, needs_rationale=self._needs_rationale(disagreement))
        loaded = self._loaded
        if loaded is not None and loaded.case.id == disagreement.case_id:
            self._show_case(loaded)
            return
        self._loaded = None
        case_id = disagreement.case_id
        ready = self._cases.kept(case_id)
        if ready is not None:
            self._show_case(ready)
            return
        for view in self.films.each():
            view.show_sentence("Loading the film …")
            view.show_marks(())

        Operation(lambda _job: self._cases.get(case_id)).success(self._show_case).failure(
            self.failed.emit
        ).run(self)

    def _show_case(self, loaded: LoadedCase) -> None:
        # The person may have gone on while the film was read.
        if self._current is None or loaded.case.id != self._current.case_id:
            return
        self._loaded = loaded
        joint_id = self._current.joint_id
        show_case(self.films, loaded, joint_id)
        self._in_sight = loaded.case.film_of(joint_id).radiograph_id in loaded.films
        self._arrival.start()

    def _look_ahead(self) -> None:
        self._cases.prefetch(self.model.neighbours(self.table.currentIndex().row()))

    def _show_nothing(self) -> None:
        self._current = None
        self._loaded = None
        self.films.show_films(())
        if not self._queue_read:
            sentence = "Reading the queue …"
        elif not self.model.disagreements:
            sentence = "Nothing to settle yet: cases come here once all their readers have locked them."
        elif self.model.filter is QueueFilter.OPEN:
            sentence = "Everything is settled."
        else:
            sentence = "Nothing is settled yet."
        self.panel.show_nothing(sentence)

    def _put_boxes_back(self) -> None:
        if self._loaded is None or self._current is None:
            return
        for film in self._loaded.case.films:
            self.films.view(film.radiograph_id).show_marks(marks_of(film, self._current.joint_id))

    # Settling -----------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: a grade's key settles; everything else goes its usual way."""
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if self._current is not None and plain and not event.isAutoRepeat():
            code = self._study.protocol.item_scale(self._current.item).code_for_key(event.text())
            if code is not None:
                self.grade(code)
                return
        super().keyPressEvent(event)

    @property
    def ready(self) -> bool:
        """Whether the disagreement in front takes a grade: film in sight, nothing being stored."""
        return self._in_sight and not self._storing and not self._arrival.isActive()

    def grade(self, code: int) -> None:
        """Settle the disagreement in front with this grade, or ask for the rationale that it needs."""
        disagreement = self._current
        if disagreement is None or not self.ready:
            if self._loaded is not None and not self._in_sight and not self._storing:
                self.panel.fault.say("The film cannot be shown, so nothing can be settled on it.")
            return
        if disagreement.settled is not None and not disagreement.settled.adjudicator:
            self.panel.fault.say("Another adjudicator settled this; only they can change it.")
            return
        if self._needs_rationale(disagreement) and not self.panel.text:
            self._pending = code
            level = self._study.protocol.item_scale(disagreement.item).level(code)
            self.panel.show_pending(level.label)
            return
        self._store(disagreement, code)

    def _settle_pending(self) -> None:
        if self._pending is not None:
            self.grade(self._pending)

    def _written(self) -> None:
        self.table.setFocus()
        if self.panel.text:
            self._settle_pending()

    def _needs_rationale(self, disagreement: Disagreement) -> bool:
        rule = self._study.protocol.rule_for(disagreement.item.feature_id)
        live = rule is not None and rule.resolution is Resolution.LIVE_CONSENSUS
        return live or disagreement.needs_consensus

    def _store(self, disagreement: Disagreement, code: int) -> None:
        self._storing = True
        rationale = self.panel.text

        def work(_job: Job) -> Verdict:
            from reader_app.operations.adjudicate import settle_disagreement

            return settle_disagreement(self._study, self._actor, disagreement, code=code, rationale=rationale)

        def take_over(verdict: Verdict) -> None:
            self._take_over(disagreement, code, rationale, verdict)

        Operation(work).success(take_over).failure(self.panel.fault.say).done(self._stored).run(self)

    def _stored(self) -> None:
        self._storing = False

    def _take_over(self, before: Disagreement, code: int, rationale: str, verdict: Verdict) -> None:
        from reader_app.store.records import Settled

        settled = Settled(
            case_id=before.case_id,
            joint_id=before.joint_id,
            item=before.item,
            code=verdict.code,
            third_code=code,
            method=verdict.method,
            adjudicator=self._actor.name,
            rationale=rationale,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        after = replace(before, settled=settled)
        self.model.put(after)
        self._say_count()
        row = self.model.row_of(after)
        moved_on = self._current is None or not same(self._current, before)
        following = self.model.next_open(row) if row is not None and not after.needs_consensus else None
        if moved_on:
            return
        if following is None or following == row:
            self._show_row(row if row is not None else 0)
        else:
            self.table.selectRow(following)
        self.table.setFocus()

    # Furniture ----------------------------------------------------------------------------------

    def _make_actions(self) -> None:
        self._actions = ActionSet(
            self,
            Place.ADJUDICATION,
            self.image.handlers()
            | {
                "item-next": lambda: self._move(1),
                "item-previous": lambda: self._move(-1),
                "case-next": lambda: self._move_case(1),
                "case-previous": lambda: self._move_case(-1),
                "settle": self._settle_pending,
                "rationale": self.panel.rationale.setFocus,
                "leave": self._leave,
                "box-show": self._show_boxes,
                "fit-joint": self._fit_joint,
                "refresh": self.refresh,
            },
        )
        self._actions["box-show"].setChecked(True)
        self.image.follow(self._actions)

    def _show_boxes(self, shown: bool) -> None:
        for view in self.films.each():
            view.show_boxes(shown)

    def _leave(self) -> None:
        """Put the ruler away; the keyboard goes back to the queue."""
        self.image.end_tool()
        self.table.setFocus()

    def _file_name(self) -> str:
        return f"{self._current.title} view" if self._current is not None else "view"

    def _fit_joint(self) -> None:
        view = self.films.current()
        if view is not None and self._loaded is not None and self._current is not None:
            view.fit_box(self._loaded.case.joint(self._current.joint_id).box)

    def _lay_out(self) -> None:
        filters = QHBoxLayout()
        filters.setSpacing(SPACING // 2)
        for place, wanted in enumerate(QueueFilter):
            button = QPushButton(wanted.value)
            button.setCheckable(True)
            button.setChecked(wanted is self.model.filter)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            light_up_when_checked(button)
            self._filters.addButton(button, place)
            filters.addWidget(button)
        left = QWidget()
        left.setFixedWidth(QUEUE_WIDTH)
        column = QVBoxLayout(left)
        column.setContentsMargins(2 * SPACING, SPACING, SPACING, SPACING)
        column.setSpacing(SPACING)
        column.addWidget(heading("Disagreements", factor=1.3))
        column.addWidget(self._count)
        column.addLayout(filters)
        column.addWidget(self.table, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(left)
        layout.addWidget(self.films, 1)
        layout.addWidget(self.panel)
