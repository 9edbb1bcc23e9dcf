"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a verb is: `done` of `total`, what it is at, how fast it goes or what else is to be said."""

    done: int
    total: int
    what: str = ""
    pace: str = ""


Report = Callable[[Progress], None]
"""Called from the thread that does the work."""


def never() -> bool:
    """Nobody cancels."""
    return False


def silent(progress: Progress) -> None:
    """Tell nobody."""
