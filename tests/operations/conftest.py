"""Studies and films for the verbs; real files, real databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

from reader_app.interop.deidentify import DatePolicy
from reader_app.operations.log_in import log_in
from reader_app.operations.study import NewStudy, Study, create_study
from reader_app.operations.study_config import ImagePolicy
from reader_app.protocols.loader import find_protocol
from reader_app.protocols.model import Protocol
from reader_app.store.records import Actor

COORDINATOR = "Ada Moreno"
PASSWORD = "a long sentence"
MakeStudy = Callable[..., Study]


@pytest.fixture
def make_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeStudy]:
    """Make studies that are closed when the test ends."""
    monkeypatch.setenv("READER_APP_HOME", str(tmp_path / "home"))
    made: list[Study] = []

    def make(
        name: str = "study",
        *,
        protocol: str = "knee-kl",
        images: ImagePolicy = ImagePolicy.REFERENCE,
        dates: DatePolicy = DatePolicy.SHIFTED,
        characteristics: bool = True,
    ) -> Study:
        choices = NewStudy(
            protocol=protocol,
            title="T",
            coordinator=COORDINATOR,
            password=PASSWORD,
            seed=1,
            images=images,
            dates=dates,
            characteristics=characteristics,
        )
        made.append(create_study(tmp_path / name, choices))
        return made[-1]

    yield make
    for study in made:
        study.close()


@pytest.fixture
def study(make_study: MakeStudy) -> Study:
    """A new study of the protocol knee-kl."""
    return make_study()


@pytest.fixture
def coordinator(study: Study) -> Actor:
    """The coordinator of `study`."""
    return log_in(study, COORDINATOR, PASSWORD)


@pytest.fixture(scope="session")
def knee_kl() -> Protocol:
    """A protocol with one feature without sites."""
    return find_protocol("knee-kl")


@pytest.fixture(scope="session")
def knee_oarsi() -> Protocol:
    """A protocol whose features have sites."""
    return find_protocol("knee-oarsi-kl")


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder with three single joints, one of them in a folder of its own."""
    folder = tmp_path / "films"
    for number, name in enumerate(("a.png", "b.png", "inner/c.png")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(leg(seed=number)).save(path)
    return folder


def leg(*, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return a square picture with one bright leg in its middle; the same for the same seed."""
    random = np.random.default_rng(seed)
    across = np.exp(-(((np.arange(96) - 48) / 24) ** 2))
    picture = 200 * across[None, :] * np.ones((96, 1)) + random.integers(0, 40, (96, 96))
    return picture.astype(np.uint8)


def dicom_film(path: Path, *, seed: int, **elements: Any) -> Path:
    """Write a small knee film as DICOM; elements replace or add, None leaves one out."""
    pixels = leg(seed=seed).astype(np.uint16) * 16
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.SOPClassUID = ComputedRadiographyImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.Modality, dataset.PatientID, dataset.PatientName = "CR", "Secret-1", "Doe^Jane"
    dataset.StudyDate = dataset.AcquisitionDate = "20190504"
    dataset.BodyPartExamined, dataset.ViewPosition, dataset.ImageLaterality = "KNEE", "PA", "R"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = *pixels.shape, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = pixels.tobytes()
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def everything_in(folder: Path) -> bytes:
    """Return the bytes of all files of a study, one after the other, with the database's log folded in."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
