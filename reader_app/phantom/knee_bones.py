"""The bones of a knee as solids.

Coordinates of a knee: x lateral, y front, z up, origin in the middle of the joint at the height of the
tibial plateau; the beam runs along y. Measures are those of an adult of average size in mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from reader_app.phantom.solids import (
    Field,
    Points,
    Profile,
    cut,
    ellipsoid,
    intersection,
    loft,
    round_cone,
    union,
)
from reader_app.phantom.truth import KneeTruth

_FEMUR_BODY = Profile(
    z=(6, 12, 20, 27, 34, 42, 50, 60, 72, 88, 110, 140, 210),
    right=(30, 36.5, 39.5, 41, 40.5, 37.5, 33.5, 28, 23, 19, 16, 14.5, 14),
    left=(31, 37.5, 40.5, 42.5, 42.5, 40.5, 36.5, 30, 24, 19, 16, 14.5, 14),
    front=(8, 13, 19, 22, 23, 21, 18, 16, 15, 14.5, 14, 14, 14),
    back=(5, 12, 17, 19, 20, 20, 18, 16.5, 15.5, 15, 14.5, 14, 14),
)
_TIBIA_BODY = Profile(
    z=(-220, -150, -110, -85, -65, -50, -38, -28, -18, -9, -3, 6),
    right=(12, 12.5, 13.5, 15, 18, 22.5, 27.5, 32.5, 36.5, 38.3, 37.8, 37.0),
    left=(12, 12.5, 14, 16, 19, 23, 27, 31.5, 35.5, 38, 38.4, 37.8),
    front=(13, 14, 16, 18, 21, 23, 24, 24, 23, 22, 21, 20.5),
    back=(12, 12.5, 14, 15.5, 17, 18.5, 20, 21.5, 22.5, 23, 22.5, 22),
)
_FIBULA = Profile(
    z=(-220, -120, -75, -55, -42, -33, -25, -18, -14.5, -12.8, 0),
    right=(3.4, 4.2, 4.6, 5.0, 6.2, 8.6, 10.2, 8.8, 5.0, 1.0, 0.3),
    left=(9.5, 7.4, 6.3, 5.8, 6.4, 8.2, 9.4, 8.0, 4.5, 1.0, 0.3),
    front=(8.0, 7.0, 6.5, 6.0, 6.5, 8.6, 10.0, 8.8, 5.0, 1.0, 0.3),
    back=(7.0, 6.5, 6.0, 5.8, 6.5, 9.0, 11.0, 10.0, 6.0, 1.0, 0.3),
)


@dataclass(frozen=True)
class Form:
    """How one person's knee differs from the average: factors, and offsets in mm."""

    width: float = 1.0
    notch_width: float = 1.0
    notch_height: float = 1.0
    spines: float = 1.0
    slope_medial: float = 0.035
    slope_lateral: float = -0.045
    patella: tuple[float, float] = (0.0, 0.0)
    patella_size: float = 1.0
    fibula: tuple[float, float] = (0.0, 0.0)


@lru_cache(maxsize=64)
def form(seed: int) -> Form:
    """The form that belongs to a seed; 0 is the average."""
    if seed == 0:
        return Form()
    rng = np.random.default_rng([seed, 55])

    def factor(spread: float) -> float:
        return float(np.clip(rng.normal(1.0, spread), 1 - 2 * spread, 1 + 2 * spread))

    return Form(
        width=factor(0.025),
        notch_width=factor(0.10),
        notch_height=factor(0.10),
        spines=factor(0.16),
        slope_medial=float(rng.uniform(-0.02, 0.06)),
        slope_lateral=float(rng.uniform(-0.08, 0.0)),
        patella=(float(rng.normal(0.5, 2.0)), float(rng.normal(0, 4.0))),
        patella_size=factor(0.06),
        fibula=(float(rng.normal(0, 1.5)), float(rng.normal(0, 3.0))),
    )


def roughness(p: Points, amplitude: float, *, seed: int) -> Field:
    """A gentle unevenness of a surface: a few plane waves of 18 to 45 mm that do not repeat."""
    rng = np.random.default_rng([seed, 77])
    total = np.zeros((), np.float32)
    for _ in range(5):
        direction = rng.normal(size=3)
        k = direction / np.linalg.norm(direction) * 2 * np.pi / rng.uniform(18.0, 45.0)
        wave = p.x * np.float32(k[0]) + p.y * np.float32(k[1]) + p.z * np.float32(k[2])
        total = total + np.sin(wave + np.float32(rng.uniform(0, 6.28)))
    return np.asarray(total * np.float32(amplitude / 1.6), dtype=np.float32)


def femur(p: Points, knee: KneeTruth) -> Field:
    """Distal femur with two condyles, notch, trochlea and its osteophytes."""
    own = form(knee.form_seed)
    q = p.scaled(knee.size).flexed(knee.pose.flexion_deg)
    q = q.moved((0.0, -3.0, 0.0)).widened(own.width)
    body = loft(q.tilted(4.0).moved((0.0, 0.0, 1.0)), _FEMUR_BODY)
    body = intersection(body, np.float32(12.0) - q.z, 6.0)
    medial = _condyle(q, -1.0, (-10.0, 21.5))
    lateral = _condyle(q, 1.0, (-8.0, 21.0))
    trochlea = ellipsoid(q, (2.0, 8.0, 22.5), (27.0, 20.0, 19.0))
    bone = union(union(union(body, medial, 6.0), lateral, 6.0), trochlea, 8.0)
    notch = union(
        ellipsoid(q, (0.5, -22.0, -1.0), (14.0 * own.notch_width, 29.0, 12.0 * own.notch_height)),
        ellipsoid(q, (0.5, -37.0, 14.0), (9.5 * own.notch_width, 27.0, 38.0)),
        8.0,
    )
    bone = cut(bone, notch, 7.0) + roughness(q, 0.24, seed=1 + 10 * knee.form_seed)
    return _with_femoral_spurs(bone, q, knee)


def _condyle(q: Points, side: float, middle: tuple[float, float]) -> Field:
    """One condyle: broad and flat below, rounded to the notch."""
    y, z = middle
    inner = ellipsoid(q, (side * 18.5, y, z), (18.5, 31.0, z))
    outer = ellipsoid(q, (side * 24.5, y + 1.0, z), (13.9, 29.5, z - 0.1), boxy=True)
    return union(inner, outer, 2.0)


def _with_femoral_spurs(bone: Field, q: Points, knee: KneeTruth) -> Field:
    spurs = knee.osteophytes
    for sign, size in ((-1.0, spurs.femoral_medial), (1.0, spurs.femoral_lateral)):
        if size <= 0:
            continue
        edge = 38.3 if sign < 0 else 37.6
        length = size / (knee.size * form(knee.form_seed).width)
        root = (sign * (edge - 6.0), -6.0, 10.0)
        tip = (sign * (edge + length - 1.1), -6.0, 6.0 + 0.3 * length)
        spur = round_cone(q, (root, tip), (4.8 + 0.35 * length, 1.1), deep=3.0)
        bone = union(bone, spur, 2.5)
    return bone


def plateau_height(x: Field, y: Field, own: Form) -> Field:
    """Height of the tibial plateau: two dishes, the spines between them."""
    medial = np.float32(-1.4) + np.float32(1.5) * ((x + 21) / 16) ** 2 * np.exp(-(((x + 21) / 22) ** 2))
    lateral = np.float32(-0.9) + np.float32(0.9) * ((x - 20) / 15) ** 2 * np.exp(-(((x - 20) / 22) ** 2))
    share = 1 / (1 + np.exp(-x / 2.0))
    dish = medial * (1 - share) + lateral * share
    sag = np.where(x < 0, 0.6, -0.7) * ((y + 1) / 21) ** 2 - np.where(x < 0, 0.6, 0.0)
    ridge = 4.0 * np.exp(-((x / 10.5) ** 2)) * np.exp(-(((y + 2) / 15) ** 2))
    inner = 9.5 * own.spines * np.exp(-np.sqrt(((x + 5.5) / 3.0) ** 2 + ((y + 1) / 8.0) ** 2 + 0.15))
    outer = 8.0 * own.spines * np.exp(-np.sqrt(((x - 6.0) / 3.0) ** 2 + ((y + 4) / 7.0) ** 2 + 0.15))
    # The two sides slope unlike, so that the beam never grazes both: the double contour of real films.
    slope = np.where(x < 0, own.slope_medial, own.slope_lateral) * y
    return np.asarray(dish + sag + slope + ridge + inner + outer, dtype=np.float32)


def tibia(p: Points, knee: KneeTruth) -> Field:
    """Proximal tibia with plateau, spines, tubercle, a cyst and its osteophytes."""
    own = form(knee.form_seed)
    q = p.scaled(knee.size).flexed(-knee.pose.tilt_deg).widened(own.width)
    rod = loft(q.tilted(-1.5), _TIBIA_BODY, boxy=True)
    groove = ellipsoid(q, (0.0, -27.0, -2.0), (11.0, 9.0, 24.0))
    rod = cut(rod, groove, 6.0)
    x, y = np.broadcast_arrays(q.x, q.y)
    top = q.z - plateau_height(x.astype(np.float32), y.astype(np.float32), own)
    bone = intersection(rod, top.astype(np.float32), 2.0)
    tubercle = round_cone(q, ((3.0, 18.0, -30.0), (2.0, 21.0, -48.0)), (9.0, 6.0))
    bone = union(bone, tubercle, 8.0) + roughness(q, 0.25, seed=2 + 10 * knee.form_seed)
    return _with_tibial_spurs(bone, q, knee)


def _with_tibial_spurs(bone: Field, q: Points, knee: KneeTruth) -> Field:
    spurs = knee.osteophytes
    for sign, size in ((-1.0, spurs.tibial_medial), (1.0, spurs.tibial_lateral)):
        if size <= 0:
            continue
        edge = 38.0 if sign < 0 else 37.5
        length = size / (knee.size * form(knee.form_seed).width)
        root = (sign * (edge - 6.0), 0.0, -5.0)
        tip = (sign * (edge + length - 1.1), 0.0, -2.6 + 0.25 * length)
        spur = round_cone(q, (root, tip), (3.8 + 0.3 * length, 1.1), deep=3.0)
        bone = union(bone, spur, 2.5)
    return bone


def fibula(p: Points, knee: KneeTruth) -> Field:
    """Head and shaft of the fibula, behind and outside the tibia."""
    dx, dz = form(knee.form_seed).fibula
    q = p.scaled(knee.size).moved((dx, 0.0, dz))
    rod = loft(q.moved((35.0, -16.0, 0.0)), _FIBULA)
    styloid = round_cone(q, ((38.0, -20.0, -18.0), (37.0, -23.0, -10.0)), (4.5, 1.8))
    return union(rod, styloid, 5.0) + roughness(q, 0.2, seed=3 + 10 * knee.form_seed)


def patella(p: Points, knee: KneeTruth) -> Field:
    """The patella in front of the trochlea; seen through the femur."""
    own = form(knee.form_seed)
    dx, dz = own.patella
    q = p.scaled(knee.size).flexed(12.0).moved((4.0 + dx, 37.0, 37.0 + dz)).scaled(own.patella_size)
    disc = ellipsoid(q, (0.0, 0.0, 0.0), (23.0, 9.5, 18.0))
    shoulders = ellipsoid(q, (0.0, 0.5, 2.0), (20.5, 8.0, 15.5), boxy=True)
    apex = round_cone(q, ((0.0, 1.0, -9.0), (-0.5, 0.0, -23.0)), (13.0, 5.0), deep=0.5)
    return union(union(disc, shoulders, 3.0), apex, 10.0) + roughness(q, 0.5, seed=4 + 10 * knee.form_seed)
