"""Phantom radiographs as DICOM files: Digital X-Ray Image Storage - For Presentation (PS3.3 A.26)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from reader_app.errors import ImageError
from reader_app.phantom.film import PhantomFilm
from reader_app.phantom.physics import WHITE
from reader_app.phantom.truth import View

MANUFACTURER = "reader-app phantom"


class Photometric(StrEnum):
    """How stored values turn into brightness."""

    MONOCHROME2 = "MONOCHROME2"
    MONOCHROME1 = "MONOCHROME1"


@dataclass(frozen=True)
class Subject:
    """Who is said to be on the film; nobody is.

    Parameters
    ----------
    patient_id
        Also part of the name, PHANTOM^....
    sex
        "F", "M" or "O".
    age
        Years.
    weight_kg
        Of the body.
    study_date
        When the film is said to be made.
    visit
        Name of the visit, for the study description.
    """

    patient_id: str
    sex: str
    age: int
    weight_kg: float
    study_date: date
    visit: str


@dataclass(frozen=True)
class _ViewCodes:
    body_part: str
    position: str
    projection: tuple[str, str]
    region: tuple[str, str]
    description: str


# SNOMED CT codes of DICOM CID 4010 (views) and CID 4009 (regions).
_CODES = {
    View.KNEES_PA: _ViewCodes(
        "KNEE", "PA", ("272479007", "postero-anterior"), ("72696002", "Knee region"), "knees PA fixed flexion"
    ),
    View.PELVIS_AP: _ViewCodes(
        "PELVIS", "AP", ("399348003", "antero-posterior"), ("12921003", "Pelvis"), "pelvis AP"
    ),
}


def write_film(
    path: Path, film: PhantomFilm, *, subject: Subject, photometric: Photometric = Photometric.MONOCHROME2
) -> Path:
    """Write one film; the same film and subject give the same bytes.

    Parameters
    ----------
    path
        File to write; its folder must exist.
    film
        What was exposed.
    subject
        Who is said to be on it.
    photometric
        MONOCHROME1 stores the values inverted, to be inverted again on screen.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    ImageError
        If the file cannot be written.
    """
    dataset = film_dataset(film, subject=subject, photometric=photometric)
    try:
        dataset.save_as(path, enforce_file_format=True)
    except OSError as error:
        raise ImageError(
            f"The phantom film {path} cannot be written: {error.strerror or error}.",
            "Check that the folder exists and that there is space on the disk.",
        ) from error
    return path


def film_dataset(film: PhantomFilm, *, subject: Subject, photometric: Photometric) -> FileDataset:
    """The film as a data set, ready to be saved."""
    entropy = [MANUFACTURER, subject.patient_id, subject.visit, film.view.value, str(film.seed)]
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[*entropy, "instance"])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=[*entropy, "study"])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[*entropy, "series"])
    _describe(dataset, film, subject)
    _geometry(dataset, film)
    _pixels(dataset, film, photometric)
    return dataset


def _describe(dataset: Dataset, film: PhantomFilm, subject: Subject) -> None:
    codes = _CODES[film.view]
    day = subject.study_date.strftime("%Y%m%d")
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = day
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = "120000"
    dataset.AccessionNumber = ""
    dataset.Modality = "DX"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.Manufacturer = MANUFACTURER
    dataset.ManufacturerModelName = "phantom"
    dataset.ReferringPhysicianName = ""
    dataset.StudyDescription = f"phantom {codes.description}, {subject.visit}"
    dataset.SeriesDescription = f"phantom {codes.description}"
    dataset.PatientName = f"PHANTOM^{subject.patient_id}"
    dataset.PatientID = subject.patient_id
    dataset.PatientBirthDate = ""
    dataset.PatientSex = subject.sex
    dataset.PatientAge = f"{subject.age:03d}Y"
    dataset.PatientWeight = str(subject.weight_kg)
    dataset.StudyID = "1"
    dataset.SeriesNumber = "1"
    dataset.InstanceNumber = "1"
    dataset.ImageComments = "phantom"
    dataset.BodyPartExamined = codes.body_part
    dataset.ViewPosition = codes.position
    dataset.ImageLaterality = "B"
    dataset.PatientOrientation = ["L", "F"]
    dataset.AnatomicRegionSequence = Sequence([_code(*codes.region)])
    view = _code(*codes.projection)
    view.ViewModifierCodeSequence = Sequence([])
    dataset.ViewCodeSequence = Sequence([view])
    dataset.AcquisitionContextSequence = Sequence([])


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue = value
    code.CodingSchemeDesignator = "SCT"
    code.CodeMeaning = meaning
    return code


def _geometry(dataset: Dataset, film: PhantomFilm) -> None:
    parameters = film.parameters
    spacing = f"{film.spacing_mm:.6g}"
    imager = f"{parameters.imager_spacing_mm:.6g}"
    dataset.PixelSpacing = [spacing, spacing]
    dataset.PixelSpacingCalibrationType = "GEOMETRY"
    dataset.PixelSpacingCalibrationDescription = "plane of the joint"
    dataset.ImagerPixelSpacing = [imager, imager]
    dataset.EstimatedRadiographicMagnificationFactor = f"{parameters.magnification:.6g}"
    dataset.DistanceSourceToDetector = f"{parameters.source_to_detector_mm:.6g}"
    dataset.DistanceSourceToPatient = f"{parameters.source_to_object_mm:.6g}"
    dataset.KVP = f"{parameters.kv:.6g}"
    dataset.CollimatorShape = "RECTANGULAR"
    dataset.BurnedInAnnotation = "YES" if parameters.marker else "NO"
    dataset.LossyImageCompression = "00"


def _pixels(dataset: Dataset, film: PhantomFilm, photometric: Photometric) -> None:
    inverted = photometric is Photometric.MONOCHROME1
    stored = np.uint16(WHITE) - film.pixels if inverted else film.pixels
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = photometric.value
    dataset.Rows, dataset.Columns = film.pixels.shape
    dataset.BitsAllocated = 16
    dataset.BitsStored = 12
    dataset.HighBit = 11
    dataset.PixelRepresentation = 0
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = 1 if inverted else -1
    dataset.RescaleIntercept = "0"
    dataset.RescaleSlope = "1"
    dataset.RescaleType = "US"
    dataset.PresentationLUTShape = "INVERSE" if inverted else "IDENTITY"
    dataset.WindowCenter = "2048"
    dataset.WindowWidth = "4096"
    dataset.PixelData = np.ascontiguousarray(stored, dtype="<u2").tobytes()
