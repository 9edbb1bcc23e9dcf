"""The labelled joints a network learns from: the table, and their crops decoded once into memory."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from reader_app.ai.crop import ByteArray, Preprocessing, crop_joint
from reader_app.ai.training.recipe import Head
from reader_app.errors import ManifestError

MISSING = -1
"""Class index of a joint that has no grade for a head; it does not count in the loss."""


@dataclass(frozen=True)
class Example:
    """One joint: its image, participant and side, and its class index for every head."""

    image: Path
    participant: str
    side: str
    grades: tuple[int, ...]


def read_examples(folder: Path, split: str, heads: Sequence[Head]) -> tuple[Example, ...]:
    """Read one split of ``labels.csv`` (image, split, participant, side, one column per head).

    Raises
    ------
    ManifestError
        The table is missing, lacks a column, names a grade that is no class or an image that is not there,
        names an image twice, or a participant of this split also occurs in another.
    """
    table = folder / "labels.csv"
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except OSError as error:
        raise ManifestError(
            f"{table} cannot be read: {error.strerror}.", "Name the folder with labels.csv."
        ) from error
    needed = {"image", "split", "participant", "side", *(head.column for head in heads)}
    if not rows or not needed <= set(rows[0]):
        raise ManifestError(f"{table} must have the columns {', '.join(sorted(needed))}.", "Add them.")
    _no_leak(rows, table)
    chosen = [(number, row) for number, row in enumerate(rows, start=2) if row["split"] == split]
    if not chosen:
        raise ManifestError(f"{table} has no row with split = {split}.", "Add some.")
    return tuple(_example(folder, row, heads, f"{table}, line {number}") for number, row in chosen)


def _no_leak(rows: Sequence[dict[str, str]], table: Path) -> None:
    """Refuse a participant in two splits, and an image named twice: both make the figures too good."""
    split_of: dict[str, str] = {}
    for row in rows:
        if split_of.setdefault(row["participant"], row["split"]) != row["split"]:
            raise ManifestError(
                f"{table}: participant {row['participant']} is in more than one split.",
                "Put all joints of a participant into one split.",
            )
    twice = [name for name, count in Counter(row["image"] for row in rows).items() if count > 1]
    if twice:
        raise ManifestError(f"{table}: {twice[0]} is named more than once.", "Keep one row per image.")


def _example(folder: Path, row: dict[str, str], heads: Sequence[Head], where: str) -> Example:
    image = folder / row["image"]
    if not image.is_file():
        raise ManifestError(f"{where}: the image {row['image']} does not exist.", "Correct the path.")
    if row["side"] not in ("L", "R"):
        raise ManifestError(f"{where}: the side must be L or R, not “{row['side']}”.", "Correct it.")
    grades = []
    for head in heads:
        code = row[head.column].strip()
        if code and code not in head.classes:
            raise ManifestError(
                f"{where}: “{code}” is no grade of {head.column} ({', '.join(head.classes)}).", "Correct it."
            )
        grades.append(head.classes.index(code) if code else MISSING)
    return Example(image, row["participant"], row["side"], tuple(grades))


def read_grey(path: Path) -> npt.NDArray[np.generic]:
    """Read an 8 or 16 bit grey PNG, JPEG, WebP or TIFF as a 2D array.

    Raises
    ------
    ManifestError
        The image cannot be read.
    """
    try:
        with Image.open(path) as image:
            grey = image if image.mode.startswith(("I", "F", "L")) else image.convert("L")
            return np.array(grey)
    except (OSError, UnidentifiedImageError) as error:
        raise ManifestError(
            f"The image {path} cannot be read: {error}.", "Replace it or take its row out."
        ) from error


@dataclass(frozen=True)
class CropCache:
    """Crops of a split, decoded once: uint8, N x size x size; and their class indices, N x heads."""

    crops: ByteArray
    grades: npt.NDArray[np.int64]


def build_cache(
    examples: Sequence[Example],
    preprocessing: Preprocessing,
    *,
    progress: Callable[[float], None] = lambda _: None,
) -> CropCache:
    """Decode and crop every example with the same function that inference calls."""
    crops = np.empty((len(examples), preprocessing.size, preprocessing.size), dtype=np.uint8)
    for index, example in enumerate(examples):
        crops[index] = crop_joint(read_grey(example.image), preprocessing, side=example.side).pixels
        if index % 256 == 0:
            progress(index / len(examples))
    return CropCache(crops, np.array([example.grades for example in examples], dtype=np.int64))
