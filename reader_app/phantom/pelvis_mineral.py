"""Bone mineral of a pelvis: innominate bones, sacrum, lowest vertebrae, upper femora."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reader_app.phantom import pelvis_bones
from reader_app.phantom.hip_femur import neck_direction, shaft_axis
from reader_app.phantom.mineral import Mineral, Part, mineral
from reader_app.phantom.pelvis_joint import HipJoint
from reader_app.phantom.projection import Beam, Map, Raster, Region
from reader_app.phantom.solids import Field, Points
from reader_app.phantom.texture import trabeculae

_Rule = Callable[[Field, Field, HipJoint], Field]


def hip_mineral(
    joint: HipJoint, raster: Raster, beam: Beam, *, spacing: float, rng: np.random.Generator
) -> Mineral:
    """Mineral of one innominate bone and femur on `raster`."""
    leg_angle = joint.lateral * joint.abduction_deg
    across, down = neck_direction(joint.truth)
    neck_angle = -joint.lateral * np.rad2deg(np.arctan2(across, -down))
    coarse = trabeculae(rng, raster.shape, spacing=spacing, angle=joint.lateral * 20.0, stretch=2.5)
    upright = trabeculae(rng, raster.shape, spacing=spacing, angle=leg_angle + joint.lateral * 14.0)
    oblique = trabeculae(rng, raster.shape, spacing=spacing, angle=float(neck_angle) * 0.8)
    u, v = _from_head(joint, raster.x[None, :], raster.z[:, None])
    mix = _rise(u - 0.5 * v, 24.0, 12.0)
    femoral = upright * (1 - mix) + oblique * mix
    found = mineral(
        _parts(joint),
        raster,
        beam,
        spacing=spacing,
        grains=(coarse, femoral),
        rng=rng,
        step=1.25 if spacing < 0.35 else 2.0,
    )
    bone = np.maximum(found.bone - _cysts(joint, raster), 0)
    return Mineral(bone * np.float32(joint.truth.density), found.volume)


def spine_mineral(
    middle: tuple[float, float], raster: Raster, beam: Beam, *, spacing: float, rng: np.random.Generator
) -> Mineral:
    """Mineral of sacrum and lowest lumbar vertebrae; `middle` is the pelvis's midline and hip height."""
    x, z = (np.float32(part) for part in middle)

    def placed(solid: Callable[[Points], Field]) -> Callable[[Points], Field]:
        return lambda p: solid(Points(p.x - x, p.y, p.z - z))

    def flat(value: float) -> Map:
        return lambda fx, fz: np.asarray(np.float32(value) + 0 * (fx + fz), dtype=np.float32)

    grain = trabeculae(rng, raster.shape, spacing=spacing, stretch=3.0)
    parts = (
        Part(
            placed(pelvis_bones.sacrum),
            Region(middle[0] - 64, middle[0] + 64, middle[1] - 10, middle[1] + 112, -112, -16),
            flat(0.45),
            flat(0.13),
        ),
        Part(
            placed(pelvis_bones.lumbar),
            Region(middle[0] - 52, middle[0] + 52, middle[1] + 88, middle[1] + 186, -106, 2),
            flat(0.6),
            flat(0.14),
        ),
    )
    step = 1.5 if spacing < 0.35 else 2.2
    return mineral(parts, raster, beam, spacing=spacing, grains=(grain,), rng=rng, step=step)


def _parts(joint: HipJoint) -> tuple[Part, ...]:
    def on_film(rule: _Rule) -> Map:
        return lambda x, z: rule(x, z, joint)

    return (
        Part(
            joint.pelvis,
            joint.region(lateral=(0, 140), height=(-92, 48), depth=(-68, 54)),
            on_film(_pelvis_wall),
            on_film(_pelvis_share),
        ),
        Part(
            joint.pelvis,
            joint.region(lateral=(20, 140), height=(48, 146), depth=(-72, 60)),
            on_film(_pelvis_wall),
            on_film(_pelvis_share),
            coarseness=1.6,
            depth_coarseness=0.8,
        ),
        Part(
            joint.femur,
            joint.region(lateral=(56, 172), height=(-92, 34), depth=(-34, 34)),
            on_film(_femur_wall),
            on_film(_femur_share),
            grain=1,
        ),
        Part(
            joint.femur,
            joint.region(lateral=(96, 172), height=(-240, -92), depth=(-26, 26)),
            on_film(_femur_wall),
            on_film(_femur_share),
            grain=1,
            coarseness=1.8,
            depth_coarseness=1.6,
        ),
    )


def _rise(value: Field, middle: float, width: float) -> Field:
    """From 0 to 1 around `middle`."""
    return np.asarray(0.5 + 0.5 * np.tanh((value - middle) / width), dtype=np.float32)


def _from_head(joint: HipJoint, x: Field, z: Field) -> tuple[Field, Field]:
    hx, hz = joint.head_centre
    return (x - np.float32(hx)) * np.float32(joint.lateral), z - np.float32(hz)


def _pelvis_wall(x: Field, z: Field, joint: HipJoint) -> Field:
    cx, cz = joint.socket_centre
    u, v = (x - np.float32(cx)) * np.float32(joint.lateral), z - np.float32(cz)
    radius = joint.truth.head_radius_mm + pelvis_bones.CUP_CLEARANCE_MM
    away = np.hypot(u, v)
    angle = np.rad2deg(np.arctan2(u, v))
    # The sourcil: the eyebrow of thick subchondral bone over the weight-bearing roof.
    roof = np.exp(-(((away - radius) / 4.0) ** 2)) * np.exp(-(((angle - 12.0) / 26.0) ** 2))
    return np.asarray(1.15 + roof * (0.8 + 2.0 * joint.truth.sclerosis_acetabular), dtype=np.float32)


def _pelvis_share(x: Field, z: Field, joint: HipJoint) -> Field:
    cx, cz = joint.socket_centre
    u, v = (x - np.float32(cx)) * np.float32(joint.lateral), z - np.float32(cz)
    radius = joint.truth.head_radius_mm + pelvis_bones.CUP_CLEARANCE_MM
    depth = np.clip(np.hypot(u, v) - radius, 0, None)
    angle = np.rad2deg(np.arctan2(u, v))
    roof = np.exp(-depth / (7.0 + 4.0 * joint.truth.sclerosis_acetabular)) * np.exp(
        -(((angle - 10.0) / 34.0) ** 2)
    )
    above = np.exp(-(((u + 8.0) / 24.0) ** 2)) * _rise(v, 16.0, 8.0) * _rise(-v, -70.0, 20.0)
    return np.asarray(
        0.125 + 0.05 * above + roof * (0.09 + 0.26 * joint.truth.sclerosis_acetabular), dtype=np.float32
    )


def _femur_wall(x: Field, z: Field, joint: HipJoint) -> Field:
    u, v = _from_head(joint, x, z)
    sx, sz = shaft_axis(joint.truth)
    shaft = 5.4 * _rise(-v, -sz + 44.0, 24.0)
    # The calcar: the thick medial wall of neck and upper shaft.
    calcar = 2.6 * np.exp(-(((v - (sz - 6.0)) / 20.0) ** 2)) * _rise(-(u - (sx - 8.0)), 0.0, 5.0)
    head = np.exp(-((np.hypot(u, v) / joint.truth.head_radius_mm) ** 8))
    return np.asarray(1.1 + shaft + calcar * (1 - head) - 0.35 * head, dtype=np.float32)


def _femur_share(x: Field, z: Field, joint: HipJoint) -> Field:
    """Spongy bone: dense where the load runs from the head's dome to the calcar, loose in Ward's triangle."""
    u, v = _from_head(joint, x, z)
    hip = joint.truth
    sx, sz = shaft_axis(hip)
    away = np.hypot(u, v)
    bundle = np.exp(-(((u - 2.0 + 0.42 * v - 3.0 * np.sin(v / 18.0)) / 10.0) ** 2)) * _rise(v, sz - 4.0, 8.0)
    arch = (
        np.exp(-(((np.hypot(u - 8.0, v + 40.0) - 47.0) / 5.5) ** 2))
        * _rise(u, 6.0, 6.0)
        * _rise(v, sz - 16.0, 8.0)
    )
    ward = np.exp(-(((u - 0.66 * sx) / 9.0) ** 2 + ((v - sz) / 10.0) ** 2))
    marrow = _rise(-v, -sz + 34.0, 22.0)
    dome = np.exp(-np.clip(hip.head_radius_mm - away, 0, None) / 6.0) * _rise(v + 0.3 * u, 6.0, 7.0)
    share = 0.115 + 0.085 * bundle + 0.05 * arch - 0.05 * ward
    return np.asarray(
        np.maximum(share * (1 - 0.85 * marrow), 0.012) + 0.24 * hip.sclerosis_femoral * dome, dtype=np.float32
    )


def cyst_middles(joint: HipJoint) -> dict[str, tuple[tuple[float, float], float]]:
    """Middle, film mm in the object plane, and diameter of the acetabular and the femoral cyst."""
    hip = joint.truth
    cup = hip.head_radius_mm + pelvis_bones.CUP_CLEARANCE_MM
    found = {}
    for name, (cx, cz), diameter, distance, angle in (
        (
            "acetabular",
            joint.socket_centre,
            hip.cyst_acetabular_mm,
            cup + 4.0 + hip.cyst_acetabular_mm / 2,
            20.0,
        ),
        (
            "femoral",
            joint.head_centre,
            hip.cyst_femoral_mm,
            hip.head_radius_mm - 3.0 - hip.cyst_femoral_mm / 2,
            14.0,
        ),
    ):
        a = np.deg2rad(angle)
        middle = cx + joint.lateral * distance * float(np.sin(a)), cz + distance * float(np.cos(a))
        found[name] = (middle, diameter)
    return found


def _cysts(joint: HipJoint, raster: Raster) -> Field:
    """Mineral that cysts take away; their rims add some."""
    total = np.zeros(raster.shape, np.float32)
    for (cx, cz), diameter in cyst_middles(joint).values():
        if diameter <= 0:
            continue
        away = np.hypot((raster.x - np.float32(cx))[None, :], (raster.z - np.float32(cz))[:, None])
        radius = diameter / 2
        hole = 2 * np.sqrt(np.clip(radius**2 - away**2, 0, None))
        rim = 2 * np.sqrt(np.clip((radius + 1.0) ** 2 - away**2, 0, None)) - hole
        total += np.asarray(0.26 * hole - 0.5 * rim, dtype=np.float32)
    return total
