"""How fast films are imported, beside bare pydicom in the same run.

`reader-app bench import` prints the table; `run()` returns it. An import looks at the headers of all files,
which is held against pydicom reading nothing but headers; then it decodes every film, as the hash of its
pixels and its joints are kept, which is held against pydicom decoding and hashing the same files. Both peers
take one file after the other on one core. An import of the same folder again opens no file.
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

from reader_app.operations.import_films import import_films, import_planned
from reader_app.operations.log_in import log_in
from reader_app.operations.plan_import import forget_plan, plan_import
from reader_app.operations.study import NewStudy, create_study

FILMS = 240
HEADERS = 20_000
"""Small files with the header of a clinical film: most cohorts are this large, and no disk here is."""
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
        choices = NewStudy("knee-kl", "Speed", NAME, PASSWORD)
        many = _many_headers(root / "many", paths[0], HEADERS)
        headers = HEADERS / _seconds(lambda: [_header(path) for path in sorted(many.iterdir())])
        with create_study(root / "study", choices) as study:
            actor = log_in(study, NAME, PASSWORD)
            looked = HEADERS / _seconds(lambda: plan_import(study, actor, many))
            forget_plan(study, actor)
            plan_import(study, actor, folder)
            first = films / _seconds(lambda: import_planned(study, actor))
            second = films / _seconds(lambda: import_films(study, actor, folder))
    cores = os.cpu_count() or 1
    header_peer, decoding_peer = "pydicom, headers only, one core", "pydicom, decode and hash, one core"
    return [
        _row(f"look at {HEADERS} headers, {cores} cores", looked, header_peer, headers, "ratio >= 0.8"),
        _row(f"import, {cores} cores", first, decoding_peer, decoded, "ratio >= 1"),
        _row("import again", second, header_peer, headers, "ratio >= 0.8"),
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


def _many_headers(folder: Path, like: Path, count: int) -> Path:
    """Write files with a clinical header of some 55 elements and hardly any pixels."""
    folder.mkdir()
    dataset = pydicom.dcmread(like)
    dataset.Rows = dataset.Columns = 16
    dataset.PixelData = bytes(2 * 16 * 16)
    for place in range(1, 31):
        dataset.add_new((0x0019, 0x1000 + place), "LO", f"private element {place}")
    dataset.add_new((0x0019, 0x0010), "LO", "MAKER")
    dataset.InstitutionName, dataset.StationName = "General Hospital", "ROOM 4"
    dataset.StudyDate, dataset.StudyTime, dataset.AccessionNumber = "20190504", "101112", "A1"
    dataset.BodyPartExamined, dataset.ViewPosition, dataset.KVP = "KNEE", "PA", "65"
    dataset.PixelSpacing, dataset.WindowCenter, dataset.WindowWidth = [0.15, 0.15], 2000, 4000
    for number in range(count):
        dataset.PatientID = f"P{number // 4:05}"
        dataset.AcquisitionDate = f"20{10 + number % 4 * 2}0504"
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.save_as(folder / f"{number:06}.dcm", enforce_file_format=True)
    return folder


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
