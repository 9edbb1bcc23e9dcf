"""Pre-grading on this machine: films are read ahead while the networks are at others.

Each lane is a thread with a reader of its own: read, look for joints, cut them out, have them graded.  While
one lane waits for the networks another reads, and what several lanes ask for at once goes in one batch.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from types import TracebackType
from typing import Self

from reader_app.ai.bundle import Bundle
from reader_app.ai.film_image import PreparedFilm
from reader_app.ai.located import Located
from reader_app.ai.pipeline import JointPreGrade, PreparedJoint
from reader_app.ai.worker import Priority, Worker
from reader_app.errors import AiLost, AiUnavailable, ImageError, PreGradeError
from reader_app.imaging.workers import usable_cores
from reader_app.operations.pregrading.engine import EngineChoices
from reader_app.operations.pregrading.film_process import ProcessReader
from reader_app.operations.pregrading.film_task import (
    DirectReader,
    FilmOutcome,
    FilmReader,
    FilmTask,
    JointOutcome,
    PlacedJoint,
    needs_locating,
    nothing,
    place_joints,
)
from reader_app.operations.pregrading.warm import WarmWorkers

_MOST_LANES = 8


class LocalEngine:
    """Worker processes with the networks, and lanes that feed them.

    Parameters
    ----------
    warm
        Whose workers to use; None starts some and ends them with this engine.
    direct
        Read films in this process, in the lanes' threads: at once, where only a few are wanted.
    """

    def __init__(
        self, bundle: Bundle, choices: EngineChoices, *, warm: WarmWorkers | None = None, direct: bool = False
    ) -> None:
        self._bundle, self._choices, self._direct = bundle, choices, direct
        self._own = None if warm is not None else WarmWorkers()
        source = warm or self._own
        assert source is not None
        self.workers: Sequence[Worker] = source.workers(bundle, choices)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own is not None:
            self._own.close()

    @property
    def lanes(self) -> int:
        """How many films are under way at once: one more than cores, so that the networks never wait."""
        if self._direct:
            return 2
        return max(len(self.workers) + 1, min(usable_cores() + 1, _MOST_LANES))

    def notes(self) -> tuple[str, ...]:
        """Return, as sentences, what went otherwise than asked for so far."""
        return tuple(dict.fromkeys(note for worker in self.workers for note in worker.notes()))

    def outcomes(self, tasks: Iterable[FilmTask]) -> Generator[FilmOutcome]:
        """Pre-grade films; see `Engine.outcomes`."""
        lanes = _Lanes(self._lane, self.lanes)
        try:
            yield from lanes.outcomes(tasks)
        finally:
            lanes.close()

    def _lane(self, number: int) -> _Lane:
        worker = self.workers[number % len(self.workers)]
        reader: FilmReader = DirectReader(self._bundle) if self._direct else ProcessReader(self._bundle)
        return _Lane(self._bundle, worker, reader, self._choices.priority)


class _Lane:
    """One film after the other, from file to outcome."""

    def __init__(self, bundle: Bundle, worker: Worker, reader: FilmReader, priority: Priority) -> None:
        self._bundle, self._worker, self._reader, self._priority = bundle, worker, reader, priority

    def close(self) -> None:
        self._reader.close()

    def outcome(self, task: FilmTask) -> FilmOutcome:
        """Do all steps; raises `AiUnavailable` only."""
        try:
            prepared, spacing = self._reader.open(task)
            located = self._located(prepared) if needs_locating(task, self._bundle) else None
            placed = place_joints(task, located, spacing)
            cut = self._reader.cut(placed)
        except AiUnavailable:
            raise
        except (ImageError, PreGradeError) as fault:
            return nothing(task, fault)
        asked = [None if isinstance(each, str) else self._ask(each) for each in cut]
        return FilmOutcome(
            task,
            tuple(
                self._joint_outcome(where, each, future)
                for where, each, future in zip(placed, cut, asked, strict=True)
            ),
        )

    def _ask(self, joint: PreparedJoint) -> Future[JointPreGrade]:
        return self._worker.submit(joint, priority=self._priority)

    def _joint_outcome(
        self, where: PlacedJoint, cut: PreparedJoint | str, first: Future[JointPreGrade] | None
    ) -> JointOutcome:
        """Wait for a joint; one that was with a process that was lost is tried once in the next."""
        if isinstance(cut, str) or first is None:
            return JointOutcome(where, reason=str(cut))
        try:
            try:
                return JointOutcome(where, first.result())
            except AiLost as lost:
                told = replace(where, details={**where.details, "retried": lost.what})
                return JointOutcome(told, self._ask(cut).result())
        except AiUnavailable:
            raise
        except PreGradeError as fault:
            return JointOutcome(where, reason=str(fault))

    def _located(self, film: PreparedFilm) -> Located:
        """Have joints looked for; once more if the process was lost meanwhile."""
        try:
            return self._worker.locate(film, priority=self._priority).result()
        except AiLost:
            return self._worker.locate(film, priority=self._priority).result()


class _Lanes:
    """Threads between a queue of films and a queue of outcomes, both short."""

    def __init__(self, make: Callable[[int], _Lane], number: int) -> None:
        self._tasks: queue.SimpleQueue[FilmTask | None] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[FilmOutcome | BaseException] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(make, each), name=f"pregrade-{each}", daemon=True)
            for each in range(number)
        ]
        for thread in self._threads:
            thread.start()

    def outcomes(self, tasks: Iterable[FilmTask]) -> Iterator[FilmOutcome]:
        """Keep every lane busy and a film waiting for each; `tasks` is read on the caller's thread."""
        under_way = 0
        for task in tasks:
            self._tasks.put(task)
            under_way += 1
            if under_way >= 2 * len(self._threads):
                yield self._next()
                under_way -= 1
        for _ in range(under_way):
            yield self._next()

    def close(self) -> None:
        """Let each lane finish its film, and wait for all."""
        self._stopping.set()
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def _next(self) -> FilmOutcome:
        found = self._outcomes.get()
        if isinstance(found, BaseException):
            raise found
        return found

    def _run(self, make: Callable[[int], _Lane], number: int) -> None:
        lane = make(number)
        try:
            while (task := self._tasks.get()) is not None and not self._stopping.is_set():
                try:
                    self._outcomes.put(lane.outcome(task))
                except Exception as error:  # noqa: BLE001 - raised again on the thread that asked
                    self._outcomes.put(error)
        finally:
            lane.close()
