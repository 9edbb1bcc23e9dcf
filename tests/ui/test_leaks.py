"""No string of the window, of its log, its settings or its exports tells what the person must not know.

A reader and an adjudicator walk through the real window by keys, in a study of which every secret carries a
mark; at every stop all strings that the program holds are looked at, hidden ones included.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMenu, QWidget
from pytestqt.qtbot import QtBot

from reader_app.app import open_log
from reader_app.operations.study import open_study
from reader_app.settings import HOME_VARIABLE
from reader_app.ui.actions import Place
from reader_app.ui.main_window import MainWindow
from reader_app.ui.role_pages import AdjudicatorRolePage, ReaderRolePage
from tests.ui import marked_study as marked
from tests.ui.shown_strings import Painted, left_on_disk, shown_now

Key = Qt.Key
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
PATIENCE = 20_000
PURPOSES = re.compile(r"re-?read|second reading|\bcontrols?\b|calibration (case|film|reading)|'purpose'", re.I)
Stops = dict[str, set[str]]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study as the reader left it (`alone`), and with what others did since (`whole`)."""
    root = tmp_path_factory.mktemp("marked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(root / "home"))
        folder = marked.import_marked(root)
        with open_study(folder) as study:
            marked.read_as_reader(study)
        shutil.copytree(folder, root / "alone")
        with open_study(folder) as study:
            marked.read_as_others(study)
        folder.rename(root / "whole")
    return root


@pytest.fixture
def log() -> Iterator[Path]:
    """The log as the program writes it; afterwards that of the tests again."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    path = open_log()
    assert path is not None
    yield path
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


class Walk:
    """A person at the window, and what there was to be known at every stop."""

    def __init__(self, study: Path, qtbot: QtBot, painted: Painted) -> None:
        self.study = study
        self.qtbot = qtbot
        self.painted = painted
        self.stops: Stops = {}
        self.window = MainWindow()
        qtbot.addWidget(self.window)
        with qtbot.waitActive(self.window):
            self.window.show()
            self.window.activateWindow()
        self.window.open_study(study)
        self.until(self.window.login.isVisible)

    def until(self, done: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(done, timeout=PATIENCE)

    def stop(self, name: str) -> None:
        self.stops[name] = shown_now(self.painted)

    def log_in(self, name: str) -> None:
        login = self.window.login
        QTest.keyClicks(login.name, name)
        QTest.keyClick(login.name, Key.Key_Return)
        QTest.keyClicks(login.password, marked.PASSWORD)
        QTest.keyClick(login.password, Key.Key_Return)
        self.until(lambda: self.window.page is not None)

    def back(self) -> None:
        """Offscreen nobody gives the keyboard back to the window once a dialog closes."""
        self.until(lambda: QApplication.activeModalWidget() is None and QApplication.activePopupWidget() is None)
        self.window.activateWindow()
        self.until(self.window.isActiveWindow)

    def menu(self, name: str, widget: QWidget, key: Key) -> None:
        QTest.keyClick(widget, key)
        self.until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
        self.stop(name)
        popup = QApplication.activePopupWidget()
        assert popup is not None
        popup.close()
        self.back()

    def dialog(self, name: str, widget: QWidget, key: Key, modifier: Qt.KeyboardModifier) -> None:
        QTest.keyClick(widget, key, modifier)
        self.until(lambda: isinstance(QApplication.activeModalWidget(), QDialog))
        self.stop(name)
        found = QApplication.activeModalWidget()
        assert isinstance(found, QDialog)
        found.reject()
        self.back()

    def export(self, widget: QWidget, target: Path) -> str:
        """Export the view under the name that is proposed, with the ending of the target."""
        QTest.keyClick(widget, Key.Key_E, CONTROL)
        (dialog,) = [each for each in widget.findChildren(QFileDialog) if each.isVisible()]
        self.stop(f"export of {target.suffix}")
        proposed = Path(dialog.selectedFiles()[0])
        chosen = target.parent / (proposed.stem + target.suffix)
        dialog.fileSelected.emit(str(chosen))
        dialog.reject()
        self.back()
        self.until(chosen.is_file)
        self.until(lambda: any("written to" in text for text in shown_now(self.painted)))
        return proposed.name

    def lock_and_log_out(self) -> None:
        QTest.keyClick(self.window, Key.Key_L, CONTROL | SHIFT)
        self.until(lambda: self.window.session.is_locked)
        self.stop("the cover")
        cover = self.window.session.cover
        QTest.keyClicks(cover.secret, marked.PASSWORD)
        QTest.keyClick(cover.secret, Key.Key_Return)
        self.until(lambda: not self.window.session.is_locked)
        QTest.keyClick(self.window, Key.Key_L, CONTROL)
        self.until(self.window.login.isVisible)
        self.stop("after the log-out")


Begin = Callable[[str], Walk]


@pytest.fixture
def begin(
    template: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, log: Path
) -> Iterator[Begin]:
    begun: list[Walk] = []

    def walk(name: str) -> Walk:
        shutil.copytree(template / name, tmp_path / "opened" / name)
        begun.append(Walk(tmp_path / "opened" / name, qtbot, Painted(monkeypatch)))
        return begun[-1]

    yield walk
    for each in begun:
        each.window.close()


def reader_page(walk: Walk) -> ReaderRolePage:
    page = walk.window.page
    assert isinstance(page, ReaderRolePage)
    walk.until(lambda: page.worklist.model.rowCount() > 0)
    return page


def open_case(walk: Walk, assignment_id: int) -> QWidget:
    page = reader_page(walk)
    page.open_case(assignment_id)
    walk.until(lambda: page.reading is not None and page.reading.ready)
    assert page.reading is not None
    return page.reading


def leave_case(walk: Walk) -> None:
    page = reader_page(walk)
    assert page.reading is not None
    QTest.keyClick(page.reading, Key.Key_Escape)
    walk.until(lambda: page.inside.currentWidget() is page.worklist)


def walk_as_reader(walk: Walk, target: Path) -> list[str]:
    """Go everywhere that a reader comes; return the names that were proposed for files."""
    walk.log_in(marked.READER)
    page = reader_page(walk)
    walk.until(page.worklist.checks.isVisible)
    walk.stop("worklist")
    reading = open_case(walk, marked.first_readings(walk.study, locked=False)[0])
    walk.stop("case")
    walk.menu("exclusion menu", reading, Key.Key_X)
    walk.menu("window menu", reading, Key.Key_V)
    walk.dialog("keys", reading, Key.Key_F1, Qt.KeyboardModifier.NoModifier)
    for key in (Key.Key_G, Key.Key_H, Key.Key_B, Key.Key_Q, Key.Key_O):
        QTest.keyClick(reading, key)
        walk.stop(f"case after {key.name}")
    draw_a_line(walk)
    walk.stop("ruler")
    QTest.keyClick(reading, Key.Key_K)
    walk.stop("kept length")
    QTest.keyClick(reading, Key.Key_M)
    assert walk.window.place is Place.READING
    names = [walk.export(reading, target / f"view.{kind}") for kind in ("png", "dcm")]
    leave_case(walk)
    open_case(walk, marked.second_reading(walk.study))
    walk.stop("case again")
    leave_case(walk)
    reading = open_case(walk, marked.first_readings(walk.study, locked=True)[0])
    walk.stop("locked case")
    walk.dialog("amend", reading, Key.Key_M, CONTROL)
    leave_case(walk)
    walk.until(page.worklist.checks.isVisible)
    QTest.keyClick(page.worklist.table, Key.Key_Q)
    walk.until(lambda: page.quality is not None and page.quality.ready)
    assert page.quality is not None
    walk.stop("quality check")
    QTest.keyClick(page.quality, Key.Key_N)
    walk.stop("quality check, a word asked for")
    QTest.keyClick(page.quality.words, Key.Key_Escape)
    QTest.keyClick(page.quality, Key.Key_Escape)
    walk.until(lambda: page.inside.currentWidget() is page.worklist)
    walk.lock_and_log_out()
    return names


def draw_a_line(walk: Walk) -> None:
    page = reader_page(walk)
    assert page.reading is not None
    view = page.reading.films.current()
    assert view is not None
    QTest.keyClick(page.reading, Key.Key_M)
    start = view.rect().center()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(view, start + QPoint(60, 20))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=start + QPoint(60, 20))


def walk_as_adjudicator(walk: Walk, target: Path) -> list[str]:
    """Go everywhere that an adjudicator comes; return the names that were proposed for files."""
    walk.log_in(marked.ADJUDICATOR)
    role = walk.window.page
    assert isinstance(role, AdjudicatorRolePage)
    page = role.queue_page
    walk.until(lambda: bool(page.model.disagreements) and page.ready)
    walk.stop("queue")
    for number in range(1, 6):
        QTest.keyClick(page.table, Key(Key.Key_0 + number), CONTROL)
        walk.stop(f"queue, filter {number}")
    for key in (Key.Key_T, Key.Key_T, Key.Key_G, Key.Key_G):
        QTest.keyClick(page.table, key, CONTROL)
        walk.stop(f"queue after {key.name}")
    QTest.keyClick(page.table, Key.Key_F5)
    QTest.keyClick(page.table, Key.Key_1, CONTROL)
    walk.until(lambda: page.model.rowCount() > 0 and page.ready)
    for row in range(page.model.rowCount()):
        page.table.selectRow(row)
        walk.until(lambda: page.ready)
        walk.stop(f"disagreement {row}")
    QTest.keyClick(page.table, Key.Key_K)
    view = page.films.current()
    assert view is not None
    walk.until(lambda: any("Reader" in mark.label for mark in view.marks))
    QTest.keyClick(page.table, Key.Key_L)
    walk.until(lambda: bool(view.kept.lines))
    walk.stop("marks and lengths")
    for key in (Key.Key_G, Key.Key_H, Key.Key_B):
        QTest.keyClick(page.table, key)
        walk.stop(f"disagreement after {key.name}")
    walk.menu("window menu", page.table, Key.Key_V)
    walk.dialog("small differences", page.table, Key.Key_B, CONTROL)
    walk.dialog("consensus session", page.table, Key.Key_K, CONTROL)
    walk.dialog("keys", page.table, Key.Key_F1, Qt.KeyboardModifier.NoModifier)
    names = [walk.export(page, target / f"view.{kind}") for kind in ("png", "dcm")]
    walk.lock_and_log_out()
    return names


def secrets_of_films(study: Path) -> tuple[str, ...]:
    """Return pseudonyms, and the dates of the films, true and shifted."""
    pseudonyms = [str(row[0]) for row in marked.rows(study, "SELECT pseudonym FROM participant")]
    dates = [str(row[0]) for row in marked.rows(study, "SELECT study_date FROM radiograph") if row[0]]
    assert len(pseudonyms) == len(dates) == marked.FILMS
    return (*pseudonyms, *dates, *marked.FILM_DATES, *marked.FILE_MARKS)


def leaks(stops: Mapping[str, set[str]], secrets: tuple[str, ...]) -> list[str]:
    return [
        f"{name}: “{secret}” in “{text[:200]}”"
        for name, texts in stops.items()
        for text in sorted(texts)
        for secret in secrets
        if secret.casefold() in text.casefold()
    ]


def left_behind(tmp_path: Path, walk: Walk, names: list[str]) -> Stops:
    return {
        "the proposed names": set(names),
        "home": left_on_disk(tmp_path / "home"),
        "exported": left_on_disk(tmp_path / "chosen", walk.study / "exports"),
    }


@pytest.fixture
def chosen(tmp_path: Path) -> Path:
    (tmp_path / "chosen").mkdir()
    return tmp_path / "chosen"


def test_nothing_tells_a_reader_what_a_reader_must_not_know(
    begin: Begin, tmp_path: Path, chosen: Path
) -> None:
    walk = begin("whole")
    names = walk_as_reader(walk, chosen)
    assert marked.READER in " ".join(walk.stops["worklist"]), "the walk sees the reader's own name"
    assert "Case 0006" in walk.stops["worklist"], "and the rows of the worklist"
    secrets = (
        *(marked.OTHER, marked.ADJUDICATOR, marked.COORDINATOR),
        *(marked.NOTE, marked.AMENDED, marked.SETTLED),
        *secrets_of_films(walk.study),
        *marked.AI_MARKS,
    )
    found = leaks(walk.stops, secrets) + leaks(left_behind(tmp_path, walk, names), secrets)
    assert not found, "\n".join(found)


def test_nothing_tells_a_reader_that_a_case_comes_again(begin: Begin, chosen: Path) -> None:
    walk = begin("whole")
    walk_as_reader(walk, chosen)
    told = [f"{name}: {text[:200]}" for name, texts in walk.stops.items() for text in texts if PURPOSES.search(text)]
    assert not told, "\n".join(told)


def test_nothing_tells_an_adjudicator_who_is_who(begin: Begin, tmp_path: Path, chosen: Path) -> None:
    walk = begin("whole")
    names = walk_as_adjudicator(walk, chosen)
    assert marked.ADJUDICATOR in " ".join(walk.stops["queue"]), "the walk sees the adjudicator's own name"
    assert any("Reader A" in text for text in walk.stops["marks and lengths"]), "and what lies on the film"
    secrets = (
        *(marked.READER, marked.OTHER, marked.COORDINATOR, marked.NOTE, marked.AMENDED),
        *secrets_of_films(walk.study),
        *marked.AI_MARKS,
    )
    found = leaks(walk.stops, secrets) + leaks(left_behind(tmp_path, walk, names), secrets)
    assert not found, "\n".join(found)
