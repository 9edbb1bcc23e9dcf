"""One film on the screen: zoom, pan, grays, boxes, letters. Real mouse events on a real widget."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, QSizeF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from reader_app.imaging.display import to_display
from reader_app.imaging.geometry import Box
from reader_app.imaging.pyramid import Pyramid
from reader_app.imaging.radiograph import Radiograph, RadiographHeader
from reader_app.imaging.voi import VoiFunction, Window
from reader_app.reading.case import JointSide
from reader_app.reading.pregrade import Heatmap
from reader_app.ui.film import marks as overlays
from reader_app.ui.film.heat import HeatLayer, crop_to_film, smooth_enlarged
from reader_app.ui.film.heat_colours import heat_colours, signed_colours
from reader_app.ui.film.marks import Grip, JointMark
from reader_app.ui.film.row import FilmRow
from reader_app.ui.film.view import FilmView
from reader_app.ui.film.viewport import Viewport
from reader_app.ui.film.words import edge_letters, lone_letter

finite = st.floats(-2000, 2000)
scales = st.floats(0.05, 30)


def film(rows: int = 100, columns: int = 160, *, inverse: bool = False) -> Pyramid:
    ramp = np.tile(np.linspace(0, 4000, columns).astype(np.uint16), (rows, 1))
    windows = (Window(2000, 4000, VoiFunction.LINEAR_EXACT, "wide"), Window(1000, 400, name="narrow"))
    header = RadiographHeader("film.dcm", "DICOM", rows, columns, 12)  # type: ignore[arg-type]
    return Pyramid(Radiograph(header, ramp, windows=windows, inverse_polarity=inverse))


@pytest.fixture
def view(qtbot: QtBot) -> FilmView:
    made = FilmView()
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show()
    made.show_film(film())
    return made


def test_a_film_opens_whole_and_stays_whole_when_the_window_grows(view: FilmView) -> None:
    for width, height in ((800, 600), (1200, 500)):
        view.resize(width, height)
        QApplication.processEvents()
        shown = view.viewport.rect(Box(0, 0, 160, 100))
        assert view.rect().contains(shown.toRect())
        assert max(shown.width() / width, shown.height() / height) > 0.9


def test_the_grays_on_the_screen_are_those_of_the_display_pipeline(view: FilmView) -> None:
    radiograph = view.radiograph
    assert radiograph is not None
    expected = to_display(radiograph)
    image = view.grab().toImage()
    for column in (20, 80, 140):
        point = view.viewport.to_widget(column + 0.5, 20.5)
        seen = QColor(image.pixel(int(point.x()), int(point.y()))).red()
        assert seen == pytest.approx(int(expected[20, column]), abs=2)


@given(scale=scales, x=finite, y=finite, px=finite, py=finite, factor=st.floats(0.1, 10))
def test_zoom_keeps_what_lies_under_the_cursor(
    scale: float, x: float, y: float, px: float, py: float, factor: float
) -> None:
    before = Viewport(scale, x, y)
    after = before.zoomed(factor, QPointF(px, py), smallest=0.01)
    assert after.to_film(QPointF(px, py)) == pytest.approx(before.to_film(QPointF(px, py)), abs=1e-6)


@given(scale=scales, x=finite, y=finite, px=finite, py=finite)
def test_film_and_widget_are_inverse(scale: float, x: float, y: float, px: float, py: float) -> None:
    viewport = Viewport(scale, x, y)
    assert viewport.to_film(viewport.to_widget(px, py)) == pytest.approx((px, py), abs=1e-6)


@given(x=st.floats(-1e5, 1e5), y=st.floats(-1e5, 1e5), scale=scales)
def test_a_film_is_never_pushed_out_of_sight(x: float, y: float, scale: float) -> None:
    size = QSizeF(800, 600)
    kept = Viewport(scale, x, y).kept_in(100, 160, size)
    assert kept.visible(100, 160, size).area > 0


def test_the_wheel_zooms_about_the_cursor(view: FilmView) -> None:
    at = QPointF(200, 300)
    under = view.viewport.to_film(at)
    event = QWheelEvent(
        at,
        view.mapToGlobal(at),
        QPoint(0, 0),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    before = view.viewport.scale
    QApplication.sendEvent(view, event)
    assert view.viewport.scale > before
    assert view.viewport.to_film(at) == pytest.approx(under, abs=1e-6)


def drag(view: FilmView, start: QPoint, end: QPoint, button: Qt.MouseButton) -> None:
    QTest.mousePress(view, button, pos=start)
    QTest.mouseMove(view, (start + end) / 2)
    QTest.mouseMove(view, end)
    QTest.mouseRelease(view, button, pos=end)


@pytest.mark.parametrize("button", [Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton])
def test_a_drag_moves_the_film(view: FilmView, button: Qt.MouseButton) -> None:
    before = view.viewport
    drag(view, QPoint(400, 300), QPoint(440, 320), button)
    assert (view.viewport.x - before.x, view.viewport.y - before.y) == (40, 20)
    assert view.viewport.scale == before.scale


@pytest.mark.parametrize("inverse", [False, True])
def test_a_right_drag_upwards_is_brighter_whatever_the_polarity(view: FilmView, inverse: bool) -> None:
    view.show_film(film(inverse=inverse))
    radiograph = view.radiograph
    assert radiograph is not None
    before = to_display(radiograph).mean()
    drag(view, QPoint(400, 300), QPoint(400, 240), Qt.MouseButton.RightButton)
    assert view.film_window is not None
    assert to_display(radiograph, window=view.film_window.voi).mean() > before + 5


def test_windows_go_round_and_reset_brings_the_first_back(view: FilmView) -> None:
    names = []
    for _ in range(4):
        assert view.film_window is not None
        names.append(view.film_window.voi.name)
        view.next_window()
    assert names == ["wide", "narrow", "automatic", "wide"]
    view.invert(True)
    view.zoom(3)
    view.reset()
    assert view.film_window is not None
    assert (view.film_window.voi.name, view.film_window.inverted) == ("wide", False)
    assert view.viewport.fitted


def marks(*, current: bool = True) -> tuple[JointMark, ...]:
    return (JointMark(1, Box(20, 20, 50, 60), "Right", current), JointMark(2, Box(90, 20, 50, 60), "Left"))


def test_a_drag_of_an_edge_resizes_the_box_and_stays_on_the_film(view: FilmView, qtbot: QtBot) -> None:
    view.show_marks(marks())
    rect = view.viewport.rect(Box(90, 20, 50, 60))
    right = QPoint(round(rect.right()), round(rect.center().y()))
    with qtbot.waitSignal(view.box_moved) as caught:
        drag(view, right, right + QPoint(300, 0), Qt.MouseButton.LeftButton)
    joint_id, box = caught.args
    assert joint_id == 2
    assert (box.x, box.y, box.right, box.bottom) == pytest.approx((90, 20, 160, 80))


def test_a_drag_of_the_label_moves_the_box_whole(view: FilmView, qtbot: QtBot) -> None:
    view.show_marks(marks())
    tab = overlays.label_tab(view.marks[0], view.viewport, view.font()).center().toPoint()
    with qtbot.waitSignal(view.box_moved) as caught:
        drag(view, tab, tab + QPoint(-500, 0), Qt.MouseButton.LeftButton)
    assert caught.args[1] == Box(0, 20, 50, 60)


def test_a_click_into_a_box_chooses_its_joint(view: FilmView, qtbot: QtBot) -> None:
    view.show_marks(marks())
    inside = view.viewport.rect(Box(90, 20, 50, 60)).center().toPoint()
    with qtbot.waitSignal(view.joint_chosen) as caught:
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=inside)
    assert caught.args == [2]


@given(grip=st.sampled_from(list(Grip)), dx=st.floats(-500, 500), dy=st.floats(-500, 500))
def test_a_dragged_box_is_never_turned_inside_out(grip: Grip, dx: float, dy: float) -> None:
    box = overlays.dragged(Box(50, 50, 40, 40), grip, dx, dy)
    assert box.width >= overlays.SMALLEST_BOX
    assert box.height >= overlays.SMALLEST_BOX
    kept = overlays.kept_on_film(box, 200, 200, grip)
    assert min(kept.x, kept.y) >= 0
    assert max(kept.right, kept.bottom) <= 200


def test_a_sentence_stands_in_place_of_a_film(view: FilmView) -> None:
    view.show_heat(HeatLayer.of(heatmap()), opacity=0.5)
    view.show_sentence("The file is gone.", fault=True)
    assert view.radiograph is None
    assert not view.heatmap_shown
    view.grab()


def heatmap() -> Heatmap:
    values = np.zeros((4, 4), np.float32)
    values[1, 2] = 1.0
    return Heatmap(values, np.array([[10.0, 0.0, 14.5], [0.0, 10.0, 4.5]]))


def test_a_heatmap_lies_where_its_affine_says() -> None:
    # Pixel (column 2, row 1) of the map has its centre at film (34.5, 14.5) counted from pixel centres,
    # which is (35, 15) counted from the film's corner.
    centre = crop_to_film(heatmap()).map(QPointF(2.5, 1.5))
    assert (centre.x(), centre.y()) == pytest.approx((35.0, 15.0))


def test_a_heatmap_is_drawn_where_the_head_looked_and_nowhere_else(view: FilmView) -> None:
    plain = view.grab().toImage()
    view.show_heat(HeatLayer.of(heatmap()), opacity=0.8)
    hot = view.grab().toImage()
    at = view.viewport.to_widget(35, 15).toPoint()
    away = view.viewport.to_widget(120, 80).toPoint()
    assert QColor(hot.pixel(at)).saturation() > 60
    assert hot.pixel(away) == plain.pixel(away)


TURN = np.deg2rad(30.0)


def turned_heatmap(values: np.ndarray, *, signed: bool = False) -> Heatmap:
    """A map of 4 x 4 cells, 12 film pixels each, turned by 30 degrees and mirrored about film (80, 50)."""
    across, down = 12 * np.array([-np.cos(TURN), -np.sin(TURN)]), 12 * np.array([-np.sin(TURN), np.cos(TURN)])
    middle = np.array([79.5, 49.5]) - 1.5 * across - 1.5 * down
    return Heatmap(values.astype(np.float32), np.column_stack([across, down, middle]), signed=signed)


@given(row=st.integers(0, 3), column=st.integers(0, 3))
def test_a_turned_heatmap_lies_cell_by_cell_where_its_affine_says(row: int, column: int) -> None:
    turned = turned_heatmap(np.zeros((4, 4)))
    wanted = turned.to_film @ [column, row, 1.0] + 0.5
    found = crop_to_film(turned).map(QPointF(column + 0.5, row + 0.5))
    assert (found.x(), found.y()) == pytest.approx(tuple(wanted))


def test_a_turned_heatmap_is_drawn_turned_with_its_outline(view: FilmView) -> None:
    plain = view.grab().toImage()
    values = np.zeros((4, 4))
    values[0, 0] = 1.0
    layer = HeatLayer.of(turned_heatmap(values))
    view.show_heat(layer, opacity=1.0)
    hot = view.grab().toImage()
    warm = [
        (x, y)
        for x in range(hot.width())
        for y in range(hot.height())
        if QColor(hot.pixel(x, y)).red() - QColor(plain.pixel(x, y)).red() > 60
        and QColor(hot.pixel(x, y)).hue() not in range(290, 340)
    ]
    centre = view.viewport.to_widget(*(turned_heatmap(values).to_film @ [0.0, 0.0, 1.0] + 0.5))
    drawn = np.mean(warm, axis=0)
    cell = 12 * view.viewport.scale
    assert np.hypot(drawn[0] - centre.x(), drawn[1] - centre.y()) < cell / 2, "where its cell lies"
    corners = [(point.x(), point.y()) for point in layer.outline.toList()]
    sides = [np.subtract(b, a) for a, b in pairwise(corners)]
    assert [float(np.hypot(*side)) for side in sides] == pytest.approx([48.0] * 4), "a square of four cells"
    assert abs(np.degrees(np.arctan2(sides[0][1], sides[0][0]))) == pytest.approx(150.0), "turned"


def test_a_signed_map_tells_for_from_against_by_colours_that_everybody_tells_apart(view: FilmView) -> None:
    values = np.zeros((4, 4))
    values[1, 0], values[1, 3] = 1.0, -1.0
    layer = HeatLayer.of(turned_heatmap(values, signed=True), side=4)
    image = layer.image
    for_it, against = QColor(image.pixelColor(0, 1)), QColor(image.pixelColor(3, 1))
    assert for_it.red() > for_it.blue() + 80, "red raises"
    assert against.blue() > against.red() + 80, "blue lowers"
    assert image.pixelColor(1, 1).alpha() == 0, "what is neither stays pure film"
    colours = signed_colours().astype(float)
    # Without red-green vision the difference between blue and yellow is what is left.
    yellow_blue = colours[:, :2].mean(axis=1) - colours[:, 2]
    assert yellow_blue[-1] - yellow_blue[0] > 120
    luma = colours @ [0.2126, 0.7152, 0.0722]
    assert luma[0] == pytest.approx(luma[-1], abs=25), "equally strong either way"


def test_the_colours_of_heat_rise_in_lightness() -> None:
    luma = heat_colours().astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luma) > -1.0).all()
    assert luma[-1] > luma[0] + 120


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 9))
def test_enlarging_a_map_keeps_its_range_and_size(rows: int, columns: int, factor: int) -> None:
    values = np.random.default_rng(1).random((rows, columns), dtype=np.float32)
    larger = smooth_enlarged(values, factor)
    assert larger.shape == (rows * factor, columns * factor)
    assert larger.min() >= values.min() - 1e-6
    assert larger.max() <= values.max() + 1e-6


def test_letters_follow_the_joints_on_the_film() -> None:
    right, left = Box(0, 0, 10, 10), Box(50, 0, 10, 10)
    assert edge_letters([(JointSide.RIGHT, right), (JointSide.LEFT, left)]) == ("R", "L")
    assert edge_letters([(JointSide.RIGHT, left), (JointSide.LEFT, right)]) == ("L", "R")
    assert edge_letters([(JointSide.RIGHT, right)]) == ("", "")
    assert lone_letter([(JointSide.LEFT, None)]) == "L"
    assert lone_letter([(JointSide.UNSTATED, None)]) == ""


def test_wide_films_stand_one_below_the_other_and_tall_ones_side_by_side(qtbot: QtBot) -> None:
    row = FilmRow()
    qtbot.addWidget(row)
    row.resize(1000, 700)
    row.show()
    row.show_films((1, 2))
    for rows, columns, below in ((100, 200, True), (200, 150, False)):
        for id_ in (1, 2):
            row.view(id_).show_film(film(rows, columns))
        QApplication.processEvents()
        assert (row.view(2).y() > 0) is below
