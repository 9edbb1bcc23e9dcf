"""Soft tissue around the pelvis: trunk, thighs, muscles, bladder, gas in the bowel."""

from __future__ import annotations

import numpy as np

from reader_app.phantom.knee_soft_tissue import SoftTissue, chord
from reader_app.phantom.projection import Raster, catmull_rom
from reader_app.phantom.solids import Field
from reader_app.phantom.texture import banded

_HEIGHTS = (-240.0, -200.0, -160.0, -120.0, -80.0, -40.0, 0.0, 40.0, 80.0, 120.0, 160.0, 200.0)
_TRUNK_WIDTH = (176.0, 178.0, 180.0, 181.0, 182.0, 184.0, 183.0, 178.0, 170.0, 161.0, 153.0, 148.0)
_TRUNK_DEPTH = (70.0, 75.0, 80.0, 86.0, 93.0, 99.0, 104.0, 107.0, 108.0, 106.0, 102.0, 99.0)
_THIGH_HALF = (78.0, 80.0, 83.0, 86.0, 90.0, 93.0, 95.0, 95.0, 95.0, 95.0, 95.0, 95.0)
_FAT = (15.0, 16.0, 18.0, 20.0, 23.0, 26.0, 26.0, 24.0, 22.0, 21.0, 20.0, 20.0)
_CROTCH_MM = -92.0


def trunk(
    raster: Raster, middle: tuple[float, float], *, body: float, rng: np.random.Generator, spacing: float
) -> SoftTissue:
    """Soft tissue of pelvis and thighs on `raster`; `middle` is the midline and the height of the hips."""
    x = (raster.x - np.float32(middle[0]))[None, :]
    z = (raster.z - np.float32(middle[1]))[:, None]
    extra = body - 1.0
    fat = _along(z, _FAT) * (1 + 1.8 * extra)
    width = _along(z, _TRUNK_WIDTH) - _along(z, _FAT)
    depth = _along(z, _TRUNK_DEPTH) * (1 + 0.45 * extra)
    whole = chord(x, (width + fat, width + fat), depth, sharp=2.6)
    core = chord(x, (width, width), depth - 0.9 * fat, sharp=2.4)
    half = _along(z, _THIGH_HALF)
    centre = width + fat - half * (1 + 0.4 * extra)
    u = np.abs(x) - centre
    thigh = chord(u, (half * (1 + 0.4 * extra),) * 2, 0.86 * depth, sharp=2.2)
    thigh_core = chord(u, (half - fat,) * 2, 0.86 * depth - 0.8 * fat, sharp=2.2)
    # Below the crotch there are two thighs; the change is gradual, as buttocks and folds make it.
    legs = 0.5 + 0.5 * np.tanh((_CROTCH_MM - 8.0 - z) / 15.0)
    skin = whole * (1 - legs) + thigh * legs
    muscle = 0.80 * (core * (1 - legs) + thigh_core * legs)
    for part in _muscles(x, z):
        muscle = muscle + part
    planes = banded(rng, raster.shape, spacing=spacing, period=12.0, stretch=4.0, octaves=0.9)
    mottle = banded(rng, raster.shape, spacing=spacing, period=26.0, octaves=0.9)
    muscle = muscle + 1.2 * planes + 1.6 * mottle * np.exp(-((x / 70.0) ** 2))
    muscle = np.clip(muscle, 0, np.maximum(skin - 4.0, 0))
    gas = np.minimum(bowel_gas(raster, middle, rng, spacing), 0.6 * muscle)
    muscle = muscle - gas
    return SoftTissue(muscle.astype(np.float32), np.maximum(skin - muscle - gas, 0).astype(np.float32))


def _along(z: Field, row: tuple[float, ...]) -> Field:
    heights = np.asarray(_HEIGHTS, np.float32)
    at = np.clip(z[:, 0], heights[0], heights[-1])
    return np.asarray(catmull_rom(heights, at) @ np.asarray(row, np.float32), dtype=np.float32)[:, None]


def _muscles(x: Field, z: Field) -> list[Field]:
    """Bellies on both sides: (from midline, height, half width, half height, lean, depth)."""
    ax = np.abs(x)
    parts = []
    for cx, cz, w, h, lean, depth in (
        (134.0, 45.0, 30.0, 62.0, 0.30, 26.0),  # gluteus medius and minimus
        (100.0, 10.0, 46.0, 70.0, -0.15, 20.0),  # gluteus maximus
        (58.0, 90.0, 22.0, 90.0, 0.35, 16.0),  # iliopsoas
        (70.0, -110.0, 36.0, 80.0, 0.18, 20.0),  # adductors
        (112.0, -150.0, 40.0, 110.0, 0.0, 20.0),  # quadriceps
        (0.0, 12.0, 40.0, 32.0, 0.0, 22.0),  # bladder
    ):
        du = (ax - cx - lean * (z - cz)) / w
        dz = (z - cz) / h
        reach = np.clip(1 - du * du - dz * dz, 0, None)
        parts.append(np.asarray(depth * np.sqrt(reach * np.sqrt(reach)), dtype=np.float32))
    return parts


def bowel_gas(raster: Raster, middle: tuple[float, float], rng: np.random.Generator, spacing: float) -> Field:
    """Millimetres of gas: a few bubbles of rectum, sigmoid and both flanks of the colon."""
    warp_x = 1.8 * banded(rng, raster.shape, spacing=spacing, period=26.0, octaves=0.5)
    warp_z = 1.8 * banded(rng, raster.shape, spacing=spacing, period=26.0, octaves=0.5)
    x = (raster.x - np.float32(middle[0]))[None, :] + warp_x
    z = (raster.z - np.float32(middle[1]))[:, None] + warp_z
    total = np.zeros(raster.shape, np.float32)
    loops = (
        (0.0, 34.0, 14.0, 4),
        (22.0, 52.0, 12.0, 4),
        (-84.0, 96.0, 15.0, 4),
        (88.0, 104.0, 13.0, 4),
        (-24.0, 66.0, 9.0, 3),
    )
    for cx, cz, size, bubbles in loops:
        px, pz = cx + rng.normal(0, 8), cz + rng.normal(0, 8)
        direction = rng.uniform(0, 2 * np.pi)
        for _ in range(int(rng.integers(1, bubbles + 1))):
            r = size * rng.uniform(0.55, 1.15)
            away = ((x - px) ** 2 + ((z - pz) * rng.uniform(0.9, 1.3)) ** 2) / r**2
            bubble = 1.3 * r * np.clip(1 - away, 0, None) ** 0.7
            total = np.maximum(total, bubble.astype(np.float32))
            direction += rng.normal(0, 0.7)
            px, pz = px + 1.5 * r * np.cos(direction), pz + 1.2 * r * np.sin(direction)
    return total
