"""A coordinator sends a settled grade back: marked, with a reason, by keys alone, and sees no grade."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from reader_app.operations import adjudicate
from reader_app.operations.study import Study
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.settled_section import SettledSection
from tests.ui.adjudicating import Enter


def opened(qtbot: QtBot, study: Study, who: str, enter: Enter) -> SettledSection:
    from reader_app.operations.status import status

    actor = enter(study, who)
    jobs = JobsPanel()
    qtbot.addWidget(jobs)
    section = SettledSection(study, actor, jobs=jobs, writes=who == "Carla")
    qtbot.addWidget(section)
    with qtbot.waitActive(section):
        section.show()
        section.activateWindow()
    section.show_counts(status(study, actor))
    return section


def settle_gravest(study: Study, enter: Enter) -> None:
    zoe = enter(study, "Zoe")
    gravest = adjudicate.queue(study, zoe)[0]
    adjudicate.settle_disagreement(study, zoe, gravest, code=4, rationale="a telling osteophyte")


def test_a_settled_grade_goes_back_with_a_reason(qtbot: QtBot, read_study: Study, enter: Enter) -> None:
    settle_gravest(read_study, enter)
    section = opened(qtbot, read_study, "Carla", enter)
    qtbot.waitUntil(lambda: bool(section.table.rows.rows))
    ((case, *_, how, by, _when),) = section.table.rows.rows
    assert (str(case)[:4], how, by) == ("Case", "third reader", "Zoe")
    text = " ".join(str(cell) for cell in section.table.rows.rows[0])
    assert "telling" not in text
    assert "Severe" not in text
    said: list[str] = []
    section.said.connect(lambda what, _next: said.append(what))
    section.table.setFocus()
    QTest.keyClick(section.table, Qt.Key.Key_Return)
    qtbot.waitUntil(section.reason.hasFocus)
    QTest.keyClick(section.reason, Qt.Key.Key_Return)
    assert not section.busy, "without a reason nothing happens"
    assert "why" in section.fault.text()
    QTest.keyClicks(section.reason, "wrong film in front")
    QTest.keyClick(section.reason, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(said) and not section.busy, timeout=20_000)
    assert "is open again" in said[0]
    assert all(one.settled is None for one in adjudicate.queue(read_study, enter(read_study, "Zoe")))


def test_an_auditor_looks_and_changes_nothing(qtbot: QtBot, read_study: Study, enter: Enter) -> None:
    settle_gravest(read_study, enter)
    section = opened(qtbot, read_study, "Otto", enter)
    qtbot.waitUntil(lambda: bool(section.table.rows.rows))
    assert section.reason.isHidden()
    assert section.button.isHidden()
