"""Bone mineral on a film: projected shells and cores, with the structure of spongy bone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reader_app.phantom.projection import Beam, Map, Projection, Raster, Region, Solid, project
from reader_app.phantom.resample import enlarge
from reader_app.phantom.solids import Field
from reader_app.phantom.texture import coarse_banded

_COARSEST_DETAIL_MM = 0.29
"""Outlines of bones need no finer pixels than this; texture and noise are made at full resolution."""


@dataclass(frozen=True)
class Mineral:
    """Bone along each ray in mm of compact bone, and the room it takes with its marrow, mm."""

    bone: Field
    volume: Field


@dataclass(frozen=True)
class Part:
    """One bone to project.

    Parameters
    ----------
    solid
        Its shape, in film coordinates.
    region
        Its bounds.
    thickness
        Thickness of its cortex in mm by place on the film.
    share
        Share of compact bone in its spongy interior by place on the film.
    grain
        Which of the textures it has.
    coarseness
        How much coarser than usual it may be sampled in the plane of the film: shafts are smooth.
    depth_coarseness
        Likewise along the rays; thin plates need less than 1.
    """

    solid: Solid
    region: Region
    thickness: Map
    share: Map
    grain: int = 0
    coarseness: float = 1.0
    depth_coarseness: float = 1.0


def mineral(
    parts: Sequence[Part],
    raster: Raster,
    beam: Beam,
    *,
    spacing: float,
    grains: Sequence[Field],
    rng: np.random.Generator,
    step: float,
) -> Mineral:
    """Add up the mineral of `parts` on `raster`.

    Parameters
    ----------
    spacing
        Millimetres per pixel of `raster`.
    grains
        Textures of mean 0 and deviation 1 on `raster`, chosen by `Part.grain`.
    step
        Spacing of the grid on which solids are evaluated, mm.
    """
    patches = coarse_banded(rng, raster.shape, spacing=spacing, period=9.0)
    uneven = coarse_banded(rng, raster.shape, spacing=spacing, period=5.0, stretch=2.0)
    bone = np.zeros(raster.shape, np.float32)
    volume = np.zeros(raster.shape, np.float32)
    for part in parts:
        box = (part.region.left, part.region.right, part.region.bottom, part.region.top)
        rows, columns = raster.part(box)
        if rows.start == rows.stop or columns.start == columns.stop:
            continue
        window = Raster(raster.x[columns], raster.z[rows])
        shadow = _shadow(part, window, beam, spacing=spacing, step=step)
        share = part.share(window.x[None, :], window.z[:, None])
        spongy = shadow.core * share * (1 + np.float32(0.07) * patches[rows, columns])
        # The shadow of n independent struts varies like the root of n.
        spongy += np.float32(0.40) * np.sqrt(np.maximum(spongy, 0)) * grains[part.grain][rows, columns]
        bone[rows, columns] += np.maximum(spongy, 0)
        bone[rows, columns] += shadow.shell
        bone[rows, columns] += np.float32(0.14) * np.minimum(shadow.shell, 3.0) * uneven[rows, columns]
        volume[rows, columns] += shadow.shell + shadow.core
    return Mineral(np.maximum(bone, 0), volume)


def _shadow(part: Part, raster: Raster, beam: Beam, *, spacing: float, step: float) -> Projection:
    every = max(int(_COARSEST_DETAIL_MM / spacing), 1)
    offset = np.float32((every - 1) / 2 * spacing)
    coarse = Raster(raster.x[::every] + offset, raster.z[::every] - offset)
    # The last coarse pixel reaches a little beyond the region: neighbours must meet without a seam.
    region = replace(
        part.region,
        left=part.region.left - 1.0,
        right=part.region.right + 1.0,
        bottom=part.region.bottom - 1.0,
        top=part.region.top + 1.0,
    )
    shadow = project(
        part.solid,
        region,
        coarse,
        beam=beam,
        thickness=part.thickness,
        step=step * part.coarseness,
        depth_step=step * part.depth_coarseness,
    )
    return Projection(enlarge(shadow.shell, every, raster.shape), enlarge(shadow.core, every, raster.shape))
