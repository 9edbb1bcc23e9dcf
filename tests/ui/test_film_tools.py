"""Ruler, overlays, windows by name and parts to box out: real mouse events on a real film view."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from reader_app.imaging.geometry import Box
from reader_app.imaging.overlay_planes import Overlay
from reader_app.imaging.pyramid import Pyramid
from reader_app.imaging.radiograph import Radiograph, RadiographHeader
from reader_app.imaging.spacing import Spacing, SpacingKind, checked_spacing, unknown_spacing
from reader_app.imaging.voi import LookupTable, VoiFunction, Window
from reader_app.ui.film.parts_tool import PartsTool
from reader_app.ui.film.planes import PlaneLayer, halved
from reader_app.ui.film.ruler import Line, LineTool, RulerTool, beside
from reader_app.ui.film.view import FilmView
from reader_app.ui.film.window_menu import show_window_menu
from reader_app.ui.film.words import kind_words, length_words, spacing_words
from reader_app.ui.theme import Colour

ROWS, COLUMNS = 300, 400
LEFT = Qt.MouseButton.LeftButton
ZERO = unknown_spacing("PixelSpacing: 0 x 0 mm is zero, so nothing can be measured in mm.")


def at_detector(row_mm: float = 0.5, column_mm: float = 0.5) -> Spacing:
    return checked_spacing(row_mm, column_mm, kind=SpacingKind.AT_DETECTOR, reason="ImagerPixelSpacing")


def film(spacing: Spacing, *, overlay: bool = False, tables: bool = False) -> Pyramid:
    ramp = np.tile(np.linspace(0, 4000, COLUMNS).astype(np.uint16), (ROWS, 1))
    mask = np.zeros((ROWS, COLUMNS), dtype=np.bool_)
    mask[100:120, 40:200] = True
    header = RadiographHeader(
        "film.dcm",  # type: ignore[arg-type]
        "DICOM",
        ROWS,
        COLUMNS,
        12,
        spacing=spacing,
    )
    curve = LookupTable(0, np.arange(4096, dtype=np.uint16), 12, "Bone & more")
    return Pyramid(
        Radiograph(
            header,
            ramp,
            windows=(Window(2000, 4000, VoiFunction.LINEAR_EXACT, "wide"), Window(1000, 400, name="narrow")),
            voi_luts=(curve,) if tables else (),
            overlays=(Overlay("Template", mask),) if overlay else (),
        )
    )


@pytest.fixture
def opened(qtbot: QtBot) -> Callable[..., FilmView]:
    def open_(spacing: Spacing, **also: bool) -> FilmView:
        view = FilmView()
        qtbot.addWidget(view)
        view.resize(800, 600)
        view.show()
        view.show_film(film(spacing, **also))
        return view

    return open_


def on(view: FilmView, x: float, y: float) -> QPoint:
    return view.viewport.to_widget(x, y).toPoint()


def drag(view: FilmView, start: QPoint, end: QPoint, button: Qt.MouseButton = LEFT) -> None:
    QTest.mousePress(view, button, pos=start)
    QTest.mouseMove(view, (start + end) / 2)
    QTest.mouseMove(view, end)
    QTest.mouseRelease(view, button, pos=end)


def test_a_drag_measures_in_film_pixels_from_press_to_release(opened: Callable[..., FilmView]) -> None:
    view = opened(at_detector())
    view.measure(True)
    drag(view, on(view, 50, 60), on(view, 250, 60))
    assert view.ruler is not None
    one_pixel = 1 / view.viewport.scale
    assert view.ruler.start == pytest.approx((50, 60), abs=one_pixel)
    assert view.ruler.end == pytest.approx((250, 60), abs=one_pixel)
    assert isinstance(view.tool, RulerTool)
    (words,) = view.tool.words(view.ruler)
    assert words.endswith(" mm at detector")
    assert float(words.split()[0]) == pytest.approx(100.0, abs=0.6)


def test_two_clicks_measure_like_a_drag(opened: Callable[..., FilmView]) -> None:
    view = opened(at_detector())
    view.measure(True)
    QTest.mouseClick(view, LEFT, pos=on(view, 100, 50))
    QTest.mouseMove(view, on(view, 120, 100))
    assert view.ruler is not None
    assert view.ruler.length > 40  # it follows the mouse before the second click
    QTest.mouseClick(view, LEFT, pos=on(view, 100, 250))
    assert view.ruler.step == pytest.approx((0, 200), abs=2 / view.viewport.scale)
    QTest.mouseMove(view, on(view, 10, 10))
    assert view.ruler.step == pytest.approx((0, 200), abs=2 / view.viewport.scale)


def test_an_end_can_be_put_elsewhere_and_the_other_stays(opened: Callable[..., FilmView]) -> None:
    view = opened(at_detector())
    view.measure(True)
    drag(view, on(view, 50, 60), on(view, 250, 60))
    before = view.ruler
    assert before is not None
    drag(view, on(view, 250, 60) + QPoint(3, 3), on(view, 250, 160) + QPoint(3, 3))
    after = view.ruler
    assert after is not None
    assert after.start == before.start
    assert after.end == pytest.approx((before.end[0], before.end[1] + 100), abs=1 / view.viewport.scale)


def test_a_ruler_never_leaves_the_film(opened: Callable[..., FilmView]) -> None:
    view = opened(at_detector())
    view.zoom(0.5)
    view.measure(True)
    drag(view, QPoint(5, 5), QPoint(790, 590))
    assert view.ruler == Line((0.0, 0.0), (float(COLUMNS), float(ROWS)))


def test_with_the_ruler_in_hand_the_other_buttons_still_move_and_window(
    opened: Callable[..., FilmView],
) -> None:
    view = opened(at_detector())
    view.measure(True)
    before, grays = view.viewport, view.film_window
    drag(view, QPoint(400, 300), QPoint(440, 320), Qt.MouseButton.MiddleButton)
    assert (view.viewport.x - before.x, view.viewport.y - before.y) == (40, 20)
    drag(view, QPoint(400, 300), QPoint(460, 300), Qt.MouseButton.RightButton)
    assert view.film_window != grays
    assert view.ruler is None


def test_another_film_and_reset_put_ruler_and_overlay_away(opened: Callable[..., FilmView]) -> None:
    view = opened(at_detector(), overlay=True)
    for end in (view.reset, lambda: view.show_film(film(ZERO)), lambda: view.show_sentence("gone")):
        view.show_film(film(at_detector(), overlay=True))
        view.measure(True)
        view.show_overlay(True)
        drag(view, on(view, 50, 60), on(view, 250, 60))
        end()
        assert (view.measuring, view.ruler, view.overlay_shown) == (False, None, False)


def test_the_line_and_its_words_are_seen_on_bright_and_on_dark_film(opened: Callable[..., FilmView]) -> None:
    view = opened(at_detector())
    view.measure(True)
    for x in (60, 340):  # dark and bright end of the ramp
        drag(view, on(view, x, 40), on(view, x, 260))
        image = view.grab().toImage()
        middle = on(view, x, 150)
        across = [QColor(image.pixel(middle.x() + step, middle.y())) for step in range(-4, 5)]
        assert any(colour.saturation() > 120 for colour in across)
        assert any(colour.value() < 90 for colour in across)


@given(
    dx=st.floats(-2000, 2000),
    dy=st.floats(-2000, 2000),
    row_mm=st.floats(0.05, 0.4),
    ratio=st.floats(0.6, 1.8),
)
def test_a_length_goes_by_both_spacings(dx: float, dy: float, row_mm: float, ratio: float) -> None:
    spacing = at_detector(row_mm, row_mm * ratio)
    (words,) = length_words((10.0, 20.0), (10.0 + dx, 20.0 + dy), spacing)
    expected = math.hypot(dx * row_mm * ratio, dy * row_mm)
    assert float(words.split()[0]) == pytest.approx(expected, abs=0.051)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (SpacingKind.AT_DETECTOR, "at detector"),
        (SpacingKind.CALIBRATED, "calibrated"),
        (SpacingKind.GEOMETRY, "by geometry"),
        (SpacingKind.MAGNIFICATION_CORRECTED, "magnification corrected"),
    ],
)
def test_every_length_says_of_which_kind_its_millimetres_are(kind: SpacingKind, words: str) -> None:
    spacing = Spacing(0.2, 0.2, kind, "As the test says.")
    assert kind_words(spacing) == words
    assert length_words((0, 0), (100, 0), spacing) == (f"20.0 mm {words}",)
    assert spacing_words(spacing) == f"0.200 mm {words}"


def test_without_millimetres_a_length_is_in_pixels_and_says_why() -> None:
    assert length_words((0, 0), (30, 40), ZERO) == ("50 px", ZERO.reason)
    assert spacing_words(ZERO).startswith("no millimetres: PixelSpacing: 0 x 0 mm is zero")


@given(
    x0=st.floats(0, 800),
    y0=st.floats(0, 600),
    x1=st.floats(0, 800),
    y1=st.floats(0, 600),
    width=st.floats(20, 330),
    height=st.floats(14, 90),
)
def test_what_stands_beside_a_line_is_inside_the_view(
    x0: float, y0: float, x1: float, y1: float, width: float, height: float
) -> None:
    view = QRectF(0, 0, 800, 600)
    plate = beside(QPointF(x0, y0), QPointF(x1, y1), (width, height), view)
    assert view.contains(plate)
    assert (plate.width(), plate.height()) == (width, height)


# Overlays


def test_overlays_are_off_at_first_and_are_drawn_where_the_file_has_them(
    opened: Callable[..., FilmView],
) -> None:
    view = opened(ZERO, overlay=True)
    inside, outside = on(view, 120, 110), on(view, 300, 200)
    plain = view.grab().toImage()
    assert not view.overlay_shown
    assert QColor(plain.pixel(inside)).saturation() == 0
    view.show_overlay(True)
    drawn = view.grab().toImage()
    assert QColor(drawn.pixel(inside)) == Colour.OVERLAY.qcolor
    assert drawn.pixel(outside) == plain.pixel(outside)
    view.zoom(4, QPointF(inside))
    assert QColor(view.grab().toImage().pixel(inside)) == Colour.OVERLAY.qcolor
    view.show_overlay(False)
    assert QColor(view.grab().toImage().pixel(inside)).saturation() == 0


def test_a_film_without_overlays_shows_none(opened: Callable[..., FilmView]) -> None:
    view = opened(ZERO)
    view.show_overlay(True)
    assert not view.overlay_shown


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**31))
def test_a_halved_mask_loses_nothing_that_was_drawn(rows: int, columns: int, seed: int) -> None:
    mask = np.random.default_rng(seed).random((rows, columns)) < 0.2
    half = halved(mask)
    assert half.shape == (-(-rows // 2), -(-columns // 2))
    for row in range(half.shape[0]):
        for column in range(half.shape[1]):
            assert half[row, column] == mask[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].any()


def test_a_line_of_one_pixel_is_still_there_on_a_small_screen() -> None:
    mask = np.zeros((2048, 2048), dtype=np.bool_)
    mask[:, 1001] = True
    smallest = PlaneLayer([mask]).levels[-1]
    assert smallest.shape == (256, 256)
    assert smallest.any(axis=1).all()


# Windows by name


def test_the_menu_names_every_window_and_marks_the_current_one(
    opened: Callable[..., FilmView], qtbot: QtBot
) -> None:
    view = opened(ZERO, tables=True)
    view.choose_window("narrow")
    with qtbot.waitSignal(view.menu_asked) as asked:
        QTest.mouseClick(view, Qt.MouseButton.RightButton, pos=QPoint(300, 200))
    menu = show_window_menu(view, asked.args[0])
    assert menu is not None
    offered = [action for action in menu.actions() if action.isCheckable()]
    names = [action.text().split("  ", 1)[1] for action in offered]
    assert names == ["Bone && more (table)", "wide", "narrow", "automatic"]
    assert [action.isChecked() for action in offered] == [False, False, True, False]
    QTest.keyClick(menu, Qt.Key.Key_1)
    assert view.film_window is not None
    assert view.film_window.voi.name == "Bone & more"
    assert not isinstance(QApplication.activePopupWidget(), QMenu)


def test_a_right_drag_asks_for_no_menu(opened: Callable[..., FilmView], qtbot: QtBot) -> None:
    view = opened(ZERO)
    with qtbot.assertNotEmitted(view.menu_asked):
        drag(view, QPoint(300, 200), QPoint(340, 200), Qt.MouseButton.RightButton)


# Lines across a marker, and parts


def test_a_line_tool_tells_when_its_line_is_set(opened: Callable[..., FilmView]) -> None:
    view = opened(ZERO)
    told: list[Line] = []
    tool = LineTool(view, told.append)
    view.use_tool(tool)
    QTest.mousePress(view, LEFT, pos=on(view, 40, 40))
    QTest.mouseMove(view, on(view, 90, 40))
    assert (told, tool.under_way) == ([], True)
    QTest.mouseRelease(view, LEFT, pos=on(view, 90, 40))
    assert [line.length for line in told] == [pytest.approx(50, abs=2)]
    assert not tool.under_way


def test_parts_are_drawn_chosen_and_removed(opened: Callable[..., FilmView]) -> None:
    view = opened(ZERO)
    before = Box(300, 200, 50, 40)
    changes: list[int] = []
    tool = PartsTool(view, (before,), lambda: changes.append(len(tool.parts)))
    view.use_tool(tool)
    assert not tool.pending
    drag(view, on(view, 120, 90), on(view, 60, 30))  # from the lower right corner
    assert tool.pending
    first, drawn = tool.parts
    assert first == before
    assert (drawn.x, drawn.y, drawn.right, drawn.bottom) == pytest.approx((60, 30, 120, 90), abs=2)
    assert drawn == Box(*(float(round(edge)) for edge in (drawn.x, drawn.y, drawn.width, drawn.height)))
    QTest.mouseClick(view, LEFT, pos=on(view, 320, 220))
    assert tool.chosen == 0
    tool.remove(0)
    assert tool.parts == (drawn,)
    tool.abandon()
    assert tool.parts == (before,)
    assert changes == [2, 2, 1]


def test_a_slip_of_the_hand_makes_no_part_and_a_part_ends_at_the_films_edge(
    opened: Callable[..., FilmView],
) -> None:
    view = opened(ZERO)
    view.zoom(4)
    tool = PartsTool(view, (), lambda: None)
    view.use_tool(tool)
    middle = QPoint(400, 300)
    drag(view, middle, middle + QPoint(60, 1))
    assert not tool.pending
    view.fit_film()
    view.zoom(0.5)
    drag(view, on(view, 350, 250), on(view, 350, 250) + QPoint(400, 300))
    (box,) = tool.parts
    assert (box.right, box.bottom) == (COLUMNS, ROWS)
