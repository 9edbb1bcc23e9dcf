"""Line integrals through solids along the rays of a point source.

The implicit function of a bone is evaluated on a coarse grid that follows the rays, turned into a
distance, and refined in the film plane slice by slice (Catmull-Rom). Between two slices the distance
is taken as linear, so that the length of a ray inside shell and core is exact for smooth surfaces and
thin cortices are never missed between samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from reader_app.phantom.solids import Field, Points

Solid: TypeAlias = Callable[[Points], Field]
Map: TypeAlias = Callable[[Field, Field], Field]


@dataclass(frozen=True)
class Beam:
    """A point source.

    Parameters
    ----------
    source_to_object_mm
        Distance from the focal spot to the plane y = 0.
    from_front
        True for AP (the source in front of the patient), False for PA.
    centre
        Where the central ray passes the plane y = 0, (x, z) in film millimetres.
    """

    source_to_object_mm: float
    from_front: bool
    centre: tuple[float, float] = (0.0, 0.0)

    def points(self, x: Field, y: Field, z: Field) -> Points:
        """Where the rays through (x, 0, z) are at depth `y`; axes are broadcast as (y, z, x)."""
        toward = y if self.from_front else -y
        shrink = (1.0 - toward / self.source_to_object_mm).astype(np.float32)[:, None, None]
        cx, cz = np.float32(self.centre[0]), np.float32(self.centre[1])
        px = (x[None, None, :] - cx) * shrink + cx
        pz = (z[None, :, None] - cz) * shrink + cz
        return Points(px, y.astype(np.float32)[:, None, None], pz)


@dataclass(frozen=True)
class Raster:
    """Pixel centres of a film in the object plane: `x` to the right, `z` up (so it falls with the row)."""

    x: Field
    z: Field

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.z.size, self.x.size

    def part(self, box: tuple[float, float, float, float]) -> tuple[slice, slice]:
        """Rows and columns inside `box` = (left, right, bottom, top) in mm; boxes side by side share none."""
        left, right, bottom, top = box
        columns = np.flatnonzero((self.x >= left) & (self.x < right))
        rows = np.flatnonzero((self.z >= bottom) & (self.z < top))
        if columns.size == 0 or rows.size == 0:
            return slice(0, 0), slice(0, 0)
        return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


@dataclass(frozen=True)
class Region:
    """The box around a solid, in film millimetres (object plane) and depth."""

    left: float
    right: float
    bottom: float
    top: float
    back: float
    front: float


@dataclass(frozen=True)
class Projection:
    """Millimetres of shell (cortex) and core (spongy bone) along each ray."""

    shell: Field
    core: Field


def project(
    solid: Solid,
    region: Region,
    raster: Raster,
    *,
    beam: Beam,
    thickness: Map,
    step: float,
    depth_step: float,
) -> Projection:
    """Integrate shell and core of `solid` along the rays of `raster`.

    Parameters
    ----------
    solid
        Implicit function in the coordinates of the patient.
    region
        Bounds outside which the solid is not looked for.
    thickness
        Thickness of the cortex in mm as a function of film position (x, z).
    step, depth_step
        Spacing of the coarse grid in the film plane and along the ray, mm.

    Returns
    -------
    Projection
        Two arrays with the shape of `raster`.
    """
    shell = np.zeros(raster.shape, np.float32)
    core = np.zeros(raster.shape, np.float32)
    rows, columns = raster.part((region.left, region.right, region.bottom, region.top))
    fine_x, fine_z = raster.x[columns], raster.z[rows]
    if fine_x.size == 0 or fine_z.size == 0:
        return Projection(shell, core)
    x = _axis(float(fine_x.min()), float(fine_x.max()), step)
    z = _axis(float(fine_z.min()), float(fine_z.max()), step)
    y = np.arange(region.back, region.front + depth_step, depth_step, dtype=np.float32)
    distance = _as_distance(solid(beam.points(x, y, z)), depth_step, step)
    to_columns = catmull_rom(x, fine_x).T.copy()
    to_rows = catmull_rom(z, fine_z)
    wall = np.broadcast_to(thickness(fine_x[None, :], fine_z[:, None]), (fine_z.size, fine_x.size))
    previous: Field | None = None
    for layer in range(y.size):
        coarse = distance[layer]
        if previous is None and coarse.min() > step:
            continue
        current = to_rows @ coarse @ to_columns
        if previous is not None:
            low = np.minimum(previous, current)
            inverse = np.float32(1) / (np.maximum(previous, current) - low + np.float32(1e-3))
            inside = np.clip(-low * inverse, 0, 1)
            within = np.clip(-(low + wall) * inverse, 0, 1)
            core[rows, columns] += within
            shell[rows, columns] += inside - within
        previous = current if coarse.min() <= step else None
    core *= np.float32(depth_step)
    shell *= np.float32(depth_step)
    return Projection(shell, core)


def silhouette(
    solid: Solid, region: Region, *, beam: Beam, step: float, depth_step: float, grazing: float = 0.0
) -> tuple[Field, Field, Field]:
    """The shadow of a solid as a field: negative where a ray passes `grazing` mm of it or more.

    Returns
    -------
    tuple
        x (n), z (m, rising) and the field (m, n).
    """
    x = _axis(region.left, region.right, step)
    z = _axis(region.bottom, region.top, step)
    y = np.arange(region.back, region.front + depth_step, depth_step, dtype=np.float32)
    field = solid(beam.points(x, y, z))
    rank = min(max(round(grazing / depth_step) - 1, 0), y.size - 1)
    return x, z, np.asarray(np.partition(field, rank, axis=0)[rank], dtype=np.float32)


def _axis(low: float, high: float, step: float) -> Field:
    count = max(int(np.ceil((high - low) / step)) + 1, 4)
    return (low + step * np.arange(count)).astype(np.float32)


def _as_distance(field: Field, depth_step: float, step: float) -> Field:
    """Divide an implicit function by the length of its gradient: a distance to first order.

    Only near the surface: on the middle plane of a thin plate the gradient vanishes and means nothing.
    """
    full = np.ascontiguousarray(field, dtype=np.float32)
    if min(full.shape) < 2:
        return full
    squared = np.full(full.shape, 1e-4, np.float32)
    for axis, spacing in enumerate((depth_step, step, step)):
        slope = np.gradient(full, np.float32(spacing), axis=axis)
        squared += slope * slope
    np.sqrt(squared, out=squared)
    np.clip(squared, 0.25, 4.0, out=squared)
    near = np.clip(np.float32(1.4) - np.abs(full) / np.float32(1.8), 0, 1)
    squared -= 1
    squared *= near
    squared += 1
    return full / squared


def catmull_rom(grid: Field, at: Field) -> Field:
    """Weights (len(at), len(grid)) that interpolate samples on an even `grid` at the places `at`."""
    step = float(grid[1] - grid[0])
    place = (np.asarray(at, np.float64) - float(grid[0])) / step
    first = np.clip(np.floor(place).astype(int), 0, grid.size - 2)
    t = np.clip(place - first, 0.0, 1.0)
    taps: tuple[NDArray[np.float64], ...] = (
        -0.5 * t + t**2 - 0.5 * t**3,
        1 - 2.5 * t**2 + 1.5 * t**3,
        0.5 * t + 2 * t**2 - 1.5 * t**3,
        -0.5 * t**2 + 0.5 * t**3,
    )
    weights = np.zeros((at.size, grid.size), np.float64)
    line = np.arange(at.size)
    for offset, tap in zip((-1, 0, 1, 2), taps, strict=True):
        np.add.at(weights, (line, np.clip(first + offset, 0, grid.size - 1)), tap)
    return weights.astype(np.float32)
