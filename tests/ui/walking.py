"""A reader and an adjudicator who go everywhere that they can come in the real window, by keys.

At every stop they take down all strings that the program holds, hidden ones included.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMenu, QWidget
from pytestqt.qtbot import QtBot

from reader_app.ui.actions import Place
from reader_app.ui.adjudication.page import AdjudicationPage
from reader_app.ui.film.marks import JointMark
from reader_app.ui.main_window import MainWindow
from reader_app.ui.role_pages import AdjudicatorRolePage, ReaderRolePage
from tests.ui import marked_study as marked
from tests.ui.shown_strings import Painted, shown_now

Key = Qt.Key
PLAIN = Qt.KeyboardModifier.NoModifier
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
PATIENCE = 20_000
Stops = dict[str, set[str]]


class Walk:
    """A person at the window, and what there was to be known at every stop."""

    def __init__(self, study: Path, qtbot: QtBot, painted: Painted) -> None:
        self.study = study
        self.qtbot = qtbot
        self.painted = painted
        self.others: tuple[QWidget, ...] = ()
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
        self.stops[name] = shown_now(self.painted, but=self.others)

    def log_in(self, name: str) -> None:
        login = self.window.login
        QTest.keyClicks(login.name, name)
        QTest.keyClick(login.name, Key.Key_Return)
        QTest.keyClicks(login.password, marked.PASSWORD)
        QTest.keyClick(login.password, Key.Key_Return)
        self.until(lambda: self.window.page is not None)

    def back(self) -> None:
        """Offscreen nobody gives the keyboard back to the window once a dialog closes."""
        self.until(
            lambda: QApplication.activeModalWidget() is None and QApplication.activePopupWidget() is None
        )
        self.window.activateWindow()
        self.until(self.window.isActiveWindow)

    def press(self, widget: QWidget, key: Key, modifier: Qt.KeyboardModifier = PLAIN) -> None:
        """Press a key of an action, which a window in the background would not hear."""
        self.back()
        QTest.keyClick(widget, key, modifier)

    def menu(self, name: str, widget: QWidget, key: Key) -> None:
        self.press(widget, key)
        self.until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
        self.stop(name)
        popup = QApplication.activePopupWidget()
        assert popup is not None
        popup.close()
        self.back()

    def dialog(self, name: str, widget: QWidget, key: Key, modifier: Qt.KeyboardModifier) -> None:
        self.press(widget, key, modifier)
        self.until(lambda: isinstance(QApplication.activeModalWidget(), QDialog))
        self.stop(name)
        found = QApplication.activeModalWidget()
        assert isinstance(found, QDialog)
        found.reject()
        self.back()

    def export(self, widget: QWidget, target: Path) -> str:
        """Export the view under the name that is proposed, with the ending of the target."""
        self.press(widget, Key.Key_E, CONTROL)
        (dialog,) = [each for each in widget.findChildren(QFileDialog) if each.isVisible()]
        self.stop(f"export of {target.suffix}")
        proposed = Path(dialog.selectedFiles()[0])
        chosen = target.parent / (proposed.stem + target.suffix)
        dialog.fileSelected.emit(str(chosen))
        dialog.reject()
        self.back()
        self.until(chosen.is_file)
        self.until(lambda: any(f"written to {chosen}" in text for text in shown_now(self.painted)))
        return proposed.name

    def lock_and_log_out(self) -> None:
        self.press(self.window, Key.Key_L, CONTROL | SHIFT)
        self.until(lambda: self.window.session.is_locked)
        self.stop("the cover")
        cover = self.window.session.cover
        QTest.keyClicks(cover.secret, marked.PASSWORD)
        QTest.keyClick(cover.secret, Key.Key_Return)
        self.until(lambda: not self.window.session.is_locked)
        self.press(self.window, Key.Key_L, CONTROL)
        self.until(self.window.login.isVisible)
        self.stop("after the log-out")


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
    walk.press(page.reading, Key.Key_Escape)
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
    walk.dialog("keys", reading, Key.Key_F1, PLAIN)
    for key in (Key.Key_G, Key.Key_H, Key.Key_B, Key.Key_Q, Key.Key_O):
        walk.press(reading, key)
        walk.stop(f"case after {key.name}")
    draw_a_line(walk)
    walk.stop("ruler")
    walk.press(reading, Key.Key_K)
    walk.stop("kept length")
    walk.press(reading, Key.Key_M)
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
    walk.press(page.worklist.table, Key.Key_Q)
    walk.until(lambda: page.quality is not None and page.quality.ready)
    assert page.quality is not None
    walk.stop("quality check")
    walk.press(page.quality, Key.Key_N)
    walk.stop("quality check, a word asked for")
    QTest.keyClick(page.quality.words, Key.Key_Escape)
    walk.press(page.quality, Key.Key_Escape)
    walk.until(lambda: page.inside.currentWidget() is page.worklist)
    walk.lock_and_log_out()
    return names


def draw_a_line(walk: Walk) -> None:
    page = reader_page(walk)
    assert page.reading is not None
    view = page.reading.films.current()
    assert view is not None
    walk.press(page.reading, Key.Key_M)
    start = view.rect().center()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(view, start + QPoint(60, 20))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=start + QPoint(60, 20))


def marks_of(page: AdjudicationPage) -> tuple[JointMark, ...]:
    view = page.films.current()
    return view.marks if view is not None else ()


def lines_of(page: AdjudicationPage) -> bool:
    view = page.films.current()
    return view is not None and bool(view.kept.lines)


def walk_as_adjudicator(walk: Walk, target: Path) -> list[str]:
    """Go everywhere that an adjudicator comes; return the names that were proposed for files."""
    walk.log_in(marked.ADJUDICATOR)
    role = walk.window.page
    assert isinstance(role, AdjudicatorRolePage)
    page = role.queue_page
    walk.until(lambda: bool(page.model.disagreements) and page.ready)
    walk.stop("queue")
    for number in range(1, 6):
        walk.press(page.table, Key(Key.Key_0 + number), CONTROL)
        walk.stop(f"queue, filter {number}")
    for key in (Key.Key_T, Key.Key_G):
        first = page.model.wanted
        walk.press(page.table, key, CONTROL)
        assert page.model.wanted != first
        while page.model.wanted != first:
            walk.stop(f"queue, {page.model.wanted}")
            walk.press(page.table, key, CONTROL)
    walk.press(page.table, Key.Key_F5)
    walk.press(page.table, Key.Key_1, CONTROL)
    walk.until(lambda: page.model.rowCount() > 0 and page.ready)
    for row in range(page.model.rowCount()):
        page.table.selectRow(row)
        walk.until(lambda: page.ready)
        walk.stop(f"disagreement {row}")
    walk.press(page.table, Key.Key_K)
    walk.until(lambda: any("Reader" in mark.label for mark in marks_of(page)))
    walk.press(page.table, Key.Key_L)
    walk.until(lambda: lines_of(page))
    walk.stop("marks and lengths")
    for key in (Key.Key_G, Key.Key_H, Key.Key_B):
        walk.press(page.table, key)
        walk.stop(f"disagreement after {key.name}")
    walk.menu("window menu", page.table, Key.Key_V)
    walk.dialog("small differences", page.table, Key.Key_B, CONTROL)
    walk.dialog("consensus session", page.table, Key.Key_K, CONTROL)
    walk.dialog("keys", page.table, Key.Key_F1, PLAIN)
    names = [walk.export(page, target / f"view.{kind}") for kind in ("png", "dcm")]
    walk.lock_and_log_out()
    return names
