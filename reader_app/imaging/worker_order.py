"""Which file is read next, and which result is the next in order."""

from __future__ import annotations

import heapq
import itertools
import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from reader_app.imaging.worker_child import BROKEN, DURATION, FAULT, REFUSED
from reader_app.imaging.worker_handle import Job

T = TypeVar("T")

_MOST_HELD = 64 << 20  # bytes of results that wait for a predecessor


@dataclass(frozen=True)
class FileResult(Generic[T]):
    """What came of one file.

    Parameters
    ----------
    path
        The file.
    value
        What the task returned; None where it failed.
    fault
        One sentence where it failed, empty where it did not.
    next_step
        What can be done about a fault.
    """

    path: Path
    value: T | None
    fault: str = ""
    next_step: str = ""


class WorkerOrder(Generic[T]):
    """The files of one `map`: handed out in order, some again; results given back in order.

    Parameters
    ----------
    paths
        Taken as they are needed.
    most_ahead
        How many files may be handed out beyond the first that is not done.
    """

    def __init__(self, paths: Iterable[Path], most_ahead: int) -> None:
        self._source = (Job(number, Path(path)) for number, path in enumerate(paths))
        self._most_ahead = most_ahead
        self._again: list[Job] = []
        self._held: dict[int, tuple[Job, bytes | FileResult[T]]] = {}
        self._held_bytes = 0
        self._issued = self._given = 0
        self._exhausted = False

    @property
    def done(self) -> bool:
        """Whether every result has been given back."""
        return self._exhausted and self._given == self._issued

    def take(self, count: int) -> list[Job]:
        """Return up to so many files to be read now; none where there are no more or enough are ahead."""
        if self._again:
            # One that lost its process is read alone; files that only waited behind it go on together.
            jobs = [heapq.heappop(self._again)]
            while not jobs[0].again and self._again and not self._again[0].again and len(jobs) < count:
                jobs.append(heapq.heappop(self._again))
            return jobs
        room = self._most_ahead - (self._issued - self._given) if self._held_bytes < _MOST_HELD else 0
        wanted = min(count, room)
        if wanted <= 0 or self._exhausted:
            return []
        jobs = list(itertools.islice(self._source, wanted))
        self._issued += len(jobs)
        self._exhausted = len(jobs) < wanted
        return jobs

    def put_back(self, jobs: Iterable[Job]) -> None:
        """Have files read that were handed out in vain."""
        for job in jobs:
            heapq.heappush(self._again, job)

    def put(self, job: Job, result: bytes | FileResult[T]) -> None:
        """Keep a file's answer, or its fault, until its turn comes."""
        self._held[job.number] = job, result
        self._held_bytes += len(result) if isinstance(result, bytes) else 0

    def in_order(self) -> Iterator[FileResult[T]]:
        """Give back the results whose predecessors have all been given back.

        Raises
        ------
        ReaderError, RuntimeError
            As `FileWorkers.map`.
        """
        while self._given in self._held:
            job, result = self._held.pop(self._given)
            self._given += 1
            if isinstance(result, bytes):
                self._held_bytes -= len(result)
                yield _unwrapped(job.path, result)
            else:
                yield result


def _unwrapped(path: Path, answer: bytes) -> FileResult[T]:
    letter, payload = answer[:1], memoryview(answer)[1 + DURATION.size :]
    if letter == BROKEN:
        raise RuntimeError(f"the task failed on {path}:\n{bytes(payload).decode('utf-8')}")
    content = pickle.loads(payload)
    if letter == REFUSED:
        kind, what, next_step = content
        raise kind(what, next_step)
    if letter == FAULT:
        return FileResult(path, None, *content)
    return FileResult(path, content)
