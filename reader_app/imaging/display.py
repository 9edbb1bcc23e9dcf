"""From stored values to the grays on a screen: pure steps in the order of DICOM PS3.3 and PS3.4 N.2.

stored -> modality (table or slope) -> VOI (table or window) -> presentation (polarity once, then the
reader's own inversion) -> 8 bit.

All steps work value by value, so that they are the same on a film and on the list of all its possible
stored values: the table made from that list is what screens use (`display_table`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reader_app.imaging.field import exposed_field
from reader_app.imaging.radiograph import Radiograph
from reader_app.imaging.voi import AUTOMATIC, LookupTable, Voi, VoiFunction, Window, named_apart

__all__ = [
    "AUTOMATIC",
    "LookupTable",
    "Voi",
    "VoiFunction",
    "Window",
    "apply_table",
    "apply_voi",
    "apply_window",
    "automatic_window",
    "default_voi",
    "display_lut",
    "display_table",
    "gray_bone_bright",
    "modality_of_all_stored",
    "modality_values",
    "named_voi",
    "present",
    "rescaled",
    "to_display",
    "voi_choices",
]

_BAND = 1 << 16  # pixels that go through a table at a time
_Floats = npt.NDArray[np.floating[Any]]

_SAMPLED = 400  # rows or columns looked at for an automatic window
_PERCENTILES = (0.2, 99.8)
_MARGIN = 0.05
_BORDER_KEPT = 0.25  # of the window: bright borders this near to the field are shown as they are


def rescaled(
    stored: npt.NDArray[Any], *, slope: float = 1.0, intercept: float = 0.0, table: LookupTable | None = None
) -> npt.NDArray[np.float32]:
    """Apply the modality transformation (PS3.3 C.11.1).

    Parameters
    ----------
    stored
        Stored values of any shape.
    slope, intercept
        Rescale Slope (0028,1053) and Intercept (0028,1052).
    table
        Modality LUT, which takes their place.

    Returns
    -------
    ndarray
        Modality values, float32, of the same shape.
    """
    if table is not None:
        return _looked_up(stored, table).astype(np.float32)
    return (stored.astype(np.float64) * slope + intercept).astype(np.float32)


def modality_values(radiograph: Radiograph) -> npt.NDArray[np.float32]:
    """Return a film's modality values (PS3.3 C.11.1), float32, shape (rows, columns)."""
    return _through(radiograph, modality_of_all_stored(radiograph))


def modality_of_all_stored(radiograph: Radiograph) -> npt.NDArray[np.float32]:
    """Return the modality values of all values that a film's pixel type has, in the order of their bits.

    Returns
    -------
    ndarray
        float32, shape (256,) for 8-bit pixels, else (65536,).
    """
    return _looked_at(radiograph, _all_stored(radiograph.pixels.dtype))


def apply_window(values: npt.NDArray[Any], window: Window) -> npt.NDArray[np.float64]:
    """Apply a VOI window: LINEAR, LINEAR_EXACT or SIGMOID (PS3.3 C.11.2.1.2 and C.11.2.1.3).

    Parameters
    ----------
    values
        Modality values of any shape.
    window
        Center, width and function.

    Returns
    -------
    ndarray
        0 to 1, float64, of the same shape.
    """
    x = values.astype(np.float64)
    if window.function is VoiFunction.SIGMOID:
        exponent = np.clip(-4.0 * (x - window.center) / window.width, -700.0, 700.0)
        return np.asarray(1.0 / (1.0 + np.exp(exponent)))
    if window.function is VoiFunction.LINEAR_EXACT:
        return np.clip((x - window.center) / window.width + 0.5, 0.0, 1.0)
    # LINEAR counts whole values: a width of n spans n values, hence the halves and the ones.
    if window.width == 1.0:
        return (x > window.center - 0.5).astype(np.float64)
    return np.clip((x - (window.center - 0.5)) / (window.width - 1.0) + 0.5, 0.0, 1.0)


def apply_table(values: npt.NDArray[Any], table: LookupTable) -> npt.NDArray[np.float64]:
    """Apply a VOI look-up table (PS3.3 C.11.2.1.1): 0 to 1 over the range of its bits, float64."""
    return _looked_up(values, table).astype(np.float64) / ((1 << table.bits) - 1)


def apply_voi(values: npt.NDArray[Any], voi: Voi) -> npt.NDArray[np.float64]:
    """Apply a window or a look-up table to modality values: 0 to 1, float64, of the same shape."""
    return apply_table(values, voi) if isinstance(voi, LookupTable) else apply_window(values, voi)


def present(unit: _Floats, *, inverse: bool) -> npt.NDArray[np.uint8]:
    """Turn VOI output into grays, black 0 to white 255 (PS3.3 C.11.6; PS3.4 N.2.4).

    Parameters
    ----------
    unit
        0 to 1.
    inverse
        Turn black and white round, over the fixed output range: 255 - gray.

    Returns
    -------
    ndarray
        uint8 of the same shape.
    """
    gray = np.floor(unit * 255.0 + 0.5).astype(np.uint8)
    return np.asarray(255 - gray, dtype=np.uint8) if inverse else gray


def default_voi(radiograph: Radiograph) -> Voi:
    """Return what a film is shown with at first: its first VOI table, else window, else the automatic one."""
    return radiograph.choices[0] if radiograph.choices else automatic_window(radiograph)


def named_voi(radiograph: Radiograph, name: str) -> Voi | None:
    """Return what `voi_choices` offers under that name; None where there is nothing."""
    if name == AUTOMATIC:
        return automatic_window(radiograph)
    return next((voi for voi in named_apart(radiograph.choices) if voi.name == name), None)


def voi_choices(radiograph: Radiograph) -> tuple[Voi, ...]:
    """Return what a reader may choose from: the file's tables and windows, then the automatic window.

    Each has a name that is not empty and that no other one has.
    """
    return (*named_apart(radiograph.choices), automatic_window(radiograph))


def display_table(
    radiograph: Radiograph, *, window: Voi | None = None, inverted: bool = False
) -> npt.NDArray[np.uint8]:
    """Return the grays of all stored values that a film's pixels can have.

    Parameters
    ----------
    radiograph
        The film.
    window
        Window or table; the film's default where None.
    inverted
        The reader's own inversion, on top of the polarity that the file asks for.

    Returns
    -------
    ndarray
        uint8, shape (256,) for 8-bit pixels, else (65536,); indexed by the stored value's bits as unsigned,
        so that a negative one stands in the upper half.
    """
    voi = default_voi(radiograph) if window is None else window
    unit = apply_voi(modality_of_all_stored(radiograph), voi)
    return present(unit, inverse=radiograph.inverse_polarity != inverted)


display_lut = display_table


def to_display(
    radiograph: Radiograph, *, window: Voi | None = None, inverted: bool = False
) -> npt.NDArray[np.uint8]:
    """Return a film as grays for a screen.

    Parameters
    ----------
    radiograph
        The film.
    window
        Window or table; the film's default where None.
    inverted
        The reader's own inversion.

    Returns
    -------
    ndarray
        uint8, shape (rows, columns).
    """
    return _through(radiograph, display_table(radiograph, window=window, inverted=inverted))


def automatic_window(radiograph: Radiograph) -> Window:
    """Find a window for a film that has none: percentiles inside the exposed field, padding left out.

    The field is the collimated one that the file states, without the flat shutters, borders and air that
    reach its edge (`field.exposed_field`).

    Returns
    -------
    Window
        Over modality values, LINEAR_EXACT, named "automatic".
    """
    step = max(1, -(-max(radiograph.pixels.shape) // _SAMPLED))
    stored = radiograph.pixels[::step, ::step]
    values, valid = _looked_at(radiograph, stored), ~_is_padding(radiograph, stored)
    if not valid.any():
        valid = np.ones_like(valid)
    stated = _stated_field(radiograph, valid, step)
    coarse, coarse_valid = _halved(values, stated)
    field = np.repeat(np.repeat(exposed_field(coarse, coarse_valid), 2, axis=0), 2, axis=1)
    field = stated & field[: values.shape[0], : values.shape[1]]
    if not field.any():
        field = stated
    inside = values[field]
    low, high = (float(edge) for edge in np.percentile(inside, _PERCENTILES))
    if high <= low:
        low, high = float(inside.min()), float(inside.max())
    if high <= low:  # a film of one value: any width shows it as gray
        return Window(low, 1.0, VoiFunction.LINEAR_EXACT, AUTOMATIC)
    # What lies beyond the percentiles is bone too where it is dense; it keeps some grays.
    margin = _MARGIN * (high - low)
    low, high = max(low - margin, float(inside.min())), min(high + margin, float(inside.max()))
    low, high = _with_dense_bone(low, high, values[stated & ~field], inverse=radiograph.inverse_polarity)
    return Window((low + high) / 2, high - low, VoiFunction.LINEAR_EXACT, AUTOMATIC)


def _with_dense_bone(
    low: float, high: float, outside: npt.NDArray[np.float32], *, inverse: bool
) -> tuple[float, float]:
    """Widen a window at its bright end by what was taken for a border but is little brighter than the field.

    That may as well be a shaft so dense that it is of one gray, and to show it costs little contrast.
    """
    if outside.size == 0:
        return low, high
    reach = _BORDER_KEPT * (high - low)
    if inverse:
        bright = float(outside.min())
        return (bright if low - reach <= bright < low else low), high
    bright = float(outside.max())
    return low, (bright if high < bright <= high + reach else high)


def _stated_field(radiograph: Radiograph, valid: npt.NDArray[np.bool_], step: int) -> npt.NDArray[np.bool_]:
    """Valid samples inside the collimated field that the file states; all valid ones where that has none."""
    box = radiograph.collimated
    if box is None:
        return valid
    inside = np.zeros_like(valid)
    rows = slice(int(box.y // step), max(int(box.bottom // step), int(box.y // step) + 1))
    columns = slice(int(box.x // step), max(int(box.right // step), int(box.x // step) + 1))
    inside[rows, columns] = valid[rows, columns]
    return inside if inside.any() else valid


def _halved(
    values: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Mean of 2 x 2 samples, which halves their noise, and whether all four are valid."""
    odd = [(0, length % 2) for length in values.shape]
    values, valid = np.pad(values, odd, mode="edge"), np.pad(valid, odd, mode="edge")
    corners = [(slice(i, None, 2), slice(j, None, 2)) for i in (0, 1) for j in (0, 1)]
    mean = sum((values[corner] for corner in corners[1:]), values[corners[0]]) * np.float32(0.25)
    return np.asarray(mean), np.logical_and.reduce([valid[corner] for corner in corners])


def gray_bone_bright(radiograph: Radiograph) -> npt.NDArray[np.float32]:
    """Return a film for the networks: modality values in presentation polarity, bone bright.

    Padding takes the darkest value of the film. Where a film's values run the other way round they are
    mirrored inside the range that its pixels have, which leaves contrasts as they are.

    Returns
    -------
    ndarray
        float32, shape (rows, columns), own memory.
    """
    values = modality_values(radiograph)
    padding = _is_padding(radiograph, radiograph.pixels)
    valid = values[~padding] if padding.any() and not padding.all() else values
    low, high = np.float32(valid.min()), np.float32(valid.max())
    # A descending VOI table turns the polarity by itself, without any tag saying so.
    voi = radiograph.choices[0] if radiograph.choices else None
    table_turns = isinstance(voi, LookupTable) and voi.descending
    if radiograph.inverse_polarity != table_turns:
        values = (low + high) - values
    if padding.any():
        values[padding] = low
    return values


def _looked_up(values: npt.NDArray[Any], table: LookupTable) -> npt.NDArray[np.uint16]:
    """Entries for values; beyond either end the last one there holds (PS3.3 C.11.1.1 and C.11.2.1.1)."""
    place = np.floor(values.astype(np.float64) + 0.5) - table.first_value
    return np.asarray(table.values[np.clip(place, 0, table.values.size - 1).astype(np.intp)], dtype=np.uint16)


def _all_stored(dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """All values of a pixel type in the order of their bits."""
    bits = 8 * dtype.itemsize
    return np.arange(1 << bits, dtype=f"u{dtype.itemsize}").view(dtype)


def _looked_at(radiograph: Radiograph, stored: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return rescaled(
        stored, slope=radiograph.slope, intercept=radiograph.intercept, table=radiograph.modality_lut
    )


def _through(radiograph: Radiograph, table: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Pixels through a table of all stored values."""
    places = radiograph.pixels.view(f"u{radiograph.pixels.dtype.itemsize}")
    through = np.empty(places.shape, table.dtype)
    rows = max(1, _BAND // places.shape[1])
    for top in range(0, places.shape[0], rows):
        # NumPy makes 8 bytes of each place before it looks it up. In bands that stays inside the cache, which
        # is three times as fast, and a large film takes no gigabyte. No place is outside: nothing is clipped.
        np.take(table, places[top : top + rows], out=through[top : top + rows], mode="clip")
    return through


def _is_padding(radiograph: Radiograph, stored: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    if radiograph.padding is None:
        return np.zeros(stored.shape, dtype=np.bool_)
    low, high = radiograph.padding
    wide = stored.astype(np.int32)
    return np.asarray((wide >= low) & (wide <= high))
