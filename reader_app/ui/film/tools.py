"""What the left mouse button does on a film; the others do the same whatever the tool.

`FilmMouse` takes the events of a view: the right button sets the window, the middle one moves the film, and
the left one belongs to the tool in hand. Without another one that is `HandTool`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent, QPainter

from reader_app.imaging.geometry import Box
from reader_app.ui.film import marks as overlays
from reader_app.ui.film.marks import Grip, JointMark

if TYPE_CHECKING:
    from reader_app.ui.film.view import FilmView

CLICK = 4.0
"""Widget pixels that a mouse may wander between press and release of a click."""


class FilmTool:
    """What is done with the left button; points are in widget pixels.

    Parameters
    ----------
    view
        The film that it works on.
    """

    def __init__(self, view: FilmView) -> None:
        self.view = view

    def press(self, at: QPointF) -> None:
        """Begin."""

    def move(self, at: QPointF, *, start: QPointF | None, far: bool) -> None:
        """Go on; `start` is where the button went down, None while it is up."""

    def release(self, at: QPointF, *, far: bool) -> None:
        """End; `far` is False for a click without a drag."""

    def double_click(self, at: QPointF) -> None:
        """Take the second press of a double click, which comes in place of a press."""
        self.press(at)

    def abandon(self) -> None:
        """Forget what is under way."""

    def paint(self, painter: QPainter) -> None:
        """Draw what the tool has made upon the film."""

    def cursor(self, at: QPointF) -> Qt.CursorShape:
        """Return what the mouse looks like at a point."""
        del at
        return Qt.CursorShape.CrossCursor


class HandTool(FilmTool):
    """Moves the film, drags the boxes of joints by their edges and tabs, and chooses a joint by a click."""

    def __init__(self, view: FilmView) -> None:
        super().__init__(view)
        self._mark: JointMark | None = None
        self._grip: Grip | None = None
        self._last: QPointF | None = None
        self._dragged: tuple[int, Box] | None = None

    def press(self, at: QPointF) -> None:
        """Take hold of a box, or of the film."""
        self._last = at
        self._mark, self._grip = self._grip_at(at)

    def move(self, at: QPointF, *, start: QPointF | None, far: bool) -> None:
        """Move what is held."""
        last, self._last = self._last, at
        if start is None or last is None or not far:
            return
        if self._mark is not None and self._grip is not None:
            self._drag_box(self._mark, self._grip, at - start)
        else:
            step = at - last
            self.view.pan(step.x(), step.y())

    def release(self, at: QPointF, *, far: bool) -> None:
        """Let go; a click without a drag chooses the joint under it."""
        if self._dragged is not None:
            joint_id, box = self._dragged
            self.view.box_moved.emit(joint_id, box)
        elif not far:
            inside = [m for m in self.view.marks if self.view.viewport.rect(m.box).contains(at)]
            if inside:
                self.view.joint_chosen.emit(min(inside, key=lambda mark: mark.box.area).joint_id)
        self._mark, self._grip, self._last = None, None, None

    def double_click(self, at: QPointF) -> None:
        """Show the whole film again."""
        del at
        self.abandon()
        self.view.fit_film()

    def abandon(self) -> None:
        """Put a dragged box back to where it stands."""
        self._mark, self._grip, self._last, self._dragged = None, None, None, None

    def drop_box(self) -> None:
        """Forget where a box was dragged to: it is shown anew."""
        self._dragged = None

    def as_dragged(self, mark: JointMark) -> JointMark:
        """Return a mark as it is to be drawn while its box is being dragged."""
        if self._dragged is None or self._dragged[0] != mark.joint_id:
            return mark
        return JointMark(
            mark.joint_id, self._dragged[1], mark.label, mark.current, moved=True, excluded=mark.excluded
        )

    def cursor(self, at: QPointF) -> Qt.CursorShape:
        """Show what a press would take hold of."""
        _, grip = self._grip_at(at) if self.view.radiograph is not None else (None, None)
        return overlays.CURSORS[grip] if grip else Qt.CursorShape.CrossCursor

    def _drag_box(self, mark: JointMark, grip: Grip, way: QPointF) -> None:
        film = self.view.radiograph
        if film is None:
            return
        scale = self.view.viewport.scale
        moved = overlays.dragged(mark.box, grip, way.x() / scale, way.y() / scale)
        kept = overlays.kept_on_film(moved, film.header.rows, film.header.columns, grip)
        self._dragged = (mark.joint_id, kept)
        self.view.update()

    def _grip_at(self, at: QPointF) -> tuple[JointMark | None, Grip | None]:
        viewport = self.view.viewport
        for mark in sorted(self.view.marks, key=lambda mark: not mark.current):
            if overlays.label_tab(mark, viewport, self.view.font()).contains(at):
                return mark, Grip.INSIDE
            grip = overlays.grip_at(viewport.rect(mark.box), at)
            if grip is not None:
                return mark, grip
        return None, None


@dataclass
class _Held:
    """A mouse button held down, and where that began."""

    button: Qt.MouseButton
    start: QPointF
    last: QPointF
    far: bool = False


class FilmMouse:
    """Sorts the mouse of one view: left for the tool in hand, middle to move the film, right for its grays.

    Attributes
    ----------
    hand
        The tool that is in hand when there is no other one.
    """

    def __init__(self, view: FilmView) -> None:
        self._view = view
        self.hand = HandTool(view)
        self._tool: FilmTool = self.hand
        self._held: _Held | None = None

    @property
    def tool(self) -> FilmTool:
        """What the left button does."""
        return self._tool

    def take(self, tool: FilmTool | None) -> None:
        """Take a tool in hand; None puts it away."""
        self._tool.abandon()
        self._held = None
        self._tool = tool if tool is not None else self.hand

    def abandon(self) -> None:
        """Forget what is under way."""
        self._held = None
        self._tool.abandon()

    def press(self, event: QMouseEvent) -> None:
        """Begin a drag."""
        at = event.position()
        self._held = _Held(event.button(), at, at)
        if event.button() is Qt.MouseButton.LeftButton and self._view.radiograph is not None:
            self._tool.press(at)

    def move(self, event: QMouseEvent) -> None:
        """Go on with a drag, or show what a press would do."""
        at, held = event.position(), self._held
        if held is None:
            self._tool.move(at, start=None, far=False)
            self._view.setCursor(self._tool.cursor(at))
            return
        step, held.last = at - held.last, at
        held.far = held.far or (at - held.start).manhattanLength() > CLICK
        if self._view.radiograph is None:
            return
        if held.button is Qt.MouseButton.LeftButton:
            self._tool.move(at, start=held.start, far=held.far)
        elif held.far and held.button is Qt.MouseButton.RightButton:
            self._view.drag_window(step.x(), step.y())
        elif held.far:
            self._view.pan(step.x(), step.y())

    def release(self, event: QMouseEvent) -> None:
        """End a drag; a click of the right button asks for the windows to choose from."""
        held, self._held = self._held, None
        if held is None or self._view.radiograph is None:
            return
        if held.button is Qt.MouseButton.LeftButton:
            self._tool.release(event.position(), far=held.far)
        elif held.button is Qt.MouseButton.RightButton and not held.far:
            self._view.menu_asked.emit(event.position().toPoint())

    def double_click(self, event: QMouseEvent) -> None:
        """Take the second press of a double click."""
        if event.button() is Qt.MouseButton.LeftButton and self._view.radiograph is not None:
            at = event.position()
            if self._tool is not self.hand:
                self._held = _Held(event.button(), at, at)
            self._tool.double_click(at)
