"""Drawings that lie over a film: what is drawn, one bit a pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class Overlay:
    """An overlay plane of a film (DICOM PS3.3 C.9.2), kept packed: eight pixels a byte.

    Parameters
    ----------
    name
        What a reader picks it by; not empty.
    mask
        True where something is drawn, bool, shape (rows, columns) of the film.

    Raises
    ------
    ValueError
        If the mask is not two-dimensional.
    """

    __slots__ = ("_packed", "_shape", "name")

    def __init__(self, name: str, mask: npt.NDArray[np.bool_]) -> None:
        if mask.ndim != 2:
            raise ValueError(f"an overlay has rows and columns, not the shape {mask.shape}")
        self.name = name
        self._shape = (int(mask.shape[0]), int(mask.shape[1]))
        self._packed: npt.NDArray[np.uint8] = np.packbits(mask, axis=1, bitorder="little")

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """True where something is drawn, bool, shape (rows, columns) of the film; unpacked anew each time."""
        bits = np.unpackbits(self._packed, axis=1, count=self._shape[1], bitorder="little")
        return bits.view(np.bool_)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self._shape

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the packed bits take."""
        return int(self._packed.nbytes)

    def __eq__(self, other: Any) -> bool:
        if not isinstance(other, Overlay):
            return NotImplemented
        return (self.name, self._shape) == (other.name, other._shape) and np.array_equal(
            self._packed, other._packed
        )

    __hash__ = None  # type: ignore[assignment]  # bits are compared by value, and are too many to hash

    def __repr__(self) -> str:
        return f"Overlay({self.name!r}, {self._shape[0]} x {self._shape[1]})"
