"""The AI in a process of its own: the window never waits, a crash there ends one pre-grade only.

The parent imports no torch.  One thread per `Worker` takes the most urgent requests, cuts the joints out
(NumPy only), sends them over a pipe and hands the answers to futures.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from reader_app.ai.bundle import Bundle, load_bundle
from reader_app.ai.pipeline import BATCH, JointImage, JointPreGrade, PreparedJoint, prepare
from reader_app.ai.worker_process import Answer, Grade, Graded, Ready, Refused, StartFailed, serve
from reader_app.errors import PreGradeError

START_SECONDS = 180.0
GRADE_SECONDS = 120.0
_GOODBYE_SECONDS = 2.0


class Priority(IntEnum):
    """Which request goes first."""

    ON_SCREEN = 0
    NEIGHBOUR = 1
    BATCH = 2


class WorkerEvent(StrEnum):
    """What a listener is told."""

    STARTED = "started"
    READY = "ready"
    GRADING = "grading"
    LOST = "lost"
    TIMED_OUT = "timed-out"
    STOPPED = "stopped"


Listener = Callable[[WorkerEvent], None]
"""Called on the worker's thread; must not block."""


def nobody(event: WorkerEvent) -> None:
    """Tell nobody."""


@dataclass(order=True)
class _Request:
    priority: int
    number: int
    image: JointImage = field(compare=False)
    future: Future[JointPreGrade] = field(compare=False)
    alone: bool = field(compare=False, default=False)
    """Was in a batch that failed: runs by itself now, so that only the guilty joint fails."""
    prepared: PreparedJoint | None = field(compare=False, default=None)


class _Lost(Exception):
    """The process is gone or silent; carries what to tell of a joint that was alone with it."""

    def __init__(self, what: str, next_step: str) -> None:
        self.what, self.next_step = what, next_step
        super().__init__(what)


class _Closing(Exception):
    """The worker is being closed."""


class Worker:
    """One spawned process that keeps a bundle's networks warm; use as a context manager.

    Parameters
    ----------
    bundle_folder
        Verified here, and again by the process.
    device
        "auto", "cpu", "cuda", "mps".
    threads
        On the CPU; None takes what the process may use.
    start_seconds, grade_seconds
        How long loading, and one batch, may take before the process is given up.
    listener
        Told of the process's life, on the worker's thread.

    Raises
    ------
    BundleError
        The bundle is missing or was altered.
    """

    def __init__(
        self,
        bundle_folder: Path,
        device: str = "auto",
        *,
        threads: int | None = None,
        start_seconds: float = START_SECONDS,
        grade_seconds: float = GRADE_SECONDS,
        listener: Listener = nobody,
    ) -> None:
        self.bundle: Bundle = load_bundle(bundle_folder)
        self._device, self._threads = device, threads
        self._start_seconds, self._grade_seconds = start_seconds, grade_seconds
        self._listener = listener
        self._queue: list[_Request] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closing = False
        self._context = multiprocessing.get_context("spawn")
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._wake, self._woken = self._context.Pipe(duplex=False)
        self._thread = threading.Thread(target=self._run, name="ai-worker", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def process_id(self) -> int | None:
        """The process that holds the networks now, None while there is none."""
        process = self._process
        return None if process is None else process.pid

    def submit(self, image: JointImage, *, priority: Priority = Priority.BATCH) -> Future[JointPreGrade]:
        """Ask for the pre-grade of a joint.

        Returns
        -------
        Future
            Its result is the pre-grade, its exception a `PreGradeError`; cancelling it works until the
            networks have it.

        Raises
        ------
        PreGradeError
            The worker is closed.
        """
        future: Future[JointPreGrade] = Future()
        with self._changed:
            if self._closing:
                raise PreGradeError("The AI worker is closed.", "Open the study again.")
            heapq.heappush(self._queue, _Request(int(priority), next(self._numbers), image, future))
            self._changed.notify()
        return future

    def close(self) -> None:
        """Cancel what waits, end the process and wait until it is gone; may be called twice."""
        with self._changed:
            if not self._closing:
                self._closing = True
                self._changed.notify()
                self._woken.close()  # ends a wait for an answer at once
        self._thread.join()
        self._wake.close()

    def _run(self) -> None:
        """Body of the thread."""
        try:
            while batch := self._take():
                self._grade([request for request in batch if self._prepare(request)])
        except _Closing:
            pass
        finally:
            self._stop(politely=True)
            with self._changed:
                self._closing = True
                left, self._queue = self._queue, []
            for request in left:
                self._abandon(request)
            self._listener(WorkerEvent.STOPPED)

    def _take(self) -> list[_Request]:
        """Wait for requests and return the most urgent ones; empty when closing."""
        with self._changed:
            while not self._queue and not self._closing:
                self._changed.wait()
            if self._closing:
                return []
            batch = [heapq.heappop(self._queue)]
            while self._queue and not batch[0].alone and len(batch) < BATCH:
                first = self._queue[0]
                if first.alone or first.priority != batch[0].priority:
                    break
                batch.append(heapq.heappop(self._queue))
            return batch

    def _prepare(self, request: _Request) -> bool:
        """Cut the joint out; False if the request is done with: cancelled, or nothing to grade."""
        if request.prepared is not None:
            return True
        if not request.future.set_running_or_notify_cancel():
            return False
        try:
            request.prepared = prepare(request.image, self.bundle)
        except PreGradeError as fault:
            request.future.set_exception(fault)
            return False
        return True

    def _grade(self, batch: list[_Request]) -> None:
        """Send a batch and hand out its answers; a batch that fails is taken apart."""
        if not batch:
            return
        try:
            results = self._exchange(
                tuple(request.prepared for request in batch if request.prepared is not None)
            )
        except _Lost as fault:
            if len(batch) == 1:
                batch[0].future.set_exception(PreGradeError(fault.what, fault.next_step))
                return
            with self._changed:
                for request in batch:
                    request.alone = True
                    heapq.heappush(self._queue, request)
        except _Closing:
            for request in batch:
                self._abandon(request)
            raise
        except PreGradeError as fault:
            for request in batch:
                request.future.set_exception(PreGradeError(fault.what, fault.next_step))
        else:
            for request, result in zip(batch, results, strict=True):
                request.future.set_result(result)

    def _abandon(self, request: _Request) -> None:
        if request.future.running():
            request.future.set_exception(
                PreGradeError("The AI worker was closed before it was done.", "Start the pre-grade again.")
            )
        else:
            request.future.cancel()
            request.future.set_running_or_notify_cancel()

    def _exchange(self, joints: tuple[PreparedJoint, ...]) -> tuple[JointPreGrade, ...]:
        """Have the process grade a batch.

        Raises
        ------
        _Lost
            The process crashed, was silent for too long, or could not grade these joints.
        PreGradeError
            The process cannot be started at all.
        """
        pipe = self._running_pipe()
        try:
            pipe.send(Grade(joints))
        except (BrokenPipeError, ConnectionResetError) as error:
            raise self._lost() from error
        self._listener(WorkerEvent.GRADING)
        answer = self._receive(pipe, self._grade_seconds)
        if isinstance(answer, Graded):
            return answer.results
        if not isinstance(answer, Refused):
            raise self._lost()
        if not answer.goes_on:
            self._stop(politely=True)
        raise _Lost(answer.what, answer.next_step)

    def _running_pipe(self) -> Connection:
        """Return the pipe to a process that has the networks loaded; start one if there is none."""
        if self._process is not None and self._process.is_alive() and self._pipe is not None:
            return self._pipe
        self._stop(politely=False)
        self._pipe, other = self._context.Pipe()
        self._process = self._context.Process(
            target=serve,
            args=(other, self.bundle.folder, self._device, self._threads),
            name="reader-app AI",
            daemon=True,
        )
        self._process.start()
        other.close()  # so that the end of the process is the end of the pipe
        self._listener(WorkerEvent.STARTED)
        try:
            answer = self._receive(self._pipe, self._start_seconds)
        except _Lost as fault:
            raise PreGradeError(
                f"The AI could not be started: {fault.what}", "Look into the log; reading works without it."
            ) from fault
        if isinstance(answer, StartFailed):
            self._stop(politely=True)
            raise PreGradeError(answer.what, answer.next_step)
        if not isinstance(answer, Ready):
            raise self._lost()
        self._listener(WorkerEvent.READY)
        return self._pipe

    def _receive(self, pipe: Connection, seconds: float) -> Answer:
        """Wait for an answer, the end of the process, the time-out, or the closing of this worker."""
        ready = wait([pipe, self._wake], seconds)
        if self._wake in ready:
            self._stop(politely=False)
            raise _Closing
        if not ready:
            self._stop(politely=False)
            self._listener(WorkerEvent.TIMED_OUT)
            raise _Lost(
                f"The AI did not answer within {seconds:g} seconds and was restarted.",
                "Grade this joint by hand.",
            )
        try:
            answer: Answer = pipe.recv()
        except (EOFError, ConnectionResetError) as error:
            raise self._lost() from error
        return answer

    def _lost(self) -> _Lost:
        """Clear up after a crash."""
        process = self._process
        if process is not None:
            process.join(_GOODBYE_SECONDS)
        code = None if process is None else process.exitcode
        self._stop(politely=False)
        self._listener(WorkerEvent.LOST)
        return _Lost(
            f"The AI process ended while it graded this joint (exit code {code}); a new one takes over.",
            "Grade this joint by hand, or pre-grade it again.",
        )

    def _stop(self, *, politely: bool) -> None:
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
