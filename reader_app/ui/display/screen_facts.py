"""What is known of the screen that a widget is on: kept with signatures and display checks."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget


def screen_facts(widget: QWidget) -> dict[str, object]:
    """Return name, size and depth of the screen that the widget is on.

    Returns
    -------
    dict
        ``name``; ``width_px`` and ``height_px`` in pixels of the device; ``width_mm`` and ``height_mm`` as
        the screen states them, 0 where it does not; ``scale``, pixels of the device for one of Qt's;
        ``depth``, bits per pixel. Empty where there is no screen.
    """
    screen = widget.screen() or QGuiApplication.primaryScreen()
    if screen is None:
        return {}
    size, physical, scale = screen.size(), screen.physicalSize(), screen.devicePixelRatio()
    return {
        "name": screen.name(),
        "width_px": round(size.width() * scale),
        "height_px": round(size.height() * scale),
        "width_mm": round(physical.width(), 1),
        "height_mm": round(physical.height(), 1),
        "scale": round(scale, 4),
        "depth": screen.depth(),
    }
