"""What is written around a film: the side, the visit, the grays, the zoom, the millimetres, "PHANTOM"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from reader_app.ui.film import marks as overlays
from reader_app.ui.film import words as film_words
from reader_app.ui.theme import Colour, scaled_font


@dataclass(frozen=True)
class FilmLabels:
    """What is written around a film beside what its file says.

    Attributes
    ----------
    title
        The visit, where the reader may know it.
    edges
        Side letters at the left and right edge, empty where unknown.
    lone
        Side letter of a film of one joint.
    phantom
        Whether no person was imaged.
    """

    title: str = ""
    edges: tuple[str, str] = ("", "")
    lone: str = ""
    phantom: bool = False


def paint_labels(
    painter: QPainter,
    view: QRectF,
    font: QFont,
    labels: FilmLabels,
    *,
    spacing: str,
    grays: Sequence[str],
) -> None:
    """Write the labels of a film into the corners and to the edges of its view.

    Parameters
    ----------
    spacing
        What the film says about millimetres; empty without a film.
    grays
        Window and zoom; empty without a film.
    """
    area = view.adjusted(12, 10, -12, -10)
    half = area.adjusted(0, 0, -area.width() * 0.45, 0)
    other = area.adjusted(area.width() * 0.6, 0, 0, 0)
    paint_sides(painter, view, font, labels)
    if labels.title:
        bold = scaled_font(font, bold=True)
        overlays.paint_corner(painter, other, [labels.title], bold, right=True, colour=Colour.TEXT)
    width_of = QFontMetricsF(font).horizontalAdvance
    at_left = film_words.in_lines(spacing, width_of, half.width())
    overlays.paint_corner(painter, half, at_left, font, bottom=True)
    at_right = [line for text in grays for line in film_words.in_lines(text, width_of, other.width())]
    overlays.paint_corner(painter, other, at_right, font, right=True, bottom=True)


def paint_sides(painter: QPainter, view: QRectF, font: QFont, labels: FilmLabels) -> None:
    """Write the letters of the sides, and "PHANTOM" where no person was imaged."""
    area = view.adjusted(12, 10, -12, -10)
    half = area.adjusted(0, 0, -area.width() * 0.45, 0)
    large = scaled_font(font, 1.7, bold=True)
    below = half
    if labels.phantom:
        overlays.paint_corner(painter, half, ["PHANTOM"], large, colour=Colour.WARNING)
        below = half.adjusted(0, QFontMetricsF(large).lineSpacing(), 0, 0)
    if labels.lone:
        overlays.paint_corner(painter, below, [labels.lone], large)
    overlays.paint_side_letters(painter, area, labels.edges, font)
