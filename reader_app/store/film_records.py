"""What a coordinator sees and corrects of films: plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reader_app.imaging.geometry import Box, Laterality
from reader_app.imaging.spacing import Spacing


class FilmDoubt(StrEnum):
    """Why a human should look at a film; the values are the words for a screen."""

    TEXT_STATED = "says that text is burned in"
    TEXT_POSSIBLE = "text may be burned in"
    NO_MILLIMETRES = "no millimetres"
    SIDE_NOT_STATED = "side not stated"


@dataclass(frozen=True)
class FilmEntry:
    """One film in the coordinator's list, with what is corrected on it.

    Attributes
    ----------
    participant
        The pseudonym.
    laterality
        "R", "L", "B", or "U" where it is not stated.
    spacing_words_kind, spacing_mm, spacing_reason
        Kind, row and column distance in mm, and reason of the millimetres that readers get.
    own_spacing
        What the file says, or the table of its import.
    burned_in
        Burned In Annotation (0028,0301); None where the file does not say.
    text_checked
        Whether a human has looked at the film.
    box_outs
        In film pixels.
    inverse_polarity
        The polarity that replaces the file's; None where the file's holds.
    calibrated_marker_mm
        Size of the marker that the film was calibrated by; None where it was not.
    phantom
        No person was imaged.
    copied
        The study has a de-identified copy of its own, so that a box-out blanks the file itself.
    """

    radiograph_id: int
    participant: str
    visit: str
    view: str
    body_part: str
    laterality: str
    rows: int
    columns: int
    spacing_words_kind: str
    spacing_mm: tuple[float, float] | None
    spacing_reason: str
    own_spacing: Spacing
    burned_in: bool | None
    text_checked: bool
    box_outs: tuple[Box, ...]
    inverse_polarity: bool | None
    calibrated_marker_mm: float | None
    phantom: bool
    copied: bool

    @property
    def to_check(self) -> tuple[FilmDoubt, ...]:
        """Why a human should look at the film; empty once one has, or where nothing is in doubt.

        Of a phantom nothing can be betrayed, so that only a film that itself speaks of text is in doubt.
        """
        if self.text_checked:
            return ()
        doubts = {
            FilmDoubt.TEXT_STATED: self.burned_in is True,
            FilmDoubt.TEXT_POSSIBLE: self.burned_in is None and not self.phantom,
            FilmDoubt.NO_MILLIMETRES: self.spacing_mm is None,
            FilmDoubt.SIDE_NOT_STATED: self.laterality == Laterality.UNKNOWN.value,
        }
        return tuple(doubt for doubt, holds in doubts.items() if holds)


@dataclass(frozen=True)
class MarkerCalibration:
    """A calibration as it is stored: what came out, and the marker and line that it came from."""

    row_mm: float
    column_mm: float
    marker_mm: float
    marker_px: float


@dataclass(frozen=True)
class BlankedCopy:
    """A study's own copy of a film in which parts were blanked, already on the disk.

    Attributes
    ----------
    path
        Relative to the study's folder.
    replaces_sha256
        Of the copy that it was made from: if that is no longer the film's, nothing is stored.
    """

    path: str
    file_sha256: str
    pixel_sha256: str
    replaces_sha256: str


@dataclass(frozen=True)
class CorrectionEffect:
    """What a correction met.

    Attributes
    ----------
    changed
        Whether anything is different from before.
    locked_readings
        Readings that were signed on the film as it was before.
    withdrawn_joints
        Joints whose pre-grades were made on the film as it was before, and were withdrawn.
    """

    changed: bool
    locked_readings: int = 0
    withdrawn_joints: int = 0


@dataclass(frozen=True)
class CorrectionReport:
    """Whether the corrections of films are what the journal tells.

    Attributes
    ----------
    films
        How many corrected films were found right.
    first_broken
        The first radiograph that differs, None if none does.
    reason
        How it differs, in words; empty if all fits.
    """

    ok: bool
    films: int
    first_broken: int | None = None
    reason: str = ""
