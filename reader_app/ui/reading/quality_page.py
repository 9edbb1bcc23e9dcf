"""Quality checks: films that somebody could not grade, one after the other, to be confirmed or rejected.

It shows the film and the reason, nothing else: not who gave it, not what was graded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.actions import ActionSet, Place, key_text, spec
from reader_app.ui.background import Job, Operation
from reader_app.ui.film import words as film_words
from reader_app.ui.film.commands import FilmCommands
from reader_app.ui.film.labels import FilmLabels
from reader_app.ui.film.row import FilmRow
from reader_app.ui.labels import hint
from reader_app.ui.message_bar import MessageBar
from reader_app.ui.theme import SPACING, Colour, colour_text, fill_background, scaled_font

if TYPE_CHECKING:
    from reader_app.imaging.pyramid import Pyramid
    from reader_app.operations.exclusions import QualityQuestion
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor

SETTLE_MILLISECONDS = 400
"""An answer cannot be taken back: a key that comes sooner was meant for the film before."""
LOADING = "Loading the film …"
_BUTTONS = (
    "fit-film",
    "zoom-in",
    "zoom-out",
    "window-next",
    "window-choose",
    "invert",
    "overlay-show",
    "measure",
    "reset",
)


class QualityPage(QWidget):
    """Asks about one film after the other.

    Parameters
    ----------
    settle_milliseconds
        For how long a film that comes into sight takes no answer.

    Signals
    -------
    left()
        The reader wants to go back to the worklist.
    finished()
        Nothing is left to be asked.
    failed(ReaderError)
        Something went wrong.
    """

    left = Signal()
    finished = Signal()
    failed = Signal(object)

    def __init__(self, study: Study, actor: Actor, *, settle_milliseconds: int = SETTLE_MILLISECONDS) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._study = study
        self._actor = actor
        self._questions: tuple[QualityQuestion, ...] = ()
        self._answered = 0
        self._storing = False
        self._ready = False
        self._settle = QTimer(self, singleShot=True, interval=settle_milliseconds)
        self._settle.timeout.connect(self._arrive)
        self.films = FilmRow()
        self.message = MessageBar()
        self.words = QLineEdit()
        self.image = FilmCommands(self.films)
        self.commands = ActionSet(self, Place.QUALITY, self._handlers())
        self.image.follow(self.commands)
        self._title = QLabel()
        self._question = QLabel()
        self._about = hint()
        self._lay_out()
        keys = (("quality-confirm", "confirm"), ("quality-reject", "reject"), ("keys", "all keys"))
        self.message.hint("   ".join(f"{key_text(spec(name))} {word}" for name, word in keys))
        self.image.said.connect(self.message.say)
        self.image.failed.connect(self._tell)
        self.words.returnPressed.connect(self._send_rejection)

    @property
    def question(self) -> QualityQuestion | None:
        """What is being asked; None while nothing is."""
        return self._questions[0] if self._questions else None

    @property
    def ready(self) -> bool:
        """Whether an answer is taken: the film is in sight and nothing is being stored."""
        return self._ready and not self._storing

    @property
    def sentence(self) -> str:
        """The question in words."""
        return self._question.text()

    def start(self) -> None:
        """Ask what waits now."""
        self._answered = 0
        self._fetch()
        self.setFocus()

    def leave(self) -> None:
        """Put the film away."""
        self._ready = False
        self._settle.stop()
        self._questions = ()
        self.films.show_films(())

    # What the reader does -------------------------------------------------------------------------

    def confirm(self) -> None:
        """Say that the film cannot be graded."""
        self._answer(confirmed=True, note="")

    def reject(self) -> None:
        """Say that the film can be graded; first in a word why."""
        if self._may_answer():
            self.words.setVisible(True)
            self.words.setFocus()
            self.message.say("What can be seen on it? Enter sends it, Esc goes back.")

    def _send_rejection(self) -> None:
        if not self.words.text().strip():
            self.message.warn("A word is needed: what can be seen on the film?")
            return
        self._answer(confirmed=False, note=self.words.text())

    def _give_up_words(self) -> None:
        self._hide_words()
        self.message.clear()

    def _leave(self) -> None:
        """Give up the word, else put the ruler away, or else go back to the list."""
        if self.words.isVisible():
            self._give_up_words()
        elif not self.image.end_tool():
            self.left.emit()

    def _may_answer(self) -> bool:
        if self.ready:
            return True
        if self.question is not None and not self._storing:
            self.message.say("That key was not taken: the film is not yet in sight.")
        return False

    def _answer(self, *, confirmed: bool, note: str) -> None:
        question = self.question
        if question is None or not self._may_answer():
            return
        self._storing = True

        def work(_job: Job) -> None:
            from reader_app.operations import exclusions

            exclusions.save_check(self._study, self._actor, question, confirmed=confirmed, note=note)

        Operation(work).success(lambda _none: self._next()).failure(self._tell).done(self._stored).run(self)

    def _stored(self) -> None:
        self._storing = False

    def _next(self) -> None:
        self._answered += 1
        self._hide_words()
        # Asked again: somebody may have answered meanwhile, or another film may have come.
        self._fetch()

    # What is shown --------------------------------------------------------------------------------

    def _fetch(self) -> None:
        self._ready = False

        def work(_job: Job) -> tuple[QualityQuestion, ...]:
            from reader_app.operations import exclusions

            return exclusions.waiting(self._study, self._actor)

        Operation(work).success(self._show).failure(self._tell).run(self)

    def _show(self, questions: tuple[QualityQuestion, ...]) -> None:
        self._questions = questions
        if not questions:
            self.films.show_films(())
            self.finished.emit()
            return
        question = questions[0]
        self._title.setText(f"Quality check {self._answered + 1} of {self._answered + len(questions)}")
        self._question.setText(f"A reader found it impossible to grade: {question.reason}")
        self._about.setText(
            f"{question.where}. Look for yourself: if it cannot be graded it is excluded, else the "
            "adjudicator grades it. The answer cannot be taken back."
        )
        self.message.clear()
        film = question.film
        self.films.show_films((film.radiograph_id,))
        view = self.films.view(film.radiograph_id)
        places = [(joint.side, None) for joint in film.joints]
        view.show_labels(
            FilmLabels("", film_words.edge_letters(places), film_words.lone_letter(places), film.phantom)
        )
        view.show_sentence(LOADING)

        def work(_job: Job) -> Pyramid:
            from reader_app.operations import exclusions

            return exclusions.pyramid(self._study, self._actor, question)

        (
            Operation(work)
            .success(lambda pixels: self._show_film(question, pixels))
            .failure(lambda fault: self._show_fault(question, fault))
            .run(self)
        )

    def _show_film(self, question: QualityQuestion, pixels: Pyramid) -> None:
        # The reader may have left, or gone on, while it was loading.
        if question is self.question:
            self.films.view(question.radiograph_id).show_film(pixels)
            self._settle.start()

    def _show_fault(self, question: QualityQuestion, fault: ReaderError) -> None:
        if question is self.question:
            view = self.films.view(question.radiograph_id)
            view.show_sentence(f"{fault.what}\n\n{fault.next_step}", fault=True)

    def _arrive(self) -> None:
        self._ready = True
        self.message.clear()

    def _tell(self, fault: ReaderError) -> None:
        self.message.fault(f"{fault.what} {fault.next_step}".strip())

    def _hide_words(self) -> None:
        self.words.clear()
        self.words.setVisible(False)
        self.setFocus()

    def _handlers(self) -> dict[str, Callable[..., object]]:
        return {
            **self.image.handlers(),
            "quality-confirm": self.confirm,
            "quality-reject": self.reject,
            "leave": self._leave,
        }

    def _lay_out(self) -> None:
        self._title.setFont(scaled_font(self.font(), 1.1, bold=True))
        self._question.setFont(scaled_font(self.font(), 1.25, bold=True))
        for label in (self._title, self._question):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._question.setWordWrap(True)
        self.words.setPlaceholderText("In a word: what can be seen on it")
        self.words.setMaxLength(500)
        self.words.setVisible(False)
        head = QWidget()
        fill_background(head, Colour.SURFACE)
        bar = QHBoxLayout(head)
        bar.setContentsMargins(6, 3, 8, 3)
        bar.setSpacing(2)
        bar.addWidget(self.commands.button("leave", head))
        bar.addSpacing(6)
        bar.addWidget(self._title, 1)
        for name in _BUTTONS:
            bar.addWidget(self.commands.button(name, head))
        foot = QWidget()
        fill_background(foot, Colour.SURFACE)
        colour_text(self._about, Colour.MUTED)
        said = QVBoxLayout()
        said.addWidget(self._question)
        said.addWidget(self._about)
        said.addWidget(self.words)
        below = QHBoxLayout(foot)
        below.setContentsMargins(2 * SPACING, SPACING, 2 * SPACING, SPACING)
        below.setSpacing(2 * SPACING)
        below.addLayout(said, 1)
        for name in ("quality-confirm", "quality-reject"):
            button = self.commands.button(name, foot, text=True)
            button.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
            below.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(head)
        column.addWidget(self.films, 1)
        column.addWidget(foot)
        column.addWidget(self.message)
