"""The picture of a film that is about to be imported, decoded in a process of its own.

Nobody vouches for such a file yet: what it does to a decoder must cost the picture, not the window.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from reader_app.errors import ImageError, ReaderError
from reader_app.imaging.files import read_radiograph
from reader_app.imaging.prefetch import Prefetcher
from reader_app.imaging.pyramid import Pyramid
from reader_app.imaging.radiograph import Radiograph
from reader_app.imaging.workers import FileWorkers
from reader_app.reading.case import JointSide
from reader_app.ui.background import Operation
from reader_app.ui.film.view import FilmLabels, FilmView
from reader_app.ui.film.words import edge_letters, lone_letter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reader_app.operations.plan_import import PlannedFilm

STILL_MILLISECONDS = 60
"""A film is decoded once the mark has stood on it for this long: a held key flies over the others."""
LOADING = "Loading the film …"
NOTHING = "Mark a film to see it."
_BUDGET = 256 << 20
_SIDES = {"R": (JointSide.RIGHT,), "L": (JointSide.LEFT,), "B": (JointSide.RIGHT, JointSide.LEFT)}


class ForeignFilms:
    """Reads files that are not vouched for, one at a time and in another process; keeps the last ones.

    The process is started by one thread that lives as long: on some systems it ends with the thread that
    started it.
    """

    def __init__(self) -> None:
        self._workers: FileWorkers[Radiograph] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="foreign film")
        self._lock = Lock()
        self._closed = False
        self.shelf: Prefetcher[Path, Pyramid] = Prefetcher(self._load, budget_bytes=_BUDGET)

    def close(self) -> None:
        """Drop all films, end the process and the threads; waits for what is being decoded."""
        self.shelf.close()
        with self._lock:
            self._closed = True
            self._thread.submit(self._end)
        self._thread.shutdown()

    def _load(self, path: Path) -> Pyramid:
        with self._lock:
            if self._closed:
                raise ImageError("The films were put away.", "Open the page again.")
            reading = self._thread.submit(self._read, path)
        return Pyramid(reading.result())

    def _read(self, path: Path) -> Radiograph:
        if self._workers is None:
            self._workers = FileWorkers(read_radiograph, workers=1)
        (result,) = self._workers.map([path])
        if result.value is None:
            raise ImageError(result.fault, result.next_step)
        return result.value

    def _end(self) -> None:
        if self._workers is not None:
            self._workers.close()
            self._workers = None


class PlanFilm(QWidget):
    """Shows the marked film with the side that it will be imported with."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = FilmView()
        self.view.setAccessibleName("The marked film")
        self._film: PlannedFilm | None = None
        self._near: Sequence[Path] = ()
        self._films: ForeignFilms | None = None
        self._still = QTimer(self, singleShot=True, interval=STILL_MILLISECONDS)
        self._still.timeout.connect(self._load)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self.show_film(None)

    def show_film(self, film: PlannedFilm | None, *, near: Sequence[Path] = ()) -> None:
        """Show a film as soon as it is decoded, and decode those near it ahead of time."""
        before, self._film, self._near = self._film, film, near
        if film is None:
            self._still.stop()
            self.view.show_labels(FilmLabels())
            self.view.show_sentence(NOTHING)
            return
        self._label(film)
        if before is not None and before.path == film.path and self.view.radiograph is not None:
            return
        try:
            ready = self._films.shelf.kept(film.path) if self._films is not None else None
        except ReaderError as fault:
            self._show_fault(film.path, fault)
            return
        if ready is not None:
            self._show(film.path, ready)
        else:
            self.view.show_sentence(LOADING)
            self._still.start()

    def leave(self) -> None:
        """Let go of the films; to be called before the widget is thrown away."""
        self._still.stop()
        films, self._films = self._films, None
        if films is not None:
            Operation(lambda _job: films.close()).run(self.window())

    def _load(self) -> None:
        film = self._film
        if film is None:
            return
        if self._films is None:
            self._films = ForeignFilms()
        shelf, path = self._films.shelf, film.path
        (
            Operation(lambda _job: shelf.get(path))
            .success(lambda pixels: self._show(path, pixels))
            .failure(lambda fault: self._show_fault(path, fault))
            .run(self)
        )

    def _show(self, path: Path, pixels: Pyramid) -> None:
        # The coordinator may have gone on while it was decoded.
        if self._film is None or self._film.path != path or self._films is None:
            return
        self.view.show_film(pixels)
        self._films.shelf.prefetch((path, *self._near))

    def _show_fault(self, path: Path, fault: ReaderError) -> None:
        if self._film is not None and self._film.path == path:
            self.view.show_sentence(f"{fault.what}\n\n{fault.next_step}", fault=True)

    def _label(self, film: PlannedFilm) -> None:
        joints = [(side, None) for side in _SIDES.get(film.side, ())]
        self.view.show_labels(
            FilmLabels(
                title=film.participant,
                edges=edge_letters(joints),
                lone=lone_letter(joints),
            )
        )
