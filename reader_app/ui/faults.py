"""What a person sees when something goes wrong: a sentence for a fault, a report for a bug."""

from __future__ import annotations

import logging
import traceback

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from reader_app import settings
from reader_app.errors import ReaderError

log = logging.getLogger(__name__)


def show_fault(parent: QWidget | None, error: ReaderError) -> QMessageBox:
    """Show the sentence of a fault and what to do next, without stopping the event loop."""
    return _box(parent, QMessageBox.Icon.Warning, error.what, error.next_step)


def report_bug(parent: QWidget | None, error: BaseException) -> QMessageBox | None:
    """Log a bug of ours with its traceback and tell the person that it happened.

    Returns
    -------
    QMessageBox or None
        The dialog; None where there is no window left to show it in.
    """
    trace = "".join(traceback.format_exception(error))
    log.error("unexpected %s\n%s", type(error).__name__, trace)
    if parent is None:
        return None
    box = _box(
        parent,
        QMessageBox.Icon.Critical,
        "Something went wrong inside reader-app. Grades that were shown as given are stored.",
        "Please send the details below to whoever looks after this installation.",
    )
    box.setDetailedText(f"{settings.software_version()}\n\n{trace}")
    return box


def _box(parent: QWidget | None, icon: QMessageBox.Icon, text: str, next_step: str) -> QMessageBox:
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle("reader-app")
    box.setIcon(icon)
    box.setText(text)
    box.setInformativeText(next_step)
    # open(), not exec(): a nested event loop would let keys through to the page behind.
    box.open()
    return box
