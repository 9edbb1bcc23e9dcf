"""What happens in a reading, without a widget: which case, which item, what may be written, what was said.

Every command is stored before the cursor moves on, and nothing is written while a case arrives or while
another command is being stored: a key that was pressed twice cannot grade two cases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import QObject, QTimer, Signal

from reader_app.errors import ReaderError
from reader_app.operations.read import OpenCase
from reader_app.reading.worklist import ReadingState, WorklistEntry, next_entry
from reader_app.ui.grades.help import item_title
from reader_app.ui.reading.clock import ActiveClock
from reader_app.ui.reading.cursor import ReadingCursor
from reader_app.ui.reading.desk import ReadingDesk
from reader_app.ui.reading.films import FilmState

SETTLE_MILLISECONDS = 150
"""Nobody has read a film in less: a key that comes sooner was meant for the case before."""


class FlowState(Enum):
    """What becomes of a key that would write."""

    EMPTY = auto()
    ARRIVING = auto()
    """A case has just come into sight, or its film is still loading: nothing is written."""
    READING = auto()
    WRITING = auto()
    """Something is being stored: a second key must not overtake it."""


class Tone(Enum):
    """How loudly something is said."""

    NOTE = auto()
    WARNING = auto()
    FAULT = auto()


@dataclass(frozen=True)
class Message:
    """One sentence for the foot of the page; an empty one clears it."""

    text: str = ""
    tone: Tone = Tone.NOTE


class CaseCourse(QObject):
    """The course of a reader's evening: one case after the other.

    Parameters
    ----------
    desk
        The verbs it calls.
    film_state
        How far a film of the open case is, by its radiograph id: what is not in sight is not graded.
    pregrade_shown
        Whether the AI may be seen just now; recorded with every grade.

    Signals
    -------
    opened()
        Another case is in sight.
    changed()
        Grades, boxes, exclusions or the current item differ.
    said(Message)
        Something is to be told.
    became_ready()
        The case in sight takes grades from now on.
    locked(int)
        The reading of this assignment was signed.
    finished()
        Every case is locked.
    """

    opened = Signal()
    changed = Signal()
    said = Signal(object)
    became_ready = Signal()
    locked = Signal(int)
    finished = Signal()

    def __init__(
        self,
        desk: ReadingDesk,
        *,
        film_state: Callable[[int], FilmState],
        pregrade_shown: Callable[[], bool],
        clock: ActiveClock,
        settle_milliseconds: int = SETTLE_MILLISECONDS,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.desk = desk
        self.film_state = film_state
        self.pregrade_shown = pregrade_shown
        self.clock = clock
        self.state = FlowState.EMPTY
        self.case: OpenCase | None = None
        self.cursor: ReadingCursor | None = None
        self.entries: tuple[WorklistEntry, ...] = ()
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(settle_milliseconds)
        self._settle.timeout.connect(self._arrive)

    @property
    def ready(self) -> bool:
        """Whether the case in sight takes grades."""
        return self.state is FlowState.READING and self.case is not None

    # Cases ----------------------------------------------------------------------------------------

    def start(self, assignment_id: int) -> None:
        """Open a case of the worklist, which is read anew.

        Raises
        ------
        ReaderError
            If the study cannot be read or the case is not this reader's.
        """
        self.entries = self.desk.worklist()
        self._open(assignment_id)

    def go_to_case(self, step: int) -> None:
        """Open a neighbour on the worklist, whatever its state."""
        if self.case is None or self.state is FlowState.WRITING:
            return
        places = [entry.assignment_id for entry in self.entries]
        place = places.index(self.case.reading.assignment_id) + step
        if not 0 <= place < len(places):
            edge = "last" if step > 0 else "first"
            self.said.emit(Message(f"This is the {edge} case of your worklist."))
            return
        self._try_open(places[place])

    def lock_and_next(self) -> None:
        """Sign the reading and open the next case; say what is missing instead, and go there."""
        case = self.case
        if case is None:
            return
        if case.locked:
            self._open_next()
            return
        if not self.may_write() or self._tell_missing(case):
            return
        self.state = FlowState.WRITING
        try:
            self.desk.lock(case, active_seconds=self.clock.seconds)
        except ReaderError as fault:
            self.state = FlowState.READING
            self.said.emit(fault_message(fault))
            return
        except BaseException:
            self.state = FlowState.READING
            raise
        self.clock.take()
        self.locked.emit(case.reading.assignment_id)
        self._after_lock(case)

    def close_case(self) -> None:
        """Put the case away and keep the time spent on it."""
        self._keep_time()
        self._settle.stop()
        self.clock.suspend()
        self.case, self.cursor, self.state = None, None, FlowState.EMPTY

    def film_settled(self, radiograph_id: int) -> None:
        """Take note that a film is in sight or that its fault is."""
        if self.state is FlowState.ARRIVING and self.current_film() == radiograph_id:
            self._settle.start()

    def neighbours(self, count: int) -> tuple[int, ...]:
        """Return the assignments that may be opened next, the likeliest first.

        These are the next ones that are not locked, and those on either side on the worklist, to which one
        goes without locking.
        """
        if self.case is None:
            return ()
        places = [entry.assignment_id for entry in self.entries]
        place = places.index(self.case.reading.assignment_id)
        beside = [places[there] for there in (place + 1, place - 1) if 0 <= there < len(places)]
        upcoming = self.upcoming(count)
        return tuple(dict.fromkeys((*upcoming[:1], *beside, *upcoming)))

    def upcoming(self, count: int) -> tuple[int, ...]:
        """Return the next assignments that are not locked."""
        if self.case is None:
            return ()
        found: list[int] = []
        place: int | None = self.case.reading.assignment_id
        while len(found) < count:
            entry = next_entry(self.entries, after=place)
            if entry is None or entry.assignment_id in (*found, self.case.reading.assignment_id):
                break
            found.append(entry.assignment_id)
            place = entry.assignment_id
        return tuple(found)

    def _open(self, assignment_id: int) -> None:
        self._keep_time()
        case = self.desk.open_case(assignment_id)
        self.clock.take()
        self.clock.touch()
        self._show(case)

    def _try_open(self, assignment_id: int) -> None:
        try:
            self._open(assignment_id)
        except ReaderError as fault:
            self.state = FlowState.READING
            self.said.emit(fault_message(fault))

    def _show(self, case: OpenCase) -> None:
        self.case = case
        self.cursor = ReadingCursor(case.session)
        self.state = FlowState.ARRIVING
        self.said.emit(Message("This reading is locked: it can be looked at." if case.locked else ""))
        self.opened.emit()
        film = self.current_film()
        if film is None or self.film_state(film) is not FilmState.LOADING:
            self._settle.start()

    def _after_lock(self, case: OpenCase) -> None:
        """Go on: to the aided reading of the same case where the design asks for one, else to the next."""
        assignment_id = case.reading.assignment_id
        try:
            again = self.desk.open_case(assignment_id)
        except ReaderError as fault:
            self.state = FlowState.READING
            self.said.emit(fault_message(fault))
            return
        if not again.locked:
            self._show(again)
            self.said.emit(Message("Locked. Now the same case with the AI in sight; your grades came along."))
            return
        self.entries = tuple(
            WorklistEntry(entry.assignment_id, entry.place, ReadingState.LOCKED, entry.graded)
            if entry.assignment_id == assignment_id
            else entry
            for entry in self.entries
        )
        self._open_next()

    def _open_next(self) -> None:
        if self.case is None:
            return
        entry = next_entry(self.entries, after=self.case.reading.assignment_id)
        if entry is None:
            self.state = FlowState.READING
            self.changed.emit()
            self.said.emit(Message("All cases of your worklist are locked."))
            self.finished.emit()
        else:
            self._try_open(entry.assignment_id)

    def _keep_time(self) -> None:
        case, seconds = self.case, self.clock.seconds
        if case is None or case.locked or seconds <= 0:
            return
        try:
            self.desk.add_active_time(case, seconds)
        except ReaderError as fault:
            self.said.emit(fault_message(fault))
        else:
            self.clock.take()

    def _arrive(self) -> None:
        if self.state is FlowState.ARRIVING:
            self.state = FlowState.READING
            self.became_ready.emit()

    def may_write(self) -> bool:
        """Say whether something may be stored now; tell why not."""
        if self.state is FlowState.ARRIVING:
            film = self.current_film()
            loading = film is not None and self.film_state(film) is FilmState.LOADING
            why = "the film is still loading" if loading else "the case had only just come into sight"
            self.said.emit(Message(f"That key was not taken: {why}."))
            return False
        return self.state is FlowState.READING

    def _tell_missing(self, case: OpenCase) -> bool:
        missing = case.session.open_keys()
        if not missing or self.cursor is None:
            return False
        current = self.cursor.key
        self.cursor.go_to(current if current in missing else case.session.next_key(current))
        first = self.cursor.key or missing[0]
        where = case.case.joint(first.joint_id).side.label.lower()
        name = item_title(case.session.protocol, first.item)
        count = "1 grade is" if len(missing) == 1 else f"{len(missing)} grades are"
        self.said.emit(Message(f"Not locked: {count} missing, next “{name}” ({where}).", Tone.WARNING))
        self.changed.emit()
        return True

    def current_film(self) -> int | None:
        """Return the radiograph id of the film that is being graded."""
        if self.case is None or self.cursor is None or self.cursor.joint_id is None:
            films = self.case.case.films if self.case else ()
            return films[0].radiograph_id if films else None
        return self.case.case.film_of(self.cursor.joint_id).radiograph_id


def fault_message(fault: ReaderError) -> Message:
    """Return what a fault says, as a message."""
    return Message(f"{fault.what} {fault.next_step}".strip(), Tone.FAULT)
