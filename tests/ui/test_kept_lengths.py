"""Lengths that are kept with the reading: by real keys and real drags, and what is drawn of them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QCursor, QImage, QPainter
from PySide6.QtTest import QTest

from reader_app.imaging.spacing import SpacingKind
from reader_app.operations import read
from reader_app.reading.measurement import KeptMeasurement
from reader_app.ui.film.view import FilmView
from reader_app.ui.reading.lengths import NO_LINE
from reader_app.ui.theme import Colour
from tests.ui.reading_evening import FIRST_JOINT, Evening

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton


def stored(evening: Evening, place: int = 0) -> dict[int, KeptMeasurement]:
    """What another program would find in the database now."""
    case = read.open_case(evening.study, evening.anna, evening.assignments()[place])
    return case.session.measurements


def film(evening: Evening) -> FilmView:
    view = evening.page.films.current()
    assert view is not None
    return view


def drag(evening: Evening, start: tuple[float, float], end: tuple[float, float]) -> None:
    view = film(evening)
    first, last = (view.viewport.to_widget(*point).toPoint() for point in (start, end))
    QTest.mousePress(view, LEFT, pos=first)
    QTest.mouseMove(view, (first + last) / 2)
    QTest.mouseMove(view, last)
    QTest.mouseRelease(view, LEFT, pos=last)


def keep(evening: Evening, start: tuple[float, float], end: tuple[float, float]) -> None:
    if not film(evening).measuring:
        evening.press("m")
    drag(evening, start, end)
    evening.press("k")


def test_the_rulers_line_is_kept_by_a_key_and_the_ruler_stays_in_hand(evening: Evening) -> None:
    keep(evening, (50, 60), (150, 60))
    (kept,) = stored(evening).values()
    assert kept.start == pytest.approx((50, 60), abs=1)
    assert kept.end == pytest.approx((150, 60), abs=1)
    assert kept.measurement.kind is SpacingKind.UNKNOWN
    assert kept.measurement.reason
    assert film(evening).measuring
    assert film(evening).ruler is None
    assert [line.words[0] for line in film(evening).kept.lines] == ["100 px"]


def test_several_lie_upon_a_film_and_stay_when_the_ruler_goes(evening: Evening) -> None:
    keep(evening, (50, 60), (150, 60))
    keep(evening, (50, 120), (50, 180))
    evening.press(Key.Key_Escape)
    assert not film(evening).measuring
    assert [line.number for line in film(evening).kept.lines] == [1, 2]


def test_a_kept_length_is_drawn_whenever_its_case_is_open(evening: Evening) -> None:
    keep(evening, (50, 60), (250, 60))
    evening.press(Key.Key_Escape, Key.Key_PageDown)
    evening.wait()
    assert film(evening).kept.lines == ()
    evening.press(Key.Key_PageUp)
    evening.wait()
    view = film(evening)
    (line,) = view.kept.lines
    middle = (view.viewport.to_widget(*line.line.start) + view.viewport.to_widget(*line.line.end)) / 2
    seen = view.grab().toImage().pixelColor(middle.toPoint())
    assert seen.hsvHue() == pytest.approx(Colour.MEASURE.qcolor.hsvHue(), abs=8)


def test_without_a_line_there_is_nothing_to_keep(evening: Evening) -> None:
    evening.press("k")
    assert evening.page.message.text == NO_LINE
    assert stored(evening) == {}


def test_the_last_kept_is_taken_away_and_undo_brings_it_back(evening: Evening) -> None:
    keep(evening, (50, 60), (150, 60))
    keep(evening, (50, 120), (50, 180))
    QCursor.setPos(0, 0)
    QTest.keyClick(evening.page, Key.Key_K, Qt.KeyboardModifier.ShiftModifier)
    assert list(stored(evening)) == [1]
    QTest.keyClick(evening.page, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert list(stored(evening)) == [1, 2]
    assert [line.number for line in film(evening).kept.lines] == [1, 2]


def test_the_length_under_the_mouse_is_the_one_that_goes(evening: Evening) -> None:
    keep(evening, (50, 60), (150, 60))
    keep(evening, (50, 120), (50, 180))
    view = film(evening)
    QCursor.setPos(view.mapToGlobal(view.viewport.to_widget(100, 60).toPoint() + QPoint(0, 4)))
    QTest.keyClick(evening.page, Key.Key_K, Qt.KeyboardModifier.ShiftModifier)
    assert list(stored(evening)) == [2]


def test_a_locked_case_shows_its_lengths_and_takes_none(evening: Evening) -> None:
    keep(evening, (50, 60), (150, 60))
    evening.press(*FIRST_JOINT, *FIRST_JOINT, Key.Key_Return)
    evening.wait()
    evening.press(Key.Key_PageUp)
    evening.wait()
    assert [line.number for line in film(evening).kept.lines] == [1]
    keep(evening, (50, 120), (50, 180))
    assert "locked" in evening.page.message.text.lower()
    QTest.keyClick(evening.page, Key.Key_K, Qt.KeyboardModifier.ShiftModifier)
    assert list(stored(evening)) == [1]


def test_an_exported_view_shows_the_kept_lengths(evening: Evening) -> None:
    keep(evening, (50, 60), (250, 60))
    evening.press(Key.Key_Escape)
    view = film(evening)
    picture = QImage(view.size(), QImage.Format.Format_RGB32)
    painter = QPainter(picture)
    view.paint_for_others(painter)
    painter.end()
    middle = picture.pixelColor(view.viewport.to_widget(150, 60).toPoint())
    assert middle.hsvHue() == pytest.approx(Colour.MEASURE.qcolor.hsvHue(), abs=8)
