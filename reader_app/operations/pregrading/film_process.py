"""Films read and cut in a process of their own: the window's interpreter is not kept busy by decoding."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from reader_app.ai.bundle import Bundle
from reader_app.ai.film_image import PreparedFilm
from reader_app.ai.pipeline import PreparedJoint
from reader_app.errors import ImageError, ReaderError
from reader_app.imaging.spacing import Spacing
from reader_app.operations.pregrading.film_task import DirectReader, FilmTask, PlacedJoint

NICENESS = 5
SECONDS = 120.0
"""For one film: to prove it, decode it and reduce it."""

_GOODBYE_SECONDS = 2.0


@dataclass(frozen=True)
class _Unreadable:
    what: str
    next_step: str


def serve_films(connection: Connection, bundle: Bundle) -> None:
    """Answer tasks with reduced films and placed joints with crops, until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it closes the pipe
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(NICENESS)
    reader = DirectReader(bundle)
    with connection, contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            question = connection.recv()
            try:
                answer: object = (
                    reader.open(question) if isinstance(question, FilmTask) else reader.cut(question)
                )
            except ReaderError as fault:
                answer = _Unreadable(fault.what, fault.next_step)
            except MemoryError:
                answer = _Unreadable(
                    "The memory does not suffice to read this film.", "Close other programs and try again."
                )
            connection.send(answer)


class ProcessReader:
    """The parent's end; a process that is lost costs one film, the next film starts another."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._context = multiprocessing.get_context("spawn")
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None

    @property
    def process_id(self) -> int | None:
        """The process that reads, None while there is none."""
        return None if self._process is None else self._process.pid

    def open(self, task: FilmTask) -> tuple[PreparedFilm, Spacing]:
        """Read a film; raises like `FilmReader.open`."""
        prepared, spacing = self._ask(task)
        return prepared, spacing

    def cut(self, placed: tuple[PlacedJoint, ...]) -> tuple[PreparedJoint | str, ...]:
        """Cut joints out of the film.

        Raises
        ------
        ImageError
            The process was lost.
        """
        found: tuple[PreparedJoint | str, ...] = self._ask(placed)
        return found

    def close(self) -> None:
        """End the process and wait until it is gone."""
        process, pipe = self._process, self._pipe
        self._process = self._pipe = None
        if pipe is not None:
            pipe.close()
        if process is not None:
            process.join(_GOODBYE_SECONDS)
            if process.is_alive():
                process.kill()
            process.join()
            process.close()

    def _ask(self, question: object) -> Any:
        pipe = self._running_pipe()
        try:
            pipe.send(question)
            if not pipe.poll(SECONDS):
                self._kill()
                raise ImageError(f"The film takes longer than {SECONDS:g} s to read.", "Check its file.")
            answer = pipe.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError) as error:
            self._kill()
            raise ImageError(
                "The process that read this film ended.", "Start again; what is done stays done."
            ) from error
        if isinstance(answer, _Unreadable):
            raise ImageError(answer.what, answer.next_step)
        return answer

    def _running_pipe(self) -> Connection:
        if self._pipe is None:
            self._pipe, other = self._context.Pipe()
            self._process = self._context.Process(
                target=serve_films, args=(other, self._bundle), name="reader-app film reader", daemon=True
            )
            self._process.start()
            other.close()  # so that the end of the process is the end of the pipe
        return self._pipe

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
        self.close()
