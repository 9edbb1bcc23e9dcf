"""What the key for exclusions does: reasons to choose from, or an exclusion taken back."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from reader_app.ui.grades.exclusion_menu import show_exclusion_menu
from reader_app.ui.reading.flow import ReadingFlow

_ABOVE_FOOT = QPoint(12, -60)


def ask_exclusion(flow: ReadingFlow, panel: QWidget) -> None:
    """Show the protocol's reasons as a menu at the panel's foot; on an excluded joint, take it back."""
    case, key = flow.case, flow.cursor.key if flow.cursor is not None else None
    if case is None or key is None:
        return
    if case.session.exclusion(key.joint_id) is not None:
        flow.include()
        return
    foot = QPoint(0, panel.height()) + _ABOVE_FOOT
    show_exclusion_menu(panel, foot, case.session, key.joint_id, chosen=flow.exclude)
