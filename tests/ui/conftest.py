"""What the tests of the window share: a watch for leaks, and a small real study.

A test that leaves a window, a running timer, a thread of Qt or a thread of Python behind fails: what it
left would disturb the tests after it, and at a user's screen it would be work that nobody ends.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QCoreApplication, QEvent, QThread, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

import reader_app.ui  # noqa: F401 - keeps the interpreter alive under the binding, see its binding_guard
from reader_app.operations import read
from reader_app.operations.accounts import add_account
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import NewStudy, Study, create_study, open_study
from reader_app.operations.study_config import ImagePolicy
from reader_app.reading.commands import SetGrade
from reader_app.settings import HOME_VARIABLE
from reader_app.store.records import Actor, Role
from tests.ui.reading_evening import aided_study as aided_study
from tests.ui.reading_evening import evening as evening
from tests.ui.reading_evening import unaided_evening as unaided_evening
from tests.ui.reading_evening import unaided_study as unaided_study

GRACE_SECONDS = 5.0
FILMS = 6
PASSWORDS = {
    "Carla": "carla-coordinates",
    "Anna": "anna-reads-films",
    "Ben": "ben-reads-films",
    "Zoe": "zoe-settles-it",
    "Otto": "otto-only-looks",
}
ROLES = {"Anna": Role.READER, "Ben": Role.READER, "Zoe": Role.ADJUDICATOR, "Otto": Role.AUDITOR}


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees or changes the settings of whoever runs it."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))


@pytest.fixture(autouse=True)
def _nothing_left_behind(monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> Iterator[None]:
    """Fail a test that leaks top-level widgets, Qt threads, running timers or Python threads."""
    timers: WeakSet[QTimer] = WeakSet()
    qt_threads: WeakSet[QThread] = WeakSet()
    monkeypatch.setattr(QTimer, "start", _noting(QTimer.start, timers))
    monkeypatch.setattr(QThread, "start", _noting(QThread.start, qt_threads))
    threads_before = set(threading.enumerate())
    widgets_before = {id(widget) for widget in QApplication.topLevelWidgets()}
    yield

    def left() -> list[str]:
        found = [
            f"thread {thread.name}"
            for thread in threading.enumerate()
            # Qt's own threads, seen from Python, are dummies that never go; they are counted as QThread.
            if thread not in threads_before and not isinstance(thread, threading._DummyThread)
        ]
        found += [f"QThread {t!r}" for t in qt_threads if isValid(t) and t.isRunning()]
        found += [f"running timer {t!r} of {t.parent()!r}" for t in timers if isValid(t) and t.isActive()]
        found += [
            f"window {widget!r}"
            for widget in QApplication.topLevelWidgets()
            if id(widget) not in widgets_before and widget.parent() is None
        ]
        return found

    end = time.monotonic() + GRACE_SECONDS
    _let_go()
    while left() and time.monotonic() < end:
        QTest.qWait(20)
        _let_go()
    leaked = left()
    for widget in QApplication.topLevelWidgets():
        if id(widget) not in widgets_before and widget.parent() is None:
            widget.close()
            widget.deleteLater()
    _let_go()
    assert not leaked, "the test leaves behind: " + "; ".join(leaked)


def _noting(start: Callable[..., None], into: WeakSet[Any]) -> Callable[..., None]:
    def noted(self: object, *arguments: object) -> None:
        into.add(self)
        start(self, *arguments)

    return noted


def _let_go() -> None:
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture(scope="session")
def _imported_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with six films and five people, that nobody has read yet; to be copied."""
    root = tmp_path_factory.mktemp("imported")
    images = root / "films"
    images.mkdir()
    generator = np.random.default_rng(7)
    for number in range(FILMS):
        noise = generator.integers(20, 235, size=(60, 48), dtype=np.uint8)
        Image.fromarray(noise).resize((192, 240)).save(images / f"film-{number}.png")
    manifest = root / "manifest.csv"
    lines = [
        f"film-{number}.png,person-{number},{'right' if number % 2 else 'left'}" for number in range(FILMS)
    ]
    manifest.write_text("\n".join(["image,participant,side", *lines, ""]), encoding="utf-8")
    choices = NewStudy(
        protocol="knee-kl",
        title="Six knees",
        coordinator="Carla",
        password=PASSWORDS["Carla"],
        seed=11,
        images=ImagePolicy.COPY,
    )
    with create_study(root / "study", choices) as study:
        carla = log_in(study, "Carla", PASSWORDS["Carla"])
        for name, role in ROLES.items():
            add_account(study, carla, name=name, password=PASSWORDS[name], role=role)
        import_films(study, carla, images, manifest=manifest)
    return root / "study"


@pytest.fixture(scope="session")
def _read_study(_imported_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after both readers have locked everything: they differ on the first three cases."""
    folder = tmp_path_factory.mktemp("read") / "study"
    shutil.copytree(_imported_study, folder)
    with open_study(folder) as study:
        for name, higher in (("Anna", 0), ("Ben", 1)):
            actor = log_in(study, name, PASSWORDS[name])
            for entry in read.worklist(study, actor):
                case = read.open_case(study, actor, entry.assignment_id)
                first = sorted(film.radiograph_id for film in case.case.films)[0]
                code = 1 + (higher if first <= 2 else 2 * higher if first == 3 else 0)
                for key in case.session.keys:
                    read.commit(study, actor, case, SetGrade(key, code), pregrade_in_sight=False)
                read.lock(study, actor, case, active_seconds=2.0)
    return folder


@pytest.fixture
def study_folder(_imported_study: Path, tmp_path: Path) -> Path:
    """A study of one's own, not read yet."""
    shutil.copytree(_imported_study, tmp_path / "study")
    return tmp_path / "study"


@pytest.fixture
def study(study_folder: Path) -> Iterator[Study]:
    """The same, open."""
    with open_study(study_folder) as opened:
        yield opened


@pytest.fixture
def read_folder(_read_study: Path, tmp_path: Path) -> Path:
    """A study of one's own that both readers have locked; three cases wait for the adjudicator."""
    shutil.copytree(_read_study, tmp_path / "read")
    return tmp_path / "read"


@pytest.fixture
def read_study(read_folder: Path) -> Iterator[Study]:
    """The same, open."""
    with open_study(read_folder) as opened:
        yield opened


@pytest.fixture
def passwords() -> dict[str, str]:
    """Everybody's password, by name."""
    return dict(PASSWORDS)


@pytest.fixture
def enter() -> Callable[[Study, str], Actor]:
    """Logs somebody of the small study in."""
    return lambda study, name: log_in(study, name, PASSWORDS[name])
