"""Where a film stands on the screen: zoom and place as a value, with the sums in both directions."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QTransform

from reader_app.imaging.geometry import Box

LARGEST_SCALE = 40.0
"""Screen pixels a film pixel: beyond this there is nothing left to see but squares."""
SMALLEST_SHARE = 0.2
"""Of the scale that fits the film: smaller than this a film is lost on the screen."""


@dataclass(frozen=True)
class Viewport:
    """Maps film pixels to widget pixels: ``widget = film * scale + offset``.

    Attributes
    ----------
    scale
        Widget pixels a film pixel.
    x, y
        Where the film's upper left corner lies in the widget.
    fitted
        Whether the whole film is shown and should go on being shown when the widget is resized.
    """

    scale: float
    x: float
    y: float
    fitted: bool = False

    @classmethod
    def fit(cls, box: Box, size: QSizeF, *, margin: float = 0.0, whole: bool = False) -> Viewport:
        """Return the viewport that shows a box of the film as large as the widget allows.

        Parameters
        ----------
        margin
            Widget pixels kept free on every side.
        whole
            Whether the box is the whole film.
        """
        width = max(size.width() - 2 * margin, 1.0)
        height = max(size.height() - 2 * margin, 1.0)
        scale = min(width / max(box.width, 1.0), height / max(box.height, 1.0), LARGEST_SCALE)
        centre_x, centre_y = box.centre
        return cls(
            scale, size.width() / 2 - centre_x * scale, size.height() / 2 - centre_y * scale, fitted=whole
        )

    def to_widget(self, x: float, y: float) -> QPointF:
        """Return where a point of the film lies in the widget."""
        return QPointF(x * self.scale + self.x, y * self.scale + self.y)

    def to_film(self, point: QPointF) -> tuple[float, float]:
        """Return which point of the film (x, y) lies under a point of the widget."""
        return ((point.x() - self.x) / self.scale, (point.y() - self.y) / self.scale)

    def rect(self, box: Box) -> QRectF:
        """Return a box of the film in the widget."""
        return QRectF(self.to_widget(box.x, box.y), QSizeF(box.width * self.scale, box.height * self.scale))

    def transform(self) -> QTransform:
        """Return the map from film to widget for a painter."""
        return QTransform(self.scale, 0.0, 0.0, self.scale, self.x, self.y)

    def panned(self, dx: float, dy: float) -> Viewport:
        """Return the viewport moved by widget pixels."""
        return replace(self, x=self.x + dx, y=self.y + dy, fitted=False)

    def zoomed(self, factor: float, about: QPointF, *, smallest: float) -> Viewport:
        """Return the viewport zoomed so that what lies under `about` stays there.

        Parameters
        ----------
        smallest
            The least scale allowed.
        """
        scale = min(max(self.scale * factor, smallest), LARGEST_SCALE)
        film_x, film_y = self.to_film(about)
        return Viewport(scale, about.x() - film_x * scale, about.y() - film_y * scale)

    def kept_in(self, rows: int, columns: int, size: QSizeF) -> Viewport:
        """Return the viewport with the film's middle third never pushed out of the widget."""
        width, height = columns * self.scale, rows * self.scale
        x = min(max(self.x, size.width() / 3 - width), size.width() * 2 / 3)
        y = min(max(self.y, size.height() / 3 - height), size.height() * 2 / 3)
        return replace(self, x=x, y=y)

    def visible(self, rows: int, columns: int, size: QSizeF) -> Box:
        """Return the part of the film inside the widget; empty if there is none."""
        left, top = self.to_film(QPointF(0, 0))
        return Box(left, top, size.width() / self.scale, size.height() / self.scale).clipped(rows, columns)
