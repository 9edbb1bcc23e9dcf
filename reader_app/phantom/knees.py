"""Bilateral PA fixed-flexion knees."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from reader_app.imaging.geometry import Side
from reader_app.phantom.film import Box, FilmParameters, JointRecord, PhantomFilm
from reader_app.phantom.grading import knee_grades
from reader_app.phantom.knee_joint import Edges, KneeJoint, joint_space, set_joint_space
from reader_app.phantom.knee_mineral import knee_mineral
from reader_app.phantom.knee_soft_tissue import Leg, leg
from reader_app.phantom.marker import letter
from reader_app.phantom.materials import Paths
from reader_app.phantom.physics import expose, fill
from reader_app.phantom.projection import Beam, Raster
from reader_app.phantom.resample import enlarge
from reader_app.phantom.solids import Field
from reader_app.phantom.truth import KneeTruth, View

KNEE_DISTANCE_MM = 100.0
"""From the middle of the film to the middle of each knee."""
_BOX_HALF_MM = 70.0
_BONE_HALF_MM = 76.0


def render_bilateral_knees(
    right: KneeTruth, left: KneeTruth, film: FilmParameters, *, seed: int, anatomy_seed: int | None = None
) -> PhantomFilm:
    """Expose both knees on one film, the right knee on its left side as radiographs are hung.

    Parameters
    ----------
    right, left
        What is planted in each knee.
    film
        Geometry and exposure; `film.reduced(4)` is quick and enough for tests.
    seed
        Seed of what is random. The same arguments give the same pixels.
    anatomy_seed
        Seed of bone structure and soft tissue, if it is another one: two visits of one person.
    """
    rng = np.random.default_rng([seed if anatomy_seed is None else anatomy_seed, 1])
    beam = Beam(film.source_to_object_mm, from_front=False)
    raster = film.raster()
    bone = np.zeros(raster.shape, np.float32)
    volume = np.zeros(raster.shape, np.float32)
    joints: dict[Side, JointRecord] = {}
    places: list[KneeJoint] = []
    for side, truth in ((Side.RIGHT, right), (Side.LEFT, left)):
        lateral = -1.0 if side is Side.RIGHT else 1.0
        shift_x, shift_z = truth.pose.shift_mm
        start = KneeJoint(truth, lateral * KNEE_DISTANCE_MM + shift_x, shift_z, lateral)
        joint, edges = set_joint_space(start, beam)
        rows, columns = raster.part((joint.x - _BONE_HALF_MM, joint.x + _BONE_HALF_MM, -1e3, 1e3))
        part = Raster(raster.x[columns], raster.z[rows])
        mineral = knee_mineral(joint, part, beam, spacing=film.spacing_mm, rng=rng)
        bone[rows, columns] += mineral.bone
        volume[rows, columns] += mineral.volume
        joints[side] = _record(joint, edges, film)
        places.append(joint)
    muscle, fat = _soft_tissue(places, film, rng)
    paths = fill(muscle, fat, bone, volume)
    if film.marker:
        paths = Paths(paths.muscle, paths.fat, paths.bone, _markers(raster, film))
    pixels = expose(paths, film, np.random.default_rng([seed, 3]))
    return PhantomFilm(pixels, film.spacing_mm, View.KNEES_PA, joints, film, seed)


def _soft_tissue(
    places: list[KneeJoint], film: FilmParameters, rng: np.random.Generator
) -> tuple[Field, Field]:
    """Both legs; soft outlines need no more than half a millimetre."""
    every = max(round(0.56 / film.spacing_mm), 1)
    raster = film.raster(every)
    muscle = np.zeros(raster.shape, np.float32)
    fat = np.zeros(raster.shape, np.float32)
    for joint in places:
        pose = joint.truth.pose
        where = Leg(joint.x, joint.z, joint.lateral, pose.lean_deg + joint.varus_deg, pose.lean_deg)
        tissue = leg(raster, where, body=film.body, rng=rng, spacing=film.spacing_mm * every)
        muscle += tissue.muscle
        fat += tissue.fat
    shape = (film.rows, film.columns)
    return enlarge(muscle, every, shape), enlarge(fat, every, shape)


def _markers(raster: Raster, film: FilmParameters) -> Field:
    edge = film.columns * film.spacing_mm / 2 - film.collimation_mm
    top = film.rows * film.spacing_mm / 2 - film.collimation_mm
    lead = letter(raster, "R", place=(-edge + 9.0, top - 34.0))
    lead += letter(raster, "L", place=(edge - 19.0, top - 34.0))
    return lead


def _record(joint: KneeJoint, edges: Edges, film: FilmParameters) -> JointRecord:
    """Box, landmarks and lengths of one knee on the film."""
    places: dict[str, tuple[float, float]] = {}
    lengths: dict[str, float] = {}
    for compartment in ("medial", "lateral"):
        space = joint_space(edges, joint, compartment)
        places[f"joint_space_{compartment}_femur"] = (space.x, space.femur_z)
        places[f"joint_space_{compartment}_tibia"] = (space.x, space.tibia_z)
        lengths[f"jsw_{compartment}"] = space.width_mm
    places.update(_corners(joint, edges))
    if joint.truth.cyst_mm > 0:
        across, up = joint.cyst_middle
        places["cyst"] = (joint.x + joint.lateral * across, joint.z + up)
    spurs = joint.truth.osteophytes
    lengths |= {
        "osteophyte_femoral_medial": spurs.femoral_medial,
        "osteophyte_femoral_lateral": spurs.femoral_lateral,
        "osteophyte_tibial_medial": spurs.tibial_medial,
        "osteophyte_tibial_lateral": spurs.tibial_lateral,
    }
    left, top = film.to_pixel(joint.x - _BOX_HALF_MM, joint.z + _BOX_HALF_MM)
    right, bottom = film.to_pixel(joint.x + _BOX_HALF_MM, joint.z - _BOX_HALF_MM)
    box = Box(max(left, 0.0), max(top, 0.0), min(right, film.columns), min(bottom, film.rows))
    landmarks: Mapping[str, tuple[float, float]] = {name: film.to_pixel(*at) for name, at in places.items()}
    return JointRecord(joint.truth, box, landmarks, lengths, knee_grades(joint.truth))


def _corners(joint: KneeJoint, edges: Edges) -> dict[str, tuple[float, float]]:
    """Outermost points of plateau and condyles on the outlines near the joint line."""
    across = (edges.x - joint.x) * joint.lateral
    places: dict[str, tuple[float, float]] = {}
    for name, line in (("plateau", edges.tibia), ("condyle", edges.femur)):
        seen = np.flatnonzero(np.isfinite(line))
        for compartment, at in (
            ("medial", seen[np.argmin(across[seen])]),
            ("lateral", seen[np.argmax(across[seen])]),
        ):
            places[f"{name}_{compartment}"] = (float(edges.x[at]), float(line[at]))
    return places
