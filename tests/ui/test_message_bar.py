"""The line at the foot of a page: a message is never cut for the sake of the keys beside it."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from reader_app.ui.message_bar import MessageBar

KEYS = "N next   C checked   B box out   K calibrate   ? all keys"
LONG = "Parts boxed out: 1. The pre-grades of 2 joints were made on the film as it was and are withdrawn."


def test_the_keys_give_way_to_a_long_message_and_come_back(qtbot: QtBot) -> None:
    bar = MessageBar()
    qtbot.addWidget(bar)
    bar.resize(900, 28)
    bar.show()
    bar.hint(KEYS)
    assert KEYS in shown(bar)

    bar.warn(LONG)

    assert shown(bar) == [LONG]
    bar.resize(2000, 28)
    assert set(shown(bar)) >= {LONG, KEYS}
    bar.resize(900, 28)
    bar.clear()
    assert KEYS in shown(bar)


def shown(bar: MessageBar) -> list[str]:
    from PySide6.QtWidgets import QLabel

    return [label.text() for label in bar.findChildren(QLabel) if label.isVisible() and label.text()]
