"""Skin, fat and muscle of two legs as chords through ellipses, row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reader_app.phantom.projection import Raster, catmull_rom
from reader_app.phantom.solids import Field
from reader_app.phantom.texture import banded

_HEIGHTS = (-200.0, -160.0, -120.0, -80.0, -40.0, 0.0, 40.0, 80.0, 120.0, 160.0, 200.0)
_SKIN_LATERAL = (52.0, 56.0, 59.6, 60.7, 57.7, 56.1, 59.4, 66.2, 73.5, 80.0, 84.0)
_SKIN_MEDIAL = (50.0, 56.9, 62.2, 63.3, 57.8, 57.7, 64.2, 72.0, 80.2, 87.4, 92.0)
_HALF_DEPTH = (50.0, 54.2, 57.1, 57.7, 54.8, 54.5, 59.5, 66.2, 73.0, 78.6, 82.0)
_FAT_LATERAL = (7.0, 7.3, 7.7, 8.0, 8.0, 8.2, 10.3, 12.5, 14.2, 15.8, 17.0)
_FAT_MEDIAL = (8.0, 8.6, 9.4, 10.2, 11.2, 14.0, 16.7, 17.7, 19.2, 20.8, 22.0)


@dataclass(frozen=True)
class SoftTissue:
    """Millimetres of water-like tissue and of fat along each ray."""

    muscle: Field
    fat: Field


@dataclass(frozen=True)
class Leg:
    """Where a leg is.

    Parameters
    ----------
    x, z
        Middle of its knee.
    lateral
        Direction of lateral on the film, +1 or -1.
    thigh_lean_deg, calf_lean_deg
        Lean of its axis above and below the knee, towards lateral at the top.
    """

    x: float
    z: float
    lateral: float
    thigh_lean_deg: float = 0.0
    calf_lean_deg: float = 0.0


def leg(raster: Raster, where: Leg, *, body: float, rng: np.random.Generator, spacing: float) -> SoftTissue:
    """Soft tissue of one leg on `raster`.

    Parameters
    ----------
    body
        Scale of the fat layer and, less so, of the muscles.
    """
    u = (raster.x - where.x)[None, :] * np.float32(where.lateral)
    z = (raster.z - where.z)[:, None]
    lean = np.deg2rad(np.where(z > 0, where.thigh_lean_deg, where.calf_lean_deg))
    u = np.asarray(u - 0.8 * np.tan(lean) * z, dtype=np.float32)
    extra = body - 1.0
    fat_l = _along(z, _FAT_LATERAL) * (1 + 1.6 * extra)
    fat_m = _along(z, _FAT_MEDIAL) * (1 + 1.6 * extra)
    core_l = (_along(z, _SKIN_LATERAL) - _along(z, _FAT_LATERAL)) * (1 + 0.25 * extra)
    core_m = (_along(z, _SKIN_MEDIAL) - _along(z, _FAT_MEDIAL)) * (1 + 0.25 * extra)
    wave = _waves(rng, raster, spacing)
    depth = _along(z, _HALF_DEPTH) * (1 + 0.5 * extra)
    skin = chord(u, (core_l + fat_l + 0.7 * wave, core_m + fat_m + 0.7 * wave), depth, sharp=2.0)
    core = chord(
        u,
        (core_l + 0.5 * wave, core_m + 0.7 * wave),
        np.asarray(depth - 0.5 * (fat_l + fat_m), np.float32),
        sharp=2.2,
    )
    muscle = 0.80 * core
    for part in _bellies(u, z, rng):
        muscle = muscle + part
    # Fat planes between the muscles run along the leg.
    planes = banded(rng, raster.shape, spacing=spacing, period=9.0, stretch=7.0, angle=3.0, octaves=0.8)
    muscle = muscle * (1 + 0.032 * planes)
    marbling = banded(rng, raster.shape, spacing=spacing, period=4.0, stretch=3.0, octaves=0.9)
    muscle = np.clip(muscle + 0.7 * marbling * (core > 8), 0, skin)
    lobules = banded(rng, raster.shape, spacing=spacing, period=6.0, stretch=1.5, octaves=0.7)
    skin_layer = np.clip(3.5 * (np.clip(skin, 0, 12) / 12), 0, None)
    fat = np.maximum(skin - muscle - skin_layer, 0) * (1 + 0.008 * lobules)
    return SoftTissue((muscle + skin_layer * (skin > 0)).astype(np.float32), fat.astype(np.float32))


def _along(z: Field, row: tuple[float, ...]) -> Field:
    """A table over `_HEIGHTS` read at the heights `z` (rows, 1)."""
    heights = np.asarray(_HEIGHTS, np.float32)
    at = np.clip(z[:, 0], heights[0], heights[-1])
    return np.asarray(catmull_rom(heights, at) @ np.asarray(row, np.float32), dtype=np.float32)[:, None]


def _waves(rng: np.random.Generator, raster: Raster, spacing: float) -> Field:
    """A gentle unevenness of the outline, mm, one value a row."""
    rows = raster.shape[0]
    line = banded(rng, (rows, 8), spacing=spacing, period=110.0, octaves=0.6)[:, :1]
    return np.asarray(line, dtype=np.float32)


def chord(u: Field, half_widths: tuple[Field, Field], half_depth: Field, *, sharp: float) -> Field:
    """Length of rays along y through an ellipse with unlike right and left half widths."""
    width = np.where(u > 0, half_widths[0], half_widths[1])
    reach = np.clip(1 - np.abs(u / width) ** np.float32(sharp), 0, None)
    return np.asarray(2 * half_depth * np.sqrt(reach), dtype=np.float32)


def _bellies(u: Field, z: Field, rng: np.random.Generator) -> list[Field]:
    """Muscle bellies, ligaments and the quadriceps tendon, as ellipsoids: (u, z, half w, half h, depth)."""
    bellies = (
        (-46.0, 128.0, 36.0, 88.0, 20.0),  # vastus medialis
        (50.0, 150.0, 30.0, 95.0, 20.0),  # vastus lateralis
        (-26.0, -110.0, 30.0, 92.0, 20.0),  # gastrocnemius, medial head
        (24.0, -115.0, 28.0, 88.0, 18.0),  # gastrocnemius, lateral head
        (4.0, 110.0, 20.0, 80.0, 10.0),  # quadriceps tendon
        (3.0, -15.0, 14.0, 40.0, 7.0),  # patellar ligament
        (-46.0, 10.0, 4.0, 55.0, 16.0),  # medial collateral ligament
        (46.0, 5.0, 3.5, 40.0, 12.0),  # lateral collateral ligament, biceps tendon
        (-2.0, 8.0, 42.0, 30.0, 11.0),  # joint capsule and cartilage
    )
    parts = []
    for cu, cz, w, h, depth in bellies:
        shift = rng.normal(0, 1.5, 2)
        lean = np.float32(rng.normal(0, 0.04))
        du = (u - cu - shift[0] - lean * (z - cz)) / w
        dz = (z - cz - shift[1]) / h
        reach = np.clip(1 - du * du - dz * dz, 0, None)
        parts.append(np.asarray(depth * np.sqrt(reach * np.sqrt(reach)), dtype=np.float32))
    return parts
