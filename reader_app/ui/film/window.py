"""How a reader has set the grays of a film: which window, inverted or not. Values, no widgets."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from reader_app.imaging.display import automatic_window, voi_choices
from reader_app.imaging.radiograph import Radiograph
from reader_app.imaging.voi import LookupTable, Voi, VoiFunction, Window

_BY_HAND = "by hand"


@dataclass(frozen=True)
class FilmWindow:
    """The grays of one film on the screen.

    Attributes
    ----------
    voi
        The window or table in force.
    inverted
        The reader's own inversion, upon the polarity that the file asks for.
    """

    voi: Voi
    inverted: bool = False

    def automatic(self, radiograph: Radiograph) -> FilmWindow:
        """Return the window found from the pixels inside the field."""
        return replace(self, voi=automatic_window(radiograph))

    def named(self, radiograph: Radiograph, name: str) -> FilmWindow:
        """Return the window or table of that name; raises KeyError if the film offers none."""
        for choice in voi_choices(radiograph):
            if choice.name == name:
                return replace(self, voi=choice)
        raise KeyError(name)

    def following(self, radiograph: Radiograph) -> FilmWindow:
        """Return the next of the file's tables and windows, the automatic one standing last.

        A window that was set by hand is followed by the first.
        """
        choices = voi_choices(radiograph)
        place = next((n for n, choice in enumerate(choices) if choice.name == self.voi.name), -1)
        return replace(self, voi=choices[(place + 1) % len(choices)])

    def turned(self, *, inverted: bool) -> FilmWindow:
        """Return the same window with black and white as wished."""
        return replace(self, inverted=inverted)

    def dragged(self, radiograph: Radiograph, dx: float, dy: float) -> FilmWindow:
        """Return the window after the mouse went by (dx, dy) screen pixels.

        To the right lowers the contrast, upwards makes the film brighter. A table gives way to the
        automatic window, since a table has neither width nor center.
        """
        start = automatic_window(radiograph) if isinstance(self.voi, LookupTable) else self.voi
        function = start.function
        width = max(start.width * math.exp(dx * 0.005), 2.0 if function is VoiFunction.LINEAR else 1e-3)
        brighter = -1.0 if radiograph.inverse_polarity != self.inverted else 1.0
        center = start.center + brighter * dy * start.width * 0.003
        return replace(self, voi=Window(center, width, function, _BY_HAND))

    def words(self, radiograph: Radiograph) -> str:
        """Return what a corner of the film says about the grays."""
        if isinstance(self.voi, LookupTable):
            text = f"table {self.voi.name}".strip()
        else:
            text = f"W {_figure(self.voi.width)}  C {_figure(self.voi.center)}"
            text += f"  {self.voi.name}" if self.voi.name else ""
        if self.inverted:
            text += "  inverted by you"
        if radiograph.inverse_polarity:
            text += "  MONOCHROME1" if radiograph.header.photometric == "MONOCHROME1" else "  inverse"
        return text


def _figure(number: float) -> str:
    return f"{number:.0f}" if abs(number) >= 10 else f"{number:.2f}"
