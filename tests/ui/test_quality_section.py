"""The coordinator's page on quality: who passed, the chart of the marked row, another attempt by key."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from reader_app.errors import ReaderError
from reader_app.operations import read
from reader_app.operations.study import Study
from reader_app.store import qualifications
from reader_app.store.records import Actor
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.quality_section import QualitySection
from tests.operations.calibration_studies import SET, flawless, make_calibrated, opened, read_on, upside_down

People = dict[str, Actor]


@pytest.fixture(scope="module")
def watched_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rita passed and graded ever higher since, Rolf did not pass."""
    folder = make_calibrated(tmp_path_factory.mktemp("watched"))
    with opened(folder) as (study, people):
        left = len(read.worklist(study, people["Rita"])) - SET
        read_on(study, people, "Rita", flawless, cases=SET)
        read_on(study, people, "Rita", lambda code: min(code + 2, 4), cases=left)
        read_on(study, people, "Rolf", upside_down, cases=SET)
    return folder


@pytest.fixture
def watched(watched_folder: Path, tmp_path: Path) -> Iterator[tuple[Study, People]]:
    shutil.copytree(watched_folder, tmp_path / "study")
    with opened(tmp_path / "study") as found:
        yield found


class Shown:
    """The section in a window of its own, and what it said."""

    def __init__(self, qtbot: QtBot, study: Study, actor: Actor, *, writes: bool) -> None:
        self.jobs = JobsPanel()
        self.section = QualitySection(study, actor, jobs=self.jobs, writes=writes)
        self.failed: list[ReaderError] = []
        self.said: list[str] = []
        self.section.failed.connect(self.failed.append)
        self.section.said.connect(lambda what, _next: self.said.append(what))
        qtbot.addWidget(self.jobs)
        qtbot.addWidget(self.section)
        self.section.resize(1232, 570)
        with qtbot.waitActive(self.section):
            self.section.show()
            self.section.activateWindow()
        self.section.refresh()
        qtbot.waitUntil(lambda: bool(self.rows) or bool(self.failed))
        self.section.first_focus().setFocus()

    @property
    def rows(self) -> tuple[tuple[str | float, ...], ...]:
        return self.section.table.rows.rows


def test_each_reader_stands_with_result_kappa_and_alarms(qtbot: QtBot, watched: tuple[Study, People]) -> None:
    study, people = watched
    shown = Shown(qtbot, study, people["Cora"], writes=True)
    rita, rolf = shown.rows
    assert rita[:4] == ("Rita", "10 of 10", "1", "Passed")
    assert rolf[:4] == ("Rolf", "10 of 10", "1", "Not passed")
    assert str(rita[5]).endswith("✓")
    assert str(rolf[5]).endswith("✗")
    assert "alarm" in str(rita[6])
    assert rolf[6] == "–"


def test_down_goes_to_the_next_reader_and_its_chart_says_what_was_found(
    qtbot: QtBot, watched: tuple[Study, People]
) -> None:
    study, people = watched
    shown = Shown(qtbot, study, people["Cora"], writes=True)
    assert shown.section.chart is not None
    assert "A1: " in shown.section.alarm_text()
    assert "higher" in shown.section.alarm_text()
    first = shown.section.chart.accessibleDescription()
    assert "10 controls since" in first
    QTest.keyClick(shown.section.table, Qt.Key.Key_Down)
    assert shown.section.alarm_text() == "No control has been read yet: alarms come from controls."
    assert shown.section.chart.accessibleDescription() != first
    # It draws what it says: the alarm's mark is there for Rita and for Rolf it is not.
    rolf = shown.section.chart.grab().toImage()
    QTest.keyClick(shown.section.table, Qt.Key.Key_Up)
    assert shown.section.chart.grab().toImage() != rolf


def test_another_attempt_needs_a_reason_and_is_granted_by_key(
    qtbot: QtBot, watched: tuple[Study, People]
) -> None:
    study, people = watched
    shown = Shown(qtbot, study, people["Cora"], writes=True)
    QTest.keyClick(shown.section.table, Qt.Key.Key_Down)
    QTest.keyClick(shown.section.table, Qt.Key.Key_Tab)
    assert shown.section.reason.hasFocus()
    QTest.keyClick(shown.section.reason, Qt.Key.Key_Return)
    assert "Write why" in shown.section.fault.text()
    QTest.keyClicks(shown.section.reason, "Trained again.")
    with qtbot.waitSignal(shown.section.changed):
        QTest.keyClick(shown.section.reason, Qt.Key.Key_Return)
    assert shown.said == ["Rolf reads 10 calibration cases again; live cases are closed until then."]
    state = qualifications.own_qualification(study.database, people["Rolf"])
    assert (state.attempt, state.locked, state.total) == (2, 0, SET)
    shown.section.refresh()
    qtbot.waitUntil(lambda: shown.rows[1][1] == "0 of 10")
    assert shown.rows[1][3] == "Reading the calibration set"
    qtbot.waitUntil(lambda: not shown.section.grant.isEnabled())


def test_an_auditor_looks_only(qtbot: QtBot, watched: tuple[Study, People]) -> None:
    study, people = watched
    shown = Shown(qtbot, study, people["Ada"], writes=False)
    assert len(shown.rows) == 2
    assert not shown.section.grant.isVisible()
    assert not shown.section.reason.isVisible()
    before = qualifications.own_qualification(study.database, people["Rolf"])
    shown.section.reason.setText("Please.")
    shown.section.grant_attempt()
    assert qualifications.own_qualification(study.database, people["Rolf"]) == before
