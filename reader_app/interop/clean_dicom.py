"""A DICOM film without its person: identifiers, dates, look-up tables, stamps (PS3.15 Annex E)."""

from __future__ import annotations

import hashlib
import hmac
import math
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID, SecondaryCaptureImageStorage

from reader_app.errors import ImageError
from reader_app.imaging.dicom.dataset import is_present, items, open_dataset, text
from reader_app.imaging.dicom.film import padding_of
from reader_app.imaging.dicom.frames import FUNCTIONAL_GROUPS, bring_up_first_frame
from reader_app.imaging.dicom.header import header_of
from reader_app.imaging.dicom.luts import modality_of, voi_of
from reader_app.imaging.dicom.pixels import PixelLayout, layout_of
from reader_app.imaging.radiograph import RadiographHeader
from reader_app.imaging.spacing import Spacing
from reader_app.imaging.voi import LookupTable, Window
from reader_app.interop.clean_dates import take_dates
from reader_app.interop.clean_pixels import take_pixels
from reader_app.interop.deidentify import Deidentification
from reader_app.interop.dicom_files import file_meta, write_dicom
from reader_app.interop.kept_attributes import take_over
from reader_app.interop.stamps import stamp_profile
from reader_app.interop.terms import is_controlled

_EMPTY = (
    "AccessionNumber BodyPartExamined InstanceNumber Manufacturer PatientBirthDate PatientSex "
    "ReferringPhysicianName SeriesNumber StudyDate StudyID StudyTime ViewPosition"
)
"""Type 2 attributes of radiographs (PS3.3 A.2, A.26): there, but empty, where a copy has no value."""
_EMPTY_DX = "AcquisitionContextSequence AnatomicRegionSequence DetectorType"
_DX_CLASSES = "1.2.840.10008.5.1.4.1.1.1.1"  # and those below it
_REFERENCES = ("ReferencedImageSequence", "SourceImageSequence")
_OVERLAYS = range(0x6000, 0x6100, 2)
_PHANTOM = "PHANTOM"
_SAME = 1e-9


def copy_dicom(source: Path, target: Path, how: Deidentification) -> tuple[str, ...]:
    """Write a de-identified copy of a DICOM film; see `deidentify.deidentified_copy`.

    Raises
    ------
    ImageError
        If the source is no readable film, or the copy cannot be written or would mean something else.
    """
    with open_dataset(source, pixels=True) as opened:
        bring_up_first_frame(opened.dataset)
        header = header_of(opened.dataset, source)
        clean, notes = clean_dataset(opened.dataset, header, how)
        notes = [*opened.notes, *notes]
    notes += _differences(header, clean)
    write_dicom(clean, target)
    return tuple(dict.fromkeys(notes))


def clean_dataset(
    source: Dataset, header: RadiographHeader, how: Deidentification
) -> tuple[Dataset, list[str]]:
    """Make a de-identified data set with its file meta information.

    Parameters
    ----------
    source
        As it was read, functional groups of the first frame brought up; left as it is.
    header
        Of the same file.
    how
        Pseudonym, key and what stays.

    Returns
    -------
    Dataset, list of str
        Ready to be written, and sentences for the coordinator.

    Raises
    ------
    ImageError
        If the pixels or a table that decides the grays cannot be used.
    """
    layout = layout_of(source, header)
    clean = Dataset()
    notes = take_over(source, clean, characteristics=how.keep_characteristics)
    take_dates(source, clean, policy=how.dates, shift_days=how.shift_days)
    _take_uids(source, clean, how.uid_key)
    if layout.is_gray:
        _take_grays(source, clean, header, layout)
    syntax, pixel_notes = take_pixels(source, clean, header=header, layout=layout)
    _fill_in(clean, how.pseudonym)
    if header.phantom:
        clean.ImageComments = _PHANTOM
    stamp_profile(clean, dates=how.dates, characteristics=how.keep_characteristics)
    clean.file_meta = file_meta(clean, syntax)
    return clean, [*notes, *pixel_notes, *_left_out(source, header)]


def replaced_uid(key: bytes, original: str) -> UID:
    """Return what takes the place of a UID: the same for the same key and UID, and no way back.

    An UUID of version 8 (RFC 9562) made of a keyed hash, written as PS3.5 B.2 says.
    """
    digest = hmac.new(key, original.strip("\x00 ").encode(), hashlib.sha256).digest()[:16]
    number = int.from_bytes(digest, "big") & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0x2 << 62
    return UID(f"2.25.{uuid.UUID(int=number).int}")


def _take_uids(source: Dataset, clean: Dataset, key: bytes) -> None:
    sop_class = UID(text(source, "SOPClassUID"))
    # An enhanced file becomes a plain one: its first frame, with what was said of it.
    plain = not any(groups in source for groups in FUNCTIONAL_GROUPS)
    known = plain and sop_class.type == "SOP Class" and not sop_class.is_private
    clean.SOPClassUID = sop_class if known else SecondaryCaptureImageStorage
    # A file without numbers gets some that are its own: the same for the same pixels.
    pixels = source["PixelData"].value if "PixelData" in source else b""
    own = hashlib.sha256(pixels if isinstance(pixels, bytes) else b"").hexdigest()
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(clean, keyword, replaced_uid(key, text(source, keyword) or f"{keyword} of {own}"))
    if text(source, "FrameOfReferenceUID"):
        clean.FrameOfReferenceUID = replaced_uid(key, text(source, "FrameOfReferenceUID"))
    for keyword in _REFERENCES:
        kept = []
        for item in items(source, keyword):
            kind = UID(text(item, "ReferencedSOPClassUID"))
            if kind.type != "SOP Class" or not text(item, "ReferencedSOPInstanceUID"):
                continue
            made = Dataset()
            made.ReferencedSOPClassUID = kind
            made.ReferencedSOPInstanceUID = replaced_uid(key, text(item, "ReferencedSOPInstanceUID"))
            kept.append(made)
        if kept:
            setattr(clean, keyword, kept)


def _take_grays(source: Dataset, clean: Dataset, header: RadiographHeader, layout: PixelLayout) -> None:
    """Modality and VOI transformation (PS3.3 C.11.1, C.11.2) and padding, as they were understood."""
    table, slope, intercept, _ = modality_of(source, header.path)
    if table is not None:
        item = _table_item(table)
        kind = text(items(source, "ModalityLUTSequence")[0], "ModalityLUTType")
        item.ModalityLUTType = kind if is_controlled(kind) else "US"  # unspecified (PS3.3 C.11.1.1.2)
        clean.ModalityLUTSequence = [item]
    elif is_present(source, "RescaleSlope") or is_present(source, "RescaleIntercept"):
        clean.RescaleSlope, clean.RescaleIntercept = _decimal(slope), _decimal(intercept)
    tables, windows, _ = voi_of(source)
    if tables:
        clean.VOILUTSequence = [_table_item(each) for each in tables]
    if windows:
        _put_windows(clean, windows)
    padding = padding_of(source, stored=layout.stored, signed=layout.signed)
    if padding is not None:
        for keyword, edge in zip(("PixelPaddingValue", "PixelPaddingRangeLimit"), padding, strict=True):
            clean.add(DataElement(Tag(keyword), "SS" if layout.signed else "US", edge))


def _table_item(table: LookupTable) -> Dataset:
    item = Dataset()
    count = table.values.size
    signed = table.first_value < 0
    if signed and count > 32767:
        count -= 65536
    descriptor = [count % 65536 if not signed else count, table.first_value, table.bits]
    item.add(DataElement(Tag("LUTDescriptor"), "SS" if signed else "US", descriptor))
    item.add(DataElement(Tag("LUTData"), "OW", table.values.astype(np.dtype("<u2")).tobytes()))
    if is_controlled(table.name):
        item.LUTExplanation = table.name
    return item


def _put_windows(clean: Dataset, windows: Sequence[Window]) -> None:
    clean.WindowCenter = [_decimal(window.center) for window in windows]
    clean.WindowWidth = [_decimal(window.width) for window in windows]
    clean.VOILUTFunction = windows[0].function.value
    names = [window.name if is_controlled(window.name) else "" for window in windows]
    if any(names):
        clean.WindowCenterWidthExplanation = names


def _decimal(number: float) -> str:
    """A decimal string (PS3.5 6.2): at most 16 characters, as exact as they allow."""
    for digits in range(17, 8, -1):
        written = f"{number:.{digits}g}"
        if len(written) <= 16:
            return written
    return f"{number:.8g}"


def _fill_in(clean: Dataset, pseudonym: str) -> None:
    """Identity, and what the standard wants to be there."""
    clean.PatientName = clean.PatientID = pseudonym
    if "Modality" not in clean:
        clean.Modality = "OT"
    empty = _EMPTY.split()
    if str(clean.SOPClassUID).startswith(_DX_CLASSES):
        empty += _EMPTY_DX.split()
    for keyword in empty:
        if keyword not in clean:
            setattr(clean, keyword, [] if keyword.endswith("Sequence") else None)


def _left_out(source: Dataset, header: RadiographHeader) -> list[str]:
    """What a person has to know or to look at."""
    notes = []
    if any(Tag(group, 0x3000) in source or Tag(group, 0x0102) in source for group in _OVERLAYS):
        notes.append("Overlays were left out of the copy: names can be written in them.")
    if header.frames > 1:
        notes.append(f"The copy holds the first of {header.frames} frames.")
    if header.burned_in:
        notes.append("The file says that text is burned into the picture: look at it and box it out.")
    elif header.burned_in is None:
        notes.append("The file does not say whether text is burned into the picture: look at it.")
    return notes


def _differences(header: RadiographHeader, clean: Dataset) -> list[str]:
    """Compare what source and copy say, with the same eyes.

    Raises
    ------
    ImageError
        If sides, size or millimetres would not be the same.
    """
    copied = header_of(clean, header.path)
    before = (header.rows, header.columns, header.laterality, header.phantom)
    after = (copied.rows, copied.columns, copied.laterality, copied.phantom)
    if before != after or not _same_spacing(header.spacing, copied.spacing):
        raise ImageError(
            f"{header.path} cannot be copied without changing its sides or millimetres.",
            "Export it again from its source, or leave it out.",
        )
    notes = []
    if header.view_position and copied.view_position != header.view_position:
        notes.append("The view is stated in words that are no known terms; the copy leaves them out.")
    if header.body_part and copied.body_part != header.body_part:
        notes.append("The body part is stated in words that are no known terms; the copy leaves them out.")
    return notes


def _same_spacing(one: Spacing, other: Spacing) -> bool:
    if one.kind is not other.kind:
        return False
    pairs = ((one.row_mm, other.row_mm), (one.column_mm, other.column_mm))
    return all(
        (a is None and b is None) or (a is not None and b is not None and math.isclose(a, b, rel_tol=_SAME))
        for a, b in pairs
    )
