"""The parent's end of the process that holds the networks: started, asked, given up, reaped."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable
from enum import StrEnum
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from reader_app.ai.worker_process import Answer, Question, Ready, Refused, Setup, StartFailed, serve
from reader_app.errors import AiUnavailable

_GOODBYE_SECONDS = 2.0


class WorkerEvent(StrEnum):
    """What a listener is told."""

    STARTED = "started"
    READY = "ready"
    GRADING = "grading"
    LOST = "lost"
    TIMED_OUT = "timed-out"
    NOTED = "noted"
    STOPPED = "stopped"


Listener = Callable[[WorkerEvent], None]
"""Called on the worker's thread; must not block."""


def nobody(event: WorkerEvent) -> None:
    """Tell nobody."""


class Lost(Exception):
    """The process is gone or silent, or could not do it; carries what to tell of who was alone with it."""

    def __init__(self, what: str, next_step: str, note: str = "") -> None:
        self.what, self.next_step, self.note = what, next_step, note
        super().__init__(what)


class Closing(Exception):
    """The worker is being closed."""


class WorkerHandle:
    """One process at a time, spawned when it is needed.

    Parameters
    ----------
    setup
        What it loads.
    start_seconds
        How long loading may take.
    listener
        Told of the process's life.
    """

    def __init__(self, setup: Setup, *, start_seconds: float, listener: Listener) -> None:
        self._setup, self._start_seconds, self._listener = setup, start_seconds, listener
        self._context = multiprocessing.get_context("spawn")
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._wake, self._woken = self._context.Pipe(duplex=False)

    @property
    def process_id(self) -> int | None:
        """The process that there is now, None while there is none."""
        process = self._process
        return None if process is None else process.pid

    def interrupt(self) -> None:
        """End a wait for an answer at once, from another thread; only `close` may follow."""
        self._woken.close()

    def close(self) -> None:
        """End the process, if there is one, and what was held for it."""
        self.stop(politely=True)
        self._wake.close()

    def ask(self, question: Question, seconds: float) -> Answer:
        """Have a question answered, by a new process if there is none.

        Raises
        ------
        Lost
            The process crashed, was silent for longer than `seconds`, or could not answer.
        AiUnavailable
            The process cannot be started at all.
        Closing
            `interrupt` was called.
        """
        pipe = self._running_pipe()
        try:
            pipe.send(question)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise self._lost() from error
        self._listener(WorkerEvent.GRADING)
        answer = self._receive(pipe, seconds)
        if isinstance(answer, Refused):
            if not answer.goes_on:
                self.stop(politely=True)
            raise Lost(answer.what, answer.next_step)
        return answer

    def stop(self, *, politely: bool) -> None:
        """End the process, if there is one, and reap it."""
        process, pipe = self._process, self._pipe
        self._process = self._pipe = None
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()  # an idle process ends by itself when its pipe does
        if process is None:
            return
        if politely:
            process.join(_GOODBYE_SECONDS)
        if process.is_alive():
            process.kill()
        process.join()
        process.close()

    def _running_pipe(self) -> Connection:
        """Return the pipe to a process that has the networks loaded; start one if there is none."""
        if self._process is not None and self._process.is_alive() and self._pipe is not None:
            return self._pipe
        self.stop(politely=False)
        self._pipe, other = self._context.Pipe()
        self._process = self._context.Process(
            target=serve, args=(other, self._setup), name="reader-app AI", daemon=True
        )
        self._process.start()
        other.close()  # so that the end of the process is the end of the pipe
        self._listener(WorkerEvent.STARTED)
        try:
            answer = self._receive(self._pipe, self._start_seconds)
        except Lost as fault:
            raise AiUnavailable(
                f"The AI could not be started: {fault.what}", "Look into the log; reading works without it."
            ) from fault
        if isinstance(answer, StartFailed):
            self.stop(politely=True)
            raise AiUnavailable(answer.what, answer.next_step)
        if not isinstance(answer, Ready):
            raise self._lost()
        self._listener(WorkerEvent.READY)
        return self._pipe

    def _receive(self, pipe: Connection, seconds: float) -> Answer:
        """Wait for an answer, the end of the process, the time-out, or the closing of this worker."""
        ready = wait([pipe, self._wake], seconds)
        if self._wake in ready:
            self.stop(politely=False)
            raise Closing
        if not ready:
            self.stop(politely=False)
            self._listener(WorkerEvent.TIMED_OUT)
            raise Lost(
                f"The AI did not answer within {seconds:g} seconds and was restarted.",
                "Grade this joint by hand.",
                f"the AI did not answer within {seconds:g} seconds",
            )
        try:
            answer: Answer = pipe.recv()
        except (EOFError, ConnectionResetError) as error:
            raise self._lost() from error
        return answer

    def _lost(self) -> Lost:
        """Clear up after a crash."""
        process = self._process
        if process is not None:
            process.join(_GOODBYE_SECONDS)
        code = None if process is None else process.exitcode
        self.stop(politely=False)
        self._listener(WorkerEvent.LOST)
        return Lost(
            f"The AI process ended while it graded this joint (exit code {code}); a new one takes over.",
            "Grade this joint by hand, or pre-grade it again.",
            f"the AI process ended (exit code {code})",
        )
