"""What keys and buttons do to films, wherever films are shown: zoom, grays, overlay, ruler, export."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Signal

from reader_app.ui.film.export import ViewExport
from reader_app.ui.film.row import FilmRow
from reader_app.ui.film.view import FilmView
from reader_app.ui.film.window_menu import show_window_menu

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from reader_app.ui.actions import ActionSet

ZOOM_STEP = 1.25
NO_OVERLAY = "This film has no overlay, or none that was checked for names."


class FilmCommands(QObject):
    """The image's actions upon a row of films.

    Parameters
    ----------
    films
        The row; what is said of one film goes to the current one.
    file_name
        Proposes a name for an exported view; it must tell nothing of who was imaged or when.

    Signals
    -------
    said(str)
        Something is to be told.
    failed(ReaderError)
        Something went wrong.
    """

    said = Signal(str)
    failed = Signal(object)

    def __init__(self, films: FilmRow, *, file_name: Callable[[], str] | None = None) -> None:
        super().__init__(films)
        self._films = films
        self._switches: dict[str, QAction] = {}
        self._export = ViewExport(films, file_name) if file_name is not None else None
        if self._export is not None:
            self._export.said.connect(self.said)
            self._export.failed.connect(self.failed)
        films.menu_asked.connect(self._show_menu)
        films.window_changed.connect(self._show_switches)

    def handlers(self) -> dict[str, Callable[..., object]]:
        """Return what each action does, by its id in the table of actions."""
        on_film = self._on_film
        known: dict[str, Callable[..., object]] = {
            "fit-film": self.fit_all,
            "zoom-in": partial(on_film, lambda view: view.zoom(ZOOM_STEP)),
            "zoom-out": partial(on_film, lambda view: view.zoom(1 / ZOOM_STEP)),
            "window-next": partial(on_film, FilmView.next_window),
            "window-automatic": partial(on_film, FilmView.automatic_window),
            "window-choose": self.choose_window,
            "invert": self._invert,
            "overlay-show": self._show_overlay,
            "measure": self._measure,
            "reset": self.reset,
        }
        if self._export is not None:
            known["export-view"] = self._export.ask
        return known

    def follow(self, actions: ActionSet) -> None:
        """Keep the switches among the actions as the current film is."""
        names = ("invert", "overlay-show", "measure")
        self._switches = {name: actions[name] for name in names if name in actions}
        self._show_switches()

    def end_tool(self) -> bool:
        """Put the ruler away; say whether there was one."""
        measuring = any(view.measuring for view in self._films.each())
        self._measure(False)
        return measuring

    def fit_all(self) -> None:
        """Show every film whole."""
        for view in self._films.each():
            view.fit_film()

    def reset(self) -> None:
        """Show every film as at first."""
        for view in self._films.each():
            view.reset()

    def choose_window(self) -> None:
        """Offer the windows of the current film by name."""
        view = self._films.current()
        if view is not None:
            show_window_menu(view, QPoint(view.width() // 3, view.height() // 3))

    def _show_menu(self, at: QPoint) -> None:
        view = self._films.current()
        if view is not None:
            show_window_menu(view, at)

    def _on_film(self, how: Callable[[FilmView], None]) -> None:
        view = self._films.current()
        if view is not None:
            how(view)

    def _invert(self, inverted: bool) -> None:
        for view in self._films.each():
            view.invert(inverted)

    def _measure(self, wanted: bool) -> None:
        for view in self._films.each():
            view.measure(wanted)
        self._show_switches()

    def _show_overlay(self, wanted: bool) -> None:
        for view in self._films.each():
            view.show_overlay(wanted)
        if wanted:
            current = self._films.current()
            film = current.radiograph if current is not None else None
            planes = film.overlays if film is not None else ()
            names = ", ".join(plane.name for plane in planes)
            self.said.emit(f"Overlay of the file: {names}." if planes else NO_OVERLAY)
        self._show_switches()

    def _show_switches(self) -> None:
        view = self._films.current()
        if view is None:
            return
        window = view.film_window
        states = {
            "invert": window is not None and window.inverted,
            "overlay-show": view.overlay_shown,
            "measure": view.measuring,
        }
        for name, action in self._switches.items():
            action.blockSignals(True)
            action.setChecked(states[name])
            action.blockSignals(False)
