"""Signing with the password, amending a locked case, the test pattern, and the freeze, by keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from reader_app.operations.amend import own_amendments
from reader_app.operations.freeze import freeze_state
from reader_app.operations.log_in import log_in
from reader_app.operations.study import Study
from reader_app.reading.design import DisplayPolicy, PasswordPolicy, Signing
from reader_app.reading.worklist import ReadingState
from reader_app.store import designs, display_checks
from reader_app.store.records import Actor
from reader_app.ui.amend_dialog import AmendDialog
from reader_app.ui.coordinator.freeze_dialog import FreezeDialog
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.page import CoordinatorPage
from reader_app.ui.display.display_pattern import NEAR_BLACK, NEAR_WHITE, STEPS, pattern_image
from reader_app.ui.role_pages import ReaderRolePage
from reader_app.ui.sign_dialog import SignDialog
from tests.ui.reading_evening import Evening

D = TypeVar("D", bound=QDialog)
PASSWORD = "anna-reads-films"


def ask_password(evening: Evening, policy: PasswordPolicy) -> None:
    carla = log_in(evening.study, "Carla", "carla-coordinates")
    design = replace(evening.study.design, signing=Signing(policy))
    designs.set_design(evening.study.database, carla, design, reason="signing")


def grade_all(evening: Evening) -> None:
    case = evening.page.open_case
    assert case is not None
    for _ in case.session.open_keys():
        evening.press("1")


def dialog_of(evening: Evening, kind: type[D]) -> D:
    evening.qtbot.waitUntil(lambda: any(d.isVisible() for d in evening.page.findChildren(kind)))
    return next(d for d in evening.page.findChildren(kind) if d.isVisible())


def test_enter_asks_for_the_password_where_the_design_does(unaided_evening: Evening) -> None:
    evening = unaided_evening
    ask_password(evening, PasswordPolicy.FIRST_OF_SESSION)
    grade_all(evening)
    evening.press(Qt.Key.Key_Return)
    dialog = dialog_of(evening, SignDialog)
    assert "stand by its grades" in dialog.meaning.text()
    assert evening.state() is ReadingState.OPEN
    evening.press("2")
    assert set(evening.stored().values()) == {1}, "nothing is graded while the signature is asked for"
    dialog.password.setText("not hers")
    QTest.keyClick(dialog.password, Qt.Key.Key_Return)
    evening.qtbot.waitUntil(lambda: "wrong" in dialog.fault.text(), timeout=20_000)
    assert evening.state() is ReadingState.OPEN
    dialog.password.setText(PASSWORD)
    QTest.keyClick(dialog.password, Qt.Key.Key_Return)
    QTest.keyClick(dialog.password, Qt.Key.Key_Return)
    evening.qtbot.waitUntil(lambda: evening.state() is ReadingState.LOCKED, timeout=20_000)
    evening.wait()
    assert evening.state(1) is ReadingState.OPEN, "a second press locked nothing more"
    grade_all(evening)
    # Offscreen there is no window manager that gives the keyboard back when a dialog closes.
    evening.page.activateWindow()
    evening.qtbot.waitUntil(evening.page.isActiveWindow)
    evening.press(Qt.Key.Key_Return)
    assert evening.state(1) is ReadingState.LOCKED, evening.page.message.text


def test_esc_goes_back_to_the_case(unaided_evening: Evening) -> None:
    evening = unaided_evening
    ask_password(evening, PasswordPolicy.EACH_LOCK)
    grade_all(evening)
    evening.press(Qt.Key.Key_Return)
    QTest.keyClick(dialog_of(evening, SignDialog), Qt.Key.Key_Escape)
    assert evening.state() is ReadingState.OPEN
    assert evening.page.ready, "the case takes grades again"


def test_without_a_policy_one_key_signs_and_the_meaning_is_shown(unaided_evening: Evening) -> None:
    evening = unaided_evening
    grade_all(evening)
    assert "I have read this case myself" in evening.page.message.text
    evening.press(Qt.Key.Key_Return)
    assert evening.state() is ReadingState.LOCKED
    assert not evening.page.findChildren(SignDialog)


def test_a_locked_case_is_amended_with_a_reason(unaided_evening: Evening) -> None:
    evening = unaided_evening
    grade_all(evening)
    evening.press(Qt.Key.Key_Return)
    evening.wait()
    evening.page.flow.go_to_case(-1)
    evening.wait()
    key = evening.page.current_key
    QTest.keyClick(evening.page, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    dialog = dialog_of(evening, AmendDialog)
    dialog.choice.setCurrentIndex(0)
    dialog.amend.click()
    assert "why" in dialog.fault.text(), "an amendment without a reason is not stored"
    dialog.reason.setText("an osteophyte after all")
    QTest.keyClick(dialog.reason, Qt.Key.Key_Return)
    case = evening.page.open_case
    assert case is not None
    evening.qtbot.waitUntil(lambda: "an osteophyte after all" in evening.page.amendments.note())
    evening.wait()
    (made,) = own_amendments(evening.study, evening.anna, case.reading.reading_id)
    assert key is not None
    assert (made.joint_id, made.item, made.before) == (key.joint_id, key.item, 1)
    assert evening.page.open_case is not None
    assert evening.page.open_case.session.grade(key) == made.after
    assert evening.page.open_case.locked


def test_the_pattern_comes_first_and_its_answer_is_stored(
    qtbot: QtBot, study: Study, enter: Callable[[Study, str], Actor]
) -> None:
    carla, anna = enter(study, "Carla"), enter(study, "Anna")
    design = replace(study.design, signing=Signing(display_check=DisplayPolicy.EACH_SESSION))
    designs.set_design(study.database, carla, design, reason="screens")
    page = ReaderRolePage(study, anna)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: page.worklist.model.rowCount() > 0, timeout=20_000)
    page.worklist.open_next()
    qtbot.waitUntil(lambda: page.display.page is not None)
    assert page.reading is None, "no film before the pattern"
    assert page.display.page is not None
    page.display.page.answer(seen=False)
    qtbot.waitUntil(lambda: page.reading is not None and page.reading.ready, timeout=20_000)
    (check,) = display_checks.all_checks(study.database, carla)
    assert (check.name, check.passed) == ("Anna", False)
    assert {"name", "width_px", "scale", "depth"} <= set(check.screen)
    assert page.reading is not None
    page.reading.left.emit()
    page.worklist.open_next()
    assert page.display.page is None, "asked once in a session"
    page.leave()


@pytest.mark.parametrize("size", [(1280, 560), (1600, 840), (2560, 1300)])
def test_the_pattern_holds_what_it_asks_about(size: tuple[int, int]) -> None:
    image = pattern_image(*size)
    levels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = levels[:, : image.width()]
    found = set(np.unique(pixels).tolist())
    assert {round(255 * step / (STEPS - 1)) for step in range(STEPS)} <= found
    assert {0, NEAR_BLACK, NEAR_WHITE, 255} <= found
    single = [(row[:-2] == 0) & (row[1:-1] == 255) & (row[2:] == 0) for row in pixels]
    assert max(int(each.sum()) for each in single) >= 20, "upright lines of a single pixel"


def test_the_coordinator_freezes_on_the_page_and_sees_it_on_top(
    qtbot: QtBot, study: Study, enter: Callable[[Study, str], Actor], passwords: dict[str, str]
) -> None:
    carla = enter(study, "Carla")
    jobs = JobsPanel()
    qtbot.addWidget(jobs)
    page = CoordinatorPage(study, carla, jobs=jobs, writes=True)
    qtbot.addWidget(page)
    page.show()
    page.tabs.setCurrentWidget(page.progress)
    line = page.progress.freezing

    def question() -> FreezeDialog:
        qtbot.waitUntil(lambda: any(d.isVisible() for d in page.findChildren(FreezeDialog)))
        return next(d for d in page.findChildren(FreezeDialog) if d.isVisible())

    line.button.click()
    dialog = question()
    assert "12 readings have not been begun" in dialog.unfinished.text()
    dialog.reason.setText("a look in between")
    dialog.password.setText(passwords["Carla"])
    dialog.go.click()
    assert freeze_state(study, carla) is None, "what is unfinished has to be accepted first"
    dialog.all_the_same.setChecked(True)
    dialog.go.click()
    qtbot.waitUntil(lambda: line.frozen, timeout=20_000)
    assert "frozen since" in page._about.text()
    line.button.click()
    again = question()
    again.reason.setText("there is more to read")
    again.password.setText(passwords["Carla"])
    again.go.click()
    qtbot.waitUntil(lambda: not line.frozen, timeout=20_000)
    assert freeze_state(study, carla) is None
    assert "frozen" not in page._about.text()
    qtbot.waitUntil(lambda: not jobs.titles)
