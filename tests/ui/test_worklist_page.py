"""The worklist: the next case is one key away, and a hundred thousand cases cost no more than ten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from reader_app.reading.worklist import (
    WORKLIST_PAGE,
    Progress,
    ReadingState,
    Upcoming,
    WorklistEntry,
    WorklistView,
    moment_words,
)
from reader_app.ui.actions import ActionSet, Place
from reader_app.ui.reading.worklist_model import BLOCK, WorklistFilter, state_words
from reader_app.ui.reading.worklist_page import WorklistPage
from tests.plain_worklists import next_entry, progress_of

LOCKED, OPEN, WAITING = ReadingState.LOCKED, ReadingState.OPEN, ReadingState.WAITING
LATER = datetime.now(UTC).replace(minute=15, second=0, microsecond=0) + timedelta(days=28)


def entries(*states: ReadingState) -> tuple[WorklistEntry, ...]:
    return tuple(
        WorklistEntry(assignment_id=100 + place, place=place, state=state)
        for place, state in enumerate(states, start=1)
    )


def view_of(
    worklist: tuple[WorklistEntry, ...],
    *,
    wanted: WorklistFilter = WorklistFilter.ALL,
    opens_at: datetime | None = None,
) -> WorklistView:
    """What the store tells of a short worklist."""
    upcoming = next_entry(worklist)
    listed = tuple(entry for entry in worklist if entry.state in wanted.states)
    marked = sum(entry.place < upcoming.place for entry in listed) if upcoming else 0
    return WorklistView(
        progress_of(worklist), Upcoming(upcoming, opens_at), len(listed), marked, first=0, rows=listed
    )


def shown(qtbot: QtBot, *states: ReadingState) -> WorklistPage:
    return showing(qtbot, entries(*states))


def showing(
    qtbot: QtBot, worklist: tuple[WorklistEntry, ...], *, opens_at: datetime | None = None
) -> WorklistPage:
    page = WorklistPage()
    qtbot.addWidget(page)
    page.view_wanted.connect(lambda: page.show_view(view_of(worklist, wanted=page.filter, opens_at=opens_at)))
    page.show_view(view_of(worklist, opens_at=opens_at))
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    return page


def titles(page: WorklistPage) -> list[str]:
    return [str(page.model.index(row, 0).data()) for row in range(page.model.rowCount())]


def test_the_mark_stands_on_the_next_case_to_read(qtbot: QtBot) -> None:
    page = shown(qtbot, LOCKED, LOCKED, WAITING, WAITING)
    with qtbot.waitSignal(page.open_requested) as asked:
        page.open_marked()
    assert asked.args == [103]


def test_enter_and_arrows_work_as_the_action_table_says(qtbot: QtBot) -> None:
    page = shown(qtbot, WAITING, WAITING, WAITING)
    actions = ActionSet(page, Place.WORKLIST, {"case-open": page.open_marked})
    assert "case-open" in actions
    page.table.setFocus()
    QTest.keyClick(page.table, Qt.Key.Key_Down)
    with qtbot.waitSignal(page.open_requested) as asked:
        QTest.keyClick(page.table, Qt.Key.Key_Return)
    assert asked.args == [102]


def test_continue_skips_what_is_locked(qtbot: QtBot) -> None:
    page = shown(qtbot, LOCKED, LOCKED, WAITING)
    page.table.selectRow(0)
    with qtbot.waitSignal(page.open_requested) as asked:
        page.open_next()
    assert asked.args == [103]


def test_continue_skips_what_opens_later_and_the_list_says_when(qtbot: QtBot) -> None:
    first, second, third = entries(LOCKED, WAITING, WAITING)
    page = showing(qtbot, (first, replace(second, shut=True, opens_at=LATER), third))
    assert page.model.index(1, 2).data() == f"Opens {moment_words(LATER)}"
    page.table.selectRow(1)
    with qtbot.waitSignal(page.open_requested) as asked:
        page.open_next()
    assert asked.args == [103]
    assert page.rest == ""


def test_when_nothing_can_be_opened_the_list_says_until_when(qtbot: QtBot) -> None:
    first, second = entries(LOCKED, WAITING)
    page = showing(qtbot, (first, replace(second, shut=True, opens_at=LATER)), opens_at=LATER)
    assert moment_words(LATER) in page.rest
    with qtbot.assertNotEmitted(page.open_requested):
        page.open_next()


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (WorklistEntry(1, 1, WAITING), "Not started"),
        (WorklistEntry(1, 1, OPEN), "Started, not locked"),
        (WorklistEntry(1, 1, OPEN, first_locked=True), "First reading locked, second with AI to do"),
        (WorklistEntry(1, 1, LOCKED), "Locked"),
        (WorklistEntry(1, 1, WAITING, shut=True), "Opens later"),
        (WorklistEntry(1, 1, WAITING, shut=True, opens_at=LATER), f"Opens {moment_words(LATER)}"),
    ],
)
def test_the_state_of_a_case_is_told_in_words(entry: WorklistEntry, words: str) -> None:
    assert state_words(entry) == words


def test_a_moment_is_told_in_local_time_with_the_year_where_it_is_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moment = datetime(2026, 12, 19, 20, 15, tzinfo=UTC)
    local = moment.astimezone()
    summer = datetime(2026, 6, 1, tzinfo=UTC)
    assert moment_words(moment, now=summer) == f"{local.day} Dec, {local:%H:%M}"
    assert moment_words(moment, now=summer - timedelta(days=365)).startswith(f"{local.day} Dec 2026, ")


def test_blocks_are_named_where_the_design_has_them(qtbot: QtBot) -> None:
    plain = shown(qtbot, WAITING, WAITING)
    assert plain.table.isColumnHidden(BLOCK)
    one, two = entries(LOCKED, WAITING)
    page = showing(qtbot, (replace(one, block=3), replace(two, block=12)))
    assert not page.table.isColumnHidden(BLOCK)
    assert [page.model.index(row, BLOCK).data() for row in (0, 1)] == ["Block 3 of 12", "Block 12 of 12"]


def test_left_and_right_filter_by_state(qtbot: QtBot) -> None:
    page = shown(qtbot, LOCKED, OPEN, WAITING)
    assert titles(page) == ["Case 0001", "Case 0002", "Case 0003"]
    QTest.keyClick(page.table, Qt.Key.Key_Right)
    assert page.filter is WorklistFilter.TO_DO
    assert titles(page) == ["Case 0002", "Case 0003"]
    QTest.keyClick(page.table, Qt.Key.Key_Right)
    assert titles(page) == ["Case 0002"]
    QTest.keyClick(page.table, Qt.Key.Key_Right)
    assert titles(page) == ["Case 0001"]
    QTest.keyClick(page.table, Qt.Key.Key_Left)
    assert titles(page) == ["Case 0002"]


def test_an_empty_worklist_says_why(qtbot: QtBot) -> None:
    page = shown(qtbot)
    assert "coordinator" in page.sentence
    page.open_marked()
    page.open_next()
    page.set_filter(WorklistFilter.OPEN)
    assert "coordinator" in page.sentence


def test_progress_counts_locked_cases_only(qtbot: QtBot) -> None:
    page = shown(qtbot, LOCKED, OPEN, WAITING, WAITING)
    assert "1 of 4 cases locked (25%)" in page.progress
    assert "1 started" in page.progress
    assert "2 not started" in page.progress


MANY = 100_000


def row_of_many(row: int) -> WorklistEntry:
    return WorklistEntry(1_000_000 + row, row + 1, LOCKED if row < 90_000 else WAITING)


def test_of_a_hundred_thousand_cases_only_the_pages_in_sight_are_read(qtbot: QtBot) -> None:
    page = WorklistPage()
    qtbot.addWidget(page)
    wanted: list[int] = []

    def fetch(first: int) -> None:
        wanted.append(first)
        page.model.add_page(first, tuple(map(row_of_many, range(first, first + WORKLIST_PAGE))))

    page.page_wanted.connect(fetch)
    first = 90_000 - WORKLIST_PAGE
    page.show_view(
        WorklistView(
            Progress(locked=90_000, open=0, total=MANY),
            Upcoming(row_of_many(90_000)),
            listed=MANY,
            marked=90_000,
            first=first,
            rows=tuple(map(row_of_many, range(first, first + 2 * WORKLIST_PAGE))),
        )
    )
    page.resize(1000, 700)
    page.show()
    assert page.model.rowCount() == MANY
    assert page.marked == row_of_many(90_000)
    page.grab()
    assert wanted == [], "what is in sight came with the view"
    QTest.keyClick(page.table, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    page.grab()
    assert wanted == [0]
    assert page.marked == row_of_many(0)


def test_a_page_that_could_not_be_read_is_asked_for_again(qtbot: QtBot) -> None:
    page = WorklistPage()
    qtbot.addWidget(page)
    wanted: list[int] = []
    page.page_wanted.connect(wanted.append)
    page.show_view(WorklistView(Progress(0, 0, MANY), Upcoming(), MANY, 0, 0, ()))
    assert page.model.index(5, 0).data() == "…"
    assert page.model.index(6, 0).data() == "…"
    assert wanted == [0]
    page.model.page_failed(0)
    assert page.model.index(5, 0).data() == "…"
    assert wanted == [0, 0]
