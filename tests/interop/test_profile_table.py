"""Copies against the table of the basic profile (PS3.15 Table E.1-1), and all attributes there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dicomanonymizer.dicomfields_selector import (
    ANONYMIZATION_CATEGORIES,
    dicom_anonymization_database_selector,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom.config import disable_value_validation
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from reader_app.interop.deidentify import DatePolicy, deidentified_copy
from tests.interop.conftest import Film, how, knee_dataset

TABLE_VERSIONS = ("dicomfields_2023", "dicomfields_2024b", "dicomfields_2026c")
MARKER = "XQZJ"
MARKER_UID, MARKER_DATE, MARKER_TIME, MARKER_AGE = "1.2.77345981", "17770419", "031709", "097W"
MARKS = tuple(mark.encode() for mark in (MARKER, MARKER_UID, MARKER_DATE, MARKER_TIME, MARKER_AGE))
_TEXT = ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT")
_BYTES = ("OB", "OW", "UN", "OD", "OF", "OL", "OV")
_OTHER = {
    "UI": MARKER_UID,
    "DA": MARKER_DATE,
    "TM": MARKER_TIME,
    "DT": MARKER_DATE + MARKER_TIME,
    "AS": MARKER_AGE,
}
# Without these no film can be read at all; their values are numbers and enumerated words.
_IMAGE = {
    "SpecificCharacterSet",
    "PhotometricInterpretation",
    "PixelData",
    "LUTDescriptor",
    "LUTData",
    "SOPClassUID",
}
# Their items are understood as a whole: a marker in them makes a file that is refused.
_TABLES = {"ModalityLUTSequence", "VOILUTSequence"}


def profile_tags(version: str) -> list[BaseTag]:
    """All tags that the profile acts on, one of each repeating group."""
    table = dicom_anonymization_database_selector(version)
    rows = [row for category in ANONYMIZATION_CATEGORIES for row in table[category]]
    return sorted({Tag(row[0], row[1]) for row in rows if row[0] > 0x0002})


def identifying(tag: BaseTag, *, depth: int = 0) -> DataElement | None:
    """A data element with something of a person in it; None for kinds that carry numbers alone."""
    try:
        representation = dictionary_VR(tag).split(" or ")[-1]
    except KeyError:  # newer than pydicom's dictionary
        representation = "UN"
    if representation == "SQ":
        return DataElement(tag, "SQ", [] if depth > 1 else [item_with_person()])
    if representation in _TEXT:
        return DataElement(tag, representation, MARKER)
    if representation in _BYTES:
        return DataElement(tag, representation, MARKER.encode() * 4)
    if representation in _OTHER:
        return DataElement(tag, representation, _OTHER[representation])
    return None


def item_with_person() -> Dataset:
    """An item as free text, references and private makers fill it."""
    item = Dataset()
    item.PatientName = item.TextValue = item.CodeMeaning = item.LUTExplanation = MARKER
    item.CodeValue, item.CodingSchemeDesignator = MARKER, f"99{MARKER}"
    item.ReferencedSOPInstanceUID = item.UID = item.ReferencedSOPClassUID = MARKER_UID
    item.Date, item.Time = MARKER_DATE, MARKER_TIME
    item.add(DataElement(0x00110010, "LO", MARKER))
    item.add(DataElement(0x00111001, "UN", MARKER.encode()))
    return item


def written(dataset: Dataset, folder: Path, **choices: object) -> bytes:
    """Bytes of the copy of a data set."""
    source, target = folder / "source.dcm", folder / "copy.dcm"
    dataset.save_as(source, enforce_file_format=True)
    deidentified_copy(source, target, how(**choices))
    return target.read_bytes()


def left_of_person(content: bytes) -> list[bytes]:
    return [mark for mark in MARKS if mark.lower() in content.lower()]


@pytest.mark.parametrize("version", TABLE_VERSIONS)
def test_no_attribute_that_the_profile_acts_on_survives(version: str, tmp_path: Path) -> None:
    dataset = knee_dataset()
    put = 0
    with disable_value_validation():
        for tag in profile_tags(version):
            element = identifying(tag)
            if element is not None and tag.group % 2 == 0 and element.keyword not in _IMAGE:
                dataset.add(element)
                put += 1
        nested = Dataset()
        for element in dataset:
            if element.VR != "SQ" and element.tag.group not in (0x0028, 0x7FE0):
                nested.add(element)
        dataset.ViewCodeSequence = [nested]
        dataset.RequestAttributesSequence = [nested]
        assert put > 450
        assert not left_of_person(written(dataset, tmp_path))


@pytest.mark.parametrize("version", TABLE_VERSIONS)
def test_only_claimed_options_keep_what_the_profile_acts_on(version: str, tmp_path: Path) -> None:
    source = knee_dataset(SmokingStatus="NO", PregnancyStatus=4, ProtocolName="KNEE AP")
    deidentified_copy_of = dcmread_copy(source, tmp_path, dates=DatePolicy.KEPT, keep_characteristics=True)
    acted_on = {tag for tag in profile_tags(version) if tag in source}
    kept = {
        source[tag].keyword
        for tag in acted_on
        if tag in deidentified_copy_of
        and deidentified_copy_of[tag].value == source[tag].value
        and not source[tag].is_empty
    }
    dates = {"StudyDate", "StudyTime", "SeriesDate", "AcquisitionDate", "ContentDate", "ContentTime"}
    people = {"PatientSex", "PatientAge", "PatientSize", "PatientWeight", "SmokingStatus", "PregnancyStatus"}
    assert kept <= {*dates, "AcquisitionDateTime", *people, "SeriesDescription", "ProtocolName"}
    assert {"StudyDate", "PatientSex", "SeriesDescription"} <= kept


def dcmread_copy(source: Dataset, folder: Path, **choices: object) -> Dataset:
    written(source, folder, **choices)
    return dcmread(folder / "copy.dcm")


def every_tag() -> Iterator[BaseTag]:
    for number in DicomDictionary:
        if number >> 16 > 0x0002 and number >> 16 != 0xFFFE:
            yield Tag(number)
    for mask in RepeatersDictionary:
        yield Tag(mask.replace("x", "0"))


def test_no_attribute_of_the_standard_lets_a_person_through(tmp_path: Path) -> None:
    dataset = knee_dataset()
    put = 0
    with disable_value_validation():
        for tag in every_tag():
            element = identifying(tag)
            if element is None or element.keyword in _IMAGE | _TABLES:
                continue
            dataset.add(element)
            put += 1
        everything = Dataset()
        for element in dataset:
            if element.VR != "SQ" and element.keyword not in _IMAGE and element.tag.group != 0x0028:
                everything.add(element)
        dataset.ViewCodeSequence = [everything]
        dataset.SourceImageSequence = [everything]
        dataset.SharedFunctionalGroupsSequence = [everything]
        assert put > 3200
        content = written(dataset, tmp_path)
    assert left_of_person((tmp_path / "source.dcm").read_bytes()) == list(MARKS)
    assert not left_of_person(content)


def test_private_attributes_go_at_every_depth(tmp_path: Path) -> None:
    dataset = knee_dataset()
    block = dataset.private_block(0x0029, "MAKER", create=True)
    block.add_new(0x10, "LO", MARKER)
    block.add_new(0x11, "SQ", [item_with_person()])
    view = dataset.ViewCodeSequence[0]
    view.private_block(0x0011, "MAKER", create=True).add_new(1, "UT", MARKER)
    assert not left_of_person(written(dataset, tmp_path))


def test_tables_and_windows_carry_no_words_and_no_bytes_beyond_their_values(tmp_path: Path) -> None:
    table = item_with_person()
    table.add(DataElement(Tag("LUTDescriptor"), "US", [4, 0, 8]))
    table.add(DataElement(Tag("LUTData"), "OW", bytes((0, 0, 80, 0, 160, 0, 255, 0)) + MARKER.encode()))
    table.ModalityLUTType = MARKER
    dataset = knee_dataset(RescaleSlope=None, RescaleIntercept=None, RescaleType=None)
    dataset.VOILUTSequence = [table]
    dataset.ModalityLUTSequence = [table]
    dataset.WindowCenterWidthExplanation = MARKER
    content = written(dataset, tmp_path)
    assert not left_of_person(content)
    copy = dcmread(tmp_path / "copy.dcm")
    assert copy.ModalityLUTSequence[0].LUTData == bytes((0, 0, 80, 0, 160, 0, 255, 0))


def test_numbers_are_kept_as_numbers_only(knee: Film, tmp_path: Path) -> None:
    with disable_value_validation():
        dataset = knee_dataset()
        for keyword in (
            "KVP",
            "ExposureTime",
            "WindowCenter",
            "PatientSize",
            "ImagerPixelSpacing",
            "SeriesNumber",
        ):
            dataset[keyword] = DataElement(Tag(keyword), "LO", MARKER)
        assert not left_of_person(written(dataset, tmp_path, keep_characteristics=True))


_KEYWORDS = sorted(
    row[4] for row in DicomDictionary.values() if row[0] in _TEXT and row[4] and row[4] not in _IMAGE
)


@given(
    keywords=st.lists(st.sampled_from(_KEYWORDS), min_size=1, max_size=12, unique=True),
    text=st.text("ABCDEFGHIKLMNOPRSTUVWZ '-", max_size=20),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_with_an_unknown_word_comes_through(keywords: list[str], text: str, tmp_path: Path) -> None:
    dataset = knee_dataset()
    with disable_value_validation():
        for keyword in keywords:
            tag = Tag(keyword)
            if tag.group > 0x0002:
                dataset.add(DataElement(tag, dictionary_VR(tag), f"{text} {MARKER}"))
        assert not left_of_person(written(dataset, tmp_path))
