"""What the data elements of a DICOM radiograph say about it."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import NoReturn

from pydicom.dataset import Dataset
from pydicom.uid import UID

from reader_app.errors import ImageError
from reader_app.imaging.dicom.dataset import items, number, numbers, text, transfer_syntax, whole
from reader_app.imaging.geometry import Laterality
from reader_app.imaging.limits import check_size
from reader_app.imaging.radiograph import RadiographHeader
from reader_app.imaging.spacing import SpacingTags, dicom_spacing

_AGE = re.compile(r"^(\d{1,3})([DWMY])$")
_DAYS = {"D": 1.0, "W": 7.0, "M": 365.25 / 12, "Y": 365.25}
_SIDES = {side.value: side for side in Laterality}
# SNOMED CT, and SNOMED RT as older files have it.
_SIDE_MODIFIERS = {
    "24028007": Laterality.RIGHT,
    "G-A100": Laterality.RIGHT,
    "7771000": Laterality.LEFT,
    "G-A101": Laterality.LEFT,
    "51440002": Laterality.BILATERAL,
    "G-A102": Laterality.BILATERAL,
}
_WORD = re.compile(r"[A-Z]+")
_SIDE_WORDS = {
    "the right side": {"RIGHT", "RT", "RECHTS", "DROIT", "DROITE", "DERECHA", "DERECHO"},
    "the left side": {"LEFT", "LT", "LINKS", "GAUCHE", "IZQUIERDA", "IZQUIERDO"},
    "both sides": {"BOTH", "BILATERAL", "BILAT", "BEIDSEITS"},
}
_PHANTOM_KEYWORDS = ("Manufacturer", "ImageComments", "PatientName")


def header_of(dataset: Dataset, path: Path) -> RadiographHeader:
    """Make the header of a DICOM image.

    Raises
    ------
    ImageError
        If the data set is not an image, or its size is missing or absurd.
    """
    rows, columns = whole(dataset, "Rows"), whole(dataset, "Columns")
    if rows is None and columns is None:
        _refuse_imageless(dataset, path)
    if rows is None or columns is None:
        raise ImageError(
            f"{path} does not say how many {'rows' if rows is None else 'columns'} its image has.",
            "The file is damaged: export it again from its source.",
        )
    samples = whole(dataset, "SamplesPerPixel") or 1
    check_size(path, rows=rows, columns=columns, samples=samples)
    frames = max(whole(dataset, "NumberOfFrames") or 1, 1)
    laterality, notes = _laterality(dataset)
    if frames > 1:
        notes.append(f"The file holds {frames} frames; the first is shown.")
    syntax = transfer_syntax(dataset)
    return RadiographHeader(
        path=path,
        format="DICOM",
        rows=rows,
        columns=columns,
        bits_stored=whole(dataset, "BitsStored") or whole(dataset, "BitsAllocated") or 0,
        photometric=text(dataset, "PhotometricInterpretation"),
        modality=text(dataset, "Modality"),
        body_part=_body_part(dataset),
        view_position=_view(dataset),
        laterality=laterality,
        participant_id=text(dataset, "PatientID"),
        issuer=text(dataset, "IssuerOfPatientID"),
        acquired=_date(dataset),
        spacing=dicom_spacing(_spacing_tags(dataset), (rows, columns)),
        transfer_syntax=syntax_name(syntax) if syntax else "",
        phantom=any("phantom" in text(dataset, keyword).lower() for keyword in _PHANTOM_KEYWORDS),
        burned_in={"YES": True, "NO": False}.get(text(dataset, "BurnedInAnnotation").upper()),
        sex=_sex(dataset),
        age=_age(dataset),
        frames=frames,
        notes=tuple(notes),
    )


def syntax_name(syntax: UID) -> str:
    """Name of a transfer syntax as a reader of the standard knows it; the number where it has none."""
    if syntax == "1.2.840.10008.1.2.8.1":  # newer than pydicom's list
        return "Deflated Image Frame Compression"
    return syntax.name.split(":")[0].strip() if syntax.name else str(syntax)


def _refuse_imageless(dataset: Dataset, path: Path) -> NoReturn:
    kind = text(dataset, "SOPClassUID") or text(
        getattr(dataset, "file_meta", Dataset()), "MediaStorageSOPClassUID"
    )
    name = UID(kind).name if kind else ""
    what = f" ({name})" if name and name != kind else ""
    if len(dataset) == 0 and not what:
        raise ImageError(
            f"{path} begins like a DICOM file but nothing in it can be read.",
            "The file is damaged: export it again from its source.",
        )
    raise ImageError(
        f"{path} is a DICOM file without an image{what}.", "Leave it out, or choose the radiograph itself."
    )


def _spacing_tags(dataset: Dataset) -> SpacingTags:
    return SpacingTags(
        modality=text(dataset, "Modality"),
        pixel_spacing=numbers(dataset, "PixelSpacing"),
        calibration_type=text(dataset, "PixelSpacingCalibrationType").upper(),
        imager_spacing=numbers(dataset, "ImagerPixelSpacing"),
        scanned_spacing=numbers(dataset, "NominalScannedPixelSpacing"),
        magnification=number(dataset, "EstimatedRadiographicMagnificationFactor"),
        source_detector_mm=number(dataset, "DistanceSourceToDetector"),
        source_patient_mm=number(dataset, "DistanceSourceToPatient"),
        aspect_ratio=numbers(dataset, "PixelAspectRatio"),
    )


def _laterality(dataset: Dataset) -> tuple[Laterality, list[str]]:
    """Return the sides shown, with notes.

    Stated by Image Laterality (0020,0062), Laterality (0020,0060) of the series, or the modifiers of the
    anatomic region (0008,2220). A description is written by hand and decides nothing.
    """
    stated = {
        "the image": _SIDES.get(text(dataset, "ImageLaterality").upper()),
        "the series": _SIDES.get(text(dataset, "Laterality").upper()),
        "the anatomic region": _region_side(dataset),
    }
    known = {where: side for where, side in stated.items() if side not in (None, Laterality.UNKNOWN)}
    if len(set(known.values())) > 1:
        told = " and ".join(f"{side} for {where}" for where, side in known.items())
        return Laterality.UNKNOWN, [f"The file names two sides: {told}."]
    for side in known.values():
        if side is not None:
            return side, []
    return Laterality.UNKNOWN, _described_side(dataset)


def _region_side(dataset: Dataset) -> Laterality | None:
    """Side by the region's modifiers (0008,2220), PS3.16 CID 244."""
    sides = {
        side
        for region in items(dataset, "AnatomicRegionSequence")
        for modifier in items(region, "AnatomicRegionModifierSequence")
        if (side := _SIDE_MODIFIERS.get(text(modifier, "CodeValue"))) is not None
    }
    if sides == {Laterality.RIGHT, Laterality.LEFT}:
        return Laterality.BILATERAL
    return sides.pop() if len(sides) == 1 else None


def _described_side(dataset: Dataset) -> list[str]:
    """Hint at the side that a description speaks of, in our own words: descriptions may hold names."""
    for keyword, what in (("SeriesDescription", "series"), ("ProtocolName", "protocol")):
        words = set(_WORD.findall(text(dataset, keyword).upper()))
        sides = {side for side, names in _SIDE_WORDS.items() if words & names}
        if len(sides) == 1:
            return [
                f"The description of the {what} speaks of {sides.pop()}; such words are often wrong, so that "
                "the side counts as not stated."
            ]
    return []


def _body_part(dataset: Dataset) -> str:
    """Body Part Examined (0018,0015), else the meaning of the anatomic region (0008,2218)."""
    stated = text(dataset, "BodyPartExamined")
    if stated:
        return stated
    regions = items(dataset, "AnatomicRegionSequence")
    return text(regions[0], "CodeMeaning").upper() if regions else ""


def _view(dataset: Dataset) -> str:
    """View Position (0018,5101), else the meaning of the View Code Sequence (0054,0220)."""
    stated = text(dataset, "ViewPosition")
    if stated:
        return stated
    codes = items(dataset, "ViewCodeSequence")
    return text(codes[0], "CodeMeaning") if codes else ""


def _date(dataset: Dataset) -> str:
    for keyword in ("AcquisitionDate", "StudyDate", "ContentDate"):
        digits = text(dataset, keyword).replace(".", "")  # ACR-NEMA wrote 2004.08.26
        if len(digits) == 8 and digits.isascii() and digits.isdigit():
            try:
                return datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).isoformat()
            except ValueError:
                continue
    return ""


def _sex(dataset: Dataset) -> str:
    stated = text(dataset, "PatientSex").upper()
    return stated if stated in ("M", "F", "O") else ""


def _age(dataset: Dataset) -> float | None:
    """Patient's Age (0010,1010) in years; None where absent or malformed."""
    match = _AGE.match(text(dataset, "PatientAge").upper())
    if not match:
        return None
    return round(int(match[1]) * _DAYS[match[2]] / _DAYS["Y"], 2)
