"""Dates in a copy: as they are, moved by a participant's own number of days, or gone."""

from __future__ import annotations

import datetime
import re

from pydicom.dataset import Dataset

from reader_app.imaging.dicom.dataset import text
from reader_app.interop.deidentify import DatePolicy

_LEVELS = ("Study", "Series", "Acquisition", "Content")
_TIME = re.compile(r"([01]\d|2[0-3])(:?[0-5]\d){0,2}(\.\d{1,6})?")
_DATE_TIME = re.compile(r"(\d{8})((?:[01]\d|2[0-3])(?:[0-5]\d){0,2}(?:\.\d{1,6})?)?([+-]\d{4})?")


def take_dates(source: Dataset, clean: Dataset, *, policy: DatePolicy, shift_days: int) -> None:
    """Put the dates of study, series, acquisition and content into `clean` as a study asks.

    Whole days are all that the order of visits needs. Times of day stay with full dates alone: with shifted
    ones, a time to the second would lead whoever has the source's worklist to the true date. A date that
    cannot be understood goes.

    Parameters
    ----------
    source
        As it was read.
    clean
        The copy that is being made.
    policy
        What becomes of dates.
    shift_days
        Days to be added where they are shifted.
    """
    if policy is DatePolicy.DROPPED:
        return
    days = shift_days if policy is DatePolicy.SHIFTED else 0
    for level in _LEVELS:
        moved = _moved(text(source, f"{level}Date").replace(".", ""), days)
        if moved:
            setattr(clean, f"{level}Date", moved)
        time = text(source, f"{level}Time")
        if policy is DatePolicy.KEPT and _TIME.fullmatch(time):
            setattr(clean, f"{level}Time", time.replace(":", ""))
    match = _DATE_TIME.fullmatch(text(source, "AcquisitionDateTime"))
    moved = _moved(match[1], days) if match else ""
    if match and moved:
        rest = (match[2] or "") + (match[3] or "") if policy is DatePolicy.KEPT else ""
        clean.AcquisitionDateTime = moved + rest


def _moved(digits: str, days: int) -> str:
    """A date (YYYYMMDD) moved by days; empty where it is none, or none any more."""
    if len(digits) != 8 or not digits.isascii() or not digits.isdigit():
        return ""
    try:
        day = datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        return (day + datetime.timedelta(days=days)).strftime("%Y%m%d").rjust(8, "0")
    except (ValueError, OverflowError):
        return ""
