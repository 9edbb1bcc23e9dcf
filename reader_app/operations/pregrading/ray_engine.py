"""Pre-grading on a Ray cluster: films are read where they are graded, by their paths in a shared folder.

Workers of the cluster never touch the study: outcomes come back here and are stored as those of this machine
are.  A worker that is lost costs the films that it had another try.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Self

from reader_app.ai.bundle import Bundle
from reader_app.ai.worker_process import NICENESS, Setup
from reader_app.errors import AiUnavailable, MissingPart, PreGradeError
from reader_app.imaging.workers import usable_cores
from reader_app.operations.pregrading.engine import EngineChoices
from reader_app.operations.pregrading.film_grader import FilmGrader, GradedFilm
from reader_app.operations.pregrading.film_task import FilmOutcome, FilmTask, nothing

ADDRESS = "RAY_ADDRESS"
"""The environment variable that names the cluster, Ray's own."""

_AHEAD = 2  # films given to a worker: it reads one while it computes on another
_TRIES = 3
_RESTARTS = 2
_OBJECT_STORE_BYTES = 128 << 20
_LOST = "A worker of the cluster was lost; its films went to another one."


@dataclass
class _Given:
    """A film that a worker has; `tries` counts this one."""

    task: FilmTask
    worker: int
    tries: int


class RayEngine:
    """Workers on a cluster; use as a context manager.

    Parameters
    ----------
    address
        Of the cluster's head, such as "10.0.0.5:6379"; None takes that of `ADDRESS` in the environment, and
        starts a cluster on this machine alone if there is none.

    Raises
    ------
    MissingPart
        Ray is not installed, or no cluster answers at the address.
    """

    def __init__(self, bundle: Bundle, choices: EngineChoices, *, address: str | None = None) -> None:
        self._bundle, self._choices = bundle, choices
        self._ray = _ray()
        self._notes: dict[str, None] = {}
        self._processes: dict[int, str] = {}
        self._started = not self._ray.is_initialized()
        self._folder = Path(tempfile.mkdtemp(prefix="ra-"))
        if self._started:
            _join(self._ray, address or os.environ.get(ADDRESS), cores=usable_cores(), folder=self._folder)
        self._kind = self._ray.remote(
            max_restarts=_RESTARTS, max_task_retries=_TRIES - 1, max_concurrency=_AHEAD, **self._wanted()
        )(FilmGrader)
        self._workers = [self._worker() for _ in range(max(1, choices.workers))]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            self._ray.kill(worker)
        if self._started:
            self._ray.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)

    def notes(self) -> tuple[str, ...]:
        """Return, as sentences, what went otherwise than asked for so far."""
        return tuple(self._notes)

    def outcomes(self, tasks: Iterable[FilmTask]) -> Generator[FilmOutcome]:
        """Pre-grade films; see `Engine.outcomes`."""
        given: dict[Any, _Given] = {}
        waiting = iter(tasks)
        try:
            for number in range(len(self._workers)):
                for _ in range(_AHEAD):
                    self._give(given, next(waiting, None), number, 1)
            while given:
                (done,), _ = self._ray.wait(list(given), num_returns=1)
                was = given.pop(done)
                outcome = self._taken(given, done, was)
                if outcome is not None:
                    self._give(given, next(waiting, None), was.worker, 1)
                    yield outcome
        finally:
            for reference in given:
                self._ray.cancel(reference, force=False)

    def _give(self, given: dict[Any, _Given], task: FilmTask | None, worker: int, tries: int) -> None:
        if task is not None:
            given[self._workers[worker].grade.remote(task)] = _Given(task, worker, tries)

    def _taken(self, given: dict[Any, _Given], done: Any, was: _Given) -> FilmOutcome | None:
        """Return a film's outcome, None if it is given out once more."""
        try:
            film: GradedFilm = self._ray.get(done)
        except self._ray.exceptions.RayError as error:
            self._notes.setdefault(_LOST)
            if was.tries >= _TRIES:
                fault = PreGradeError(
                    f"{was.tries} workers of the cluster were lost with this film ({type(error).__name__}).",
                    "Start again, or pre-grade it on this machine.",
                )
                return nothing(was.task, fault)
            if isinstance(error, self._ray.exceptions.ActorDiedError):
                self._workers[was.worker] = self._worker()
            self._give(given, was.task, was.worker, was.tries + 1)
            return None
        if film.outcome is None:
            raise AiUnavailable(*(film.unavailable or ("The networks cannot be loaded.", "")))
        if self._processes.setdefault(was.worker, film.process) != film.process:
            self._processes[was.worker] = film.process
            self._notes.setdefault(_LOST)
        for note in film.notes:
            self._notes.setdefault(f"On {film.process.partition(':')[0]}: {note}.")
        return film.outcome

    def _worker(self) -> Any:
        threads = None if self._choices.workers <= 1 else max(1, self._cores() // self._choices.workers)
        choices = self._choices
        setup = Setup(self._bundle.folder, choices.device, threads, choices.deterministic, choices.backend)
        return self._kind.remote(setup, self._bundle.sha256, choices.light)

    def _cores(self) -> int:
        return int(self._ray.cluster_resources().get("CPU", 1))

    def _wanted(self) -> Mapping[str, float]:
        """Say what each worker takes of the cluster; a graphics card where it has any and none is refused."""
        resources = self._ray.cluster_resources()
        each = max(1, self._choices.workers)
        wanted = {"num_cpus": max(1.0, resources.get("CPU", 1.0) // each)}
        if self._choices.device.startswith("cuda") or (self._choices.device == "auto" and "GPU" in resources):
            wanted["num_gpus"] = min(1.0, resources.get("GPU", 1.0) / each)
        return wanted


def _ray() -> ModuleType:
    # Ray tells its makers how it is used unless it is told not to before it is loaded.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingPart(
            "The engine “ray” needs the package ray, which is not installed.",
            "Install reader-app with its extra “cluster”, or leave --engine out.",
        ) from error
    module: ModuleType = ray
    return module


def _join(ray: ModuleType, address: str | None, *, cores: int, folder: Path) -> None:
    """Join a cluster, or start one on this machine; Ray asks for a token of whoever else would use it."""
    quiet = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": False}
    try:
        if address:
            ray.init(address=address, **quiet)
            return
        # As our own workers; Ray's default, 15, leaves them nothing beside any other program.
        os.environ.setdefault("RAY_worker_niceness", str(NICENESS))
        ray.init(
            num_cpus=cores,
            include_dashboard=False,
            object_store_memory=_OBJECT_STORE_BYTES,
            _node_ip_address="127.0.0.1",
            # The paths of its sockets must stay short; a study's or a test's folder is too long.
            _temp_dir=str(folder),
            **quiet,
        )
    except (ConnectionError, OSError, ValueError, RuntimeError) as error:
        where = f"The cluster at {address}" if address else "A cluster on this machine"
        raise MissingPart(
            f"{where} cannot be used: {error}.", "Check its address, or leave --engine out."
        ) from error
