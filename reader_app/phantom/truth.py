"""What is planted in a phantom."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class View(StrEnum):
    """What was exposed, and how."""

    KNEES_PA = "PA fixed flexion knees"
    PELVIS_AP = "AP pelvis"


@dataclass(frozen=True)
class KneeOsteophytes:
    """How far each osteophyte stands out from the bone's margin, mm."""

    femoral_medial: float = 0.0
    femoral_lateral: float = 0.0
    tibial_medial: float = 0.0
    tibial_lateral: float = 0.0

    @property
    def largest(self) -> float:
        """The largest of the four, mm."""
        return max(self.femoral_medial, self.femoral_lateral, self.tibial_medial, self.tibial_lateral)


@dataclass(frozen=True)
class Pose:
    """How a joint lies under the beam.

    Parameters
    ----------
    shift_mm
        Offset of the joint from its usual place on the film, (to the right, up).
    rotation_deg
        Turn about the leg's long axis, internal positive.
    tilt_deg
        Angle between tibial plateau and beam: 0 shows one contour of the plateau.
    lean_deg
        Lean of the leg in the plane of the film.
    flexion_deg
        Flexion of the femur against the beam.
    """

    shift_mm: tuple[float, float] = (0.0, 0.0)
    rotation_deg: float = 0.0
    tilt_deg: float = 1.0
    lean_deg: float = 0.0
    flexion_deg: float = 17.0


@dataclass(frozen=True)
class KneeTruth:
    """One knee.

    Parameters
    ----------
    jsw_medial_mm, jsw_lateral_mm
        Narrowest joint space of the compartment as projected, object plane.
    osteophytes
        Sizes by site.
    sclerosis_medial, sclerosis_lateral
        Subchondral sclerosis of the tibia, 0 none to 1 severe.
    cyst_mm
        Diameter of a subchondral cyst under the narrower compartment, 0 for none.
    pose
        Position under the beam.
    size
        Scale of the bones; 1 is a tibial plateau of about 76 mm.
    density
        Bone mineral against that of a healthy adult of 60.
    form_seed
        Whose knee it is: the same seed gives the same shapes at every visit; 0 is the average.
    """

    jsw_medial_mm: float = 4.6
    jsw_lateral_mm: float = 5.6
    osteophytes: KneeOsteophytes = field(default_factory=KneeOsteophytes)
    sclerosis_medial: float = 0.0
    sclerosis_lateral: float = 0.0
    cyst_mm: float = 0.0
    pose: Pose = field(default_factory=Pose)
    size: float = 1.0
    density: float = 1.0
    form_seed: int = 0


@dataclass(frozen=True)
class HipOsteophytes:
    """How far each osteophyte stands out from the bone's margin, mm."""

    femoral_superior: float = 0.0
    femoral_inferior: float = 0.0
    acetabular_superior: float = 0.0
    acetabular_inferior: float = 0.0

    @property
    def largest(self) -> float:
        """The largest of the four, mm."""
        return max(
            self.femoral_superior, self.femoral_inferior, self.acetabular_superior, self.acetabular_inferior
        )


@dataclass(frozen=True)
class HipTruth:
    """One hip.

    Parameters
    ----------
    jsw_lateral_mm, jsw_medial_mm
        Joint space above the head (at the outer half of the roof) and towards the teardrop.
    osteophytes
        Sizes by site.
    sclerosis_acetabular, sclerosis_femoral
        0 none to 1 severe.
    cyst_acetabular_mm, cyst_femoral_mm
        Diameters, 0 for none.
    centre_edge_deg
        Centre-edge angle of Wiberg; about 32 in health.
    alpha_deg
        Alpha angle; about 45 in health, a cam raises it.
    neck_shaft_deg
        Angle of neck and shaft.
    ischial_spine_mm
        How far the ischial spine stands into the pelvic ring beyond its inner wall.
    femur_rotation_deg
        Internal rotation of the leg; 15 shows the neck at its full length.
    head_radius_mm
        Radius of the femoral head.
    density
        Bone mineral against that of a healthy adult of 60.
    form_seed
        Whose hip it is: the same seed gives the same shapes at every visit; 0 is the average.
    """

    jsw_lateral_mm: float = 4.2
    jsw_medial_mm: float = 3.8
    osteophytes: HipOsteophytes = field(default_factory=HipOsteophytes)
    sclerosis_acetabular: float = 0.0
    sclerosis_femoral: float = 0.0
    cyst_acetabular_mm: float = 0.0
    cyst_femoral_mm: float = 0.0
    centre_edge_deg: float = 32.0
    alpha_deg: float = 45.0
    neck_shaft_deg: float = 128.0
    ischial_spine_mm: float = 2.0
    femur_rotation_deg: float = 12.0
    head_radius_mm: float = 24.0
    density: float = 1.0
    form_seed: int = 0
