"""The door of a study: who a film belongs to, and when it was made, as far as the study may know.

Everything secret here follows from the one key in the study folder, so that nothing of it needs to be kept:
the pseudonym of an identifier, the days by which a participant's dates are moved, the key for UIDs in copies.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from reader_app.errors import StudyError
from reader_app.imaging.radiograph import FileStamp, RadiographHeader
from reader_app.interop.deidentify import DatePolicy, Deidentification
from reader_app.operations.importing.film_plan import UNRANKED
from reader_app.operations.pseudonyms import Pseudonyms
from reader_app.operations.study_config import Privacy

BASELINE = "Baseline"
SHORTEST_SHIFT, LONGEST_SHIFT = 365, 3650
"""Days by which dates are moved back, one number for each participant."""

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
# A year of this or the last century with nothing but dates' signs beside it, or a day and month before it.
_LIKE_A_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d{2}(?!\d)|(?<!\d)(?:19|20)\d{6}(?!\d)|\d{1,2}[./-]\d{1,2}[./-]\d{2}"
)
_LONGEST_NUMBER = 8


@dataclass(frozen=True)
class Visit:
    """A visit in the study's own words.

    Attributes
    ----------
    label, order
        What it is called and where it stands; `UNRANKED` where the dates of all films must be seen first.
    day
        Keyed hash of the day, where dates are dropped.
    study_date
        In the study's calendar, empty where there is none.
    """

    label: str
    order: int
    day: str = ""
    study_date: str = ""


@dataclass(frozen=True)
class Door:
    """What a study does with identifiers and dates."""

    pseudonyms: Pseudonyms
    privacy: Privacy

    def identity(self, header: RadiographHeader) -> str:
        """Return who a file says that it belongs to; equal identifiers of two issuers are two people.

        An identifier with its issuer is written as HL7 does, ``identifier^^^issuer``.
        """
        identifier, issuer = header.participant_id.strip(), header.issuer.strip()
        return f"{identifier}^^^{issuer}" if identifier and issuer and self.privacy.issuers else identifier

    def participant(self, identity: str) -> str:
        """Return the pseudonym of an identifier."""
        return self.pseudonyms.of(identity)

    def nobody(self, path: Path, stamp: FileStamp) -> str:
        """Return a pseudonym for a film that states no participant: one of its own."""
        return self.pseudonyms.of(f"\0{path}\0{stamp.size}\0{stamp.modified_ns}\0film")

    def keyed(self, text: str) -> str:
        """Return a keyed hash of a text: it tells that texts are equal, and without the key nothing else."""
        key = self._subkey("remember")
        return hmac.digest(key, text.encode("utf-8", "replace"), "sha256").hex()[:16]

    def day_key(self, participant: str, acquired: str) -> str:
        """Return a keyed hash of a participant's day, which recognises it again and tells no date."""
        return self.keyed(f"day\0{participant}\0{acquired}")

    def shift_days(self, participant: str) -> int:
        """Return the days to add to each date of a participant: 1 to 10 years back, always the same."""
        digest = hmac.digest(self._subkey("date shift"), participant.encode(), "sha256")
        span = LONGEST_SHIFT - SHORTEST_SHIFT + 1
        return -(SHORTEST_SHIFT + int.from_bytes(digest[:8]) % span)

    def deidentification(self, participant: str) -> Deidentification:
        """Return how the films of a participant are de-identified when they are copied."""
        shifted = self.privacy.dates is DatePolicy.SHIFTED
        return Deidentification(
            pseudonym=participant,
            uid_key=self._subkey("uids"),
            dates=self.privacy.dates,
            shift_days=self.shift_days(participant) if shifted else 0,
            keep_characteristics=self.privacy.characteristics,
        )

    def visit(self, participant: str, *, stated: str, acquired: str, in_study_words: bool = False) -> Visit:
        """Return the visit of a film.

        Parameters
        ----------
        stated
            Name or day in a table, empty where it states none.
        acquired
            Day on which the film was made, "YYYY-MM-DD", empty where unknown.
        in_study_words
            Whether `stated` comes from the study itself, so that its dates are shifted already.
        """
        if is_day(stated) and not in_study_words:
            stated, acquired = "", stated
        own = self._own_day(participant, acquired)
        day = self.day_key(participant, acquired) if self._drops and acquired else ""
        if stated:
            return Visit(stated, order_of(stated), day, own)
        if own:
            return Visit(own, date.fromisoformat(own).toordinal(), day, own)
        if day:
            return Visit("", UNRANKED, day)
        return Visit(BASELINE, 0)

    def age(self, years: float | None) -> float | None:
        """Return an age as the study keeps it: above 89 years people are few, so that it counts as 90."""
        if years is None or not self.privacy.characteristics:
            return None
        return years if self.privacy.dates is DatePolicy.KEPT else min(years, 90.0)

    def date_fault(self, visit: str, *, in_study_words: bool) -> str:
        """Say what is wrong with the name of a visit that gives a date away; empty where nothing is."""
        if self.privacy.dates is DatePolicy.KEPT:
            return ""
        if is_day(visit) and (not in_study_words or not self._drops):
            return ""
        if not looks_like_a_date(visit):
            return ""
        if self._drops:
            return f"the visit “{visit}” looks like a date, and this study drops dates: name the visit"
        return f"the visit “{visit}” looks like a date: write it as 2019-05-04, so that it can be shifted"

    @property
    def _drops(self) -> bool:
        return self.privacy.dates is DatePolicy.DROPPED

    def _own_day(self, participant: str, day: str) -> str:
        """A day in the study's calendar."""
        if not day or self._drops:
            return ""
        if self.privacy.dates is DatePolicy.KEPT:
            return day
        try:
            return (date.fromisoformat(day) + timedelta(days=self.shift_days(participant))).isoformat()
        except OverflowError:  # a date in the first ten years of our era is none
            return ""

    def _subkey(self, purpose: str) -> bytes:
        return hmac.digest(self.pseudonyms.key, f"\0{purpose}".encode(), "sha256")


def is_day(text: str) -> bool:
    """Whether a text is a day of the calendar, "YYYY-MM-DD"."""
    if not _ISO.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def looks_like_a_date(text: str) -> bool:
    """Whether a text may hold a date or a year, in whatever order its parts are written."""
    return bool(_LIKE_A_DATE.search(text))


def order_of(visit: str) -> int:
    """Return where a visit stands by its name: the day, else the first number in it, else the beginning."""
    if is_day(visit):
        return date.fromisoformat(visit).toordinal()
    number = re.search(r"\d+", visit)
    return int(number.group()) if number and len(number.group()) <= _LONGEST_NUMBER else 0


def no_date(visit: str) -> StudyError:
    """Return the error for a visit that a coordinator names by a date which the study may not hold."""
    return StudyError(
        f"“{visit}” looks like a date, and this study holds no true dates.",
        "Name the visit otherwise, or take a visit that the participant has already.",
    )
