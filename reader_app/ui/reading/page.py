"""The reading screen: films, grades, pre-grades. It shows what has been stored, nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from reader_app.errors import ReaderError
from reader_app.imaging.geometry import Box
from reader_app.operations.read import OpenCase
from reader_app.reading.case import CaseFilm, GradeKey
from reader_app.ui.actions import ActionSet, Place
from reader_app.ui.display.screen_facts import screen_facts
from reader_app.ui.film.commands import FilmCommands
from reader_app.ui.film.row import FilmRow
from reader_app.ui.grades.panel import GradePanel
from reader_app.ui.message_bar import MessageBar
from reader_app.ui.reading.amending import CaseAmendments
from reader_app.ui.reading.asking import CaseAsking
from reader_app.ui.reading.bar import ReadingBar, key_hints, place_words, show_message, view_name
from reader_app.ui.reading.clock import ActiveClock
from reader_app.ui.reading.course import SETTLE_MILLISECONDS, Message, fault_message
from reader_app.ui.reading.cursor import ReadingCursor
from reader_app.ui.reading.desk import ReadingDesk
from reader_app.ui.reading.excluding import ask_exclusion
from reader_app.ui.reading.feedback import FeedbackPanel
from reader_app.ui.reading.films import CaseFilms, FilmState
from reader_app.ui.reading.flow import ReadingFlow
from reader_app.ui.reading.lengths import CaseLengths
from reader_app.ui.reading.overlays import OPACITY_STEP, CaseOverlays, Switches
from reader_app.ui.reading.panel_content import panel_content
from reader_app.ui.reading.reveal_strip import RevealStrip
from reader_app.ui.reading.signing import ask_password

AHEAD = 3  # cases whose films are loaded ahead
_WIDE, _TALL = 1500, 850  # size of the page from which on the panel spreads


class ReadingPage(QWidget):
    """Reads the cases of one reader's worklist.

    Parameters
    ----------
    desk
        The verbs it calls; `StudyDesk` upon a study.
    clock
        Counts active reading time.
    settle_milliseconds
        For how long a case that comes into sight takes no grade.

    Signals
    -------
    left()
        The reader wants to go back to the worklist.
    finished()
        Every case is locked.
    rested(Upcoming)
        None of those that are left can be opened now.
    became_ready()
        The case in sight takes grades from now on.
    locked(int)
        The case at this place of the worklist was signed.
    """

    left = Signal()
    finished = Signal()
    rested = Signal(object)
    became_ready = Signal()
    locked = Signal(int)

    def __init__(
        self,
        desk: ReadingDesk,
        *,
        clock: ActiveClock | None = None,
        settle_milliseconds: int = SETTLE_MILLISECONDS,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._desk = desk
        self.switches = Switches()
        self.films = FilmRow()
        self.panel = GradePanel()
        self.feedback = FeedbackPanel(self.panel)
        self.message = MessageBar()
        self.strip = RevealStrip()
        self._loader = CaseFilms(desk, self.films)
        self._overlays = CaseOverlays(self.films, desk.heatmap)
        self.flow = ReadingFlow(
            desk,
            film_state=self._loader.state,
            pregrade_shown=self._pregrade_in_sight,
            clock=clock or ActiveClock(),
            screen=partial(screen_facts, self),
            settle_milliseconds=settle_milliseconds,
            parent=self,
        )
        self.lengths = CaseLengths(self.films, self.flow)
        self.amendments = CaseAmendments(self, self.flow, desk.amender)
        self.asking = CaseAsking(desk, self)
        self.image = FilmCommands(self.films, file_name=lambda: view_name(self.flow.case))
        self.commands = ActionSet(self, Place.READING, self._handlers())
        self.image.follow(self.commands)
        self._bar = ReadingBar(self.commands)
        self._build()
        self._connect()

    def _build(self) -> None:
        buttons = ("exclude", "amend", "lock-next")
        footer = [self.commands.button(name, self.panel, text=True) for name in buttons]
        self._exclude, self._amend, _ = footer  # one of the two is shown: there is room for one
        self.panel.add_footer(footer)
        self.panel.pregrades.add_button(self.commands.button("pregrade-ask", self.panel, text=True))
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.films, 1)
        middle.addWidget(self.panel)
        middle.addWidget(self.feedback)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._bar)
        column.addWidget(self.strip)
        column.addLayout(middle, 1)
        column.addWidget(self.message)
        for name, on in self.switches.of_actions().items():
            self.commands[name].setChecked(on)
        self.message.hint(key_hints(("joint-next", "joint"), ("lock-next", "lock"), ("keys", "all keys")))

    def _connect(self) -> None:
        flow, panel, films = self.flow, self.panel, self.films
        panel.graded.connect(flow.grade)
        panel.chosen.connect(lambda key: flow.move(lambda cursor: cursor.go_to(key)))
        panel.film_chosen.connect(self._choose_film)
        films.film_chosen.connect(self._choose_film)
        films.joint_chosen.connect(lambda joint_id: flow.move(lambda cursor: cursor.choose_joint(joint_id)))
        films.box_moved.connect(self._move_box)
        films.touched.connect(flow.clock.touch)
        self.image.said.connect(lambda text: self._say(Message(text)))
        self.image.failed.connect(lambda fault: self._say(fault_message(fault)))
        self._loader.settled.connect(self._film_settled)
        self.feedback.follow(flow)
        self.asking.changed.connect(self._refresh)
        self.asking.answered.connect(flow.take_pregrades)
        self.asking.said.connect(self._say)
        flow.opened.connect(self._show_case)
        flow.changed.connect(self._refresh)
        flow.said.connect(self._say)
        flow.became_ready.connect(self._look_ahead)
        flow.became_ready.connect(self.became_ready)
        flow.sign_asked.connect(partial(ask_password, self, flow, self._desk.signer))
        flow.locked.connect(self.locked)
        flow.finished.connect(self.finished)
        flow.rested.connect(self.rested)

    def _handlers(self) -> dict[str, Callable[..., object]]:
        flow = self.flow

        def moving(how: Callable[[ReadingCursor], None]) -> Callable[[], None]:
            return lambda: flow.move(how)

        return self.image.handlers() | {
            **self.lengths.handlers(),
            "item-next": moving(lambda cursor: cursor.move(1)),
            "item-previous": moving(lambda cursor: cursor.move(-1)),
            "across-right": moving(lambda cursor: cursor.move_across(1)),
            "across-left": moving(lambda cursor: cursor.move_across(-1)),
            "joint-next": moving(lambda cursor: cursor.move_joint(1)),
            "joint-previous": moving(lambda cursor: cursor.move_joint(-1)),
            **flow.handlers(),
            "lock-next": self.feedback.go_on,
            "exclude": lambda: ask_exclusion(self.flow, self.panel),
            "amend": self.amendments.ask,
            "case-next": partial(flow.go_to_case, 1),
            "case-previous": partial(flow.go_to_case, -1),
            "leave": self._leave,
            "pregrade-show": partial(self._switch, "pregrade"),
            "pregrade-ask": lambda: self.asking.toggle(self.flow.case),
            "heatmap-show": partial(self._switch, "heatmap"),
            "box-show": partial(self._switch, "boxes"),
            "heatmap-weaker": partial(self._fade, -OPACITY_STEP),
            "heatmap-stronger": partial(self._fade, OPACITY_STEP),
            "fit-film": partial(self._fit, follow_joint=False),
            "fit-joint": partial(self._fit, follow_joint=True),
            "reset": self._reset,
        }

    # What the window asks -------------------------------------------------------------------------

    @property
    def open_case(self) -> OpenCase | None:
        """The case in sight."""
        return self.flow.case

    @property
    def current_key(self) -> GradeKey | None:
        """What the next grade key grades."""
        return self.flow.cursor.key if self.flow.cursor else None

    @property
    def ready(self) -> bool:
        """Whether the case in sight takes grades; `became_ready` tells when."""
        return self.flow.ready

    def start(self, assignment_id: int) -> None:
        """Open a case of the worklist and take the keys.

        Raises
        ------
        ReaderError
            If it cannot be opened; the page then shows what it showed.
        """
        self.flow.start(assignment_id)
        self.setFocus()

    def close_case(self) -> None:
        """Keep the time spent on the open case; before the worklist is shown."""
        self.flow.close_case()

    def release(self) -> None:
        """Put everything away and end the threads; the page cannot be used afterwards."""
        self.close_case()
        self.asking.stop()
        self._loader.close()

    # Keys -----------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Grade by the keys of the protocol's scale; a held key grades once."""
        plain = event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
        if plain == Qt.KeyboardModifier.NoModifier and event.text():
            if event.isAutoRepeat():
                event.accept()
                return
            if self.flow.press_grade(event.text()):
                event.accept()
                return
        super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Count every key as a sign of life."""
        if event.type() is QEvent.Type.ShortcutOverride:
            self.flow.clock.touch()
        return bool(super().event(event))

    def changeEvent(self, event: QEvent) -> None:
        """Stop the clock while another window is in front."""
        if event.type() is QEvent.Type.ActivationChange and self.flow.case is not None:
            if self.isActiveWindow():
                self.flow.clock.touch()
            else:
                self.flow.clock.suspend()
        super().changeEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop the clock: nothing is in sight."""
        self.flow.clock.suspend()
        super().hideEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the films what a small screen has."""
        self.panel.set_room(wide=event.size().width() >= _WIDE, tall=event.size().height() >= _TALL)
        self.feedback.set_room(wide=event.size().width() >= _WIDE)
        super().resizeEvent(event)

    # Showing --------------------------------------------------------------------------------------

    def _show_case(self) -> None:
        case = self.flow.case
        if case is None:
            return
        self._bar.show_case(case.reading.title, place_words(case, self.flow.progress))
        self._loader.show_case(case)
        self._refresh()

    def _look_ahead(self) -> None:
        """Load the films around, now that the one in sight needs no time any more."""
        try:
            self._loader.prefetch(self._desk.films_ahead(self.flow.neighbours(AHEAD)))
        except ReaderError as fault:
            self._say(fault_message(fault))

    def _refresh(self) -> None:
        case, cursor = self.flow.case, self.flow.cursor
        film = self._current_film()
        if case is None or cursor is None or film is None:
            return
        self.strip.show_case(case, pregrade_shown=self._pregrade_in_sight())
        on, silent, above = self.switches.pregrade, self.asking.silent(case), self.amendments.note()
        self.panel.show_content(
            panel_content(case, film, cursor.key, pregrade_on=on, silent=silent, above=above)
        )
        self.films.show_current(film.radiograph_id)
        self.lengths.show(case)
        missing = self._overlays.show(case, cursor.key, self.switches)
        self.panel.pregrades.legend.show_layer(self._overlays.layer)
        self.asking.show_in(self.commands["pregrade-ask"], self.panel.pregrades, case)
        if missing:
            self._say(Message(missing))
        if self.switches.follow_joint:
            self._follow(case)
        self._enable(case)
        self.flow.clock.show_pregrade(self._pregrade_in_sight() and not case.locked)

    def _enable(self, case: OpenCase) -> None:
        self.commands.enable(("grade-clear", "grade-back", "grade-rest", "exclude"), enabled=not case.locked)
        self.amendments.show_in(self.commands)
        self._exclude.setVisible(not case.locked)
        self._amend.setVisible(case.locked)
        self.commands["undo"].setEnabled(case.session.can_undo)
        self.commands["redo"].setEnabled(case.session.can_redo)
        self.commands.enable(
            ("pregrade-show", "heatmap-show", "heatmap-weaker", "heatmap-stronger"),
            enabled=bool(case.pregrades),
        )

    def _say(self, message: Message) -> None:
        show_message(self.message, message)

    def _film_settled(self, radiograph_id: int) -> None:
        if self.flow.case is not None:
            self._refresh()
        self.flow.film_settled(radiograph_id)

    # Doing ----------------------------------------------------------------------------------------

    def _pregrade_in_sight(self) -> bool:
        """Say whether a pre-grade can be seen: shown, and the film that it is of as well."""
        case, film = self.flow.case, self._current_film()
        if case is None or film is None or not case.pregrades or not self.switches.pregrade:
            return False
        return self._loader.state(film.radiograph_id) is FilmState.SHOWN

    def _current_film(self) -> CaseFilm | None:
        case, key = self.flow.case, self.current_key
        if case is None or not case.case.films:
            return None
        return case.case.film_of(key.joint_id) if key else case.case.films[0]

    def _choose_film(self, radiograph_id: int) -> None:
        film = self._current_film()
        if film is not None and film.radiograph_id != radiograph_id:
            self.flow.move(lambda cursor: cursor.choose_film(radiograph_id))

    def _move_box(self, joint_id: int, box: Box) -> None:
        if not self.flow.move_box(joint_id, box):
            for view in self.films.each():
                view.abandon_drag()

    def _switch(self, name: str, on: bool) -> None:
        setattr(self.switches, name, on)
        self._refresh()

    def _fade(self, step: float) -> None:
        self.switches.fade(step)
        self._refresh()
        self._say(Message(f"Heatmap {self.switches.opacity * 100:.0f} %"))

    def _fit(self, *, follow_joint: bool) -> None:
        self.switches.follow_joint = follow_joint
        if follow_joint and self.flow.case is not None:
            self._follow(self.flow.case)
        else:
            self.image.fit_all()

    def _follow(self, case: OpenCase) -> None:
        key = self.current_key
        if key is not None:
            view = self.films.current()
            if view is not None:
                view.fit_box(case.session.box(key.joint_id))

    def _reset(self) -> None:
        self.switches.follow_joint = False
        self.image.reset()

    def _leave(self) -> None:
        """Put the ruler away, or else go back to the list."""
        if not self.image.end_tool():
            self.left.emit()
