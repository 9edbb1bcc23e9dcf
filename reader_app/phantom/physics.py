"""From paths through tissue to a 12 bit radiograph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reader_app.phantom.film import FilmParameters
from reader_app.phantom.materials import ENERGIES_KEV, Paths, Tissue, attenuation_per_mm, spectrum
from reader_app.phantom.resample import block_mean, enlarge
from reader_app.phantom.solids import Field

WHITE = 4095
_SCATTER_SPREAD_MM = 28.0
_REFERENCE_PIXEL_MM = 0.139
_THINNEST_BODY = 0.35


def detector_signal(paths: Paths, film: FilmParameters) -> tuple[Field, Field]:
    """Energy and number of quanta that reach each pixel, without scatter, blur or noise.

    Every energy bin is attenuated on its own, so thick parts harden the beam. Values are relative to air.
    """
    energy = np.zeros(paths.muscle.shape, np.float32)
    quanta = np.zeros(paths.muscle.shape, np.float32)
    shares = spectrum(film.kv)
    mean = sum(kev * share for kev, share in zip(ENERGIES_KEV, shares, strict=True))
    tissues = [(Tissue.MUSCLE, paths.muscle), (Tissue.FAT, paths.fat), (Tissue.BONE, paths.bone)]
    if paths.lead is not None:
        tissues.append((Tissue.LEAD, paths.lead))
    for bin_, (kev, share) in enumerate(zip(ENERGIES_KEV, shares, strict=True)):
        depth = np.zeros(paths.muscle.shape, np.float32)
        for tissue, path in tissues:
            depth += np.float32(attenuation_per_mm(tissue)[bin_]) * path
        np.negative(depth, out=depth)
        passed = np.exp(depth, out=depth)
        quanta += np.float32(share) * passed
        energy += np.float32(share * kev / mean) * passed
    return energy, quanta


def fill(muscle: Field, fat: Field, bone: Field, volume: Field) -> Paths:
    """Put bone and its marrow (half fat) where soft tissue was."""
    marrow = np.maximum(volume - bone, 0)
    muscle = np.maximum(muscle - volume + np.float32(0.45) * marrow, 0)
    fat = fat + np.float32(0.55) * marrow
    return Paths(muscle, fat, bone)


def expose(paths: Paths, film: FilmParameters, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Expose a detector behind `paths` and show its signal as a console does.

    Primary beam, collimation, scatter (a broad share of the primary), blur, quantum noise, detector
    noise, logarithm, equalisation for presentation, 12 bit.

    Returns
    -------
    ndarray
        uint16 (rows, columns), 0 to 4095, bright where much was absorbed.
    """
    from scipy import ndimage

    energy, _ = detector_signal(paths, film)
    field = collimation(film)
    energy *= field
    energy += np.float32(film.scatter) * broad_mean(energy, film, _SCATTER_SPREAD_MM)
    sigma = film.blur_mm / film.spacing_mm
    if sigma > 0.2:
        ndimage.gaussian_filter(energy, sigma, output=energy, truncate=3.0)
    count = np.float32(film.exposure * (film.spacing_mm / _REFERENCE_PIXEL_MM) ** 2)
    energy *= count
    noise = rng.standard_normal(energy.shape, dtype=np.float32)
    if film.spacing_mm < 0.25:
        # The scintillator spreads each quantum's light over its neighbours: noise is correlated too.
        ndimage.gaussian_filter(noise, 0.55, output=noise, truncate=2.5)
    # Poisson: at hundreds of quanta and more its normal limit is exact enough and far quicker.
    noise *= np.sqrt(energy + np.float32(30.0))
    energy += noise
    np.maximum(energy, 8.0, out=energy)
    return present(np.log(count / energy), film, exposed=field > 0.98)


def collimation(film: FilmParameters) -> Field:
    """Share of the beam that the blades let pass: 1 inside, little outside, a soft edge between."""
    raster = film.raster()
    half_x = film.columns * film.spacing_mm / 2 - film.collimation_mm
    half_z = film.rows * film.spacing_mm / 2 - film.collimation_mm
    edge = np.float32(0.7)
    across = np.clip((half_x - np.abs(raster.x)) / edge + np.float32(0.5), 0, 1)
    along = np.clip((half_z - np.abs(raster.z)) / edge + np.float32(0.5), 0, 1)
    return np.asarray(np.maximum(along[:, None] * across[None, :], np.float32(2e-3)), dtype=np.float32)


def broad_mean(image: Field, film: FilmParameters, spread_mm: float) -> Field:
    """`image` blurred by a Gaussian of `spread_mm`, worked out on a coarse grid."""
    from scipy import ndimage

    every = max(int(spread_mm / film.spacing_mm / 6), 1)
    coarse = block_mean(image, every)
    blurred = ndimage.gaussian_filter(coarse, spread_mm / (film.spacing_mm * every), mode="nearest")
    return enlarge(np.asarray(blurred, dtype=np.float32), every, (film.rows, film.columns))


def present(density: Field, film: FilmParameters, *, exposed: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Optical density to 12 bit: local mean compressed, detail kept, ends rolled off.

    The range is set by the exposed part of the film, as a console's histogram analysis does.
    """
    every = max(film.rows // 400, 1)
    thinned = density[::every, ::every]
    body = exposed[::every, ::every] & (thinned > _THINNEST_BODY)
    # The unexposed border must not pull the mean of its neighbours.
    weight = exposed.astype(np.float32)
    local = broad_mean(density * weight, film, film.detail_mm)
    local /= np.maximum(broad_mean(weight, film, film.detail_mm), np.float32(1e-3))
    shown = density
    shown -= local
    shown *= np.float32(film.detail_gain)
    local *= np.float32(film.range_gain)
    shown += local
    low, high = np.percentile(shown[::every, ::every][body], (1.5, 99.7)) if body.any() else (0.0, 1.0)
    shown -= np.float32(low)
    shown *= np.float32(1.0 / max(float(high - low), 1e-3))
    # A toe and a shoulder: air and metal do not clip hard.
    shaped = np.float32(0.5) + np.float32(0.54) * np.tanh(
        np.float32(1.9) * (shown - np.float32(film.middle_tone))
    )
    shaped *= np.float32(WHITE)
    if film.shutter:
        shaped *= exposed
    return np.asarray(np.clip(np.rint(shaped), 0, WHITE), dtype=np.uint16)
