"""The windows and tables of a film by name, to choose from."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu

from reader_app.imaging.display import voi_choices
from reader_app.imaging.voi import LookupTable
from reader_app.ui.film.view import FilmView


def show_window_menu(view: FilmView, at: QPoint) -> QMenu | None:
    """Show the windows of a film at a point of its view; a digit, an arrow or the mouse chooses one.

    Returns
    -------
    QMenu or None
        Shown without an event loop of its own; it deletes itself. None while there is no film.
    """
    film, current = view.radiograph, view.film_window
    if film is None or current is None:
        return None
    menu = QMenu(view)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    head = menu.addAction("Window")
    head.setEnabled(False)
    menu.addSeparator()
    marked = None
    for number, choice in enumerate(voi_choices(film), start=1):
        kind = " (table)" if isinstance(choice, LookupTable) else ""
        # A name from a file must not set a key of its own.
        name = choice.name.replace("&", "&&")
        action = menu.addAction(f"&{number}  {name}{kind}" if number < 10 else f"{name}{kind}")
        action.setCheckable(True)
        action.setChecked(choice.name == current.voi.name)
        action.triggered.connect(partial(_choose, view, choice.name))
        marked = action if action.isChecked() or marked is None else marked
    menu.popup(view.mapToGlobal(at))
    if marked is not None:
        menu.setActiveAction(marked)
    return menu


def _choose(view: FilmView, name: str, _checked: bool = False) -> None:
    view.choose_window(name)
