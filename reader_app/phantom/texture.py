"""Fine structure of spongy bone and of muscle: oriented, band-limited, not Gaussian.

Trabeculae are struts and plates, so their shadow is a net of thin bright lines, not noise: the crests
of several band-limited fields are added, each elongated along one main direction of load.
"""

from __future__ import annotations

import numpy as np

from reader_app.phantom.resample import enlarge
from reader_app.phantom.solids import Field

_NEEDLESS_MM = 0.2
"""Finer pixels than this show no more of a texture whose finest struts are 0.9 mm apart."""


def banded(
    rng: np.random.Generator,
    shape: tuple[int, int],
    *,
    spacing: float,
    period: float,
    stretch: float = 1.0,
    angle: float = 0.0,
    octaves: float = 0.5,
) -> Field:
    """Noise of mean 0 and deviation 1 whose structures are about `period` mm wide.

    Parameters
    ----------
    rng
        Source of randomness.
    shape
        (rows, columns).
    spacing
        Millimetres per pixel.
    period
        Typical distance of neighbouring structures across their direction, mm.
    stretch
        How many times longer than wide they are.
    angle
        Their direction in degrees from the vertical of the film, clockwise.
    octaves
        Relative width of the band.
    """
    from scipy import fft

    rows, columns = (fft.next_fast_len(n, real=True) for n in shape)
    noise = rng.standard_normal((rows, columns), dtype=np.float32)
    fz = fft.fftfreq(rows, spacing).astype(np.float32)[:, None]
    fx = fft.rfftfreq(columns, spacing).astype(np.float32)[None, :]
    turn = np.deg2rad(angle)
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    across = fx * c + fz * s
    along = (fz * c - fx * s) * np.float32(stretch)
    radius = np.sqrt(across * across + along * along) * np.float32(period)
    gain = np.exp(np.float32(-0.5 / octaves**2) * np.log2(np.maximum(radius, np.float32(1e-4))) ** 2)
    field = fft.irfft2(fft.rfft2(noise) * gain, s=(rows, columns))[: shape[0], : shape[1]]
    return np.asarray(field / max(float(field.std()), 1e-6), dtype=np.float32)


def crests(field: Field) -> Field:
    """Turn a smooth field into thin bright lines where it crosses zero; mean 0, deviation 1."""
    lines = np.exp(np.float32(-1.6) * np.abs(field))
    lines -= lines.mean()
    return np.asarray(lines / max(float(lines.std()), 1e-6), dtype=np.float32)


def coarse_banded(
    rng: np.random.Generator, shape: tuple[int, int], *, spacing: float, period: float, stretch: float = 1.0
) -> Field:
    """`banded` noise of a broad band, made on a grid just fine enough for its `period`, mm."""
    every = max(int(period / (5 * spacing)), 1)
    small = (-(-shape[0] // every), -(-shape[1] // every))
    wide = max(period, 3 * spacing)
    field = banded(rng, small, spacing=spacing * every, period=wide, stretch=stretch, octaves=0.9)
    return enlarge(field, every, shape)


def trabeculae(
    rng: np.random.Generator,
    shape: tuple[int, int],
    *,
    spacing: float,
    angle: float = 0.0,
    stretch: float = 8.0,
) -> Field:
    """Shadow of spongy bone, mean 0 and deviation about 1.

    Main struts along `angle`, thinner cross struts, and patches of denser and looser bone. Structures
    finer than two pixels are left out.
    """
    if spacing < _NEEDLESS_MM:
        every = int(2 * _NEEDLESS_MM / spacing)
        small = (-(-shape[0] // every), -(-shape[1] // every))
        coarse = trabeculae(rng, small, spacing=spacing * every, angle=angle, stretch=stretch)
        return enlarge(coarse, every, shape)
    finest = 2.2 * spacing
    layers = (
        (max(1.3, finest), stretch, angle + 2.0, 0.60, True),
        (max(0.9, finest), 0.6 * stretch, angle - 7.0, 0.42, True),
        (max(1.4, finest), 4.0, angle + 87.0, 0.26, True),
        (max(2.6, finest), 4.0, angle, 0.30, False),
        (max(6.0, finest), 2.0, angle, 0.32, False),
    )
    total = np.zeros(shape, np.float32)
    for period, length, direction, weight, lined in layers:
        field = banded(rng, shape, spacing=spacing, period=period, stretch=length, angle=direction)
        total += np.float32(weight) * (crests(field) if lined else field)
    return total
