"""Copies of films that no longer say whose they are (DICOM PS3.15 Annex E).

The way is a closed world: a copy is built anew from a list of what may stay (`kept_attributes`), and nothing
that is not on it can come through, whatever a producer invents. A copy keeps what grading needs: the pixels,
how they are shown, sides, view, body part, millimetres, the technique of the exposure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from reader_app.errors import ImageError
from reader_app.imaging.files import image_format

_SMALLEST_KEY = 16
_LONGEST_PSEUDONYM = 64  # LO and a component group of PN (PS3.5 6.2)


class DatePolicy(StrEnum):
    """What becomes of the dates in a copy.

    KEPT retains dates and times of day in full; SHIFTED moves all dates of a participant by the same number
    of days and drops times of day; DROPPED removes both.
    """

    KEPT = "kept"
    SHIFTED = "shifted"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Deidentification:
    """How one participant's films are de-identified.

    Parameters
    ----------
    pseudonym
        Takes the place of patient ID and name; plain ASCII.
    uid_key
        Secret key of the study, at least 16 bytes: the same UID gives the same replacement with it, and
        without it nobody can find the UID again.
    dates
        What becomes of the dates.
    shift_days
        Days added to each date where dates are shifted: one number for each participant, never 0.
    keep_characteristics
        Whether sex, age (above 89 years as 90), size, weight, smoking and pregnancy status stay.

    Raises
    ------
    ValueError
        If pseudonym or key will not do, or dates are to be shifted by no days.
    """

    pseudonym: str
    uid_key: bytes = field(repr=False)
    dates: DatePolicy
    shift_days: int = 0
    keep_characteristics: bool = True

    def __post_init__(self) -> None:
        plain = self.pseudonym.isascii() and self.pseudonym.isprintable()
        if not plain or self.pseudonym != self.pseudonym.strip() or set(self.pseudonym) & set("\\^="):
            raise ValueError("a pseudonym is plain ASCII without backslash, caret, equals or outer spaces")
        if not 0 < len(self.pseudonym) <= _LONGEST_PSEUDONYM:
            raise ValueError(f"a pseudonym has 1 to {_LONGEST_PSEUDONYM} characters")
        if len(self.uid_key) < _SMALLEST_KEY:
            raise ValueError(f"a key for UIDs has at least {_SMALLEST_KEY} bytes")
        if self.dates is DatePolicy.SHIFTED and self.shift_days == 0:
            raise ValueError("a shift of no days hides no date")


def copy_suffix(source_format: str) -> str:
    """Return the suffix of a copy: ".dcm" for a film of format "DICOM", ".png" for any raster."""
    return ".dcm" if source_format == "DICOM" else ".png"


def deidentified_copy(source: Path, target: Path, how: Deidentification) -> tuple[str, ...]:
    """Write a de-identified copy of a film.

    DICOM stays DICOM; PNG, JPEG, TIFF and WebP become PNG with the same pixels, turned upright, and nothing
    but pixels. Only the first image of a file is copied: the others are never looked at by anybody.

    Parameters
    ----------
    source
        The film, which is left as it is.
    target
        The copy's exact name, in a folder that exists; an older file of that name is replaced.
    how
        Pseudonym, key and what stays.

    Returns
    -------
    tuple of str
        Sentences for the coordinator: what was left out, and what only a person can check. They repeat
        nothing from the file.

    Raises
    ------
    ImageError
        If the source is no readable radiograph, or the copy cannot be written; then there is no new file.
    """
    kind = image_format(source)
    if kind is None:
        raise ImageError(
            f"{source} is not a radiograph: it is neither DICOM nor PNG, JPEG, TIFF or WebP.",
            "Choose an image file, or leave this one out.",
        )
    # pydicom and Pillow are loaded with the first film, so that a study opens without them.
    if kind == "DICOM":
        from reader_app.interop.clean_dicom import copy_dicom

        return copy_dicom(source, target, how)
    from reader_app.interop.clean_raster import copy_raster

    return copy_raster(source, target)
