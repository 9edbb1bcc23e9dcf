"""Quality checks by real keys upon a real study: who is asked, what is shown, what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from reader_app.operations import exclusions, read
from reader_app.operations.accounts import add_account
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import NewStudy, Study, create_study
from reader_app.reading.commands import ExcludeJoint, GradeRest
from reader_app.store import exclusion_checks
from reader_app.store.records import Actor, Role
from reader_app.ui.reading.quality_page import QualityPage
from reader_app.ui.role_pages import ReaderRolePage

Key = Qt.Key
WORDS = "a word of its own"
REASON = "Quality too poor to grade both hips"


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    """Two films that Ben could not grade and Cleo could."""
    folder = tmp_path / "films"
    folder.mkdir()
    lines = ["image,participant,side"]
    for number in range(2):
        pixels = np.random.default_rng(number).integers(10, 245, (200, 320), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        lines.append(f"{number}.png,person-{number},both")
    (folder / "manifest.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    choices = NewStudy(
        protocol="hip-oarsi", title="Hips", coordinator="Carla", password="carla-coordinates", seed=1
    )
    with create_study(tmp_path / "study", choices) as study:
        carla = log_in(study, "Carla", "carla-coordinates")
        for name, role in (("Ben", Role.READER), ("Cleo", Role.READER), ("Otto", Role.AUDITOR)):
            add_account(study, carla, name=name, password="a long sentence", role=role)
        import_films(study, carla, folder, manifest=folder / "manifest.csv")
        for name in ("Ben", "Cleo"):
            reader = person(study, name)
            for entry in read.worklist(study, reader):
                case = read.open_case(study, reader, entry.assignment_id)
                joints = case.case.joints
                if name == "Ben":
                    command = ExcludeJoint(joints[0].id, "poor-quality", WORDS)
                    read.commit(study, reader, case, command, pregrade_in_sight=False)
                else:
                    for joint in joints:
                        read.commit(study, reader, case, GradeRest(joint.id), pregrade_in_sight=False)
                read.lock(study, reader, case, active_seconds=1.0)
        yield study


def person(study: Study, name: str) -> Actor:
    return log_in(study, name, "a long sentence")


@pytest.fixture
def page(study: Study, qtbot: QtBot) -> QualityPage:
    page = QualityPage(study, person(study, "Cleo"), settle_milliseconds=30)
    qtbot.addWidget(page)
    page.resize(1280, 720)
    page.show()
    page.start()
    qtbot.waitUntil(lambda: page.ready)
    return page


def answers(study: Study) -> list[tuple[bool, str]]:
    found = exclusion_checks.all_checks(study.database, person(study, "Otto"))
    return [(check.confirmed, check.note) for check in found]


def test_the_question_tells_the_reason_and_nothing_else(page: QualityPage) -> None:
    assert page.sentence == f"A reader found it impossible to grade: {REASON}"
    said = " ".join(label.text() for label in page.findChildren(QLabel))
    for hidden in ("Ben", WORDS, "person-"):
        assert hidden not in said
    view = page.films.current()
    assert view is not None
    assert view.radiograph is not None
    assert view.marks == ()
    assert "Quality check 1 of 2" in said


def test_c_confirms_and_the_next_film_comes(page: QualityPage, study: Study, qtbot: QtBot) -> None:
    first = page.question
    QTest.keyClick(page, Key.Key_C)
    qtbot.waitUntil(lambda: page.ready and page.question != first)
    assert answers(study) == [(True, ""), (True, "")]
    with qtbot.waitSignal(page.finished):
        QTest.keyClick(page, Key.Key_C)
    assert exclusions.waiting(study, person(study, "Cleo")) == ()


def test_n_asks_for_a_word_and_rejects_with_it(page: QualityPage, study: Study, qtbot: QtBot) -> None:
    first = page.question
    QTest.keyClick(page, Key.Key_N)
    assert page.words.isVisible()
    QTest.keyClick(page.words, Key.Key_Return)
    assert "word is needed" in page.message.text
    assert answers(study) == []
    QTest.keyClicks(page.words, "contours are clear")
    QTest.keyClick(page.words, Key.Key_Return)
    qtbot.waitUntil(lambda: page.ready and page.question != first)
    assert answers(study) == [(False, "contours are clear")] * 2
    assert not page.words.isVisible()
    assert page.words.text() == ""


def test_esc_gives_the_word_up_first_and_leaves_then(page: QualityPage, study: Study, qtbot: QtBot) -> None:
    QTest.keyClick(page, Key.Key_N)
    QTest.keyClicks(page.words, "cn")
    with qtbot.assertNotEmitted(page.left):
        QTest.keyClick(page.words, Key.Key_Escape)
    assert not page.words.isVisible()
    assert answers(study) == []
    with qtbot.waitSignal(page.left):
        QTest.keyClick(page, Key.Key_Escape)


def test_a_second_press_does_not_answer_the_film_that_has_just_come(
    page: QualityPage, study: Study, qtbot: QtBot
) -> None:
    first = page.question
    QTest.keyClick(page, Key.Key_C)
    QTest.keyClick(page, Key.Key_C)
    qtbot.waitUntil(lambda: page.ready and page.question != first)
    assert len(answers(study)) == 2, "one film, its two joints"


def test_a_film_that_cannot_be_read_takes_no_answer(study: Study, tmp_path: Path, qtbot: QtBot) -> None:
    for path in (tmp_path / "films").glob("*.png"):
        path.unlink()
    page = QualityPage(study, person(study, "Cleo"), settle_milliseconds=0)
    qtbot.addWidget(page)
    page.show()
    page.start()
    qtbot.waitUntil(lambda: page.question is not None)
    view = page.films.current()
    assert view is not None
    qtbot.waitUntil(lambda: "Loading" not in view.sentence)
    QTest.keyClick(page, Key.Key_C)
    assert not page.ready
    assert answers(study) == []
    assert ".png" not in view.sentence


def test_the_worklist_offers_the_checks_with_their_number(study: Study, qtbot: QtBot) -> None:
    role_page = ReaderRolePage(study, person(study, "Cleo"))
    qtbot.addWidget(role_page)
    role_page.resize(1280, 720)
    role_page.show()
    qtbot.waitUntil(role_page.worklist.checks.isVisible)
    assert role_page.worklist.checks.text() == "Quality checks (2)"
    QTest.keyClick(role_page.worklist, Key.Key_Q)
    page = role_page.quality
    assert page is not None
    assert role_page.inside.currentWidget() is page
    for _ in range(2):
        qtbot.waitUntil(lambda: page.ready)
        QTest.keyClick(page, Key.Key_C)
        qtbot.waitUntil(lambda: not page.ready)
    qtbot.waitUntil(lambda: role_page.inside.currentWidget() is role_page.worklist)
    qtbot.waitUntil(lambda: not role_page.worklist.checks.isVisible())
    role_page.leave()


def test_who_is_asked_nothing_sees_no_list(study: Study, qtbot: QtBot) -> None:
    role_page = ReaderRolePage(study, person(study, "Ben"))
    qtbot.addWidget(role_page)
    role_page.show()
    qtbot.waitUntil(lambda: role_page.worklist.model.rowCount() > 0)
    QTest.keyClick(role_page.worklist, Key.Key_Q)
    assert role_page.inside.currentWidget() is role_page.worklist
    assert not role_page.worklist.checks.isVisible()
    role_page.leave()
