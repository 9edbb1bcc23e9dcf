"""What happens in a reading, without a widget: which case, which item, what may be written, what was said.

Every command is stored before the cursor moves on, and nothing is written while a case arrives or while
another command is being stored: a key that was pressed twice cannot grade two cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from PySide6.QtCore import QObject, QTimer, Signal

from reader_app.errors import NotYet, ReaderError
from reader_app.operations.read import Locked, OpenCase
from reader_app.operations.sign import SigningDemand
from reader_app.reading.worklist import Progress, Upcoming, moment_words
from reader_app.store.proofs import Proof
from reader_app.ui.grades.help import item_title
from reader_app.ui.reading.clock import ActiveClock, ActiveTime
from reader_app.ui.reading.cursor import ReadingCursor
from reader_app.ui.reading.desk import FilmKey, ReadingDesk
from reader_app.ui.reading.films import FilmState

SETTLE_MILLISECONDS = 150
"""Nobody has read a film in less: a key that comes sooner was meant for the case before."""
REVEAL_SETTLES = 4
"""So many times longer where the AI appears upon the same film: Enter pressed twice must not lock both."""


class FlowState(Enum):
    """What becomes of a key that would write."""

    EMPTY = auto()
    ARRIVING = auto()
    """A case has just come into sight, or its film is still loading: nothing is written."""
    READING = auto()
    SIGNING = auto()
    """The password for the signature is being asked for."""
    WRITING = auto()
    """Something is being stored: a second key must not overtake it."""
    TELLING = auto()
    """The outcome of a calibration case is in sight: Enter goes on."""


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
    screen
        What is known of the screen that the films are on; kept with every signature.

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
    sign_asked(SigningDemand)
        The reader has to type the password to lock the case: `sign` goes on, `stop_signing` goes back.
    locked(int)
        The reading at this place of the worklist was signed, the last one that the case asks for.
    judged(CalibrationOutcome)
        A calibration case was locked and its outcome may be seen.
    finished()
        Every case is locked.
    rested(Upcoming)
        Nothing can be opened now; it tells from when on something can.
    """

    opened = Signal()
    changed = Signal()
    said = Signal(object)
    became_ready = Signal()
    sign_asked = Signal(object)
    locked = Signal(int)
    judged = Signal(object)
    finished = Signal()
    rested = Signal(object)

    def __init__(
        self,
        desk: ReadingDesk,
        *,
        film_state: Callable[[int], FilmState],
        pregrade_shown: Callable[[], bool],
        clock: ActiveClock,
        screen: Callable[[], Mapping[str, object]] = dict,
        settle_milliseconds: int = SETTLE_MILLISECONDS,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.desk = desk
        self.film_state = film_state
        self.pregrade_shown = pregrade_shown
        self.clock = clock
        self.screen = screen
        self.state = FlowState.EMPTY
        self.case: OpenCase | None = None
        self.cursor: ReadingCursor | None = None
        self.progress = Progress(locked=0, open=0, total=0)
        self._settle_milliseconds = settle_milliseconds
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.timeout.connect(self._arrive)
        # Of the open case, what was stored of the time in sight since it was opened.
        self._sight_kept = 0.0

    @property
    def ready(self) -> bool:
        """Whether the case in sight takes grades."""
        return self.state is FlowState.READING and self.case is not None

    @property
    def place(self) -> int:
        """Where the open case stands on the worklist, 0 without one."""
        return self.case.reading.place if self.case is not None else 0

    @property
    def in_sight_seconds(self) -> float:
        """For how long a pre-grade has been in sight in this reading."""
        before = self.case.reading.in_sight_seconds + self._sight_kept if self.case is not None else 0.0
        return before + self.clock.in_sight_seconds

    def sight_is_kept(self) -> None:
        """Take note that a change was stored, and with it for how long a pre-grade had been in sight."""
        self._sight_kept += self.clock.take_sight()

    # Cases ----------------------------------------------------------------------------------------

    def start(self, assignment_id: int) -> None:
        """Open a case of the worklist.

        Raises
        ------
        ReaderError
            If the study cannot be read or the case is not this reader's.
        """
        self.progress = self.desk.progress()
        self._open(assignment_id)

    def go_to_case(self, step: int) -> None:
        """Open a neighbour on the worklist, whatever its state."""
        if self.case is None or self.state in (FlowState.WRITING, FlowState.SIGNING):
            return
        try:
            entry = self.desk.entry_at(self.place + step)
        except ReaderError as fault:
            self.said.emit(fault_message(fault))
            return
        if entry is None:
            edge = "last" if step > 0 else "first"
            self.said.emit(Message(f"This is the {edge} case of your worklist."))
        else:
            self._try_open(entry.assignment_id)

    def lock_and_next(self) -> None:
        """Sign the reading and open the next case; say what is missing instead, and go there."""
        case = self.case
        if case is None:
            return
        if case.locked:
            self._open_next()
            return
        if not self.may_write() or self._tell_missing(case) or self._tell_corrected(case):
            return
        try:
            demand = self.desk.signer.demand()
        except ReaderError as fault:
            self.said.emit(fault_message(fault))
            return
        if demand.password:
            self.state = FlowState.SIGNING
            self.sign_asked.emit(demand)
        else:
            self._lock(case, demand, None)

    def sign(self, demand: SigningDemand, proof: Proof) -> None:
        """Lock the case with the password that was asked for."""
        if self.case is not None and self.state is FlowState.SIGNING:
            self._lock(self.case, demand, proof)

    def stop_signing(self) -> None:
        """Go back to the case: the reader did not type the password."""
        if self.state is FlowState.SIGNING:
            self.state = FlowState.READING
            self.said.emit(Message("Not locked: the case is as it was."))

    def close_case(self) -> None:
        """Put the case away and keep the time spent on it."""
        self._keep_time()
        self._settle.stop()
        self.clock.suspend()
        self.clock.show_pregrade(False)
        self.case, self.cursor, self.state = None, None, FlowState.EMPTY

    def film_settled(self, radiograph_id: int) -> None:
        """Take note that a film is in sight or that its fault is."""
        if self.state is FlowState.ARRIVING and self.current_film() == radiograph_id:
            self._settle.start(self._settle_milliseconds)

    def neighbours(self, count: int) -> tuple[int, ...]:
        """Return the assignments that may be opened next: those to be read, and those on either side."""
        if self.case is None:
            return ()
        upcoming = [entry.assignment_id for entry in self.desk.next_cases(self.place, count)]
        beside = [self.desk.entry_at(there) for there in (self.place + 1, self.place - 1)]
        around = [entry.assignment_id for entry in beside if entry is not None]
        return tuple(dict.fromkeys((*upcoming[:1], *around, *upcoming)))

    def _open(self, assignment_id: int) -> None:
        self._keep_time()
        case = self.desk.open_case(assignment_id)
        # First of all: not a moment of the case before may count as one with the AI in sight.
        self.clock.show_pregrade(False)
        self.clock.take()
        self.clock.touch()
        self._show(case, settle=self._settle_milliseconds)

    def _try_open(self, assignment_id: int) -> None:
        try:
            self._open(assignment_id)
        except ReaderError as fault:
            self.state = FlowState.READING
            self.said.emit(fault_message(fault))

    def _show(self, case: OpenCase, *, settle: int) -> None:
        self.case = case
        self.cursor = ReadingCursor(case.session)
        self.state = FlowState.ARRIVING
        self._sight_kept = 0.0
        self.said.emit(Message("This reading is locked: it can be looked at." if case.locked else ""))
        self.opened.emit()
        film = self.current_film()
        if film is None or self.film_state(film) is not FilmState.LOADING:
            self._settle.start(settle)

    def _lock(self, case: OpenCase, demand: SigningDemand, proof: Proof | None) -> None:
        self.state = FlowState.WRITING
        time = ActiveTime(self.clock.seconds, self.clock.in_sight_seconds)
        try:
            signing = self.desk.signer.details(demand, proof, self.screen())
            done = self.desk.lock(case, time=time, signing=signing)
        except ReaderError as fault:
            self.said.emit(fault_message(fault))
            return
        finally:
            self.state = FlowState.READING
        self.clock.take()
        self._after_lock(case, done)

    def _after_lock(self, case: OpenCase, done: Locked) -> None:
        """Go on: to the aided reading of the same case where the design asks for one, else to the next."""
        if done.revealed:
            self._reveal(case)
            return
        self.progress = replace(self.progress, locked=self.progress.locked + 1)
        self.locked.emit(case.reading.place)
        if done.calibration is not None:
            self.state = FlowState.TELLING
            self.changed.emit()
            self.said.emit(Message("Locked. Enter goes on to the next case."))
            self.judged.emit(done.calibration)
        else:
            self._open_next()

    def _reveal(self, case: OpenCase) -> None:
        try:
            again = self.desk.open_case(case.reading.assignment_id)
        except ReaderError as fault:
            self.said.emit(fault_message(fault))
            return
        self._show(again, settle=REVEAL_SETTLES * self._settle_milliseconds)
        if not again.pregrades:
            self.said.emit(Message(again.pregrade_note, Tone.WARNING))

    def _open_next(self) -> None:
        try:
            upcoming = self.desk.next_case(self.place)
        except ReaderError as fault:
            self.said.emit(fault_message(fault))
            return
        if upcoming.entry is not None:
            self._try_open(upcoming.entry.assignment_id)
            return
        self.state = FlowState.READING
        self.changed.emit()
        if self.progress.locked >= self.progress.total:
            self.said.emit(Message("All cases of your worklist are locked."))
            self.finished.emit()
        else:
            self.said.emit(Message(rest_words(upcoming)))
            self.rested.emit(upcoming)

    def _keep_time(self) -> None:
        case, time = self.case, ActiveTime(self.clock.seconds, self.clock.in_sight_seconds)
        if case is None or case.locked or time.seconds <= 0:
            return
        try:
            self.desk.add_active_time(case, time)
        except ReaderError as fault:
            self.said.emit(fault_message(fault))
        else:
            self.clock.take()
            self._sight_kept += time.in_sight

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

    def _tell_corrected(self, case: OpenCase) -> bool:
        """Show a film anew that the coordinator corrected since the case was opened; say so."""
        here = case.reading.assignment_id
        try:
            if set(self.desk.films_ahead((here,))) == set(FilmKey.all_of(case)):
                return False
            self._open(here)
        except ReaderError as fault:
            self.said.emit(fault_message(fault))
            return True
        text = "Not locked: the coordinator has corrected a film of this case. Look at it as it is now."
        self.said.emit(Message(text, Tone.WARNING))
        return True

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
    """Return what a fault says, as a message; that a case opens later is none."""
    tone = Tone.WARNING if isinstance(fault, NotYet) else Tone.FAULT
    return Message(f"{fault.what} {fault.next_step}".strip(), tone)


def rest_words(upcoming: Upcoming) -> str:
    """Return in words that nothing can be opened now, and from when on something can."""
    if upcoming.opens_at is None:
        return "No case can be opened now: those that are left follow readings that are not locked yet."
    return f"No case can be opened now: the next one opens {moment_words(upcoming.opens_at)}."
