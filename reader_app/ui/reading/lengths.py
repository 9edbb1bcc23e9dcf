"""Keeps what the ruler measures with the reading, and shows what was kept upon its films."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtGui import QCursor

from reader_app.operations.read import OpenCase
from reader_app.reading.commands import KeepMeasurement, RemoveMeasurement
from reader_app.ui.film import words as film_words
from reader_app.ui.film.kept_lines import KeptLine
from reader_app.ui.film.row import FilmRow
from reader_app.ui.film.ruler import Line
from reader_app.ui.film.view import FilmView
from reader_app.ui.reading.course import Message, Tone
from reader_app.ui.reading.flow import ReadingFlow

NO_LINE = "There is no line to keep: draw one with the ruler (M) first."
NO_LENGTH = "No length is kept on this film."


class CaseLengths:
    """The kept lengths of the case in sight.

    Parameters
    ----------
    films
        Where they are drawn and shown.
    flow
        What stores them.
    """

    def __init__(self, films: FilmRow, flow: ReadingFlow) -> None:
        self._films = films
        self._flow = flow

    def handlers(self) -> dict[str, Callable[..., object]]:
        """Return what each action does, by its id in the table of actions."""
        return {"measure-keep": self.keep, "measure-remove": self.remove}

    def show(self, open_case: OpenCase) -> None:
        """Draw the kept lengths upon their films."""
        measurements = open_case.session.measurements
        for film in open_case.case.films:
            self._films.view(film.radiograph_id).kept.show(
                [
                    KeptLine(number, Line(kept.start, kept.end), film_words.words_of(kept.measurement))
                    for number, kept in measurements.items()
                    if kept.radiograph_id == film.radiograph_id
                ]
            )

    def keep(self) -> None:
        """Keep the line of the ruler; the ruler stays in hand for the next one."""
        drawn = list(self._drawn())
        if not drawn:
            self._flow.said.emit(Message(NO_LINE, Tone.WARNING))
        for radiograph_id, view, line in drawn:
            film = view.radiograph
            if film is None:
                continue
            wanted = KeepMeasurement(radiograph_id, line.start, line.end, film.header.spacing)
            if self._flow.change_lengths(wanted):
                view.tool.abandon()
                self._flow.said.emit(Message("The length is kept with the reading; Shift+K takes it away."))

    def remove(self) -> None:
        """Take the kept length under the mouse away, or else the one that was kept last on this film."""
        view = self._films.current()
        lines = view.kept.lines if view is not None else ()
        if view is None or not lines:
            self._flow.said.emit(Message(NO_LENGTH))
            return
        under_mouse = view.kept.at(view.mapFromGlobal(QCursor.pos()).toPointF())
        wanted = under_mouse or max(lines, key=lambda kept: kept.number)
        self._flow.change_lengths(RemoveMeasurement(wanted.number))

    def _drawn(self) -> Iterator[tuple[int, FilmView, Line]]:
        """Give the films on which a line of the ruler is finished."""
        case = self._flow.case
        for film in case.case.films if case is not None else ():
            view = self._films.view(film.radiograph_id)
            if view.ruler is not None and view.ruler.length > 0:
                yield film.radiograph_id, view, view.ruler
