"""A film at half, quarter, ... resolution, so that a screen costs what a screen has, not what a film has.

A tile is cropped and resampled in stored values; grays come last, through a table of all stored values, at
screen resolution. While a reader drags the window nothing but the table changes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from reader_app.imaging.display import apply_voi, default_voi, modality_of_all_stored, present
from reader_app.imaging.geometry import Box
from reader_app.imaging.radiograph import Radiograph
from reader_app.imaging.voi import Voi

Gray = TypeVar("Gray", bound=np.unsignedinteger[Any])

_SMALLEST_LEVEL = 512  # rows or columns; a thumbnail needs no more
_LARGEST_TILE = 64_000_000  # pixels; an 8K screen has 33 million
_ROWS_AT_ONCE = 32  # so that what is being averaged stays in the processor's cache
_OUTSIDE = 0  # beyond the film a screen is black, whatever the polarity


@dataclass(frozen=True, eq=False)
class StoredTile:
    """What a screen shows of a film, before grays.

    Parameters
    ----------
    places
        Where each pixel stands in the table of all stored values, intp, shape (rows, columns) of the part
        of the screen that lies on the film.
    top, left
        Where that part begins on the screen.
    out_size
        Rows and columns of the screen.
    """

    places: npt.NDArray[np.intp]
    top: int
    left: int
    out_size: tuple[int, int]

    def shown(self, table: npt.NDArray[Gray], *, into: npt.NDArray[Gray] | None = None) -> npt.NDArray[Gray]:
        """Return the screen's grays of `out_size` and of the table's type; black (0) beyond the film.

        Parameters
        ----------
        into
            Memory of that size and type to be used again: while the window is dragged, fetching new memory
            takes as long as filling it.
        """
        screen = np.empty(self.out_size, dtype=table.dtype) if into is None else into
        if self.places.shape == self.out_size:
            # All places are in the table; this mode alone writes without a copy between.
            return np.take(table, self.places, out=screen, mode="clip")
        screen.fill(_OUTSIDE)
        rows, columns = self.places.shape
        screen[self.top : self.top + rows, self.left : self.left + columns] = table[self.places]
        return screen


class Pyramid:
    """A film with its lower resolutions.

    Building it takes about as long as a decode; it belongs off the UI thread. After that it may be read from
    any thread.

    Parameters
    ----------
    radiograph
        The film.
    """

    def __init__(self, radiograph: Radiograph) -> None:
        self.radiograph = radiograph
        self.levels = _levels(_ascending(radiograph.pixels))
        # Here rather than when it is shown: an automatic window takes as long as some frames.
        self.default_voi: Voi = default_voi(radiograph)
        self._modality = _ascending_modality(radiograph)
        self._last: tuple[tuple[Box, tuple[int, int]], StoredTile] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of memory of the film, its levels and tables, and of the tile that is kept."""
        own = 0 if self.radiograph.pixels.dtype.kind == "u" else self.radiograph.nbytes
        last = self._last
        tile = 0 if last is None else int(last[1].places.nbytes)
        return own + int(self._modality.nbytes) + tile + sum(int(level.nbytes) for level in self.levels)

    def forget_tile(self) -> None:
        """Drop the tile that is kept: the film has left the screen."""
        self._last = None

    def table(self, *, window: Voi | None = None, inverted: bool = False) -> npt.NDArray[np.uint8]:
        """Return the grays of all stored values in ascending order, as `StoredTile.shown` takes them."""
        unit = apply_voi(self._modality, self.default_voi if window is None else window)
        return present(unit, inverse=self.radiograph.inverse_polarity != inverted)

    def tile(self, view_rect: Box, out_size: tuple[int, int]) -> StoredTile:
        """Crop and resample; the last tile is kept, so that a window drag does not do it again.

        Parameters
        ----------
        view_rect
            Part of the film that fills the screen, in film pixels; may reach beyond the film.
        out_size
            Rows and columns of the screen.

        Raises
        ------
        ValueError
            If the view or the screen is empty or absurdly large.
        """
        key = (view_rect, out_size)
        last = self._last
        if last is not None and last[0] == key:
            return last[1]
        made = self._resampled(view_rect, out_size)
        self._last = (key, made)
        return made

    def _resampled(self, view: Box, out_size: tuple[int, int]) -> StoredTile:
        rows, columns = out_size
        if view.width <= 0 or view.height <= 0 or rows <= 0 or columns <= 0:
            raise ValueError(f"nothing to show: {view!r} on {out_size}")
        if rows * columns > _LARGEST_TILE:
            raise ValueError(f"a screen of {rows} x {columns} is too large")
        film_rows, film_columns = self.radiograph.pixels.shape
        across = _Axis.of(view.x, view.width, columns, film_columns)
        down = _Axis.of(view.y, view.height, rows, film_rows)
        if across.count == 0 or down.count == 0:
            return StoredTile(np.zeros((0, 0), dtype=np.intp), 0, 0, out_size)
        step = min(across.step, down.step)
        # A ratio just below a power of two is rounding, e.g. of 834 columns for 2500.
        depth = min(max(math.floor(math.log2(step) + 0.01), 0), len(self.levels) - 1)
        level, scale = self.levels[depth], float(1 << depth)
        if step / scale <= 1.0:
            places = level[down.places(scale)][:, across.places(scale)].astype(np.intp)
        else:
            places = _interpolated(level, down, across, scale)
        return StoredTile(places, down.first, across.first, out_size)


@dataclass(frozen=True)
class _Axis:
    """How the pixels of one screen axis lie on the film.

    `first` and `count` are the screen pixels whose centre is on the film; `start` is where the first of them
    begins on the film; `step` the film pixels of one screen pixel; `length` the film.
    """

    first: int
    count: int
    start: float
    step: float
    length: int

    @classmethod
    def of(cls, start: float, extent: float, pixels: int, length: int) -> _Axis:
        step = extent / pixels
        first = max(math.ceil(-start / step - 0.5), 0)
        last = min(math.ceil((length - start) / step - 0.5), pixels)
        return cls(first, max(last - first, 0), start + first * step, step, length)

    def places(self, scale: float) -> npt.NDArray[np.intp]:
        """The film pixel under the centre of each screen pixel, at a level of this scale."""
        centres = self.start + (np.arange(self.count) + 0.5) * self.step
        limit = math.ceil(self.length / scale) - 1
        return np.asarray(np.clip(np.floor(centres / scale), 0, limit), dtype=np.intp)

    def taps(
        self, scale: float
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float32]]:
        """The two pixels of a level around each centre, and the weight of the second."""
        centres = (self.start + (np.arange(self.count) + 0.5) * self.step) / scale - 0.5
        first = np.floor(centres)
        limit = math.ceil(self.length / scale) - 1
        places = first.astype(np.intp)
        weights = (centres - first).astype(np.float32)
        return np.clip(places, 0, limit), np.clip(places + 1, 0, limit), weights


def display_tile(
    film: Radiograph | Pyramid,
    view_rect: Box,
    out_size: tuple[int, int],
    *,
    window: Voi | None = None,
    inverted: bool = False,
) -> npt.NDArray[np.uint8]:
    """Return what a screen shows of a film.

    Zoomed in, each film pixel is shown exactly; zoomed out, pixels are averaged.

    Parameters
    ----------
    film
        The film; a `Pyramid` kept between calls makes a frame of a window drag a matter of 2 ms.
    view_rect
        Part of the film that fills the screen, in film pixels; may reach beyond the film.
    out_size
        Rows and columns of the screen.
    window
        Window or table; the film's default where None.
    inverted
        The reader's own inversion.

    Returns
    -------
    ndarray
        uint8, shape `out_size`; black beyond the film.

    Raises
    ------
    ValueError
        If the view or the screen is empty or absurdly large.
    """
    pyramid = film if isinstance(film, Pyramid) else Pyramid(film)
    return pyramid.tile(view_rect, out_size).shown(pyramid.table(window=window, inverted=inverted))


def _ascending_modality(radiograph: Radiograph) -> npt.NDArray[np.float32]:
    """Modality values of all stored values, ascending, as the pixels of the levels are."""
    values = modality_of_all_stored(radiograph)
    return np.roll(values, values.size // 2) if radiograph.pixels.dtype.kind == "i" else values


def _ascending(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Stored values as unsigned in the same order, so that they can be averaged and looked up."""
    if pixels.dtype.kind == "u":
        return pixels
    return np.asarray(pixels.view(np.uint16) ^ np.uint16(0x8000))


def _levels(full: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
    levels = [full]
    while max(levels[-1].shape) > _SMALLEST_LEVEL:
        levels.append(_halved(levels[-1]))
    return tuple(levels)


def _halved(level: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Mean of 2 x 2 pixels; a last odd row or column is doubled, so that places keep to powers of two.

    Two neighbours are taken as one number of twice the bits, whose halves are their values whatever the byte
    order: so each pixel is touched once, in whole rows, and the sum of four fits beside nothing else.
    """
    odd = (level.shape[0] % 2, level.shape[1] % 2)
    if any(odd):
        level = np.pad(level, ((0, odd[0]), (0, odd[1])), mode="edge")
    bits = 8 * level.itemsize
    wide = np.dtype(f"u{2 * level.itemsize}").type
    pairs = np.ascontiguousarray(level).view(wide)
    low, high, half = wide((1 << bits) - 1), wide(bits), wide(2)
    made = np.empty((level.shape[0] // 2, level.shape[1] // 2), dtype=level.dtype)
    for start in range(0, made.shape[0], _ROWS_AT_ONCE):
        some = pairs[2 * start : 2 * (start + _ROWS_AT_ONCE)]
        sums = some >> high
        sums += some & low
        fours = sums[0::2] + sums[1::2]
        fours += half
        fours >>= half
        made[start : start + _ROWS_AT_ONCE] = fours
    return made


def _interpolated(level: npt.NDArray[Any], down: _Axis, across: _Axis, scale: float) -> npt.NDArray[np.intp]:
    """Screen pixels as weighted means of the four pixels of the level around their centres.

    A level has at most twice the resolution of the screen, so that nothing between is skipped.
    """
    above, below, row_weights = down.taps(scale)
    left, right, column_weights = across.taps(scale)
    made = np.empty((down.count, across.count), dtype=np.intp)
    for start in range(0, down.count, _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        rows = level[above[some]].astype(np.float32)
        rows += (level[below[some]].astype(np.float32) - rows) * row_weights[some, np.newaxis]
        values = rows.take(left, axis=1)
        values += (rows.take(right, axis=1) - values) * column_weights
        values += np.float32(0.5)
        made[some] = values
    return made
