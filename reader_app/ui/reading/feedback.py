"""What a reader sees after locking a calibration case: the reference beside it, and the result of the set."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from reader_app.operations.calibration import CalibrationOutcome, Feedback
from reader_app.operations.calibration_gate import FeatureOutcome, GateOutcome
from reader_app.reading.case import Case, JointSide
from reader_app.ui.grades.panel import MARGIN, NARROW_PANEL_WIDTH, PANEL_WIDTH, film_title
from reader_app.ui.labels import heading, hint
from reader_app.ui.reading.feedback_table import FeedbackColumn, FeedbackSection, FeedbackTable
from reader_app.ui.reading.flow import ReadingFlow
from reader_app.ui.theme import SPACING, Colour, colour_text, fill_background

_ABREAST = 4
"""So many joints stand side by side, those of two visits; more begin a new row of them."""


class FeedbackPanel(QWidget):
    """Stands in the place of the grades while the film of the locked case stays in sight.

    After the last case of the set it has a second page with the result; `turn` goes on to it.

    Parameters
    ----------
    instead_of
        The panel of grades, which is hidden while this one is shown.
    """

    def __init__(self, instead_of: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._instead_of = instead_of
        self._flow: ReadingFlow | None = None
        self._wide = False
        self.hide()
        fill_background(self, Colour.SURFACE)
        self.table = FeedbackTable()
        self._waiting: GateOutcome | None = None
        self._case_title = heading("", factor=1.3)
        self._case_words = _wrapped(Colour.TEXT)
        self._gate_title = heading("", factor=1.3)
        self._gate_words = _wrapped(Colour.TEXT)
        self._features = QVBoxLayout()
        self._feature_lines: list[QLabel] = []
        self._keys = hint()
        self._pages = QStackedWidget()
        self._pages.addWidget(self._case_page())
        self._pages.addWidget(self._gate_page())
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, SPACING, MARGIN, SPACING)
        column.setSpacing(SPACING)
        column.addWidget(self._pages, 1)
        column.addWidget(self._keys)

    def _case_page(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING)
        column.addWidget(self._case_title)
        column.addWidget(hint("Your grades, as you locked them, beside the reference."))
        column.addWidget(_scrolled(self.table), 1)
        column.addWidget(self._case_words)
        column.addWidget(hint("▲ you graded higher than the reference, ▼ lower, = the same, – excluded"))
        return page

    def _gate_page(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING)
        column.addWidget(self._gate_title)
        column.addWidget(self._gate_words)
        self._features.setSpacing(SPACING)
        column.addLayout(self._features)
        column.addStretch(1)
        return page

    def follow(self, flow: ReadingFlow) -> None:
        """Come into sight when a calibration case of the flow is locked, and go when the next one opens."""
        self._flow = flow
        flow.judged.connect(self._judged)
        flow.opened.connect(self.put_away)

    def go_on(self) -> None:
        """Turn to the result of the set if it waits to be seen; else lock the case, or go to the next."""
        if not self.turn() and self._flow is not None:
            self._flow.lock_and_next()

    def _judged(self, outcome: CalibrationOutcome) -> None:
        if self._flow is not None and self._flow.case is not None:
            self.show_outcome(outcome, self._flow.case.case)

    def set_room(self, *, wide: bool) -> None:
        """Take the width of the panel that it stands in for, or what the joints need."""
        self._wide = wide
        self._fit_width()

    def _fit_width(self) -> None:
        least = PANEL_WIDTH if self._wide else NARROW_PANEL_WIDTH
        self.setFixedWidth(max(least, self.table.sizeHint().width() + 2 * MARGIN))

    def show_outcome(self, outcome: CalibrationOutcome, case: Case) -> None:
        """Show a locked case beside the reference, or the result of the set where no feedback is given.

        Parameters
        ----------
        case
            As it hangs: it says on which side each joint is in sight.
        """
        self._waiting = outcome.gate
        self._instead_of.hide()
        self.show()
        if outcome.feedback is None:
            self.turn()
            return
        self._show_case(outcome.feedback, case)
        self._fit_width()
        self._pages.setCurrentIndex(0)
        self._keys.setText(
            "Enter goes on to the result of the set." if outcome.gate else "Enter goes on to the next case."
        )

    def put_away(self) -> None:
        """Let the grades stand in their place again."""
        self._waiting = None
        if not self.isHidden():
            self.hide()
            self._instead_of.show()

    def turn(self) -> bool:
        """Go on to the result of the set; False where there is none that was not shown yet."""
        if self._waiting is None:
            return False
        self._show_gate(self._waiting)
        self._waiting = None
        self._pages.setCurrentIndex(1)
        self._keys.setText("Enter goes on.")
        return True

    def words(self) -> str:
        """Return all that the page in sight says, as text."""
        if self._pages.currentIndex() == 0:
            return "\n".join([self._case_title.text(), *self.table.lines(), self._case_words.text()])
        lines = [label.text() for label in self._feature_lines]
        return "\n".join([self._gate_title.text(), self._gate_words.text(), *lines])

    def _show_case(self, feedback: Feedback, case: Case) -> None:
        self._case_title.setText(f"Calibration case {feedback.locked} of {feedback.total}")
        several = len(case.films) > 1
        columns = [
            FeedbackColumn(film_title(film, number) if several else "", joint)
            for number, film in enumerate(case.films)
            for joint in film.joints
        ]
        joints = [column for column in columns if column.joint.side is not JointSide.WHOLE]
        whole = [column for column in columns if column.joint.side is JointSide.WHOLE]
        rows = [joints[start : start + _ABREAST] for start in range(0, len(joints), _ABREAST)]
        self.table.show_sections([_section(each, feedback) for each in (*rows, whole)])
        self._case_words.setText(_summary(feedback))

    def _show_gate(self, gate: GateOutcome) -> None:
        bounded = any(feature.bound is not None for feature in gate.features)
        if not bounded:
            self._gate_title.setText("The calibration set is read")
            self._gate_words.setText("Live cases are open to you now.")
        elif gate.passed:
            self._gate_title.setText("Passed")
            self._gate_words.setText(
                "You agree with the reference as closely as the study asks: live cases are open to you now."
            )
        else:
            self._gate_title.setText("Not passed")
            self._gate_words.setText(
                "These cases do not show that you agree with the reference as closely as the study asks, so "
                "live cases stay closed. The coordinator sees this result and can grant another attempt."
            )
        colour_text(self._gate_title, Colour.GOOD if gate.passed else Colour.WARNING)
        for label in self._feature_lines:
            self._features.removeWidget(label)
            label.deleteLater()
        self._feature_lines = [_feature_line(feature) for feature in gate.features]
        for label in self._feature_lines:
            self._features.addWidget(label)


def _section(columns: list[FeedbackColumn], feedback: Feedback) -> FeedbackSection:
    ids = {column.joint.id for column in columns}
    return FeedbackSection(tuple(columns), tuple(row for row in feedback.rows if row.joint_id in ids))


def _summary(feedback: Feedback) -> str:
    compared = [row.steps for row in feedback.rows if row.steps is not None]
    if not compared:
        return "You excluded every joint that has a reference."
    same = sum(steps == 0 for steps in compared)
    words = f"{same} of {len(compared)} grades are the reference's."
    grave = max(abs(steps) for steps in compared)
    if grave > 1:
        words += f" The largest difference is {grave} steps."
    return words


def _feature_line(feature: FeatureOutcome) -> QLabel:
    mark = "" if feature.bound is None else "✓  " if feature.passed else "✗  "
    label = _wrapped(Colour.TEXT if feature.passed else Colour.WARNING)
    label.setText(f"{mark}{feature.words}.")
    return label


def _wrapped(colour: Colour) -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    colour_text(label, colour)
    return label


def _scrolled(widget: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidget(widget)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area
