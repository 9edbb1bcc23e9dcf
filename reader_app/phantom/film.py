"""The film: how it is exposed, and what comes back with its pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reader_app.imaging.geometry import Side
from reader_app.phantom.projection import Raster
from reader_app.phantom.truth import HipTruth, KneeTruth, View


@dataclass(frozen=True)
class FilmParameters:
    """Geometry and exposure of one film.

    Parameters
    ----------
    rows, columns
        Size in pixels.
    spacing_mm
        Millimetres per pixel in the plane of the joint (calibrated for magnification).
    kv
        Tube voltage.
    exposure
        Quanta per pixel of 0.14 mm in air; sets the noise.
    source_to_detector_mm, source_to_object_mm
        Distances of the focal spot.
    body
        Thickness of the soft tissues; 1 is an adult of 75 kg.
    scatter
        Scatter-to-primary ratio behind the patient after the grid.
    blur_mm
        Deviation of the blur of focal spot and detector together.
    collimation_mm
        Width of the unexposed border.
    shutter
        Blacken the unexposed border, as consoles do; otherwise it stays white.
    detail_gain, range_gain, detail_mm
        Equalisation for presentation: gain of what is finer than `detail_mm`, and of what is coarser.
    middle_tone
        What part of the film's range becomes middle grey; more is darker.
    marker
        Show the lead letters R and L.
    """

    rows: int = 2500
    columns: int = 3000
    spacing_mm: float = 0.139
    kv: float = 65.0
    exposure: float = 26000.0
    source_to_detector_mm: float = 1830.0
    source_to_object_mm: float = 1750.0
    body: float = 1.0
    scatter: float = 0.35
    blur_mm: float = 0.11
    collimation_mm: float = 5.0
    shutter: bool = True
    detail_gain: float = 1.4
    range_gain: float = 0.66
    detail_mm: float = 9.0
    middle_tone: float = 0.40
    marker: bool = True

    @property
    def magnification(self) -> float:
        """How much larger the joint is on the detector than in the body."""
        return self.source_to_detector_mm / self.source_to_object_mm

    @property
    def imager_spacing_mm(self) -> float:
        """Millimetres per pixel on the detector."""
        return self.spacing_mm * self.magnification

    def reduced(self, factor: int) -> FilmParameters:
        """The same film with pixels `factor` times larger; quanta are summed."""
        from dataclasses import replace

        return replace(
            self,
            rows=self.rows // factor,
            columns=self.columns // factor,
            spacing_mm=self.spacing_mm * factor,
        )

    def raster(self, every: int = 1) -> Raster:
        """Pixel centres in the object plane, origin in the middle; `every` > 1 gives block centres."""
        rows, columns = -(-self.rows // every), -(-self.columns // every)
        j = (np.arange(columns) * every + (every - 1) / 2) - (self.columns - 1) / 2
        i = (np.arange(rows) * every + (every - 1) / 2) - (self.rows - 1) / 2
        return Raster((j * self.spacing_mm).astype(np.float32), (-i * self.spacing_mm).astype(np.float32))

    def to_pixel(self, x: float, z: float) -> tuple[float, float]:
        """Film pixel (column, row) of a place in the object plane."""
        return (
            x / self.spacing_mm + (self.columns - 1) / 2,
            -z / self.spacing_mm + (self.rows - 1) / 2,
        )


@dataclass(frozen=True)
class Box:
    """A rectangle on the film in pixels, edges as (left, top, right, bottom)."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class JointRecord:
    """What is known of one joint on a film.

    Parameters
    ----------
    truth
        What was planted.
    box
        The joint on the film, pixels.
    landmarks
        Named places, (column, row) in pixels.
    lengths_mm
        Named true lengths in the object plane.
    grades
        Grades by feature and site.
    """

    truth: KneeTruth | HipTruth
    box: Box
    landmarks: Mapping[str, tuple[float, float]]
    lengths_mm: Mapping[str, float]
    grades: Mapping[str, int]


@dataclass(frozen=True)
class PhantomFilm:
    """A finished phantom radiograph.

    Parameters
    ----------
    pixels
        12 bit values, bright where much was absorbed (rows, columns).
    spacing_mm
        Millimetres per pixel in the plane of the joint.
    view
        What was exposed.
    joints
        One record per side.
    parameters
        How the film was made.
    seed
        Seed of everything random in it.
    """

    pixels: NDArray[np.uint16]
    spacing_mm: float
    view: View
    joints: Mapping[Side, JointRecord]
    parameters: FilmParameters
    seed: int
