"""The coordinator's report tab: what it exports besides the report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pytestqt.qtbot import QtBot

from reader_app.errors import ReaderError
from reader_app.operations.freeze import freeze
from reader_app.operations.study import Study
from reader_app.store.records import Actor
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.report_page import EXPORT_FOLDER, ReportSection

Enter = Callable[[Study, str], Actor]


def test_consensus_and_flow_are_written_at_the_press_of_a_button(
    qtbot: QtBot, read_study: Study, enter: Enter, passwords: dict[str, str]
) -> None:
    carla = enter(read_study, "Carla")
    jobs = JobsPanel()
    page = ReportSection(read_study, carla, jobs=jobs, writes=True)
    qtbot.addWidget(jobs)
    qtbot.addWidget(page)
    page.show()
    failed: list[ReaderError] = []
    said: list[str] = []
    page.failed.connect(failed.append)
    page.said.connect(lambda what, _next: said.append(what))
    folder: Path = read_study.folder / "exports" / EXPORT_FOLDER

    page.run_export()
    qtbot.waitUntil(lambda: not jobs.titles, timeout=30_000)
    assert "before the study is frozen" in str(failed[0])
    assert not folder.exists()

    freeze(read_study, carla, password=passwords["Carla"], reason="done", although_unfinished=True)
    page.run_export()
    qtbot.waitUntil(lambda: bool(said), timeout=30_000)
    assert sorted(path.name for path in folder.iterdir()) == ["consensus.csv", "consensus.json", "flow.svg"]
    assert str(folder) in said[0]
    assert "Anna" not in (folder / "consensus.csv").read_text(encoding="utf-8")
    qtbot.waitUntil(lambda: not jobs.titles)
    assert page.export.isEnabled()
