"""One film on the screen: zoom, pan, grays, and what is drawn upon it.

Painted by hand at screen resolution: a film of eight million pixels goes to the screen as a tile of
the window's size, so that a drag of the window costs what the screen shows, not what the film holds.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from reader_app.imaging.geometry import Box
from reader_app.imaging.pyramid import Pyramid
from reader_app.imaging.radiograph import Radiograph
from reader_app.ui.film import marks as overlays
from reader_app.ui.film import words as film_words
from reader_app.ui.film.heat import HeatLayer
from reader_app.ui.film.kept_lines import KeptLines
from reader_app.ui.film.labels import FilmLabels, paint_labels, paint_sides
from reader_app.ui.film.marks import JointMark
from reader_app.ui.film.planes import PlaneLayer
from reader_app.ui.film.ruler import Line, RulerTool
from reader_app.ui.film.tile import TilePainter
from reader_app.ui.film.tools import FilmMouse, FilmTool
from reader_app.ui.film.viewport import SMALLEST_SHARE, Viewport
from reader_app.ui.film.window import FilmWindow
from reader_app.ui.theme import Colour, scaled_font

__all__ = ["FilmLabels", "FilmView"]

_MARGIN = 10.0
_JOINT_MARGIN = 40.0


class FilmView(QWidget):
    """Shows one film.

    Signals
    -------
    box_moved(int, Box)
        The reader dragged the box of a joint; the box stands at the old place until it is shown anew.
    joint_chosen(int)
        The reader clicked into the box of a joint.
    pressed()
        The mouse went down anywhere on the film.
    touched()
        The mouse did anything at all: the reader is there.
    window_changed()
        The grays differ, or what else a switch shows: overlay, ruler.
    film_changed()
        Another film is shown.
    menu_asked(QPoint)
        The right button was clicked there.
    """

    box_moved = Signal(int, object)
    joint_chosen = Signal(int)
    pressed = Signal()
    touched = Signal()
    window_changed = Signal()
    film_changed = Signal()
    menu_asked = Signal(QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 160)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._tiles = TilePainter()
        self._radiograph: Radiograph | None = None
        self._sentence = ""
        self._fault = False
        self._viewport = Viewport(1.0, 0.0, 0.0, fitted=True)
        self._window: FilmWindow | None = None
        self._first_window: FilmWindow | None = None
        self._labels = FilmLabels()
        self._marks: tuple[JointMark, ...] = ()
        self._heat: HeatLayer | None = None
        self._opacity = 0.55
        self._boxes_shown = True
        self._framed = False
        self._planes: PlaneLayer | None = None
        self._mouse = FilmMouse(self)
        self.kept = KeptLines(self)

    # What is shown --------------------------------------------------------------------------------

    @property
    def radiograph(self) -> Radiograph | None:
        """The film in sight; None while it is loading or cannot be read."""
        return self._radiograph

    @property
    def viewport(self) -> Viewport:
        """Zoom and place."""
        return self._viewport

    @property
    def film_window(self) -> FilmWindow | None:
        """The grays in force; None without a film."""
        return self._window

    @property
    def sentence(self) -> str:
        """What stands in place of the film; empty while a film is shown."""
        return self._sentence

    @property
    def labels(self) -> FilmLabels:
        """What is written around the film."""
        return self._labels

    @property
    def marks(self) -> tuple[JointMark, ...]:
        """The boxes as they are drawn, none while they are switched off."""
        return self._marks if self._boxes_shown else ()

    @property
    def heatmap_shown(self) -> bool:
        """Whether a heatmap lies upon the film."""
        return self._heat is not None and self._radiograph is not None

    @property
    def tool(self) -> FilmTool:
        """What the left mouse button does."""
        return self._mouse.tool

    @property
    def measuring(self) -> bool:
        """Whether the left mouse button draws the ruler."""
        return isinstance(self.tool, RulerTool)

    @property
    def ruler(self) -> Line | None:
        """The line that is being measured."""
        return self.tool.line if isinstance(self.tool, RulerTool) else None

    @property
    def overlay_shown(self) -> bool:
        """Whether the overlays of the file lie upon the film."""
        return self._planes is not None

    def show_film(self, film: Pyramid) -> None:
        """Show a film as its file asks, fitted to the window; ruler and overlay belong to the film before."""
        self._put_tools_away()
        self._radiograph = film.radiograph
        self._sentence, self._fault = "", False
        self._first_window = FilmWindow(film.default_voi)
        self._window = self._first_window
        self._tiles.show(film)
        self.fit_film()
        self.film_changed.emit()
        self.window_changed.emit()

    def show_sentence(self, sentence: str, *, fault: bool = False) -> None:
        """Show words in place of a film: that it is loading, or why it cannot be shown."""
        self._put_tools_away()
        self._radiograph, self._window = None, None
        self._tiles.show(None)
        self._sentence, self._fault = sentence, fault
        self._heat = None
        self.update()

    def show_labels(self, labels: FilmLabels) -> None:
        """Set what is written around the film."""
        self._labels = labels
        self.update()

    def show_marks(self, marks: tuple[JointMark, ...]) -> None:
        """Set the joint boxes."""
        self._marks = marks
        self._mouse.hand.drop_box()
        self.update()

    def show_heat(self, layer: HeatLayer | None, *, opacity: float) -> None:
        """Lay a heatmap upon the film, or take it away."""
        self._heat, self._opacity = layer, opacity
        self.update()

    def show_boxes(self, shown: bool) -> None:
        """Switch the boxes on or off."""
        self._boxes_shown = shown
        self.update()

    def show_frame(self, framed: bool) -> None:
        """Frame the film as the one that is being graded, among several."""
        self._framed = framed
        self.update()

    # What a key or button does ----------------------------------------------------------------------

    def fit_film(self) -> None:
        """Show the whole film."""
        if self._radiograph is not None:
            header = self._radiograph.header
            whole = Box(0, 0, header.columns, header.rows)
            self._set_viewport(Viewport.fit(whole, self._size(), margin=_MARGIN, whole=True))

    def fit_box(self, box: Box | None) -> None:
        """Show one joint as large as it goes; the whole film where its box is unknown."""
        if box is None or box.area == 0:
            self.fit_film()
        else:
            self._set_viewport(Viewport.fit(box, self._size(), margin=_JOINT_MARGIN))

    def zoom(self, factor: float, about: QPointF | None = None) -> None:
        """Zoom about a point of the widget, its middle by default."""
        if self._radiograph is None:
            return
        header = self._radiograph.header
        whole = Viewport.fit(Box(0, 0, header.columns, header.rows), self._size(), margin=_MARGIN)
        point = about if about is not None else QPointF(self.width() / 2, self.height() / 2)
        zoomed = self._viewport.zoomed(factor, point, smallest=whole.scale * SMALLEST_SHARE)
        self._set_viewport(zoomed.kept_in(header.rows, header.columns, self._size()))

    def next_window(self) -> None:
        """Go to the next window of the file, the automatic one standing last."""
        if self._radiograph is not None and self._window is not None:
            self._set_window(self._window.following(self._radiograph))

    def automatic_window(self) -> None:
        """Set the window from the pixels."""
        if self._radiograph is not None and self._window is not None:
            self._set_window(self._window.automatic(self._radiograph))

    def invert(self, inverted: bool) -> None:
        """Turn black and white round, or back to what the file asks for."""
        if self._window is not None:
            self._set_window(self._window.turned(inverted=inverted))

    def choose_window(self, name: str) -> None:
        """Set one of the film's windows or tables, or the automatic one, by its name."""
        if self._radiograph is not None and self._window is not None:
            self._set_window(self._window.named(self._radiograph, name))

    def drag_window(self, dx: float, dy: float) -> None:
        """Set the window by hand: contrast across, brightness up and down, in widget pixels."""
        if self._radiograph is not None and self._window is not None:
            self._set_window(self._window.dragged(self._radiograph, dx, dy))

    def show_overlay(self, shown: bool) -> None:
        """Lay the file's overlays upon the film, or take them away; a film without any stays as it is."""
        planes = self._radiograph.overlays if self._radiograph is not None and shown else ()
        self._planes = PlaneLayer([plane.mask for plane in planes]) if planes else None
        self.window_changed.emit()
        self.update()

    def measure(self, wanted: bool) -> None:
        """Put the ruler into the left mouse button, or away with its line."""
        if wanted != self.measuring and (self._radiograph is not None or not wanted):
            self.use_tool(RulerTool(self) if wanted else None)
            self.window_changed.emit()

    def reset(self) -> None:
        """Show the film as at first: window, polarity, zoom and place; no overlay and no ruler."""
        if self._radiograph is not None and self._first_window is not None:
            self.measure(False)
            self._planes = None
            self._set_window(self._first_window)
            self.fit_film()

    def _put_tools_away(self) -> None:
        self._planes = None
        self._mouse.take(None)

    def _set_viewport(self, viewport: Viewport) -> None:
        self._viewport = viewport
        self.update()

    def _set_window(self, window: FilmWindow) -> None:
        self._window = window
        self.window_changed.emit()
        self.update()

    def _size(self) -> QSizeF:
        return QSizeF(self.size())

    def pan(self, dx: float, dy: float) -> None:
        """Move the film by widget pixels, never out of sight."""
        if self._radiograph is not None:
            header = self._radiograph.header
            self._set_viewport(
                self._viewport.panned(dx, dy).kept_in(header.rows, header.columns, self._size())
            )

    # Mouse ------------------------------------------------------------------------------------------

    def use_tool(self, tool: FilmTool | None) -> None:
        """Put a tool into the left mouse button; None gives it back to moving films and boxes."""
        self._mouse.take(tool)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the cursor."""
        self.touched.emit()
        self.zoom(1.0015 ** event.angleDelta().y(), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin what the button does."""
        self.touched.emit()
        self.pressed.emit()
        self._mouse.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with it, or show what a press would do."""
        self.touched.emit()
        self._mouse.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End it."""
        self._mouse.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show the whole film again, or what else the tool in hand does."""
        self._mouse.double_click(event)

    def abandon_drag(self) -> None:
        """Put a dragged box back to where it stands: its move was not stored."""
        self._mouse.hand.abandon()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep a fitted film fitted, and the middle of any other in the middle."""
        if self._viewport.fitted:
            self.fit_film()
        elif event.oldSize().isValid():
            grown = event.size() - event.oldSize()
            self._viewport = self._viewport.panned(grown.width() / 2, grown.height() / 2)
        super().resizeEvent(event)

    # Painting ---------------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the film, what lies upon it and what is written around it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), Colour.BACKDROP.qcolor)
        if self._radiograph is None or self._window is None:
            self._paint_sentence(painter)
        else:
            self._paint_film(painter, self._radiograph, self._window, planes=self._planes)
        self._paint_labels(painter)
        self.kept.paint(painter)
        self.tool.paint(painter)
        if self._framed:
            painter.setPen(QPen(Colour.ACCENT.qcolor, 2.0))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()

    def paint_for_others(self, painter: QPainter) -> None:
        """Draw what may leave the study: the film with boxes, heatmap, lengths and letters of the sides.

        What the file says in words stays out, and so do its overlays and the visit: each of them can tell
        who was imaged or when.
        """
        painter.fillRect(self.rect(), Colour.BACKDROP.qcolor)
        if self._radiograph is not None and self._window is not None:
            self._paint_film(painter, self._radiograph, self._window, planes=None)
        paint_sides(painter, QRectF(self.rect()), self.font(), self._labels)
        self.kept.paint(painter)
        self.tool.paint(painter)

    def _paint_film(
        self, painter: QPainter, film: Radiograph, window: FilmWindow, *, planes: PlaneLayer | None
    ) -> None:
        header, ratio = film.header, self.devicePixelRatioF()
        visible = self._viewport.visible(header.rows, header.columns, self._size())
        if visible.area > 0:
            self._tiles.paint(painter, self._viewport, visible, window, ratio=ratio)
        if self._heat is not None:
            whole = self._viewport.rect(Box(0, 0, header.columns, header.rows))
            self._heat.paint(painter, self._viewport, whole, opacity=self._opacity)
        if planes is not None and visible.area > 0:
            planes.paint(painter, self._viewport, visible, ratio=ratio)
        for mark in sorted(self.marks, key=lambda mark: mark.current):
            overlays.paint_mark(painter, self._mouse.hand.as_dragged(mark), self._viewport, self.font())

    def _paint_sentence(self, painter: QPainter) -> None:
        painter.setPen(Colour.WARNING.qcolor if self._fault else Colour.FAINT.qcolor)
        painter.setFont(scaled_font(self.font(), 1.15))
        area = QRectF(self.rect()).adjusted(40, 40, -40, -40)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._sentence)

    def _paint_labels(self, painter: QPainter) -> None:
        spacing: str = ""
        grays: tuple[str, ...] = ()
        if self._radiograph is not None and self._window is not None:
            spacing = film_words.spacing_words(self._radiograph.header.spacing)
            percent = self._viewport.scale * self.devicePixelRatioF() * 100
            grays = (self._window.words(self._radiograph), f"zoom {percent:.0f} %")
        paint_labels(painter, QRectF(self.rect()), self.font(), self._labels, spacing=spacing, grays=grays)
