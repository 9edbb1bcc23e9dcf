"""What a copy says about how it was de-identified (PS3.15 E.1.1, E.3; PS3.16 CID 7050)."""

from __future__ import annotations

from pydicom.dataset import Dataset

from reader_app.imaging.dicom.dataset import items, text
from reader_app.interop.deidentify import DatePolicy

PROFILE = ("113100", "Basic Application Confidentiality Profile")
CLEAN_PIXELS = ("113101", "Clean Pixel Data Option")
CLEAN_DESCRIPTORS = ("113105", "Clean Descriptors Option")
FULL_DATES = ("113106", "Retain Longitudinal Temporal Information Full Dates Option")
MODIFIED_DATES = ("113107", "Retain Longitudinal Temporal Information Modified Dates Option")
CHARACTERISTICS = ("113108", "Retain Patient Characteristics Option")

_DATE_STAMPS = {
    DatePolicy.KEPT: ("UNMODIFIED", FULL_DATES),
    DatePolicy.SHIFTED: ("MODIFIED", MODIFIED_DATES),
    DatePolicy.DROPPED: ("REMOVED", None),
}


def stamp_profile(clean: Dataset, *, dates: DatePolicy, characteristics: bool) -> None:
    """Write down profile and options (PS3.3 C.7.1.1, C.12.1).

    Parameters
    ----------
    clean
        The copy that is being made.
    dates, characteristics
        What was kept.
    """
    temporal, date_option = _DATE_STAMPS[dates]
    clean.PatientIdentityRemoved = "YES"
    clean.LongitudinalTemporalInformationModified = temporal
    codes = [PROFILE, CLEAN_DESCRIPTORS]
    if date_option is not None:
        codes.append(date_option)
    if characteristics:
        codes.append(CHARACTERISTICS)
    _write(clean, codes)


def add_stamp(clean: Dataset, code: tuple[str, str]) -> None:
    """Add an option to those that a copy names; once only."""
    codes = [
        (text(item, "CodeValue"), text(item, "CodeMeaning"))
        for item in items(clean, "DeidentificationMethodCodeSequence")
    ]
    if code not in codes:
        _write(clean, [*codes, code])


def _write(clean: Dataset, codes: list[tuple[str, str]]) -> None:
    made = []
    for value, meaning in codes:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
        made.append(item)
    clean.DeidentificationMethodCodeSequence = made
    clean.DeidentificationMethod = [meaning for _, meaning in codes]
