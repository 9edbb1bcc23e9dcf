"""The study's page: a coordinator's whole work on a real study, and an auditor who changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from reader_app.errors import AccountError, ReaderError
from reader_app.operations.freeze import freeze
from reader_app.operations.log_in import log_in
from reader_app.operations.status import status
from reader_app.operations.study import Study
from reader_app.store.records import Actor
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.page import CoordinatorPage

Enter = Callable[[Study, str], Actor]


class Desk:
    """A page with the jobs panel that it needs, and what it said."""

    def __init__(self, qtbot: QtBot, study: Study, actor: Actor, *, writes: bool) -> None:
        self.jobs = JobsPanel()
        self.page = CoordinatorPage(study, actor, jobs=self.jobs, writes=writes)
        qtbot.addWidget(self.jobs)
        qtbot.addWidget(self.page, before_close_func=lambda page: page.leave())
        self.said: list[str] = []
        self.failed: list[ReaderError] = []
        self.page.said.connect(lambda what, _next: self.said.append(what))
        self.page.failed.connect(self.failed.append)
        with qtbot.waitActive(self.page):
            self.page.show()
            self.page.activateWindow()
        qtbot.waitUntil(lambda: self.page.figure("radiographs") != "–")

    def come_back(self, qtbot: QtBot) -> None:
        """Give the page the keyboard: here the panel of jobs is a window of its own."""
        with qtbot.waitActive(self.page):
            self.page.activateWindow()
        self.page.open_section(self.page.importing)

    def idle(self) -> bool:
        return not self.jobs.titles


@pytest.fixture
def desk(qtbot: QtBot, study: Study, enter: Enter) -> Iterator[Desk]:
    desk = Desk(qtbot, study, enter(study, "Carla"), writes=True)
    yield desk
    qtbot.waitUntil(desk.idle)


def test_the_counts_are_those_of_the_study(desk: Desk) -> None:
    assert desk.page.figure("participants") == "6"
    assert desk.page.figure("radiographs") == "6"
    assert desk.page.figure("cases") == "6"
    assert desk.page.figure("settled") == "0"


def test_enter_twice_imports_a_folder_and_lists_every_fault_with_its_reason(
    qtbot: QtBot, desk: Desk, tmp_path: Path
) -> None:
    folder = tmp_path / "more"
    (folder / "inside").mkdir(parents=True)
    Image.fromarray(np.tile(np.arange(80, dtype=np.uint8), (90, 1))).save(folder / "new.png")
    (folder / "inside" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    manifest = tmp_path / "table.csv"
    manifest.write_text(
        "image,participant,side,view\nnew.png,ann,right,PA\ninside/broken.png,ben,left,PA\n", encoding="utf-8"
    )
    importing = desk.page.importing
    desk.page.open_section(importing)
    qtbot.waitUntil(importing.folder.hasFocus)
    fill(importing.manifest, str(manifest))
    QTest.keyClicks(importing.folder, str(folder))
    QTest.keyClick(importing.folder, Qt.Key.Key_Return)
    assert desk.jobs.titles == ("Look at the folder",)
    qtbot.waitUntil(lambda: importing.planning and desk.idle(), timeout=20_000)
    assert "1 file cannot be imported." in importing.result.text()
    assert desk.page.figure("radiographs") == "6", "looking imports nothing"
    desk.come_back(qtbot)
    qtbot.waitUntil(importing.preview.take.hasFocus)
    QTest.keyClick(importing.preview.take, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(desk.said), timeout=20_000)
    assert desk.said == ["1 radiograph added."]
    ((path, reason),) = importing.faults.rows.rows
    assert path == str(Path("inside", "broken.png"))
    assert "PNG" in str(reason)
    qtbot.waitUntil(lambda: desk.page.figure("radiographs") == "7")
    assert desk.failed == []


def test_what_earlier_imports_refused_is_listed_when_the_page_opens(
    qtbot: QtBot, desk: Desk, study: Study, enter: Enter, tmp_path: Path
) -> None:
    from reader_app.operations.import_films import import_films

    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "broken.jpg").write_bytes(b"\xff\xd8\xff and no more")
    import_films(study, enter(study, "Carla"), tmp_path / "bad")
    desk.page.refresh()
    qtbot.waitUntil(lambda: len(desk.page.importing.faults.rows.rows) == 1)
    assert "broken.jpg" in str(desk.page.importing.faults.rows.rows[0][0])


def test_an_import_without_a_folder_or_of_a_missing_one_is_said_beside_the_field(
    qtbot: QtBot, desk: Desk, tmp_path: Path
) -> None:
    importing = desk.page.importing
    importing.run()
    assert importing.fault.text() == "Choose the folder with the radiographs."
    importing.folder.setText(str(tmp_path / "nowhere"))
    importing.run()
    qtbot.waitUntil(lambda: "does not exist" in importing.fault.text())
    qtbot.waitUntil(importing.start.isEnabled)


def fill(field: QLineEdit, text: str) -> None:
    field.clear()
    field.insert(text)


def test_a_new_reader_can_log_in_and_has_a_worklist(
    qtbot: QtBot, desk: Desk, study: Study, enter: Enter
) -> None:
    accounts = desk.page.accounts
    desk.page.open_section(accounts)
    qtbot.waitUntil(lambda: accounts.table.rows.rowCount() == 5)
    fill(accounts.name, "Nora")
    fill(accounts.password, "nora reads films")
    fill(accounts.again, "nora reads films")
    QTest.keyClick(accounts.again, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: accounts.table.rows.rowCount() == 6, timeout=20_000)
    assert accounts.password.text() == ""
    assert log_in(study, "Nora", "nora reads films").role.value == "reader"
    counts = status(study, enter(study, "Carla"))
    assert {reader.name: reader.total for reader in counts.readers}["Nora"] == 6


def test_faulty_accounts_are_refused_in_words(qtbot: QtBot, desk: Desk) -> None:
    accounts = desk.page.accounts
    accounts.add_account()
    assert accounts.fault.text() == "Type a name."
    fill(accounts.name, "Nora")
    fill(accounts.password, "nora reads films")
    fill(accounts.again, "nora reads film")
    accounts.add_account()
    assert "differ" in accounts.fault.text()
    fill(accounts.password, "short")
    fill(accounts.again, "short")
    accounts.add_account()
    qtbot.waitUntil(lambda: "8" in accounts.fault.text())
    qtbot.waitUntil(accounts.add.isEnabled)


def test_a_locked_account_is_shown_and_unlocked(
    qtbot: QtBot, desk: Desk, study: Study, passwords: dict[str, str]
) -> None:
    for _ in range(6):
        with pytest.raises(AccountError):
            log_in(study, "Anna", "not her password")
    accounts = desk.page.accounts
    accounts.refresh()
    qtbot.waitUntil(lambda: any("Locked until" in str(row[2]) for row in accounts.table.rows.rows))
    names = [row[0] for row in accounts.table.rows.rows]
    accounts.table.selectRow(names.index("Anna"))
    qtbot.waitUntil(accounts.unlock.isEnabled)
    accounts.unlock.click()
    qtbot.waitUntil(lambda: not any("Locked" in str(row[2]) for row in accounts.table.rows.rows))
    assert log_in(study, "Anna", passwords["Anna"]).name == "Anna"
    qtbot.waitUntil(lambda: desk.said == ["Anna can log in again."])


def test_the_progress_names_readers_and_never_grades(qtbot: QtBot, read_study: Study, enter: Enter) -> None:
    desk = Desk(qtbot, read_study, enter(read_study, "Carla"), writes=True)
    rows = desk.page.progress.table.rows.rows
    assert [row[:5] for row in rows] == [
        ("Anna", "6", "0", "0", "100%"),
        ("Ben", "6", "0", "0", "100%"),
    ]


def test_the_report_is_written_and_shown_at_a_glance(
    qtbot: QtBot, read_study: Study, enter: Enter, passwords: dict[str, str]
) -> None:
    carla = enter(read_study, "Carla")
    freeze(read_study, carla, password=passwords["Carla"], reason="for the results", although_unfinished=True)
    desk = Desk(qtbot, read_study, carla, writes=True)
    report = desk.page.report
    assert not report.show_html.isEnabled()
    desk.page.open_section(report)
    report.run()
    qtbot.waitUntil(report.show_html.isEnabled, timeout=60_000)
    qtbot.waitUntil(desk.idle)
    written = {path.suffix for path in report.folder.rglob("*") if path.is_file()}
    assert {".html", ".csv", ".json"} <= written
    between_readers = report.table.rows.rows[0]
    data = json.loads(next(report.folder.rglob("*.json")).read_text(encoding="utf-8"))
    assert "Reader 1 / Reader 2" in between_readers
    assert "6" in between_readers
    assert data, "the page and the file come from one report"
    assert desk.failed == []


def test_an_auditor_sees_everything_and_can_change_nothing(qtbot: QtBot, study: Study, enter: Enter) -> None:
    desk = Desk(qtbot, study, enter(study, "Otto"), writes=False)
    page = desk.page
    for button in (page.importing.start, page.pregrading.start, page.accounts.add, page.accounts.unlock):
        assert not button.isVisibleTo(page)
    page.importing.run()
    page.pregrading.run()
    page.accounts.add_account()
    assert desk.idle()
    qtbot.waitUntil(lambda: page.accounts.table.rows.rowCount() == 5)
    assert desk.failed == []


def test_without_a_bundle_the_page_says_how_to_add_one(
    qtbot: QtBot, study: Study, enter: Enter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # An installation whose resources hold no model.
    (tmp_path / "resources" / "models").mkdir(parents=True)
    monkeypatch.setattr("reader_app.settings.resources_folder", lambda: tmp_path / "resources")
    desk = Desk(qtbot, study, enter(study, "Carla"), writes=True)
    pregrading = desk.page.pregrading
    qtbot.waitUntil(lambda: "is installed" in pregrading.choice.about.text())
    assert str(study.folder / "bundles") in pregrading.choice.about.text()
    assert "Reading works without" in pregrading.choice.about.text()
    assert not pregrading.start.isEnabled()


def test_every_section_is_reached_by_its_key(qtbot: QtBot, desk: Desk) -> None:
    control = Qt.KeyboardModifier.ControlModifier
    for key, section in (
        (Qt.Key.Key_U, desk.page.accounts),
        (Qt.Key.Key_G, desk.page.pregrading),
        (Qt.Key.Key_E, desk.page.report),
        (Qt.Key.Key_I, desk.page.importing),
    ):
        QTest.keyClick(desk.page, key, control)
        assert desk.page.tabs.currentWidget() is section
