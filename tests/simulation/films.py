"""The films of the simulated study: small pictures that carry their number where an agent can see it."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from tests.simulation.population import SEED, VISITS, Film

ROWS, COLUMNS = 24, 32
_BITS = 16
IN_ONE_FOLDER = 500


def write_films(folder: Path, films: Iterable[Film]) -> Path:
    """Write the films and the manifest that names them; return the manifest."""
    manifest = folder / "manifest.csv"
    folder.mkdir(parents=True)
    with manifest.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", "participant", "visit", "side", "view"])
        for film in films:
            name = f"{film.number // IN_ONE_FOLDER:03}/{film.number:05}.png"
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(_pixels(film.number)).save(path, compress_level=1)
            side = film.sides[0] if len(film.sides) == 1 else "B"
            writer.writerow([name, f"S{film.participant:05}", VISITS[film.visit], side, "pelvis-ap"])
    return manifest


def number_of(pixels: npt.NDArray[np.generic]) -> int:
    """Read the number of a film off its pixels, as stored or mirrored."""
    top = np.asarray(pixels[0], dtype=np.int64)
    # The first pixel of a film that is not mirrored is white, the last one black.
    row = top if top[0] > top[-1] else top[::-1]
    bits = (row[1 : 1 + _BITS] > 127).astype(np.int64)
    return int((bits << np.arange(_BITS)).sum())


def _pixels(number: int) -> npt.NDArray[np.uint8]:
    pixels = np.random.default_rng([SEED, number]).integers(30, 220, (ROWS, COLUMNS)).astype(np.uint8)
    pixels[0] = 60
    pixels[0, 0], pixels[0, -1] = 255, 0
    pixels[0, 1 : 1 + _BITS] = np.where((number >> np.arange(_BITS)) & 1, 255, 0)
    return pixels
