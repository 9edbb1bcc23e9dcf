"""The strip above a case that is read twice: which reading this is, and what the AI changed."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from reader_app.operations.read import OpenCase
from reader_app.reading.case import GradeKey
from reader_app.ui.labels import counted
from reader_app.ui.theme import SPACING, Colour, colour_text, fill_background, scaled_font

FIRST = "Your own reading, without AI. Enter locks it; then the AI appears."
SECOND = "Your reading is locked. AI shown: change what you wish, Enter locks the second reading."
HIDDEN = "Your reading is locked. The AI is hidden: change what you wish, Enter locks the second reading."
NO_AI = "Your reading is locked. There is no pre-grade: change what you wish, Enter locks the second reading."
BOTH = "Both readings of this case are locked."


class RevealStrip(QWidget):
    """Takes no room where a case is read once; in both readings of a case the same, so that no film moves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 12, 5)
        row.setSpacing(2 * SPACING)
        self._text = QLabel()
        self._text.setFont(scaled_font(self.font(), 1.05, bold=True))
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._differing, self._changed = QLabel(), QLabel()
        colour_text(self._differing, Colour.TEXT)
        colour_text(self._changed, Colour.ACCENT)
        self._differing.setToolTip("Framed in the colour of the AI: what the AI says instead of your grade.")
        self._changed.setToolTip(
            "Framed in your colour: the grade that you had given before the AI appeared."
        )
        row.addWidget(self._text, 1)
        row.addWidget(self._differing)
        row.addWidget(self._changed)
        self.hide()

    @property
    def words(self) -> tuple[str, ...]:
        """What is said, from left to right; nothing while the strip is away."""
        labels = (self._text, self._differing, self._changed)
        return tuple(label.text() for label in labels if not self.isHidden() and label.text())

    def show_case(self, case: OpenCase, *, pregrade_shown: bool) -> None:
        """Say where the reader is in a case that is read twice; go away for any other."""
        reading = case.reading
        self.setVisible(reading.ai_follows or reading.first is not None)
        if self.isHidden():
            return
        second = reading.first is not None
        fill_background(self, Colour.AI_DEEP if second and not case.locked else Colour.RAISED)
        self._text.setText(_sentence(case, pregrade_shown=pregrade_shown))
        self._text.setToolTip(self._text.text())
        differing = len(contrary(case)) if pregrade_shown else 0
        self._differing.setText(_differing(differing) if second and pregrade_shown else "")
        changed = changed_since_first(case)
        self._changed.setText(f"{counted(len(changed), 'grade')} changed" if changed else "")
        colour_text(self._changed, Colour.TEXT if second and not case.locked else Colour.ACCENT)


def contrary(case: OpenCase) -> frozenset[GradeKey]:
    """Return where the AI says another grade than the reader gave; excluded joints are left out."""
    session = case.session
    return frozenset(
        key
        for key, pregrade in case.pregrades.items()
        if session.exclusion(key.joint_id) is None
        and session.grade(key) is not None
        and session.grade(key) != pregrade.code
    )


def changed_since_first(case: OpenCase) -> dict[GradeKey, int | None]:
    """Return what the locked first reading has where the reading in sight has something else."""
    first = case.reading.first
    if first is None:
        return {}
    return {
        key: first.grades.get(key)
        for key in case.session.keys
        if first.grades.get(key) != case.session.grade(key)
    }


def _sentence(case: OpenCase, *, pregrade_shown: bool) -> str:
    if case.reading.first is None:
        return FIRST
    if case.locked:
        return BOTH
    if not case.pregrades:
        return NO_AI
    return SECOND if pregrade_shown else HIDDEN


def _differing(number: int) -> str:
    return f"{counted(number, 'grade')} unlike the AI" if number else "all like the AI"
