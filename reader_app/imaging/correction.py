"""What a study knows better than a film's file: millimetres, polarity, and parts that nobody may see."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from reader_app.imaging.geometry import Box
from reader_app.imaging.radiograph import Radiograph
from reader_app.imaging.spacing import Spacing


@dataclass(frozen=True)
class FilmCorrection:
    """What takes the place of what a file says.

    Parameters
    ----------
    spacing
        Millimetres by a marker or as stated at the import; None where the file's hold.
    inverse_polarity
        Whether presentation turns black and white round; None where the file decides.
    box_outs
        Parts in film pixels that are blacked out, e.g. burned-in names.
    """

    spacing: Spacing | None = None
    inverse_polarity: bool | None = None
    box_outs: tuple[Box, ...] = ()


def corrected(radiograph: Radiograph, correction: FilmCorrection) -> Radiograph:
    """Return a film as the study wants it seen; the film itself where nothing is corrected.

    Boxed-out parts become black in the presentation. They cover every pixel that they touch.
    """
    if correction == FilmCorrection():
        return radiograph
    header, inverse = radiograph.header, radiograph.inverse_polarity
    if correction.spacing is not None:
        header = replace(header, spacing=correction.spacing)
    if correction.inverse_polarity is not None:
        inverse = correction.inverse_polarity
    pixels = radiograph.pixels
    if correction.box_outs:
        pixels = pixels.copy()
        black = pixels.max() if inverse else pixels.min()
        for box in correction.box_outs:
            inside = box.clipped(*pixels.shape)
            rows = slice(int(np.floor(inside.y)), int(np.ceil(inside.bottom)))
            columns = slice(int(np.floor(inside.x)), int(np.ceil(inside.right)))
            pixels[rows, columns] = black
    return replace(radiograph, header=header, pixels=pixels, inverse_polarity=inverse)
