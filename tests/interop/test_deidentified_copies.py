"""What a de-identified DICOM copy says, and what it no longer says."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.uid import UID, ImplicitVRLittleEndian

from reader_app.errors import ImageError
from reader_app.imaging.dicom.dataset import HEADER_KEYWORDS
from reader_app.imaging.files import read_header, read_radiograph
from reader_app.interop.clean_dates import take_dates
from reader_app.interop.clean_dicom import replaced_uid
from reader_app.interop.deidentify import DatePolicy, Deidentification, copy_suffix, deidentified_copy
from reader_app.interop.dicom_files import IMPLEMENTATION_UID
from tests.interop.conftest import INSTANCE_UID, KEY, SERIES_UID, STUDY_UID, Copied, Film, how, required

# Who somebody is, and who made the film: the header reads these, and a copy has something else there.
_REPLACED = {"PatientID", "PatientName", "Manufacturer", "ImageComments"}


def test_the_pseudonym_takes_the_place_of_identifier_and_name(knee: Film, copied: Copied) -> None:
    copy = copied(knee())
    assert copy.PatientID == str(copy.PatientName) == "P-7XK2QW3E"
    assert copy.PatientBirthDate == copy.AccessionNumber == copy.StudyID == ""
    assert str(copy.ReferringPhysicianName) == ""


def test_nothing_that_identifies_is_left_anywhere_in_the_file(knee: Film, tmp_path: Path) -> None:
    deidentified_copy(knee(), tmp_path / "copy.dcm", how())
    content = (tmp_path / "copy.dcm").read_bytes().lower()
    for secret in (
        "doe",
        "jane",
        "mrn",
        "4711",
        "elsewhere",
        "roe^",
        "poe^",
        "acc-1",
        "sn-1",
        "room-1",
        "1949",
    ):
        assert secret.encode() not in content
    for uid in (STUDY_UID, SERIES_UID, INSTANCE_UID):
        assert uid.encode() not in content


def test_what_a_header_reads_stays_unless_it_identifies(knee: Film, copied: Copied) -> None:
    source = knee(Laterality="B", PixelSpacing=["0.13", "0.13"], PixelSpacingCalibrationType="FIDUCIAL")
    before = dcmread(source)
    copy = copied(source, dates=DatePolicy.KEPT, keep_characteristics=True)
    present = [keyword for keyword in HEADER_KEYWORDS if keyword in before and keyword not in _REPLACED]
    assert len(present) > 24
    for keyword in present:
        assert copy[keyword].value == before[keyword].value, keyword


def test_a_copy_reads_as_the_same_film(knee: Film, tmp_path: Path) -> None:
    source = knee()
    deidentified_copy(source, tmp_path / "copy.dcm", how())
    before, after = read_radiograph(source), read_radiograph(tmp_path / "copy.dcm")
    assert after.pixel_sha256 == before.pixel_sha256
    assert after.header.spacing == before.header.spacing
    assert [window.center for window in after.windows] == [window.center for window in before.windows]
    assert (after.header.view_position, after.header.laterality) == ("PA", before.header.laterality)
    assert after.windows[0].name == "BONE"


def test_characteristics_go_unless_they_are_asked_for(knee: Film, copied: Copied) -> None:
    source = knee(SmokingStatus="NO", EthnicGroup="X")
    without, with_them = copied(source), copied(source, keep_characteristics=True)
    assert without.PatientSex == ""
    for keyword in ("PatientAge", "PatientSize", "PatientWeight", "SmokingStatus", "EthnicGroup"):
        assert keyword not in without
    assert (with_them.PatientSex, with_them.PatientAge, with_them.SmokingStatus) == ("F", "071Y", "NO")
    assert (float(with_them.PatientSize), float(with_them.PatientWeight)) == (1.64, 70.5)
    assert "EthnicGroup" not in with_them  # free text


@pytest.mark.parametrize(
    ("stated", "copy_says"), [("089Y", "089Y"), ("090Y", "090Y"), ("103Y", "090Y"), ("095Y", "090Y")]
)
def test_ages_above_89_are_one_group(knee: Film, copied: Copied, stated: str, copy_says: str) -> None:
    assert copied(knee(PatientAge=stated), keep_characteristics=True).PatientAge == copy_says


def test_an_aggregated_age_is_told_without_the_age(knee: Film, tmp_path: Path) -> None:
    choices = how(keep_characteristics=True)
    notes = deidentified_copy(knee(PatientAge="103Y"), tmp_path / "copy.dcm", choices)
    assert any("age above 89" in note for note in notes)
    assert "103" not in "".join(notes)


def test_dropped_dates_are_gone_and_it_says_so(knee: Film, copied: Copied) -> None:
    copy = copied(knee())
    assert copy.StudyDate == copy.StudyTime == ""
    assert not {"AcquisitionDate", "ContentDate", "SeriesDate", "AcquisitionDateTime", "ContentTime"} & set(
        copy.dir()
    )
    assert copy.LongitudinalTemporalInformationModified == "REMOVED"


def test_shifted_dates_move_by_the_days_and_lose_the_time_of_day(knee: Film, copied: Copied) -> None:
    copy = copied(knee(), dates=DatePolicy.SHIFTED, shift_days=-17)
    assert (copy.StudyDate, copy.AcquisitionDate) == ("20200529", "20200530")
    assert copy.AcquisitionDateTime == "20200530"
    assert copy.StudyTime == ""
    assert "ContentTime" not in copy
    assert copy.LongitudinalTemporalInformationModified == "MODIFIED"


def test_kept_dates_stay_with_their_times(knee: Film, copied: Copied) -> None:
    copy = copied(knee(), dates=DatePolicy.KEPT)
    assert (copy.StudyDate, copy.StudyTime) == ("20200615", "101112")
    assert copy.AcquisitionDateTime == "20200616101314.5+0200"
    assert copy.LongitudinalTemporalInformationModified == "UNMODIFIED"


@given(
    days=st.integers(-4000, 4000).filter(bool),
    one=st.dates(datetime.date(1950, 1, 1), datetime.date(2080, 1, 1)),
    apart=st.integers(0, 9000),
)
def test_shifting_keeps_the_days_between_visits(days: int, one: datetime.date, apart: int) -> None:
    moved = []
    for day in (one, one + datetime.timedelta(days=apart)):
        source, clean = Dataset(), Dataset()
        source.StudyDate = day.strftime("%Y%m%d")
        take_dates(source, clean, policy=DatePolicy.SHIFTED, shift_days=days)
        assert clean.StudyDate != source.StudyDate
        moved.append(datetime.datetime.strptime(clean.StudyDate, "%Y%m%d"))
    assert (moved[1] - moved[0]).days == apart


def test_a_date_that_is_none_goes(knee: Film, copied: Copied) -> None:
    with disable_value_validation():
        source = knee(StudyDate="2020061", AcquisitionDate="20201340")
    copy = copied(source, dates=DatePolicy.KEPT)
    assert copy.StudyDate == ""
    assert "AcquisitionDate" not in copy


@pytest.mark.parametrize(
    ("dates", "characteristics", "codes"),
    [
        (DatePolicy.DROPPED, False, ["113100", "113105"]),
        (DatePolicy.SHIFTED, True, ["113100", "113105", "113107", "113108"]),
        (DatePolicy.KEPT, True, ["113100", "113105", "113106", "113108"]),
    ],
)
def test_a_copy_names_profile_and_options(
    knee: Film, copied: Copied, dates: DatePolicy, characteristics: bool, codes: list[str]
) -> None:
    copy = copied(knee(), dates=dates, shift_days=9, keep_characteristics=characteristics)
    items = copy.DeidentificationMethodCodeSequence
    assert [item.CodeValue for item in items] == codes
    assert {item.CodingSchemeDesignator for item in items} == {"DCM"}
    assert copy.PatientIdentityRemoved == "YES"
    assert len(copy.DeidentificationMethod) == len(codes)


def test_films_of_one_study_stay_in_one_study(knee: Film, copied: Copied) -> None:
    first, second = copied(knee()), copied(knee(SOPInstanceUID="1.2.3.9"))
    assert first.StudyInstanceUID == second.StudyInstanceUID
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert first.file_meta.MediaStorageSOPInstanceUID == first.SOPInstanceUID


def test_references_point_to_the_copies_of_what_they_pointed_to(knee: Film, copied: Copied) -> None:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1", INSTANCE_UID
    item.PurposeOfReferenceCodeSequence = []
    copy = copied(knee(SOPInstanceUID="1.2.3.9", SourceImageSequence=[item]))
    assert copy.SourceImageSequence[0].ReferencedSOPInstanceUID == replaced_uid(KEY, INSTANCE_UID)
    assert len(copy.SourceImageSequence[0]) == 2


@given(one=st.text(min_size=1), other=st.text(min_size=1))
def test_replaced_uids_are_valid_and_tell_originals_apart(one: str, other: str) -> None:
    first, second = replaced_uid(KEY, one), replaced_uid(KEY, other)
    assert first.is_valid
    assert first.startswith("2.25.")
    assert (first == second) == (one.strip("\0 ") == other.strip("\0 "))
    assert replaced_uid(KEY[::-1], one) != first


def test_a_uid_says_that_it_is_a_custom_uuid() -> None:
    number = int(replaced_uid(KEY, STUDY_UID).removeprefix("2.25."))
    assert (number >> 76) & 0xF == 8
    assert (number >> 62) & 0x3 == 2


def test_a_film_without_uids_gets_the_same_ones_each_time(knee: Film, copied: Copied) -> None:
    source = knee()
    headless = dcmread(source)
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        delattr(headless, keyword)
    headless.save_as(source)
    first, second = copied(source), copied(source)
    assert UID(first.SOPInstanceUID).is_valid
    assert first.SOPInstanceUID == second.SOPInstanceUID
    assert first.StudyInstanceUID != first.SOPInstanceUID


def test_the_file_around_the_film_is_ours(knee: Film, copied: Copied) -> None:
    source = knee()
    content = bytearray(source.read_bytes())
    content[:128] = b"II*\x00 Jane Doe".ljust(128, b"J")
    source.write_bytes(bytes(content))
    copy = copied(source)
    assert copy.preamble == b"\0" * 128
    assert copy.file_meta.ImplementationClassUID == IMPLEMENTATION_UID
    assert "SourceApplicationEntityTitle" not in copy.file_meta


def test_bytes_behind_and_between_the_pixels_go(knee: Film, tmp_path: Path) -> None:
    pixels = np.full((20, 30), 0x0123, np.uint16)
    source = knee(pixels, BitsStored=12, HighBit=11)
    dataset = dcmread(source)
    cells = pixels | 0xF000  # an overlay in the unused bits
    dataset.PixelData = cells.tobytes() + b"JANE DOE"
    dataset.save_as(source)
    deidentified_copy(source, tmp_path / "copy.dcm", how())
    assert dcmread(tmp_path / "copy.dcm").PixelData == pixels.tobytes()


def test_signed_pixels_keep_their_sign(knee: Film, tmp_path: Path) -> None:
    pixels = np.array([[-2048, -1, 0, 2047]] * 4, np.int16)
    source = knee(pixels, BitsStored=12, HighBit=11)
    deidentified_copy(source, tmp_path / "copy.dcm", how())
    assert np.array_equal(read_radiograph(tmp_path / "copy.dcm").pixels, pixels)


def test_implicit_files_become_explicit(knee: Film, tmp_path: Path) -> None:
    dataset = dcmread(knee())
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    source = tmp_path / "implicit.dcm"
    dataset.save_as(source, implicit_vr=True, little_endian=True)
    deidentified_copy(source, tmp_path / "copy.dcm", how())
    assert read_header(tmp_path / "copy.dcm").transfer_syntax == "Explicit VR Little Endian"


def test_a_copy_has_all_that_its_kind_of_file_must_have(knee: Film, copied: Copied) -> None:
    source = knee()
    copy = copied(source)
    empty_or_not = required("digital-x-ray-image", types=("1", "2"))
    must_have_value = required("digital-x-ray-image", types=("1",))
    missing = {keyword for keyword in empty_or_not if keyword in dcmread(source) and keyword not in copy}
    assert not missing
    assert not required("digital-x-ray-image", types=("2",)) - set(copy.dir())
    assert all(copy[keyword].value not in ("", None) for keyword in must_have_value if keyword in copy)


@pytest.mark.parametrize(
    "tags",
    [{"Manufacturer": "reader-app phantom"}, {"ImageComments": "A phantom"}, {"PatientName": "PHANTOM^1"}],
)
def test_the_copy_of_a_phantom_is_a_phantom(knee: Film, tmp_path: Path, tags: dict[str, str]) -> None:
    deidentified_copy(knee(**tags), tmp_path / "copy.dcm", how())
    assert read_header(tmp_path / "copy.dcm").phantom
    assert dcmread(tmp_path / "copy.dcm").ImageComments == "PHANTOM"


def test_the_copy_of_a_person_is_no_phantom(knee: Film, tmp_path: Path) -> None:
    deidentified_copy(knee(), tmp_path / "copy.dcm", how())
    assert not read_header(tmp_path / "copy.dcm").phantom


def test_descriptions_of_known_words_stay_and_all_others_go(knee: Film, copied: Copied) -> None:
    copy = copied(knee(ViewPosition="PA FLEX 10", ProtocolName="Knee Dr. Roe"))
    assert copy.SeriesDescription == "Knee PA standing"
    assert "StudyDescription" not in copy
    assert "ProtocolName" not in copy
    assert copy.ViewPosition == "PA FLEX 10"


def test_a_view_in_unknown_words_is_left_out_and_told(knee: Film, tmp_path: Path) -> None:
    notes = deidentified_copy(knee(ViewPosition="SMITHVIEW"), tmp_path / "copy.dcm", how())
    assert any(note.startswith("The view is stated in words") for note in notes)
    assert "SMITH" not in "".join(notes)


def test_codes_that_no_dictionary_knows_go(knee: Film, copied: Copied) -> None:
    local, known = Dataset(), Dataset()
    local.CodeValue, local.CodingSchemeDesignator, local.CodeMeaning = "4711", "99HOSP", "Jane's knee"
    known.CodeValue, known.CodingSchemeDesignator, known.CodeMeaning = "72696002", "SCT", "Jane's knee"
    copy = copied(knee(ViewCodeSequence=[local], AnatomicRegionSequence=[known]))
    assert "ViewCodeSequence" not in copy
    assert "Jane" not in copy.AnatomicRegionSequence[0].CodeMeaning
    assert "Knee" in copy.AnatomicRegionSequence[0].CodeMeaning


@pytest.mark.parametrize(("stated", "words"), [("YES", "says that text is burned"), (None, "does not say")])
def test_burned_in_text_is_left_for_a_person_to_look_at(
    knee: Film, tmp_path: Path, stated: str | None, words: str
) -> None:
    notes = deidentified_copy(knee(BurnedInAnnotation=stated), tmp_path / "copy.dcm", how())
    assert any(words in note for note in notes)
    assert dcmread(tmp_path / "copy.dcm").get("BurnedInAnnotation") == stated


def test_a_spacing_that_forbids_measuring_still_does(knee: Film, tmp_path: Path) -> None:
    source = knee(PixelSpacing=["0.1"])  # one number; dropping it would make room for the detector's
    deidentified_copy(source, tmp_path / "copy.dcm", how())
    assert not read_header(source).spacing.measurable
    assert not read_header(tmp_path / "copy.dcm").spacing.measurable


def test_a_failed_copy_leaves_no_file(knee: Film, tmp_path: Path) -> None:
    source, folder = knee(), tmp_path / "missing"
    with pytest.raises(ImageError, match="cannot be written"):
        deidentified_copy(source, folder / "copy.dcm", how())
    before = sorted(tmp_path.iterdir())
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(source.read_bytes()[:300])
    with pytest.raises(ImageError):
        deidentified_copy(broken, tmp_path / "copy.dcm", how())
    assert sorted(tmp_path.iterdir()) == sorted([*before, broken])


def test_what_is_no_film_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Jane", encoding="utf-8")
    with pytest.raises(ImageError, match="not a radiograph"):
        deidentified_copy(tmp_path / "letter.txt", tmp_path / "copy.dcm", how())


@pytest.mark.parametrize(
    "wrong",
    [
        {"pseudonym": ""},
        {"pseudonym": "Doe^Jane"},
        {"pseudonym": "Zoë"},
        {"pseudonym": "x" * 65},
        {"uid_key": b"short"},
        {"dates": DatePolicy.SHIFTED, "shift_days": 0},
    ],
)
def test_a_way_that_hides_nothing_is_a_fault_of_ours(wrong: dict[str, object]) -> None:
    right: dict[str, object] = {"pseudonym": "P-1", "uid_key": KEY, "dates": DatePolicy.DROPPED}
    with pytest.raises(ValueError, match=r"pseudonym|key|shift"):
        Deidentification(**{**right, **wrong})  # type: ignore[arg-type]


def test_the_key_is_not_shown() -> None:
    assert repr(KEY) not in repr(how())


def test_copies_are_named_by_what_they_are() -> None:
    assert (copy_suffix("DICOM"), copy_suffix("JPEG"), copy_suffix("TIFF")) == (".dcm", ".png", ".png")
