"""Icons by what they mean. One font of vector glyphs, so that they stay crisp at every scale."""

from __future__ import annotations

from functools import cache

import qtawesome
from PySide6.QtGui import QIcon
from qtawesome.iconic_font import IconicFont

from reader_app.ui.theme import Colour

_PREFIX = "mdi6"

GLYPHS = {
    "accept": "check-bold",
    "account": "account-outline",
    "adjudicate": "scale-balance",
    "back": "arrow-left",
    "box": "crop-free",
    "box-out": "rectangle",
    "calibrate": "tape-measure",
    "checked": "check-circle-outline",
    "chart": "chart-box-outline",
    "clear": "backspace-outline",
    "close": "close",
    "coordinator": "clipboard-account-outline",
    "design": "clipboard-list-outline",
    "exclude": "cancel",
    "export": "image-move",
    "fit-film": "fit-to-page-outline",
    "fit-joint": "image-filter-center-focus",
    "folder": "folder-open-outline",
    "heatmap": "blur-radial",
    "import": "image-plus",
    "invert": "invert-colors",
    "keys": "keyboard-outline",
    "lock": "lock-outline",
    "log-out": "logout",
    "measure": "ruler",
    "new": "plus",
    "next": "chevron-right",
    "overlay": "layers-outline",
    "pregrade": "creation-outline",
    "polarity": "circle-opacity",
    "previous": "chevron-left",
    "read": "file-document-edit-outline",
    "redo": "redo",
    "reset": "restore",
    "undo": "undo",
    "waiting": "circle-outline",
    "warning": "alert-outline",
    "window": "contrast-circle",
    "window-choose": "contrast-box",
    "worklist": "format-list-checkbox",
    "zoom-in": "magnify-plus-outline",
    "zoom-out": "magnify-minus-outline",
    "in-progress": "circle-half-full",
    "locked": "check-circle-outline",
    "fault": "alert-circle-outline",
}
"""Our names and the names of the font."""


@cache
def icon(name: str, colour: Colour = Colour.TEXT) -> QIcon:
    """Return an icon by one of our names; needs a running QApplication.

    Raises
    ------
    KeyError
        If there is no such icon; a bug of the caller.
    """
    made: QIcon = _font().icon(
        f"{_PREFIX}.{GLYPHS[name]}",
        color=colour.value,
        color_active=colour.value,
        color_selected=colour.value,
        color_disabled=Colour.FAINT.value,
    )
    return made


@cache
def _font() -> IconicFont:
    # The package's own function would load all of its fonts: six times slower at the start.
    return IconicFont(*(font for font in qtawesome._BUNDLED_FONTS if font[0] == _PREFIX))
