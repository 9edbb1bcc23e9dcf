"""Every real DICOM film that can be read is the same film after it was de-identified."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread

from reader_app.errors import ImageError
from reader_app.imaging.display import to_display
from reader_app.imaging.files import read_radiograph
from reader_app.imaging.radiograph import Radiograph, pixel_sha256
from reader_app.interop.clean_dicom import replaced_uid
from reader_app.interop.deidentify import DatePolicy, copy_suffix, deidentified_copy
from tests.interop.conftest import how

pytestmark = pytest.mark.shared

# One test suite wrote a sentence where the body part should stand.
_STRANGE_BODY_PARTS = {"pylibjpeg-data__ELSCINT1_JP2vsJ2K.dcm"}


def readable(folder: Path) -> Iterator[Radiograph]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            try:
                yield read_radiograph(path)
            except ImageError:
                continue


def said(film: Radiograph) -> tuple[object, ...]:
    """What grading needs of a film's header and of how it is shown."""
    header = film.header
    return (
        (header.rows, header.columns, header.bits_stored, header.phantom, header.burned_in),
        (header.view_position, header.laterality, header.spacing),
        (header.sex, header.age),
        (film.inverse_polarity, film.padding, film.collimated, film.slope, film.intercept),
        [(window.center, window.width, window.function) for window in film.windows],
        [(table.first_value, table.bits, table.values.tobytes()) for table in film.voi_luts],
        film.pixel_sha256,
        pixel_sha256(to_display(film)),
    )


def test_every_readable_film_keeps_pixels_grays_sides_and_millimetres(shared: Path, tmp_path: Path) -> None:
    seen = 0
    for film in readable(shared / "data" / "dicom"):
        name = film.header.path.name
        target = tmp_path / f"copy{copy_suffix(film.header.format)}"
        choices = how(dates=DatePolicy.KEPT, keep_characteristics=True)
        deidentified_copy(film.header.path, target, choices)
        copy = read_radiograph(target)
        young = film.header.age is None or film.header.age < 90
        assert not young or said(copy) == said(film), name
        assert copy.header.body_part == film.header.body_part or name in _STRANGE_BODY_PARTS, name
        assert copy.header.modality == (film.header.modality or "OT"), name
        assert copy.header.acquired == film.header.acquired, name
        assert copy.header.participant_id == choices.pseudonym
        seen += 1
    assert seen >= 80


def test_compressed_films_stay_compressed(shared: Path, tmp_path: Path) -> None:
    for name in ("RG2_J2KR", "RG2_JLSL", "RG2_JPLL", "RG2_JPLY_fixed", "RG3_J2KI_monochrome1"):
        source = shared / "data" / "dicom" / "radiographs" / f"{name}.dcm"
        deidentified_copy(source, tmp_path / "copy.dcm", how())
        copy = dcmread(tmp_path / "copy.dcm")
        assert copy.file_meta.TransferSyntaxUID == dcmread(source).file_meta.TransferSyntaxUID, name
        assert (tmp_path / "copy.dcm").stat().st_size <= source.stat().st_size + 4096, name


def test_no_name_identifier_or_uid_of_a_real_film_is_left(shared: Path, tmp_path: Path) -> None:
    keywords = ("PatientName", "PatientID", "StudyInstanceUID", "SOPInstanceUID", "AccessionNumber")
    searched = 0
    for film in readable(shared / "data" / "dicom" / "radiographs"):
        source = dcmread(film.header.path, stop_before_pixels=True)
        deidentified_copy(film.header.path, tmp_path / "copy.dcm", how())
        content = (tmp_path / "copy.dcm").read_bytes()
        for keyword in keywords:
            secret = str(source.get(keyword, ""))
            if len(secret) >= 4:
                searched += 1
                assert secret.encode("latin-1", "replace") not in content, (film.header.path.name, keyword)
        copy = dcmread(tmp_path / "copy.dcm", stop_before_pixels=True)
        if source.get("SOPInstanceUID"):
            assert copy.SOPInstanceUID == replaced_uid(how().uid_key, source.SOPInstanceUID)
    assert searched > 20
