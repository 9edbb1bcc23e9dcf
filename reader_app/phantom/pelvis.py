"""AP pelvis."""

from __future__ import annotations

import numpy as np

from reader_app.imaging.geometry import Side
from reader_app.phantom.film import Box, FilmParameters, JointRecord, PhantomFilm
from reader_app.phantom.grading import hip_grades
from reader_app.phantom.hip_femur import cam_bump, spur_angles
from reader_app.phantom.marker import letter
from reader_app.phantom.materials import Paths
from reader_app.phantom.pelvis_bones import (
    CUP_CLEARANCE_MM,
    INFERIOR_MARGIN_DEG,
    SPINE_TIP_MM,
)
from reader_app.phantom.pelvis_joint import LATERAL_DEG, HipJoint
from reader_app.phantom.pelvis_mineral import cyst_middles, hip_mineral, spine_mineral
from reader_app.phantom.pelvis_soft_tissue import trunk
from reader_app.phantom.physics import expose, fill
from reader_app.phantom.projection import Beam, Raster
from reader_app.phantom.resample import enlarge
from reader_app.phantom.solids import Field
from reader_app.phantom.truth import HipTruth, View

PELVIS_FILM = FilmParameters(
    kv=77.0,
    exposure=600000.0,
    source_to_detector_mm=1150.0,
    source_to_object_mm=1035.0,
    scatter=0.40,
    blur_mm=0.16,
    detail_gain=1.75,
    range_gain=0.48,
    middle_tone=0.53,
    detail_mm=14.0,
)
"""Usual geometry and exposure of an AP pelvis."""
_HIP_HEIGHT_MM = -32.0
_BOX_HALF_MM = 62.0


def render_pelvis(
    right: HipTruth, left: HipTruth, film: FilmParameters, *, seed: int, anatomy_seed: int | None = None
) -> PhantomFilm:
    """Expose a pelvis from the front, the right hip on the left side as radiographs are hung.

    Parameters
    ----------
    right, left
        What is planted in each hip.
    film
        Geometry and exposure; start from `PELVIS_FILM`.
    seed
        Seed of what is random. The same arguments give the same pixels.
    anatomy_seed
        Seed of bone structure and soft tissue, if it is another one: two visits of one person.
    """
    rng = np.random.default_rng([seed if anatomy_seed is None else anatomy_seed, 2])
    beam = Beam(film.source_to_object_mm, from_front=True)
    raster = film.raster()
    bone = np.zeros(raster.shape, np.float32)
    volume = np.zeros(raster.shape, np.float32)
    middle = (0.0, _HIP_HEIGHT_MM)
    joints: dict[Side, JointRecord] = {}
    for side, truth in ((Side.RIGHT, right), (Side.LEFT, left)):
        joint = HipJoint(truth, middle[0], middle[1], -1.0 if side is Side.RIGHT else 1.0)
        ends = sorted((joint.x, joint.x + joint.lateral * 176.0))
        rows, columns = raster.part((ends[0] - 1.0, ends[1] + 1.0, -1e3, 1e3))
        part = Raster(raster.x[columns], raster.z[rows])
        found = hip_mineral(joint, part, beam, spacing=film.spacing_mm, rng=rng)
        bone[rows, columns] += found.bone
        volume[rows, columns] += found.volume
        joints[side] = _record(joint, film)
    rows, columns = raster.part((middle[0] - 66, middle[0] + 66, middle[1] - 12, middle[1] + 188))
    spine = spine_mineral(
        middle, Raster(raster.x[columns], raster.z[rows]), beam, spacing=film.spacing_mm, rng=rng
    )
    bone[rows, columns] += spine.bone
    volume[rows, columns] += spine.volume
    muscle, fat = _soft_tissue(middle, film, rng)
    paths = fill(muscle, fat, bone, volume)
    if film.marker:
        paths = Paths(paths.muscle, paths.fat, paths.bone, _markers(raster, film))
    pixels = expose(paths, film, np.random.default_rng([seed, 4]))
    return PhantomFilm(pixels, film.spacing_mm, View.PELVIS_AP, joints, film, seed)


def _soft_tissue(
    middle: tuple[float, float], film: FilmParameters, rng: np.random.Generator
) -> tuple[Field, Field]:
    every = max(round(0.7 / film.spacing_mm), 1)
    tissue = trunk(film.raster(every), middle, body=film.body, rng=rng, spacing=film.spacing_mm * every)
    shape = (film.rows, film.columns)
    return enlarge(tissue.muscle, every, shape), enlarge(tissue.fat, every, shape)


def _markers(raster: Raster, film: FilmParameters) -> Field:
    edge = film.columns * film.spacing_mm / 2 - film.collimation_mm
    top = film.rows * film.spacing_mm / 2 - film.collimation_mm
    return letter(raster, "R", place=(-edge + 8.0, top - 30.0), lead_mm=3.0)


def _record(joint: HipJoint, film: FilmParameters) -> JointRecord:
    """Box, landmarks and lengths of one hip on the film."""
    hip = joint.truth
    hx, hz = joint.head_centre
    landmarks = {name: film.to_pixel(*place) for name, place in _places(joint).items()}
    lengths = {
        "head_radius": hip.head_radius_mm,
        "jsw_lateral": hip.jsw_lateral_mm,
        "jsw_medial": hip.jsw_medial_mm,
        "osteophyte_femoral_superior": hip.osteophytes.femoral_superior,
        "osteophyte_femoral_inferior": hip.osteophytes.femoral_inferior,
        "osteophyte_acetabular_superior": hip.osteophytes.acetabular_superior,
        "osteophyte_acetabular_inferior": hip.osteophytes.acetabular_inferior,
    }
    left, top = film.to_pixel(hx - _BOX_HALF_MM, hz + _BOX_HALF_MM)
    right, bottom = film.to_pixel(hx + _BOX_HALF_MM, hz - _BOX_HALF_MM)
    box = Box(max(left, 0.0), max(top, 0.0), min(right, film.columns), min(bottom, film.rows))
    return JointRecord(hip, box, landmarks, lengths, hip_grades(hip))


def _places(joint: HipJoint) -> dict[str, tuple[float, float]]:
    """Named places of one hip, mm in the object plane."""
    hip = joint.truth
    head, socket = joint.head_centre, joint.socket_centre
    cup = hip.head_radius_mm + CUP_CLEARANCE_MM

    def around(middle: tuple[float, float], radius: float, degrees: float) -> tuple[float, float]:
        a = np.deg2rad(degrees)
        return (
            middle[0] + joint.lateral * radius * float(np.sin(a)),
            middle[1] + radius * float(np.cos(a)),
        )

    superior, inferior = spur_angles(hip)
    inward, up = SPINE_TIP_MM
    places = {
        "head_centre": head,
        "socket_centre": socket,
        "roof_edge": around(socket, cup, hip.centre_edge_deg),
        "acetabular_margin_inferior": around(socket, cup, INFERIOR_MARGIN_DEG + hip.centre_edge_deg),
        "joint_space_lateral_femur": around(head, hip.head_radius_mm, LATERAL_DEG),
        "joint_space_lateral_acetabulum": around(socket, cup, LATERAL_DEG),
        "joint_space_medial_femur": around(head, hip.head_radius_mm, -90.0),
        "joint_space_medial_acetabulum": around(socket, cup, -90.0),
        "head_margin_superior": around(head, hip.head_radius_mm, superior),
        "head_margin_inferior": around(head, hip.head_radius_mm, inferior),
        "ischial_spine": (joint.x + joint.lateral * (inward - hip.ischial_spine_mm), joint.z + up),
    }
    bump = cam_bump(hip)
    if bump is not None:
        (across, _, high), radius = bump
        # The top of the bump; the leg's few degrees of turn and lean move it by less than its size.
        out = 1.0 + radius / float(np.hypot(across, high))
        places["cam"] = (head[0] + joint.lateral * across * out, head[1] + high * out)
    for name, (middle, diameter) in cyst_middles(joint).items():
        if diameter > 0:
            places[f"cyst_{name}"] = middle
    return places
