"""Heatmaps on disk: one compressed file a joint and bundle, beside the database."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from reader_app.errors import StudyDamaged
from reader_app.interop.whole_files import sweep_folder, written_aside
from reader_app.protocols.model import Item
from reader_app.reading.pregrade import Heatmap

FOLDER = "heatmaps"
_TO_FILM = "to_film"
_UNSIGNED_STEPS = 255
_SIGNED_STEPS = 127
"""Steps on either side of nothing: a map and its opposite are kept alike."""


def heatmap_file(joint_id: int, bundle_sha256: str, pixel_sha256: str) -> str:
    """Return the path inside the study folder; the maps of a film before its correction keep their own."""
    name = f"{joint_id}-{pixel_sha256[:12]}"
    return f"{FOLDER}/{bundle_sha256[:12]}/{joint_id // 1000:06d}/{name}.npz"


def write_heatmaps(study_folder: Path, relative: str, heatmaps: Mapping[Item, Heatmap]) -> None:
    """Write the maps of one joint, 8 bits a value, whole or not at all.

    A map in 0..1 is kept as unsigned bytes, a signed one in -1..1 as signed bytes: the kind of the bytes
    tells which, so that files from before there were signed maps are read as they were meant.
    """
    with heatmaps_aside(study_folder, relative, heatmaps) as put:
        put()


@contextmanager
def heatmaps_aside(
    study_folder: Path, relative: str, heatmaps: Mapping[Item, Heatmap]
) -> Iterator[Callable[[], None]]:
    """Write the maps of one joint beside their place; calling what this gives puts them there at once.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    path = study_folder / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, np.ndarray] = {item.key: _in_bytes(heatmap) for item, heatmap in heatmaps.items()}
    arrays[_TO_FILM] = next(iter(heatmaps.values())).to_film

    def write(stream: BinaryIO) -> None:
        np.savez_compressed(stream, allow_pickle=False, **arrays)

    with written_aside(path, write) as put:
        yield put


def sweep_heatmaps(study_folder: Path) -> int:
    """Take away what killed runs left half-written; return how many files."""
    return sweep_folder(study_folder / FOLDER)


def read_heatmap(study_folder: Path, relative: str, item: Item) -> Heatmap | None:
    """Read one map; None where the bundle made none for this item.

    Raises
    ------
    StudyDamaged
        If the file is gone or damaged.
    """
    path = study_folder / relative
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            if item.key not in arrays:
                return None
            return _from_bytes(arrays[item.key], arrays[_TO_FILM])
    except (OSError, EOFError, ValueError, KeyError, BadZipFile, zlib.error) as fault:
        raise StudyDamaged(
            "The heatmap of this joint cannot be read.",
            f"Restore the folder {FOLDER} from a copy; grades and pre-grades are not affected.",
        ) from fault


def _in_bytes(heatmap: Heatmap) -> NDArray[np.uint8] | NDArray[np.int8]:
    if heatmap.signed:
        return np.round(np.clip(heatmap.values, -1, 1) * _SIGNED_STEPS).astype(np.int8)
    return np.round(np.clip(heatmap.values, 0, 1) * _UNSIGNED_STEPS).astype(np.uint8)


def _from_bytes(kept: NDArray[np.generic], to_film: NDArray[np.float64]) -> Heatmap:
    if kept.ndim != 2 or kept.dtype not in (np.uint8, np.int8) or to_film.shape != (2, 3):
        raise ValueError("neither kind of heatmap")
    signed = kept.dtype == np.int8
    steps = _SIGNED_STEPS if signed else _UNSIGNED_STEPS
    values = kept.astype(np.float32) / np.float32(steps)
    return Heatmap(values, to_film, signed=bool(signed))
