"""Headers that are read in one go say what pydicom says; whatever is unusual is left to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from reader_app.errors import ImageError
from reader_app.imaging.dicom.dataset import HEADER_TAGS
from reader_app.imaging.dicom.frames import bring_up_first_frame
from reader_app.imaging.dicom.header import header_of
from reader_app.imaging.dicom.plain_header import REACH, plain_header
from reader_app.imaging.files import read_header
from reader_app.imaging.quiet import hush
from reader_app.imaging.radiograph import RadiographHeader
from tests.imaging.conftest import MakeDicom, film_dataset

FILM = np.arange(64, dtype=np.uint16).reshape(8, 8)


def plainly(path: Path) -> Dataset | None:
    start = path.read_bytes()[:REACH]
    return plain_header(start, whole=len(start) < REACH, wanted=HEADER_TAGS)


def told(dataset: Dataset, path: Path) -> RadiographHeader | str:
    """What a header says, or why there is none."""
    hush("pydicom")
    try:
        bring_up_first_frame(dataset)
        return header_of(dataset, path)
    except ImageError as fault:
        return fault.what


def by_pydicom(path: Path) -> RadiographHeader | str:
    hush("pydicom")
    tags = list(HEADER_TAGS.values())
    return told(dcmread(path, force=True, stop_before_pixels=True, specific_tags=tags), path)


def code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return item


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("undefined", [False, True])
def test_an_ordinary_header_is_read_in_one_go(make_dicom: MakeDicom, syntax: str, undefined: bool) -> None:
    region = code("72696002", "Knee region")
    region.AnatomicRegionModifierSequence = Sequence([code("24028007", "Right")])
    views = Sequence([code("272460009", "postero-anterior")])
    private = Sequence([code("1", "one"), code("2", "two")])
    path = make_dicom(
        FILM,
        TransferSyntaxUID=syntax,
        SpecificCharacterSet="ISO_IR 192",
        PatientName="Zoë^Müller",
        PatientID="Ä 7",
        PixelSpacing=[0.15, 0.15],
        AnatomicRegionSequence=Sequence([region]),
        ViewCodeSequence=views,
        RequestAttributesSequence=private,
    )
    if undefined:
        dataset = dcmread(path)
        for item in dataset.RequestAttributesSequence:
            item.is_undefined_length_sequence_item = True
        dataset["RequestAttributesSequence"].is_undefined_length = True
        dataset.save_as(path)
    plain = plainly(path)
    assert plain is not None
    header = told(plain, path)
    assert header == by_pydicom(path)
    assert isinstance(header, RadiographHeader)
    assert (header.participant_id, header.body_part, header.laterality.value) == ("Ä 7", "KNEE REGION", "R")
    assert header.spacing.column_mm == 0.15


def test_what_is_unusual_is_left_to_pydicom(make_dicom: MakeDicom, tmp_path: Path) -> None:
    big = make_dicom(FILM, TransferSyntaxUID=ExplicitVRBigEndian)
    assert plainly(big) is None
    whole = make_dicom(FILM).read_bytes()
    headless = tmp_path / "headless"
    headless.write_bytes(whole[132:])
    assert plainly(headless) is None
    cut = tmp_path / "cut"
    cut.write_bytes(whole[:420])
    assert plainly(cut) is None


def test_every_real_file_says_the_same_in_both_ways(shared: Path) -> None:
    files = [path for path in sorted((shared / "data" / "dicom").rglob("*")) if path.is_file()]
    read = 0
    for path in files:
        plain = plainly(path)
        if plain is not None:
            read += 1
            assert told(plain, path) == by_pydicom(path), path
    assert read > len(files) / 2


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.tuples(st.integers(132, 700), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_header_is_never_read_otherwise_than_by_pydicom(
    tmp_path: Path, places: list[tuple[int, int]]
) -> None:
    path = tmp_path / "film.dcm"
    dataset = film_dataset(FILM, BodyPartExamined="KNEE", ImageLaterality="R", PixelSpacing=[0.2, 0.2])
    dataset.AnatomicRegionSequence = Sequence([code("72696002", "Knee region")])
    dataset.save_as(path, enforce_file_format=True)
    data = bytearray(path.read_bytes())
    for place, value in places:
        data[place % len(data)] = value
    path.write_bytes(bytes(data))
    plain = plainly(path)
    if plain is None:
        return
    try:
        expected = by_pydicom(path)
    except Exception:  # noqa: BLE001 - pydicom raises nearly anything on damaged input
        return
    assert told(plain, path) == expected


def test_an_index_of_a_medium_is_named_as_what_it_is(shared: Path) -> None:
    with pytest.raises(ImageError, match=r"without an image .*Directory"):
        read_header(shared / "data" / "dicom" / "corpus" / "pydicom__DICOMDIR")


# Sides, regions, issuers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("modifiers", "image", "expected"),
    [
        (["24028007"], None, "R"),
        (["G-A101"], None, "L"),
        (["51440002"], None, "B"),
        (["24028007", "7771000"], None, "B"),
        (["24028007"], "R", "R"),
        (["24028007"], "L", "U"),
        (["66459002"], None, "U"),
        ([], None, "U"),
    ],
)
def test_the_region_tells_the_side_where_nothing_else_does(
    make_dicom: MakeDicom, modifiers: list[str], image: str | None, expected: str
) -> None:
    region = code("72696002", "Knee region")
    region.AnatomicRegionModifierSequence = Sequence([code(value, "x") for value in modifiers])
    named = {} if image is None else {"ImageLaterality": image}
    header = read_header(make_dicom(FILM, AnatomicRegionSequence=Sequence([region]), **named))
    assert header.laterality.value == expected
    assert header.body_part == "KNEE REGION"
    assert any("names two sides" in note for note in header.notes) == (image == "L")


@pytest.mark.parametrize(
    ("description", "hint"),
    [
        ("KNEE LT AP", "the left side"),
        ("Knie rechts", "the right side"),
        ("both knees", "both sides"),
        ("left and right", ""),
        ("Mr Wright, Leftwich ward", ""),
    ],
)
def test_a_description_hints_at_a_side_and_decides_none(
    make_dicom: MakeDicom, description: str, hint: str
) -> None:
    header = read_header(make_dicom(FILM, SeriesDescription=description))
    assert header.laterality.value == "U"
    assert any(hint in note for note in header.notes) == bool(hint)
    assert not any(description in note for note in header.notes)


def test_a_stated_side_needs_no_description(make_dicom: MakeDicom) -> None:
    header = read_header(make_dicom(FILM, ImageLaterality="R", SeriesDescription="LEFT knee"))
    assert (header.laterality.value, header.notes) == ("R", ())


def test_the_issuer_of_an_identifier_is_read(make_dicom: MakeDicom) -> None:
    assert read_header(make_dicom(FILM, IssuerOfPatientID="General Hospital")).issuer == "General Hospital"
    assert read_header(make_dicom(FILM)).issuer == ""
