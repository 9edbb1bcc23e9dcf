"""A case read without and then with the AI, cases that open later, and films shown mirrored: by real keys."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from reader_app.operations import read
from reader_app.reading.case import JointSide
from reader_app.reading.worklist import ReadingState, moment_words, told_moment
from reader_app.ui.grades.pregrade_words import head_of, likeliest, wordings
from reader_app.ui.reading.clock import PAUSE_AFTER_SECONDS, ActiveClock
from reader_app.ui.reading.desk import StudyDesk
from reader_app.ui.reading.page import ReadingPage
from reader_app.ui.reading.reveal_strip import BOTH, FIRST, HIDDEN, SECOND, changed_since_first, contrary
from tests.store.conftest import pregrade
from tests.ui.reading_evening import COLUMNS, FILMS, FIRST_JOINT, Evening

Key = Qt.Key


class HandClock:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def evening_of(template: Path, folder: Path, qtbot: QtBot, *statements: str) -> Evening:
    """Begin an evening on a copy of a study whose worklists were changed."""
    shutil.copytree(template / "study", folder / "mine" / "study")
    with closing(sqlite3.connect(folder / "mine" / "study" / "study.db")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return Evening(folder / "mine", qtbot)


@pytest.fixture
def twice(aided_study: Path, tmp_path: Path, qtbot: QtBot) -> Iterator[Evening]:
    made = evening_of(aided_study, tmp_path, qtbot, "UPDATE assignment SET arm = 'unaided-then-aided'")
    yield made
    made.close()


def lock_first(evening: Evening) -> None:
    evening.press(*FIRST_JOINT, *FIRST_JOINT, Key.Key_Return)
    evening.wait()


def rows(evening: Evening, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(evening.study.folder / "study.db")) as connection:
        return [tuple(row) for row in connection.execute(query)]


# Unaided, then aided ------------------------------------------------------------------------------


def test_enter_locks_the_first_reading_and_the_ai_appears_upon_the_same_film(twice: Evening) -> None:
    page = twice.page
    view = next(page.films.each())
    assert page.strip.words == (FIRST,)
    assert (page.panel.chip_texts(), view.marks) == ((), ())
    assert "once you have locked" in page.panel.note
    page.image.fit_all()
    view.zoom(2.0)
    zoomed, place = view.viewport, page.open_case
    assert place is not None
    lock_first(twice)
    assert page.open_case is not None
    assert page.open_case.reading.place == place.reading.place
    assert page.open_case.reading.reading_id != place.reading.reading_id
    assert view.viewport == zoomed, "the film stays as the reader had it"
    assert len(view.marks) == 2
    assert page.panel.chip_texts() != ()
    assert page.strip.words[0] == SECOND
    assert twice.stored() == dict(zip(page.open_case.session.keys, map(int, FIRST_JOINT * 2), strict=True))


def test_what_differs_from_the_ai_and_what_was_changed_is_told_at_a_glance(twice: Evening) -> None:
    lock_first(twice)
    page = twice.page
    case = page.open_case
    assert case is not None
    unlike = {
        key for key, code in zip(case.session.keys, map(int, FIRST_JOINT * 2), strict=True) if code != 1
    }
    assert contrary(case) == unlike
    assert page.strip.words[1] == f"{len(unlike)} grades unlike the AI"
    key = case.session.keys[1]
    page.flow.move(lambda cursor: cursor.go_to(key))
    before = painted(page)
    twice.press("1")
    assert changed_since_first(case) == {key: 2}
    assert page.strip.words[1:] == (f"{len(unlike) - 1} grades unlike the AI", "1 grade changed")
    page.flow.move(lambda cursor: cursor.go_to(key))
    assert not np.array_equal(painted(page), before), "the grade before the AI is framed"


def painted(page: ReadingPage) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    image = page.panel.grid.grab().toImage()
    return np.frombuffer(bytes(image.constBits()), np.uint8).copy()


def test_the_second_enter_goes_on_and_both_readings_are_kept(twice: Evening) -> None:
    lock_first(twice)
    page = twice.page
    key = twice.key(1)
    page.flow.move(lambda cursor: cursor.go_to(key))
    twice.press("1", Key.Key_Return)
    twice.wait()
    assert page.open_case is not None
    assert page.open_case.reading.place == 2
    assert page.strip.words == (FIRST,)
    twice.press("2")
    assert len(twice.stored(1)) == 1, "the AI of the case before was not in sight of this one"
    query = (
        f"SELECT r.arm, g.code FROM grade g JOIN reading r ON r.id = g.reading_id "
        f"WHERE g.joint_id = {key.joint_id} AND g.item = '{key.item.key}' ORDER BY r.id"
    )
    assert rows(twice, query) == [("unaided", 2), ("aided", 1)]
    twice.press(Key.Key_PageUp)
    twice.wait()
    assert page.strip.words[0] == BOTH
    assert page.strip.words[-1] == "1 grade changed"


def test_enter_pressed_twice_in_a_row_locks_the_first_reading_only(twice: Evening) -> None:
    twice.press(*FIRST_JOINT, *FIRST_JOINT, Key.Key_Return, Key.Key_Return, Key.Key_Return)
    twice.wait()
    assert [row[0] for row in rows(twice, "SELECT locked_at IS NOT NULL FROM reading ORDER BY id")] == [1, 0]
    assert twice.state(0) is ReadingState.OPEN


def test_who_leaves_between_the_two_comes_back_to_the_second(twice: Evening) -> None:
    lock_first(twice)
    with twice.qtbot.waitSignal(twice.page.left):
        twice.press(Key.Key_Escape)
    twice.page.close_case()
    entry = read.worklist(twice.study, twice.anna)[0]
    assert (entry.state, entry.first_locked) == (ReadingState.OPEN, True)
    twice.page.start(entry.assignment_id)
    twice.wait()
    assert twice.page.strip.words[0] == SECOND
    assert len(rows(twice, "SELECT id FROM reading")) == 2


def test_the_hidden_ai_is_told_as_hidden_and_counts_for_nothing(twice: Evening) -> None:
    lock_first(twice)
    twice.press("g")
    assert twice.page.strip.words == (HIDDEN,)


def test_each_change_after_the_reveal_tells_how_long_the_ai_had_been_in_sight(
    aided_study: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    evening = evening_of(aided_study, tmp_path, qtbot, "UPDATE assignment SET arm = 'unaided-then-aided'")
    now = HandClock()
    page = ReadingPage(StudyDesk(evening.study, evening.anna), clock=ActiveClock(now), settle_milliseconds=0)
    qtbot.addWidget(page)
    evening.page.close_case()
    evening.page.release()
    evening.page.close()
    evening.page = page
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    ((before,),) = rows(evening, "SELECT active_seconds FROM reading")
    page.start(evening.assignments()[0])
    evening.wait()
    now.now = 20.0
    lock_first(evening)
    now.now = 30.0
    page.flow.move(lambda cursor: cursor.go_to(evening.key(0)))
    evening.press("3")  # ten seconds after the reveal
    evening.press("g")
    now.now = 45.0
    page.flow.move(lambda cursor: cursor.go_to(evening.key(1)))
    evening.press("1")  # the AI was hidden: nothing was added
    evening.press("g")
    now.now = 50.0
    QApplication.sendEvent(page, QEvent(QEvent.Type.Hide))
    page.hide()
    now.now = 500.0
    page.show()
    page.flow.clock.touch()
    now.now = 503.0
    page.flow.move(lambda cursor: cursor.go_to(evening.key(2)))
    evening.press("3")
    now.now += 10 * PAUSE_AFTER_SECONDS  # asleep
    evening.press(Key.Key_Return)
    told = rows(
        evening,
        "SELECT json_extract(payload, '$.pregrade_in_sight'), json_extract(payload, '$.in_sight_seconds') "
        "FROM journal WHERE verb = 'reading.set-grade' ORDER BY sequence DESC LIMIT 3",
    )
    assert told[::-1] == [(1, 10.0), (0, 10.0), (1, 18.0)]
    kept = rows(evening, "SELECT active_seconds, in_sight_seconds FROM reading ORDER BY id LIMIT 2")
    assert isinstance(before, float)
    assert kept[0] == (pytest.approx(before + 20.0), 0.0)
    assert kept[1] == (33.0 + PAUSE_AFTER_SECONDS, 18.0 + PAUSE_AFTER_SECONDS)
    evening.close()


def test_a_film_that_was_corrected_meanwhile_is_shown_anew_before_the_lock(
    unaided_study: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    evening = evening_of(unaided_study, tmp_path, qtbot)
    evening.press(*FIRST_JOINT, *FIRST_JOINT)
    assert evening.page.open_case is not None
    (film,) = evening.page.open_case.case.films
    with closing(sqlite3.connect(evening.study.folder / "study.db")) as connection:
        connection.execute(
            "INSERT INTO film_correction (radiograph_id, inverse_polarity, text_checked) VALUES (?, 1, 0)",
            (film.radiograph_id,),
        )
        connection.commit()
    evening.press(Key.Key_Return)
    evening.wait()
    assert "corrected" in evening.page.message.text
    assert evening.state(0) is ReadingState.OPEN
    radiograph = next(evening.page.films.each()).radiograph
    assert radiograph is not None
    assert radiograph.inverse_polarity
    evening.press(Key.Key_Return)
    assert evening.state(0) is ReadingState.LOCKED
    evening.close()


# Cases that open later ----------------------------------------------------------------------------


def second_period(days: float) -> tuple[str, ...]:
    """The last two of four cases become the second period of the first two."""
    return tuple(
        f"UPDATE assignment SET period = 2, after_days = {days}, after_assignment_id = (SELECT b.id FROM "
        f"assignment b WHERE b.account_id = assignment.account_id AND b.place = {place}) "
        f"WHERE place = {place + 2}"
        for place in (1, 2)
    )


def test_the_next_case_goes_past_what_opens_later_and_the_end_says_when(
    unaided_study: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    evening = evening_of(unaided_study, tmp_path, qtbot, *second_period(28.0))
    page = evening.page
    before = datetime.now(UTC)
    lock_first(evening)
    assert page.open_case is not None
    assert page.open_case.reading.place == 2
    evening.press(Key.Key_PageDown)
    assert "opens" in page.message.text
    assert page.open_case.reading.place == 2, "the case in sight stays"
    with qtbot.waitSignal(page.rested) as resting:
        evening.press(*FIRST_JOINT, *FIRST_JOINT, Key.Key_Return)
    moment = resting.args[0].opens_at
    assert told_moment(before + timedelta(days=28)) <= moment
    assert moment <= told_moment(datetime.now(UTC) + timedelta(days=28))
    assert moment_words(moment) in page.message.text
    evening.close()


def test_when_the_washout_is_over_the_second_period_is_read_on(
    unaided_study: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    evening = evening_of(unaided_study, tmp_path, qtbot, *second_period(0.0))
    for _ in range(2):
        lock_first(evening)
    assert evening.page.open_case is not None
    assert evening.page.open_case.reading.place == 3
    assert "second period" in evening.page._bar.text
    evening.close()


def test_a_re_read_that_is_not_due_gives_way_without_a_word(
    unaided_study: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    evening = evening_of(
        unaided_study,
        tmp_path,
        qtbot,
        "UPDATE assignment SET purpose = 're-read', after_days = 9, after_assignment_id = (SELECT b.id FROM "
        "assignment b WHERE b.account_id = assignment.account_id AND b.place = 1) WHERE place = 2",
    )
    page = evening.page
    hidden = evening.assignments()[1]
    lock_first(evening)
    assert page.open_case is not None
    assert (page.open_case.reading.place, page.open_case.reading.title) == (2, "Case 0002")
    assert page.open_case.reading.assignment_id != hidden
    assert page.message.text == ""
    for _ in range(FILMS - 3):
        lock_first(evening)
    with qtbot.waitSignal(page.rested):
        evening.press(*FIRST_JOINT, *FIRST_JOINT, Key.Key_Return)
    assert "re-read" not in page.message.text.lower()
    evening.close()


# Mirrored -----------------------------------------------------------------------------------------


@pytest.fixture
def mirrored(aided_study: Path, tmp_path: Path, qtbot: QtBot) -> Iterator[Evening]:
    made = evening_of(aided_study, tmp_path, qtbot, "UPDATE assignment SET mirrored = 1 WHERE place = 1")
    yield made
    made.close()


def test_a_mirrored_film_is_seen_mirrored_and_its_grades_go_to_the_joint_that_is_meant(
    mirrored: Evening,
) -> None:
    page = mirrored.page
    view = next(page.films.each())
    case = page.open_case
    assert case is not None
    assert view.radiograph is not None
    (film,) = case.case.films
    plain = read.film(mirrored.study, mirrored.anna, film.radiograph_id)
    assert np.array_equal(view.radiograph.pixels, plain.pixels[:, ::-1])
    seen_right = next(joint for joint in film.joints if joint.side is JointSide.RIGHT)
    assert rows(mirrored, f"SELECT side FROM joint WHERE id = {seen_right.id}") == [("L",)]
    assert [joint.side for joint in film.joints] == [JointSide.RIGHT, JointSide.LEFT]
    mirrored.press(*FIRST_JOINT)
    assert {key.joint_id for key in mirrored.stored()} == {seen_right.id}
    assert rows(mirrored, "SELECT DISTINCT joint_id FROM grade") == [(seen_right.id,)]


def test_boxes_and_heatmaps_of_a_mirrored_film_lie_where_the_joint_is_seen(mirrored: Evening) -> None:
    page = mirrored.page
    case = page.open_case
    assert case is not None
    for joint in case.case.joints:
        place = 10.0 if joint.side is JointSide.RIGHT else 170.0
        # Stored at 170 for the left joint, which is 140 wide: on the mirrored film that is 10.
        assert joint.box is not None
        assert joint.box.x == (COLUMNS - 140 - (170.0 if place == 10.0 else 10.0))
    key = case.session.keys[0]
    assert case.pregrades[key].box == case.case.joint(key.joint_id).box
    heat = read.heatmap(mirrored.study, mirrored.anna, case, key)
    assert heat is not None
    assert heat.to_film[0].tolist() == [-10.0, 0.0, COLUMNS - 1.0]


def test_a_dragged_box_is_stored_in_the_films_own_places_and_can_be_taken_back(mirrored: Evening) -> None:
    page = mirrored.page
    case = page.open_case
    assert case is not None
    joint = case.case.joints[0]
    assert joint.box is not None
    wanted = joint.box.moved(3.3333333, 1.7777777)
    assert page.flow.move_box(joint.id, wanted)
    (x, width), *_ = rows(mirrored, "SELECT box_x, box_width FROM reading_box")
    assert x == pytest.approx(COLUMNS - wanted.right, abs=1e-3)
    assert width == pytest.approx(wanted.width, abs=1e-3)
    assert page.flow.move_box(joint.id, wanted.moved(5.1234567, 0.0)), "what was stored is found again"
    page.flow.undo()
    page.flow.undo()
    assert rows(mirrored, "SELECT box_x FROM reading_box") == []


def test_one_film_can_be_kept_both_ways_round(mirrored: Evening) -> None:
    page = mirrored.page
    case = page.open_case
    assert case is not None
    shelf = page._loader._shelf
    (key,) = StudyDesk(mirrored.study, mirrored.anna).films_ahead(mirrored.assignments()[:1])
    assert key.mirrored
    plain = type(key)(key.radiograph_id, key.version)
    there, back = shelf.get(key), shelf.get(plain)
    assert np.array_equal(there.radiograph.pixels, back.radiograph.pixels[:, ::-1])


# The chip -----------------------------------------------------------------------------------------


def test_the_chip_says_where_another_grade_is_likelier_than_the_one_given() -> None:
    sure, torn = pregrade(1, code=2), pregrade(1, code=1)
    assert (likeliest(sure), wordings(sure)[0]) == (None, "uncertain")
    assert likeliest(torn) == 2
    assert head_of(torn) == "AI: 1  (25 %)"
    assert wordings(torn) == (
        "uncertain, most likely 2 (50 %)",
        "most likely 2 (50 %)",
        "likeliest 2 (50 %)",
        "rather 2 (50 %)",
    )
