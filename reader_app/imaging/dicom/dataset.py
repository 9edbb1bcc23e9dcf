"""Opening a DICOM file that nobody vouches for, and taking single values out of it."""

from __future__ import annotations

import io
import re
import struct
import unicodedata
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_file_meta_info
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian
from pydicom.valuerep import PersonName

from reader_app.errors import ImageError
from reader_app.imaging.dicom.plain_header import REACH, plain_header
from reader_app.imaging.quiet import hush
from reader_app.imaging.quiet import in_short as in_short

_LONGEST_TEXT = 128
_MOST_INFLATED = 1 << 29
_SEQUENCE_END = bytes.fromhex("feffdde0 00000000")  # (FFFE,E0DD) of no length
_META_START = 128 + 4 + 12  # preamble, "DICM", and the group length element itself
_DAMAGED = "The file is damaged: export it again from its source."

HEADER_KEYWORDS = [
    "SpecificCharacterSet",
    "SOPClassUID",
    "Modality",
    "Manufacturer",
    "ImageComments",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientSex",
    "PatientAge",
    "StudyDate",
    "AcquisitionDate",
    "ContentDate",
    "BodyPartExamined",
    "ViewPosition",
    "ViewCodeSequence",
    "AnatomicRegionSequence",
    "SeriesDescription",
    "ProtocolName",
    "Laterality",
    "ImageLaterality",
    "BurnedInAnnotation",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PhotometricInterpretation",
    "PresentationLUTShape",
    "NumberOfFrames",
    "PixelSpacing",
    "PixelSpacingCalibrationType",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "EstimatedRadiographicMagnificationFactor",
    "DistanceSourceToDetector",
    "DistanceSourceToPatient",
    "PixelAspectRatio",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]
"""All that a header needs: nothing else is decoded while an import looks at 100,000 files."""

HEADER_TAGS: dict[int, BaseTag] = {int(Tag(keyword)): Tag(keyword) for keyword in HEADER_KEYWORDS}

_PLAIN_TEXTS = frozenset(("CS", "DA", "LO", "PN", "SH", "UI", "AS"))
_DECIMALS = re.compile(rb" *[+-]?\d{1,8}(\.\d{0,8})? *(\\ *[+-]?\d{1,8}(\.\d{0,8})? *)*")

# What pydicom raises when it converts a malformed value.
_VALUE_FAULTS = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    LookupError,
    struct.error,
)


class _BoundedFile(io.BufferedReader):
    """A file whose reads never ask for more than is left.

    A wrong length in a data element would otherwise reserve up to 4 GB before it is noticed.
    """

    def __init__(self, path: Path) -> None:
        raw = io.FileIO(str(path))  # pydicom puts the name into its own messages
        super().__init__(raw)
        self._size = raw.seek(0, io.SEEK_END)
        raw.seek(0)

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > io.DEFAULT_BUFFER_SIZE:
            size = max(min(size, self._size - self.tell()), 0)
        return super().read(size)


@dataclass(frozen=True)
class OpenFile:
    """A data set with what had to be forgiven to read it.

    Parameters
    ----------
    dataset
        What could be read.
    notes
        Sentences for whoever looks at the film.
    """

    dataset: Dataset
    notes: tuple[str, ...] = ()


@contextmanager
def open_dataset(path: Path, *, pixels: bool) -> Iterator[OpenFile]:
    """Open a DICOM data set for the length of a `with` block.

    Whatever goes wrong inside the block in reading a damaged file leaves it as one `ImageError`.

    Parameters
    ----------
    path
        The file; a missing preamble is forgiven.
    pixels
        Whether to read the whole data set or only what a header needs.

    Raises
    ------
    ImageError
        If the file is damaged, nested or inflated beyond reason, or out of reach.
    """
    hush("pydicom")
    try:
        with _BoundedFile(path) as file:
            start = file.read(REACH)
            _refuse_inflation(path, file, start)
            file.seek(0)
            yield _whole(file) if pixels else OpenFile(_header(file, start))
    except ImageError:
        raise
    except OSError as error:
        raise ImageError(
            f"{path} cannot be read: {error.strerror or error}.", "Check that the folder is connected."
        ) from error
    except RecursionError as error:
        raise ImageError(f"{path} is nested too deeply to be a radiograph.", _DAMAGED) from error
    except MemoryError as error:
        raise ImageError(
            f"{path} does not fit into memory.", "Close other programs and try again."
        ) from error
    except Exception as error:
        # pydicom and its codecs raise nearly anything on damaged input; one file must not end an import.
        raise ImageError(f"{path} is a damaged DICOM file ({in_short(error)}).", _DAMAGED) from error


def _header(file: _BoundedFile, start: bytes) -> Dataset:
    plain = plain_header(start, whole=len(start) < REACH, wanted=HEADER_TAGS)
    if plain is not None:
        return plain
    return dcmread(file, force=True, stop_before_pixels=True, specific_tags=list(HEADER_TAGS.values()))


def _whole(file: _BoundedFile) -> OpenFile:
    dataset = dcmread(file, force=True)
    if len(dataset):
        return OpenFile(dataset)
    # pydicom drops everything that it has read where compressed pixels lack their end (PS3.5 A.4).
    file.seek(0)
    dataset = dcmread(io.BytesIO(file.read() + _SEQUENCE_END), force=True)
    return OpenFile(dataset, ("The file is truncated: the end of its pixel data is missing.",))


def _refuse_inflation(path: Path, file: _BoundedFile, start: bytes) -> None:
    """Refuse a deflated data set (PS3.5 A.5) that unpacks to more than any radiograph."""
    if start[128:132] != b"DICM" or DeflatedExplicitVRLittleEndian.encode() not in start:
        return
    meta = read_file_meta_info(path)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return
    length = meta.get("FileMetaInformationGroupLength")
    if not isinstance(length, int):
        raise ImageError(f"{path} is deflated, but does not say where its data begin.", _DAMAGED)
    file.seek(_META_START + length)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    total = 0
    pending = b""
    while pending or (pending := file.read(1 << 16)):
        total += len(inflater.decompress(pending, 1 << 22))
        pending = inflater.unconsumed_tail
        if total > _MOST_INFLATED:
            raise ImageError(
                f"{path} unpacks to more than {_MOST_INFLATED >> 20} MB, more than any radiograph.", _DAMAGED
            )


def value(dataset: Dataset, keyword: str) -> Any:
    """Return the value of a data element; None where absent, empty or malformed."""
    return value_at(dataset, _tag(keyword))


def value_at(dataset: Dataset, tag: BaseTag) -> Any:
    """Return the value at a tag, for elements of repeating groups; None as in `value`."""
    if tag not in dataset:
        return None
    try:
        found = dataset[tag].value
    except _VALUE_FAULTS:
        return None
    return None if found is None or (isinstance(found, str) and not found) else found


def is_present(dataset: Dataset, keyword: str) -> bool:
    """Whether a data element is there with a value of any length."""
    return _is_present_at(dataset, _tag(keyword))


def _is_present_at(dataset: Dataset, tag: BaseTag) -> bool:
    if tag not in dataset:
        return False
    try:
        element = dataset[tag]
    except _VALUE_FAULTS:
        return True
    return not element.is_empty


@cache
def _tag(keyword: str) -> BaseTag:
    """A keyword's tag; pydicom would look it up for each film anew."""
    return Tag(keyword)


def text(dataset: Dataset, keyword: str) -> str:
    """Return a short text in one line without control characters; empty where there is none."""
    return text_at(dataset, _tag(keyword))


def text_at(dataset: Dataset, tag: BaseTag) -> str:
    """Return the short text at a tag, for elements of repeating groups; as `text`."""
    plain = _plain_text(dataset.get_item(tag) if tag in dataset else None)
    if plain is not None:
        return plain
    found = value_at(dataset, tag)
    if found is None:
        return ""
    # A person's name iterates over its letters.
    if not isinstance(found, (str, PersonName)) and hasattr(found, "__iter__"):
        found = "\\".join(str(part) for part in found)
    try:
        line = str(found)
    except _VALUE_FAULTS:
        return ""
    if line.isascii() and line.isprintable():
        return " ".join(line.split())[:_LONGEST_TEXT]
    # Bidirectional and zero-width marks (Cf) could make one identifier look like another.
    visible = "".join(
        " " if unicodedata.category(sign) in ("Cc", "Zl", "Zp") else sign
        for sign in line[: 4 * _LONGEST_TEXT]
        if unicodedata.category(sign) not in ("Cf", "Cs")
    )
    return " ".join(visible.split())[:_LONGEST_TEXT]


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...] | None:
    """Return all numbers of a data element; None where absent or empty, () where malformed."""
    return numbers_at(dataset, _tag(keyword))


def numbers_at(dataset: Dataset, tag: BaseTag) -> tuple[float, ...] | None:
    """Return all numbers at a tag, for elements of repeating groups; as `numbers`."""
    plain = _plain_numbers(dataset.get_item(tag) if tag in dataset else None)
    if plain is not None:
        return plain
    if not _is_present_at(dataset, tag):
        return None
    found = value_at(dataset, tag)
    if found is None:
        return ()
    parts = found if not isinstance(found, (str, bytes)) and hasattr(found, "__iter__") else [found]
    try:
        return tuple(float(part) for part in parts)
    except _VALUE_FAULTS:
        return ()


def number(dataset: Dataset, keyword: str) -> float | None:
    """Return a single number; None where absent or malformed."""
    found = numbers(dataset, keyword)
    return found[0] if found else None


def whole(dataset: Dataset, keyword: str) -> int | None:
    """Return a single whole number; None where absent or malformed."""
    found = number(dataset, keyword)
    return int(found) if found is not None and found == found and abs(found) < 1 << 40 else None


def _plain_text(element: object) -> str | None:
    """Text of an element that is not decoded yet, where that takes no rules; None for pydicom to decode."""
    if not isinstance(element, RawDataElement) or element.VR not in _PLAIN_TEXTS or not element.value:
        return None
    if not element.value.isascii() or b"\\" in element.value or b"=" in element.value:
        return None
    line = element.value.rstrip(b"\0 ").decode("ascii")
    return " ".join(line.split())[:_LONGEST_TEXT] if line.isprintable() else None


def _plain_numbers(element: object) -> tuple[float, ...] | None:
    """Numbers of an element that is not decoded yet, as `_plain_text`."""
    if not isinstance(element, RawDataElement) or not element.value:
        return None
    if element.VR == "US" and len(element.value) == 2:
        return (float(int.from_bytes(element.value, "little" if element.is_little_endian else "big")),)
    if element.VR == "DS" and _DECIMALS.fullmatch(element.value):
        return tuple(float(part) for part in element.value.split(b"\\"))
    return None


def items(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """Return the items of a sequence; none where it is absent or malformed."""
    found = value(dataset, keyword)
    if found is None or isinstance(found, (str, bytes)) or not hasattr(found, "__iter__"):
        return ()
    return tuple(item for item in found if isinstance(item, Dataset))


def transfer_syntax(dataset: Dataset) -> UID | None:
    """Return the transfer syntax; worked out from the encoding where the file meta group is missing."""
    meta = getattr(dataset, "file_meta", None)
    stated = meta.get("TransferSyntaxUID") if meta is not None else None
    if stated:
        return UID(str(stated))
    implicit, little = dataset.original_encoding
    if implicit is None or little is None:
        return None
    if implicit:
        return UID("1.2.840.10008.1.2")
    return UID("1.2.840.10008.1.2.1" if little else "1.2.840.10008.1.2.2")
