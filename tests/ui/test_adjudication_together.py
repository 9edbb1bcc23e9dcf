"""Adjudication with others: sessions with readers, small differences in a batch, the third grade first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from reader_app.imaging.geometry import Box
from reader_app.operations import adjudicate, read
from reader_app.operations.accounts import add_account
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import NewStudy, Study, create_study
from reader_app.protocols.model import AdjudicationRule, Resolution, Trigger, TriggerKind
from reader_app.reading.adjudication import Method
from reader_app.reading.commands import MoveBox, SetGrade
from reader_app.store.records import Disagreement, Role
from reader_app.ui.adjudication.batch_dialog import BatchDialog
from reader_app.ui.adjudication.page import AdjudicationPage
from reader_app.ui.adjudication.session_dialog import SessionDialog
from reader_app.ui.adjudication.wanted import QueueFilter
from tests.ui.adjudicating import Enter, opened, press, redesigned, words

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def consensus_study(tmp_path: Path, passwords: dict[str, str]) -> Iterator[Study]:
    """One film under a protocol whose third grade must match one of the two readers; KL is 0 against 3."""
    (tmp_path / "films").mkdir()
    Image.fromarray(np.full((120, 100), 90, dtype=np.uint8)).save(tmp_path / "films" / "knee_R.png")
    choices = NewStudy(
        protocol="knee-oarsi-kl", title="One knee", coordinator="Carla", password=passwords["Carla"]
    )
    with create_study(tmp_path / "one", choices) as study:
        carla = log_in(study, "Carla", passwords["Carla"])
        for name, role in (("Anna", Role.READER), ("Ben", Role.READER), ("Zoe", Role.ADJUDICATOR)):
            add_account(study, carla, name=name, password=passwords[name], role=role)
        import_films(study, carla, tmp_path / "films")
        for name, kl in (("Anna", 0), ("Ben", 3)):
            reader = log_in(study, name, passwords[name])
            (entry,) = read.worklist(study, reader)
            case = read.open_case(study, reader, entry.assignment_id)
            if name == "Anna":
                box = MoveBox(case.case.joints[0].id, Box(10, 12, 60, 70))
                read.commit(study, reader, case, box, pregrade_in_sight=False)
            for key in case.session.keys:
                code = kl if key.item.feature_id == "KL" else 0
                read.commit(study, reader, case, SetGrade(key, code), pregrade_in_sight=False)
            read.lock(study, reader, case, active_seconds=1.0)
        yield study


def session_dialog(qtbot: QtBot, page: AdjudicationPage) -> SessionDialog:
    QTest.keyClick(page.table, Qt.Key.Key_K, CONTROL)
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), SessionDialog))
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, SessionDialog)
    return dialog


def sit_down(qtbot: QtBot, dialog: SessionDialog, name: str, password: str) -> None:
    QTest.keyClicks(dialog.name, name)
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    QTest.keyClicks(dialog.password, password)
    QTest.keyClick(dialog.password, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not dialog.joining, timeout=20_000)


def test_a_third_grade_that_matches_nobody_is_settled_with_both_readers(
    qtbot: QtBot, consensus_study: Study, enter: Enter, passwords: dict[str, str]
) -> None:
    page = opened(qtbot, consensus_study, enter(consensus_study, "Zoe"))
    assert page.model.rowCount() == 1
    press(qtbot, page, Qt.Key.Key_2)
    assert page.current is not None
    assert page.current.needs_consensus
    assert "Needs a consensus session" in words(page)
    assert "1 need" in words(page)
    dialog = session_dialog(qtbot, page)
    sit_down(qtbot, dialog, "Anna", "not her password")
    assert "wrong" in dialog.fault.text()
    dialog.name.clear()
    for name in ("Anna", "Ben"):
        sit_down(qtbot, dialog, name, passwords[name])
    assert dialog.waiting == 1
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.ready and page.model.wanted.state is QueueFilter.CONSENSUS, timeout=20_000)
    assert "In session: Anna, Ben" in words(page)
    # Without a word on how it came about the grade waits, and the keyboard is where the word is missing.
    QTest.keyClick(page.table, Qt.Key.Key_2)
    assert not page.storing
    # Without a window manager the page is not active again after a dialog, so this is asked of the page.
    assert page.focusWidget() is page.panel.rationale
    assert "waits for its rationale" in page.panel.fault.text()
    QTest.keyClicks(page.panel.rationale, "Both readers heard: definite narrowing is missing.")
    QTest.keyClick(page.panel.rationale, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.current is not None and not page.current.open, timeout=20_000)
    (one,) = adjudicate.queue(consensus_study, enter(consensus_study, "Zoe"))
    assert one.settled is not None
    assert (one.settled.method, one.settled.code) == (Method.CONSENSUS_SESSION, 2)
    assert one.settled.rationale == "Both readers heard: definite narrowing is missing."


def test_a_live_consensus_takes_no_grade_before_the_readers_sit_there(
    qtbot: QtBot, consensus_study: Study, enter: Enter, passwords: dict[str, str]
) -> None:
    live = AdjudicationRule(("KL",), (Trigger(TriggerKind.ANY_DIFFERENCE),), Resolution.LIVE_CONSENSUS)
    study = redesigned(consensus_study, enter(consensus_study, "Carla"), rules=(live,))
    page = opened(qtbot, study, enter(study, "Zoe"))
    QTest.keyClick(page.table, Qt.Key.Key_3)
    assert not page.storing
    assert "press Ctrl+K" in page.panel.fault.text()
    dialog = session_dialog(qtbot, page)
    sit_down(qtbot, dialog, "Anna", passwords["Anna"])
    sit_down(qtbot, dialog, "Anna", passwords["Anna"])
    assert "sits in the session already" in dialog.fault.text()
    assert not dialog.begin.isEnabled(), "one of two is not all readers of the case"
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: "In session: Anna" in words(page))
    QTest.keyClick(page.table, Qt.Key.Key_3)
    assert not page.storing


def test_small_differences_are_confirmed_by_one_key(qtbot: QtBot, read_study: Study, enter: Enter) -> None:
    """KL 1 against 2 crosses from absent to present; under a scale without that cut both are small."""
    page = opened(qtbot, read_study, enter(read_study, "Zoe"))
    said: list[str] = []
    page.said.connect(lambda what, _next: said.append(what))
    QTest.keyClick(page.table, Qt.Key.Key_B, CONTROL)
    qtbot.waitUntil(lambda: bool(said))
    assert said == ["Nothing small is open."], "1 against 2 crosses the cut of what is present"


@pytest.fixture
def small_study(read_study: Study) -> Study:
    """The readers' grades moved up by one past the store: 2 against 3 is on one side of every cut."""
    with read_study.database.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER grade_locked_update")
        connection.exec_driver_sql("UPDATE grade SET code = code + 1")
    return read_study


def test_a_batch_stores_each_by_itself_with_how_it_came_about(
    qtbot: QtBot, small_study: Study, enter: Enter
) -> None:
    page = opened(qtbot, small_study, enter(small_study, "Zoe"))
    QTest.keyClick(page.table, Qt.Key.Key_B, CONTROL)
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), BatchDialog))
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, BatchDialog)
    assert len(dialog.chosen) == 2
    QTest.keyClick(dialog.table, Qt.Key.Key_Space)
    assert len(dialog.chosen) == 1
    QTest.keyClick(dialog.table, Qt.Key.Key_A)
    assert len(dialog.chosen) == 2
    QTest.keyClick(dialog.table, Qt.Key.Key_Return)
    assert dialog.isVisible(), "a bare Enter, pressed too often, confirms nothing"
    QTest.keyClick(dialog.table, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: sum(not one.open for one in page.model.disagreements) == 2, timeout=20_000)
    queue = adjudicate.queue(small_study, enter(small_study, "Zoe"))
    settled = [one.settled for one in queue if one.settled is not None]
    assert [(one.code, one.method) for one in settled] == [(3, Method.THIRD_READER)] * 2
    assert all("in a batch of 2" in one.rationale for one in settled)
    assert [one.gravity for one in queue if one.open] == [2]


def test_where_the_third_grade_comes_first_the_readers_are_shown_after_it(
    qtbot: QtBot, read_study: Study, enter: Enter
) -> None:
    study = redesigned(read_study, enter(read_study, "Carla"), third_blind=True)
    page = opened(qtbot, study, enter(study, "Zoe"))
    places = [one.place for one in page.model.disagreements]
    assert places == sorted(places)
    assert "Reader A" not in words(page)
    assert "Your grade comes first" in words(page)
    QTest.keyClick(page.table, Qt.Key.Key_K)
    qtbot.waitUntil(lambda: "once you have graded" in words(page))
    press(qtbot, page, Qt.Key.Key_1)
    assert "Reader A" in words(page), "revealed, and still in front"
    first = page.current
    qtbot.waitUntil(lambda: page.ready)
    QTest.keyClick(page.table, Qt.Key.Key_3)
    assert not page.storing, "a change after the readers' grades were seen says why"
    assert "waits for its rationale" in page.panel.fault.text()
    QTest.keyClick(page.panel.rationale, Qt.Key.Key_Escape)
    QTest.keyClick(page.table, Qt.Key.Key_Return)
    assert page.current is not first
    assert "Reader A" not in words(page)
    said: list[str] = []
    page.said.connect(lambda what, _next: said.append(what))
    QTest.keyClick(page.table, Qt.Key.Key_B, CONTROL)
    qtbot.waitUntil(lambda: bool(said))
    assert "before seeing" in said[0]


def test_the_queue_is_narrowed_by_keys(qtbot: QtBot, read_study: Study, enter: Enter) -> None:
    page = opened(qtbot, read_study, enter(read_study, "Zoe"))
    QTest.keyClick(page.table, Qt.Key.Key_G, CONTROL)
    assert page.model.rowCount() == 3
    QTest.keyClick(page.table, Qt.Key.Key_G, CONTROL)
    assert [one.gravity for one in shown(page)] == [2]
    for _ in range(3):
        QTest.keyClick(page.table, Qt.Key.Key_G, CONTROL)
    assert page.model.rowCount() == 3, "after the largest distance comes any"
    wanted = page.model.disagreements[-1].place
    QTest.keyClick(page.table, Qt.Key.Key_F, CONTROL)
    qtbot.waitUntil(page.bar.case.hasFocus)
    QTest.keyClicks(page.bar.case, str(wanted))
    assert {one.place for one in shown(page)} == {wanted}
    QTest.keyClick(page.bar.case, Qt.Key.Key_Escape)
    assert page.model.rowCount() == 3
    assert page.table.hasFocus()
    press(qtbot, page, Qt.Key.Key_1)
    for key, number in ((Qt.Key.Key_2, 0), (Qt.Key.Key_3, 1), (Qt.Key.Key_4, 1), (Qt.Key.Key_5, 3)):
        QTest.keyClick(page.table, key, CONTROL)
        assert page.model.rowCount() == number
    QTest.keyClick(page.table, Qt.Key.Key_1, CONTROL)
    assert page.model.rowCount() == 2


def shown(page: AdjudicationPage) -> list[Disagreement]:
    rows = (page.model.disagreement(row) for row in range(page.model.rowCount()))
    return [one for one in rows if one is not None]


def test_the_readers_boxes_are_shown_by_one_key_under_their_letters(
    qtbot: QtBot, consensus_study: Study, enter: Enter
) -> None:
    page = opened(qtbot, consensus_study, enter(consensus_study, "Zoe"))
    view = page.films.current()
    assert view is not None
    assert not any("Reader" in mark.label for mark in view.marks)
    QTest.keyClick(page.table, Qt.Key.Key_K)
    qtbot.waitUntil(lambda: sorted(m.label for m in view.marks if "Reader" in m.label) != [])
    labels = [mark.label for mark in view.marks if "Reader" in mark.label]
    assert len(labels) == 1
    QTest.keyClick(page.table, Qt.Key.Key_L)
    qtbot.waitUntil(lambda: "No reader of this case kept a length." in words(page))
    QTest.keyClick(page.table, Qt.Key.Key_K)
    assert not any("Reader" in mark.label for mark in view.marks)


def test_the_ai_stays_away_unless_the_design_shows_it(
    qtbot: QtBot, consensus_study: Study, enter: Enter
) -> None:
    page = opened(qtbot, consensus_study, enter(consensus_study, "Zoe"))
    assert page.panel.pregrade.isHidden()
    QTest.keyClick(page.table, Qt.Key.Key_H)
    assert "keeps the AI's grades from the adjudicator" in words(page)
