"""Settling what the readers disagree on: one key gives the third grade and goes on to the next."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from reader_app.ui.actions import ActionSet, Place
from reader_app.ui.adjudication.films import LoadedCase, case_loader, show_case
from reader_app.ui.adjudication.panel import AdjudicationPanel
from reader_app.ui.adjudication.queue import QueueModel, view_name
from reader_app.ui.adjudication.queue_column import QueueColumn
from reader_app.ui.adjudication.settling import Settler
from reader_app.ui.adjudication.sights import CaseSights
from reader_app.ui.adjudication.wanted import STATE_KEYS, QueueFilter, Wanted
from reader_app.ui.background import Job, Operation
from reader_app.ui.film.commands import FilmCommands
from reader_app.ui.film.row import FilmRow

if TYPE_CHECKING:
    from reader_app.operations.study import Study
    from reader_app.reading.case import Case
    from reader_app.store.records import Actor, Disagreement

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
        self._blind = study.design.adjudication.third_blind
        self._queue_read = False
        self._arrival = QTimer(self, singleShot=True, interval=settle_milliseconds)
        self._in_sight = False
        self.model = QueueModel(study.protocol, self)
        self.column = QueueColumn(study.protocol, self.model, blind=self._blind)
        self.table = self.column.table
        self.bar = self.column.bar
        self.films = FilmRow()
        self.image = FilmCommands(self.films, file_name=lambda: view_name(self._current))
        self.image.said.connect(lambda text: self.said.emit(text, ""))
        self.image.failed.connect(self.failed)
        self.panel = AdjudicationPanel(study.protocol, study.design)
        self.settler = Settler(study, actor, self)
        self.sights = CaseSights(study, actor, self.films, self)
        self._lay_out()
        self._make_actions()
        self._show_nothing()
        self.table.selectionModel().currentRowChanged.connect(lambda index, _old: self._show_row(index.row()))
        self._arrival.timeout.connect(self._look_ahead)
        self._connect()

    def _connect(self) -> None:
        self.bar.changed.connect(self._show_wanted)
        self.bar.left.connect(self.table.setFocus)
        self.panel.graded.connect(self.grade)
        self.panel.rationale.finished.connect(self._written)
        self.films.box_moved.connect(lambda _joint, _box: self.sights.draw())
        self.sights.said.connect(self.panel.sights.setText)
        self.sights.pregrade_changed.connect(self.panel.show_pregrade)
        self.settler.stored.connect(self._take_over)
        self.settler.refused.connect(self.panel.fault.say)
        self.settler.said.connect(self.said)
        self.settler.moved.connect(self.column.count.setText)
        self.settler.session_changed.connect(self._session_changed)
        self.settler.finished.connect(self.table.setFocus)

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
        return self.settler.storing

    # The queue ----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the queue again."""

        def work(_job: Job) -> tuple[Disagreement, ...]:
            from reader_app.operations import adjudicate

            return adjudicate.queue(self._study, self._actor)

        Operation(work).success(self._show_queue).failure(self.failed.emit).run(self)

    def set_filter(self, state: QueueFilter) -> None:
        """Show only a state of the queue; what is in front stays in front where it is still shown."""
        self.bar.set_state(state)

    def _show_wanted(self, wanted: Wanted) -> None:
        kept = self._current
        self.model.set_wanted(wanted)
        self._say_count()
        # The keyboard stays in a field that is being typed into.
        self._choose(kept, focus=not self.bar.case.hasFocus())

    def leave(self) -> None:
        """Let go of the films, send the session's readers away; to be called before the page goes."""
        self.settler.end_session()
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

    def _choose(self, kept: Disagreement | None, *, focus: bool = True) -> None:
        row = self.model.row_of(kept) if kept is not None else None
        if row is None:
            row = 0
        if self.model.rowCount():
            self.table.selectRow(row)
            self._show_row(row)
        else:
            self._show_nothing()
        if focus:
            self.table.setFocus()

    def _move(self, step: int) -> None:
        row = self.table.currentIndex().row() + step
        there = self.model.disagreement(row)
        if there is not None and self.model.row_of(there) is not None:
            self.table.selectRow(row)

    def _move_case(self, step: int) -> None:
        row = self.model.other_case(self.table.currentIndex().row(), step)
        if row is not None:
            self.table.selectRow(row)

    def _say_count(self) -> None:
        self.column.say_count(names=self.settler.session.names)

    # One disagreement ---------------------------------------------------------------------------

    def _show_row(self, row: int) -> None:
        disagreement = self.model.disagreement(row)
        if disagreement is None:
            return
        self._current = disagreement
        self._pending = None
        self._in_sight = False
        self.panel.show_disagreement(
            disagreement,
            needs_rationale=self._needs_rationale(disagreement),
            session=self.settler.session,
        )
        loaded = self._loaded
        if loaded is not None and loaded.case.id == disagreement.case_id:
            self._show_case(loaded)
            return
        self._loaded = None
        self.sights.clear()
        case_id = disagreement.case_id
        ready = self._cases.kept(case_id)
        if ready is not None:
            self._show_case(ready)
            return
        for view in self.films.each():
            view.show_sentence("Loading the film …")
            view.show_marks(())
            view.kept.show(())
            view.show_heat(None, opacity=0.0)

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
        self.sights.show(loaded, self._current)
        self._in_sight = loaded.case.film_of(joint_id).radiograph_id in loaded.films
        self._arrival.start()

    def _look_ahead(self) -> None:
        self._cases.prefetch(self.model.neighbours(self.table.currentIndex().row()))

    def _show_nothing(self) -> None:
        self._current = None
        self._loaded = None
        self.films.show_films(())
        self.sights.clear()
        self.panel.show_nothing(self.model.nothing_words if self._queue_read else "Reading the queue …")

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
        return self._in_sight and not self.storing and not self._arrival.isActive()

    def grade(self, code: int) -> None:
        """Settle the disagreement in front with this grade, or ask for the rationale that it needs."""
        disagreement = self._current
        if disagreement is None or not self.ready:
            if self._loaded is not None and not self._in_sight and not self.storing:
                self.panel.fault.say("The film cannot be shown, so nothing can be settled on it.")
            return
        if disagreement.settled is not None and not disagreement.settled.adjudicator:
            self.panel.fault.say("Another adjudicator settled this; only they can change it.")
            return
        together = disagreement.together and not disagreement.third_may_change
        if together and disagreement.case_id not in self.settler.session.cases:
            self.panel.fault.say(
                "This grade is settled in a consensus session: press Ctrl+K and let the readers log in."
            )
            return
        if self._needs_rationale(disagreement) and not self._written_anew(disagreement):
            self._pending = code
            level = self._study.protocol.item_scale(disagreement.item).level(code)
            self.panel.show_pending(level.label)
            return
        self.settler.store(disagreement, code, self.panel.text)

    def _settle_pending(self) -> None:
        if self._pending is not None:
            self.grade(self._pending)
        elif self._current is not None and not self.settler.takes(self._current):
            self._go_on()

    def _written(self) -> None:
        self.table.setFocus()
        if self._current is not None and self._written_anew(self._current):
            self._settle_pending()
        else:
            self._give_up_pending()

    def _give_up_pending(self) -> None:
        """Nothing was written: the grade that waited for it is given up."""
        if self._pending is not None:
            self._pending = None
            self.panel.fault.clear()

    def _needs_rationale(self, disagreement: Disagreement) -> bool:
        # Who has seen the readers' grades after an own blind one, and changes it, says why.
        seen = self._blind and disagreement.settled is not None
        in_session = disagreement.together and disagreement.case_id in self.settler.session.cases
        return in_session or seen

    def _written_anew(self, disagreement: Disagreement) -> bool:
        """Whether there is a rationale, and not only the one of before the change."""
        settled = disagreement.settled
        before = settled.rationale if settled is not None and settled.code is not None else ""
        return bool(self.panel.text) and self.panel.text != before

    def _take_over(self, changed: tuple[Disagreement, ...]) -> None:
        for after in changed:
            self.model.put(after)
        self._say_count()
        self.sights.forget_marks()
        if self._current is None:
            return
        here = next((after for after in changed if after.at == self._current.at), None)
        if here is None:
            return
        self._current = here
        # What the readers gave is to be seen before the next one comes.
        if here.needs_consensus or self._blind:
            self._show_row(self._row())
        else:
            self._go_on()
        self.table.setFocus()

    def _go_on(self) -> None:
        """Go to the next one that can be settled now; stay where there is none."""
        row = self._row()
        following = self.model.next_row(row, takes=self.settler.takes)
        if following is None or following == row:
            self._show_row(max(row, 0))
        else:
            self.table.selectRow(following)

    def _row(self) -> int:
        return self.table.currentIndex().row()

    def _session_changed(self) -> None:
        self._say_count()
        if self.settler.session.cases:
            self.set_filter(QueueFilter.CONSENSUS)
            row = self.model.next_row(-1, takes=self.settler.takes)
            if row is not None:
                self.table.selectRow(row)
        if self._current is not None:
            self._show_row(self._row())

    # Furniture ----------------------------------------------------------------------------------

    def _make_actions(self) -> None:
        self._actions = ActionSet(
            self,
            Place.ADJUDICATION,
            self.image.handlers()
            | self.sights.handlers()
            | {key: partial(self.set_filter, state) for state, key in STATE_KEYS.items()}
            | {
                "item-next": lambda: self._move(1),
                "item-previous": lambda: self._move(-1),
                "case-next": lambda: self._move_case(1),
                "case-previous": lambda: self._move_case(-1),
                "settle": self._settle_pending,
                "rationale": self.panel.rationale.setFocus,
                "leave": self._leave,
                "queue-feature": self.bar.next_feature,
                "queue-gravity": self.bar.next_gravity,
                "queue-case": self.bar.to_case,
                "consensus-session": lambda: self.settler.open_session(self.model.disagreements),
                "settle-small": lambda: self.settler.open_batch(self.model.disagreements),
                "fit-joint": self._fit_joint,
                "refresh": self.refresh,
            },
        )
        for shown in ("box-show", "pregrade-show"):
            self._actions[shown].setChecked(True)
        self.image.follow(self._actions)

    def _leave(self) -> None:
        """Put the ruler away, and the grade that waits for words; the keyboard goes back to the queue."""
        self.image.end_tool()
        self._give_up_pending()
        self.table.setFocus()

    def _fit_joint(self) -> None:
        view = self.films.current()
        if view is not None and self._loaded is not None and self._current is not None:
            view.fit_box(self._loaded.case.joint(self._current.joint_id).box)

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.column)
        layout.addWidget(self.films, 1)
        layout.addWidget(self.panel)
