"""The attributes that a copy takes over, and the form in which each may come: nothing else stays.

Each value is made anew from what was understood of it. A number stays as a number, a word if it is one of
the standard's (`terms`), a code if a dictionary knows it; what cannot be understood is left out.
"""

from __future__ import annotations

import math
import re

from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.valuerep import format_number_as_ds

from reader_app.imaging.dicom.dataset import is_present, items, numbers, text, value
from reader_app.interop.terms import is_controlled, known_code

_NUMBERS = """
SeriesNumber InstanceNumber PixelAspectRatio LossyImageCompressionRatio
PixelIntensityRelationshipSign

PixelSpacing ImagerPixelSpacing NominalScannedPixelSpacing EstimatedRadiographicMagnificationFactor
DistanceSourceToDetector DistanceSourceToPatient DistanceSourceToEntrance DistanceObjectToTableTop
PositionerPrimaryAngle PositionerSecondaryAngle DetectorPrimaryAngle DetectorSecondaryAngle
ColumnAngulation TableAngle BodyPartThickness

KVP XRayTubeCurrent XRayTubeCurrentInuA ExposureTime ExposureTimeInuS Exposure ExposureInuAs
ImageAndFluoroscopyAreaDoseProduct EntranceDose EntranceDoseInmGy HalfValueLayer FocalSpots
FilterThicknessMinimum FilterThicknessMaximum RelativeXRayExposure ExposureIndex TargetExposureIndex
DeviationIndex Sensitivity GridThickness GridPitch GridAspectRatio GridPeriod GridFocalDistance

DetectorBinning DetectorElementPhysicalSize DetectorElementSpacing DetectorActiveDimensions
DetectorActiveOrigin DetectorActiveTime FieldOfViewDimensions FieldOfViewOrigin FieldOfViewRotation

CollimatorLeftVerticalEdge CollimatorRightVerticalEdge CollimatorUpperHorizontalEdge
CollimatorLowerHorizontalEdge CenterOfCircularCollimator RadiusOfCircularCollimator
VerticesOfThePolygonalCollimator ShutterLeftVerticalEdge ShutterRightVerticalEdge
ShutterUpperHorizontalEdge ShutterLowerHorizontalEdge CenterOfCircularShutter RadiusOfCircularShutter
VerticesOfThePolygonalShutter ShutterPresentationValue
"""

_TERMS = """
ImageType PresentationIntentType ConversionType BodyPartExamined ViewPosition PixelIntensityRelationship
PresentationLUTShape LossyImageCompressionMethod PixelSpacingCalibrationType RescaleType
StudyDescription SeriesDescription ProtocolName
FilterType FilterMaterial AnodeTargetMaterial Grid
ExposureControlMode ExposureStatus RectificationType PositionerType TableType CassetteOrientation
DetectorType DetectorConfiguration DetectorActiveShape FieldOfViewShape CollimatorShape ShutterShape
"""

_MODALITIES = "CR DX DR RG RF XA XC OT SC CT MR PT NM US MG IO PX SEG ES GM SM BMD HC DG TG LS"
_CHOICES = {
    "Modality": _MODALITIES,
    "Laterality": "R L B U",
    "ImageLaterality": "R L B U",
    "LossyImageCompression": "00 01",
    "BurnedInAnnotation": "YES NO",
    "FieldOfViewHorizontalFlip": "YES NO",
    "QualityControlImage": "YES NO BOTH",
}
_CHARACTERISTIC_CHOICES = {"PatientSex": "M F O", "SmokingStatus": "YES NO UNKNOWN"}
_CHARACTERISTIC_NUMBERS = ("PatientSize", "PatientWeight", "PregnancyStatus")

_CODES = (
    "ViewCodeSequence",
    "ViewModifierCodeSequence",
    "AnatomicRegionSequence",
    "AnatomicRegionModifierSequence",
    "PrimaryAnatomicStructureSequence",
    "PrimaryAnatomicStructureModifierSequence",
)
_LENGTHS = frozenset({"PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"})
_ORIENTATION = re.compile(r"[APLRHF]{1,3}")
_AGE = re.compile(r"(\d{3})([DWMY])")
_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12.0, "Y": 1.0}
_OLDEST = 89  # HIPAA's safe harbour, 45 CFR 164.514(b)(2)(i)(C): all above are one group
_LONGEST_DS = 16  # PS3.5 6.2
_RANGES = {"US": (0, 65535), "SS": (-32768, 32767), "IS": (-(2**31), 2**31 - 1), "UL": (0, 2**32 - 1)}


def take_over(source: Dataset, clean: Dataset, *, characteristics: bool) -> list[str]:
    """Put into `clean` what may stay of `source` besides dates, UIDs, look-up tables and pixels.

    Parameters
    ----------
    source
        As it was read.
    clean
        The copy that is being made.
    characteristics
        Whether sex, age, size, weight, smoking and pregnancy status stay.

    Returns
    -------
    list of str
        Sentences about what had to be changed.
    """
    choices, counted = dict(_CHOICES), _NUMBERS.split()
    notes: list[str] = []
    if characteristics:
        choices |= _CHARACTERISTIC_CHOICES
        counted += _CHARACTERISTIC_NUMBERS
        notes = _take_age(source, clean)
    for keyword in counted:
        _take_numbers(source, clean, keyword)
    for keyword in _TERMS.split():
        _take_terms(source, clean, keyword)
    for keyword, words in choices.items():
        stated = text(source, keyword).upper()
        if stated in words.split():
            setattr(clean, keyword, stated)
    _take_orientation(source, clean)
    _take_codes(source, clean)
    return notes


def _take_numbers(source: Dataset, clean: Dataset, keyword: str) -> None:
    stated = numbers(source, keyword)
    if stated is None:
        return
    kind = dictionary_VR(keyword)
    if stated and all(math.isfinite(number) for number in stated):
        try:
            setattr(clean, keyword, [_written(number, kind) for number in stated])
        except ValueError:
            return
    elif keyword in _LENGTHS:
        # Left out, it would make room for another spacing; as it was, it forbade measuring.
        setattr(clean, keyword, ["0", "0"])


def _written(number: float, kind: str) -> str | int | float:
    """A number in the form of its value representation.

    Raises
    ------
    ValueError
        If it does not fit there.
    """
    if kind in ("FD", "FL"):
        return number
    if kind == "DS":
        plain = str(int(number)) if number.is_integer() and abs(number) < 1e12 else repr(number)
        return plain if len(plain) <= _LONGEST_DS else format_number_as_ds(number)
    low, high = _RANGES[kind]
    if not number.is_integer() or not low <= number <= high:
        raise ValueError(f"{number} is no {kind}")
    return int(number)


def _parts(source: Dataset, keyword: str) -> list[str]:
    """All values of a text attribute."""
    found = value(source, keyword)
    if found is None:
        return []
    if isinstance(found, str) or not hasattr(found, "__iter__"):
        found = [found]
    return [" ".join(str(part).split()) for part in found]


def _take_terms(source: Dataset, clean: Dataset, keyword: str) -> None:
    stated = _parts(source, keyword)
    kept = [part if is_controlled(part) else "" for part in stated]
    if keyword == "ImageType" and kept and not all(kept[:2]):
        kept = []  # its first two values have a meaning only together
    while kept and not kept[-1]:
        kept.pop()
    if kept:
        setattr(clean, keyword, kept if len(kept) > 1 else kept[0])


def _take_orientation(source: Dataset, clean: Dataset) -> None:
    stated = _parts(source, "PatientOrientation")
    if len(stated) == 2 and all(_ORIENTATION.fullmatch(part) for part in stated):
        clean.PatientOrientation = stated


def _take_codes(source: Dataset, clean: Dataset, *, depth: int = 0) -> None:
    """Code sequences (PS3.3 8.8), with the modifiers that are nested in them."""
    for keyword in _CODES:
        kept = []
        for item in items(source, keyword):
            code = known_code(text(item, "CodeValue"), text(item, "CodingSchemeDesignator"), _meaning(item))
            if code is None:
                continue
            made = Dataset()
            made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = code
            if depth == 0:
                _take_codes(item, made, depth=1)
            kept.append(made)
        if kept:
            setattr(clean, keyword, kept)


def _meaning(item: Dataset) -> str:
    return text(item, "CodeMeaning")


def _take_age(source: Dataset, clean: Dataset) -> list[str]:
    match = _AGE.fullmatch(text(source, "PatientAge").upper().rjust(4, "0"))
    if not match or not is_present(source, "PatientAge"):
        return []
    if int(match[1]) / _YEAR[match[2]] >= _OLDEST + 1:
        clean.PatientAge = f"{_OLDEST + 1:03d}Y"
        return [f"An age above {_OLDEST} years is given as {_OLDEST + 1}."]
    clean.PatientAge = match[0]
    return []
