"""The films of a case together; one of them is being graded."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from reader_app.ui.film.view import FilmView
from reader_app.ui.theme import Colour, fill_background

STACK_GAIN = 1.15
"""How much larger films must become to stand one below the other rather than side by side."""


class FilmRow(QWidget):
    """Holds one view a film.

    Views are kept from case to case: a widget that is made anew flickers.

    Signals
    -------
    film_chosen(int)
        The reader pressed the mouse on the film with this radiograph id.
    box_moved(int, Box), joint_chosen(int)
        As of `FilmView`, from any of the films, like `window_changed` and `touched`.
    menu_asked(QPoint)
        The right button was clicked on the current film: a press has just made it that.
    """

    film_chosen = Signal(int)
    box_moved = Signal(int, object)
    joint_chosen = Signal(int)
    window_changed = Signal()
    touched = Signal()
    menu_asked = Signal(QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        fill_background(self, Colour.BACKDROP)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self._views: list[FilmView] = []
        self._ids: tuple[int, ...] = ()
        self._current: int | None = None

    def show_films(self, radiograph_ids: tuple[int, ...]) -> None:
        """Make one view for each film; all empty, the first current."""
        while len(self._views) < len(radiograph_ids):
            self._add_view()
        self._ids = radiograph_ids
        for number, view in enumerate(self._views):
            view.setVisible(number < len(radiograph_ids))
            if number >= len(radiograph_ids):
                view.show_sentence("")  # lets go of its film
        self.show_current(radiograph_ids[0] if radiograph_ids else None)

    def view(self, radiograph_id: int) -> FilmView:
        """Return the view of a film; raises ValueError if the case has no such film."""
        return self._views[self._ids.index(radiograph_id)]

    def current(self) -> FilmView | None:
        """Return the view of the film that is being graded."""
        return self.view(self._current) if self._current is not None else None

    def show_current(self, radiograph_id: int | None) -> None:
        """Frame the film that is being graded; a film alone needs no frame."""
        self._current = radiograph_id
        for id_, view in zip(self._ids, self._views, strict=False):
            view.show_frame(len(self._ids) > 1 and id_ == radiograph_id)

    def each(self) -> Iterator[FilmView]:
        """Go through the views in use."""
        return iter(self._views[: len(self._ids)])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose again how the films stand."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Put the films side by side, or one below the other where that shows them clearly larger."""
        films = [view.radiograph for view in self.each() if view.radiograph is not None]
        if len(self._ids) < 2 or not films:
            return
        rows = max(film.header.rows for film in films)
        columns = max(film.header.columns for film in films)
        count = len(self._ids)
        beside = min(self.width() / count / columns, self.height() / rows)
        below = min(self.width() / columns, self.height() / count / rows)
        stacked = below > beside * STACK_GAIN
        self._row.setDirection(
            QBoxLayout.Direction.TopToBottom if stacked else QBoxLayout.Direction.LeftToRight
        )

    def _add_view(self) -> None:
        view = FilmView(self)
        place = len(self._views)
        view.pressed.connect(self._chooser(place))
        view.box_moved.connect(self.box_moved)
        view.joint_chosen.connect(self.joint_chosen)
        view.window_changed.connect(self.window_changed)
        view.touched.connect(self.touched)
        view.menu_asked.connect(self.menu_asked)
        view.film_changed.connect(self._arrange)
        self._views.append(view)
        self._row.addWidget(view, 1)

    def _chooser(self, place: int) -> Callable[[], None]:
        def choose() -> None:
            if place < len(self._ids):
                self.film_chosen.emit(self._ids[place])

        return choose
