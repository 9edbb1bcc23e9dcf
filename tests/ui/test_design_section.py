"""The design on the study's page: said in sentences, changed by the wizard, and looked at by an auditor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMessageBox
from pytestqt.qtbot import QtBot

from reader_app.errors import ReaderError
from reader_app.operations import design as designing
from reader_app.operations import read
from reader_app.operations.design_history import as_in_force, history
from reader_app.operations.study import Study
from reader_app.reading.commands import SetGrade
from reader_app.reading.design_file import parse_design
from reader_app.store.records import Actor
from reader_app.ui.coordinator.design_section import SHORT_HASH
from reader_app.ui.coordinator.design_wizard.fields import Field, Step
from reader_app.ui.coordinator.design_wizard.form_pages import RepeatsPage, SigningPage
from reader_app.ui.coordinator.design_wizard.preview_page import PreviewPage, evenings
from reader_app.ui.coordinator.design_wizard.wizard import DesignWizard
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.page import CoordinatorPage

Enter = Callable[[Study, str], Actor]


class Desk:
    """A coordinator's page in front of its Design tab."""

    def __init__(self, qtbot: QtBot, study: Study, actor: Actor, *, writes: bool = True) -> None:
        self.qtbot = qtbot
        self.jobs = JobsPanel()
        self.page = CoordinatorPage(study, actor, jobs=self.jobs, writes=writes)
        qtbot.addWidget(self.jobs)
        qtbot.addWidget(self.page, before_close_func=lambda page: page.leave())
        self.said: list[str] = []
        self.failed: list[ReaderError] = []
        self.studies: list[Study] = []
        self.page.said.connect(lambda what, _next: self.said.append(what))
        self.page.failed.connect(self.failed.append)
        self.page.study_changed.connect(self.studies.append)
        with qtbot.waitActive(self.page):
            self.page.show()
            self.page.activateWindow()
        QTest.keyClick(self.page, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
        self.section = self.page.design
        qtbot.waitUntil(lambda: self.section.history.rows.rowCount() > 0)

    def words(self) -> str:
        return " ".join(label.text() for label in self.section.findChildren(QLabel))

    def wizard(self) -> DesignWizard:
        self.section.change.click()
        self.qtbot.waitUntil(lambda: self.section.wizard is not None)
        wizard = self.section.wizard
        assert wizard is not None
        self.qtbot.waitUntil(lambda: wizard.next.isEnabled())
        return wizard

    def preview(self, wizard: DesignWizard) -> PreviewPage:
        wizard.go(Step.PREVIEW)
        page = wizard.pages[Step.PREVIEW]
        assert isinstance(page, PreviewPage)
        self.qtbot.waitUntil(lambda: not page.waiting_for, timeout=20_000)
        return page


@pytest.fixture
def desk(qtbot: QtBot, study: Study, enter: Enter) -> Desk:
    return Desk(qtbot, study, enter(study, "Carla"))


def reread(wizard: DesignWizard, percent: int, *, apart: int = 1) -> None:
    page = wizard.pages[Step.REPEATS]
    assert isinstance(page, RepeatsPage)
    wizard.model.set(Field.REREADS, percent)
    wizard.model.set(Field.REREAD_CASES, apart)
    page.form.tell()


def read_one(study: Study, reader: Actor) -> None:
    entry = read.worklist(study, reader)[0]
    case = read.open_case(study, reader, entry.assignment_id)
    for key in case.session.keys:
        read.commit(study, reader, case, SetGrade(key, 1), pregrade_in_sight=False)


def test_the_design_in_force_is_said_in_sentences_with_its_hash_and_history(desk: Desk, study: Study) -> None:
    assert desk.page.tabs.currentWidget() is desk.section
    assert f"seed {study.design.seed}" in desk.words()
    assert "Every case is read by" in desk.words()
    short = study.design.sha256[:SHORT_HASH]
    assert short in desk.section.about.text()
    ((_, shown, who, why),) = desk.section.history.rows.rows
    assert (shown, who, why) == (short, "Carla", "–")


def test_the_whole_hash_is_copied(desk: Desk, study: Study) -> None:
    desk.section.copy.click()
    assert QGuiApplication.clipboard().text() == study.design.sha256


def test_a_new_design_goes_from_the_wizard_into_force_and_to_every_section(
    qtbot: QtBot, desk: Desk, study: Study, enter: Enter
) -> None:
    wizard = desk.wizard()
    reread(wizard, 50)
    page = desk.preview(wizard)
    assert [row[0] for row in page.readers.rows.rows] == ["Anna", "Ben"]
    assert [row[3] for row in page.readers.rows.rows] == ["3", "3"]
    page.reason.setText("To know how a reader agrees with themselves.")
    QTest.keyClick(page.reason, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: desk.section.wizard is None, timeout=20_000)
    assert as_in_force(study).design.rereads.percent == 50
    assert [each.design.rereads.percent for each in desk.studies] == [50]
    for section, _, _ in desk.page.sections:
        assert section.study.design.rereads.percent == 50
    qtbot.waitUntil(lambda: desk.section.history.rows.rowCount() == 2)
    assert desk.section.history.rows.rows[0][3] == "To know how a reader agrees with themselves."
    assert "50 % of a reader's cases" in desk.words()
    assert len(read.worklist(study, enter(study, "Anna"))) == 9
    assert desk.failed == []


def test_the_preview_counts_what_the_readers_then_get(
    qtbot: QtBot, desk: Desk, study: Study, enter: Enter
) -> None:
    wizard = desk.wizard()
    reread(wizard, 50)
    page = desk.preview(wizard)
    counted = {str(row[0]): int(str(row[2])) for row in page.readers.rows.rows}
    shown = page.first.rows.rows
    assert len({row[2] for row in shown}) == 2, "first readings and re-reads are told apart"
    participants = [str(row[4]) for row in shown]
    assert len(set(participants)) == 6, "the coordinator sees who comes back"
    assert all(name.startswith("P-") for name in participants), "under a pseudonym"
    page.readers.selectRow(1)
    assert page.first.rows.rows != shown, "each reader has an order of their own"
    assert "Ben" in page.first_title.text()
    wizard.put_in_force()
    qtbot.waitUntil(lambda: desk.section.wizard is None, timeout=20_000)
    got = {name: len(read.worklist(study, enter(study, name))) for name in counted}
    assert got == counted


def test_what_cannot_be_met_is_noted_beneath_the_preview(desk: Desk) -> None:
    wizard = desk.wizard()
    reread(wizard, 50, apart=500)
    page = desk.preview(wizard)
    assert [row[3] for row in page.readers.rows.rows] == ["0", "0"]
    assert "Anna" in page.notes.text()
    wizard.go(Step.REPEATS)
    reread(wizard, 50)
    page = desk.preview(wizard)
    assert [row[3] for row in page.readers.rows.rows] == ["3", "3"], "it is worked out anew"


def test_once_reading_has_begun_the_wizard_shows_what_stays_and_asks_why(
    qtbot: QtBot, study: Study, enter: Enter
) -> None:
    read_one(study, enter(study, "Anna"))
    desk = Desk(qtbot, study, enter(study, "Carla"))
    wizard = desk.wizard()
    assert wizard.model.begun
    assert Field.SEED in wizard.model.fixed
    signing = wizard.pages[Step.SIGNING]
    assert isinstance(signing, SigningPage)
    wizard.model.set(Field.SESSION, 5)
    signing.form.tell()
    page = desk.preview(wizard)
    assert not wizard.force.isEnabled()
    assert "say why" in wizard.status.text()
    assert page.reason.hasFocus()
    QTest.keyClicks(page.reason, "The room is shared.")
    assert wizard.force.isEnabled()
    QTest.keyClick(page.reason, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: desk.section.wizard is None, timeout=20_000)
    newest = history(study, enter(study, "Carla"))[0]
    assert (newest.design.session_minutes, newest.reason) == (5, "The room is shared.")


def test_leaving_with_an_unfinished_design_asks_first(qtbot: QtBot, desk: Desk) -> None:
    wizard = desk.wizard()
    assert desk.page.may_leave(), "nothing was changed, so nothing is asked"
    assert desk.section.wizard is None
    wizard = desk.wizard()
    reread(wizard, 20)
    assert not desk.page.may_leave()
    box = wizard.findChild(QMessageBox)
    assert isinstance(box, QMessageBox)
    (forget,) = (button for button in box.buttons() if "Forget" in button.text())
    forget.click()
    assert desk.page.may_leave()


def test_a_second_press_brings_the_open_wizard_to_the_front(desk: Desk) -> None:
    wizard = desk.wizard()
    desk.section.change.click()
    assert desk.section.wizard is wizard
    wizard.reject()


def test_the_design_is_saved_as_a_file_that_reads_back_the_same(
    qtbot: QtBot, desk: Desk, study: Study, tmp_path: Path
) -> None:
    desk.section.save_as(tmp_path / "mine.toml")
    qtbot.waitUntil(lambda: bool(desk.said))
    text = (tmp_path / "mine.toml").read_text(encoding="utf-8")
    assert parse_design(text, name="mine.toml", protocol=study.protocol) == study.design
    desk.section.save_as(tmp_path / "nowhere" / "mine.toml")
    qtbot.waitUntil(lambda: "nowhere" in desk.section.fault.text())


def test_an_auditor_looks_and_changes_nothing(qtbot: QtBot, study: Study, enter: Enter) -> None:
    desk = Desk(qtbot, study, enter(study, "Otto"), writes=False)
    assert not desk.section.change.isVisible()
    assert not desk.section.save.isVisible()
    desk.section.open_wizard()
    assert desk.section.wizard is None
    assert f"seed {study.design.seed}" in desk.words()
    assert desk.failed == []


def test_a_design_that_another_program_put_in_force_is_noticed(
    qtbot: QtBot, desk: Desk, study: Study, enter: Enter
) -> None:
    from dataclasses import replace

    designing.set_design(study, enter(study, "Carla"), replace(study.design, session_minutes=3), reason="")
    desk.page.refresh()
    qtbot.waitUntil(lambda: desk.section.study.design.session_minutes == 3)
    assert "3 idle minutes" in desk.words()


@pytest.mark.parametrize(("readings", "expected"), [(0, 0), (1, 1), (300, 1), (301, 2)])
def test_evenings_are_counted_up(readings: int, expected: int) -> None:
    assert evenings(readings) == expected
