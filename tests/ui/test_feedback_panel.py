"""After the lock of a calibration case: the reference in the place of the grades, one key goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from reader_app.operations import read
from reader_app.reading.design import Calibration
from reader_app.ui.reading.desk import StudyDesk
from reader_app.ui.reading.page import ReadingPage
from tests.operations.calibration_studies import make_calibrated, opened, references

Key = Qt.Key
SET = 3
CALIBRATION = Calibration(cases=SET, min_kappa=0.9)


class Screen:
    """Rita at the reading screen, who knows the reference by heart."""

    def __init__(self, qtbot: QtBot, page: ReadingPage, known: dict[int, int]) -> None:
        self.qtbot = qtbot
        self.page = page
        self._known = known

    def reference(self) -> int:
        assert self.page.open_case is not None
        (joint,) = self.page.open_case.case.joints
        return self._known[joint.id]

    def press(self, key: Key) -> None:
        QTest.keyClick(self.page, key)

    def grade(self, code: int) -> None:
        self.qtbot.waitUntil(lambda: self.page.ready)
        QTest.keyClicks(self.page, str(code))
        self.press(Key.Key_Return)

    @property
    def words(self) -> str:
        return self.page.feedback.words()


@pytest.fixture
def screen(qtbot: QtBot, tmp_path: Path) -> Iterator[Screen]:
    folder = make_calibrated(tmp_path, CALIBRATION)
    with opened(folder) as (study, people):
        rita = people["Rita"]
        page = ReadingPage(StudyDesk(study, rita), settle_milliseconds=0)
        qtbot.addWidget(page, before_close_func=lambda closing: closing.release())
        page.resize(1280, 720)
        with qtbot.waitActive(page):
            page.show()
            page.activateWindow()
        page.start(read.worklist(study, rita)[0].assignment_id)
        yield Screen(qtbot, page, references(study, people["Ada"]))


def test_the_reference_stands_beside_the_grade_and_enter_goes_on(screen: Screen) -> None:
    reference = screen.reference()
    given = reference + 1 if reference < 4 else reference - 2
    way = "1 higher" if reference < 4 else "2 lower"
    first = screen.page.open_case
    assert not screen.page.feedback.isVisible()
    screen.grade(given)
    assert screen.page.open_case is first
    assert screen.page.feedback.isVisible()
    assert not screen.page.panel.isVisible()
    assert f"Calibration case 1 of {SET}" in screen.words
    assert f"you {given}, reference {reference}, {way}" in screen.words
    screen.press(Key.Key_Return)
    screen.qtbot.waitUntil(lambda: screen.page.ready)
    assert screen.page.open_case is not first
    assert screen.page.panel.isVisible()
    assert not screen.page.feedback.isVisible()


def test_while_the_reference_is_in_sight_no_key_grades(screen: Screen) -> None:
    reference = screen.reference()
    screen.grade(reference)
    before = screen.words
    assert "same" in before
    QTest.keyClicks(screen.page, "4")
    screen.press(Key.Key_Delete)
    assert screen.words == before
    assert screen.page.open_case is not None
    assert list(
        screen.page.open_case.session.grades_of(screen.page.open_case.case.joints[0].id).values()
    ) == [reference]


def test_after_the_last_case_comes_the_result_and_then_the_way_out(screen: Screen) -> None:
    for _ in range(SET - 1):
        screen.grade(screen.reference())
        screen.press(Key.Key_Return)
        screen.qtbot.waitUntil(lambda: screen.page.ready)
    screen.grade((screen.reference() + 3) % 5)
    assert f"Calibration case {SET} of {SET}" in screen.words
    screen.press(Key.Key_Return)
    assert screen.page.feedback.isVisible()
    assert screen.words.startswith("Not passed")
    assert "can grant another attempt" in screen.words
    assert "must reach 0.90" in screen.words
    screen.press(Key.Key_Return)
    assert "was not passed" in screen.page.message.text
