"""The panel beside the films: everything in it is made from the protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from reader_app.reading.case import CaseFilm, GradeKey, Joint
from reader_app.reading.pregrade import PreGrade
from reader_app.reading.session import ReadingSession, TrippedCheck
from reader_app.ui.grades.grid import GradeGrid
from reader_app.ui.grades.help import help_html
from reader_app.ui.grades.pregrade_box import PregradeBox, PregradeContent
from reader_app.ui.labels import light_up_when_checked
from reader_app.ui.reading.cursor import columns_of
from reader_app.ui.theme import SPACING, Colour, colour_text, fill_background

PANEL_WIDTH = 392
NARROW_PANEL_WIDTH = 344
MARGIN = SPACING + 4
MOST_WARNINGS = 3
"""Lines; the rest stands in the tool tip."""


@dataclass(frozen=True)
class PanelContent:
    """What the panel shows.

    Attributes
    ----------
    current
        The item that the next key grades.
    pregrades
        Empty while the pre-grade is hidden: then nothing of the AI is drawn.
    note
        Why there is no pre-grade; shown in place of one.
    first
        What the reader had given before the AI appeared, where it is something else now; None where the case
        is not read a second time.
    silent
        Why there is no pre-grade, by what it would grade.
    """

    session: ReadingSession
    film: CaseFilm
    current: GradeKey | None
    pregrades: Mapping[GradeKey, PreGrade]
    note: str
    first: Mapping[GradeKey, int | None] | None = None
    silent: Mapping[GradeKey, str] = field(default_factory=dict)


class GradePanel(QWidget):
    """Grades of the current film, pre-grades, help, warnings and progress.

    Signals
    -------
    graded(GradeKey, int), chosen(GradeKey)
        As of `GradeGrid`.
    film_chosen(int)
        The reader wants to grade another film of the case, by its radiograph id.
    """

    graded = Signal(object, int)
    chosen = Signal(object)
    film_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        fill_background(self, Colour.SURFACE)
        self._wide = False
        self._joints: tuple[Joint, ...] = ()
        self._films: tuple[CaseFilm, ...] = ()
        self.grid = GradeGrid()
        self.grid.graded.connect(self.graded)
        self.grid.chosen.connect(self.chosen)
        self.pregrades = PregradeBox()
        self._build()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, SPACING, MARGIN, SPACING)
        column.setSpacing(SPACING)
        self._progress_text = QLabel()
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setFixedHeight(5)
        self._tabs = QButtonGroup(self)
        self._tab_row = QHBoxLayout()
        self._tab_row.setSpacing(4)
        self._help = _wrapped(Colour.TEXT)
        self._help.setTextFormat(Qt.TextFormat.RichText)
        self._help.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._help_area = QScrollArea()
        self._help_area.setWidget(self._help)
        self._help_area.setWidgetResizable(True)
        self._help_area.setFrameShape(QFrame.Shape.NoFrame)
        self._help_area.setMinimumHeight(0)
        self._help_area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._help_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._warnings = _wrapped(Colour.WARNING)
        self._footer = QHBoxLayout()
        column.addLayout(self._tab_row)
        column.addWidget(self.grid)
        column.addWidget(self.pregrades)
        column.addWidget(self._help_area, 1)
        column.addWidget(self._warnings)
        column.addWidget(self._progress)
        column.addWidget(self._progress_text)
        column.addLayout(self._footer)

    def set_room(self, *, wide: bool, tall: bool) -> None:
        """Adapt to the size of the page: how much the films can spare, and how high the rows may be."""
        self._wide = wide
        self.grid.set_roomy(tall)
        self._fit_width()

    def _fit_width(self) -> None:
        least = PANEL_WIDTH if self._wide else NARROW_PANEL_WIDTH
        self.setFixedWidth(max(least, self.grid.sizeHint().width() + 2 * MARGIN))

    def add_footer(self, buttons: Sequence[QWidget]) -> None:
        """Put the buttons of the case at the foot of the panel."""
        for number, button in enumerate(buttons):
            if number == len(buttons) - 1:
                self._footer.addStretch(1)
            self._footer.addWidget(button)

    # What is shown --------------------------------------------------------------------------------

    def show_content(self, content: PanelContent) -> None:
        """Show the state of a reading; cheap enough for every keystroke."""
        session = content.session
        joints = columns_of(session, content.film)
        self._show_tabs(session, content.film)
        self.grid.show_joints(session, joints)
        self._fit_width()
        self.grid.show_current(content.current)
        self.grid.show_suggestions({key: p.code for key, p in content.pregrades.items()})
        self.grid.show_first(content.first)
        self.grid.show_elsewhere(_elsewhere(session, content.film))
        self._show_pregrades(content, joints)
        self._show_help(content)
        self._show_warnings(session)
        # What lies on an excluded joint is neither given nor missing.
        wanted = sum(session.exclusion(key.joint_id) is None for key in session.keys)
        done = wanted - len(session.open_keys())
        self._progress.setRange(0, max(wanted, 1))
        self._progress.setValue(done if wanted else 1)
        left = f"{done} of {wanted} grades" if wanted else "all joints excluded"
        self._progress_text.setText(f"{left}: locked" if session.locked else left)

    @property
    def note(self) -> str:
        """What is said about missing pre-grades; empty while there is none to be missed."""
        return self.pregrades.note

    @property
    def warnings_text(self) -> str:
        """The cross-checks in words."""
        return self._warnings.text()

    @property
    def progress_text(self) -> str:
        """How much of the case is graded, in words."""
        return self._progress_text.text()

    def chip_texts(self) -> tuple[str, ...]:
        """Return what the chips in sight say, from left to right."""
        return self.pregrades.chip_texts()

    def _show_tabs(self, session: ReadingSession, current: CaseFilm) -> None:
        films = session.case.films
        if films != self._films:
            self._films = films
            for button in self._tabs.buttons():
                self._tabs.removeButton(button)
                self._tab_row.removeWidget(button)
                button.deleteLater()
            for number, film in enumerate(films if len(films) > 1 else ()):
                self._add_tab(number, film)
        still_open = session.open_keys()
        for number, button in enumerate(self._tabs.buttons()):
            film = films[number]
            ids = {joint.id for joint in film.joints}
            left = sum(key.joint_id in ids for key in still_open)
            button.setText(f"{film_title(film, number)}: {f'{left} open' if left else 'done'}")
            button.setChecked(film.radiograph_id == current.radiograph_id)

    def _add_tab(self, number: int, film: CaseFilm) -> None:
        button = QToolButton(self)
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        light_up_when_checked(button)
        button.clicked.connect(lambda: self.film_chosen.emit(film.radiograph_id))
        self._tabs.addButton(button, number)
        self._tab_row.addWidget(button, 1)

    def _show_pregrades(self, content: PanelContent, joints: tuple[Joint, ...]) -> None:
        current = content.current
        items = {key.item for key in content.session.keys}
        shown = current if current is not None and current.item in items else None
        scale = content.session.protocol.item_scale(shown.item) if shown is not None else None
        self.pregrades.show_content(
            PregradeContent(joints, shown, content.pregrades, content.silent, content.note), scale
        )

    def _show_help(self, content: PanelContent) -> None:
        if content.current is None:
            self._help.setText("This film has nothing to be graded.")
            return
        given = content.session.grade(content.current)
        self._help.setText(help_html(content.session.protocol, content.current.item, given))

    def _show_warnings(self, session: ReadingSession) -> None:
        tripped = session.warnings()
        full = [f"{_where(session, each)}: {each.check.message}" for each in tripped]
        brief = [f"{_where(session, each)}: {each.check.title.lower()}" for each in tripped]
        if len(full) > 1:
            more = [f"and {len(brief) - MOST_WARNINGS} more"] if len(brief) > MOST_WARNINGS else []
            self._warnings.setText("\n".join(brief[:MOST_WARNINGS] + more))
        else:
            self._warnings.setText("".join(full))
        self._warnings.setToolTip("\n".join(full))
        self._warnings.setVisible(bool(full))


def _where(session: ReadingSession, tripped: TrippedCheck) -> str:
    joint = session.case.joint(tripped.joint_id)
    if len(session.case.films) == 1:
        return joint.side.label
    film = session.case.film_of(tripped.joint_id)
    return f"{joint.side.label}, {film_title(film, session.case.films.index(film))}"


def film_title(film: CaseFilm, number: int) -> str:
    """Return how a film of several is called: its visit where the reader may know it, else its place."""
    return film.visit or f"Film {number + 1}"


def _elsewhere(session: ReadingSession, film: CaseFilm) -> dict[GradeKey, int]:
    """Return what the reader gave the same side of the neighbouring film, by the keys of this one."""
    films = session.case.films
    if len(films) < 2:
        return {}
    place = films.index(film)
    other = films[place - 1] if place else films[1]
    sides = {joint.side: joint.id for joint in film.joints}
    return {
        GradeKey(sides[joint.side], item): code
        for joint in other.joints
        if joint.side in sides
        for item, code in session.grades_of(joint.id).items()
    }


def _wrapped(colour: Colour) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    colour_text(label, colour)
    return label
