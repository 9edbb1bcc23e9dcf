"""The AI in a process of its own: the window never waits, a crash there ends one pre-grade only.

The parent imports no torch.  One thread per `Worker` takes the most urgent requests, cuts the joints out
(NumPy only), sends them over a pipe and hands the answers to futures.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Self

from reader_app.ai.bundle import Bundle, load_bundle
from reader_app.ai.film_image import PreparedFilm
from reader_app.ai.located import Located
from reader_app.ai.pipeline import JointImage, JointPreGrade, PreparedJoint, prepare
from reader_app.ai.worker_handle import Closing, Listener, Lost, WorkerEvent, WorkerHandle, nobody
from reader_app.ai.worker_process import Grade, Graded, Locate, LocatedFilms, Question, Setup
from reader_app.ai.worker_queue import Kind, Priority, Request, RequestQueue
from reader_app.errors import AiLost, AiUnavailable, PreGradeError

__all__ = ["Priority", "Worker", "WorkerEvent"]

START_SECONDS = 180.0
GRADE_SECONDS = 120.0

_WORDS: Mapping[str, str] = {
    "batch reduced": "The AI ran out of memory and went on with smaller batches.",
    "went to the CPU": "The AI ran out of memory on the graphics card and went on on the CPU.",
}
"""What part of a note of the pipeline means, in a sentence."""


class Worker:
    """One spawned process that keeps a bundle's networks warm; use as a context manager.

    Parameters
    ----------
    bundle_folder
        Verified here, and again by the process.
    device
        "auto" (CUDA, else MPS, else the CPU), "cpu", "cuda", "mps".
    threads
        On the CPU; None takes what the process may use.
    light
        Whether `locate` takes the quicker localizer where the bundle has one; None where there is no GPU.
    deterministic
        The same bits every time, where the device can; slower.
    backend
        "auto", "eager", "channels-last", "openvino", "openvino-int8".
    start_seconds, grade_seconds
        How long loading, and one batch, may take before the process is given up.
    idle_seconds
        After so long without a request the process ends, and its memory is free; the next request starts
        another. None keeps it.
    memory_bytes
        Address space that the process may take beyond what the loaded networks have, kept by the system on
        Linux; None for no limit.
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
        light: bool | None = False,
        deterministic: bool = False,
        backend: str = "auto",
        start_seconds: float = START_SECONDS,
        grade_seconds: float = GRADE_SECONDS,
        idle_seconds: float | None = None,
        memory_bytes: int | None = None,
        listener: Listener = nobody,
    ) -> None:
        self.bundle: Bundle = load_bundle(bundle_folder)
        self._light, self._grade_seconds, self._idle_seconds = light, grade_seconds, idle_seconds
        self._listener = listener
        self._queue = RequestQueue()
        self._notes: dict[str, None] = {}
        self._handle = WorkerHandle(
            Setup(self.bundle.folder, device, threads, deterministic, backend, memory_bytes),
            start_seconds=start_seconds,
            listener=listener,
        )
        self._thread = Thread(target=self._run, name="ai-worker", daemon=True)
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
        return self._handle.process_id

    def notes(self) -> tuple[str, ...]:
        """Return what went otherwise than asked for, each a sentence, once, in the order it was met."""
        return tuple(self._notes)

    def submit(
        self, image: JointImage | PreparedJoint, *, priority: Priority = Priority.BATCH
    ) -> Future[JointPreGrade]:
        """Ask for the pre-grade of a joint, cut out already or not.

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
        request = Request(int(priority), self._queue.number(), Kind.GRADE, future)
        if isinstance(image, PreparedJoint):
            request.prepared = image
        else:
            request.image = image
        self._put(request)
        return future

    def locate(self, film: PreparedFilm, *, priority: Priority = Priority.BATCH) -> Future[Located]:
        """Ask where the joints are on a film; the future and what is raised are as for `submit`."""
        future: Future[Located] = Future()
        self._put(
            Request(int(priority), self._queue.number(), Kind.LOCATE, future, film=film, light=self._light)
        )
        return future

    def close(self) -> None:
        """Cancel what waits, end the process and wait until it is gone; may be called twice."""
        if self._queue.close():
            self._handle.interrupt()
        self._thread.join()

    def _put(self, request: Request) -> None:
        if not self._queue.put(request):
            raise PreGradeError("The AI worker is closed.", "Open the study again.")

    def _run(self) -> None:
        """Body of the thread."""
        try:
            while batch := self._take():
                self._work([request for request in batch if self._prepared(request)])
        except Closing:
            pass
        finally:
            self._handle.close()
            self._queue.close()
            for request in self._queue.left():
                _abandon(request)
            self._listener(WorkerEvent.STOPPED)

    def _take(self) -> list[Request]:
        if self._handle.process_id is not None and not self._queue.wait(self._idle_seconds):
            self._handle.stop(politely=True)
        return self._queue.take()

    def _prepared(self, request: Request) -> bool:
        """Cut the joint out; False if the request is done with: cancelled, or nothing to grade."""
        if not request.future.running() and not request.future.set_running_or_notify_cancel():
            return False
        if request.image is None:
            return True
        try:
            request.prepared, request.image = prepare(request.image, self.bundle), None
        except PreGradeError as fault:
            request.future.set_exception(fault)
            return False
        return True

    def _work(self, batch: list[Request]) -> None:
        """Send a batch and hand out its answers; a batch that fails is taken apart."""
        if not batch:
            return
        begun = time.monotonic()
        warm = self._handle.process_id is not None
        try:
            results = self._answers(batch)
        except Lost as fault:
            self._taken_apart(batch, fault)
        except Closing:
            for request in batch:
                _abandon(request)
            raise
        except AiUnavailable as fault:
            for request in batch:
                request.future.set_exception(AiUnavailable(fault.what, fault.next_step))
        else:
            if warm:
                self._queue.took(batch[0].kind, len(batch), time.monotonic() - begun)
            for request, result in zip(batch, results, strict=True):
                request.future.set_result(_with_note(result, request.note))

    def _answers(self, batch: list[Request]) -> tuple[Any, ...]:
        answer = self._handle.ask(_question(batch), self._grade_seconds)
        if not isinstance(answer, Graded | LocatedFilms):
            raise TypeError(f"the AI process answered {answer!r}")
        for note in answer.notes:
            self._note(next((words for part, words in _WORDS.items() if part in note), f"The AI: {note}."))
        return answer.results

    def _taken_apart(self, batch: list[Request], fault: Lost) -> None:
        """Let each of a lost batch run alone in a fresh process; one that was alone has failed."""
        if fault.note:
            self._note(f"{fault.note[0].upper()}{fault.note[1:]} and was started again.")
        if len(batch) == 1:
            kind = AiLost if fault.note else PreGradeError
            batch[0].future.set_exception(kind(fault.what, fault.next_step))
            return
        self._queue.failed(batch[0].kind, len(batch))
        for request in batch:
            request.alone = True
            request.note = f"{fault.note or fault.what} in a batch of {len(batch)}; done alone"
        if not self._queue.put(*batch):
            for request in batch:
                _abandon(request)

    def _note(self, sentence: str) -> None:
        if sentence not in self._notes:
            self._notes[sentence] = None
            self._listener(WorkerEvent.NOTED)


def _question(batch: list[Request]) -> Question:
    urgent = batch[0].priority != Priority.BATCH
    if batch[0].kind is Kind.LOCATE:
        films = tuple(request.film for request in batch if request.film is not None)
        return Locate(films, batch[0].light, urgent=urgent)
    joints = tuple(request.prepared for request in batch if request.prepared is not None)
    return Grade(joints, urgent=urgent)


def _with_note(result: Any, note: str) -> Any:
    """Keep in the provenance of a pre-grade that it took a second process."""
    if not note or not isinstance(result, JointPreGrade):
        return result
    return replace(result, details={**result.details, "retried": note})


def _abandon(request: Request) -> None:
    if request.future.running():
        request.future.set_exception(
            PreGradeError("The AI worker was closed before it was done.", "Start the pre-grade again.")
        )
    else:
        request.future.cancel()
        request.future.set_running_or_notify_cancel()
