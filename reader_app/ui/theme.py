"""The look of the app for a dark room: one palette, a few sizes, next to no stylesheet.

Colours that carry a meaning come from the set of Okabe and Ito (Color Universal Design, 2008), which
readers with any common colour vision tell apart; the surfaces stay below the brightness of a film.
"""

from __future__ import annotations

from enum import Enum

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

FONT_POINTS = 10.0
SPACING = 8
"""The step of margins and gaps, in device-independent pixels."""


class Colour(Enum):
    """Every colour of the app by what it is for."""

    BACKDROP = "#050607"
    """Around a film: so dark that the pupil stays wide, not so black that the window's edge is lost."""
    SURFACE = "#131518"
    """Panels and pages."""
    FIELD = "#0c0e10"
    """Where text is typed and lists stand."""
    RAISED = "#212429"
    """Buttons, cards, menus."""
    LINE = "#363b42"
    """Hairlines and frames."""
    TEXT = "#d8dbdf"
    MUTED = "#9aa2ab"
    """What is there to be found, not to be seen first."""
    FAINT = "#6b737d"
    """Disabled."""
    ACCENT = "#56b4e9"
    """The reader: the current item, the focus, a grade given."""
    ACCENT_DEEP = "#1d5f8a"
    """A filled surface in the accent, dark enough for text upon it."""
    AI = "#cc79a7"
    """Whatever a machine said: never used for what a person said."""
    AI_DEEP = "#5e3049"
    MEASURE = "#f0e442"
    """A line that somebody drew across a film, and what it says."""
    OVERLAY = "#4fd6c8"
    """What the file itself wants drawn upon the film."""
    WARNING = "#e69f00"
    DANGER = "#f0793a"
    GOOD = "#3fbf9b"

    @property
    def qcolor(self) -> QColor:
        """The colour for a painter."""
        return QColor(self.value)

    def faded(self, alpha: float) -> QColor:
        """Return the colour with an opacity from 0 to 1."""
        colour = QColor(self.value)
        colour.setAlphaF(alpha)
        return colour


def dark_palette() -> QPalette:
    """Return the palette of the whole app; no role is left light."""
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: Colour.SURFACE,
        QPalette.ColorRole.WindowText: Colour.TEXT,
        QPalette.ColorRole.Base: Colour.FIELD,
        QPalette.ColorRole.AlternateBase: Colour.SURFACE,
        QPalette.ColorRole.Text: Colour.TEXT,
        QPalette.ColorRole.PlaceholderText: Colour.FAINT,
        QPalette.ColorRole.Button: Colour.RAISED,
        QPalette.ColorRole.ButtonText: Colour.TEXT,
        QPalette.ColorRole.BrightText: Colour.DANGER,
        QPalette.ColorRole.ToolTipBase: Colour.RAISED,
        QPalette.ColorRole.ToolTipText: Colour.TEXT,
        QPalette.ColorRole.Highlight: Colour.ACCENT_DEEP,
        QPalette.ColorRole.HighlightedText: Colour.TEXT,
        QPalette.ColorRole.Accent: Colour.ACCENT,
        QPalette.ColorRole.Link: Colour.ACCENT,
        QPalette.ColorRole.LinkVisited: Colour.ACCENT,
        QPalette.ColorRole.Light: Colour.LINE,
        QPalette.ColorRole.Midlight: Colour.LINE,
        QPalette.ColorRole.Mid: Colour.RAISED,
        QPalette.ColorRole.Dark: Colour.FIELD,
        QPalette.ColorRole.Shadow: Colour.BACKDROP,
    }
    for role, colour in roles.items():
        palette.setColor(role, colour.qcolor)
    for role in (
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
        QPalette.ColorRole.HighlightedText,
    ):
        palette.setColor(QPalette.ColorGroup.Disabled, role, Colour.FAINT.qcolor)
    palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Highlight, Colour.LINE.qcolor)
    return palette


def apply_theme(app: QApplication) -> None:
    """Give the app its style, palette and font; to be called once, before the first window."""
    app.setStyle("Fusion")
    palette = dark_palette()
    app.setPalette(palette)
    QToolTip.setPalette(palette)
    font = app.font()
    font.setPointSizeF(max(FONT_POINTS, font.pointSizeF()))
    app.setFont(font)
    QToolTip.setFont(font)


def scaled_font(base: QFont, factor: float = 1.0, *, bold: bool = False) -> QFont:
    """Return a font that is larger or smaller than the app's by a factor."""
    font = QFont(base)
    font.setPointSizeF(base.pointSizeF() * factor)
    font.setBold(bold)
    return font


def colour_text(widget: QWidget, colour: Colour) -> None:
    """Give the text of a label or button a colour of the theme."""
    palette = widget.palette()
    palette.setColor(QPalette.ColorRole.WindowText, colour.qcolor)
    palette.setColor(QPalette.ColorRole.ButtonText, colour.qcolor)
    widget.setPalette(palette)


def fill_background(widget: QWidget, colour: Colour) -> None:
    """Paint the whole widget in a colour of the theme."""
    palette = widget.palette()
    palette.setColor(QPalette.ColorRole.Window, colour.qcolor)
    widget.setPalette(palette)
    widget.setAutoFillBackground(True)
