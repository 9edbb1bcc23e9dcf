"""The coordinator holds two bundles against each other, and sees which bundles there are."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from reader_app.operations.bundles import studys_bundles
from reader_app.operations.compare_bundles import bundles_to_compare
from reader_app.operations.log_in import log_in
from reader_app.operations.study import Study, open_study
from reader_app.settings import resource_path
from reader_app.store.records import Actor
from reader_app.ui.coordinator.compare_dialog import CompareDialog
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.page import CoordinatorPage
from tests.operations import two_bundles as two

PATIENCE = 60_000


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("compared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("READER_APP_HOME", str(root / "home"))
        return two.make_study(root / "made")


@pytest.fixture
def study(template: Path, tmp_path: Path) -> Iterator[Study]:
    shutil.copytree(template, tmp_path / "study")
    with open_study(tmp_path / "study") as opened:
        yield opened


@pytest.fixture
def carla(study: Study) -> Actor:
    return log_in(study, two.COORDINATOR, two.PASSWORD)


def test_the_joint_furthest_apart_is_shown_twice_with_both_answers(
    qtbot: QtBot, study: Study, carla: Actor
) -> None:
    dialog = CompareDialog(study, carla, bundles_to_compare(study, carla))
    qtbot.addWidget(dialog)
    dialog.open()
    first, second = dialog.films.halves
    qtbot.waitUntil(lambda: first.view.heatmap_shown and second.view.heatmap_shown, timeout=PATIENCE)
    assert dialog.words.text().startswith("12 joints pre-graded by both; 2 grades differ.")
    assert dialog.items.rows.rows[0][1] == "12"
    assert [row[4:] for row in dialog.differing.rows.rows] == [
        ("4  (3.8)", "0  (0.2)"),
        ("2  (2.0)", "3  (2.9)"),
    ]
    assert (first.title.text(), second.title.text()) == ("knee-kl 1.0.0", "knee-kl 1.1.0")
    assert (first.chip.text, second.chip.text) == ("AI: 4  (90 %)", "AI: 0  (90 %)")
    QTest.keyClick(dialog, Qt.Key.Key_H)
    assert not first.view.heatmap_shown
    QTest.keyClick(dialog, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: first.chip.text == "AI: 2  (90 %)", timeout=PATIENCE)
    assert second.chip.text == "AI: 3  (90 %)"
    dialog.first.setCurrentIndex(1)
    qtbot.waitUntil(lambda: "itself" in dialog.fault.text(), timeout=PATIENCE)
    dialog.reject()


def test_bundles_are_listed_installed_and_verified_and_a_remark_leads_to_its_film(
    qtbot: QtBot, study: Study, carla: Actor
) -> None:
    jobs = JobsPanel()
    qtbot.addWidget(jobs)
    page = CoordinatorPage(study, carla, jobs=jobs, writes=True)
    qtbot.addWidget(page)
    page.resize(1280, 720)
    page.show()
    page.open_section(page.pregrading)
    choice = page.pregrading.choice
    qtbot.waitUntil(lambda: choice.current is not None, timeout=PATIENCE)
    assert choice.list.currentText().startswith("knee-kl ")
    assert choice.list.currentText().endswith("with the software")
    assert "licence Apache-2.0" in choice.about.text()
    qtbot.waitUntil(page.pregrading.compare.isEnabled, timeout=PATIENCE)
    choice.verify_chosen()
    qtbot.waitUntil(lambda: choice.checked.text().startswith("Verified"), timeout=PATIENCE)
    choice.install(resource_path("models") / "knee-kl")
    qtbot.waitUntil(lambda: choice.list.count() == 2, timeout=PATIENCE)
    assert studys_bundles(study.folder).is_dir()
    page.pregrading.film_wanted.emit(1)
    assert page.tabs.currentWidget() is page.films
    qtbot.waitUntil(
        lambda: page.films.current is not None and page.films.current.radiograph_id == 1, timeout=PATIENCE
    )
    qtbot.waitUntil(
        lambda: page.films.bench.view is not None and page.films.bench.view.radiograph is not None,
        timeout=PATIENCE,
    )
    page.leave()


def test_what_is_no_bundle_is_refused_in_a_sentence(
    qtbot: QtBot, study: Study, carla: Actor, tmp_path: Path
) -> None:
    from reader_app.ui.coordinator.bundle_choice import BundleChoice

    choice = BundleChoice(study, carla, writes=True)
    qtbot.addWidget(choice)
    (tmp_path / "nothing").mkdir()
    choice.install(tmp_path / "nothing")
    qtbot.waitUntil(lambda: choice.fault.text() != "", timeout=PATIENCE)
    assert "nothing" in choice.fault.text()
    assert not studys_bundles(study.folder).exists() or not any(studys_bundles(study.folder).iterdir())
