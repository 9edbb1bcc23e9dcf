"""The door of the imaging room: is this an image, what does it say, what does it show."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from reader_app.errors import ImageError
from reader_app.imaging.radiograph import Radiograph, RadiographHeader, file_sha256, pixel_sha256

__all__ = [
    "IMAGE_SUFFIXES",
    "file_sha256",
    "image_format",
    "looks_like_image",
    "pixel_sha256",
    "read_header",
    "read_radiograph",
]

IMAGE_SUFFIXES: frozenset[str] = frozenset(
    {".dcm", ".dicom", ".dic", ".ima", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"}
)
"""Usual endings, for file dialogs only: DICOM files often have none, so content decides."""

LARGEST_FILE = 1 << 30
"""Bytes; the largest radiograph that is allowed to be decoded is below half of it."""

_SNIFFED = 132 + 16
# A data set without preamble starts with a group that every image has: file meta (0002) or identification
# (0008), little- or big-endian.
_HEADLESS = re.compile(rb"(?s)(?:\x02\x00|\x08\x00)[\x00-\xff]\x00|(?:\x00\x08\x00[\x00-\xff])")
_VR = re.compile(rb"AE|AS|AT|CS|DA|DS|DT|FD|FL|IS|LO|LT|OB|OW|PN|SH|SL|SQ|SS|ST|TM|UI|UL|UN|US|UT")


def image_format(path: Path | str) -> str | None:
    """Tell a file's format by its first bytes.

    Returns
    -------
    str or None
        "DICOM", "PNG", "JPEG", "TIFF", "WebP", or None for anything else, a folder included.

    Raises
    ------
    ImageError
        If the file is missing or may not be read.
    """
    return _sniffed(Path(path))[0]


def _sniffed(path: Path) -> tuple[str | None, int]:
    """Format and size of a file."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            return None, 0
        if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device could hang
            raise ImageError(f"{path} is not an ordinary file.", "Choose the image file itself.")
        with path.open("rb", buffering=0) as file:
            start = file.read(_SNIFFED)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(
            f"{path} cannot be read: {reason}.", "Check that the folder is connected and the file is there."
        ) from error
    return _format_of(start), status.st_size


def _format_of(start: bytes) -> str | None:
    if start[128:132] == b"DICM":
        return "DICOM"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if start.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if start[:4] in (b"II*\x00", b"MM\x00*"):
        return "TIFF"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WebP"
    return "DICOM" if _is_headless_dicom(start) else None


def _is_headless_dicom(start: bytes) -> bool:
    """Whether bytes read as the first data element of a data set without preamble (PS3.5 7.1)."""
    if len(start) < 16 or not _HEADLESS.match(start):
        return False
    if _VR.match(start, 4):
        return True
    length = int.from_bytes(start[4:8], "little")  # implicit VR: a short first value
    return length <= 128 and length % 2 == 0


def looks_like_image(path: Path | str) -> bool:
    """Whether a file's first bytes are those of a DICOM, PNG, JPEG, TIFF or WebP file.

    A missing or unreadable file is no image; `read_header` says why.
    """
    try:
        return image_format(path) is not None
    except ImageError:
        return False


def read_header(path: Path | str) -> RadiographHeader:
    """Read what a file says about its radiograph, without decoding pixels.

    Raises
    ------
    ImageError
        If the file is no readable image; the sentence says what and where.
    """
    path = Path(path)
    kind = _known_format(path)
    # pydicom and Pillow cost a quarter of a second at start; they are loaded with the first image.
    if kind == "DICOM":
        from reader_app.imaging.dicom import read_dicom_header

        return read_dicom_header(path)
    from reader_app.imaging.rasters import read_raster_header

    return read_raster_header(path, kind)


def read_radiograph(path: Path | str) -> Radiograph:
    """Read and decode a radiograph.

    Raises
    ------
    ImageError
        If the file is no readable image, is truncated beyond use, too large, or needs a decoder that is not
        there; the sentence says what and where.
    """
    path = Path(path)
    kind = _known_format(path)
    if kind == "DICOM":
        from reader_app.imaging.dicom import read_dicom

        return read_dicom(path)
    from reader_app.imaging.rasters import read_raster

    return read_raster(path, kind)


def _known_format(path: Path) -> str:
    kind, size = _sniffed(path)
    if kind is None:
        raise ImageError(
            f"{path} is not a radiograph: it is neither DICOM nor PNG, JPEG, TIFF or WebP.",
            "Choose an image file, or leave this one out.",
        )
    if size > LARGEST_FILE:
        raise ImageError(
            f"{path} has {size / 1e9:.1f} GB, more than any single radiograph.",
            "Export the film alone, without further frames.",
        )
    return kind
