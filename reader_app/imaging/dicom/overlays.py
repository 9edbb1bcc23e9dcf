"""Overlay planes of a DICOM file: in elements of their own, or in the unused bits of its pixels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from reader_app.imaging.dicom.dataset import numbers_at, text_at, value_at
from reader_app.imaging.limits import MOST_SAMPLES
from reader_app.imaging.overlay_planes import Overlay

_GROUPS = tuple(range(0x6000, 0x6020, 2))  # PS3.5 7.6: sixteen repeating groups
_ROWS, _COLUMNS, _FRAMES, _ORIGIN, _FRAME_ORIGIN = 0x0010, 0x0011, 0x0015, 0x0050, 0x0051
_DESCRIPTION, _LABEL, _BITS, _POSITION, _DATA = 0x0022, 0x1500, 0x0100, 0x0102, 0x3000
_LONGEST_NAME = 64


def overlays_of(
    dataset: Dataset, shape: tuple[int, int], cells: npt.NDArray[Any] | None, *, stored_bits: range
) -> tuple[tuple[Overlay, ...], list[str]]:
    """Read all overlay planes that lie on the film (PS3.3 C.9.2): (overlays, notes).

    A plane that is malformed, empty or beside the film is left out and noted: the film can be looked at
    without it.

    Parameters
    ----------
    dataset
        The open file.
    shape
        Rows and columns of the film.
    cells
        Pixel cells as they are stored, before the unused bits were taken off, unsigned, of this shape; None
        where a codec has not kept them.
    stored_bits
        Places in a cell that belong to the pixel values.
    """
    planes: list[Overlay] = []
    notes: list[str] = []
    for group in _GROUPS:
        if (group, _ROWS) not in dataset and (group, _DATA) not in dataset:
            continue
        taken = {plane.name for plane in planes}
        name = _free_name(_name(dataset, group, (group - 0x6000) // 2 + 1), taken)
        try:
            if (group, _DATA) in dataset:
                mask, note = _drawn(dataset, group, shape)
            else:
                mask, note = _embedded(dataset, group, cells, stored_bits)
        except ValueError as error:
            notes.append(f"The overlay {name!r} was left out: {error}.")
            continue
        if note:
            notes.append(f"The overlay {name!r} {note}.")
        planes.append(Overlay(name, mask))
    return tuple(planes), notes


def _name(dataset: Dataset, group: int, place: int) -> str:
    """Overlay Label (60xx,1500), else Description (60xx,0022), else the plane's number."""
    for element in (_LABEL, _DESCRIPTION):
        stated = text_at(dataset, Tag(group, element))[:_LONGEST_NAME]
        if stated:
            return stated
    return f"overlay {place}"


def _free_name(name: str, taken: set[str]) -> str:
    free, number = name, 2
    while free in taken:
        free, number = f"{name} ({number})", number + 1
    return free


def _drawn(dataset: Dataset, group: int, shape: tuple[int, int]) -> tuple[npt.NDArray[np.bool_], str]:
    """Overlay Data (60xx,3000): bits in a row, the first pixel in the lowest (PS3.5 8.1.2): (mask, note).

    Raises
    ------
    ValueError
        If the plane cannot be used, with the reason.
    """
    rows, columns = _whole(dataset, group, _ROWS), _whole(dataset, group, _COLUMNS)
    if rows is None or columns is None or rows <= 0 or columns <= 0:
        raise ValueError("it does not say how large it is")
    if rows * columns > MOST_SAMPLES:
        raise ValueError(f"{rows} x {columns} pixels are more than any film has")
    if _whole(dataset, group, _BITS) not in (None, 1):
        raise ValueError("it does not have one bit a pixel")
    if (_whole(dataset, group, _FRAMES) or 1) > 1 and (_whole(dataset, group, _FRAME_ORIGIN) or 1) > 1:
        raise ValueError("it belongs to a later frame")
    data = value_at(dataset, Tag(group, _DATA))
    if not isinstance(data, bytes) or not data:
        raise ValueError("it has no data")
    _, little = dataset.original_encoding
    if little is False and dataset[group, _DATA].VR == "OW":
        data = np.frombuffer(data[: len(data) // 2 * 2], ">u2").astype("<u2").tobytes()
    return _placed(data, (rows, columns), _origin(dataset, group), shape)


def _origin(dataset: Dataset, group: int) -> tuple[int, int]:
    """Row and column of the film, from zero, where the plane begins (60xx,0050); may lie off the film."""
    stated = numbers_at(dataset, Tag(group, _ORIGIN))
    if stated is None:
        return 0, 0
    if len(stated) != 2 or not all(math.isfinite(edge) and abs(edge) < 1 << 20 for edge in stated):
        raise ValueError("its origin is malformed")
    return int(stated[0]) - 1, int(stated[1]) - 1


def _placed(
    data: bytes, size: tuple[int, int], origin: tuple[int, int], shape: tuple[int, int]
) -> tuple[npt.NDArray[np.bool_], str]:
    """The part of a plane that lies on the film: (mask of the film's shape, note)."""
    rows, columns = size
    top, left = max(origin[0], 0), max(origin[1], 0)
    bottom, right = min(origin[0] + rows, shape[0]), min(origin[1] + columns, shape[1])
    if top >= bottom or left >= right:
        raise ValueError("it lies beside the film")
    # Only the rows that lie on the film are unpacked.
    first_bit, last_bit = (top - origin[0]) * columns, (bottom - origin[0]) * columns
    packed = np.frombuffer(data, np.uint8)[first_bit // 8 : -(-last_bit // 8)]
    bits = np.unpackbits(packed, bitorder="little")[first_bit % 8 :][: last_bit - first_bit]
    note = ""
    if len(data) * 8 < rows * columns:
        note = f"is truncated: {len(data) * 8 // columns} of its {rows} rows are there"
        bits = np.concatenate([bits, np.zeros(last_bit - first_bit - bits.size, np.uint8)])
    plane = bits.reshape(bottom - top, columns)[:, left - origin[1] : right - origin[1]]
    if not plane.any():
        raise ValueError("nothing is drawn in it")
    mask = np.zeros(shape, dtype=np.bool_)
    mask[top:bottom, left:right] = plane
    return mask, note


def _embedded(
    dataset: Dataset, group: int, cells: npt.NDArray[Any] | None, stored_bits: range
) -> tuple[npt.NDArray[np.bool_], str]:
    """An unused bit of the pixel cells (retired, as in PS3.3-2004 C.9.2.1.1): (mask, "").

    Raises
    ------
    ValueError
        If the plane cannot be used, with the reason.
    """
    position = _whole(dataset, group, _POSITION)
    if position is None:
        raise ValueError("it has no data")
    if cells is None:
        raise ValueError("it lay in unused bits of the pixels, which their compression has not kept")
    if not 0 <= position < 8 * cells.dtype.itemsize or position in stored_bits:
        raise ValueError(f"bit {position} of the pixels is not free for it")
    size = (_whole(dataset, group, _ROWS), _whole(dataset, group, _COLUMNS))
    if size not in ((None, None), cells.shape):
        raise ValueError("it lies in the pixels, but has another size than the film")
    mask = (cells & cells.dtype.type(1 << position)) != 0
    if not mask.any():
        raise ValueError("nothing is drawn in it")
    return np.asarray(mask), ""


def _whole(dataset: Dataset, group: int, element: int) -> int | None:
    stated = numbers_at(dataset, Tag(group, element))
    if not stated or not math.isfinite(stated[0]) or abs(stated[0]) > 1 << 40:
        return None
    return int(stated[0])
