"""Bone mineral of one knee: projected shells and cores, with the structure of spongy bone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reader_app.phantom.knee_joint import KneeJoint
from reader_app.phantom.mineral import Mineral, Part, mineral
from reader_app.phantom.projection import Beam, Map, Raster
from reader_app.phantom.solids import Field
from reader_app.phantom.texture import trabeculae
from reader_app.phantom.truth import KneeTruth


def knee_mineral(
    joint: KneeJoint, raster: Raster, beam: Beam, *, spacing: float, rng: np.random.Generator
) -> Mineral:
    """Mineral of femur, tibia, fibula and patella on `raster`."""
    texture = trabeculae(rng, raster.shape, spacing=spacing, angle=joint.lateral * 2.0)
    found = mineral(
        _parts(joint),
        raster,
        beam,
        spacing=spacing,
        grains=(texture,),
        rng=rng,
        step=1.0 if spacing < 0.35 else 1.5,
    )
    u = (raster.x - np.float32(joint.x))[None, :] * np.float32(joint.lateral)
    v = (raster.z - np.float32(joint.z))[:, None]
    bone = np.maximum(found.bone - _cyst(joint, u, v), 0)
    return Mineral(bone * np.float32(joint.truth.density), found.volume)


def _parts(joint: KneeJoint) -> tuple[Part, ...]:
    knee = joint.truth

    def in_knee(rule: Callable[[Field, Field, KneeTruth], Field]) -> Map:
        def of_film(x: Field, z: Field) -> Field:
            return rule((x - np.float32(joint.x)) * np.float32(joint.lateral), z - np.float32(joint.z), knee)

        return of_film

    femur = (joint.femur, in_knee(_femur_wall), in_knee(_femur_share))
    tibia = (joint.tibia, in_knee(_tibia_wall), in_knee(_tibia_share))
    fibula = (joint.fibula, in_knee(_fibula_wall), in_knee(_fibula_share))
    even = in_knee(lambda u, v, _knee: np.float32(0.55) + 0 * (u + v))
    loose = in_knee(lambda u, v, _knee: np.float32(0.09) + 0 * (u + v))
    # (solid, cortex, share), then its box: lateral, height, depth; and how coarse it may be.
    pieces = (
        (femur, (-54, 54), (-12, 75), (-56, 42), 1.0),
        (femur, (-66, 66), (75, 200), (-90, 12), 2.2),
        (tibia, (-54, 54), (-66, 22), (-32, 40), 1.0),
        (tibia, (-48, 48), (-200, -66), (-28, 34), 2.2),
        (fibula, (16, 60), (-62, 0), (-36, 2), 1.0),
        (fibula, (8, 64), (-200, -62), (-36, 2), 1.6),
        ((joint.patella, even, loose), (-30, 36), (-5, 80), (18, 62), 1.2),
    )
    return tuple(
        Part(
            *bone[:1],
            joint.region(lateral=side, height=height, depth=depth),
            *bone[1:],
            coarseness=coarse,
            depth_coarseness=coarse,
        )
        for bone, side, height, depth, coarse in pieces
    )


def _rise(value: Field, middle: float, width: float) -> Field:
    """From 0 to 1 around `middle`."""
    return np.asarray(0.5 + 0.5 * np.tanh((value - middle) / width), dtype=np.float32)


def _femur_wall(u: Field, v: Field, _knee: KneeTruth) -> Field:
    shaft = 4.6 * _rise(v, 112.0, 36.0)
    return np.asarray(1.0 + shaft + 0.25 * _rise(-v, -14.0, 6.0) + 0 * u, dtype=np.float32)


def _femur_share(u: Field, v: Field, _knee: KneeTruth) -> Field:
    spongy = 0.03 + 0.195 * _rise(-v, -62.0, 20.0)
    under_joint = 0.05 * np.exp(-(((v - 6) / 9.0) ** 2))
    scar = 0.045 * np.exp(-(((v - 37.0 + 4.0 * np.cos(u / 13.0)) / 0.9) ** 2)) * (np.abs(u) < 38)
    return np.asarray(spongy + under_joint + scar, dtype=np.float32)


def _tibia_wall(u: Field, v: Field, knee: KneeTruth) -> Field:
    shaft = 4.2 * _rise(-v, 92.0, 34.0)
    plate = np.exp(-(((v + 1.5) / 4.0) ** 2)) * _rise(np.abs(u), 8.0, 3.0)
    sclerosis = np.where(u < 0, knee.sclerosis_medial, knee.sclerosis_lateral)
    middle = np.exp(-(((np.abs(u) - 22.0) / 13.0) ** 2))
    return np.asarray(0.8 + shaft + plate * (0.2 + middle * (0.35 + 1.1 * sclerosis)), dtype=np.float32)


def _tibia_share(u: Field, v: Field, knee: KneeTruth) -> Field:
    spongy = 0.03 + 0.15 * _rise(v, -50.0, 20.0)
    middle = np.exp(-(((np.abs(u) - 22.0) / 14.0) ** 2))
    sclerosis = np.where(u < 0, knee.sclerosis_medial, knee.sclerosis_lateral)
    under_joint = (
        (0.12 + 0.30 * sclerosis) * middle * np.exp(-np.clip(-v - 1.0, 0, None) / (5.0 + 3.0 * sclerosis))
    )
    scar_height = -17.0 - 3.0 * np.cos(u / 11.0)
    scar = 0.05 * np.exp(-(((v - scar_height) / 0.9) ** 2)) * (np.abs(u) < 33)
    return np.asarray(spongy + under_joint + scar, dtype=np.float32)


def _fibula_wall(u: Field, v: Field, _knee: KneeTruth) -> Field:
    return np.asarray(0.9 + 2.3 * _rise(-v, 62.0, 18.0) + 0 * u, dtype=np.float32)


def _fibula_share(u: Field, v: Field, _knee: KneeTruth) -> Field:
    return np.asarray(0.02 + 0.13 / (1 + np.exp(-(v + 45) / 8)) + 0 * u, dtype=np.float32)


def _cyst(joint: KneeJoint, u: Field, v: Field) -> Field:
    """Mineral that a cyst takes away; its sclerotic rim adds some."""
    if joint.truth.cyst_mm <= 0:
        return np.zeros((1, 1), np.float32)
    radius = joint.truth.cyst_mm / 2
    cu, cv = joint.cyst_middle
    away = np.hypot(u - np.float32(cu), v - np.float32(cv))
    hole = 2 * np.sqrt(np.clip(radius**2 - away**2, 0, None))
    rim = 2 * np.sqrt(np.clip((radius + 0.9) ** 2 - away**2, 0, None)) - hole
    return np.asarray(0.36 * hole - 0.5 * rim, dtype=np.float32)
