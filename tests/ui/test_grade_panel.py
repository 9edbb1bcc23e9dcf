"""The panel is made from the protocol alone: rows, cells, help, combined grades, warnings, doubt in words."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from reader_app.imaging.geometry import Box
from reader_app.protocols.loader import available_protocols
from reader_app.protocols.model import Item, Protocol, Unit
from reader_app.reading.case import Case, CaseFilm, GradeKey, Joint, JointSide
from reader_app.reading.commands import ExcludeJoint, SetGrade
from reader_app.reading.pregrade import PreGrade, Provenance
from reader_app.reading.session import ReadingSession
from reader_app.ui.grades.help import help_html
from reader_app.ui.grades.panel import GradePanel, PanelContent
from reader_app.ui.grades.pregrade_chip import doubt, tool_tip_of
from reader_app.ui.reading.clock import ActiveClock
from reader_app.ui.reading.cursor import ReadingCursor, columns_of

PROTOCOLS = {file.id: file.protocol for file in available_protocols() if file.protocol is not None}


def case_of(protocol: Protocol, *, films: int = 1) -> Case:
    whole = any(feature.unit is Unit.PARTICIPANT for feature in protocol.features)
    sides = (JointSide.LEFT, JointSide.RIGHT, *((JointSide.WHOLE,) if whole else ()))
    return Case(
        1,
        tuple(
            CaseFilm(
                film,
                f"Visit {film}" if films > 1 else "",
                tuple(Joint(10 * film + n, film, side) for n, side in enumerate(sides)),
                "ab" * 32,
            )
            for film in range(1, films + 1)
        ),
    )


def give(session: ReadingSession, key: GradeKey, code: int) -> None:
    session.apply(session.plan(SetGrade(key, code)))


def content(session: ReadingSession, key: GradeKey | None = None) -> PanelContent:
    current = key or session.keys[0]
    return PanelContent(session, session.case.film_of(current.joint_id), current, {}, "No AI.")


@pytest.fixture
def panel(qtbot: QtBot) -> GradePanel:
    made = GradePanel()
    qtbot.addWidget(made)
    made.set_room(wide=False, tall=False)
    made.resize(made.width(), 640)
    made.show()
    return made


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_every_grade_of_every_protocol_can_be_hit(name: str, panel: GradePanel) -> None:
    session = ReadingSession(PROTOCOLS[name], case_of(PROTOCOLS[name]))
    panel.show_content(content(session))
    QApplication.processEvents()
    seen: list[QRectF] = []
    for key in session.keys:
        for level in session.protocol.item_scale(key.item).levels:
            rect = panel.grid.cell_rect(key, level.code)
            assert panel.grid.rect().contains(rect.toRect()), (key, level)
            assert rect.width() >= 18
            assert not any(rect.intersects(other) for other in seen)
            seen.append(rect)
    assert panel.grid.height() == panel.grid.sizeHint().height()


def test_the_right_joint_stands_on_the_left(panel: GradePanel) -> None:
    protocol = PROTOCOLS["knee-kl"]
    session = ReadingSession(protocol, case_of(protocol))
    panel.show_content(content(session))
    QApplication.processEvents()
    right, left = (joint.id for joint in columns_of(session, session.case.films[0]))
    assert session.case.joint(right).side is JointSide.RIGHT
    item = protocol.items[0]
    at_right = panel.grid.cell_rect(GradeKey(right, item), 0)
    at_left = panel.grid.cell_rect(GradeKey(left, item), 0)
    assert at_right.x() < at_left.x()


def test_a_click_asks_for_that_grade(panel: GradePanel, qtbot: QtBot) -> None:
    protocol = PROTOCOLS["hip-oarsi"]
    session = ReadingSession(protocol, case_of(protocol))
    panel.show_content(content(session))
    QApplication.processEvents()
    key = session.keys[5]
    with qtbot.waitSignal(panel.graded) as caught:
        at = panel.grid.cell_rect(key, 2).center().toPoint()
        QTest.mouseClick(panel.grid, Qt.MouseButton.LeftButton, pos=at)
    assert caught.args == [key, 2]
    with qtbot.waitSignal(panel.chosen) as chosen:
        QTest.mouseClick(panel.grid, Qt.MouseButton.LeftButton, pos=QPoint(3, at.y()))
    assert chosen.args == [GradeKey(session.keys[0].joint_id, key.item)]


def test_the_help_shows_what_each_grade_looks_like() -> None:
    protocol = PROTOCOLS["knee-kl"]
    feature = protocol.features[0]
    html = help_html(protocol, feature.items[0], 2)
    for level in feature.scale.levels:
        assert level.label in html
        assert feature.help_for(level.code).split()[0] in html


def test_cross_checks_warn_in_words_and_name_the_joint(panel: GradePanel) -> None:
    protocol = PROTOCOLS["hip-oarsi"]
    session = ReadingSession(protocol, case_of(protocol))
    joint = columns_of(session, session.case.films[0])[0].id
    give(session, GradeKey(joint, Item("KL")), 0)
    for site in ("medial", "lateral"):
        give(session, GradeKey(joint, Item("JSN", site)), 1)
    panel.show_content(content(session))
    message = next(c.message for c in protocol.cross_checks if c.id == "jsn-in-kl0")
    assert panel.warnings_text == f"Right: {message}"
    session.apply(session.plan(ExcludeJoint(joint, protocol.exclusion_reasons[0].id)))
    panel.show_content(content(session))
    assert panel.warnings_text == ""


def test_progress_leaves_excluded_joints_out_of_what_is_open(panel: GradePanel) -> None:
    protocol = PROTOCOLS["knee-kl"]
    session = ReadingSession(protocol, case_of(protocol))
    give(session, session.keys[0], 1)
    panel.show_content(content(session))
    assert panel.progress_text == "1 of 2 grades"
    reason = protocol.exclusion_reasons[0].id
    session.apply(session.plan(ExcludeJoint(session.keys[1].joint_id, reason)))
    panel.show_content(content(session))
    assert panel.progress_text in ("1 of 1 grades", "all joints excluded")


def test_the_note_says_why_there_is_no_pregrade(panel: GradePanel) -> None:
    protocol = PROTOCOLS["knee-kl"]
    panel.show_content(content(ReadingSession(protocol, case_of(protocol))))
    assert panel.note == "No AI."
    assert panel.chip_texts() == ()


def pregrade(*odds: float, unlike: bool = False) -> PreGrade:
    source = Provenance("knee-kl", "1.2", "cd" * 32, "p", "s", "x", "2026-01-01T00:00:00Z")
    by_code = dict(enumerate(odds))
    code = max(by_code, key=lambda each: by_code[each])
    return PreGrade(GradeKey(1, Item("KL")), by_code, code, 3.0, unlike, Box(0, 0, 9, 9), source)


def test_doubt_is_said_in_words() -> None:
    assert doubt(pregrade(0.9, 0.1, 0, 0, 0)) == ""
    assert doubt(pregrade(0.45, 0.4, 0.15, 0, 0)) == "uncertain"
    assert doubt(pregrade(0.9, 0.1, 0, 0, 0, unlike=True)) == "unlike the training images"


def test_the_chip_names_bundle_and_version_in_its_tool_tip() -> None:
    text = tool_tip_of(pregrade(0.9, 0.1, 0, 0, 0), PROTOCOLS["knee-kl"].features[0].scale)
    assert "knee-kl 1.2" in text
    assert "90.0 %" in text


def test_the_other_visit_is_one_tab_away(panel: GradePanel) -> None:
    protocol = PROTOCOLS["knee-oarsi-kl"]
    session = ReadingSession(protocol, case_of(protocol, films=2))
    cursor = ReadingCursor(session)
    visited = []
    for _ in range(5):
        assert cursor.joint_id is not None
        visited.append(cursor.joint_id)
        cursor.move_joint(1)
    assert visited == [11, 10, 21, 20, 11] or visited == [10, 21, 20, 11, 10]
    panel.show_content(content(session, GradeKey(21, protocol.items[0])))
    QApplication.processEvents()
    assert panel.grid.cell_rect(GradeKey(21, protocol.items[0]), 0).isValid()
    assert not panel.grid.cell_rect(GradeKey(11, protocol.items[0]), 0).isValid()


def test_the_cursor_goes_on_to_the_next_open_item_and_round() -> None:
    protocol = PROTOCOLS["knee-oarsi-kl"]
    session = ReadingSession(protocol, case_of(protocol))
    cursor = ReadingCursor(session)
    cursor.go_to(session.keys[-1])
    give(session, session.keys[-1], 1)
    cursor.advance()
    assert cursor.key == session.keys[0]
    cursor.move(-1)
    assert cursor.key == session.keys[0]


def test_only_active_minutes_count() -> None:
    now = [0.0]
    clock = ActiveClock(lambda: now[0])
    clock.touch()
    now[0] = 30.0
    clock.touch()
    now[0] = 1030.0
    assert clock.seconds == 90.0
    clock.touch()
    clock.suspend()
    now[0] = 5000.0
    assert clock.seconds == 90.0
    clock.touch()
    now[0] = 5010.0
    assert clock.take() == (100.0, 0.0)
    now[0] = 5015.0
    assert clock.seconds == 5.0
