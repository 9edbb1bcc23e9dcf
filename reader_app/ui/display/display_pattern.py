"""A test pattern for the screen on which films are read: what a screen that is set well shows, all of it.

The parts follow what quality control of medical displays looks at (AAPM On-Line Report 03 and IEC 62563-1):
steps of gray, a patch of 5 % within black and one of 95 % within white, single lines, even corners.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

STEPS = 16
"""Of gray, from black to white."""

NEAR_BLACK, NEAR_WHITE = round(0.05 * 255), round(0.95 * 255)
"""Gray levels of the faint patches."""

BACKGROUND, CORNER = 64, 204
_LINE_PIXELS = 160


class DisplayPattern(QWidget):
    """Draws the pattern over its whole area, in pixels of the device and without smoothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(640, 320)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Test pattern of the screen")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: draw it; single lines stay single whatever the scale of the screen is."""
        del event
        scale = self.devicePixelRatioF()
        painter = QPainter(self)
        pattern = pattern_image(round(self.width() * scale), round(self.height() * scale))
        pattern.setDevicePixelRatio(scale)
        painter.drawImage(QPoint(0, 0), pattern)
        painter.end()


def pattern_image(width: int, height: int) -> QImage:
    """Return the pattern for an area of so many pixels of the device, 8 bits of gray."""
    image = QImage(width, height, QImage.Format.Format_Grayscale8)
    image.fill(BACKGROUND)
    painter = QPainter(image)
    edge = max(min(width, height) // 9, 48)
    for place in _corners(width, height, edge):
        painter.fillRect(place, _gray(CORNER))
    _steps(painter, QRect(2 * edge, edge // 2, width - 4 * edge, int(1.6 * edge)))
    side = min(int(0.42 * height), (width - 5 * edge) // 3)
    top = edge // 2 + int(1.6 * edge) + edge // 2
    gap = (width - 4 * edge - 3 * side) // 2
    left = 2 * edge
    _faint(painter, QRect(left, top, side, side), ground=0, patch=NEAR_BLACK)
    _lines(painter, QRect(left + side + gap, top, side, side))
    _faint(painter, QRect(left + 2 * (side + gap), top, side, side), ground=255, patch=NEAR_WHITE)
    painter.end()
    return image


def _corners(width: int, height: int, edge: int) -> tuple[QRect, ...]:
    far_x, far_y = width - edge - edge // 2, height - edge - edge // 2
    near = edge // 2
    return tuple(QRect(x, y, edge, edge) for x in (near, far_x) for y in (near, far_y))


def _steps(painter: QPainter, area: QRect) -> None:
    for step in range(STEPS):
        left = area.left() + area.width() * step // STEPS
        right = area.left() + area.width() * (step + 1) // STEPS
        level = round(255 * step / (STEPS - 1))
        painter.fillRect(QRect(left, area.top(), right - left, area.height()), _gray(level))


def _faint(painter: QPainter, area: QRect, *, ground: int, patch: int) -> None:
    """Four faint patches of different size on black or white."""
    painter.fillRect(area, _gray(ground))
    half = area.width() // 2
    for number, part in enumerate((2, 3, 4, 6)):
        size = max(area.width() // (2 * part), 4)
        x = area.left() + (number % 2) * half + (half - size) // 2
        y = area.top() + (number // 2) * half + (half - size) // 2
        painter.fillRect(QRect(x, y, size, size), _gray(patch))


def _lines(painter: QPainter, area: QRect) -> None:
    """Pairs of lines, upright and level, one and two pixels wide; black on white and close to each other."""
    half = area.width() // 2
    size = min(half - 8, _LINE_PIXELS)
    painter.fillRect(area, _gray(BACKGROUND))
    for number, (wide, upright, dark, light) in enumerate(
        ((1, True, 0, 255), (1, False, 0, 255), (2, True, 112, 144), (2, False, 112, 144))
    ):
        corner = area.topLeft() + QPoint(
            (number % 2) * half + (half - size) // 2, (number // 2) * half + (half - size) // 2
        )
        painter.fillRect(QRect(corner.x(), corner.y(), size, size), _gray(light))
        for at in range(0, size, 2 * wide):
            thick = min(wide, size - at)
            line = (
                QRect(corner.x() + at, corner.y(), thick, size)
                if upright
                else QRect(corner.x(), corner.y() + at, size, thick)
            )
            painter.fillRect(line, _gray(dark))


def _gray(level: int) -> QColor:
    return QColor(level, level, level)
