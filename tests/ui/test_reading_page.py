"""The reading screen by real keys upon a real study: what it stores, what it refuses, what it shows."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from reader_app.operations import read
from reader_app.reading.worklist import ReadingState
from reader_app.ui.reading.desk import StudyDesk
from reader_app.ui.reading.page import ReadingPage
from tests.ui.reading_evening import COLUMNS, FILMS, FIRST_JOINT, ROWS, Evening

Key = Qt.Key


def test_one_key_a_grade_stores_it_and_goes_on(evening: Evening) -> None:
    evening.press("1", "2")
    assert evening.stored() == {evening.key(0): 1, evening.key(1): 2}
    assert evening.page.current_key == evening.key(2)
    assert evening.page.panel.progress_text == "2 of 14 grades"


def test_a_grade_of_another_scale_is_told_and_not_given(evening: Evening) -> None:
    evening.press("1", "4")
    assert evening.stored() == {evening.key(0): 1}
    assert evening.page.current_key == evening.key(1)
    assert "4 is no grade" in evening.page.message.text
    assert "3 severe" in evening.page.message.text


def test_a_held_key_grades_one_item_only(evening: Evening) -> None:
    QTest.keyPress(evening.page, Key.Key_2)
    for _ in range(5):
        held = QKeyEvent(QEvent.Type.KeyPress, Key.Key_2, Qt.KeyboardModifier.NoModifier, "2", True, 1)
        QApplication.sendEvent(evening.page, held)
    QTest.keyRelease(evening.page, Key.Key_2)
    assert evening.stored() == {evening.key(0): 2}


def test_keys_typed_ahead_never_land_on_the_next_case(evening: Evening) -> None:
    evening.press(*FIRST_JOINT, *FIRST_JOINT)
    evening.press(Key.Key_Return, "3", Key.Key_Return, "3", "q")
    assert evening.state(0) is ReadingState.LOCKED
    assert evening.stored(1) == {}
    assert "not taken" in evening.page.message.text
    evening.wait()
    evening.press("3")
    assert list(evening.stored(1).values()) == [3]


def test_locking_too_early_says_what_is_missing_and_goes_there(evening: Evening) -> None:
    evening.press(*FIRST_JOINT, Key.Key_Up, Key.Key_Up, Key.Key_Return)
    assert evening.state() is ReadingState.OPEN
    assert "7 grades are missing" in evening.page.message.text
    assert "left" in evening.page.message.text
    assert evening.page.current_key == evening.key(7)


def test_the_last_case_ends_the_worklist(evening: Evening) -> None:
    with evening.qtbot.waitSignal(evening.page.finished):
        for _ in range(FILMS):
            evening.wait()
            evening.press(*FIRST_JOINT, *FIRST_JOINT, Key.Key_Return)
    assert {evening.state(place) for place in range(FILMS)} == {ReadingState.LOCKED}


def test_a_locked_reading_takes_no_grade(evening: Evening) -> None:
    evening.press(*FIRST_JOINT, *FIRST_JOINT, Key.Key_Return)
    evening.wait()
    evening.press(Key.Key_PageUp)
    evening.wait()
    before = evening.stored(0)
    evening.press("0", Key.Key_Delete, "x")
    assert evening.stored(0) == before
    assert "locked" in evening.page.message.text.lower()


def test_undo_and_redo_walk_through_the_stored_grades(evening: Evening) -> None:
    evening.press("1", "2")
    QTest.keyClick(evening.page, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert evening.stored() == {evening.key(0): 1}
    assert evening.page.current_key == evening.key(1)
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(evening.page, Key.Key_Z, both)
    assert evening.stored() == {evening.key(0): 1, evening.key(1): 2}


def test_backspace_corrects_a_slip_and_delete_clears(evening: Evening) -> None:
    evening.press("1", "3", Key.Key_Backspace)
    assert evening.stored() == {evening.key(0): 1}
    assert evening.page.current_key == evening.key(1)
    evening.press(Key.Key_Up, Key.Key_Delete)
    assert evening.stored() == {}


def test_arrows_and_tab_move_between_items_and_joints(evening: Evening) -> None:
    evening.press(Key.Key_Down, Key.Key_Right)
    assert evening.page.current_key == evening.key(8)
    evening.press(Key.Key_Left, Key.Key_Tab)
    assert evening.page.current_key == evening.key(7)
    QTest.keyClick(evening.page, Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert evening.page.current_key == evening.key(0)


def test_a_busy_database_is_told_and_nothing_is_shown_as_given(evening: Evening) -> None:
    other = sqlite3.connect(evening.study.folder / "study.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        evening.press("1")
        assert evening.page.message.text != ""
        assert evening.page.panel.progress_text == "0 of 14 grades"
        assert evening.page.current_key == evening.key(0)
        other.execute("ROLLBACK")
    finally:
        other.close()
    assert evening.stored() == {}
    evening.press("1")
    assert evening.stored() == {evening.key(0): 1}


def menu_of(page: ReadingPage) -> QMenu:
    found = QApplication.activePopupWidget()
    assert isinstance(found, QMenu)
    return found


def test_a_joint_is_excluded_and_taken_back_by_keys(evening: Evening) -> None:
    evening.press("x")
    QTest.keyClick(menu_of(evening.page), Key.Key_1)
    case = read.open_case(evening.study, evening.anna, evening.assignments()[0])
    reason = case.session.protocol.exclusion_reasons[0]
    right, left = (joint.id for joint in case.case.joints)
    assert case.session.exclusion(right) is not None
    assert case.session.exclusion(right).reason_id == reason.id  # type: ignore[union-attr]
    assert evening.page.current_key == evening.key(7)
    evening.press(Key.Key_Tab if case.session.exclusion(left) else Key.Key_Left, "x")
    case = read.open_case(evening.study, evening.anna, evening.assignments()[0])
    assert case.session.exclusion(right) is None


def test_a_film_that_is_gone_is_told_and_can_only_be_excluded(
    unaided_study: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    shutil.copytree(unaided_study / "study", tmp_path / "mine" / "study")
    for image in (tmp_path / "mine" / "study" / "images").rglob("*.png"):
        image.unlink()
    evening = Evening(tmp_path / "mine", qtbot)
    assert "gone" in next(evening.page.films.each()).sentence
    evening.press("1")
    assert evening.stored() == {}
    assert "cannot be graded" in evening.page.message.text
    evening.press("x")
    QTest.keyClick(menu_of(evening.page), Key.Key_1)
    case = read.open_case(evening.study, evening.anna, evening.assignments()[0])
    assert case.session.exclusion(case.case.joints[0].id) is not None
    evening.close()


def test_the_pregrade_is_taken_over_for_one_joint(evening: Evening) -> None:
    evening.press("3", "q")
    assert list(evening.stored().values()) == [3, 1, 1, 1, 1, 1, 1]
    assert {key.joint_id for key in evening.stored()} == {evening.key(0).joint_id}


def test_one_key_gives_the_rest_of_a_joint_the_lowest_grades(evening: Evening) -> None:
    evening.press("3", "n")
    assert list(evening.stored().values()) == [3, 0, 0, 0, 0, 0, 0]
    assert {key.joint_id for key in evening.stored()} == {evening.key(0).joint_id}
    assert evening.page.current_key == evening.key(7)
    evening.press("n", "n")
    assert evening.page.panel.progress_text == "14 of 14 grades"


def test_a_hidden_pregrade_leaves_no_trace_and_is_not_taken_over(evening: Evening) -> None:
    page = evening.page
    evening.press("h")
    view = next(page.films.each())
    assert page.panel.chip_texts() == ("AI: 1  (94 %)", "AI: 1  (94 %)")
    assert view.heatmap_shown
    assert len(view.marks) == 2
    evening.press("g")
    assert page.panel.chip_texts() == ()
    assert not view.heatmap_shown
    assert view.marks == ()
    evening.press("q")
    assert evening.stored() == {}


def test_an_unaided_reading_shows_nothing_of_the_ai(unaided_evening: Evening) -> None:
    page = unaided_evening.page
    unaided_evening.press("h", "b", "b", "q")
    view = next(page.films.each())
    assert page.panel.chip_texts() == ()
    assert "without AI" in page.panel.note
    assert not view.heatmap_shown
    assert view.marks == ()
    assert unaided_evening.stored() == {}


def test_a_dragged_box_is_stored_and_drawn_as_the_readers_own(evening: Evening) -> None:
    view = next(evening.page.films.each())
    mark = next(mark for mark in view.marks if mark.current)
    rect = view.viewport.rect(mark.box)
    corner = rect.bottomRight().toPoint()
    drag(view, corner, corner + QPoint(-30, -20), Qt.MouseButton.LeftButton)
    case = read.open_case(evening.study, evening.anna, evening.assignments()[0])
    stored = case.session.box(mark.joint_id)
    assert stored is not None
    assert stored.width == pytest.approx(mark.box.width - 30 / view.viewport.scale, abs=0.6)
    assert stored.x == pytest.approx(mark.box.x)
    assert next(m for m in view.marks if m.joint_id == mark.joint_id).moved


def test_the_films_of_the_next_cases_are_there_before_they_are_opened(
    evening: Evening,
) -> None:
    evening.press(*FIRST_JOINT, *FIRST_JOINT)
    shelf = evening.page._loader._shelf
    keys = StudyDesk(evening.study, evening.anna).films_ahead(evening.assignments()[1:2])
    evening.qtbot.waitUntil(lambda: all(shelf.ready(key) for key in keys))
    assert evening.state(1) is ReadingState.WAITING
    evening.press(Key.Key_Return)
    assert next(evening.page.films.each()).radiograph is not None


def test_from_a_case_in_the_middle_both_neighbours_are_loaded_ahead(evening: Evening) -> None:
    evening.press(Key.Key_PageDown)
    evening.press(Key.Key_PageDown)
    shelf = evening.page._loader._shelf
    for key in StudyDesk(evening.study, evening.anna).films_ahead(evening.assignments()):
        shelf.forget(key)  # as after a start in the middle of the worklist
    evening.page._look_ahead()
    around = evening.assignments()
    desk = StudyDesk(evening.study, evening.anna)
    before, after = desk.films_ahead(around[1:2]), desk.films_ahead(around[3:4])
    evening.qtbot.waitUntil(lambda: all(shelf.ready(key) for key in (*before, *after)))
    assert shelf.kept_bytes >= ROWS * COLUMNS * len(around[1:4])


def drag(view: QWidget, start: QPoint, end: QPoint, button: Qt.MouseButton) -> None:
    QTest.mousePress(view, button, pos=start)
    QTest.mouseMove(view, (start + end) / 2)
    QTest.mouseMove(view, end)
    QTest.mouseRelease(view, button, pos=end)
