"""One hip in place: pelvis half and femur in film coordinates, with the joint space as planted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reader_app.phantom import hip_femur, pelvis_bones
from reader_app.phantom.projection import Region
from reader_app.phantom.solids import Field, Points
from reader_app.phantom.truth import HipTruth

LATERAL_DEG = 12.0
"""Where the lateral joint space is measured: degrees lateral of straight up."""


@dataclass(frozen=True)
class HipJoint:
    """A hip on the film.

    Parameters
    ----------
    truth
        What is planted.
    x, z
        Midline of the pelvis and height of the acetabulum, film mm.
    lateral
        +1 if lateral is to the right of the film, else -1.
    abduction_deg
        Of the leg.
    """

    truth: HipTruth
    x: float
    z: float
    lateral: float
    abduction_deg: float = 2.0

    def place(self, p: Points) -> Points:
        """Film coordinates to those of this half of the pelvis."""
        return Points((p.x - np.float32(self.x)) * np.float32(self.lateral), p.y, p.z - np.float32(self.z))

    @property
    def head_offset(self) -> tuple[float, float]:
        """Middle of the head against that of the socket, (x lateral, z), mm.

        The head moves in its socket until the gap is as planted above and towards the teardrop; with
        d the unit vector of a place, the gap there is clearance minus offset . d.
        """
        up = np.deg2rad(LATERAL_DEG)
        places = np.array([[np.sin(up), np.cos(up)], [-1.0, 0.0]])
        clearance = pelvis_bones.CUP_CLEARANCE_MM
        gaps = np.array([self.truth.jsw_lateral_mm, self.truth.jsw_medial_mm])
        x, z = np.linalg.solve(places, clearance - gaps)
        return float(x), float(z)

    @property
    def head_centre(self) -> tuple[float, float]:
        """Middle of the femoral head on the film, mm in the object plane."""
        dx, dz = self.head_offset
        return self.x + self.lateral * (pelvis_bones.HIP_OFFSET_MM + dx), self.z + dz

    @property
    def socket_centre(self) -> tuple[float, float]:
        """Middle of the acetabulum on the film, mm in the object plane."""
        return self.x + self.lateral * pelvis_bones.HIP_OFFSET_MM, self.z

    def pelvis(self, p: Points) -> Field:
        """Innominate bone of this side."""
        return pelvis_bones.innominate(self.place(p), self.truth)

    def femur(self, p: Points) -> Field:
        """Upper femur of this side."""
        dx, dz = self.head_offset
        q = self.place(p).moved((pelvis_bones.HIP_OFFSET_MM + dx, 0.0, dz))
        # 15 degrees of internal rotation bring the neck into the plane of the film.
        return hip_femur.upper_femur(
            q.tilted(self.abduction_deg).turned(self.truth.femur_rotation_deg - 15.0), self.truth
        )

    def region(
        self, *, lateral: tuple[float, float], height: tuple[float, float], depth: tuple[float, float]
    ) -> Region:
        """A box given in coordinates of this side as one on the film."""
        ends = sorted(self.x + self.lateral * edge for edge in lateral)
        return Region(ends[0], ends[1], self.z + height[0], self.z + height[1], depth[0], depth[1])
