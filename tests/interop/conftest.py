"""Films full of identifiers, and what copies are asked to do with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import numpy.typing as npt
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from reader_app.interop.deidentify import DatePolicy, Deidentification, deidentified_copy

Film = Callable[..., Path]
Copied = Callable[..., Dataset]

KEY = bytes(range(32))
STUDY_UID, SERIES_UID, INSTANCE_UID = "1.2.840.99999.1.1", "1.2.840.99999.1.1.2", "1.2.840.99999.1.1.2.3"


def how(**choices: Any) -> Deidentification:
    """The strictest way unless told otherwise: no dates, no characteristics."""
    stated = {"dates": DatePolicy.DROPPED, "keep_characteristics": False, **choices}
    return Deidentification("P-7XK2QW3E", KEY, **stated)


def knee_dataset(pixels: npt.NDArray[Any] | None = None, **elements: Any) -> Dataset:
    """A complete digital radiograph of somebody's knees; `elements` replace or add, None removes."""
    if pixels is None:
        pixels = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)
    made = Dataset()
    made.SOPClassUID = DigitalXRayImageStorageForPresentation
    made.StudyInstanceUID, made.SeriesInstanceUID, made.SOPInstanceUID = STUDY_UID, SERIES_UID, INSTANCE_UID
    made.PatientName, made.PatientID, made.PatientBirthDate = "Doe^Jane", "MRN-4711", "19490523"
    made.PatientSex, made.PatientAge, made.PatientSize, made.PatientWeight = "F", "071Y", "1.64", "70.5"
    made.StudyDate, made.StudyTime, made.AcquisitionDate = "20200615", "101112", "20200616"
    made.ContentDate, made.ContentTime, made.SeriesDate = "20200616", "101500", "20200615"
    made.AcquisitionDateTime = "20200616101314.5+0200"
    made.InstitutionName, made.ReferringPhysicianName = "St. Elsewhere", "Roe^Richard"
    made.AccessionNumber, made.StudyID, made.OperatorsName = "ACC-1", "S-1", "Poe^Pat"
    made.Manufacturer, made.DeviceSerialNumber, made.StationName = "Maker", "SN-1", "ROOM-1"
    made.Modality, made.PresentationIntentType = "DX", "FOR PRESENTATION"
    made.ImageType = ["ORIGINAL", "PRIMARY"]
    made.BodyPartExamined, made.ViewPosition, made.ImageLaterality = "KNEE", "PA", "B"
    made.SeriesNumber, made.InstanceNumber = 2, 1
    made.SeriesDescription, made.StudyDescription = "Knee PA standing", "Control, Jane Doe"
    made.ImagerPixelSpacing, made.EstimatedRadiographicMagnificationFactor = ["0.139", "0.139"], "1.05"
    made.DistanceSourceToDetector, made.DistanceSourceToPatient = "1150", "1095"
    made.KVP, made.ExposureTime, made.Grid = "60", 8, "NONE"
    made.DetectorType, made.PixelIntensityRelationship, made.PixelIntensityRelationshipSign = (
        "SCINTILLATOR",
        "LOG",
        1,
    )
    made.RescaleSlope, made.RescaleIntercept, made.RescaleType = "1", "0", "US"
    made.WindowCenter, made.WindowWidth = "1500", "2500"
    made.WindowCenterWidthExplanation = "BONE"
    made.PresentationLUTShape, made.LossyImageCompression, made.BurnedInAnnotation = "IDENTITY", "00", "NO"
    made.PatientOrientation = ["L", "F"]
    view = Dataset()
    view.CodeValue, view.CodingSchemeDesignator, view.CodeMeaning = "272479007", "SCT", "postero-anterior"
    made.ViewCodeSequence = [view]
    made.AcquisitionContextSequence = []
    describe(made, pixels)
    for keyword, value in elements.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.SourceApplicationEntityTitle = "ELSEWHERE"
    return made


def describe(made: Dataset, pixels: npt.NDArray[Any]) -> None:
    """Put pixels and their description into a data set."""
    made.Rows, made.Columns = pixels.shape[:2]
    made.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    made.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        made.PlanarConfiguration = 0
    bits = 8 * pixels.dtype.itemsize
    made.BitsAllocated, made.BitsStored, made.HighBit = bits, bits, bits - 1
    made.PixelRepresentation = int(pixels.dtype.kind == "i")
    data = np.ascontiguousarray(pixels).tobytes()
    made.PixelData = data + b"\0" * (len(data) % 2)
    made["PixelData"].VR = "OW" if bits == 16 else "OB"


@pytest.fixture
def knee(tmp_path: Path) -> Film:
    """Write a radiograph of somebody's knees."""

    def make(pixels: npt.NDArray[Any] | None = None, **elements: Any) -> Path:
        path = tmp_path / f"source{len(list(tmp_path.iterdir()))}.dcm"
        knee_dataset(pixels, **elements).save_as(path, enforce_file_format=True)
        return path

    return make


@pytest.fixture
def copied(tmp_path: Path) -> Copied:
    """Copy a film and read the copy with nothing but pydicom."""

    def copy(source: Path, **choices: Any) -> Dataset:
        target = tmp_path / f"copy{len(list(tmp_path.iterdir()))}.dcm"
        deidentified_copy(source, target, how(**choices))
        return dcmread(target)

    return copy


def required(iod: str, *, types: tuple[str, ...]) -> set[str]:
    """Top-level keywords that the mandatory modules of an IOD ask for, by the standard's own tables."""
    folder = Path(highdicom.__file__).parent / "_standard"
    modules = json.loads((folder / "iod_module_map.json").read_text())[iod]
    attributes = json.loads((folder / "module_attribute_map.json").read_text())
    return {
        attribute["keyword"]
        for module in modules
        if module["usage"] == "M"
        for attribute in attributes[module["key"]]
        if not attribute["path"] and attribute["type"] in types
    }
