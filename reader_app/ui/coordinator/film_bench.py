"""One film of the study with the tools that correct it; the section around it stores what they find."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from reader_app.errors import ReaderError
from reader_app.imaging.geometry import Box
from reader_app.imaging.pyramid import Pyramid
from reader_app.reading.case import JointSide
from reader_app.ui.film.parts_tool import PartsTool
from reader_app.ui.film.row import FilmRow
from reader_app.ui.film.ruler import Line, LineTool
from reader_app.ui.film.view import FilmLabels, FilmView
from reader_app.ui.film.words import edge_letters, lone_letter
from reader_app.ui.labels import hint
from reader_app.ui.theme import SPACING, Colour, colour_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reader_app.operations.correct_film import Calibration, FilmEntry

USUAL_MARKER_MM = 25.0
LOADING = "Loading the film …"
_CALIBRATE_FIRST = "Draw a line across the marker, from edge to edge: drag, or click both ends."
_SIDES = {
    "R": (JointSide.RIGHT,),
    "L": (JointSide.LEFT,),
    "B": (JointSide.RIGHT, JointSide.LEFT),
}


class FilmBench(QWidget):
    """The film, its tools, and a panel below that belongs to the tool in hand.

    Signals
    -------
    line_changed()
        The line across the marker or the marker's size differs.
    tool_changed()
        Another tool is in hand, or the parts to be boxed out differ.
    """

    line_changed = Signal()
    tool_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.films = FilmRow()
        self.entry: FilmEntry | None = None
        self.marker = QDoubleSpinBox()
        self.marker.setRange(0.1, 999.0)
        self.marker.setDecimals(1)
        self.marker.setValue(USUAL_MARKER_MM)
        self.marker.setSuffix(" mm")
        self.marker.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        self.marker.setAccessibleName("Size of the marker")
        self.marker.setFixedWidth(90)
        self.about = hint()
        self.preview = hint(_CALIBRATE_FIRST)
        self.parts_words = hint()
        self.parts_list = QListWidget()
        self._panel = QStackedWidget()
        self._lay_out()
        self.marker.valueChanged.connect(lambda _mm: self.line_changed.emit())
        self.parts_list.currentRowChanged.connect(self._choose_part)

    # What is shown --------------------------------------------------------------------------------

    @property
    def view(self) -> FilmView | None:
        """The film on the screen."""
        return self.films.current()

    @property
    def unreadable(self) -> bool:
        """Whether a fault stands in place of the film."""
        view = self.view
        return view is not None and view.sentence not in ("", LOADING)

    @property
    def line(self) -> Line | None:
        """The line across the marker, once both ends are set."""
        tool = self._tool()
        done = isinstance(tool, LineTool) and self.calibrating and not tool.under_way
        return tool.line if done and isinstance(tool, LineTool) else None

    @property
    def calibrating(self) -> bool:
        """Whether a line across a marker is being drawn."""
        return self._panel.currentIndex() == 1

    @property
    def parts(self) -> PartsTool | None:
        """The parts that are being drawn; None while that tool is away."""
        tool = self._tool()
        return tool if isinstance(tool, PartsTool) else None

    @property
    def pending(self) -> bool:
        """Whether something was drawn that is neither applied nor forgotten."""
        return self.line is not None or (self.parts is not None and self.parts.pending)

    def show_entry(self, entry: FilmEntry | None) -> None:
        """Make room for a film; its pixels follow with `show_film` or `show_sentence`."""
        self.take_tool(None)
        self.entry = entry
        self.films.show_films(() if entry is None else (entry.radiograph_id,))
        self.about.setText("" if entry is None else about_words(entry))
        view = self.view
        if entry is not None and view is not None:
            view.show_labels(labels_of(entry))
            self.show_loading()

    def update_entry(self, entry: FilmEntry) -> None:
        """Show what is now known of the same film."""
        self.entry = entry
        self.about.setText(about_words(entry))

    def show_film(self, film: Pyramid) -> None:
        """Show the pixels of the film."""
        view = self.view
        if view is not None:
            view.show_film(film)

    def show_loading(self) -> None:
        """Say that the film is on its way."""
        view = self.view
        if view is not None:
            view.show_sentence(LOADING)

    def show_sentence(self, sentence: str) -> None:
        """Say why there are no pixels."""
        view = self.view
        if view is not None:
            view.show_sentence(sentence, fault=True)

    # Tools ----------------------------------------------------------------------------------------

    def calibrate(self, wanted: bool) -> None:
        """Put the line across a marker into the mouse, or away."""
        view = self.view
        if not wanted or view is None or view.radiograph is None:
            self.take_tool(None)
            return
        self.preview.setText(_CALIBRATE_FIRST)
        colour_text(self.preview, Colour.MUTED)
        self.take_tool(LineTool(view, self._line_drawn), panel=1)

    def box_out(self, wanted: bool) -> None:
        """Put the rectangles into the mouse, or away."""
        view = self.view
        if not wanted or view is None or view.radiograph is None or self.entry is None:
            self.take_tool(None)
            return
        self.take_tool(PartsTool(view, self.entry.box_outs, self._parts_changed), panel=2)
        self._parts_changed()

    def take_tool(self, tool: LineTool | PartsTool | None, *, panel: int = 0) -> None:
        """Put a tool in hand; what was drawn with the one before is forgotten."""
        view = self.view
        if view is not None:
            view.measure(False)
            view.use_tool(tool)
        self._panel.setCurrentIndex(panel if view is not None else 0)
        self.tool_changed.emit()

    def show_proposal(self, line: Line, marker_mm: float, found: Calibration) -> None:
        """Say what the line would come to; a line that was drawn anew since has an answer of its own."""
        if line == self.line and marker_mm == self.marker.value():
            size = found.spacing.column_mm or 0.0
            text = f"This makes {size:.3f} mm a pixel.  Enter gives it to the film, Esc forgets it."
            self.preview.setText("  ".join((*found.notes, text)))
            colour_text(self.preview, Colour.WARNING if found.notes else Colour.TEXT)

    def show_doubt(self, fault: ReaderError) -> None:
        """Say why the line comes to nothing."""
        if self.calibrating:
            self.preview.setText(str(fault))
            colour_text(self.preview, Colour.DANGER)

    def remove_part(self) -> str:
        """Remove the marked part, else the last one drawn; return why not."""
        tool = self.parts
        if tool is None or not tool.parts or self.entry is None:
            return ""
        place = tool.chosen if tool.chosen is not None else len(tool.parts) - 1
        if self.entry.copied and tool.parts[place] in tool.before:
            return "This part is blanked in the study's own copy of the film and cannot come back."
        tool.remove(place)
        return ""

    def _tool(self) -> object:
        view = self.view
        return view.tool if view is not None else None

    def _line_drawn(self, _line: Line) -> None:
        self.marker.setFocus()
        self.marker.selectAll()
        self.line_changed.emit()

    def _parts_changed(self) -> None:
        tool = self.parts
        if tool is None or self.entry is None:
            return
        self.parts_list.blockSignals(True)
        self.parts_list.clear()
        self.parts_list.addItems(part_words(tool.parts, tool.before))
        self.parts_list.setCurrentRow(tool.chosen if tool.chosen is not None else -1)
        self.parts_list.blockSignals(False)
        self.parts_words.setText(box_out_words(self.entry, pending=tool.pending))
        colour_text(self.parts_words, Colour.WARNING if tool.pending else Colour.MUTED)
        self.tool_changed.emit()

    def _choose_part(self, row: int) -> None:
        if self.parts is not None:
            self.parts.choose(row)

    def _lay_out(self) -> None:
        self.preview.setMinimumWidth(160)
        calibration = QHBoxLayout()
        calibration.setContentsMargins(0, 0, 0, 0)
        label = QLabel("Marker")
        label.setBuddy(self.marker)
        calibration.addWidget(label)
        calibration.addWidget(self.marker)
        calibration.addSpacing(SPACING)
        calibration.addWidget(self.preview, 1)
        parts = QHBoxLayout()
        parts.setContentsMargins(0, 0, 0, 0)
        self.parts_list.setFixedWidth(210)
        self.parts_list.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.parts_list.setAccessibleName("Parts boxed out")
        parts.addWidget(self.parts_list)
        parts.addWidget(self.parts_words, 1)
        about = QHBoxLayout()
        about.setContentsMargins(0, 0, 0, 0)
        about.addWidget(self.about)
        for content in (about, calibration, parts):
            inside = QWidget()
            inside.setLayout(content)
            self._panel.addWidget(inside)
        self._panel.setFixedHeight(4 * self.fontMetrics().lineSpacing() + SPACING)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING // 2)
        column.addLayout(self._buttons)
        column.addWidget(self.films, 1)
        column.addWidget(self._panel)

    def add_buttons(self, left: Sequence[QToolButton], right: Sequence[QToolButton]) -> None:
        """Set the buttons above the film."""
        for button in left:
            self._buttons.addWidget(button)
        self._buttons.addStretch()
        for button in right:
            self._buttons.addWidget(button)


def labels_of(entry: FilmEntry) -> FilmLabels:
    """Return what is written around a film for the coordinator."""
    joints = [(side, None) for side in _SIDES.get(entry.laterality, ())]
    title = "  ·  ".join(part for part in (entry.participant, entry.visit) if part)
    return FilmLabels(title, edge_letters(joints), lone_letter(joints), entry.phantom)


_TEXT_WORDS = {
    True: "The file says that text is burned in",
    False: "The file says that no text is burned in",
    None: "The file does not say whether text is burned in",
}


def about_words(entry: FilmEntry) -> str:
    """Return what is known of a film and what was done about it."""
    said = [_TEXT_WORDS[entry.burned_in] + ("; somebody has looked" if entry.text_checked else "")]
    said.append(entry.spacing_reason.rstrip("."))
    if entry.inverse_polarity is not None:
        said.append(f"Its polarity is set to {'inverse' if entry.inverse_polarity else 'upright'}")
    said.append("The study has its own copy" if entry.copied else "The file stays where it is")
    return ".  ".join(said) + "."


def part_words(parts: Sequence[Box], before: Sequence[Box]) -> list[str]:
    """Return a line for each part: its number, its size, whether it is new."""
    return [
        f"{number}   {box.width:.0f} × {box.height:.0f} px{'' if box in before else '   new'}"
        for number, box in enumerate(parts, start=1)
    ]


def box_out_words(entry: FilmEntry, *, pending: bool) -> str:
    """Return what to do, and before anything is applied what that means for the film's file."""
    if not pending:
        return "Drag over what must not be seen.  A click chooses a part, Delete removes it, Esc ends."
    if entry.copied:
        return (
            "Enter blanks these parts in the study's own copy of the film.  That is final: they cannot come "
            "back.  Delete removes the marked one, Esc forgets them."
        )
    return (
        "Enter blacks these parts out for everybody.  The file itself stays as it is, so they can be taken "
        "back here.  Delete removes the marked one, Esc forgets them."
    )
