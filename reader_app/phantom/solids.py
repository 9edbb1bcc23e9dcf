"""Solids as implicit functions: negative inside, positive outside, in millimetres near the surface.

A bone is a function from `Points` to such a field. Primitives are only roughly distances;
`reader_app.phantom.projection` divides a field by its gradient before it uses it as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Field: TypeAlias = NDArray[np.float32]
Vector: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True)
class Points:
    """Positions in millimetres; the three arrays broadcast against each other.

    `x` runs to the side (lateral of the joint is positive), `y` to the front, `z` up.
    """

    x: Field
    y: Field
    z: Field

    def moved(self, offset: Vector) -> Points:
        """These points as seen from an origin at `offset`."""
        ox, oy, oz = (np.float32(part) for part in offset)
        return Points(self.x - ox, self.y - oy, self.z - oz)

    def flexed(self, degrees: float) -> Points:
        """Seen from a frame turned about x: its z axis leans back by `degrees`."""
        c, s = _cos_sin(degrees)
        return Points(self.x, self.y * c + self.z * s, self.z * c - self.y * s)

    def tilted(self, degrees: float) -> Points:
        """Seen from a frame turned about y: its z axis leans to +x by `degrees`."""
        c, s = _cos_sin(degrees)
        return Points(self.x * c - self.z * s, self.y, self.z * c + self.x * s)

    def turned(self, degrees: float) -> Points:
        """Seen from a frame turned about z: its y axis (front) leans to +x by `degrees`."""
        c, s = _cos_sin(degrees)
        return Points(self.x * c - self.y * s, self.y * c + self.x * s, self.z)

    def scaled(self, factor: float) -> Points:
        """These points in units of `factor` millimetres."""
        f = np.float32(1.0 / factor)
        return Points(self.x * f, self.y * f, self.z * f)

    def widened(self, factor: float) -> Points:
        """As `scaled`, but across (x) only."""
        return Points(self.x * np.float32(1.0 / factor), self.y, self.z)


def _cos_sin(degrees: float) -> tuple[np.float32, np.float32]:
    angle = np.deg2rad(degrees)
    return np.float32(np.cos(angle)), np.float32(np.sin(angle))


def ellipsoid(p: Points, centre: Vector, radii: Vector, *, boxy: bool = False) -> Field:
    """An ellipsoid; `boxy` squares its outline in the x-z plane (superellipse of power 3)."""
    q = p.moved(centre)
    a, b, c = (np.float32(r) for r in radii)
    x, y, z = q.x / a, q.y / b, q.z / c
    if boxy:
        ax, az = np.abs(x), np.abs(z)
        in_plane = np.cbrt(ax * ax * ax + az * az * az)
        norm = np.sqrt(in_plane * in_plane + y * y)
    else:
        norm = np.sqrt(x * x + y * y + z * z)
    return np.asarray((norm - np.float32(1)) * np.float32(min(radii)), dtype=np.float32)


def round_cone(
    p: Points, ends: tuple[Vector, Vector], radii: tuple[float, float], *, deep: float = 1.0
) -> Field:
    """A rod between two points whose radius changes evenly; `deep` stretches its section along y."""
    start, stop = np.asarray(ends[0], np.float32), np.asarray(ends[1], np.float32)
    axis = stop - start
    squash = np.float32(1.0 / deep)
    x, y, z = p.x - start[0], (p.y - start[1]) * squash, p.z - start[2]
    ax, ay, az = axis[0], axis[1] * squash, axis[2]
    length = max(float(ax * ax + ay * ay + az * az), 1e-6)
    along = np.clip((x * ax + y * ay + z * az) * np.float32(1.0 / length), 0, 1)
    dx, dy, dz = x - along * ax, y - along * ay, z - along * az
    radius = np.float32(radii[0]) + along * np.float32(radii[1] - radii[0])
    return np.asarray(np.sqrt(dx * dx + dy * dy + dz * dz) - radius, dtype=np.float32)


@dataclass(frozen=True)
class Profile:
    """Half widths of a lofted bone along its z axis, all in millimetres.

    `z` rises; the other rows have its length: extent to +x, -x, +y and -y.
    """

    z: Sequence[float]
    right: Sequence[float]
    left: Sequence[float]
    front: Sequence[float]
    back: Sequence[float]


def loft(p: Points, profile: Profile, *, boxy: bool = False) -> Field:
    """A rod along z with the sections of `profile`: half ellipses, or squarer ones if `boxy`."""
    z = np.asarray(p.z, np.float32)
    widths = [
        np.interp(z, profile.z, row).astype(np.float32)
        for row in (profile.right, profile.left, profile.front, profile.back)
    ]
    x = p.x / np.where(p.x > 0, widths[0], widths[1])
    y = p.y / np.where(p.y > 0, widths[2], widths[3])
    if boxy:
        ax, ay = np.abs(x), np.abs(y)
        norm = np.cbrt(ax * ax * ax + ay * ay * ay)
    else:
        norm = np.sqrt(x * x + y * y)
    smallest = np.minimum(np.minimum(widths[0], widths[1]), np.minimum(widths[2], widths[3]))
    return np.asarray((norm - np.float32(1)) * smallest, dtype=np.float32)


def union(first: Field, second: Field, blend: float = 0.0) -> Field:
    """Either solid, with a fillet of about `blend` millimetres where they meet."""
    low = np.minimum(first, second)
    if blend <= 0:
        return np.asarray(low, dtype=np.float32)
    k = np.float32(blend)
    overlap = np.maximum(k - np.abs(first - second), 0)
    return np.asarray(low - overlap * overlap * np.float32(0.25 / blend), dtype=np.float32)


def intersection(first: Field, second: Field, blend: float = 0.0) -> Field:
    """What is inside both, with an edge rounded by about `blend` millimetres."""
    return -union(-first, -second, blend)


def cut(solid: Field, tool: Field, blend: float = 0.0) -> Field:
    """`solid` without `tool`, the new edge rounded by about `blend` millimetres."""
    return intersection(solid, -tool, blend)
