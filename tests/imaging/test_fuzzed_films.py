"""Real files with bytes changed: a film that can be shown, or one sentence, and nothing else.

The files that only GDCM decodes go through worker processes: what it does not survive is the file's fault.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from reader_app.errors import ImageError
from reader_app.imaging.radiograph import Radiograph
from reader_app.imaging.workers import FileWorkers
from tests.imaging import file_tasks
from tests.imaging.conftest import film_dataset
from tests.imaging.verdicts import film_or_sentence

pytestmark = pytest.mark.shared

LARGEST = 70_000
"""Bytes: larger files of the corpus take too long to be tried often."""

BY_GDCM = frozenset(f"1.2.840.10008.1.2.4.{number}".encode() for number in (51, 57, 70))
"""Transfer syntaxes that are left to GDCM, as they stand in a file."""

KINDS = ("RLE", "JPEG 2000", "JPEG-LS", "deflated", "big endian")
bounded = settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class Change:
    """One change of a file's bytes: `cut` bytes at a share of its length give way to others."""

    share: float
    cut: int
    new: bytes

    def applied(self, data: bytes) -> bytes:
        at = int(self.share * len(data))
        return data[:at] + self.new + data[at + self.cut :]


TELLING = [
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\xfe\xff\x00\xe0",
    b"\xff\xd9",
    b"SQ",
    b"\\",
]
# Most at the head, where a byte decides something.
SHARES = st.one_of(st.floats(0, 0.999), st.floats(0, 0.08))
CHANGES = st.lists(
    st.one_of(
        st.builds(lambda share, new: Change(share, len(new), new), SHARES, st.binary(min_size=1, max_size=4)),
        st.builds(lambda share, new: Change(share, len(new), new), SHARES, st.sampled_from(TELLING)),
        st.builds(Change, SHARES, st.integers(0, 64), st.binary(max_size=16)),
        st.builds(lambda share: Change(share, 1 << 30, b""), st.floats(0.05, 0.999)),
    ),
    min_size=1,
    max_size=6,
)


def changed(data: bytes, changes: list[Change]) -> bytes:
    for change in changes:
        data = change.applied(data)
    return data


@pytest.fixture(scope="module")
def corpus(shared: Path) -> dict[str, bytes]:
    """The smaller files of the corpus that GDCM does not decode."""
    paths = sorted((shared / "data" / "dicom" / "corpus").iterdir())
    small = {path.name: path.read_bytes() for path in paths if path.stat().st_size <= LARGEST}
    return {name: data for name, data in small.items() if not any(uid in data[:4096] for uid in BY_GDCM)}


@pytest.fixture(scope="module")
def crops(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A piece of a real radiograph in every form that we can write."""
    import pydicom
    from pydicom.uid import (
        DeflatedExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        JPEG2000Lossless,
        JPEGLSLossless,
        RLELossless,
    )

    from reader_app.imaging.files import read_radiograph

    whole = read_radiograph(shared / "data" / "dicom" / "radiographs" / "RG3_JLSN_monochrome1.dcm")
    piece = np.ascontiguousarray(whole.pixels[800:896, 800:880])
    folder = tmp_path_factory.mktemp("crops")
    said = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 10, "HighBit": 9, "WindowCenter": 500}
    forms: dict[str, bytes] = {}
    compressed = (RLELossless, JPEG2000Lossless, JPEGLSLossless)
    plain = (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian)
    for kind, syntax in zip(KINDS, (*compressed, *plain), strict=True):
        path = folder / "film"
        film = film_dataset(
            piece, WindowWidth=900, **said, **({"TransferSyntaxUID": syntax} if syntax in plain else {})
        )
        film.save_as(path, enforce_file_format=True)
        if syntax in compressed:
            film = pydicom.dcmread(path)
            film.compress(syntax)
            film.save_as(path)
        forms[kind] = path.read_bytes()
    for kind in ("PNG", "JPEG", "TIFF", "WebP"):
        Image.fromarray((piece >> 2).astype(np.uint8)).save(folder / "film", format=kind)
        forms[kind] = (folder / "film").read_bytes()
    Image.fromarray(piece).save(folder / "film", format="TIFF", compression="tiff_lzw")
    forms["TIFF of 16 bits"] = (folder / "film").read_bytes()
    return forms


def test_the_unchanged_pieces_are_films(crops: dict[str, bytes], tmp_path: Path) -> None:
    assert len(crops) == 10
    for kind, data in crops.items():
        (tmp_path / "film").write_bytes(data)
        assert isinstance(film_or_sentence(tmp_path / "film"), Radiograph), kind


@bounded
@given(st.data(), CHANGES)
def test_changed_pieces_of_a_radiograph(
    crops: dict[str, bytes], tmp_path: Path, data: st.DataObject, changes: list[Change]
) -> None:
    kind = data.draw(st.sampled_from(sorted(crops)))
    path = tmp_path / "film"
    path.write_bytes(changed(crops[kind], changes))
    assert isinstance(film_or_sentence(path), (Radiograph, ImageError))


@bounded
@given(st.data(), CHANGES)
def test_changed_files_of_the_corpus(
    corpus: dict[str, bytes], tmp_path: Path, data: st.DataObject, changes: list[Change]
) -> None:
    name = data.draw(st.sampled_from(sorted(corpus)))
    path = tmp_path / "film"
    path.write_bytes(changed(corpus[name], changes))
    assert isinstance(film_or_sentence(path), (Radiograph, ImageError))


@settings(bounded, max_examples=300)
@given(st.data(), CHANGES)
def test_two_files_in_one(
    corpus: dict[str, bytes], tmp_path: Path, data: st.DataObject, changes: list[Change]
) -> None:
    first, second = (corpus[data.draw(st.sampled_from(sorted(corpus)))] for _ in range(2))
    share = data.draw(st.floats(0, 1))
    path = tmp_path / "film"
    path.write_bytes(changed(first[: int(share * len(first))] + second[int(share * len(second)) :], changes))
    assert isinstance(film_or_sentence(path), (Radiograph, ImageError))


@pytest.mark.skipif(sys.platform == "win32", reason="one process that ends there asks the user about it")
@pytest.mark.parametrize("name", ["radiographs/RG2_JPLL.dcm", "corpus/pydicom__JPEG-lossy.dcm"])
def test_what_only_gdcm_decodes_ends_nothing_but_its_file(name: str, shared: Path, tmp_path: Path) -> None:
    data = (shared / "data" / "dicom" / name).read_bytes()
    start = data.index(b"\xff\xd8\xff")  # of the codestream
    scan = data.index(b"\xff\xda", start)
    random = np.random.default_rng(20)

    def mutants() -> Iterator[Path]:
        for number in range(50):
            mutant = bytearray(data)
            for _ in range(random.choice([1, 1, 2, 4])):
                reach = (start + 2, scan + 16) if random.random() < 0.7 else (scan, len(data))
                mutant[random.integers(*reach)] = random.integers(256)
            path = tmp_path / f"{number}.dcm"
            path.write_bytes(mutant)
            yield path

    seen = 0
    with FileWorkers(file_tasks.verdict_on, workers=2, seconds=60) as workers:
        for result in workers.map(mutants()):
            seen += 1
            result.path.unlink()
            if result.value is None:
                assert str(result.path) in result.fault
                assert result.fault.endswith(".")
    assert seen == 50
