"""One radiograph: what its header says and its stored pixels, untouched."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reader_app.errors import ImageError
from reader_app.imaging.geometry import Box, Laterality
from reader_app.imaging.overlay_planes import Overlay
from reader_app.imaging.spacing import Spacing, unknown_spacing
from reader_app.imaging.voi import LookupTable, Voi, Window

_NO_SPACING = unknown_spacing("The file gives no pixel spacing, so nothing can be measured in mm.")
_CHUNK = 1 << 20


def file_sha256(path: Path | str) -> str:
    """SHA-256 of a file's bytes, in hexadecimal, read in pieces.

    Raises
    ------
    ImageError
        If the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as file:
            while piece := file.read(_CHUNK):
                digest.update(piece)
    except OSError as error:
        raise ImageError(
            f"{path} cannot be read: {error.strerror or error}.", "Check that the folder is connected."
        ) from error
    return digest.hexdigest()


def pixel_sha256(array: npt.NDArray[Any]) -> str:
    """SHA-256 of pixel values, row by row, little-endian: the same whatever the file's transfer syntax."""
    little = array.dtype.newbyteorder("<")
    return hashlib.sha256(np.ascontiguousarray(array, dtype=little).data).hexdigest()


@dataclass(frozen=True)
class RadiographHeader:
    """What a file says about its radiograph, without the pixels.

    Parameters
    ----------
    path
        The file.
    format
        "DICOM", "PNG", "JPEG", "TIFF" or "WebP".
    rows, columns
        Size of the film in pixels, as it will be shown (EXIF orientation applied).
    bits_stored
        Bits of a stored value.
    photometric
        DICOM photometric interpretation, or the mode of a raster ("L", "RGB", "I;16", ...).
    modality, body_part, view_position
        As in the file, empty where absent.
    laterality
        Sides shown.
    participant_id
        PatientID; empty where absent. To be replaced by a pseudonym at the door of a study.
    acquired
        Day of acquisition, else of the study, "YYYY-MM-DD"; empty where absent or malformed.
    spacing
        Millimetres with kind and reason.
    transfer_syntax
        Name of the DICOM transfer syntax, empty for rasters.
    phantom
        The tags say that no person was imaged.
    burned_in
        Burned In Annotation (0028,0301); None where the file does not say.
    sex
        "M", "F", "O" or empty.
    age
        In years, None where absent.
    frames
        Images in the file; only the first is read.
    notes
        Sentences for whoever looks at the film: what was converted, ignored or missing.
    issuer
        Of the participant's identifier (0010,0021), empty where absent: two hospitals may use the same one.
    """

    path: Path
    format: str
    rows: int
    columns: int
    bits_stored: int
    photometric: str = "MONOCHROME2"
    modality: str = ""
    body_part: str = ""
    view_position: str = ""
    laterality: Laterality = Laterality.UNKNOWN
    participant_id: str = ""
    acquired: str = ""
    spacing: Spacing = _NO_SPACING
    transfer_syntax: str = ""
    phantom: bool = False
    burned_in: bool | None = None
    sex: str = ""
    age: float | None = None
    frames: int = 1
    notes: tuple[str, ...] = ()
    issuer: str = ""


@dataclass(frozen=True)
class FileStamp:
    """Size and time of a file when it was read, to notice that it changed since."""

    size: int
    modified_ns: int


@dataclass(frozen=True, eq=False)
class Radiograph:
    """Stored pixels with everything that is needed to show them as the file asks.

    Parameters
    ----------
    header
        What the file says.
    pixels
        Stored values, shape (rows, columns), uint8, uint16 or int16, read-only.
    slope, intercept
        Rescale to modality values where there is no modality look-up table.
    modality_lut
        Modality LUT sequence; takes the place of slope and intercept.
    windows, voi_luts
        The file's alternatives, in its order; either may be empty.
    inverse_polarity
        Whether presentation turns black and white round: decided once, from Presentation LUT Shape where
        present, else from MONOCHROME1.
    padding
        Stored values, lowest and highest inclusive, that are no image; None where all are.
    collimated
        Collimated field that the file states, in film pixels.
    stamp
        Of the file when it was read; None for a radiograph that comes from no file.
    overlays
        Drawings of the file that a reader may lay over the film; each has a name of its own.
    """

    header: RadiographHeader
    pixels: npt.NDArray[Any]
    slope: float = 1.0
    intercept: float = 0.0
    modality_lut: LookupTable | None = None
    windows: tuple[Window, ...] = ()
    voi_luts: tuple[LookupTable, ...] = ()
    inverse_polarity: bool = False
    padding: tuple[int, int] | None = None
    collimated: Box | None = None
    stamp: FileStamp | None = field(default=None, repr=False)
    overlays: tuple[Overlay, ...] = ()

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or self.pixels.dtype not in (np.uint8, np.uint16, np.int16):
            raise ValueError(f"pixels must be 2D of 8 or 16 bit, not {self.pixels.dtype} {self.pixels.shape}")
        self.pixels.flags.writeable = False

    @property
    def nbytes(self) -> int:
        """Bytes of memory that pixels and overlays take."""
        return int(self.pixels.nbytes) + sum(overlay.nbytes for overlay in self.overlays)

    @property
    def choices(self) -> tuple[Voi, ...]:
        """All look-up tables and windows of the file, in the order in which they are offered."""
        return (*self.voi_luts, *self.windows)

    @cached_property
    def pixel_sha256(self) -> str:
        """SHA-256 of the stored pixels; worked out when first asked for."""
        return pixel_sha256(self.pixels)

    @cached_property
    def file_sha256(self) -> str:
        """SHA-256 of the file that the pixels came from; worked out when first asked for.

        Raises
        ------
        ImageError
            If the file is gone or is no longer the one that was read.
        """
        digest = file_sha256(self.header.path)
        if self.stamp is not None and self.stamp != stamp_of(self.header.path):
            raise ImageError(
                f"{self.header.path} has changed since it was opened.", "Open the case again to read it anew."
            )
        return digest


def stamp_of(path: Path) -> FileStamp:
    """Return size and time of a file.

    Raises
    ------
    ImageError
        If the file is gone or out of reach.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise ImageError(
            f"{path} cannot be read: {error.strerror or error}.", "Check that the folder is connected."
        ) from error
    return FileStamp(status.st_size, status.st_mtime_ns)
