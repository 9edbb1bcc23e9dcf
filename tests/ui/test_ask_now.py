"""Asking the AI now, with the real networks in a process of their own: by key, stopped, refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from reader_app.operations import read
from reader_app.operations.accounts import add_account
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.pregrade import WarmWorkers
from reader_app.operations.study import NewStudy, Study, create_study, open_study
from reader_app.operations.study_config import ImagePolicy
from reader_app.protocols.model import Arm
from reader_app.store.bundle_pregrades import joints_of_film
from reader_app.store.pregrades import bundles_used
from reader_app.store.records import Actor, Role
from reader_app.ui.coordinator.film_asking import FilmAsking
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.reading.desk import StudyDesk
from reader_app.ui.reading.page import ReadingPage
from tests.cli.conftest import write_film

PATIENCE = 120_000
PASSWORDS = {"Carla": "carla-coordinates", "Anna": "anna-reads-films"}


def make_study(root: Path, arm: Arm) -> Path:
    images = root / "films"
    images.mkdir(parents=True)
    lines = ["image,participant,side"]
    for number in range(2):
        write_film(images / f"film-{number}.png", seed=number)
        lines.append(f"film-{number}.png,person-{number},left")
    manifest = root / "manifest.csv"
    manifest.write_text("\n".join([*lines, ""]), encoding="utf-8")
    choices = NewStudy(
        protocol="knee-kl",
        title="Ask",
        coordinator="Carla",
        password=PASSWORDS["Carla"],
        arm=arm,
        seed=5,
        images=ImagePolicy.COPY,
    )
    with create_study(root / "study", choices) as study:
        carla = log_in(study, "Carla", PASSWORDS["Carla"])
        add_account(study, carla, name="Anna", password=PASSWORDS["Anna"], role=Role.READER)
        import_films(study, carla, images, manifest=manifest)
    return root / "study"


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[Arm, Path]:
    root = tmp_path_factory.mktemp("asked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("READER_APP_HOME", str(root / "home"))
        return {arm: make_study(root / arm.value, arm) for arm in (Arm.AIDED, Arm.UNAIDED)}


Begin = Callable[[Arm], "Asked"]


class Asked:
    """A reader at the page, with networks that stay warm."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.study: Study = open_study(folder)
        self.anna: Actor = log_in(self.study, "Anna", PASSWORDS["Anna"])
        self.carla: Actor = log_in(self.study, "Carla", PASSWORDS["Carla"])
        self.warm = WarmWorkers()
        self.page = ReadingPage(StudyDesk(self.study, self.anna, warm=self.warm), settle_milliseconds=10)
        qtbot.addWidget(self.page)
        self.page.resize(1280, 720)
        self.page.show()
        self.page.start(read.worklist(self.study, self.anna)[0].assignment_id)
        qtbot.waitUntil(lambda: self.page.ready, timeout=PATIENCE)

    @property
    def button(self) -> QToolButton:
        """The visible button beside the name of the bundle."""
        action = self.page.commands["pregrade-ask"]
        (found,) = [
            each
            for each in self.page.panel.pregrades.findChildren(QToolButton)
            if each.defaultAction() is action
        ]
        return found

    def wait(self, done: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(done, timeout=PATIENCE)

    def close(self) -> None:
        self.page.release()
        self.wait(lambda: not self.page.asking.busy)
        self.page.close()
        self.warm.close()
        self.study.close()


@pytest.fixture
def begin(templates: dict[Arm, Path], tmp_path: Path, qtbot: QtBot) -> Iterator[Begin]:
    made: list[Asked] = []

    def start(arm: Arm) -> Asked:
        shutil.copytree(templates[arm], tmp_path / "study")
        made.append(Asked(tmp_path / "study", qtbot))
        return made[-1]

    yield start
    for each in made:
        each.close()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_key_has_the_case_on_screen_pregraded_while_the_window_goes_on(begin: Begin) -> None:
    asked = begin(Arm.AIDED)
    page = asked.page
    assert page.panel.note == "This joint has no pre-grade yet."
    assert asked.button.isVisible()
    assert "Ask the AI now" in asked.button.text()
    first = page.current_key
    assert first is not None
    QTest.keyClicks(page, "a")
    assert page.asking.busy, "the key came back at once"
    assert "being made" in page.panel.note
    assert "Stop" in asked.button.text()
    QTest.keyClicks(page, "1")
    assert page.open_case is not None
    assert page.open_case.session.grade(first) == 1, "grading goes on meanwhile"
    asked.wait(lambda: not page.asking.busy)
    assert page.message.text == "1 joint pre-graded."
    assert len(page.open_case.pregrades) == 1
    assert len(page.panel.chip_texts()) == 1
    assert page.panel.note == ""
    assert page.panel.pregrades.source.startswith("knee-kl ")
    assert page.open_case.session.grade(first) == 1, "what the reader did stays"
    assert page.open_case.session.can_undo
    assert not asked.button.isVisible(), "there is nothing left to ask"
    (use,) = bundles_used(asked.study.database, asked.carla)
    assert use.joints == 1, "no other case was touched"


def test_an_unaided_reader_has_no_key_for_it(begin: Begin) -> None:
    asked = begin(Arm.UNAIDED)
    page = asked.page
    assert not asked.button.isVisible()
    assert page.panel.note == "This case is read without AI: nothing of it is shown."
    QTest.keyClicks(page, "a")
    assert not page.asking.busy
    assert bundles_used(asked.study.database, asked.carla) == ()


def test_a_question_can_be_stopped_and_asked_again(begin: Begin) -> None:
    asked = begin(Arm.AIDED)
    page = asked.page
    QTest.keyClicks(page, "aa")
    asked.wait(lambda: not page.asking.busy)
    assert page.open_case is not None
    if page.open_case.askable:  # it may have been done before it could stop
        QTest.keyClicks(page, "a")
        asked.wait(lambda: not page.asking.busy)
    assert len(page.open_case.pregrades) == 1


def test_a_film_that_is_gone_is_one_sentence(begin: Begin) -> None:
    asked = begin(Arm.AIDED)
    page = asked.page
    for path in (asked.study.folder / "images").rglob("*.png"):
        path.unlink()
    QTest.keyClicks(page, "a")
    asked.wait(lambda: not page.asking.busy)
    assert "can be reached" in page.message.text
    assert page.open_case is not None
    assert page.open_case.askable


def test_the_coordinator_asks_for_one_film(begin: Begin, qtbot: QtBot) -> None:
    asked = begin(Arm.AIDED)
    from reader_app.operations.correct_film import film_list

    entry = film_list(asked.study, asked.carla)[0]
    jobs = JobsPanel()
    qtbot.addWidget(jobs)
    asking = FilmAsking(asked.study, asked.carla, jobs=jobs, warm=asked.warm, parent=jobs)
    said: list[str] = []
    asking.said.connect(said.append)
    asking.toggle(entry)
    assert jobs.titles == ("Pre-grade this film",)
    asked.wait(lambda: jobs.titles == ())
    assert said[0].startswith("1 joint pre-graded by knee-kl")
    (use,) = bundles_used(asked.study.database, asked.carla)
    assert use.joints == len(joints_of_film(asked.study.database, asked.carla, entry.radiograph_id)) == 1
    asking.toggle(entry)
    asked.wait(lambda: len(said) == 2)
    assert said[1].startswith("Every joint of this film has its pre-grade")
