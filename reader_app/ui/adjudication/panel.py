"""What the readers gave under their letters, the grades to settle with, and the rationale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from reader_app.protocols.model import Protocol, Resolution
from reader_app.reading.adjudication import Method
from reader_app.reading.design import ReadingDesign
from reader_app.reading.design_rules import rule_for
from reader_app.ui.adjudication.queue import apart_words, item_title
from reader_app.ui.grades.pregrade_chip import PregradeChip
from reader_app.ui.labels import FaultLine, heading, hint, light_up_when_checked
from reader_app.ui.theme import SPACING, Colour, colour_text, scaled_font

if TYPE_CHECKING:
    from reader_app.operations.consensus_session import ConsensusSession
    from reader_app.reading.pregrade import PreGrade
    from reader_app.store.records import Disagreement, Settled

PANEL_WIDTH = 320
_RULES = {
    Resolution.THIRD_FINAL: "Your grade is final.",
    Resolution.THIRD_IF_MATCH: (
        "Your grade is final if it matches one of the readers; another grade asks for a consensus session."
    ),
    Resolution.MAJORITY: "The readers have no majority: your grade is final.",
}
_NO_MATCH = "Needs a consensus session: your grade {third} matches neither reader."
_LIVE = "Needs a consensus session: the readers settle it with you."
_CALL = "Press Ctrl+K; both readers log in beside you."
_IN_SESSION = "You sit with {names}: write how you came to it, then press the grade."
_OTHER_CASE = "Those in the session did not read this case."
_CHANGE = "Another grade changes it."
_CHANGE_BLIND = "Another grade changes it; now that you have seen the readers', that needs a reason."


class RationaleEdit(QPlainTextEdit):
    """A few lines of text; Enter is done, Shift+Enter a new line, Escape back to the queue."""

    finished = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: the keys that end the writing."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if (enter and not shift) or event.key() == Qt.Key.Key_Escape:
            self.finished.emit()
        else:
            super().keyPressEvent(event)


class AdjudicationPanel(QWidget):
    """Shows one disagreement and takes the grade by mouse; keys come from the page.

    Attributes
    ----------
    graded
        The code of a button that was pressed.
    """

    graded = Signal(int)

    def __init__(self, protocol: Protocol, design: ReadingDesign, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._protocol = protocol
        self._design = design
        self.setFixedWidth(PANEL_WIDTH)
        self._case = heading("", factor=1.3)
        self._item = QLabel()
        self._item.setWordWrap(True)
        self._apart = hint()
        self._readers = QGridLayout()
        self._readers.setHorizontalSpacing(2 * SPACING)
        self._buttons = QVBoxLayout()
        self._buttons.setSpacing(SPACING // 2)
        self.state = hint()
        self.sights = hint()
        self.pregrade = PregradeChip()
        self.pregrade.hide()
        self.fault = FaultLine()
        self.rationale = RationaleEdit()
        self.rationale.setTabChangesFocus(True)
        self.rationale.setFixedHeight(84)
        self.rationale.setAccessibleName("Rationale")
        self._rationale_title = hint("Rationale (optional, Ctrl+R)")
        self._lay_out()

    @property
    def text(self) -> str:
        """The rationale as written."""
        return self.rationale.toPlainText().strip()

    def show_nothing(self, sentence: str) -> None:
        """Show that there is nothing to settle."""
        self._case.setText("")
        self._item.setText("")
        self._apart.setText("")
        _empty(self._readers)
        _empty(self._buttons)
        self.state.setText(sentence)
        colour_text(self.state, Colour.MUTED)
        self.sights.clear()
        self.pregrade.hide()
        self.fault.clear()
        self.rationale.clear()
        self.rationale.hide()
        self._rationale_title.hide()

    def show_disagreement(
        self, disagreement: Disagreement, *, needs_rationale: bool, session: ConsensusSession | None
    ) -> None:
        """Show one disagreement with what was settled so far, and who may settle it."""
        settled = disagreement.settled
        scale = self._protocol.item_scale(disagreement.item)
        self._case.setText(f"{disagreement.title}  ·  {disagreement.side.label}")
        what = (item_title(self._protocol, disagreement.item), disagreement.visit)
        self._item.setText("  ·  ".join(part for part in what if part))
        self._apart.setText(apart_words(disagreement))
        _empty(self._readers)
        for row, (letter, code) in enumerate(disagreement.grades):
            self._readers.addWidget(hint(f"Reader {letter}"), row, 0)
            grade = QLabel(f"{code}   {scale.level(code).label}")
            grade.setFont(scaled_font(grade.font(), 1.15, bold=True))
            grade.setWordWrap(True)
            self._readers.addWidget(grade, row, 1)
        for row, letter in enumerate(disagreement.rejected, start=len(disagreement.grades)):
            self._readers.addWidget(hint(f"Reader {letter}"), row, 0)
            self._readers.addWidget(hint("excluded"), row, 1)
        self._readers.setColumnStretch(1, 1)
        _empty(self._buttons)
        for level in scale.levels:
            button = QPushButton(f"{level.key}    {level.label}")
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setCheckable(True)
            button.setChecked(settled is not None and settled.code == level.code)
            button.setStyleSheet("text-align: left; padding: 5px 12px;")
            light_up_when_checked(button)
            button.clicked.connect(lambda _on=False, code=level.code: self.graded.emit(code))
            self._buttons.addWidget(button)
        self.fault.clear()
        self.rationale.show()
        self._rationale_title.show()
        self.rationale.setPlainText(settled.rationale if settled is not None else "")
        must = "required" if needs_rationale else "optional"
        self._rationale_title.setText(f"Rationale ({must}, Ctrl+R)")
        self._show_state(disagreement, session)

    def show_pregrade(self, pregrade: PreGrade | None, note: str) -> None:
        """Show what the AI says of the item, or in words why it says nothing; nothing at all for neither."""
        self.pregrade.setVisible(pregrade is not None or bool(note))
        if pregrade is not None:
            scale = self._protocol.item_scale(pregrade.key.item)
            self.pregrade.show_pregrade(pregrade, scale, current=True)
        else:
            self.pregrade.show_note(note)

    def show_pending(self, label: str) -> None:
        """Say which grade waits for its rationale, and go there."""
        self.fault.say(f"“{label}” waits for its rationale: write it and press Enter.")
        self.rationale.setFocus()

    def _show_state(self, disagreement: Disagreement, session: ConsensusSession | None) -> None:
        settled = disagreement.settled
        if disagreement.needs_consensus:
            self._say(self._consensus_words(disagreement, session), Colour.WARNING)
        elif settled is None:
            rule = rule_for(self._design, self._protocol, disagreement.item.feature_id)
            self._say(_RULES.get(rule.resolution, "") if rule is not None else "", Colour.MUTED)
        elif not settled.adjudicator:
            self._say(f"Settled by another adjudicator, {_how(settled)}. You cannot change it.", Colour.GOOD)
        else:
            change = _CHANGE_BLIND if self._design.adjudication.third_blind else _CHANGE
            self._say(f"Settled by you, {_how(settled)}. {change}", Colour.GOOD)

    def _consensus_words(self, disagreement: Disagreement, session: ConsensusSession | None) -> str:
        settled = disagreement.settled
        why = _LIVE
        if settled is not None:
            third = self._protocol.item_scale(disagreement.item).level(settled.third_code).label
            why = _NO_MATCH.format(third=f"“{third}”")
        if session is None or not session.seats:
            return f"{why} {_CALL}"
        if disagreement.case_id not in session.cases:
            return f"{why} {_OTHER_CASE}"
        return f"{why} {_IN_SESSION.format(names=' and '.join(session.names))}"

    def _say(self, words: str, colour: Colour) -> None:
        self.state.setText(words)
        colour_text(self.state, colour)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * SPACING, SPACING, 2 * SPACING, SPACING)
        column.setSpacing(SPACING)
        column.addWidget(self._case)
        column.addWidget(self._item)
        column.addLayout(self._readers)
        column.addWidget(self._apart)
        column.addSpacing(SPACING)
        column.addLayout(self._buttons)
        column.addWidget(self.state)
        column.addWidget(self.fault)
        column.addWidget(self.pregrade)
        column.addWidget(self.sights)
        column.addSpacing(SPACING)
        column.addWidget(self._rationale_title)
        column.addWidget(self.rationale)
        column.addStretch()


def _how(settled: Settled) -> str:
    together = settled.method is Method.CONSENSUS_SESSION
    return "in a consensus session" if together else "as third reader"


def _empty(layout: QGridLayout | QVBoxLayout) -> None:
    while (entry := layout.takeAt(0)) is not None:
        widget = entry.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
