"""The slim bar above the films: which case, how far, and the buttons of the image."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from reader_app.operations.read import OpenCase
from reader_app.protocols.model import Arm
from reader_app.reading.worklist import Progress
from reader_app.ui.actions import ActionSet, key_text, spec
from reader_app.ui.message_bar import MessageBar
from reader_app.ui.reading.course import Message, Tone
from reader_app.ui.theme import Colour, colour_text, fill_background, scaled_font

_BUTTONS = (
    ("undo", "redo"),
    ("fit-film", "fit-joint", "zoom-in", "zoom-out"),
    ("window-next", "window-choose", "invert", "overlay-show", "measure", "reset", "export-view"),
    ("box-show", "heatmap-show", "pregrade-show", "pregrade-accept"),
    ("case-previous", "case-next"),
)


class ReadingBar(QWidget):
    """Title at the left, buttons at the right; none of them takes the focus."""

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        fill_background(self, Colour.SURFACE)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 3, 8, 3)
        row.setSpacing(2)
        row.addWidget(actions.button("leave", self))
        self._title = QLabel()
        self._title.setFont(scaled_font(self.font(), 1.1, bold=True))
        self._place = QLabel()
        colour_text(self._place, Colour.MUTED)
        self._place.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addSpacing(6)
        row.addWidget(self._title)
        row.addSpacing(8)
        row.addWidget(self._place, 1)
        for number, group in enumerate(_BUTTONS):
            if number:
                row.addWidget(_line())
            for name in group:
                row.addWidget(actions.button(name, self))

    def show_case(self, title: str, place: str) -> None:
        """Name the case and its place on the worklist."""
        self._title.setText(title)
        self._place.setText(place)

    @property
    def text(self) -> str:
        """Title and place as one line."""
        return f"{self._title.text()} {self._place.text()}".strip()


def place_words(case: OpenCase, progress: Progress) -> str:
    """Return where a case stands on the worklist, and what of the AI it is read with."""
    reading = case.reading
    parts = [f"{reading.place} of {progress.total}", f"{progress.locked} locked"]
    if reading.block:
        parts.append(f"block {reading.block} of {reading.blocks}")
    if reading.second_period:
        parts.append("second period")
    if reading.ai_follows:
        parts.append("first reading, without AI")
    elif reading.first is not None:
        parts.append("second reading, with AI")
    else:
        parts.append(_arm_words(case))
    return ", ".join(parts)


def _arm_words(case: OpenCase) -> str:
    if case.reading.arm is not Arm.AIDED:
        return "read without AI"
    return "read with AI" if case.pregrades else "read with AI, no pre-grade yet"


def show_message(bar: MessageBar, message: Message) -> None:
    """Say something at the foot of the page, as loudly as it is meant."""
    match message.tone:
        case Tone.NOTE:
            bar.say(message.text)
        case Tone.WARNING:
            bar.warn(message.text)
        case Tone.FAULT:
            bar.fault(message.text)


def key_hints(*wanted: tuple[str, str]) -> str:
    """Return the keys of a few actions, each with a word, for the foot of the page."""
    return "   ".join(f"{key_text(spec(name))} {word}" for name, word in wanted)


def view_name(case: OpenCase | None) -> str:
    """Return a name for an exported view: the reader's own number of the case, nothing of the participant."""
    return f"{case.reading.title} view" if case is not None else "view"


def _line() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.VLine)
    line.setFixedHeight(18)
    palette = line.palette()
    palette.setColor(line.foregroundRole(), Colour.LINE.qcolor)
    line.setPalette(palette)
    return line
