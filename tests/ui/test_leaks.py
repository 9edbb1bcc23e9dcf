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
from PySide6.QtGui import QAction, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)
from pytestqt.qtbot import QtBot

from reader_app.app import open_log
from reader_app.operations.study import open_study
from reader_app.settings import HOME_VARIABLE
from tests.ui import marked_study as marked
from tests.ui.shown_strings import Painted, left_on_disk, shown_now
from tests.ui.walking import (
    Stops,
    Walk,
    leave_case,
    open_case,
    reader_page,
    walk_as_adjudicator,
    walk_as_reader,
)

PURPOSES = re.compile(
    r"re-?read|second reading|\bcontrols?\b|calibration (case|film|reading)|'purpose'", re.I
)


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


Begin = Callable[[str], Walk]


@pytest.fixture
def begin(
    template: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, log: Path
) -> Iterator[Begin]:
    begun: list[Walk] = []

    def walk(name: str) -> Walk:
        shutil.copytree(template / name, tmp_path / "opened" / name)
        monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home" / name))
        begun.append(Walk(tmp_path / "opened" / name, qtbot, Painted(monkeypatch)))
        return begun[-1]

    yield walk
    for each in begun:
        each.window.close()


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


class Painting(QWidget):
    """Writes without a widget that holds the words."""

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawText(QPoint(5, 20), "mark painted")
        painter.end()


def test_the_collector_sees_whatever_holds_a_text(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    window = Painting()
    qtbot.addWidget(window)
    window.setWindowTitle("mark title")
    window.setProperty("own", "mark of a property")
    hidden = QLabel("mark of a hidden label", window)
    hidden.setToolTip("mark of a tooltip")
    hidden.setAccessibleDescription("mark for ears")
    hidden.hide()
    window.addAction(QAction("mark of an action", window, toolTip="mark of its tooltip"))
    choice = QComboBox(window)
    choice.addItem("mark of an item", "mark behind an item")
    table = QTableWidget(1, 1, window)
    table.setHorizontalHeaderLabels(["mark of a column"])
    cell = QTableWidgetItem("mark of a cell")
    cell.setData(Qt.ItemDataRole.UserRole, {"secret": "mark in a record"})
    table.setItem(0, 0, cell)
    window.show()
    seen = "\n".join(shown_now(Painted(monkeypatch)))
    wanted = (
        *("title", "of a property", "of a hidden label", "of a tooltip", "for ears", "of an action"),
        *(
            "of its tooltip",
            "of an item",
            "behind an item",
            "of a column",
            "of a cell",
            "in a record",
            "painted",
        ),
    )
    assert [each for each in wanted if f"mark {each}" not in seen] == []
    (tmp_path / "mark of a name.txt").write_text("mark inside", encoding="utf-8")
    assert {"mark of a name.txt", "mark inside"} <= left_on_disk(tmp_path)


def test_nothing_tells_a_reader_what_a_reader_must_not_know(
    begin: Begin, tmp_path: Path, chosen: Path, log: Path
) -> None:
    walk = begin("whole")
    logging.getLogger(__name__).info("A line of the log.")
    names = walk_as_reader(walk, chosen)
    assert "A line of the log." in log.read_text(encoding="utf-8"), "the log is written"
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


def test_a_reader_sees_the_same_whether_others_have_read_or_not(begin: Begin) -> None:
    """No number and no order of rows follows from what others did; only a question that is put does."""
    seen: list[Stops] = []
    windows: list[QWidget] = []
    for name in ("alone", "whole"):
        walk = begin(name)
        walk.others = tuple(windows)
        windows.append(walk.window)
        walk.log_in(marked.READER)
        page = reader_page(walk)
        walk.until(lambda: page.worklist.checks.isVisible() is (name == "whole"))  # noqa: B023
        walk.stop("worklist")
        for stop, assignment_id in (
            ("case", marked.first_readings(walk.study, locked=False)[0]),
            ("case again", marked.second_reading(walk.study)),
            ("locked case", marked.first_readings(walk.study, locked=True)[0]),
        ):
            open_case(walk, assignment_id)
            walk.stop(stop)
            leave_case(walk)
        seen.append({stop: {alike(text, walk) for text in texts} for stop, texts in walk.stops.items()})
    alone, whole = seen
    for stop, texts in alone.items():
        assert sorted(texts ^ whole[stop]) == [], stop


def alike(text: str, walk: Walk) -> str:
    """Return a string without the place of the study and the count of questions to the reader."""
    return re.sub(r"Quality checks \(\d+\)", "Quality checks", text.replace(str(walk.study), "STUDY"))


def test_nothing_tells_a_reader_that_a_case_comes_again(begin: Begin, chosen: Path) -> None:
    walk = begin("whole")
    walk_as_reader(walk, chosen)
    told = [
        f"{name}: {text[:200]}"
        for name, texts in walk.stops.items()
        for text in texts
        if PURPOSES.search(text)
    ]
    assert not told, "\n".join(told)
    first, again = (
        {re.sub(r"\d+", "#", text) for text in walk.stops[stop]} for stop in ("case", "case again")
    )
    # The row of the first case says so since that was opened and left.
    assert sorted(first ^ again) == ["Started, not locked"]


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
