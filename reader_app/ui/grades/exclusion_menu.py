"""Why a joint cannot be graded: the protocol's reasons as a menu for the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QWidget

from reader_app.protocols.model import ExclusionScope
from reader_app.reading.session import ReadingSession


def show_exclusion_menu(
    parent: QWidget,
    foot: QPoint,
    session: ReadingSession,
    joint_id: int,
    *,
    chosen: Callable[[str], object],
) -> QMenu:
    """Show the reasons above a point of the parent; a digit, an arrow or the mouse chooses one.

    Returns
    -------
    QMenu
        Shown without an event loop of its own; it deletes itself.
    """
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    side = session.case.joint(joint_id).side.label
    head = menu.addAction(f"{side}: cannot be graded because of")
    head.setEnabled(False)
    menu.addSeparator()
    for number, reason in enumerate(session.protocol.exclusion_reasons, start=1):
        scope = " (whole film)" if reason.scope is ExclusionScope.RADIOGRAPH else ""
        action = menu.addAction(f"&{number}  {reason.title}{scope}")
        action.triggered.connect(partial(_choose, chosen, reason.id))
    at = parent.mapToGlobal(foot)
    menu.popup(QPoint(at.x(), at.y() - menu.sizeHint().height()))
    first = next((action for action in menu.actions() if action.isEnabled() and action.text()), None)
    if first is not None:
        menu.setActiveAction(first)
    return menu


def _choose(chosen: Callable[[str], object], reason_id: str, _checked: bool = False) -> None:
    chosen(reason_id)
