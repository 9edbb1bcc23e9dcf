"""Between coarse and fine pixel grids."""

from __future__ import annotations

import numpy as np

from reader_app.phantom.solids import Field


def block_mean(image: Field, every: int) -> Field:
    """Mean of blocks of `every` x `every` pixels; the last ones are padded with the edge."""
    rows, columns = (-(-n // every) * every for n in image.shape)
    if (rows, columns) != image.shape:
        image = np.pad(image, ((0, rows - image.shape[0]), (0, columns - image.shape[1])), mode="edge")
    blocks = image.reshape(rows // every, every, columns // every, every)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32), dtype=np.float32)


def enlarge(coarse: Field, every: int, shape: tuple[int, int]) -> Field:
    """Interpolate a grid of block centres up to full resolution."""
    if every == 1:
        return coarse[: shape[0], : shape[1]]

    result = coarse
    for axis in (0, 1):
        place = (np.arange(shape[axis], dtype=np.float32) - (every - 1) / 2) / every
        if coarse.shape[axis] < 4:
            result = np.repeat(result, every, axis=axis).take(np.arange(shape[axis]), axis=axis)
            continue
        first = np.clip(place.astype(np.int32), 0, coarse.shape[axis] - 2)
        weight = np.clip(place - first, 0, 1).astype(np.float32)
        shape_w = (-1, 1) if axis == 0 else (1, -1)
        low = result.take(first, axis=axis)
        high = result.take(first + 1, axis=axis)
        high -= low
        high *= weight.reshape(shape_w)
        low += high
        result = low
    return result
