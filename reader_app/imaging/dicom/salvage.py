"""What can be had of a compressed frame that breaks off."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

_RLE_HEADER = 64  # PS3.5 G.5: sixteen long words, the number of segments and their places


def whole_rows(array: npt.NDArray[Any], *, block: int) -> int:
    """Count the rows that a JPEG decoder has read before its data ended.

    What is missing comes out as differences of zero, so that all rows below are equal; the row (or the block
    of rows) in which that begins is not whole. A film that ends in equal rows of its own loses them too.

    Parameters
    ----------
    array
        Decoded values, shape (rows, columns) or (rows, columns, samples).
    block
        Rows that are coded together.
    """
    last = array[-1]
    differs = np.flatnonzero((array != last).reshape(array.shape[0], -1).any(axis=1))
    if differs.size == 0:
        return 0
    first_equal = int(differs[-1]) + 1
    if first_equal >= array.shape[0] - 1:
        return int(array.shape[0])
    return max((first_equal - 1) // block * block, 0)


def rle_rows(frame: bytes, *, rows: int, columns: int, bytes_per_pixel: int) -> tuple[npt.NDArray[Any], int]:
    """Decode a broken gray RLE frame (PS3.5 G.3) up to the last row of which all bytes are there.

    Each segment holds one byte of all pixels, the high one first, so that a film of 16 bits has whole pixels
    only where its second segment has begun.

    Parameters
    ----------
    frame
        Header and segments, the last of which may break off.
    rows, columns, bytes_per_pixel
        What the image pixel module says.

    Returns
    -------
    ndarray, int
        uint8 or uint16, shape (rows, columns), and the number of whole rows; what lies below is 0.
    """
    values: npt.NDArray[Any] = np.zeros(rows * columns, dtype=np.uint16 if bytes_per_pixel == 2 else np.uint8)
    places = [int.from_bytes(frame[at : at + 4], "little") for at in range(4, 4 + 4 * bytes_per_pixel, 4)]
    known = int.from_bytes(frame[:4], "little") == bytes_per_pixel and len(frame) > _RLE_HEADER
    if not known or places != sorted(places) or places[0] < _RLE_HEADER:
        return values.reshape(rows, columns), 0
    least = values.size
    for segment, (start, end) in enumerate(zip(places, [*places[1:], len(frame)], strict=True)):
        unpacked = _unpacked_bits(frame[start:end], values.size)
        least = min(least, unpacked.size)
        shift = 8 * (bytes_per_pixel - 1 - segment)
        values[: unpacked.size] += unpacked.astype(values.dtype) << shift
    whole = least // columns
    values[whole * columns :] = 0
    return values.reshape(rows, columns), whole


def _unpacked_bits(segment: bytes, limit: int) -> npt.NDArray[np.uint8]:
    """Undo the run lengths of one segment (PS3.5 G.3.2), up to so many bytes."""
    found = bytearray()
    at = 0
    while at + 1 < len(segment) and len(found) < limit:
        head = segment[at]
        if head < 128:
            found += segment[at + 1 : at + 2 + head]
            at += 2 + head
        elif head > 128:
            found += segment[at + 1 : at + 2] * (257 - head)
            at += 2
        else:
            at += 1
    return np.frombuffer(bytes(found[:limit]), np.uint8)


def inflated(frame: bytes, limit: int) -> bytes:
    """Undo the deflation of a frame (RFC 1951) as far as it goes, up to so many bytes.

    Raises
    ------
    ValueError
        If the data are damaged before anything came of them.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    found = bytearray()
    for start in range(0, len(frame), 1 << 16):
        try:
            found += inflater.decompress(frame[start : start + (1 << 16)], max(limit - len(found), 1))
        except zlib.error as error:
            if not found:
                raise ValueError(str(error)) from error
            break
        if inflater.eof or len(found) >= limit:
            break
    return bytes(found[:limit])
