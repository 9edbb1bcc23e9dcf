"""How fast films are imported, beside bare pydicom in the same run.

`reader-app bench import` prints the table; `run()` returns it. An import decodes every film, because
the hash of its pixels and its joints are kept; so the first peer is pydicom decoding and hashing the
same files one after the other, and the second pydicom reading nothing but their headers.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import NewStudy, create_study

FILMS = 48
ROWS, COLUMNS = 1500, 1250
NAME, PASSWORD = "Ada", "a long sentence"

Row = dict[str, Any]


def run(*, films: int = FILMS) -> list[Row]:
    """Measure everything.

    Returns
    -------
    list of dict
        name, value, unit, peer, peer_value, ratio (our rate over the peer's: above 1 is faster), goal.
    """
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folder = root / "films"
        folder.mkdir()
        paths = [_write_film(folder / f"{number:04}.dcm", number) for number in range(films)]
        decoded = films / _seconds(lambda: [_decode(path) for path in paths])
        headers = films / _seconds(lambda: [_header(path) for path in paths])
        choices = NewStudy("knee-kl", "Speed", NAME, PASSWORD)
        with create_study(root / "study", choices) as study:
            actor = log_in(study, NAME, PASSWORD)
            first = films / _seconds(lambda: import_films(study, actor, folder))
            second = films / _seconds(lambda: import_films(study, actor, folder))
    cores = os.cpu_count() or 1
    return [
        _row(f"import, {cores} cores", first, "pydicom, decode and hash, one core", decoded, "ratio >= 1"),
        _row(
            f"import again, {cores} cores", second, "pydicom, headers only, one core", headers, "ratio >= 0.8"
        ),
    ]


def _row(name: str, value: float, peer: str, peer_value: float, goal: str) -> Row:
    return {
        "name": name,
        "value": value,
        "unit": "films/s",
        "peer": peer,
        "peer_value": peer_value,
        "ratio": value / peer_value,
        "goal": goal,
    }


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _decode(path: Path) -> str:
    dataset = pydicom.dcmread(path)
    hashlib.sha256(path.read_bytes()).hexdigest()
    return hashlib.sha256(np.ascontiguousarray(dataset.pixel_array).data).hexdigest()


def _header(path: Path) -> str:
    return str(pydicom.dcmread(path, stop_before_pixels=True).PatientID)


def _write_film(path: Path, number: int) -> Path:
    """Write an uncompressed 12 bit film of one bright leg."""
    random = np.random.default_rng(number)
    across = np.exp(-(((np.arange(COLUMNS) - COLUMNS / 2) / (COLUMNS / 4)) ** 2))
    pixels = (3000 * across[None, :] + random.integers(0, 400, (ROWS, COLUMNS))).astype(np.uint16)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = (
        meta.MediaStorageSOPClassUID,
        meta.MediaStorageSOPInstanceUID,
    )
    dataset.Modality, dataset.PatientID, dataset.ImageLaterality = "DX", f"P{number:04}", "R"
    dataset.Rows, dataset.Columns = ROWS, COLUMNS
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation, dataset.SamplesPerPixel = 0, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(path, enforce_file_format=True)
    return path
