"""An adjudicator at the page: opening it, pressing keys, reading what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from reader_app.operations.design import set_design
from reader_app.operations.study import Study
from reader_app.store.records import Actor
from reader_app.ui.adjudication.page import AdjudicationPage

Enter = Callable[[Study, str], Actor]


def opened(qtbot: QtBot, study: Study, actor: Actor) -> AdjudicationPage:
    page = AdjudicationPage(study, actor, settle_milliseconds=0)
    qtbot.addWidget(page, before_close_func=lambda page: page.leave())
    page.failed.connect(lambda fault: pytest.fail(str(fault)))
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    qtbot.waitUntil(lambda: bool(page.model.disagreements) and page.ready, timeout=20_000)
    return page


def press(qtbot: QtBot, page: AdjudicationPage, key: Qt.Key) -> None:
    qtbot.waitUntil(lambda: page.ready, timeout=20_000)
    before = page.current
    QTest.keyClick(page.table, key)
    qtbot.waitUntil(lambda: not page.storing and page.current is not before, timeout=20_000)


def words(page: AdjudicationPage) -> str:
    return " ".join(label.text() for label in page.findChildren(QLabel) if label.isVisibleTo(page))


def redesigned(study: Study, coordinator: Actor, **adjudicating: Any) -> Study:
    """The study under a design that differs in how it is adjudicated."""
    chosen = replace(study.design.adjudication, **adjudicating)
    return set_design(
        study, coordinator, replace(study.design, adjudication=chosen), reason="adjudicated otherwise"
    )
