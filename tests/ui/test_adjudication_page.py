"""Adjudication: only what the readers disagree on, under letters, settled by one key each."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from reader_app.operations import adjudicate
from reader_app.operations.accounts import add_account
from reader_app.operations.log_in import log_in
from reader_app.operations.study import Study
from reader_app.store.records import Role
from reader_app.ui.adjudication.page import AdjudicationPage
from reader_app.ui.adjudication.wanted import QueueFilter
from tests.ui.adjudicating import Enter, opened, press, words


@pytest.fixture
def page(qtbot: QtBot, read_study: Study, enter: Enter) -> AdjudicationPage:
    return opened(qtbot, read_study, enter(read_study, "Zoe"))


def test_the_cases_on_either_side_are_loaded_ahead_and_shown_at_once(
    qtbot: QtBot, page: AdjudicationPage
) -> None:
    page.table.selectRow(1)
    qtbot.waitUntil(lambda: page.ready)
    around = page.model.neighbours(1)
    here = page.current
    assert here is not None
    assert set(around) == {one.case_id for one in page.model.disagreements} - {here.case_id}
    qtbot.waitUntil(lambda: all(page._cases.ready(case_id) for case_id in around))
    page.table.selectRow(0)
    assert page.case is not None, "no thread has to answer first"


def test_only_disagreements_are_listed_the_gravest_first(page: AdjudicationPage) -> None:
    assert [one.gravity for one in page.model.disagreements] == [2, 1, 1]
    assert page.model.rowCount() == 3


def test_readers_are_letters_and_nothing_names_them(page: AdjudicationPage) -> None:
    text = words(page)
    assert "Reader A" in text
    assert "Reader B" in text
    shown = text + " ".join(
        str(page.model.index(row, column).data(role))
        for row in range(page.model.rowCount())
        for column in range(page.model.columnCount())
        for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
    )
    for forbidden in ("Anna", "Ben", "P0001", "film-", ".png"):
        assert forbidden not in shown


def test_one_key_settles_and_goes_to_the_next(
    qtbot: QtBot, page: AdjudicationPage, read_study: Study, enter: Enter
) -> None:
    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_4):
        press(qtbot, page, key)
    settled = [one.settled for one in adjudicate.queue(read_study, enter(read_study, "Zoe"))]
    assert [one.code for one in settled if one is not None] == [1, 2, 4]
    assert "0 of 3 disagreements are open" in words(page)


def test_a_key_pressed_twice_settles_one_only(
    qtbot: QtBot, page: AdjudicationPage, read_study: Study, enter: Enter
) -> None:
    qtbot.waitUntil(lambda: page.ready, timeout=20_000)
    QTest.keyClick(page.table, Qt.Key.Key_1)
    QTest.keyClick(page.table, Qt.Key.Key_1)
    qtbot.waitUntil(lambda: not page.storing and page.ready, timeout=20_000)
    queue = adjudicate.queue(read_study, enter(read_study, "Zoe"))
    assert sum(one.settled is not None for one in queue) == 1


def test_a_key_outside_the_scale_does_nothing(
    qtbot: QtBot, page: AdjudicationPage, read_study: Study, enter: Enter
) -> None:
    before = page.current
    QTest.keyClick(page.table, Qt.Key.Key_9)
    assert not page.storing
    assert page.current is before
    assert all(one.settled is None for one in adjudicate.queue(read_study, enter(read_study, "Zoe")))


def test_what_is_settled_can_be_looked_at_and_changed(
    qtbot: QtBot, page: AdjudicationPage, read_study: Study, enter: Enter
) -> None:
    press(qtbot, page, Qt.Key.Key_3)
    page.set_filter(QueueFilter.SETTLED)
    qtbot.waitUntil(lambda: page.ready, timeout=20_000)
    assert "Settled by you" in words(page)
    press(qtbot, page, Qt.Key.Key_1)
    (settled,) = [
        one.settled
        for one in adjudicate.queue(read_study, enter(read_study, "Zoe"))
        if one.settled is not None
    ]
    assert settled.code == 1


def test_another_adjudicators_grade_cannot_be_changed(
    qtbot: QtBot, page: AdjudicationPage, read_study: Study, enter: Enter
) -> None:
    press(qtbot, page, Qt.Key.Key_3)
    add_account(
        read_study, enter(read_study, "Carla"), name="Ada", password="ada settles too", role=Role.ADJUDICATOR
    )
    other = opened(qtbot, read_study, log_in(read_study, "Ada", "ada settles too"))
    other.set_filter(QueueFilter.SETTLED)
    qtbot.waitUntil(lambda: other.ready, timeout=20_000)
    assert "another adjudicator" in words(other)
    QTest.keyClick(other.table, Qt.Key.Key_1)
    assert not other.storing
    assert "only they can change it" in other.panel.fault.text()


def test_the_rationale_is_kept_and_digits_in_it_are_no_grades(
    qtbot: QtBot, page: AdjudicationPage, read_study: Study, enter: Enter
) -> None:
    QTest.keyClick(page, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(page.panel.rationale.hasFocus)
    QTest.keyClicks(page.panel.rationale, "Osteophyte at 2 o'clock")
    assert not page.storing
    QTest.keyClick(page.panel.rationale, Qt.Key.Key_Return)
    qtbot.waitUntil(page.table.hasFocus)
    press(qtbot, page, Qt.Key.Key_2)
    rationales = [
        one.settled.rationale
        for one in adjudicate.queue(read_study, enter(read_study, "Zoe"))
        if one.settled is not None
    ]
    assert rationales == ["Osteophyte at 2 o'clock"]


def test_arrows_go_through_the_queue(qtbot: QtBot, page: AdjudicationPage) -> None:
    first = page.current
    QTest.keyClick(page.table, Qt.Key.Key_Down)
    assert page.current is not first
    QTest.keyClick(page.table, Qt.Key.Key_Up)
    assert page.current is first


def test_a_film_that_cannot_be_shown_is_not_settled(
    qtbot: QtBot, read_study: Study, read_folder: Path, enter: Enter
) -> None:
    for film in (read_folder / "images").rglob("*.png"):
        film.unlink()
    page = AdjudicationPage(read_study, enter(read_study, "Zoe"), settle_milliseconds=0)
    qtbot.addWidget(page, before_close_func=lambda page: page.leave())
    page.show()
    qtbot.waitUntil(lambda: page.case is not None, timeout=20_000)
    view = page.films.current()
    assert view is not None
    assert "gone" in view.sentence
    QTest.keyClick(page.table, Qt.Key.Key_1)
    assert not page.storing
    assert "cannot be shown" in page.panel.fault.text()


def test_an_empty_queue_says_why(qtbot: QtBot, study: Study, enter: Enter) -> None:
    page = AdjudicationPage(study, enter(study, "Zoe"))
    qtbot.addWidget(page, before_close_func=lambda page: page.leave())
    page.show()
    qtbot.waitUntil(lambda: "once all their readers have locked them" in words(page))
    QTest.keyClick(page.table, Qt.Key.Key_1)
    assert not page.storing
