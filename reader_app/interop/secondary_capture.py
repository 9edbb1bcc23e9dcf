"""What is seen in a view, as a DICOM Secondary Capture image (PS3.3 A.8.1) that names nobody."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import UID, SecondaryCaptureImageStorage, generate_uid
from pydicom.valuerep import format_number_as_ds

from reader_app.interop.dicom_files import file_meta
from reader_app.settings import software_version

_PRODUCER = "reader-app"
_PHANTOM = "PHANTOM"
_LONGEST_TITLE = 64
_EMPTY = (
    "AccessionNumber PatientBirthDate PatientID PatientName PatientSex ReferringPhysicianName StudyDate "
    "StudyID StudyTime PatientOrientation"
)
"""Type 2 attributes (PS3.3 C.7.1.1, C.7.2.1, C.7.6.1): there, but empty."""


def secondary_capture(
    pixels: npt.NDArray[np.uint8],
    *,
    title: str = "",
    phantom: bool = False,
    mm_per_pixel: tuple[float, float] | None = None,
) -> Dataset:
    """Make a Secondary Capture data set of a picture as it stands on a screen.

    It has UIDs of its own, random each time, and no identifier, date or time: it belongs to no study of any
    archive and cannot be led back to a film. Pixel Spacing is that of the picture's pixels and comes without
    a calibration type (PS3.3 10.7.1.3): whoever measures in it has to ask what the film's millimetres were.

    Parameters
    ----------
    pixels
        8-bit grays (rows, columns) or RGB (rows, columns, 3); equal channels become grays.
    title
        Series description, at most 64 characters, plain ASCII; it must name nobody.
    phantom
        Whether the picture is of no person, which the data set then says.
    mm_per_pixel
        Millimetres from row to row and from column to column of the screen picture; None where unknown.

    Returns
    -------
    Dataset
        With file meta information, ready to be written.

    Raises
    ------
    ValueError
        If array, title or millimetres are of the wrong kind.
    """
    picture = _checked(pixels)
    if len(title) > _LONGEST_TITLE or not title.isascii() or "\\" in title:
        raise ValueError("a title is plain ASCII of at most 64 characters without backslash")
    made = Dataset()
    made.SOPClassUID = SecondaryCaptureImageStorage
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(made, keyword, UID(generate_uid(prefix=None)))
    for keyword in _EMPTY.split():
        setattr(made, keyword, None)
    made.Modality = "OT"
    made.ConversionType = "WSD"
    made.Manufacturer = made.SecondaryCaptureDeviceManufacturer = _PRODUCER
    made.SecondaryCaptureDeviceSoftwareVersions = software_version()
    made.ImageType = ["DERIVED", "SECONDARY"]
    made.SeriesNumber, made.InstanceNumber = 1, 1
    made.DerivationDescription = "Picture of a view with the window, marks and overlays that were in sight"
    made.BurnedInAnnotation = "NO"
    made.PatientIdentityRemoved = "YES"
    made.DeidentificationMethod = "Made without identifiers from pixels on screen"
    made.LongitudinalTemporalInformationModified = "REMOVED"
    if title:
        made.SeriesDescription = title
    if phantom:
        made.ImageComments = _PHANTOM
    if mm_per_pixel is not None:
        _put_spacing(made, mm_per_pixel)
    _put_pixels(made, picture)
    made.file_meta = file_meta(made)
    return made


def _checked(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
    """Return the picture, gray where nothing in it is coloured."""
    shape_fits = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    if pixels.dtype != np.uint8 or not shape_fits or pixels.size == 0:
        raise ValueError(f"a view is uint8 gray or RGB, not {pixels.dtype} {pixels.shape}")
    if max(pixels.shape[:2]) > 65535:
        raise ValueError("a DICOM image has at most 65535 rows and columns")
    if pixels.ndim == 3 and bool((pixels == pixels[..., :1]).all()):
        return np.asarray(pixels[..., 0])
    return pixels


def _put_spacing(made: Dataset, mm_per_pixel: tuple[float, float]) -> None:
    if not all(math.isfinite(side) and side > 0 for side in mm_per_pixel):
        raise ValueError(f"millimetres must be positive, not {mm_per_pixel}")
    made.PixelSpacing = [format_number_as_ds(float(side)) for side in mm_per_pixel]


def _put_pixels(made: Dataset, picture: npt.NDArray[Any]) -> None:
    made.Rows, made.Columns = picture.shape[:2]
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 8, 7, 0
    if picture.ndim == 3:
        made.SamplesPerPixel, made.PhotometricInterpretation, made.PlanarConfiguration = 3, "RGB", 0
    else:
        made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
        # The whole range as it is: a viewer's own window would show another picture.
        made.WindowCenter, made.WindowWidth, made.VOILUTFunction = "127.5", "255", "LINEAR_EXACT"
        made.PresentationLUTShape = "IDENTITY"
    data = np.ascontiguousarray(picture).tobytes()
    made.PixelData = data + b"\x00" * (len(data) % 2)
    made["PixelData"].VR = "OB"
