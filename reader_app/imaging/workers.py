"""Files from strangers are read in processes of their own, so that a crash in a decoder costs one file.

A C library that is fed damaged data may end the program, never come back, or ask for all the memory.  Each
process reads one file at a time under limits; one that is lost is replaced, and what it had not read yet goes
to another.
"""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import wait
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from reader_app.imaging.worker_child import DURATION, MEMORY, Limits
from reader_app.imaging.worker_handle import Gone, Job, WorkerHandle
from reader_app.imaging.worker_order import FileResult, WorkerOrder

__all__ = ["FileResult", "FileWorkers", "usable_cores"]

T = TypeVar("T")

SECONDS = 30.0
MEMORY_BYTES = 1 << 30

_MOST_WORKERS = 32  # Windows waits for 63 things at once at most
_MOST_AT_ONCE = 64  # files in one message
_MOST_AHEAD = 2 * _MOST_AT_ONCE  # files for each process, beyond the first that is not done
_MESSAGE_SECONDS = 0.02  # of work in one message: long beside the way there and back, short for a user
_LOOK_SECONDS = 0.005  # while results are being fetched, processes are looked after so often
_NEWEST = 0.2  # weight of the newest file in the mean duration
_DAMAGED = "The file is damaged: export it again from its source, or leave it out."


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class FileWorkers(Generic[T]):
    """Processes that carry one task out on many files; use as a context manager, from any one thread.

    Processes are spawned when there is work for them (Linux, macOS and Windows alike, and beside Qt), stay
    for the next files, and end when this object is closed or the parent is gone, however it went.

    Each file has a limit of time everywhere.  The limit of memory is kept by the system on Linux (address
    space); elsewhere there is only the limit on the size of films, checked before anything is decoded.

    A file that ends its process, or fills its memory, is read once more in a fresh one if others had been
    read in it before: one file must not be blamed for what another left behind.

    Parameters
    ----------
    task
        Called with a path in another process: a function of a module, or a frozen dataclass with `__call__`.
        Its module should import little.  An `ImageError` that it raises is the file's fault; any other
        `ReaderError` is raised by `map`; anything else is a fault of ours and is raised as `RuntimeError`.
    workers
        How many processes; None takes the cores that this process may use.
    seconds
        For one file.
    memory_bytes
        For one file, on top of what a process has when it is empty (about 100 MB of address space).

    Raises
    ------
    ValueError
        If a number is not positive.
    """

    def __init__(
        self,
        task: Callable[[Path], T],
        *,
        workers: int | None = None,
        seconds: float = SECONDS,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        if (workers is not None and workers < 1) or seconds <= 0 or memory_bytes <= 0:
            raise ValueError("workers, seconds and memory must be positive")
        self._task = pickle.dumps(task)
        self._limits = Limits(seconds, memory_bytes)
        self._most = min(workers or usable_cores(), _MOST_WORKERS)
        self._handles: list[WorkerHandle] = []
        self._file_seconds = _MESSAGE_SECONDS  # the mean as seen so far: at first one file is sent at a time
        self._looked = 0.0
        self._mapping = self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The processes that there are now."""
        return tuple(handle.pid for handle in self._handles if handle.pid is not None)

    def close(self) -> None:
        """End all processes and wait until they are gone; may be called twice."""
        self._closed = True
        self._drop(list(self._handles))

    def map(self, paths: Iterable[Path]) -> Iterator[FileResult[T]]:
        """Carry the task out on files.

        Parameters
        ----------
        paths
            Taken as they are needed, a bounded number ahead of the results.

        Yields
        ------
        FileResult
            One for each path and in their order, as soon as it and its predecessors are done.

        Raises
        ------
        ReaderError
            One that the task raised and that is not about the file; or no process can be started
            (`MissingPart`).
        RuntimeError
            The task failed in a way that is a fault of ours; or this object is closed or busy with another
            `map`.
        """
        if self._closed or self._mapping:
            raise RuntimeError("these workers are closed, or busy with other files")
        self._mapping = True
        order = WorkerOrder[T](paths, self._most * _MOST_AHEAD)
        try:
            while True:
                self._hand_out(order)
                for result in order.in_order():
                    yield result
                    if time.monotonic() - self._looked > _LOOK_SECONDS:  # whoever fetches may take long
                        self._collect(order, patient=False)
                        self._hand_out(order)
                if order.done:
                    return
                self._collect(order, patient=True)
        finally:
            # Left early, or by a fault: what is still being read concerns nobody any more.
            self._drop([handle for handle in self._handles if handle.jobs])
            self._mapping = False

    def _hand_out(self, order: WorkerOrder[T]) -> None:
        """Give files to processes that have none; start processes for which there is work."""
        while len(self._handles) < self._most or any(not handle.jobs for handle in self._handles):
            at_once = max(1, min(_MOST_AT_ONCE, int(_MESSAGE_SECONDS / max(self._file_seconds, 1e-6))))
            jobs = order.take(at_once)
            if not jobs:
                return
            handle = self._idle(fresh=jobs[0].again)
            try:
                handle.give(jobs)
            except Gone:  # while it was idle: no fault of what it was to read next
                self._drop([handle])
                order.put_back(jobs)

    def _idle(self, *, fresh: bool) -> WorkerHandle:
        """Return a process without files, a new one if there is none or it has to be."""
        idle = next((handle for handle in self._handles if not handle.jobs), None)
        if idle is not None and fresh and idle.finished:
            self._drop([idle])
            idle = None
        if idle is None:
            idle = WorkerHandle(self._task, self._limits)
            self._handles.append(idle)
        return idle

    def _collect(self, order: WorkerOrder[T], *, patient: bool) -> None:
        """Take answers, losses and time-outs; a patient one waits until there is any."""
        busy = [handle for handle in self._handles if handle.jobs]
        self._looked = time.monotonic()
        if not busy:
            return
        patience = max(min(handle.deadline for handle in busy) - self._looked, 0.0) if patient else 0.0
        ready = set(wait([handle.pipe for handle in busy], patience))
        self._looked = time.monotonic()
        for handle in busy:
            if handle.pipe in ready:
                self._take_answer(handle, order)
            elif self._looked >= handle.deadline:
                handle.refuse_slow_start()
                self._lose(handle, order, self._too_slow(handle.jobs[0]))

    def _take_answer(self, handle: WorkerHandle, order: WorkerOrder[T]) -> None:
        job = handle.jobs[0]
        try:
            answer = handle.receive()
        except Gone as gone:
            fault = self._too_slow(job) if gone.timed_out else _crashed(job, gone)
            self._lose(handle, order, fault, again=not gone.timed_out and handle.finished > 0)
            return
        if answer is None:
            return
        if answer[:1] == MEMORY:
            self._lose(handle, order, self._too_large(job), again=handle.finished > 0)
            return
        handle.jobs.popleft()
        handle.finished += 1
        self._file_seconds += _NEWEST * (DURATION.unpack_from(answer, 1)[0] - self._file_seconds)
        order.put(job, answer)

    def _lose(
        self, handle: WorkerHandle, order: WorkerOrder[T], fault: FileResult[T], *, again: bool = False
    ) -> None:
        """Give a process up: what it was reading has the fault, or is read once more in a fresh one."""
        guilty, *others = handle.jobs
        self._drop([handle])
        order.put_back(others)
        if again:
            order.put_back([Job(guilty.number, guilty.path, again=True)])
        else:
            order.put(guilty, fault)

    def _drop(self, handles: list[WorkerHandle]) -> None:
        for handle in handles:
            self._handles.remove(handle)
            handle.end()

    def _too_slow(self, job: Job) -> FileResult[T]:
        return FileResult(
            job.path, None, f"{job.path} takes longer than {self._limits.seconds:g} s to read.", _DAMAGED
        )

    def _too_large(self, job: Job) -> FileResult[T]:
        megabytes = self._limits.memory_bytes / (1 << 20)
        return FileResult(
            job.path, None, f"{job.path} needs more than {megabytes:.0f} MB of memory to read.", _DAMAGED
        )


def _crashed(job: Job, gone: Gone) -> FileResult[T]:
    return FileResult(
        job.path, None, f"{job.path} makes its decoder crash ({gone.words}), so it cannot be read.", _DAMAGED
    )
