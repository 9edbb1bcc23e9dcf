"""Millimetres per pixel: as a value with its kind and the reason for it.

A projection radiograph is larger than the patient, so a number in mm means nothing without knowing where
it holds. The rules are those of DICOM PS3.3 10.7 (Basic Pixel Spacing Calibration Macro) and of the
attributes of the X-ray acquisition modules; anything zero, negative, absurd or contradictory is refused for
measuring, in words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

_SMALLEST_MM, _LARGEST_MM = 0.005, 5.0
_LARGEST_FILM_MM = 2000.0  # a whole-leg film is 1.3 m
_MOST_OBLONG = 2.0
_LARGEST_MAGNIFICATION = 3.0
_SAME = 0.01  # relative difference that decimal strings and rounding explain
_GEOMETRY_TOLERANCE = 0.05  # a stated factor and SID / SOD may differ by this much

_CROSS_SECTIONAL = frozenset({"CT", "MR", "PT", "NM"})


class SpacingKind(StrEnum):
    """Where and how the millimetres were obtained."""

    CALIBRATED = "calibrated"
    GEOMETRY = "geometry"
    MAGNIFICATION_CORRECTED = "magnification corrected"
    AT_DETECTOR = "at detector"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Spacing:
    """Distance between pixel centres.

    Parameters
    ----------
    row_mm
        From one row to the next (vertical), or None where nothing may be measured in mm.
    column_mm
        From one column to the next (horizontal), or None likewise.
    kind
        Where the millimetres hold.
    reason
        One sentence: which tags led to this, or why nothing may be measured.
    """

    row_mm: float | None
    column_mm: float | None
    kind: SpacingKind
    reason: str

    def __post_init__(self) -> None:
        known = self.row_mm is not None and self.column_mm is not None
        if known != (self.kind is not SpacingKind.UNKNOWN):
            raise ValueError(f"spacing and its kind do not fit together: {self!r}")

    @property
    def measurable(self) -> bool:
        """Whether lengths may be given in millimetres at all."""
        return self.kind is not SpacingKind.UNKNOWN

    @property
    def unit(self) -> str:
        """The unit to be written beside a ruler."""
        if self.kind is SpacingKind.UNKNOWN:
            return "px"
        return "mm at detector" if self.kind is SpacingKind.AT_DETECTOR else "mm"

    def distance_mm(self, dx: float, dy: float) -> float | None:
        """Length in mm of a step of dx columns and dy rows, or None where nothing may be measured."""
        if self.row_mm is None or self.column_mm is None:
            return None
        return math.hypot(dx * self.column_mm, dy * self.row_mm)


def unknown_spacing(reason: str) -> Spacing:
    """Return a spacing that forbids measuring in mm, for the reason given."""
    return Spacing(None, None, SpacingKind.UNKNOWN, reason)


def checked_spacing(
    row_mm: float, column_mm: float, *, kind: SpacingKind, reason: str, shape: tuple[int, int] | None = None
) -> Spacing:
    """Return a spacing if its numbers are plausible, else an unknown one that says what is wrong.

    Parameters
    ----------
    row_mm, column_mm
        Vertical and horizontal distance of pixel centres in mm.
    kind, reason
        Taken over where the numbers hold.
    shape
        Rows and columns of the film, to find films of an impossible size.
    """
    fault = _fault(row_mm, column_mm, shape)
    if fault:
        return unknown_spacing(f"{reason}: {fault}, so nothing can be measured in mm.")
    return Spacing(row_mm, column_mm, kind, f"{reason}.")


def _fault(row_mm: float, column_mm: float, shape: tuple[int, int] | None) -> str:
    """What is wrong with a pair of spacings; empty if nothing."""
    pair = f"{row_mm:g} x {column_mm:g} mm"
    if not (math.isfinite(row_mm) and math.isfinite(column_mm)):
        return f"{pair} is not a number"
    if row_mm == 0 or column_mm == 0:
        return f"{pair} is zero"
    if row_mm < 0 or column_mm < 0:
        return f"{pair} is negative"
    if min(row_mm, column_mm) < _SMALLEST_MM or max(row_mm, column_mm) > _LARGEST_MM:
        return f"{pair} is absurd for a radiograph"
    if max(row_mm, column_mm) / min(row_mm, column_mm) > _MOST_OBLONG:
        return f"{pair} contradicts itself"
    if shape is not None:
        height, width = shape[0] * row_mm, shape[1] * column_mm
        if max(height, width) > _LARGEST_FILM_MM:
            return f"{pair} would make a film of {height:.0f} x {width:.0f} mm"
    return ""


@dataclass(frozen=True)
class SpacingTags:
    """What a DICOM file says that bears on millimetres; numbers as they stand in the file.

    Parameters
    ----------
    modality
        (0008,0060).
    pixel_spacing
        (0028,0030), row then column; None where absent, empty where present without usable numbers.
    calibration_type
        (0028,0A02): GEOMETRY or FIDUCIAL.
    imager_spacing
        (0018,1164), at the detector.
    scanned_spacing
        (0018,2010), of a digitised film.
    magnification
        (0018,1114), estimated radiographic magnification factor.
    source_detector_mm, source_patient_mm
        (0018,1110) and (0018,1111).
    aspect_ratio
        (0028,0034), vertical then horizontal size of a pixel; None where absent.
    """

    modality: str = ""
    pixel_spacing: Sequence[float] | None = None
    calibration_type: str = ""
    imager_spacing: Sequence[float] | None = None
    scanned_spacing: Sequence[float] | None = None
    magnification: float | None = None
    source_detector_mm: float | None = None
    source_patient_mm: float | None = None
    aspect_ratio: Sequence[float] | None = None


def dicom_spacing(tags: SpacingTags, shape: tuple[int, int]) -> Spacing:
    """Decide what a DICOM radiograph's millimetres mean (PS3.3 10.7.1.3 and C.8.11.7, C.8.7.5).

    Parameters
    ----------
    tags
        What the file says.
    shape
        Rows and columns of the film.

    Returns
    -------
    Spacing
        With its kind; `SpacingKind.UNKNOWN` and the reason where a tag is unusable or two contradict.
    """
    for name, values in (
        ("PixelSpacing", tags.pixel_spacing),
        ("ImagerPixelSpacing", tags.imager_spacing),
        ("NominalScannedPixelSpacing", tags.scanned_spacing),
    ):
        if values is not None and len(values) != 2:
            return unknown_spacing(f"{name} does not hold two numbers, so nothing can be measured in mm.")
    spacing = _stated_spacing(tags, shape)
    fault = _aspect_fault(tags, spacing)
    return unknown_spacing(fault) if fault else spacing


def _stated_spacing(tags: SpacingTags, shape: tuple[int, int]) -> Spacing:
    if tags.pixel_spacing is not None:
        return _from_pixel_spacing(tags, shape)
    if tags.imager_spacing is not None:
        return _from_detector(tags, tags.imager_spacing, "ImagerPixelSpacing", shape)
    if tags.scanned_spacing is not None:
        return _from_detector(tags, tags.scanned_spacing, "NominalScannedPixelSpacing", shape)
    return unknown_spacing("The file gives no pixel spacing, so nothing can be measured in mm.")


def _aspect_fault(tags: SpacingTags, spacing: Spacing) -> str:
    """What Pixel Aspect Ratio (PS3.3 C.7.6.3.1.7) says against a spacing; empty if nothing.

    Beside a spacing it should not be there at all; where it is, both have to agree.
    """
    ratio = tags.aspect_ratio
    if spacing.row_mm is None or spacing.column_mm is None or ratio is None:
        return ""
    if len(ratio) != 2 or not all(math.isfinite(side) and side > 0 for side in ratio):
        return ""  # no statement, like the zeros of some consoles
    stated, measured = ratio[0] / ratio[1], spacing.row_mm / spacing.column_mm
    if abs(stated / measured - 1) <= _SAME:
        return ""
    return (
        f"PixelAspectRatio {ratio[0]:g}:{ratio[1]:g} contradicts the spacing {spacing.row_mm:g} x "
        f"{spacing.column_mm:g} mm, so nothing can be measured in mm."
    )


def _from_pixel_spacing(tags: SpacingTags, shape: tuple[int, int]) -> Spacing:
    assert tags.pixel_spacing is not None
    row, column = tags.pixel_spacing
    if tags.calibration_type == "FIDUCIAL":
        return checked_spacing(
            row,
            column,
            kind=SpacingKind.CALIBRATED,
            reason="PixelSpacing calibrated by an object of known size",
            shape=shape,
        )
    if tags.calibration_type == "GEOMETRY":
        return checked_spacing(
            row,
            column,
            kind=SpacingKind.GEOMETRY,
            reason="PixelSpacing corrected for known or assumed geometry",
            shape=shape,
        )
    if tags.modality in _CROSS_SECTIONAL:
        return checked_spacing(
            row,
            column,
            kind=SpacingKind.GEOMETRY,
            reason=f"PixelSpacing of a {tags.modality} image, in the patient",
            shape=shape,
        )
    if tags.imager_spacing is not None:
        return _from_both(tags, shape)
    # Without a calibration type nobody says that magnification was taken out (PS3.3 10.7.1.3), so that
    # a factor in the file may or may not be in this number: the honest reading is "at detector".
    return checked_spacing(
        row,
        column,
        kind=SpacingKind.AT_DETECTOR,
        reason="PixelSpacing without a calibration type, taken as at the detector",
        shape=shape,
    )


def _from_both(tags: SpacingTags, shape: tuple[int, int]) -> Spacing:
    """PixelSpacing without a calibration type, beside ImagerPixelSpacing."""
    assert tags.pixel_spacing is not None
    assert tags.imager_spacing is not None
    row, column = tags.pixel_spacing
    for name, pair in (("PixelSpacing", tags.pixel_spacing), ("ImagerPixelSpacing", tags.imager_spacing)):
        fault = _fault(pair[0], pair[1], shape)
        if fault:
            return unknown_spacing(f"{name}: {fault}, so nothing can be measured in mm.")
    ratios = (tags.imager_spacing[0] / row, tags.imager_spacing[1] / column)
    if all(abs(ratio - 1) <= _SAME for ratio in ratios):
        return _from_detector(tags, tags.imager_spacing, "ImagerPixelSpacing", shape)
    if abs(ratios[0] / ratios[1] - 1) > _SAME or not 1 < min(ratios) <= _LARGEST_MAGNIFICATION:
        return unknown_spacing(
            f"PixelSpacing {row:g} x {column:g} mm and ImagerPixelSpacing {tags.imager_spacing[0]:g} x "
            f"{tags.imager_spacing[1]:g} mm contradict each other, so nothing can be measured in mm."
        )
    stated, fault = _magnification(tags)
    if fault or (stated is not None and abs(ratios[0] / stated - 1) > _GEOMETRY_TOLERANCE):
        fault = fault or f"they differ by {ratios[0]:.3f}, but the magnification is {stated:.3f}"
        return unknown_spacing(
            f"PixelSpacing and ImagerPixelSpacing do not fit the geometry in the file: {fault}, "
            "so nothing can be measured in mm."
        )
    return checked_spacing(
        row,
        column,
        kind=SpacingKind.MAGNIFICATION_CORRECTED,
        reason=f"PixelSpacing is ImagerPixelSpacing divided by {ratios[0]:.3f}",
        shape=shape,
    )


def _from_detector(tags: SpacingTags, pair: Sequence[float], name: str, shape: tuple[int, int]) -> Spacing:
    """Spacing at the detector, divided by the magnification where the file knows it."""
    factor, fault = _magnification(tags)
    at_detector = checked_spacing(
        pair[0], pair[1], kind=SpacingKind.AT_DETECTOR, reason=f"{name}, at the detector", shape=shape
    )
    if fault and at_detector.measurable:
        return unknown_spacing(f"{fault}, so nothing can be measured in mm.")
    if factor is None or not at_detector.measurable:
        return at_detector
    return checked_spacing(
        pair[0] / factor,
        pair[1] / factor,
        kind=SpacingKind.MAGNIFICATION_CORRECTED,
        reason=f"{name} divided by the magnification {factor:.3f}",
        shape=shape,
    )


def _magnification(tags: SpacingTags) -> tuple[float | None, str]:
    """Magnification of the patient on the detector, or what contradicts it: (factor, fault)."""
    factor = tags.magnification
    ratio = None
    if tags.source_detector_mm is not None and tags.source_patient_mm is not None:
        # Zeros are how some consoles write "not measured"; they are no statement.
        if tags.source_detector_mm > 0 and tags.source_patient_mm > 0:
            ratio = tags.source_detector_mm / tags.source_patient_mm
        elif tags.source_detector_mm < 0 or tags.source_patient_mm < 0:
            return None, "A distance from the source is negative"
    if factor == 0:
        factor = None  # likewise
    for value, name in ((factor, "EstimatedRadiographicMagnificationFactor"), (ratio, "SID / SOD")):
        if value is not None and not 1 <= value <= _LARGEST_MAGNIFICATION:
            return None, f"{name} of {value:g} is impossible"
    if factor is not None and ratio is not None and abs(factor / ratio - 1) > _GEOMETRY_TOLERANCE:
        return None, f"The magnification factor {factor:.3f} contradicts SID / SOD = {ratio:.3f}"
    return (factor if factor is not None else ratio), ""
