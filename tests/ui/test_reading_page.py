"""The reading screen by real keys upon a real study: what it stores, what it refuses, what it shows."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot
from safetensors.numpy import save_file

from reader_app.ai.bundle import (
    BundleHead,
    BundleSpec,
    Decision,
    Distance,
    DistanceMethod,
    EnsembleRule,
    Explainer,
    ExplainMethod,
    ExplainTarget,
    Localizer,
    Member,
    ProtocolRef,
    TrainingRecord,
    write_bundle,
)
from reader_app.ai.crop import Preprocessing
from reader_app.imaging.geometry import Box
from reader_app.operations import read
from reader_app.operations.accounts import add_account
from reader_app.operations.heatmaps import heatmap_file, write_heatmaps
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import NewStudy, Study, create_study, open_study
from reader_app.operations.study_config import ImagePolicy
from reader_app.protocols.model import Arm, Presentation
from reader_app.reading.case import GradeKey, JointSide
from reader_app.reading.pregrade import Heatmap, PreGrade, Provenance
from reader_app.reading.worklist import ReadingState
from reader_app.store.pregrades import pending_joints, save_pregrades
from reader_app.store.records import Actor, Role
from reader_app.ui.reading.desk import StudyDesk
from reader_app.ui.reading.page import ReadingPage

Key = Qt.Key
FILMS = 4
ROWS, COLUMNS = 200, 320
FIRST_JOINT = "1203120"
"""Keys for the seven items of one knee: an overall grade of five, then six of four."""


def make_study(root: Path, arm: Arm) -> Path:
    images = root / "films"
    images.mkdir(parents=True)
    generator = np.random.default_rng(3)
    lines = ["image,participant,side"]
    for number in range(FILMS):
        pixels = generator.integers(10, 245, size=(ROWS, COLUMNS), dtype=np.uint8)
        Image.fromarray(pixels).save(images / f"film-{number}.png")
        lines.append(f"film-{number}.png,person-{number},both")
    manifest = root / "manifest.csv"
    manifest.write_text("\n".join([*lines, ""]), encoding="utf-8")
    choices = NewStudy(
        protocol="knee-oarsi-kl",
        title="Four pairs of knees",
        coordinator="Carla",
        password="carla-coordinates",
        arm=arm,
        presentation=Presentation.SINGLE,
        seed=5,
        images=ImagePolicy.COPY,
    )
    with create_study(root / "study", choices) as study:
        carla = log_in(study, "Carla", "carla-coordinates")
        add_account(study, carla, name="Anna", password="anna-reads-films", role=Role.READER)
        add_account(study, carla, name="Ben", password="ben-reads-films", role=Role.READER)
        import_films(study, carla, images, manifest=manifest)
        if arm is Arm.AIDED:
            pregrade_all(study, carla)
    return root


def pregrade_all(study: Study, carla: Actor) -> None:
    """A bundle that verifies, and what it might have said: every item 1, of which it is nearly sure."""
    folder = study.folder / "bundles" / "knee-oarsi-kl"
    folder.mkdir(parents=True)
    for name in ("model", "statistics"):
        save_file({name: np.zeros(2, np.float32)}, str(folder / f"{name}.safetensors"))
    protocol = study.protocol
    heads = tuple(
        BundleHead(i.feature_id, i.site_id or "", protocol.item_scale(i).codes, 1.0, Decision.LIKELIEST)
        for i in protocol.items
    )
    bundle = write_bundle(
        folder,
        BundleSpec(
            format=1,
            id="knee-oarsi-kl",
            version="0.0.1",
            title="Says 1",
            licence="Apache-2.0",
            intended_use="tests only",
            protocols=(ProtocolRef(protocol.id, protocol.sha256),),
            heads=heads,
            members=(Member("none", "model.safetensors", ""),),
            ensemble=EnsembleRule.MEAN_PROBABILITY,
            mirror_test=False,
            localizer=Localizer.BILATERAL_SPLIT,
            preprocessing=Preprocessing(size=64),
            explainer=Explainer(ExplainMethod.GRAD_CAM, ExplainTarget.GRADE),
            distance=Distance(DistanceMethod.LOW_RANK_GAUSSIAN, "statistics.safetensors", "", 2.0),
            training=TrainingRecord("none", "nobody", "nowhere", "none", "none", {"train": 0}, {}, "tests"),
        ),
    )
    source = Provenance(
        "knee-oarsi-kl", "0.0.1", bundle.sha256, protocol.sha256, "tests", "ab" * 32, "2026-01-01T00:00:00Z"
    )
    for joint in pending_joints(study.database, carla, bundle.sha256):
        box = Box(10.0 if joint.side is JointSide.RIGHT else 170.0, 20.0, 140.0, 150.0)
        maps = {
            item: Heatmap(np.full((4, 4), 0.5, np.float32), np.array([[10.0, 0, 0], [0, 10.0, 0]]))
            for item in protocol.items
        }
        source = replace(source, pixel_sha256=joint.pixel_sha256)
        file = heatmap_file(joint.joint_id, bundle.sha256, joint.pixel_sha256)
        write_heatmaps(study.folder, file, maps)
        said = []
        for item in protocol.items:
            codes = protocol.item_scale(item).codes
            odds = {code: 0.94 if code == 1 else 0.06 / (len(codes) - 1) for code in codes}
            key = GradeKey(joint.joint_id, item)
            said.append(PreGrade(key, odds, 1, 0.5, False, box, source))
        save_pregrades(study.database, carla, said, heatmap_file=file, located_box=box)


@pytest.fixture(scope="session")
def aided_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("aided"), Arm.AIDED)


@pytest.fixture(scope="session")
def unaided_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("unaided"), Arm.UNAIDED)


class Evening:
    """A reader at the screen."""

    def __init__(self, root: Path, qtbot: QtBot) -> None:
        self.root = root
        self.qtbot = qtbot
        self.study = open_study(root / "study")
        self.anna = log_in(self.study, "Anna", "anna-reads-films")
        self.page = ReadingPage(StudyDesk(self.study, self.anna), settle_milliseconds=30)
        qtbot.addWidget(self.page)
        self.page.resize(1280, 720)
        self.page.show()
        self.page.start(self.assignments()[0])
        self.wait()

    def assignments(self) -> list[int]:
        return [entry.assignment_id for entry in read.worklist(self.study, self.anna)]

    def wait(self) -> None:
        self.qtbot.waitUntil(lambda: self.page.ready)

    def press(self, *keys: str | Qt.Key) -> None:
        for key in keys:
            if isinstance(key, str):
                QTest.keyClicks(self.page, key)
            else:
                QTest.keyClick(self.page, key)

    def stored(self, place: int = 0) -> dict[GradeKey, int]:
        """What another program would find in the database now."""
        case = read.open_case(self.study, self.anna, self.assignments()[place])
        return {key: code for key in case.session.keys if (code := case.session.grade(key)) is not None}

    def state(self, place: int = 0) -> ReadingState:
        return read.worklist(self.study, self.anna)[place].state

    def key(self, number: int) -> GradeKey:
        assert self.page.open_case is not None
        return self.page.open_case.session.keys[number]

    def close(self) -> None:
        self.page.release()
        self.page.close()
        self.study.close()


@pytest.fixture
def evening(aided_study: Path, tmp_path: Path, qtbot: QtBot) -> Iterator[Evening]:
    yield from _begin(aided_study, tmp_path, qtbot)


@pytest.fixture
def unaided_evening(unaided_study: Path, tmp_path: Path, qtbot: QtBot) -> Iterator[Evening]:
    yield from _begin(unaided_study, tmp_path, qtbot)


def _begin(root: Path, tmp_path: Path, qtbot: QtBot) -> Iterator[Evening]:
    shutil.copytree(root / "study", tmp_path / "mine" / "study")
    made = Evening(tmp_path / "mine", qtbot)
    yield made
    made.close()


def test_one_key_a_grade_stores_it_and_goes_on(evening: Evening) -> None:
    evening.press("1", "2")
    assert evening.stored() == {evening.key(0): 1, evening.key(1): 2}
    assert evening.page.current_key == evening.key(2)
    assert evening.page.panel.progress_text == "2 of 14 grades"


def test_a_grade_of_another_scale_is_told_and_not_given(evening: Evening) -> None:
    evening.press("1", "4")
    assert evening.stored() == {evening.key(0): 1}
    assert evening.page.current_key == evening.key(1)
    assert "4 is no grade" in evening.page.message.text
    assert "3 severe" in evening.page.message.text


def test_a_held_key_grades_one_item_only(evening: Evening) -> None:
    QTest.keyPress(evening.page, Key.Key_2)
    for _ in range(5):
        held = QKeyEvent(QEvent.Type.KeyPress, Key.Key_2, Qt.KeyboardModifier.NoModifier, "2", True, 1)
        QApplication.sendEvent(evening.page, held)
    QTest.keyRelease(evening.page, Key.Key_2)
    assert evening.stored() == {evening.key(0): 2}


def test_keys_typed_ahead_never_land_on_the_next_case(evening: Evening) -> None:
    evening.press(*FIRST_JOINT, *FIRST_JOINT)
    evening.press(Key.Key_Return, "3", Key.Key_Return, "3", "q")
    assert evening.state(0) is ReadingState.LOCKED
    assert evening.stored(1) == {}
    assert "not taken" in evening.page.message.text
    evening.wait()
    evening.press("3")
    assert list(evening.stored(1).values()) == [3]


def test_locking_too_early_says_what_is_missing_and_goes_there(evening: Evening) -> None:
    evening.press(*FIRST_JOINT, Key.Key_Up, Key.Key_Up, Key.Key_Return)
    assert evening.state() is ReadingState.OPEN
    assert "7 grades are missing" in evening.page.message.text
    assert "left" in evening.page.message.text
    assert evening.page.current_key == evening.key(7)


def test_the_last_case_ends_the_worklist(evening: Evening) -> None:
    with evening.qtbot.waitSignal(evening.page.finished):
        for _ in range(FILMS):
            evening.wait()
            evening.press(*FIRST_JOINT, *FIRST_JOINT, Key.Key_Return)
    assert {evening.state(place) for place in range(FILMS)} == {ReadingState.LOCKED}


def test_a_locked_reading_takes_no_grade(evening: Evening) -> None:
    evening.press(*FIRST_JOINT, *FIRST_JOINT, Key.Key_Return)
    evening.wait()
    evening.press(Key.Key_PageUp)
    evening.wait()
    before = evening.stored(0)
    evening.press("0", Key.Key_Delete, "x")
    assert evening.stored(0) == before
    assert "locked" in evening.page.message.text.lower()


def test_undo_and_redo_walk_through_the_stored_grades(evening: Evening) -> None:
    evening.press("1", "2")
    QTest.keyClick(evening.page, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert evening.stored() == {evening.key(0): 1}
    assert evening.page.current_key == evening.key(1)
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(evening.page, Key.Key_Z, both)
    assert evening.stored() == {evening.key(0): 1, evening.key(1): 2}


def test_backspace_corrects_a_slip_and_delete_clears(evening: Evening) -> None:
    evening.press("1", "3", Key.Key_Backspace)
    assert evening.stored() == {evening.key(0): 1}
    assert evening.page.current_key == evening.key(1)
    evening.press(Key.Key_Up, Key.Key_Delete)
    assert evening.stored() == {}


def test_arrows_and_tab_move_between_items_and_joints(evening: Evening) -> None:
    evening.press(Key.Key_Down, Key.Key_Right)
    assert evening.page.current_key == evening.key(8)
    evening.press(Key.Key_Left, Key.Key_Tab)
    assert evening.page.current_key == evening.key(7)
    QTest.keyClick(evening.page, Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert evening.page.current_key == evening.key(0)


def test_a_busy_database_is_told_and_nothing_is_shown_as_given(evening: Evening) -> None:
    other = sqlite3.connect(evening.study.folder / "study.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        evening.press("1")
        assert evening.page.message.text != ""
        assert evening.page.panel.progress_text == "0 of 14 grades"
        assert evening.page.current_key == evening.key(0)
        other.execute("ROLLBACK")
    finally:
        other.close()
    assert evening.stored() == {}
    evening.press("1")
    assert evening.stored() == {evening.key(0): 1}


def menu_of(page: ReadingPage) -> QMenu:
    found = QApplication.activePopupWidget()
    assert isinstance(found, QMenu)
    return found


def test_a_joint_is_excluded_and_taken_back_by_keys(evening: Evening) -> None:
    evening.press("x")
    QTest.keyClick(menu_of(evening.page), Key.Key_1)
    case = read.open_case(evening.study, evening.anna, evening.assignments()[0])
    reason = case.session.protocol.exclusion_reasons[0]
    right, left = (joint.id for joint in case.case.joints)
    assert case.session.exclusion(right) is not None
    assert case.session.exclusion(right).reason_id == reason.id  # type: ignore[union-attr]
    assert evening.page.current_key == evening.key(7)
    evening.press(Key.Key_Tab if case.session.exclusion(left) else Key.Key_Left, "x")
    case = read.open_case(evening.study, evening.anna, evening.assignments()[0])
    assert case.session.exclusion(right) is None


def test_a_film_that_is_gone_is_told_and_can_only_be_excluded(
    unaided_study: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    shutil.copytree(unaided_study / "study", tmp_path / "mine" / "study")
    for image in (tmp_path / "mine" / "study" / "images").rglob("*.png"):
        image.unlink()
    evening = Evening(tmp_path / "mine", qtbot)
    assert "gone" in next(evening.page.films.each()).sentence
    evening.press("1")
    assert evening.stored() == {}
    assert "cannot be graded" in evening.page.message.text
    evening.press("x")
    QTest.keyClick(menu_of(evening.page), Key.Key_1)
    case = read.open_case(evening.study, evening.anna, evening.assignments()[0])
    assert case.session.exclusion(case.case.joints[0].id) is not None
    evening.close()


def test_the_pregrade_is_taken_over_for_one_joint(evening: Evening) -> None:
    evening.press("3", "q")
    assert list(evening.stored().values()) == [3, 1, 1, 1, 1, 1, 1]
    assert {key.joint_id for key in evening.stored()} == {evening.key(0).joint_id}


def test_a_hidden_pregrade_leaves_no_trace_and_is_not_taken_over(evening: Evening) -> None:
    page = evening.page
    evening.press("h")
    view = next(page.films.each())
    assert page.panel.chip_texts() == ("AI: 1  (94 %)", "AI: 1  (94 %)")
    assert view.heatmap_shown
    assert len(view.marks) == 2
    evening.press("g")
    assert page.panel.chip_texts() == ()
    assert not view.heatmap_shown
    assert view.marks == ()
    evening.press("q")
    assert evening.stored() == {}


def test_an_unaided_reading_shows_nothing_of_the_ai(unaided_evening: Evening) -> None:
    page = unaided_evening.page
    unaided_evening.press("h", "b", "b", "q")
    view = next(page.films.each())
    assert page.panel.chip_texts() == ()
    assert "without AI" in page.panel.note
    assert not view.heatmap_shown
    assert view.marks == ()
    assert unaided_evening.stored() == {}


def test_a_dragged_box_is_stored_and_drawn_as_the_readers_own(evening: Evening) -> None:
    view = next(evening.page.films.each())
    mark = next(mark for mark in view.marks if mark.current)
    rect = view.viewport.rect(mark.box)
    corner = rect.bottomRight().toPoint()
    drag(view, corner, corner + QPoint(-30, -20), Qt.MouseButton.LeftButton)
    case = read.open_case(evening.study, evening.anna, evening.assignments()[0])
    stored = case.session.box(mark.joint_id)
    assert stored is not None
    assert stored.width == pytest.approx(mark.box.width - 30 / view.viewport.scale, abs=0.6)
    assert stored.x == pytest.approx(mark.box.x)
    assert next(m for m in view.marks if m.joint_id == mark.joint_id).moved


def test_the_films_of_the_next_cases_are_there_before_they_are_opened(
    evening: Evening,
) -> None:
    evening.press(*FIRST_JOINT, *FIRST_JOINT)
    shelf = evening.page._loader._shelf
    keys = StudyDesk(evening.study, evening.anna).films_ahead(evening.assignments()[1:2])
    evening.qtbot.waitUntil(lambda: all(shelf.ready(key) for key in keys))
    assert evening.state(1) is ReadingState.WAITING
    evening.press(Key.Key_Return)
    assert next(evening.page.films.each()).radiograph is not None


def test_from_a_case_in_the_middle_both_neighbours_are_loaded_ahead(evening: Evening) -> None:
    evening.press(Key.Key_PageDown)
    evening.press(Key.Key_PageDown)
    shelf = evening.page._loader._shelf
    for key in StudyDesk(evening.study, evening.anna).films_ahead(evening.assignments()):
        shelf.forget(key)  # as after a start in the middle of the worklist
    evening.page._look_ahead()
    around = evening.assignments()
    desk = StudyDesk(evening.study, evening.anna)
    before, after = desk.films_ahead(around[1:2]), desk.films_ahead(around[3:4])
    evening.qtbot.waitUntil(lambda: all(shelf.ready(key) for key in (*before, *after)))
    assert shelf.kept_bytes >= ROWS * COLUMNS * len(around[1:4])


def drag(view: QWidget, start: QPoint, end: QPoint, button: Qt.MouseButton) -> None:
    QTest.mousePress(view, button, pos=start)
    QTest.mouseMove(view, (start + end) / 2)
    QTest.mouseMove(view, end)
    QTest.mouseRelease(view, button, pos=end)
