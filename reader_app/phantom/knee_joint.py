"""One knee in place: its bones in film coordinates, the femur set to the planted joint space."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from reader_app.phantom import knee_bones
from reader_app.phantom.projection import Beam, Region, Solid, silhouette
from reader_app.phantom.solids import Field, Points
from reader_app.phantom.truth import KneeTruth

COMPARTMENT_MM = (12.0, 31.0)
"""Where in a compartment the joint space is measured: from the middle of the joint, to either side."""
_ROUNDS = 6
_SEEN_MM = 7.5
"""An edge is seen where a ray passes so much of the bone; a lip that it only grazes does not show."""


@dataclass(frozen=True)
class KneeJoint:
    """A knee on the film.

    Parameters
    ----------
    truth
        What is planted.
    x, z
        Middle of the tibial plateau in film millimetres.
    lateral
        +1 if lateral is to the right of the film, else -1.
    lift_mm, varus_deg
        How the femur is set against the tibia; found by `set_joint_space`.
    """

    truth: KneeTruth
    x: float
    z: float
    lateral: float
    lift_mm: float = 5.0
    varus_deg: float = 0.0

    def place(self, p: Points) -> Points:
        """Film coordinates to those of this knee (x lateral)."""
        pose = self.truth.pose
        moved = Points((p.x - np.float32(self.x)) * np.float32(self.lateral), p.y, p.z - np.float32(self.z))
        return moved.tilted(pose.lean_deg).turned(pose.rotation_deg)

    def femur(self, p: Points) -> Field:
        """The femur."""
        lifted = self.place(p).moved((0.0, 0.0, self.lift_mm)).tilted(self.varus_deg)
        return knee_bones.femur(lifted, self.truth)

    def tibia(self, p: Points) -> Field:
        """The tibia."""
        return knee_bones.tibia(self.place(p), self.truth)

    def fibula(self, p: Points) -> Field:
        """The fibula."""
        return knee_bones.fibula(self.place(p), self.truth)

    def patella(self, p: Points) -> Field:
        """The patella; it follows the femur."""
        lifted = self.place(p).moved((0.0, 0.0, self.lift_mm))
        return knee_bones.patella(lifted, self.truth)

    @property
    def cyst_middle(self) -> tuple[float, float]:
        """Middle of a tibial cyst: mm lateral and mm up of the joint; under the narrow side."""
        medial = self.truth.jsw_medial_mm - 1.0 <= self.truth.jsw_lateral_mm - 2.0
        return (-22.0 if medial else 21.0), -4.5 - self.truth.cyst_mm / 2

    def region(
        self, *, lateral: tuple[float, float], height: tuple[float, float], depth: tuple[float, float]
    ) -> Region:
        """A box given in knee coordinates as one on the film."""
        ends = sorted(self.x + self.lateral * edge * self.truth.size for edge in lateral)
        return Region(ends[0], ends[1], self.z + height[0], self.z + height[1], depth[0], depth[1])


@dataclass(frozen=True)
class JointSpace:
    """The narrowest place of one compartment: film mm of its femoral and tibial edge."""

    x: float
    femur_z: float
    tibia_z: float

    @property
    def width_mm(self) -> float:
        """Distance of the two edges."""
        return self.femur_z - self.tibia_z


@dataclass(frozen=True)
class Edges:
    """Outlines of the joint in projection, one value per film column `x`; NaN where there is no bone."""

    x: Field
    femur: Field
    tibia: Field


def set_joint_space(joint: KneeJoint, beam: Beam, *, step: float = 1.0) -> tuple[KneeJoint, Edges]:
    """Lift and tilt the femur until both compartments are as wide as planted.

    A narrow medial compartment therefore brings the varus that goes with it. The widths are those of
    the projected outlines, solved by Newton steps on the outlines themselves.
    """
    tibia_edge = _edge(joint.tibia, joint, beam, step=step, lowest=False)
    current = joint
    for _ in range(_ROUNDS):
        edges = _edges(current, beam, tibia_edge, step=step)
        medial, lateral = joint_space(edges, current, "medial"), joint_space(edges, current, "lateral")
        wrong = np.array(
            [joint.truth.jsw_medial_mm - medial.width_mm, joint.truth.jsw_lateral_mm - lateral.width_mm]
        )
        if np.abs(wrong).max() < 0.01:
            break
        places = np.array([(space.x - current.x) * current.lateral for space in (medial, lateral)])
        lift, turn = np.linalg.solve(np.stack([np.ones(2), -np.deg2rad(places)], axis=1), wrong)
        current = replace(
            current, lift_mm=current.lift_mm + float(lift), varus_deg=current.varus_deg + float(turn)
        )
    return current, _edges(current, beam, tibia_edge, step=step)


def joint_space(edges: Edges, joint: KneeJoint, compartment: str) -> JointSpace:
    """Narrowest place of `compartment` ("medial" or "lateral")."""
    sign = 1.0 if compartment == "lateral" else -1.0
    across = (edges.x - joint.x) * joint.lateral * sign / joint.truth.size
    inside = (across >= COMPARTMENT_MM[0]) & (across <= COMPARTMENT_MM[1])
    gap = np.where(inside, edges.femur - edges.tibia, np.inf)
    at = int(np.nanargmin(gap))
    return JointSpace(float(edges.x[at]), float(edges.femur[at]), float(edges.tibia[at]))


def _edges(joint: KneeJoint, beam: Beam, tibia: tuple[Field, Field], *, step: float) -> Edges:
    x, femur = _edge(joint.femur, joint, beam, step=step, lowest=True)
    return Edges(x, femur, tibia[1])


def _edge(solid: Solid, joint: KneeJoint, beam: Beam, *, step: float, lowest: bool) -> tuple[Field, Field]:
    region = joint.region(lateral=(-46.0, 46.0), height=(-7.0, 14.0), depth=(-46.0, 30.0))
    x, z, field = silhouette(solid, region, beam=beam, step=step, depth_step=2.5, grazing=_SEEN_MM)
    inside = field < 0
    if not lowest:
        inside = inside[::-1]
        field = field[::-1]
        z = z[::-1]
    first = np.argmax(inside, axis=0)
    column = np.arange(x.size)
    before = np.maximum(first - 1, 0)
    high, low = field[before, column], field[first, column]
    share = np.where(high > low, high / np.maximum(high - low, 1e-6), 0.0)
    edge = z[before] + np.clip(share, 0, 1) * (z[first] - z[before])
    edge = np.where(inside.any(axis=0), edge, np.nan)
    return x, edge.astype(np.float32)
