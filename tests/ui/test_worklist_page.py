"""The worklist: the next case is one key away, and a hundred thousand cases cost no more than ten."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from reader_app.reading.worklist import ReadingState, WorklistEntry
from reader_app.ui.actions import ActionSet, Place
from reader_app.ui.reading.worklist_page import WorklistFilter, WorklistModel, WorklistPage


def entries(*states: ReadingState) -> tuple[WorklistEntry, ...]:
    return tuple(
        WorklistEntry(assignment_id=100 + place, place=place, state=state)
        for place, state in enumerate(states, start=1)
    )


LOCKED, OPEN, WAITING = ReadingState.LOCKED, ReadingState.OPEN, ReadingState.WAITING


def shown(qtbot: QtBot, *states: ReadingState) -> WorklistPage:
    page = WorklistPage()
    qtbot.addWidget(page)
    page.show_worklist(entries(*states))
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


def test_after_a_case_the_mark_goes_on_not_back(qtbot: QtBot) -> None:
    page = shown(qtbot, WAITING, LOCKED, WAITING)
    page.show_worklist(entries(WAITING, LOCKED, WAITING), after=102)
    assert page.model.entry(page.table.currentIndex().row()).assignment_id == 103


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


def test_left_and_right_filter_by_state(qtbot: QtBot) -> None:
    page = shown(qtbot, LOCKED, OPEN, WAITING)
    assert titles(page) == ["Case 0001", "Case 0002", "Case 0003"]
    QTest.keyClick(page.table, Qt.Key.Key_Right)
    assert page.model.filter is WorklistFilter.TO_DO
    assert titles(page) == ["Case 0002", "Case 0003"]
    QTest.keyClick(page.table, Qt.Key.Key_Right)
    assert titles(page) == ["Case 0002"]
    QTest.keyClick(page.table, Qt.Key.Key_Right)
    assert titles(page) == ["Case 0001"]
    QTest.keyClick(page.table, Qt.Key.Key_Left)
    assert titles(page) == ["Case 0002"]


def test_a_filter_keeps_the_marked_case_where_it_is_still_shown(qtbot: QtBot) -> None:
    page = shown(qtbot, LOCKED, WAITING, WAITING)
    page.table.selectRow(2)
    page.set_filter(WorklistFilter.TO_DO)
    assert page.model.entry(page.table.currentIndex().row()).assignment_id == 103


def test_an_empty_worklist_says_why(qtbot: QtBot) -> None:
    page = shown(qtbot)
    assert "coordinator" in page.sentence
    page.open_marked()
    page.open_next()


def test_progress_counts_locked_cases_only(qtbot: QtBot) -> None:
    page = shown(qtbot, LOCKED, OPEN, WAITING, WAITING)
    assert "1 of 4 cases locked (25%)" in page.progress
    assert "1 started" in page.progress
    assert "2 not started" in page.progress


def test_a_hundred_thousand_cases_are_looked_up_not_built(qtbot: QtBot) -> None:
    page = WorklistPage()
    qtbot.addWidget(page)
    many = tuple(
        WorklistEntry(assignment_id=place, place=place, state=LOCKED if place < 90_000 else WAITING)
        for place in range(1, 100_001)
    )
    page.show_worklist(many)
    page.show()
    assert page.model.rowCount() == 100_000
    assert page.model.entry(page.table.currentIndex().row()).place == 90_000
    counting = CountingModel(many)
    page.table.setModel(counting)
    page.grab()
    assert 0 < len(counting.asked_for) < 200, "only the rows in sight may be looked up"


class CountingModel(WorklistModel):
    """Notes which rows the table looks up."""

    def __init__(self, many: tuple[WorklistEntry, ...]) -> None:
        super().__init__()
        self.asked_for: set[int] = set()
        self.set_entries(many)

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        self.asked_for.add(index.row())
        return super().data(index, role)
