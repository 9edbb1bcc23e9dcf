"""Asks whether the screen shows all of a test pattern, before films are read on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.actions import ActionSet, Place, key_text, spec
from reader_app.ui.background import Job, Operation
from reader_app.ui.display.display_pattern import STEPS, DisplayPattern
from reader_app.ui.display.screen_facts import screen_facts
from reader_app.ui.labels import heading, hint
from reader_app.ui.theme import SPACING, Colour, fill_background

_WORDS = (
    f"Do you see all {STEPS} steps of gray, four patches within black and four within white, every single "
    "line, and four corners of the same gray? If not, look at the brightness of the screen and at lamps "
    "that it mirrors; you may read all the same, and the coordinator is told."
)


class DisplayCheck(QWidget):
    """The pattern, the question, and two keys to answer it.

    Parameters
    ----------
    save
        Keeps the answer with what is known of the screen; called in a thread of its own.

    Signals
    -------
    answered(bool)
        Whether all of it was seen; the answer is stored.
    failed(ReaderError)
        The answer could not be stored; the question stands.
    """

    answered = Signal(bool)
    failed = Signal(object)

    def __init__(
        self, save: Callable[[bool, Mapping[str, object]], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        fill_background(self, Colour.SURFACE)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._save = save
        self._saving = False
        self.pattern = DisplayPattern()
        self.commands = ActionSet(
            self,
            Place.DISPLAY,
            {
                "display-seen": lambda: self.answer(seen=True),
                "display-unseen": lambda: self.answer(seen=False),
            },
        )
        for name in ("display-seen", "display-unseen"):
            self.commands[name].setIconText(f"{spec(name).title} ({key_text(spec(name))})")
        self._lay_out()

    @property
    def screen_name(self) -> str:
        """Name of the screen that the pattern is on."""
        return str(screen_facts(self).get("name", ""))

    def answer(self, *, seen: bool) -> None:
        """Store the answer; a second key meanwhile does nothing."""
        if self._saving:
            return
        self._saving = True
        screen = screen_facts(self)

        def work(_job: Job) -> None:
            self._save(seen, screen)

        Operation(work).success(lambda _none: self.answered.emit(seen)).failure(self._tell).done(
            self._go_on
        ).run(self)

    def _tell(self, fault: ReaderError) -> None:
        self.failed.emit(fault)

    def _go_on(self) -> None:
        self._saving = False

    def _lay_out(self) -> None:
        foot = QHBoxLayout()
        foot.setContentsMargins(2 * SPACING, SPACING, 2 * SPACING, SPACING)
        foot.setSpacing(2 * SPACING)
        words = QVBoxLayout()
        words.addWidget(heading("The screen", factor=1.2))
        words.addWidget(hint(_WORDS))
        foot.addLayout(words, 1)
        foot.addWidget(self.commands.button("display-unseen", self, text=True))
        foot.addWidget(self.commands.button("display-seen", self, text=True))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.pattern, 1)
        column.addLayout(foot)
