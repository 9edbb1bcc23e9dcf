"""Half a pelvis and a sacrum as solids.

Coordinates of a hip: x lateral of the midline, y front, z up from the middle of the acetabulum, mm;
the acetabulum lies at x = `HIP_OFFSET_MM`. The beam runs along y.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np

from reader_app.phantom.knee_bones import roughness
from reader_app.phantom.projection import catmull_rom
from reader_app.phantom.solids import Field, Points, Vector, cut, ellipsoid, intersection, round_cone, union
from reader_app.phantom.truth import HipTruth

HIP_OFFSET_MM = 90.0
CUP_CLEARANCE_MM = 3.9
"""By how much the cup's radius exceeds the head's."""
INFERIOR_MARGIN_DEG = 201.0
"""From the outer edge of the roof around to the inner lower rim of the socket."""
SPINE_TIP_MM = (58.5, -17.0)
"""Tip of an ischial spine that does not stand into the ring: lateral of the midline, above the socket."""

# Outline of the iliac wing as seen from the front: crest, both spines, roof, pelvic brim, sacroiliac joint.
_WING_OUTLINE = (
    (30.0, 92.0), (38.0, 108.0), (52.0, 122.0), (70.0, 132.0), (90.0, 137.0), (108.0, 133.0), (122.0, 122.0),
    (130.0, 106.0), (131.0, 92.0), (126.0, 82.0), (120.0, 72.0), (114.0, 60.0), (111.0, 48.0), (108.0, 38.0),
    (104.0, 26.0), (96.0, 14.0), (80.0, 8.0), (66.0, 10.0), (58.0, 20.0), (52.0, 32.0), (46.0, 42.0),
    (40.0, 50.0), (36.0, 60.0), (32.0, 76.0),
)  # fmt: skip
_GRID_MM = 1.0


@lru_cache(maxsize=1)
def _wing_table() -> tuple[float, float, Field]:
    """Signed distance to the wing's outline on a grid (z rising, x): origin x, origin z, values."""
    corners = np.asarray(_WING_OUTLINE, np.float64)
    # Round the polygon: a closed Catmull-Rom through its corners.
    count = len(corners)
    padded = np.concatenate([corners[-2:], corners, corners[:3]])
    fine = catmull_rom(
        np.arange(len(padded), dtype=np.float32), np.arange(2, count + 2, 0.2, dtype=np.float32)
    )
    line = fine @ padded.astype(np.float32)
    x = np.arange(0.0, 160.0, _GRID_MM, dtype=np.float32)
    z = np.arange(-20.0, 160.0, _GRID_MM, dtype=np.float32)
    gx, gz = np.meshgrid(x, z)
    nearest = np.full(gx.shape, 1e6, np.float32)
    inside = np.zeros(gx.shape, bool)
    for (ax, az), (bx, bz) in zip(line, np.roll(line, -1, axis=0), strict=True):
        dx, dz = bx - ax, bz - az
        t = np.clip(((gx - ax) * dx + (gz - az) * dz) / max(dx * dx + dz * dz, 1e-9), 0, 1)
        nearest = np.minimum(nearest, (gx - ax - t * dx) ** 2 + (gz - az - t * dz) ** 2)
        if az != bz:
            crosses = ((az > gz) != (bz > gz)) & (gx < dx * (gz - az) / dz + ax)
            inside ^= crosses
    distance = np.sqrt(nearest)
    return float(x[0]), float(z[0]), np.where(inside, -distance, distance).astype(np.float32)


def _wing_distance(x: Field, z: Field) -> Field:
    x0, z0, table = _wing_table()
    column = np.clip((x - x0) / _GRID_MM, 0, table.shape[1] - 1.001)
    row = np.clip((z - z0) / _GRID_MM, 0, table.shape[0] - 1.001)
    j, i = column.astype(np.int32), row.astype(np.int32)
    a, b = column - j, row - i
    low = table[i, j] * (1 - a) + table[i, j + 1] * a
    high = table[i + 1, j] * (1 - a) + table[i + 1, j + 1] * a
    return np.asarray(low * (1 - b) + high * b, dtype=np.float32)


def ilium_wing(p: Points) -> Field:
    """The wing: a bent plate, thick at the crest and above the joint, thin in the middle."""
    x, y, z = np.broadcast_arrays(p.x, p.y, p.z)
    plate = np.broadcast_to(_wing_distance(p.x + 0 * p.z, p.z + 0 * p.x), x.shape)
    flare = np.clip((z - 20) / 90, 0, 1.2)
    middle = -48 + (0.55 + 0.40 * flare) * (x - 38) - 8 * np.sin(np.clip((x - 38) / 92, 0, 1) * np.pi) * flare
    rim = 5.0 * np.exp(-(((-plate) / 6.0) ** 2)) * np.clip((z - 35) / 25, 0, 1)
    body = 12.0 * np.exp(-(((z - 12) / 24) ** 2)) + 9.0 * np.exp(
        -(((x - 42) / 13) ** 2 + ((z - 68) / 30) ** 2)
    )
    half = 2.6 + rim + body
    sheet = (np.abs(y - middle) * np.float32(0.78) - half).astype(np.float32)
    return intersection(sheet, plate.astype(np.float32), 5.0)


def _chain(
    p: Points, places: tuple[tuple[Vector, float], ...], *, deep: float = 1.0, blend: float = 3.0
) -> Field:
    """Rods from place to place, each with its radius."""
    solid: Field | None = None
    for (start, first), (stop, last) in pairwise(places):
        rod = round_cone(p, (start, stop), (first, last), deep=deep)
        solid = rod if solid is None else union(solid, rod, blend)
    if solid is None:
        raise ValueError("a chain needs two places")
    return solid


def _pubis(p: Points) -> tuple[tuple[Field, float], ...]:
    """Upper ramus, body and lower ramus, each with its fillet to the rest."""
    ramus = _chain(
        p,
        (
            ((74.0, 12.0, 4.0), 13.0),
            ((56.0, 27.0, -3.0), 8.0),
            ((34.0, 36.0, -8.0), 6.8),
            ((15.0, 39.0, -15.0), 9.0),
        ),
        deep=0.8,
        blend=6.0,
    )
    body_of_pubis = ellipsoid(p, (13.5, 38.0, -27.0), (10.5, 8.0, 20.0), boxy=True)
    lower_ramus = _chain(
        p,
        (
            ((13.0, 36.0, -42.0), 7.5),
            ((27.0, 18.0, -58.0), 6.0),
            ((42.0, -4.0, -70.0), 8.0),
            ((57.0, -20.0, -66.0), 13.0),
        ),
        deep=0.75,
        blend=2.0,
    )
    return (ramus, 10.0), (body_of_pubis, 12.0), (lower_ramus, 9.0)


def innominate(p: Points, hip: HipTruth) -> Field:
    """Ilium, ischium and pubis of one side with the acetabulum and its osteophytes."""
    c = HIP_OFFSET_MM
    bone = ilium_wing(p)
    above = ellipsoid(p, (c - 5.0, -2.0, 34.0), (21.0, 18.0, 26.0))
    bone = union(bone, above, 26.0)
    inferior_spine = round_cone(p, ((c + 9, 12.0, 38.0), (c + 16.0, 22.0, 49.0)), (9.0, 6.0))
    bone = union(bone, inferior_spine, 14.0)
    ischium = _chain(
        p,
        (
            ((c - 16, -14.0, 4.0), 17.0),
            ((c - 20, -21.0, -26.0), 12.5),
            ((c - 25, -24.0, -50.0), 15.0),
            ((62.0, -22.0, -61.0), 16.0),
        ),
        blend=6.0,
    )
    wall = ellipsoid(p, (62.5, -14.0, 8.0), (4.0, 22.0, 30.0))
    brim = _chain(
        p,
        (
            ((40.0, -48.0, 56.0), 8.0),
            ((51.0, -26.0, 36.0), 6.5),
            ((60.0, 0.0, 16.0), 7.0),
            ((62.0, 20.0, 2.0), 7.5),
        ),
        blend=6.0,
    )
    reach = hip.ischial_spine_mm
    spine = round_cone(
        p, ((64.0, -30.0, -14.0), (SPINE_TIP_MM[0] - reach, -40.0, SPINE_TIP_MM[1])), (8.0, 2.2), deep=0.8
    )
    for piece, fillet in (
        *_pubis(p),
        (ischium, 12.0),
        (wall, 9.0),
        (brim, 20.0),
        (spine, 6.0),
    ):
        bone = union(bone, piece, fillet)
    return _with_acetabulum(bone + roughness(p, 0.35, seed=11 + 100 * hip.form_seed), p, hip)


def _with_acetabulum(bone: Field, p: Points, hip: HipTruth) -> Field:
    """Hollow the socket out of a shell whose lateral edge is set by the centre-edge angle."""
    c = HIP_OFFSET_MM
    radius = hip.head_radius_mm + CUP_CLEARANCE_MM
    q = p.moved((c, 0.0, 0.0))
    norm = np.sqrt(q.x * q.x + q.y * q.y + q.z * q.z)
    edge = np.deg2rad(hip.centre_edge_deg)
    # The mouth of the cup: a plane through the lateral edge, facing down, outward and a little forward.
    lean = np.deg2rad(hip.centre_edge_deg + 8.0)
    normal = np.array([np.cos(lean), 0.30, -np.sin(lean)])
    normal /= np.linalg.norm(normal)
    at = radius * np.array([np.sin(edge), 0.0, np.cos(edge)])
    n = normal.astype(np.float32)
    mouth = (q.x * n[0] + q.y * n[1] + q.z * n[2] - np.float32(at @ normal)).astype(np.float32)
    shell = intersection((norm - np.float32(radius + 4.2)).astype(np.float32), mouth, 2.5)
    bone = union(bone, shell, 4.0)
    # Nothing of the ilium overhangs the head beyond the mouth.
    near = intersection(-mouth, (norm - np.float32(radius + 12.0)).astype(np.float32), 3.0)
    overhang = intersection(near, (np.float32(-6.0) - q.z) + np.zeros_like(mouth), 3.0)
    bone = cut(bone, overhang, 3.0)
    bone = cut(bone, (norm - np.float32(radius)).astype(np.float32), 0.6)
    fossa = ellipsoid(p, (c - radius + 3.0, 0.0, -7.0), (5.5, 14.0, 15.0))
    bone = cut(bone, fossa, 4.0)
    return _with_spurs(bone, q, hip, radius)


def _with_spurs(bone: Field, q: Points, hip: HipTruth, radius: float) -> Field:
    spurs = hip.osteophytes
    for angle, size in (
        (hip.centre_edge_deg, spurs.acetabular_superior),
        (INFERIOR_MARGIN_DEG + hip.centre_edge_deg, spurs.acetabular_inferior),
    ):
        if size <= 0:
            continue
        a = np.deg2rad(angle)
        along = np.deg2rad(angle + (62.0 if angle < 90 else -100.0))
        middle = radius + (3.2 if angle < 90 else 4.8)
        root = (middle * np.sin(a) - 4.0 * np.sin(along), 0.0, middle * np.cos(a) - 4.0 * np.cos(along))
        reach = size - 1.1
        tip = (middle * np.sin(a) + reach * np.sin(along), 0.0, middle * np.cos(a) + reach * np.cos(along))
        bone = union(bone, round_cone(q, (root, tip), (2.6 + 0.2 * size, 1.1), deep=2.6), 3.0)
    return bone


def sacrum(p: Points) -> Field:
    """Sacrum and coccyx: a curved wedge with four pairs of foramina. x may have either sign."""
    x = np.abs(p.x)
    z = p.z
    heights = np.asarray(z, np.float32)
    half = np.interp(heights, (-8, 4, 14, 30, 48, 66, 84, 100, 112), (3, 5, 13, 22, 29, 41, 53, 58, 56))
    middle = -60.0 - 18.0 * np.sin(np.clip((z - 5) / 95, 0, 1) * np.pi) + 20.0 * np.clip((z - 60) / 45, 0, 1)
    # The body in the midline is thick, the wings are thin and lean back.
    body = np.exp(-((x / 27.0) ** 2))
    thick = np.interp(heights, (-5, 20, 60, 105), (3.5, 6.0, 9.0, 10.0)) + body * np.clip(z / 12.0, 0, 7.0)
    sides = x - half.astype(np.float32)
    sheet = np.abs(p.y - middle + 0.22 * x) - thick
    top = z - np.float32(101.0) + np.float32(9.0) * (1 - np.exp(-((x / 40.0) ** 4)))
    wedge = intersection(
        intersection(sides.astype(np.float32), sheet.astype(np.float32), 9.0),
        np.maximum(top, -6.0 - z).astype(np.float32),
        6.0,
    )
    q = Points(x.astype(np.float32), p.y, p.z)
    for cx, cz, r in ((24.0, 77.0, 4.4), (20.5, 59.0, 4.0), (17.0, 42.0, 3.4), (13.5, 27.0, 2.6)):
        # They run forward and outward, so the beam sees their rims aslant and not as rings.
        hole = round_cone(q, ((cx + 9, -30.0, cz - 9), (cx - 5, -100.0, cz + 9)), (1.25 * r, 0.6 * r))
        wedge = cut(wedge, hole, 5.0)
    crest = round_cone(q, ((0.0, -82.0, 92.0), (0.0, -92.0, 40.0)), (6.0, 3.5))
    return union(wedge, crest, 8.0) + roughness(p, 0.5, seed=12)


def lumbar(p: Points) -> Field:
    """The two lowest lumbar vertebrae: bodies, pedicles, transverse and spinous processes."""
    bone: Field | None = None
    for z, y, tilt in ((124.0, -36.0, 16.0), (161.0, -26.0, 4.0)):
        q = p.moved((0.0, y, z)).flexed(tilt)
        h = Points(np.abs(q.x).astype(np.float32), q.y, q.z)
        body = ellipsoid(h, (0.0, 0.0, 0.0), (27.5, 18.5, 15.5), boxy=True)
        waist = ellipsoid(h, (33.0, 0.0, 0.0), (8.5, 40.0, 11.0))
        vertebra = cut(body, waist, 4.0)
        pedicle = round_cone(h, ((15.0, -14.0, 6.0), (16.0, -30.0, 4.0)), (5.5, 5.5))
        process = round_cone(h, ((16.0, -24.0, 4.0), (43.0, -34.0, 9.0)), (6.5, 3.4))
        spinous = round_cone(h, ((0.0, -38.0, 2.0), (0.0, -58.0, -9.0)), (4.0, 5.0))
        facet = round_cone(h, ((17.0, -34.0, 8.0), (15.0, -36.0, -16.0)), (5.5, 4.5))
        for piece in (pedicle, process, spinous, facet):
            vertebra = union(vertebra, piece, 6.0)
        bone = vertebra if bone is None else union(bone, vertebra)
    if bone is None:
        raise ValueError("no vertebra")
    return bone + roughness(p, 0.5, seed=13)
