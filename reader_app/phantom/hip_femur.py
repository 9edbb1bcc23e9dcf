"""The upper femur as a solid.

Coordinates: origin in the middle of the femoral head, x lateral, y front, z up, mm.
"""

from __future__ import annotations

import numpy as np

from reader_app.phantom.knee_bones import roughness
from reader_app.phantom.solids import Field, Points, Profile, Vector, ellipsoid, loft, round_cone, union
from reader_app.phantom.truth import HipTruth

NECK_LENGTH_MM = 47.0
HEALTHY_ALPHA_DEG = 48.0
_SHAFT = Profile(
    z=(-260, -180, -120, -85, -60, -40, -20, 0),
    right=(13.5, 14, 15, 16, 17, 18, 18, 14),
    left=(13.5, 14, 15, 16.5, 19, 22, 20, 14),
    front=(14, 14, 15, 16, 17, 17, 15, 12),
    back=(14, 14, 15, 16, 17, 17, 15, 12),
)


def neck_direction(hip: HipTruth) -> tuple[float, float]:
    """Unit vector (x, z) from the head down the neck, as projected with the neck in the film plane."""
    angle = np.deg2rad(180.0 - hip.neck_shaft_deg)
    return float(np.sin(angle)), float(-np.cos(angle))


def shaft_axis(hip: HipTruth) -> tuple[float, float]:
    """Where neck and shaft axes meet: (x, z) from the head's middle."""
    across, down = neck_direction(hip)
    return NECK_LENGTH_MM * across, NECK_LENGTH_MM * down


def cam_bump(hip: HipTruth) -> tuple[Vector, float] | None:
    """Middle and radius of the sphere that makes a cam, or None.

    It leaves the round of the head exactly where the alpha angle says, measured from the neck's axis.
    """
    if hip.alpha_deg <= HEALTHY_ALPHA_DEG:
        return None
    head = hip.head_radius_mm
    radius = 0.52 * head
    out = head - radius + 0.10 * (hip.alpha_deg - HEALTHY_ALPHA_DEG) + 0.6
    half = np.arccos(np.clip((out**2 + head**2 - radius**2) / (2 * out * head), -1, 1))
    across, down = neck_direction(hip)
    angle = np.arctan2(down, across) + np.deg2rad(hip.alpha_deg) - half
    return (float(out * np.cos(angle)), 2.0, float(out * np.sin(angle))), radius


def upper_femur(p: Points, hip: HipTruth) -> Field:
    """Head, neck, both trochanters, shaft, a cam and osteophytes.

    `p` is already turned so that the neck lies in the plane of the film at 0 degrees of rotation.
    """
    across, down = neck_direction(hip)
    sx, sz = shaft_axis(hip)
    r = hip.head_radius_mm
    norm = np.sqrt(p.x * p.x + p.y * p.y + p.z * p.z)
    head = (norm - np.float32(r)).astype(np.float32)
    neck = round_cone(
        p,
        ((5.0 * across, 0.0, 5.0 * down), (0.80 * sx, 0.0, 0.80 * sz - 2.0)),
        (0.60 * r, 0.60 * r),
        deep=0.82,
    )
    base = round_cone(p, ((0.62 * sx, 0.0, 0.62 * sz - 4.0), (sx - 4.0, 0.0, sz - 14.0)), (0.60 * r, 18.0))
    shaft = loft(p.moved((sx, 0.0, sz)).tilted(-4.0), _SHAFT)
    shaft = np.maximum(shaft, p.z - np.float32(sz + 4.0)).astype(np.float32)
    greater = ellipsoid(
        p.moved((sx + 13.0, -8.0, sz + 10.0)).tilted(-14.0), (0.0, 0.0, 0.0), (12.0, 15.0, 24.0)
    )
    summit = ellipsoid(p, (sx + 4.0, -14.0, sz + 24.0), (9.5, 8.5, 10.5))
    lesser = round_cone(p, ((sx - 7.0, -7.0, sz - 34.0), (sx - 19.0, -16.0, sz - 30.0)), (13.0, 3.6))
    bone = union(head, neck, 8.0)
    for piece, fillet in ((base, 10.0), (shaft, 10.0), (greater, 9.0), (summit, 5.0), (lesser, 13.0)):
        bone = union(bone, piece, fillet)
    bone = union(bone + roughness(p, 0.25, seed=21 + 100 * hip.form_seed), head)
    bump = cam_bump(hip)
    if bump is not None:
        (bx, by, bz), size = bump
        q = p.moved((bx, by, bz))
        ball = (np.sqrt(q.x * q.x + q.y * q.y + q.z * q.z) - np.float32(size)).astype(np.float32)
        bone = union(bone, ball, 2.0)
    return _with_spurs(bone, p, hip)


def spur_angles(hip: HipTruth) -> tuple[float, float]:
    """Where the femoral osteophytes sit: degrees from straight up towards lateral (superior, inferior)."""
    neck = 180.0 - hip.neck_shaft_deg
    return 180.0 - neck - 66.0, 180.0 - neck + 66.0


def _with_spurs(bone: Field, p: Points, hip: HipTruth) -> Field:
    r = hip.head_radius_mm
    spurs = hip.osteophytes
    for angle, size in zip(spur_angles(hip), (spurs.femoral_superior, spurs.femoral_inferior), strict=True):
        if size <= 0:
            continue
        a = np.deg2rad(angle)
        root = ((r - 5.0) * np.sin(a), 0.0, (r - 5.0) * np.cos(a))
        reach = r + size - 1.2
        tip = (reach * np.sin(a), 0.0, reach * np.cos(a))
        bone = union(bone, round_cone(p, (root, tip), (4.0 + 0.3 * size, 1.2), deep=3.2), 2.5)
    return bone
