"""What is black and what is white on a film, for everybody: as its file says, or the other way round."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QWidget

_CHOICES: tuple[tuple[str, bool | None], ...] = (
    ("&1  As the file says", None),
    ("&2  Inverse: turn the stored values round", True),
    ("&3  Upright: show the stored values as they are", False),
)


def show_polarity_menu(
    parent: QWidget, at: QPoint, current: bool | None, chosen: Callable[[bool | None], object]
) -> QMenu:
    """Show the choices at a point of the parent; a digit, an arrow or the mouse chooses one.

    Returns
    -------
    QMenu
        Shown without an event loop of its own; it deletes itself.
    """
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    head = menu.addAction("Polarity for everybody")
    head.setEnabled(False)
    menu.addSeparator()
    for words, inverse in _CHOICES:
        action = menu.addAction(words)
        action.setCheckable(True)
        action.setChecked(inverse is current)
        action.triggered.connect(partial(_choose, chosen, inverse))
        if inverse is current:
            menu.setActiveAction(action)
    menu.popup(parent.mapToGlobal(at))
    return menu


def _choose(chosen: Callable[[bool | None], object], inverse: bool | None, _checked: bool = False) -> None:
    chosen(inverse)
