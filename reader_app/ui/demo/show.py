"""The demo: phantom films are made, and the whole job is played on them before the user's eyes."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reader_app.phantom.cohort import write_phantom_study
from reader_app.ui.demo.job import Play, Script
from reader_app.ui.demo.player import KeyPlayer
from reader_app.ui.demo.simulated_readers import SimulatedReader
from reader_app.ui.main_window import MainWindow

SEED = 20260301
WATCHED_PAUSE_MS = 120
"""Between two keys where a person is watching."""

READERS = (SimulatedReader("anna", 0.25), SimulatedReader("ben", 0.35))


@dataclass(frozen=True)
class DemoResult:
    """What the demo left behind."""

    folder: Path
    study: Path
    pictures: tuple[Path, ...]
    report: Path
    password: str


def make_films(folder: Path, *, participants: int, tell: Callable[[str], None]) -> Path:
    """Write bilateral knee phantoms into a folder; return their manifest."""
    tell(f"making {participants} phantom radiographs of both knees, 3000 x 2500 pixels")

    def progress(done: int, total: int) -> None:
        tell(f"phantom {done} of {total}")

    study = write_phantom_study(folder, participants=participants, visits=1, seed=SEED, progress=progress)
    return study.manifest


def play_demo(
    window: MainWindow,
    folder: Path,
    *,
    manifest: Path,
    watched: bool,
    tell: Callable[[str], None],
) -> DemoResult:
    """Play the whole job in a window that is shown already.

    Parameters
    ----------
    folder
        Study, pictures and report go into it.
    manifest
        Of the films, which lie beside it.
    watched
        Whether somebody sees the window: then it goes at a pace that can be followed.
    """
    password = secrets.token_urlsafe(9)
    script = Script(
        films=manifest.parent,
        manifest=manifest,
        study=folder / "study",
        protocol="knee-kl",
        title="Phantom knees, demonstration",
        readers=READERS,
        password=password,
    )
    player = KeyPlayer(
        window,
        pictures=folder / "pictures",
        pause_ms=WATCHED_PAUSE_MS if watched else 0,
    )
    report = Play(script, window, player, tell=tell).whole_job()
    return DemoResult(folder, script.study, tuple(player.taken), report, password)
