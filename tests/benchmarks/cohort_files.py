"""A cohort of thousands of phantom files, made in a minute from a few phantoms that were really exposed.

Each file has pixels, a patient, a visit and a day of its own. Among them are what an archive has: one-sided
films, films that do not say their side, compressed ones, the same pixels twice in another transfer syntax,
and broken ones. The same seed gives the same cohort.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import FileDataset
from pydicom.uid import UID, JPEG2000Lossless, JPEGLSLossless, RLELossless, generate_uid

from reader_app.phantom.cohort import expose_film, plan_cohort
from reader_app.phantom.dicom import Photometric, Subject, film_dataset

BASES = 24
REDUCED = 8
"""Pixels that much larger than usual: 375 x 312 of them, a quarter of a megabyte a file."""
SYNTAXES = {3: RLELossless, 5: JPEGLSLossless, 7: JPEG2000Lossless}
"""Transfer syntax by the number of the file modulo 10; all others are uncompressed."""
DUPLICATE_EVERY, BROKEN_EVERY, UNSTATED_EVERY = 100, 250, 40
IN_ONE_FOLDER = 500
WHITE = 4095
FIRST_DAY = date(2004, 3, 1)

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Cohort:
    """What was written.

    Attributes
    ----------
    duplicates
        Files whose pixels another file has too.
    broken
        Files that no program can read.
    """

    folder: Path
    files: tuple[Path, ...]
    duplicates: int
    broken: int

    @property
    def films(self) -> int:
        """Radiographs that a complete import has."""
        return len(self.files) - self.duplicates - self.broken


def write_cohort(folder: Path, *, files: int, seed: int = 11, tell: Tell = lambda _sentence: None) -> Cohort:
    """Write a cohort below a folder."""
    tell(f"exposing {BASES} phantoms")
    bases = _bases(seed)
    written: list[Path] = []
    duplicates = broken = 0
    for number in range(files):
        path = folder / f"{number // IN_ONE_FOLDER:03}" / f"{number:06}.dcm"
        if number % IN_ONE_FOLDER == 0:
            path.parent.mkdir(parents=True)
            tell(f"wrote {number:,} of {files:,} files")
        if number % BROKEN_EVERY == BROKEN_EVERY - 1:
            path.write_bytes(_broken(bases[0], number, seed))
            broken += 1
        elif number % DUPLICATE_EVERY == DUPLICATE_EVERY - 1:
            # The film before it once more, as another archive would send it.
            again = _film(bases, number - 1, seed)
            syntax = JPEGLSLossless if _syntax(number - 1) is None else None
            _save(again, path, syntax=syntax, uid=f"{seed}-{number}")
            duplicates += 1
        else:
            _save(_film(bases, number, seed), path, syntax=_syntax(number), uid=f"{seed}-{number}")
        written.append(path)
    return Cohort(folder, tuple(written), duplicates, broken)


@dataclass(frozen=True)
class _Base:
    """A phantom that was exposed: what its file says, and its pixels apart."""

    dataset: FileDataset
    pixels: npt.NDArray[np.uint16]


def _bases(seed: int) -> list[_Base]:
    found = []
    for plan in plan_cohort(participants=BASES, visits=1, seed=seed, reduced=REDUCED):
        subject = Subject(plan.participant, plan.person.sex, plan.person.age, 70.0, FIRST_DAY, plan.visit)
        film = expose_film(plan)
        dataset = film_dataset(film, subject=subject, photometric=Photometric.MONOCHROME2)
        del dataset.PixelData
        found.append(_Base(dataset, film.pixels))
    return found


def _syntax(number: int) -> UID | None:
    return SYNTAXES.get(number % 10)


def _film(bases: list[_Base], number: int, seed: int) -> FileDataset:
    """Another film of the cohort: a phantom moved, exposed otherwise, with noise of its own."""
    rng = np.random.default_rng([seed, number])
    base = bases[number % len(bases)]
    dataset = copy.deepcopy(base.dataset)
    pixels = np.roll(base.pixels, rng.integers(-6, 7, 2), axis=(0, 1))
    half = pixels.shape[1] // 2
    side = ("B", "R", "L")[number % 3]
    if side != "B":
        pixels = pixels[:, :half] if side == "R" else pixels[:, half:]
    noisy = pixels * rng.uniform(0.9, 1.1) + rng.integers(-12, 13, pixels.shape)
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = np.clip(noisy, 0, WHITE).astype("<u2").tobytes()
    person, visit = divmod(number, 2)
    dataset.PatientID, dataset.PatientName = f"HOSPITAL-{person:06}", f"DOE^{person:06}"
    day = FIRST_DAY + timedelta(days=int(rng.integers(0, 2000)) + 730 * visit)
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = f"{day:%Y%m%d}"
    dataset.ImageLaterality = "" if number % UNSTATED_EVERY == UNSTATED_EVERY - 1 else side
    return dataset


def _save(dataset: FileDataset, path: Path, *, syntax: UID | None, uid: str) -> None:
    instance = generate_uid(entropy_srcs=[uid])
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = instance
    if syntax is not None:
        dataset.compress(syntax, generate_instance_uid=False)
    dataset.save_as(path, enforce_file_format=True)


def _broken(base: _Base, number: int, seed: int) -> bytes:
    """Bytes that begin like a film and are none: cut, scrambled, or of an absurd size."""
    rng = np.random.default_rng([seed, number])
    dataset = copy.deepcopy(base.dataset)
    dataset.PixelData = base.pixels.tobytes()
    kind = number // BROKEN_EVERY % 3
    if kind == 2:
        dataset.Rows = dataset.Columns = 65535
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    whole = stream.getvalue()
    if kind == 0:
        return whole[:300]
    if kind == 1:
        return whole[:140] + rng.bytes(4000)
    return whole
