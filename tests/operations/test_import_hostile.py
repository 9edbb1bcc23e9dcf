"""A folder of files made to do harm: the good films come in, nothing else happens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study_config import ImagePolicy
from reader_app.store import films as stored
from tests.imaging.conftest import film_dataset
from tests.imaging.hostile_files import JPEG_LOSSLESS, SIDE, encoded, jpeg, jpeg_ls, png
from tests.operations.conftest import COORDINATOR, PASSWORD, MakeStudy

TRICKS = (
    "../../escaped",
    "/tmp/escaped",
    "..\\..\\escaped",
    "<b>bold</b>",
    "CON",
    "a/../../b",
    "~root",
    "$HOME",
)


def leg(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    random = np.random.default_rng(seed)
    across = 3000 * np.exp(-(((np.arange(64) - 32) / 16) ** 2))
    return np.asarray(across[None, :] + random.integers(0, 900, (64, 64)), dtype=np.uint16)


def film(path: Path, seed: int, **elements: object) -> Dataset:
    dataset = film_dataset(leg(seed), BitsStored=12, HighBit=11, **elements)
    dataset.save_as(path, enforce_file_format=True)
    return dataset


def everything_in(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
@pytest.mark.parametrize("images", list(ImagePolicy))
def test_no_name_in_a_file_becomes_a_path(make_study: MakeStudy, tmp_path: Path, images: ImagePolicy) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    for number, trick in enumerate(TRICKS):
        film(
            folder / f"{number}.dcm",
            number,
            PatientID=trick,
            SOPInstanceUID=trick,
            StudyInstanceUID=trick,
            SeriesInstanceUID=trick,
            StudyID=trick[:16],
        )
    study = make_study(images=images)
    actor = log_in(study, COORDINATOR, PASSWORD)
    before = everything_in(tmp_path)
    report = import_films(study, actor, folder)
    assert (report.added, report.faults) == (len(TRICKS), ())
    inside = study.folder.relative_to(tmp_path)
    fresh = {path for path in everything_in(tmp_path) - before if inside not in path.parents}
    assert not [path for path in fresh if path.parts[0] != "home"]
    for known in stored.all_radiographs(study.database, actor):
        assert study.image_path(known.path).resolve().is_file()
        if images is ImagePolicy.COPY:
            assert study.folder.resolve() in study.image_path(known.path).resolve().parents
            data = study.image_path(known.path).read_bytes()
            assert not [trick for trick in TRICKS if trick.encode() in data and len(trick) > 4]


@pytest.mark.parametrize("images", list(ImagePolicy))
def test_files_that_end_decoders_cost_themselves_only(
    make_study: MakeStudy, tmp_path: Path, images: ImagePolicy
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    for number in range(4):
        film(folder / f"good{number}.dcm", number, PatientID=f"P{number}")
    bad = [
        encoded(folder / "crash1.dcm", jpeg(precision=188), JPEG_LOSSLESS),
        encoded(folder / "crash2.dcm", jpeg(between=b"\x48\xc4"), JPEG_LOSSLESS),
        encoded(folder / "flood.dcm", jpeg_ls(SIDE), "1.2.840.10008.1.2.4.80", side=SIDE),
        png(folder / "<img src=x onerror=alert(1)>.png".replace("/", ""), side=4, chunks=((b"zTXt", b"a"),)),
    ]
    study = make_study(images=images)
    report = import_films(study, log_in(study, COORDINATOR, PASSWORD), folder)
    assert report.added == 4
    assert sorted(str(path) for path, _ in _told(report.faults)) == sorted(map(str, bad))
    assert all(reason.endswith(".") and "Traceback" not in reason for _, reason in _told(report.faults))
    assert not list(study.folder.rglob("*.part"))


def _told(faults: object) -> list[tuple[Path, str]]:
    return [(Path(fault.path), fault.reason) for fault in faults]  # type: ignore[attr-defined]
