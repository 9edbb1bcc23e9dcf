"""Heatmaps on disk: one compressed file a joint and bundle, beside the database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from reader_app.errors import StudyDamaged
from reader_app.protocols.model import Item
from reader_app.reading.pregrade import Heatmap

FOLDER = "heatmaps"
_TO_FILM = "to_film"


def heatmap_file(joint_id: int, bundle_sha256: str, pixel_sha256: str) -> str:
    """Return the path inside the study folder; the maps of a film before its correction keep their own."""
    name = f"{joint_id}-{pixel_sha256[:12]}"
    return f"{FOLDER}/{bundle_sha256[:12]}/{joint_id // 1000:06d}/{name}.npz"


def write_heatmaps(study_folder: Path, relative: str, heatmaps: Mapping[Item, Heatmap]) -> None:
    """Write the maps of one joint, 8 bits a value, whole or not at all."""
    path = study_folder / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, np.ndarray] = {
        item.key: np.round(np.clip(heatmap.values, 0, 1) * 255).astype(np.uint8)
        for item, heatmap in heatmaps.items()
    }
    arrays[_TO_FILM] = next(iter(heatmaps.values())).to_film
    partial = path.with_suffix(".part")
    with partial.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)
    partial.replace(path)


def read_heatmap(study_folder: Path, relative: str, item: Item) -> Heatmap | None:
    """Read one map; None where the bundle made none for this item.

    Raises
    ------
    StudyDamaged
        If the file is gone or damaged.
    """
    path = study_folder / relative
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if item.key not in arrays:
                return None
            return Heatmap(arrays[item.key].astype(np.float32) / 255, arrays[_TO_FILM])
    except (OSError, ValueError, KeyError) as fault:
        raise StudyDamaged(
            "The heatmap of this joint cannot be read.",
            f"Restore the folder {FOLDER} from a copy; grades and pre-grades are not affected.",
        ) from fault
