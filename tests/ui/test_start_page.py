"""The start page: what was opened last is one key away, and what is missing is said so."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from reader_app.settings import recent_studies, remember_study
from reader_app.ui.start_page import StartPage


def make_recent(folder: Path, title: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text('[protocol]\nid = "knee-kl"\n', encoding="utf-8")
    (folder / "study.db").write_bytes(b"")
    remember_study(folder, title=title)
    return folder.resolve()


@pytest.fixture
def page(qtbot: QtBot) -> StartPage:
    page = StartPage()
    qtbot.addWidget(page)
    return page


def show(qtbot: QtBot, page: StartPage, *, studies: int) -> None:
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    qtbot.waitUntil(lambda: page.recent.rowCount() == studies)


def test_recent_studies_stand_newest_first_with_protocol_and_time(
    qtbot: QtBot, page: StartPage, tmp_path: Path
) -> None:
    make_recent(tmp_path / "one", "Older study")
    make_recent(tmp_path / "two", "Newer study")
    show(qtbot, page, studies=2)
    first = page.recent.row(page.recent.index(0))
    assert first is not None
    assert first.title == "Newer study"
    assert "knee-kl" in first.fact
    assert "last used" in first.fact


def test_enter_opens_the_marked_study(qtbot: QtBot, page: StartPage, tmp_path: Path) -> None:
    folder = make_recent(tmp_path / "one", "A study")
    show(qtbot, page, studies=1)
    with qtbot.waitSignal(page.open_requested) as asked:
        QTest.keyClick(page.list, Qt.Key.Key_Return)
    assert asked.args == [folder]


def test_a_missing_study_is_said_so_and_can_be_removed(qtbot: QtBot, page: StartPage, tmp_path: Path) -> None:
    folder = make_recent(tmp_path / "gone", "Gone")
    make_recent(tmp_path / "here", "Here")
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    show(qtbot, page, studies=2)
    missing = page.recent.row(page.recent.index(1))
    assert missing is not None
    assert missing.missing
    assert "Not found" in missing.fact
    page.list.setCurrentIndex(page.recent.index(1))
    QTest.keyClick(page.list, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: page.recent.rowCount() == 1)
    assert [study.title for study in recent_studies()] == ["Here"]


def test_a_damaged_study_file_does_not_spoil_the_list(qtbot: QtBot, page: StartPage, tmp_path: Path) -> None:
    folder = make_recent(tmp_path / "odd", "Odd")
    (folder / "study.toml").write_bytes(b"\xff\xfe not toml")
    show(qtbot, page, studies=1)


def drop(page: StartPage, path: Path) -> tuple[QDragEnterEvent, QDropEvent]:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entered = QDragEnterEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys)
    entered.ignore()
    page.dragEnterEvent(entered)
    dropped = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys)
    page.dropEvent(dropped)
    return entered, dropped


def test_a_dropped_folder_is_opened(qtbot: QtBot, page: StartPage, tmp_path: Path) -> None:
    with qtbot.waitSignal(page.open_requested) as asked:
        entered, _ = drop(page, tmp_path)
    assert entered.isAccepted()
    assert asked.args == [tmp_path]


def test_a_dropped_file_is_not_taken(qtbot: QtBot, page: StartPage, tmp_path: Path) -> None:
    (tmp_path / "film.dcm").write_bytes(b"")
    with qtbot.assertNotEmitted(page.open_requested):
        entered, _ = drop(page, tmp_path / "film.dcm")
    assert not entered.isAccepted()


def test_new_and_open_have_their_keys(qtbot: QtBot, page: StartPage) -> None:
    show(qtbot, page, studies=0)
    with qtbot.waitSignal(page.create_requested):
        QTest.keyClick(page, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
