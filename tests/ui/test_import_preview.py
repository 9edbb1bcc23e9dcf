"""The films that are about to be imported: seen, corrected by key, offered again, imported or forgotten."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from reader_app.operations.plan_import import correct_planned, plan_import, planned_by_id, planned_films
from reader_app.operations.status import status
from reader_app.operations.study import Study
from reader_app.store.records import Actor
from reader_app.ui.coordinator.import_section import ImportSection
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.plan_model import PlanModel

Enter = Callable[[Study, str], Actor]
Key = Qt.Key
COMPLETE, NO_SIDE, NO_VIEW = 5, 4, 1


def write_film(path: Path, number: int, *, side: str = "R", view: str = "PA") -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(number)])
    dataset = pydicom.Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.PatientID, dataset.StudyDate = "CR", f"HOSPITAL-{number}", "20200301"
    dataset.BodyPartExamined, dataset.ViewPosition, dataset.Laterality = "KNEE", view, side
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 120, 90, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    pixels = np.random.default_rng(number).integers(0, 4096, (120, 90)).astype("<u2")
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(path, enforce_file_format=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten films: four without a side, one without a view."""
    folder = tmp_path / "hospital"
    folder.mkdir()
    for number in range(COMPLETE + NO_SIDE + NO_VIEW):
        side = "" if COMPLETE <= number < COMPLETE + NO_SIDE else "R"
        view = "" if number == COMPLETE + NO_SIDE else "PA"
        write_film(folder / f"{number}.dcm", number, side=side, view=view)
    return folder


class Desk:
    """The section in a window of its own, with what it said."""

    def __init__(self, qtbot: QtBot, study: Study, actor: Actor, *, writes: bool = True) -> None:
        self.qtbot = qtbot
        self.study, self.actor = study, actor
        self.jobs = JobsPanel()
        self.section = ImportSection(study, actor, jobs=self.jobs, writes=writes)
        qtbot.addWidget(self.section, before_close_func=lambda section: section.leave())
        qtbot.addWidget(self.jobs)
        self.said: list[str] = []
        self.section.said.connect(lambda what, _next: self.said.append(what))
        self.section.resize(1200, 700)
        self.come_back()

    def come_back(self) -> None:
        with self.qtbot.waitActive(self.section):
            self.section.show()
            self.section.activateWindow()

    def look(self, folder: Path) -> None:
        self.section.folder.setText(str(folder))
        self.section.run()
        self.settle()
        self.qtbot.waitUntil(lambda: self.section.preview.model.rowCount() > 0)
        self.come_back()
        self.section.preview.table.setFocus()

    def settle(self) -> None:
        self.qtbot.waitUntil(lambda: not self.jobs.titles and not self.section._busy, timeout=30_000)

    def press(self, key: Qt.Key) -> None:
        QTest.keyClick(self.section.preview.table, key)

    def mark(self, *rows: int) -> None:
        table = self.section.preview.table
        table.clearSelection()
        for row in rows:
            table.selectionModel().setCurrentIndex(
                table.model().index(row, 0),
                QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows,
            )

    def stored(self) -> dict[str, tuple[str, str, bool]]:
        """Side, view and whether it is left out of every film that waits, by file."""
        films = planned_films(self.study, self.actor)
        return {film.path.stem: (film.side, film.view, film.left_out) for film in films}

    def shown(self, column: int) -> list[str]:
        model = self.section.preview.model
        return [str(model.index(row, column).data()) for row in range(model.rowCount())]


@pytest.fixture
def desk(qtbot: QtBot, study: Study, enter: Enter) -> Iterator[Desk]:
    desk = Desk(qtbot, study, enter(study, "Carla"))
    yield desk
    desk.settle()


def test_what_is_incomplete_comes_first_and_no_identifier_is_in_sight(desk: Desk, folder: Path) -> None:
    desk.look(folder)
    assert desk.shown(0) == [f"{number}.dcm" for number in range(5, 10)]
    assert desk.shown(5)[:4] == ["?"] * 4
    assert desk.shown(4)[4] == "?"
    assert "10 films to be imported" in desk.section.preview.words.text()
    assert not any("HOSPITAL" in cell for column in range(7) for cell in desk.shown(column))
    desk.press(Key.Key_O)
    desk.qtbot.waitUntil(lambda: desk.section.preview.model.rowCount() == 10)


def test_the_marked_film_is_seen_beside_the_table(desk: Desk, folder: Path) -> None:
    desk.look(folder)
    view = desk.section.preview.picture.view
    desk.qtbot.waitUntil(lambda: view.radiograph is not None, timeout=20_000)
    expected = np.random.default_rng(5).integers(0, 4096, (120, 90))
    assert view.radiograph is not None
    assert np.array_equal(view.radiograph.pixels, expected)
    desk.mark(1)
    desk.qtbot.waitUntil(
        lambda: view.radiograph is not None and view.radiograph.header.path.stem == "6", timeout=20_000
    )


def test_a_file_that_went_away_is_said_in_place_of_its_picture(desk: Desk, folder: Path) -> None:
    desk.look(folder)
    view = desk.section.preview.picture.view
    desk.qtbot.waitUntil(lambda: view.radiograph is not None, timeout=20_000)
    (folder / "9.dcm").unlink()
    desk.mark(4)
    desk.qtbot.waitUntil(lambda: "9.dcm" in view.sentence, timeout=20_000)
    assert view.radiograph is None


def test_a_side_by_key_is_stored_and_the_mark_goes_on(desk: Desk, folder: Path) -> None:
    desk.look(folder)
    desk.press(Key.Key_L)
    desk.qtbot.waitUntil(lambda: desk.section.preview.table.currentIndex().row() == 1)
    desk.press(Key.Key_B)
    desk.qtbot.waitUntil(lambda: desk.section.preview.table.currentIndex().row() == 2)
    assert desk.stored()["5"] == ("L", "PA", False)
    assert desk.stored()["6"] == ("B", "PA", False)
    assert desk.shown(5) == ["left", "both", "?", "?", "right"], "what was set stays in sight"
    assert desk.section.preview.counts is not None
    assert desk.section.preview.counts.incomplete == 3


def test_several_films_are_corrected_at_once_and_stay_marked(desk: Desk, folder: Path) -> None:
    desk.look(folder)
    desk.mark(0, 2, 3)
    desk.press(Key.Key_R)
    desk.press(Key.Key_X)
    desk.qtbot.waitUntil(lambda: [out for _, _, out in desk.stored().values()].count(True) == 3)
    stored = desk.stored()
    assert [stored[name][0] for name in ("5", "6", "7", "8")] == ["R", "", "R", "R"], "both, in their order"
    assert desk.section.preview.table.marked_rows() == (0, 2, 3)
    desk.qtbot.waitUntil(lambda: desk.section.preview.take.text() == "Import 7 films")
    desk.press(Key.Key_X)
    desk.qtbot.waitUntil(lambda: not any(out for _, _, out in desk.stored().values()))


def test_view_and_visit_are_typed_and_enter_gives_the_keyboard_back(desk: Desk, folder: Path) -> None:
    desk.look(folder)
    desk.mark(4)
    desk.press(Key.Key_V)
    bar = desk.section.preview.bar
    assert bar is not None
    field = bar.view.lineEdit()
    assert field is not None
    desk.qtbot.waitUntil(field.hasFocus)
    QTest.keyClicks(field, "AP")  # letters that are keys elsewhere
    QTest.keyClick(field, Key.Key_Return)
    desk.qtbot.waitUntil(lambda: desk.stored()["9"] == ("R", "AP", False))
    assert desk.section.preview.table.hasFocus()
    desk.mark(4)
    desk.press(Key.Key_T)
    desk.qtbot.waitUntil(bar.visit.hasFocus)
    QTest.keyClicks(bar.visit, "Baseline")
    QTest.keyClick(bar.visit, Key.Key_Return)
    desk.qtbot.waitUntil(lambda: desk.shown(2)[4] == "Baseline")


def test_a_visit_that_cannot_be_is_refused_in_words(desk: Desk, folder: Path) -> None:
    desk.look(folder)
    desk.section.preview.correct(visit="2020-03-01")  # the true day, in a study that shifts its dates
    desk.qtbot.waitUntil(lambda: bool(desk.section.preview.fault.text()))
    assert "2020-03-01" not in desk.shown(2)


def test_what_a_closed_session_left_is_offered_and_imported(
    qtbot: QtBot, study: Study, enter: Enter, folder: Path
) -> None:
    actor = enter(study, "Carla")
    plan_import(study, actor, folder)
    desk = Desk(qtbot, study, actor)
    desk.section.show_counts(status(study, actor))
    qtbot.waitUntil(lambda: desk.section.planning)
    assert "Looked at earlier and not imported yet: 10 films" in desk.section.preview.words.text()
    desk.section.import_films()
    desk.settle()
    assert desk.said == ["10 radiographs added."]
    assert not desk.section.planning
    assert status(study, actor).radiographs == 16


def test_forgotten_films_wait_no_longer_and_nothing_is_imported(desk: Desk, folder: Path) -> None:
    desk.look(folder)
    QTest.keyClick(desk.section.preview.table, Key.Key_Delete, Qt.KeyboardModifier.ShiftModifier)
    desk.qtbot.waitUntil(lambda: not desk.section.planning)
    assert planned_films(desk.study, desk.actor) == ()
    assert "10 films forgotten" in desk.section.result.text()
    assert status(desk.study, desk.actor).radiographs == 6


def test_the_saved_table_has_every_film_and_its_corrections(desk: Desk, folder: Path, tmp_path: Path) -> None:
    desk.look(folder)
    desk.mark(0, 1, 2, 3)
    desk.press(Key.Key_L)
    desk.qtbot.waitUntil(lambda: desk.stored()["8"][0] == "L")
    desk.section.preview.save_table(tmp_path / "table.csv")
    desk.qtbot.waitUntil(lambda: bool(desk.said))
    with (tmp_path / "table.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["side"] for row in rows] == ["R"] * 5 + ["L"] * 4 + ["R"]


def test_a_long_list_is_read_page_by_page_and_nobody_is_skipped_or_listed_twice(
    study: Study, enter: Enter, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reader_app.ui.paged_model.PAGE", 2)
    actor = enter(study, "Carla")
    plan_import(study, actor, folder)
    asked: list[int] = []

    def read(place: int) -> None:
        asked.append(place)
        model.add_page(planned_films(study, actor, offset=place, limit=2, incomplete_only=True))

    model = PlanModel()
    model.page_wanted.connect(read)
    model.start(open_only=True)
    assert model.rowCount() == 2, "no more than a page at first"
    first = model.row(0)
    assert first is not None
    # It is complete by the time that the second page is read, and so has left the list in the study.
    correct_planned(study, actor, [first.id], side="R")
    model.put(*planned_by_id(study, actor, [first.id]))
    while model.canFetchMore():
        model.fetchMore()
    assert asked == [0, 1, 3]
    assert [model.index(row, 0).data() for row in range(5)] == [f"{number}.dcm" for number in range(5, 10)]


def test_an_auditor_sees_what_waits_and_can_change_nothing(
    qtbot: QtBot, study: Study, enter: Enter, folder: Path
) -> None:
    plan_import(study, enter(study, "Carla"), folder)
    otto = enter(study, "Otto")
    desk = Desk(qtbot, study, otto, writes=False)
    desk.section.show_counts(status(study, otto))
    qtbot.waitUntil(lambda: desk.section.preview.model.rowCount() == 5)
    desk.section.preview.table.setFocus()
    desk.press(Key.Key_L)
    desk.section.import_films()
    desk.section.forget()
    assert not desk.jobs.titles
    assert not desk.section.preview.take.isVisibleTo(desk.section)
    assert desk.section.preview.bar is None
    assert all(side != "L" for side, _, _ in desk.stored().values())


def test_nothing_new_is_said_when_a_folder_is_looked_at_again(desk: Desk, folder: Path) -> None:
    desk.look(folder)
    desk.section.import_films()
    desk.settle()
    desk.section.run()
    desk.settle()
    assert desk.section.result.text().startswith("Nothing new to import. 10 files of this folder")
