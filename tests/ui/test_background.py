"""The background runner: results come back to the UI thread, faults in words, and late ones to nobody."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import QCoreApplication, QThread
from PySide6.QtWidgets import QMessageBox, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from reader_app.errors import StudyBusy
from reader_app.operations.progress import Progress
from reader_app.ui.background import Job, Operation, finish_all
from reader_app.ui.error_dialog import BugDialog


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


def test_work_runs_elsewhere_and_its_result_comes_back_here(window: QWidget, qtbot: QtBot) -> None:
    heard: list[object] = []
    here = QThread.currentThread()

    def work(job: Job) -> bool:
        job.report(Progress(1, 2, "half"))
        return QThread.currentThread() is not here

    (
        Operation(work)
        .progress(lambda progress: heard.append((progress.done, progress.total)))
        .success(lambda elsewhere: heard.append((elsewhere, QThread.currentThread() is here)))
        .done(lambda: heard.append("done"))
        .run(window)
    )
    qtbot.waitUntil(lambda: "done" in heard)
    assert heard == [(1, 2), (True, True), "done"]


def test_a_fault_is_handed_over_in_words(window: QWidget, qtbot: QtBot) -> None:
    heard: list[str] = []

    def work(_job: Job) -> None:
        raise StudyBusy("The study is in use.", "Try again.")

    Operation(work).failure(lambda fault: heard.append(fault.what)).run(window)
    qtbot.waitUntil(lambda: heard == ["The study is in use."])


def test_a_fault_that_nobody_takes_is_shown(window: QWidget, qtbot: QtBot) -> None:
    def work(_job: Job) -> None:
        raise StudyBusy("The study is in use.", "Try again.")

    Operation(work).run(window)
    qtbot.waitUntil(lambda: window.findChild(QMessageBox) is not None)
    box = window.findChild(QMessageBox)
    assert box is not None
    assert (box.text(), box.informativeText()) == ("The study is in use.", "Try again.")
    box.close()


def test_a_bug_is_logged_and_reported_and_the_buttons_come_back(
    window: QWidget, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    def work(_job: Job) -> None:
        raise ZeroDivisionError("a bug of ours")

    Operation(work).failure(lambda _: heard.append("fault")).done(lambda: heard.append("done")).run(window)
    qtbot.waitUntil(lambda: heard == ["done"])
    dialog = window.findChild(BugDialog)
    assert dialog is not None
    assert "a bug of ours" in dialog.report
    assert "ZeroDivisionError" in caplog.text
    dialog.close()


def test_nothing_is_delivered_to_a_window_that_is_gone(qtbot: QtBot) -> None:
    window = QWidget()
    heard: list[str] = []
    told = threading.Event()
    go_on = threading.Event()

    def work(job: Job) -> None:
        go_on.wait(10)
        if job.cancelled():
            told.set()

    running = Operation(work).success(lambda _: heard.append("late")).run(window)
    window.deleteLater()
    qtbot.waitUntil(lambda: not isValid(window))
    go_on.set()
    qtbot.waitUntil(lambda: not running.active())
    assert told.is_set()
    assert heard == []


def test_the_end_of_the_app_waits_for_all_work(window: QWidget, qtbot: QtBot) -> None:
    ended = threading.Event()

    def work(job: Job) -> None:
        while not job.cancelled():
            QThread.msleep(1)
        ended.set()

    Operation(work).run(window)
    application = QCoreApplication.instance()
    assert application is not None
    assert finish_all(application)
    assert ended.is_set()
