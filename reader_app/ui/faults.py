"""What a person sees when something goes wrong: a sentence for a fault, a report for a bug."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.error_dialog import tell_bug, write_bug


def show_fault(parent: QWidget | None, error: ReaderError) -> QMessageBox:
    """Show the sentence of a fault and what to do next, without stopping the event loop."""
    return _box(parent, QMessageBox.Icon.Warning, error.what, error.next_step)


def report_bug(parent: QWidget | None, error: BaseException) -> None:
    """Log a bug of ours with its traceback and tell the person that it happened, where a window is left."""
    if parent is None:
        write_bug(error)
    else:
        tell_bug(parent, error)


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
