"""A view of a film as a file: what is seen is in it, who was imaged and when is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from reader_app.imaging.geometry import Box
from reader_app.imaging.overlay_planes import Overlay
from reader_app.imaging.pyramid import Pyramid
from reader_app.imaging.radiograph import Radiograph, RadiographHeader
from reader_app.imaging.spacing import SpacingKind, checked_spacing
from reader_app.operations import read
from reader_app.operations.study import Study
from reader_app.store.records import Actor
from reader_app.ui.adjudication.page import AdjudicationPage
from reader_app.ui.film.export import free_name, picture_of, safe_name
from reader_app.ui.film.labels import FilmLabels
from reader_app.ui.film.marks import JointMark
from reader_app.ui.film.view import FilmView
from reader_app.ui.reading.desk import StudyDesk
from reader_app.ui.reading.page import ReadingPage
from reader_app.ui.theme import Colour

Enter = Callable[[Study, str], Actor]
ROWS, COLUMNS = 300, 400


def film(*, burned_in: bool | None = None) -> Pyramid:
    mask = np.zeros((ROWS, COLUMNS), dtype=np.bool_)
    mask[100:120, 40:200] = True
    header = RadiographHeader(
        Path("film.dcm"),
        "DICOM",
        ROWS,
        COLUMNS,
        8,
        spacing=checked_spacing(0.5, 0.4, kind=SpacingKind.CALIBRATED, reason="A marker"),
        burned_in=burned_in,
    )
    pixels = np.full((ROWS, COLUMNS), 90, dtype=np.uint8)
    pixels[:, ::7] = 200
    return Pyramid(Radiograph(header, pixels, overlays=(Overlay("Name of a patient", mask),)))


@pytest.fixture
def view(qtbot: QtBot) -> FilmView:
    made = FilmView()
    qtbot.addWidget(made)
    made.resize(801, 603)  # no multiple of four: lines of an image are padded
    made.show()
    made.show_film(film())
    return made


def as_image(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> QImage:
    rows, columns, _ = pixels.shape
    return QImage(pixels.tobytes(), columns, rows, columns * 3, QImage.Format.Format_RGB888).copy()


def test_what_lies_on_the_film_is_in_the_picture(view: FilmView) -> None:
    view.show_marks((JointMark(1, Box(220, 40, 100, 120), "Right", current=True),))
    view.measure(True)
    start, end = view.viewport.to_widget(60, 250).toPoint(), view.viewport.to_widget(200, 250).toPoint()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(view, end)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=end)
    seen, picture = view.grab().toImage(), picture_of(view)
    assert picture is not None
    assert picture.pixels.shape == (603, 801, 3)
    exported = as_image(picture.pixels)
    on_film = view.viewport.rect(Box(30, 30, COLUMNS - 60, ROWS - 60)).toRect()
    for x in range(on_film.left(), on_film.right(), 3):
        for y in range(on_film.top(), on_film.bottom(), 5):
            assert exported.pixelColor(x, y) == seen.pixelColor(x, y), (x, y)
    ruler = exported.pixelColor((start + end) / 2)
    assert ruler.hsvHue() == pytest.approx(Colour.MEASURE.qcolor.hsvHue(), abs=8)


def test_neither_the_visit_nor_overlays_nor_the_words_of_the_file_are_in_it(view: FilmView) -> None:
    plain = picture_of(view)
    view.show_labels(FilmLabels(title="Visit of 2019-04-16"))
    view.show_overlay(True)
    labelled = picture_of(view)
    assert plain is not None
    assert labelled is not None
    assert np.array_equal(plain.pixels, labelled.pixels)
    assert plain.notes == ()
    assert "overlays can carry names" in labelled.notes[0]
    colour = QColor(Colour.BACKDROP.value)
    backdrop = np.array([colour.red(), colour.green(), colour.blue()], dtype=np.uint8)
    shown = view.viewport.rect(Box(0, 0, COLUMNS, ROWS)).toAlignedRect()
    beside = plain.pixels.copy()
    beside[max(shown.top() - 1, 0) : shown.bottom() + 2, max(shown.left() - 1, 0) : shown.right() + 2] = (
        backdrop
    )
    assert (beside == backdrop).all()


def test_letters_of_the_sides_and_the_word_phantom_stay(view: FilmView) -> None:
    plain = picture_of(view)
    view.show_labels(FilmLabels(lone="L", phantom=True))
    marked = picture_of(view)
    assert plain is not None
    assert marked is not None
    assert not plain.phantom
    assert marked.phantom
    corner = (slice(0, 80), slice(0, 200))
    assert not np.array_equal(plain.pixels[corner], marked.pixels[corner])


def test_millimetres_follow_the_zoom(view: FilmView) -> None:
    for factor in (1.0, 2.0):
        view.zoom(factor)
        picture = picture_of(view)
        assert picture is not None
        scale = view.viewport.scale * view.devicePixelRatioF()
        assert picture.mm_per_pixel == pytest.approx((0.5 / scale, 0.4 / scale))


def test_text_that_the_file_says_is_burned_in_is_told(view: FilmView) -> None:
    view.show_film(film(burned_in=True))
    picture = picture_of(view)
    assert picture is not None
    assert "burned into" in picture.notes[0]


def test_a_proposed_name_keeps_letters_digits_and_dashes_only() -> None:
    assert safe_name("Case 0012 view") == "case-0012-view"
    assert safe_name("../é/..") == "view"


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    assert free_name(tmp_path, "case-0001-view") == "case-0001-view.png"
    (tmp_path / "case-0001-view.dcm").touch()
    (tmp_path / "case-0001-view-2.png").touch()
    assert free_name(tmp_path, "case-0001-view") == "case-0001-view-3.png"


# On the reading screen


@pytest.fixture
def page(qtbot: QtBot, study: Study, enter: Enter) -> Iterator[ReadingPage]:
    anna = enter(study, "Anna")
    page = ReadingPage(StudyDesk(study, anna), settle_milliseconds=0)
    qtbot.addWidget(page)
    page.resize(1280, 720)
    page.show()
    page.start(read.worklist(study, anna)[0].assignment_id)
    qtbot.waitUntil(lambda: page.ready)
    yield page
    page.release()


def export(qtbot: QtBot, page: ReadingPage, target: Path) -> QFileDialog:
    QTest.keyClick(page, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    (dialog,) = page.findChildren(QFileDialog)
    proposed = Path(dialog.selectedFiles()[0]).name
    assert proposed == "case-0001-view.png"
    dialog.fileSelected.emit(str(target))
    dialog.reject()
    return dialog


def test_a_key_writes_the_view_as_a_png(qtbot: QtBot, page: ReadingPage, tmp_path: Path) -> None:
    view = page.films.current()
    assert view is not None
    export(qtbot, page, tmp_path / "seen.png")
    qtbot.waitUntil(lambda: "written to" in page.message.text, timeout=20_000)
    assert str(tmp_path / "seen.png") in page.message.text
    picture = picture_of(view)
    assert picture is not None
    with Image.open(tmp_path / "seen.png") as image:
        assert np.array_equal(np.asarray(image.convert("RGB")), picture.pixels)


def test_a_dicom_secondary_capture_names_nobody(qtbot: QtBot, page: ReadingPage, tmp_path: Path) -> None:
    export(qtbot, page, tmp_path / "seen.dcm")
    qtbot.waitUntil(lambda: "written to" in page.message.text, timeout=20_000)
    dataset = pydicom.dcmread(tmp_path / "seen.dcm")
    view = page.films.current()
    assert view is not None
    assert (dataset.Rows, dataset.Columns) == (view.height(), view.width())
    text = dataset.to_json()
    for forbidden in ("person-", "film-", ".png", "Anna", "Carla"):
        assert forbidden not in text


def test_a_place_that_cannot_be_written_is_told(qtbot: QtBot, page: ReadingPage, tmp_path: Path) -> None:
    export(qtbot, page, tmp_path / "nowhere" / "seen.png")
    qtbot.waitUntil(lambda: page.message.text != "", timeout=20_000)
    assert "nowhere" in page.message.text
    assert not (tmp_path / "nowhere").exists()


def test_measuring_never_takes_a_grade_key_and_esc_puts_the_ruler_away_first(
    qtbot: QtBot, page: ReadingPage, study: Study, enter: Enter
) -> None:
    view = page.films.current()
    assert view is not None
    QTest.keyClick(page, Qt.Key.Key_M)
    assert view.measuring
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(300, 300))
    QTest.mouseMove(view, QPoint(400, 320))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(400, 320))
    QTest.keyClick(page, Qt.Key.Key_2)
    case = read.open_case(
        study, enter(study, "Anna"), read.worklist(study, enter(study, "Anna"))[0].assignment_id
    )
    assert [case.session.grade(key) for key in case.session.keys] == [2]
    assert view.ruler is not None
    with qtbot.assertNotEmitted(page.left):
        QTest.keyClick(page, Qt.Key.Key_Escape)
    assert not view.measuring
    assert not page.commands["measure"].isChecked()
    with qtbot.waitSignal(page.left):
        QTest.keyClick(page, Qt.Key.Key_Escape)


def test_the_key_for_overlays_tells_that_a_film_has_none(page: ReadingPage) -> None:
    QTest.keyClick(page, Qt.Key.Key_O)
    assert page.message.text == "This film has no overlay, or none that was checked for names."
    assert not page.commands["overlay-show"].isChecked()


def test_reset_clears_inversion_window_and_ruler(page: ReadingPage) -> None:
    view = page.films.current()
    assert view is not None
    first = view.film_window
    for key in (Qt.Key.Key_I, Qt.Key.Key_W, Qt.Key.Key_M):
        QTest.keyClick(page, key)
    assert view.film_window != first
    QTest.keyClick(page, Qt.Key.Key_R)
    assert view.film_window == first
    assert [page.commands[name].isChecked() for name in ("invert", "measure")] == [False, False]


def test_an_adjudicator_measures_and_exports_under_the_number_of_the_case(
    qtbot: QtBot, read_study: Study, enter: Enter, tmp_path: Path
) -> None:
    page = AdjudicationPage(read_study, enter(read_study, "Zoe"), settle_milliseconds=0)
    qtbot.addWidget(page, before_close_func=lambda page: page.leave())
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    qtbot.waitUntil(lambda: bool(page.model.disagreements) and page.ready, timeout=20_000)
    view = page.films.current()
    assert view is not None
    QTest.keyClick(page.table, Qt.Key.Key_M)
    assert view.measuring
    QTest.keyClick(page.table, Qt.Key.Key_Escape)
    assert not view.measuring
    QTest.keyClick(page.table, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    (dialog,) = page.findChildren(QFileDialog)
    assert Path(dialog.selectedFiles()[0]).name.startswith("case-000")
    with qtbot.waitSignal(page.said, timeout=20_000) as told:
        dialog.fileSelected.emit(str(tmp_path / "seen.png"))
        dialog.reject()
    assert str(tmp_path / "seen.png") in told.args[0]
    assert (tmp_path / "seen.png").is_file()
