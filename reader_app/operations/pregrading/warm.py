"""Workers that stay: one set of networks serves the case on screen and the run through the whole study."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from reader_app.ai.bundle import Bundle
from reader_app.ai.worker import Worker
from reader_app.errors import PreGradeError
from reader_app.imaging.workers import usable_cores
from reader_app.operations.pregrading.engine import EngineChoices

IDLE_SECONDS = 600.0
"""After so long without a question a process ends and its memory is free; the next starts another."""

_Key = tuple[str, str, bool | None, bool, str]


class WarmWorkers:
    """Worker processes by bundle and choices, kept until this is closed; use as a context manager.

    A window holds one of these as long as it is open and hands it to every `pregrade`; from any thread.
    """

    def __init__(self) -> None:
        self._kept: dict[_Key, list[Worker]] = {}
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def workers(self, bundle: Bundle, choices: EngineChoices) -> tuple[Worker, ...]:
        """Return so many workers as chosen, those that are there first; they share the cores.

        Raises
        ------
        BundleError
            The bundle was altered.
        PreGradeError
            This was closed.
        """
        key = (bundle.sha256, choices.device, choices.light, choices.deterministic, choices.backend)
        number = max(1, choices.workers)
        with self._lock:
            if self._closed:
                raise PreGradeError("The window of this study is closed.", "Open the study again.")
            kept = self._kept.setdefault(key, [])
            while len(kept) < number:
                kept.append(
                    Worker(
                        bundle.folder,
                        choices.device,
                        threads=None if number == 1 else max(1, usable_cores() // number),
                        light=choices.light,
                        deterministic=choices.deterministic,
                        backend=choices.backend,
                        idle_seconds=IDLE_SECONDS,
                    )
                )
            return tuple(kept[:number])

    def close(self) -> None:
        """End all processes and wait until they are gone; may be called twice."""
        with self._lock:
            self._closed = True
            kept, self._kept = self._kept, {}
        for workers in kept.values():
            for worker in workers:
                worker.close()
