"""What takes films and gives their outcomes: on this machine, or on many."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from reader_app.ai.worker import Priority
from reader_app.operations.pregrading.film_task import FilmOutcome, FilmTask


@dataclass(frozen=True)
class EngineChoices:
    """How the networks are run.

    Attributes
    ----------
    device
        "auto", "cpu", "cuda", "mps".
    workers
        How many processes hold the networks; they share the cores.
    light
        By the quicker localizer; None where no graphics card is used.
    deterministic
        The same bits every time, where the device can.
    backend
        Of the networks on the CPU.
    priority
        Over what else the same networks are asked.
    """

    device: str = "auto"
    workers: int = 1
    light: bool | None = None
    deterministic: bool = False
    backend: str = "auto"
    priority: Priority = Priority.BATCH


class Engine(Protocol):
    """A way to pre-grade films; a context manager."""

    def outcomes(self, tasks: Iterable[FilmTask]) -> Generator[FilmOutcome]:
        """Pre-grade films, a bounded number at a time, in any order.

        Raises
        ------
        AiUnavailable
            The networks cannot be loaded.
        """

    def notes(self) -> tuple[str, ...]:
        """Return, as sentences, what went otherwise than asked for so far."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
