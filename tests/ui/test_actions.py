"""The table of actions: no key means two things, and everything is made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from reader_app.protocols.loader import available_protocols
from reader_app.protocols.model import Protocol
from reader_app.ui.actions import ACTIONS, ActionSet, Place, collisions, key_text, spec, tool_tip, valid_at
from reader_app.ui.icons import GLYPHS, icon
from reader_app.ui.keys_sheet import KeysSheet, sheet


def protocols() -> list[Protocol]:
    return [file.protocol for file in available_protocols() if file.protocol is not None]


@pytest.mark.parametrize("place", list(Place))
def test_no_key_means_two_things_at_one_place(place: Place, qtbot: QtBot) -> None:
    assert collisions(place) == ()


@pytest.mark.parametrize("place", [Place.READING, Place.ADJUDICATION])
def test_no_action_takes_a_grade_key_of_any_shipped_protocol(place: Place, qtbot: QtBot) -> None:
    shipped = protocols()
    assert len(shipped) >= 6
    assert [found for protocol in shipped for found in collisions(place, protocol)] == []


def test_a_grade_key_that_an_action_has_is_found(qtbot: QtBot) -> None:
    protocol = protocols()[0]
    feature = protocol.features[0]
    levels = (replace(feature.scale.levels[0], key="h"), *feature.scale.levels[1:])
    taken = replace(feature, scale=replace(feature.scale, levels=levels))
    found = collisions(Place.READING, replace(protocol, features=(taken,)))
    assert [(each.first, each.second) for each in found] == [("grade h", "heatmap-show")]


def test_ids_are_unique_and_icons_exist() -> None:
    assert len({row.id for row in ACTIONS}) == len(ACTIONS)
    assert {row.icon for row in ACTIONS if row.icon} <= set(GLYPHS)


def test_every_icon_can_be_painted_at_two_scales(qtbot: QtBot) -> None:
    for name in GLYPHS:
        image = icon(name).pixmap(QSize(18, 18), 2.0).toImage()
        assert image.width() == 36
        drawn = [(x, y) for x in range(36) for y in range(36) if image.pixelColor(x, y).alpha() > 128]
        assert len(drawn) > 10, name


def test_tool_tips_and_sheet_name_the_key(qtbot: QtBot) -> None:
    row = spec("lock-next")
    assert f"({key_text(row)})" in tool_tip(row)
    protocol = protocols()[0]
    lines = [line for _, part in sheet(Place.READING, protocol) for line in part]
    titles = [words for _, words in lines]
    assert {each.title.removesuffix(" …") for each in valid_at(Place.READING)} <= set(titles)
    for level in protocol.features[0].scale.levels:
        assert any(level.key in keys for keys, _ in lines)


def test_any_key_closes_the_sheet_and_goes_no_further(qtbot: QtBot) -> None:
    shown = KeysSheet(Place.READING, protocols()[0])
    qtbot.addWidget(shown)
    shown.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    shown.show()
    QTest.keyClick(shown, Qt.Key.Key_2)
    assert not shown.isVisible()


def test_an_action_works_by_key_while_the_focus_is_inside(qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    page.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    heard: list[object] = []
    handlers: dict[str, Callable[..., object]] = {
        "undo": lambda: heard.append("undo"),
        "heatmap-show": heard.append,
    }
    actions = ActionSet(page, Place.READING, handlers)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    page.setFocus()
    QTest.keyClick(page, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(page, Qt.Key.Key_H)
    assert heard == ["undo", True]
    assert "redo" not in actions


def test_an_action_of_another_place_is_a_bug(qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    with pytest.raises(KeyError):
        ActionSet(page, Place.READING, {"settle": lambda: None})
