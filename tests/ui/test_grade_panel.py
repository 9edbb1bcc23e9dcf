"""The panel is made from the protocol alone: rows, cells, help, combined grades, warnings, doubt in words."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from reader_app.imaging.geometry import Box
from reader_app.protocols.loader import available_protocols
from reader_app.protocols.model import Item, Protocol, Unit
from reader_app.reading.case import Case, CaseFilm, GradeKey, Joint, JointSide
from reader_app.reading.commands import ExcludeJoint, SetGrade
from reader_app.reading.pregrade import Heatmap, PreGrade, Provenance, speaking_for
from reader_app.reading.session import ReadingSession
from reader_app.ui.film.heat import HeatLayer
from reader_app.ui.grades.help import help_html
from reader_app.ui.grades.panel import GradePanel, PanelContent
from reader_app.ui.grades.pregrade_chip import expected_place
from reader_app.ui.grades.pregrade_words import doubt, head_of, tool_tip_of, wordings
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


def pregrade(
    *odds: float, unlike: bool = False, joint: int = 1, spread: float = 0.0, remark: str = ""
) -> PreGrade:
    source = Provenance("knee-kl", "1.2", "cd" * 32, "p", "s", "x", "2026-01-01T00:00:00Z")
    by_code = dict(enumerate(odds))
    code = max(by_code, key=lambda each: by_code[each])
    key = GradeKey(joint, Item("KL"))
    return PreGrade(key, by_code, code, 3.0, unlike, Box(0, 0, 9, 9), source, spread, remark)


def test_doubt_is_said_in_words() -> None:
    assert doubt(pregrade(0.9, 0.1, 0, 0, 0)) == ""
    assert doubt(pregrade(0.45, 0.4, 0.15, 0, 0)) == "uncertain"
    assert doubt(pregrade(0.9, 0.1, 0, 0, 0, unlike=True)) == "unlike the training images"


def test_the_chip_names_bundle_and_version_in_its_tool_tip() -> None:
    text = tool_tip_of(pregrade(0.9, 0.1, 0, 0, 0), PROTOCOLS["knee-kl"].features[0].scale)
    assert "knee-kl 1.2" in text
    assert "90.0 %" in text


KL_SCALE = PROTOCOLS["knee-kl"].features[0].scale


@given(st.lists(st.floats(0.0, 1.0), min_size=5, max_size=5).filter(lambda odds: sum(odds) > 0.1))
def test_no_pregrade_is_told_as_certain(odds: list[float]) -> None:
    said = pregrade(*(each / sum(odds) for each in odds))
    told = " ".join((head_of(said), *wordings(said), tool_tip_of(said, KL_SCALE)))
    shares = [float(share) for share in re.findall(r"([\d.]+) %", told)]
    assert shares
    assert max(shares) <= 99.0
    assert min(shares) >= 1.0


def test_a_pregrade_that_is_all_but_certain_says_more_than_99() -> None:
    assert head_of(pregrade(0.0001, 0.9998, 0.0001, 0.0, 0.0)) == "AI: 1  (> 99 %)"


@given(st.lists(st.floats(0.0, 1.0), min_size=5, max_size=5).filter(lambda odds: sum(odds) > 0.1))
def test_the_expected_grade_is_marked_where_it_lies_on_the_scale(odds: list[float]) -> None:
    said = pregrade(*(each / sum(odds) for each in odds))
    place = expected_place(said, KL_SCALE)
    assert place == pytest.approx(said.expected + 0.5), "the middle of grade 0 is half a level from the edge"
    assert 0.5 <= place <= 4.5


def test_networks_that_disagree_are_said_to(panel: GradePanel) -> None:
    torn = pregrade(0.3, 0.2, 0.3, 0.1, 0.1, spread=0.9)
    assert doubt(torn) == "uncertain, its answers disagree"
    assert "differ by 0.90 grades" in tool_tip_of(torn, KL_SCALE)
    assert doubt(pregrade(0.9, 0.1, 0, 0, 0, spread=0.2)) == ""


def with_pregrades(panel: GradePanel, *said: PreGrade, silent: str = "", note: str = "") -> None:
    protocol = PROTOCOLS["knee-kl"]
    session = ReadingSession(protocol, case_of(protocol))
    by_key = {each.key: each for each in said}
    left_out = {key: silent for key in session.keys if key not in by_key and silent}
    panel.show_content(
        PanelContent(session, session.case.films[0], session.keys[0], by_key, note, silent=left_out)
    )
    QApplication.processEvents()


def test_the_panel_names_the_bundle_and_what_is_remarked(panel: GradePanel) -> None:
    marker = "The marker R contradicts the position of the joint."
    right = pregrade(0.3, 0.4, 0.3, 0, 0, joint=11, remark=marker, spread=0.9)
    with_pregrades(panel, pregrade(0.9, 0.1, 0, 0, 0, joint=10), right)
    box = panel.pregrades
    assert box.source == "knee-kl 1.2"
    assert box.remark == f"Right: uncertain, its answers disagree\nRight: {marker}"
    assert len(box.chip_texts()) == 2
    assert box.note == ""


def test_a_joint_without_a_pregrade_is_told_why(panel: GradePanel) -> None:
    with_pregrades(panel, pregrade(0.9, 0.1, 0, 0, 0, joint=11), silent="This joint has no pre-grade yet.")
    assert panel.chip_texts()[1] == "No pre-grade"
    assert panel.note == "Left: This joint has no pre-grade yet."
    with_pregrades(panel, silent="The bundle x 1 does not grade this item.", note="Amended.")
    assert panel.chip_texts() == ()
    assert panel.note == "Amended.\nThe bundle x 1 does not grade this item."


def test_a_grade_for_a_whole_feature_speaks_at_each_of_its_sites_and_says_what_it_is(
    panel: GradePanel,
) -> None:
    protocol = PROTOCOLS["hip-oarsi"]
    session = ReadingSession(protocol, case_of(protocol))
    whole = {
        key: replace(pregrade(0.05, 0.05, 0.85, 0.05), key=key)
        for key in (GradeKey(10, Item("FO")), GradeKey(11, Item("FO")), GradeKey(11, Item("AO")))
    }
    shown = []
    for site in ("superior", "inferior"):
        key = GradeKey(11, Item("FO", site))
        panel.show_content(PanelContent(session, session.case.films[0], key, whole, ""))
        QApplication.processEvents()
        shown.append(panel.chip_texts())
        assert panel.pregrades.source == "knee-kl 1.2  ·  one grade for the feature, that of its worse site"
        assert panel.note == ""
    assert shown[0] == shown[1] == (("AI: 2  (85 %)",) * 2)
    # A site of another feature, or of the joint without one, is not spoken for.
    assert speaking_for(whole, GradeKey(10, Item("AO", "superior"))) is None
    assert speaking_for(whole, GradeKey(11, Item("JSN", "medial"))) is None
    own = {**whole, GradeKey(11, Item("FO", "superior")): replace(pregrade(0.9, 0.1), key=key)}
    assert (
        speaking_for(own, GradeKey(11, Item("FO", "superior"))) == own[GradeKey(11, Item("FO", "superior"))]
    )


def test_the_legend_says_what_the_colours_mean(panel: GradePanel) -> None:
    legend = panel.pregrades.legend
    assert legend.text == ""
    for signed, words in ((False, "yellow weighed most"), (True, "red raises the grade, blue lowers it")):
        flat = Heatmap(np.zeros((2, 2), np.float32), np.eye(2, 3), signed=signed)
        legend.show_layer(HeatLayer.of(flat))
        assert words in legend.text
    legend.show_layer(None)
    assert legend.text == ""


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
