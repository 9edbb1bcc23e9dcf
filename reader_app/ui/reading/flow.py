"""What a reader does within a case: move, grade, exclude, undo. Without a widget.

Every command is stored before the cursor moves on, and nothing is written while a case arrives or while
another command is being stored: a key that was pressed twice cannot grade two cases.
"""

from __future__ import annotations

from collections.abc import Callable

from reader_app.errors import ReaderError
from reader_app.imaging.geometry import Box
from reader_app.reading.case import GradeKey
from reader_app.reading.change import Change
from reader_app.reading.commands import (
    AcceptPreGrade,
    ClearGrade,
    ExcludeJoint,
    GradeRest,
    IncludeJoint,
    KeepMeasurement,
    MoveBox,
    RemoveMeasurement,
    SetGrade,
)
from reader_app.ui.grades.help import item_title
from reader_app.ui.reading.course import CaseCourse, FlowState, Message, Tone, fault_message
from reader_app.ui.reading.cursor import ReadingCursor
from reader_app.ui.reading.desk import Wanted
from reader_app.ui.reading.films import FilmState

WHOLE_FEATURES = "The AI gives one grade for a feature, that of its worse site: grade the sites yourself."


class ReadingFlow(CaseCourse):
    """The commands of a reader upon the open case; see `CaseCourse` for parameters and signals."""

    # Moving ---------------------------------------------------------------------------------------

    def move(self, how: Callable[[ReadingCursor], None]) -> None:
        """Move the cursor; a film that it enters must be in sight before it takes a grade."""
        if self.cursor is not None:
            how(self.cursor)
            self.said.emit(Message())
            self.changed.emit()

    # Writing --------------------------------------------------------------------------------------

    def press_grade(self, character: str) -> bool:
        """Grade the current item by its key; say whether the character is a grade key at all."""
        if self.case is None or self.cursor is None or self.cursor.key is None:
            return False
        protocol = self.case.session.protocol
        scale = protocol.item_scale(self.cursor.key.item)
        code = scale.code_for_key(character)
        if code is not None:
            self.grade(self.cursor.key, code)
            return True
        if any(feature.scale.code_for_key(character) is not None for feature in protocol.features):
            known = ", ".join(f"{level.key} {level.label.lower()}" for level in scale.levels)
            name = item_title(protocol, self.cursor.key.item)
            self.said.emit(
                Message(f"{character} is no grade of “{name}”, which takes {known}.", Tone.WARNING)
            )
            return True
        return False

    def grade(self, key: GradeKey, code: int) -> None:
        """Give a grade and go on to the next open item."""
        if self.case is None or self.cursor is None:
            return
        self.cursor.go_to(key)
        if not self._in_sight(key.joint_id):
            self.changed.emit()
            return
        if self._commit(SetGrade(key, code)) is not None:
            self.cursor.advance()
            self._tell_next()
        self.changed.emit()

    def handlers(self) -> dict[str, Callable[[], None]]:
        """Return what changes grades, by action."""
        return {
            "grade-clear": self.clear,
            "grade-back": self.step_back,
            "grade-rest": self.grade_rest,
            "undo": self.undo,
            "redo": self.redo,
            "pregrade-accept": self.accept_pregrade,
        }

    def grade_rest(self) -> None:
        """Give what is still ungraded on the current joint the lowest grades, and go on."""
        if self.cursor is None or self.cursor.joint_id is None:
            return
        if self._in_sight(self.cursor.joint_id):
            change = self._commit(GradeRest(self.cursor.joint_id))
            if change is not None:
                self.cursor.advance()
                given = len(change.grades)
                self.said.emit(Message(f"{given} item{'s' * (given != 1)} given the lowest grade."))
                self._tell_next()
        self.changed.emit()

    def clear(self) -> None:
        """Take the current grade away."""
        if self.cursor is not None and self.cursor.key is not None:
            self._commit(ClearGrade(self.cursor.key))
            self.changed.emit()

    def step_back(self) -> None:
        """Take the current grade away, or else the one before it, as a typist corrects a slip."""
        if self.case is None or self.cursor is None or self.cursor.key is None:
            return
        if self.state is FlowState.READING and self.case.session.grade(self.cursor.key) is None:
            self.cursor.move(-1)
        self.clear()

    def undo(self) -> None:
        """Take the last change back and show where it was."""
        self._revisit("undo", "There is nothing to undo in this case.")

    def redo(self) -> None:
        """Do the last change again that was taken back."""
        self._revisit("redo", "There is nothing to do again.")

    def accept_pregrade(self) -> None:
        """Take the AI's grades of the current joint over, as far as still ungraded and in sight."""
        case, cursor = self.case, self.cursor
        if case is None or cursor is None or cursor.joint_id is None:
            return
        said = {key: p.code for key, p in case.pregrades.items() if key.joint_id == cursor.joint_id}
        codes = {key: code for key, code in said.items() if key in case.session.keys}
        if said and not codes:
            self.said.emit(Message(WHOLE_FEATURES, Tone.WARNING))
        elif not codes:
            note = case.pregrade_note or "There is no pre-grade for this joint."
            self.said.emit(Message(note, Tone.WARNING))
        elif not self._in_sight(cursor.joint_id):
            self.changed.emit()
        elif not self.pregrade_shown():
            self.said.emit(Message("The pre-grade is hidden: show it before you take it over.", Tone.WARNING))
        else:
            change = self._commit(AcceptPreGrade(cursor.joint_id, codes))
            if change is not None:
                cursor.advance()
                taken = len(change.grades)
                self.said.emit(Message(f"{taken} pre-grade{'s' * (taken != 1)} taken over as yours."))
            self.changed.emit()

    def take_pregrades(self, reading_id: int) -> None:
        """Show what the AI has said meanwhile of the case in sight; what the reader did stays."""
        if self.case is None or self.case.reading.reading_id != reading_id:
            return
        try:
            self.case = self.desk.pregrades_again(self.case)
        except ReaderError as fault:
            self.said.emit(fault_message(fault))
        else:
            self.changed.emit()

    def move_box(self, joint_id: int, box: Box) -> bool:
        """Store where the reader put a box; say whether it is stored."""
        stored = self._commit(MoveBox(joint_id, box)) is not None
        self.changed.emit()
        return stored

    def change_lengths(self, wanted: KeepMeasurement | RemoveMeasurement) -> bool:
        """Keep a length with the reading, or take a kept one away; say whether it is stored."""
        stored = self._commit(wanted) is not None
        self.changed.emit()
        return stored

    def exclude(self, reason_id: str) -> None:
        """Exclude the current joint, or its whole film where the reason says so, and go on."""
        if self.cursor is not None and self.cursor.joint_id is not None:
            if self._commit(ExcludeJoint(self.cursor.joint_id, reason_id)) is not None:
                self.cursor.advance()
                self._tell_next()
            self.changed.emit()

    def include(self) -> None:
        """Take the exclusion of the current joint back."""
        if self.cursor is not None and self.cursor.joint_id is not None:
            self._commit(IncludeJoint(self.cursor.joint_id))
            self.changed.emit()

    def _revisit(self, wanted: Wanted, nothing: str) -> None:
        change = self._commit(wanted)
        if change is None or self.cursor is None:
            return
        if change.empty:
            self.said.emit(Message(nothing))
        elif change.grades:
            self.cursor.go_to(change.grades[0].key)
        elif change.joint_ids:
            self.cursor.choose_joint(min(change.joint_ids))
        self.changed.emit()

    def _commit(self, wanted: Wanted) -> Change | None:
        """Store a command; None where it could not be or may not be now, with the reason said."""
        if self.case is None or not self.may_write():
            return None
        self.state = FlowState.WRITING
        try:
            change = self.desk.commit(
                self.case,
                wanted,
                pregrade_in_sight=self.pregrade_shown(),
                in_sight_seconds=self.in_sight_seconds,
            )
        except ReaderError as fault:
            self.said.emit(fault_message(fault))
            return None
        finally:
            self.state = FlowState.READING
        if not change.empty:
            self.sight_is_kept()
        self.said.emit(Message())
        return change

    def _in_sight(self, joint_id: int) -> bool:
        if self.case is None:
            return False
        state = self.film_state(self.case.case.film_of(joint_id).radiograph_id)
        if state is FilmState.UNREADABLE:
            text = "This film cannot be shown, so it cannot be graded; exclude the joint with a reason (X)."
            self.said.emit(Message(text, Tone.WARNING))
        elif state is FilmState.LOADING:
            self.said.emit(Message("That key was not taken: the film is still loading."))
        return state is FilmState.SHOWN

    def _tell_next(self) -> None:
        if self.case is not None and not self.case.session.open_keys():
            try:
                meaning = self.desk.signer.demand().meaning
            except ReaderError as fault:
                self.said.emit(fault_message(fault))
                return
            # Of two readings the first is locked for the AI to appear.
            what = "your reading, then the AI appears" if self.case.reading.ai_follows else "the case"
            self.said.emit(Message(f"Everything is graded: Enter locks {what}. You sign: “{meaning}”"))
