"""The parent's end of one process that reads files."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reader_app.errors import MissingPart
from reader_app.imaging.worker_child import READY, Limits, serve

_START_SECONDS = 120.0  # a cold disk and a busy machine; the usual is a tenth of a second
_GOODBYE_SECONDS = 2.0


@dataclass(frozen=True, order=True)
class Job:
    """One file that is to be read.

    Parameters
    ----------
    number
        Its place in the order of results.
    path
        The file.
    again
        Took a process with it that had read other files before: it goes to a fresh one now, so that it is
        not blamed for what another file did.
    """

    number: int
    path: Path
    again: bool = False


class Gone(Exception):
    """The process has ended; carries its exit code, negative for a signal."""

    def __init__(self, code: int | None) -> None:
        self.code = code
        super().__init__(code)

    @property
    def timed_out(self) -> bool:
        """Whether the process ended itself because the file took too long."""
        return self.code == -getattr(signal, "SIGALRM", 0)

    @property
    def words(self) -> str:
        """Name of the signal or the exit code."""
        if self.code is not None and self.code < 0:
            with contextlib.suppress(ValueError):
                return signal.Signals(-self.code).name
        return f"exit code {self.code}"


class WorkerHandle:
    """One spawned process and what it has been given to read.

    Parameters
    ----------
    pickled_task, limits
        As for `serve`.

    Raises
    ------
    MissingPart
        The system does not start another process.
    """

    def __init__(self, pickled_task: bytes, limits: Limits) -> None:
        context = multiprocessing.get_context("spawn")
        self._limits = limits
        self._ready = False
        self.jobs: deque[Job] = deque()
        self.finished = 0
        self._since = time.monotonic()
        try:
            self.pipe, other = context.Pipe()
            self._process = context.Process(
                target=serve, args=(other, pickled_task, limits), name="reader-app file reader", daemon=True
            )
            self._process.start()
        except OSError as error:
            raise _not_started(str(error.strerror or error)) from error
        other.close()  # so that the end of the process is the end of the pipe

    @property
    def pid(self) -> int | None:
        """The process's number."""
        return self._process.pid

    @property
    def deadline(self) -> float:
        """When the process is to be given up if nothing is heard of it (monotonic clock)."""
        return self._since + (self._limits.seconds if self._ready else _START_SECONDS)

    def give(self, jobs: Sequence[Job]) -> None:
        """Hand files over to a process that has none.

        Raises
        ------
        Gone
            The process has ended in the meantime.
        MissingPart
            It has ended before it was ready for the first file.
        """
        assert not self.jobs, "a process that writes may not be written to: both would wait for ever"
        self.jobs.extend(jobs)
        if self._ready:
            self._since = time.monotonic()
        try:
            self.pipe.send([str(job.path) for job in jobs])
        except OSError as error:
            gone = self._gone()
            if not self._ready:
                raise _not_started(gone.words) from error
            raise gone from error

    def receive(self) -> bytes | None:
        """Take the next answer; None where it only says that the process is ready.

        Raises
        ------
        Gone
            The process has ended.
        MissingPart
            It has ended before it was ready for the first file.
        """
        try:
            answer = self.pipe.recv_bytes()
        except (EOFError, OSError) as error:
            gone = self._gone()
            if not self._ready:
                raise _not_started(gone.words) from error
            raise gone from error
        self._since = time.monotonic()
        if answer == READY:
            self._ready = True
            return None
        return answer

    def refuse_slow_start(self) -> None:
        """Say so if the process has not even become ready in its time.

        Raises
        ------
        MissingPart
            It has not.
        """
        if not self._ready:
            raise _not_started(f"it was not ready after {_START_SECONDS:g} s")

    def end(self) -> None:
        """End the process, politely if it is idle, and wait until it is gone; may be called twice."""
        with contextlib.suppress(OSError):
            self.pipe.close()  # an idle process ends by itself when its pipe does
        process = self._process
        if self._ready and not self.jobs:
            process.join(_GOODBYE_SECONDS)
        if process.is_alive():
            process.kill()
        process.join()

    def _gone(self) -> Gone:
        """Clear up after a process that ended by itself."""
        self._process.join(_GOODBYE_SECONDS)
        code = self._process.exitcode
        self.end()
        return Gone(code)


def _not_started(why: str) -> MissingPart:
    return MissingPart(
        f"A process for reading image files could not be started ({why}).",
        "Close other programs and try again.",
    )
