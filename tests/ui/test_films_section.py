"""The coordinator's films: looked through and corrected by keys and mouse upon a real study."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from reader_app.imaging.geometry import Box
from reader_app.operations import correct_film, read
from reader_app.operations.accounts import add_account
from reader_app.operations.correct_film import FilmEntry
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import NewStudy, Study, create_study
from reader_app.operations.study_config import ImagePolicy
from reader_app.store.records import Actor, Role
from reader_app.ui.actions import Place
from reader_app.ui.coordinator.films_model import FilmsModel, state_words
from reader_app.ui.coordinator.films_section import FilmsSection
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.page import CoordinatorPage
from reader_app.ui.paged_model import PAGE

Enter = Callable[[Study, str], Actor]
Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton


class Desk:
    """The coordinator's page with the films in front."""

    def __init__(self, qtbot: QtBot, study: Study, actor: Actor, *, writes: bool = True) -> None:
        self.qtbot, self.study, self.actor = qtbot, study, actor
        self.page = CoordinatorPage(study, actor, jobs=JobsPanel(), writes=writes)
        qtbot.addWidget(self.page.importing.jobs)
        qtbot.addWidget(self.page, before_close_func=lambda page: page.leave())
        self.films: FilmsSection = self.page.films
        self.page.failed.connect(lambda fault: pytest.fail(str(fault)))
        self.page.resize(1280, 720)
        with qtbot.waitActive(self.page):
            self.page.show()
            self.page.activateWindow()
        self.page.open_section(self.films)
        self.loaded()

    def loaded(self) -> None:
        """Wait until the marked film is in sight and nothing is being stored."""
        self.qtbot.waitUntil(self._settled, timeout=20_000)

    def _settled(self) -> bool:
        return not self.films.corrections.busy and self.films.shelf.looked_at

    def press(self, *keys: Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        for key in keys:
            QTest.keyClick(QApplication.focusWidget() or self.films.table, key, modifier)
            self.loaded()

    def drag(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Drag from one point of the film to another, in film pixels."""
        view = self.films.bench.view
        assert view is not None
        start, end = (view.viewport.to_widget(x, y).toPoint() for x, y in ((x0, y0), (x1, y1)))
        QTest.mousePress(view, LEFT, pos=start)
        QTest.mouseMove(view, QPoint((start.x() + end.x()) // 2, (start.y() + end.y()) // 2))
        QTest.mouseMove(view, end)
        QTest.mouseRelease(view, LEFT, pos=end)

    @property
    def row(self) -> int:
        return self.films.table.currentIndex().row()

    @property
    def said(self) -> str:
        return self.films.message.text

    def stored(self, row: int) -> FilmEntry:
        """What another program would find in the database now."""
        return correct_film.film_list(self.study, self.actor)[row]


@pytest.fixture
def desk(qtbot: QtBot, study: Study, enter: Enter) -> Desk:
    """Films of which the study has copies."""
    return Desk(qtbot, study, enter(study, "Carla"))


@pytest.fixture
def referring(tmp_path: Path) -> Iterator[Study]:
    """A study that refers to two films where they lie."""
    images = tmp_path / "films"
    images.mkdir()
    for number in (1, 2):
        pixels = np.random.default_rng(number).integers(60, 200, (240, 200), dtype=np.uint8)
        pixels[0, 0], pixels[0, 1] = 0, 255
        Image.fromarray(pixels).save(images / f"film-{number}.png")
    choices = NewStudy(
        protocol="knee-kl",
        title="Two knees",
        coordinator="Carla",
        password="carla-coordinates",
        seed=1,
        images=ImagePolicy.REFERENCE,
    )
    (tmp_path / "manifest.csv").write_text(
        "image,participant,side\nfilm-1.png,a,right\nfilm-2.png,b,left\n", encoding="utf-8"
    )
    with create_study(tmp_path / "study", choices) as study:
        carla = log_in(study, "Carla", "carla-coordinates")
        add_account(study, carla, name="Anna", password="anna-reads-films", role=Role.READER)
        import_films(study, carla, images, manifest=tmp_path / "manifest.csv")
        yield study


@pytest.fixture
def referring_desk(qtbot: QtBot, referring: Study) -> Desk:
    return Desk(qtbot, referring, log_in(referring, "Carla", "carla-coordinates"))


def test_films_are_checked_one_after_the_other_with_one_key(desk: Desk) -> None:
    for row in range(6):
        assert desk.row == row
        desk.press(Key.Key_C)
    assert all(desk.stored(row).text_checked for row in range(6))
    assert "last film" in desk.said
    assert desk.films._count.text() == "0 of 6 films are to be checked"


def test_a_film_that_has_not_been_in_sight_is_not_checked(desk: Desk) -> None:
    QTest.keyClick(desk.films.table, Key.Key_N)
    QTest.keyClick(desk.films.table, Key.Key_C)
    assert "not taken" in desk.said
    desk.loaded()
    assert not any(desk.stored(row).text_checked for row in range(6))


def test_checked_is_taken_back_and_stays_at_the_film(desk: Desk) -> None:
    desk.press(Key.Key_C, Key.Key_P)
    desk.press(Key.Key_C, modifier=Qt.KeyboardModifier.ShiftModifier)
    assert desk.row == 0
    assert not desk.stored(0).text_checked


def test_only_films_to_check_are_listed_on_demand(desk: Desk) -> None:
    desk.press(Key.Key_C, Key.Key_C)
    QTest.keyClick(desk.films.table, Key.Key_T)
    desk.qtbot.waitUntil(lambda: desk.films.model.rowCount() == 4)
    desk.loaded()
    desk.press(Key.Key_C)
    assert desk.films.model.rowCount() == 4  # it does not vanish under the hand
    assert desk.stored(2).text_checked


def test_arrows_and_letters_move_between_films(desk: Desk) -> None:
    desk.press(Key.Key_N, Key.Key_Down, Key.Key_P, Key.Key_Up, Key.Key_Up)
    assert desk.row == 0
    assert "first film" in desk.said


def test_a_marker_gives_the_film_its_millimetres(desk: Desk) -> None:
    desk.press(Key.Key_K)
    desk.drag(20, 60, 120, 60)
    bench = desk.films.bench
    desk.qtbot.waitUntil(lambda: "mm a pixel" in bench.preview.text())
    assert bench.marker.hasFocus()
    QTest.keyClicks(bench.marker, "30")
    desk.press(Key.Key_Return)
    stored = desk.stored(0)
    assert stored.calibrated_marker_mm == 30
    assert stored.spacing_mm == pytest.approx((0.3, 0.3), rel=0.03)
    view = bench.view
    assert view is not None
    assert view.radiograph is not None
    assert view.radiograph.header.spacing.row_mm == pytest.approx(0.3, rel=0.03)
    desk.press(Key.Key_N, Key.Key_K)
    assert bench.marker.value() == 30  # remembered for the next film
    desk.press(Key.Key_Escape, Key.Key_P)
    desk.press(Key.Key_K, modifier=Qt.KeyboardModifier.ShiftModifier)
    assert desk.stored(0).spacing_mm is None


def test_a_line_that_is_too_short_is_refused_in_words(desk: Desk) -> None:
    desk.press(Key.Key_K)
    desk.drag(20, 60, 26, 60)
    desk.qtbot.waitUntil(lambda: "too few to calibrate" in desk.films.bench.preview.text())
    desk.press(Key.Key_Return)
    assert "too few to calibrate" in desk.said
    assert desk.stored(0).calibrated_marker_mm is None


def test_what_is_drawn_and_not_applied_is_not_lost_by_going_on(desk: Desk) -> None:
    desk.press(Key.Key_B)
    desk.drag(20, 20, 80, 50)
    for key in (Key.Key_N, Key.Key_C, Key.Key_K, Key.Key_Y):
        desk.press(key)
        assert "not applied yet" in desk.said
        assert desk.row == 0
        assert desk.films.bench.pending
    desk.films.table.selectRow(3)
    desk.qtbot.waitUntil(lambda: desk.row == 0)
    desk.press(Key.Key_Escape, Key.Key_N)
    assert desk.row == 1
    assert desk.stored(0).box_outs == ()


def test_parts_boxed_out_of_a_copy_are_warned_of_and_final(desk: Desk) -> None:
    desk.press(Key.Key_B)
    desk.drag(20, 20, 80, 50)
    assert "final" in desk.films.bench.parts_words.text()
    desk.press(Key.Key_Return)
    (box,) = desk.stored(0).box_outs
    assert (box.x, box.y, box.right, box.bottom) == pytest.approx((20, 20, 80, 50), abs=2)
    view = desk.films.bench.view
    assert view is not None
    assert view.radiograph is not None
    inside = view.radiograph.pixels[int(box.y) : int(box.bottom), int(box.x) : int(box.right)]
    assert len(np.unique(inside)) == 1
    desk.press(Key.Key_B, Key.Key_Delete)
    assert "cannot come back" in desk.said
    assert desk.films.bench.parts is not None
    assert len(desk.films.bench.parts.parts) == 1


def test_parts_of_a_film_that_stays_where_it_is_can_be_taken_back(
    referring_desk: Desk, referring: Study
) -> None:
    desk = referring_desk
    desk.press(Key.Key_B)
    desk.drag(20, 20, 80, 50)
    desk.drag(100, 100, 150, 130)
    assert desk.films.bench.parts_list.count() == 2
    assert "taken back" in desk.films.bench.parts_words.text()
    desk.press(Key.Key_Return)
    assert len(desk.stored(0).box_outs) == 2
    desk.press(Key.Key_B)
    desk.films.bench.parts_list.setCurrentRow(0)
    desk.press(Key.Key_Delete, Key.Key_Return)
    (left,) = desk.stored(0).box_outs
    assert left.x == pytest.approx(100, abs=2)
    anna = log_in(referring, "Anna", "anna-reads-films")
    read.worklist(referring, anna)
    seen = read.film(referring, anna, desk.stored(0).radiograph_id)
    assert len(np.unique(seen.pixels[105:125, 105:145])) == 1
    assert len(np.unique(seen.pixels[25:45, 25:75])) > 10


def test_polarity_is_chosen_from_a_menu_for_everybody(desk: Desk) -> None:
    before = correct_film.film(desk.study, desk.actor, desk.stored(0).radiograph_id).inverse_polarity
    QTest.keyClick(desk.films.table, Key.Key_Y)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert [action.isChecked() for action in menu.actions() if action.isCheckable()] == [True, False, False]
    QTest.keyClick(menu, Key.Key_2)
    desk.loaded()
    assert before is False
    assert desk.stored(0).inverse_polarity is True
    view = desk.films.bench.view
    assert view is not None
    assert view.radiograph is not None
    assert view.radiograph.inverse_polarity


def test_an_auditor_sees_the_films_and_has_no_tools(qtbot: QtBot, study: Study, enter: Enter) -> None:
    desk = Desk(qtbot, study, enter(study, "Otto"), writes=False)
    for name in ("film-checked", "box-out", "calibrate", "polarity", "film-apply"):
        assert name not in desk.films.commands
    desk.press(Key.Key_C, Key.Key_B, Key.Key_N)
    assert desk.row == 1
    assert not desk.stored(0).text_checked
    assert desk.films.bench.parts is None


def test_a_film_that_is_gone_is_told_in_words_and_the_next_is_shown(
    qtbot: QtBot, referring: Study, tmp_path: Path
) -> None:
    (tmp_path / "films" / "film-1.png").unlink()
    carla = log_in(referring, "Carla", "carla-coordinates")
    page = CoordinatorPage(referring, carla, jobs=JobsPanel(), writes=True)
    qtbot.addWidget(page.importing.jobs)
    qtbot.addWidget(page, before_close_func=lambda page: page.leave())
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    page.open_section(page.films)
    bench = page.films.bench
    qtbot.waitUntil(lambda: bench.view is not None and "gone" in bench.view.sentence)
    QTest.keyClick(page.films.table, Key.Key_C)
    assert "cannot be shown" in page.films.message.text
    assert not correct_film.film_list(referring, carla)[0].text_checked
    page.films.table.selectRow(1)
    qtbot.waitUntil(lambda: bench.view is not None and bench.view.radiograph is not None)


def test_the_list_of_films_has_keys_of_its_own(desk: Desk) -> None:
    places = [desk.page.place]
    desk.page.open_section(desk.page.accounts)
    places.append(desk.page.place)
    assert places == [Place.FILMS, Place.COORDINATOR]
    before = desk.stored(0).text_checked
    QTest.keyClick(desk.page.accounts.table, Key.Key_C)
    assert desk.stored(0).text_checked is before is False


# The model


def entry(number: int, *, checked: bool = False) -> FilmEntry:
    from reader_app.imaging.spacing import unknown_spacing

    none = unknown_spacing("None.")
    return FilmEntry(
        radiograph_id=number,
        participant=f"P{number}",
        visit="",
        view="AP",
        body_part="KNEE",
        laterality="R",
        rows=100,
        columns=100,
        spacing_words_kind="unknown",
        spacing_mm=None,
        spacing_reason="None.",
        own_spacing=none,
        burned_in=None,
        text_checked=checked,
        box_outs=(Box(0, 0, 5, 5),) if checked else (),
        inverse_polarity=None,
        calibrated_marker_mm=None,
        phantom=False,
        copied=False,
    )


def test_the_table_reads_page_by_page_and_never_the_same_film_twice(qtbot: QtBot) -> None:
    model = FilmsModel()
    asked: list[int] = []
    model.page_wanted.connect(asked.append)
    model.start(open_only=True)
    assert not model.canFetchMore()
    model.add_page([entry(number) for number in range(PAGE)])
    assert model.canFetchMore()
    for number in range(10):
        model.put(entry(number, checked=True))
    model.fetchMore()
    # Ten are no longer among those to be checked: the next page begins ten places earlier.
    assert asked == [0, PAGE - 10]
    assert not model.canFetchMore()
    model.add_page([entry(number) for number in range(PAGE - 1, PAGE + 5)])
    assert model.rowCount() == PAGE + 5
    assert not model.canFetchMore()


def test_the_state_names_doubts_first_and_then_what_was_done() -> None:
    assert state_words(entry(1)) == "text may be burned in, no millimetres"
    assert state_words(entry(1), short=True) == "text?, no mm"
    assert state_words(entry(1, checked=True)) == "checked, 1 part boxed out"
