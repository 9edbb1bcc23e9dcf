"""Stored pixel values of a DICOM image: unpacked, masked, signed, gray."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import UID, ExplicitVRLittleEndian, RLELossless

from reader_app.errors import ImageError
from reader_app.imaging.dicom.codecs import DEFLATED_FRAMES
from reader_app.imaging.dicom.dataset import in_short, text, transfer_syntax, whole
from reader_app.imaging.dicom.encapsulated import FrameForm, decoded_frame, installed_codec
from reader_app.imaging.dicom.header import syntax_name
from reader_app.imaging.dicom.salvage import inflated
from reader_app.imaging.radiograph import RadiographHeader

_AGAIN = "Export the film again from its source."
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as in the YBR definitions of PS3.3 C.7.6.3.1.2


@dataclass(frozen=True)
class PixelLayout:
    """Image Pixel module (PS3.3 C.7.6.3) of one frame.

    Parameters
    ----------
    rows, columns, samples
        Size.
    allocated, stored, high_bit
        Bits: of a cell, of a value in it, and the place of the value's highest bit.
    signed
        Pixel Representation: two's complement.
    photometric
        Photometric interpretation.
    """

    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    photometric: str

    @property
    def frame_bytes(self) -> int:
        """Bytes of one uncompressed frame."""
        return -(-self.rows * self.columns * self.samples * self.allocated // 8)

    @property
    def is_gray(self) -> bool:
        """Whether stored values are grays rather than colours."""
        return self.samples == 1 and self.photometric != "PALETTE COLOR"


def layout_of(dataset: Dataset, header: RadiographHeader) -> PixelLayout:
    """Read and check the pixel description.

    Raises
    ------
    ImageError
        If it is missing, contradicts itself, or is nothing that a radiograph has.
    """
    samples = whole(dataset, "SamplesPerPixel") or 1
    allocated = whole(dataset, "BitsAllocated")
    if allocated is None:
        raise ImageError(f"{header.path} does not say how many bits a pixel has.", _AGAIN)
    stored = whole(dataset, "BitsStored") or allocated
    high_bit = whole(dataset, "HighBit")
    high_bit = stored - 1 if high_bit is None else high_bit
    photometric = text(dataset, "PhotometricInterpretation").upper()
    if allocated not in (1, 8, 16):
        raise ImageError(
            f"{header.path} has {allocated} bits for each pixel; radiographs of 8 to 16 bits can be read.",
            "Leave it out, or export it with 16 bits.",
        )
    if not 1 <= stored <= allocated or not stored - 1 <= high_bit < allocated:
        raise ImageError(
            f"{header.path} contradicts itself: {stored} bits stored up to bit {high_bit} of {allocated}.",
            _AGAIN,
        )
    if samples not in (1, 3) or (samples == 3 and photometric.startswith("MONOCHROME")):
        raise ImageError(
            f"{header.path} has {samples} values for each pixel with {photometric or 'no'} colour model.",
            _AGAIN,
        )
    return PixelLayout(
        rows=header.rows,
        columns=header.columns,
        samples=samples,
        allocated=allocated,
        stored=stored,
        high_bit=high_bit,
        signed=whole(dataset, "PixelRepresentation") == 1,
        photometric=photometric or ("MONOCHROME2" if samples == 1 else "RGB"),
    )


@dataclass(frozen=True, eq=False)
class StoredFrame:
    """The first frame as gray values.

    Parameters
    ----------
    values
        Shape (rows, columns), uint8, uint16 or int16.
    notes
        What was done to get them.
    cells
        The pixel cells with whatever lies in their unused bits, unsigned, of the same shape; None where the
        compression has kept nothing but the values.
    """

    values: npt.NDArray[Any]
    notes: tuple[str, ...] = ()
    cells: npt.NDArray[Any] | None = None


def stored_frame(dataset: Dataset, header: RadiographHeader, layout: PixelLayout) -> StoredFrame:
    """Decode the first frame.

    Raises
    ------
    ImageError
        If the pixels are missing, damaged or need a decoder that is not there.
    """
    if "PixelData" not in dataset:
        if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
            raise ImageError(
                f"{header.path} has floating-point pixels, not the 8 to 16 bits of a radiograph.", _AGAIN
            )
        raise ImageError(f"{header.path} has a header but no pixel data.", _AGAIN)
    syntax = transfer_syntax(dataset)
    if syntax is None:
        raise ImageError(f"{header.path} does not say how its pixels are encoded.", _AGAIN)
    if syntax == DEFLATED_FRAMES:
        dataset, syntax = _inflated(dataset, header, layout), ExplicitVRLittleEndian
    elif syntax.is_private or not syntax.is_transfer_syntax or syntax.is_encapsulated:
        codec = installed_codec(header, syntax)
        form = FrameForm(layout.rows, layout.columns, layout.samples, layout.allocated)
        decoded, notes = decoded_frame(dataset, header, form, codec)
        return _grays(dataset, header, layout, decoded, notes, kept=syntax == RLELossless)
    _, little = dataset.original_encoding
    if layout.is_gray and layout.allocated in (8, 16) and little is not False:
        return _native(dataset, header, layout)
    return _grays(dataset, header, layout, _uncompressed(dataset, header, syntax, layout), [], kept=True)


def _grays(
    dataset: Dataset,
    header: RadiographHeader,
    layout: PixelLayout,
    decoded: npt.NDArray[Any],
    notes: list[str],
    *,
    kept: bool,
) -> StoredFrame:
    """Gray values of a decoded array; `kept` where it is of cells rather than of values."""
    if not layout.is_gray:
        gray, colour_notes = _gray(dataset, header, layout, decoded)
        return StoredFrame(gray, (*notes, *colour_notes))
    if layout.allocated == 1:
        return StoredFrame(decoded.astype(np.uint8), tuple(notes))
    # Big-endian files come as big-endian arrays: bits may only be looked at in the machine's own order.
    decoded = decoded.astype(decoded.dtype.newbyteorder("="), copy=False)
    values = decoded.view(np.dtype(f"u{decoded.itemsize}"))
    if values.dtype.itemsize * 8 != layout.allocated:
        raise ImageError(
            f"{header.path} says {layout.allocated} bits for each pixel, but its image has another depth.",
            _AGAIN,
        )
    if kept:
        return StoredFrame(_unpacked(values, layout), tuple(notes), values)
    return StoredFrame(_clipped(decoded, layout), tuple(notes))


def _native(dataset: Dataset, header: RadiographHeader, layout: PixelLayout) -> StoredFrame:
    """Uncompressed little-endian grays (PS3.5 8.1.1); what is missing becomes zeros, and a note."""
    data = dataset["PixelData"].value
    if not isinstance(data, bytes):
        raise ImageError(f"{header.path} has pixel data of the wrong kind.", _AGAIN)
    dtype = np.dtype(f"<u{layout.allocated // 8}")
    expected = layout.rows * layout.columns
    present = min(len(data) // dtype.itemsize, expected)
    if present < layout.columns:
        raise ImageError(f"{header.path} ends before the first row of its image.", _AGAIN)
    values = np.frombuffer(data, dtype, count=present)
    notes: tuple[str, ...] = ()
    if present < expected:
        whole_rows = present // layout.columns
        values = np.concatenate([values, np.zeros(expected - present, dtype)])
        notes = (f"The file is truncated: {whole_rows} of {layout.rows} rows are there, the rest is empty.",)
    cells = values.reshape(layout.rows, layout.columns)
    return StoredFrame(_unpacked(cells, layout), notes, cells)


def _uncompressed(
    dataset: Dataset, header: RadiographHeader, syntax: UID, layout: PixelLayout
) -> npt.NDArray[Any]:
    """Uncompressed pixels that are big-endian, coloured or of one bit, through pydicom."""
    # The bits are taken out of their cells here alone: pydicom leaves the place of the highest one out of it.
    kept: dict[str, Any] = {"correct_unused_bits": False}
    try:
        array, _ = get_decoder(syntax).as_array(dataset, index=0, raw=layout.samples == 1, **kept)
    except MemoryError:
        raise
    except Exception as error:
        # pydicom raises ValueError, AttributeError, KeyError and more, by what is wrong with the pixels.
        raise ImageError(
            f"{header.path} cannot be decoded: its {syntax_name(syntax)} data are damaged "
            f"({in_short(error)}).",
            _AGAIN,
        ) from error
    return array


def _inflated(dataset: Dataset, header: RadiographHeader, layout: PixelLayout) -> Dataset:
    """The image pixel module around the inflated first frame (PS3.5 A.4, deflated frames)."""
    frame = get_frame(dataset.PixelData, 0, number_of_frames=header.frames)
    try:
        data = inflated(frame, layout.frame_bytes)
    except ValueError as error:
        raise ImageError(
            f"{header.path} cannot be decoded: its deflated image is damaged ({in_short(error)}).", _AGAIN
        ) from error
    single = dataset.group_dataset(0x0028)
    single.file_meta = FileMetaDataset()
    single.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    single.set_original_encoding(False, True)
    if "NumberOfFrames" in single:
        del single.NumberOfFrames
    single.PixelData = data + b"\0" * (len(data) % 2)
    single["PixelData"].VR = "OB" if layout.allocated <= 8 else "OW"
    return single


def _unpacked(values: npt.NDArray[Any], layout: PixelLayout) -> npt.NDArray[Any]:
    """Take the stored bits out of their cells: shift, mask, extend the sign (PS3.5 8.1.1 and 8.1.2)."""
    bits = 8 * values.dtype.itemsize
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    shift = layout.high_bit + 1 - layout.stored
    if shift:
        values = values >> shift
    if layout.stored < bits:
        mask = (1 << layout.stored) - 1
        if int(values.max(initial=0)) > mask:  # overlays or a sign in the unused bits
            values = values & values.dtype.type(mask)
    if not layout.signed:
        return values
    unused = bits - layout.stored
    signed = (values << unused).view(np.dtype(f"i{bits // 8}")) >> unused
    return signed.astype(np.int16) if bits == 8 else signed


def _clipped(array: npt.NDArray[Any], layout: PixelLayout) -> npt.NDArray[Any]:
    """Keep decompressed values inside their bits: a lossy codec may overshoot, which must not wrap round."""
    low, high = 0, (1 << layout.stored) - 1
    if layout.signed:
        low, high = -(1 << (layout.stored - 1)), (1 << (layout.stored - 1)) - 1
    if array.size and (int(array.min()) < low or int(array.max()) > high):
        array = np.clip(array, low, high)
    if layout.signed:
        return array.astype(np.int16, copy=False)
    return array.astype(np.dtype(f"u{array.itemsize}"), copy=False)


def _gray(
    dataset: Dataset, header: RadiographHeader, layout: PixelLayout, array: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], list[str]]:
    """Turn colours into grays: palette (PS3.3 C.7.6.3.1.5) or RGB, by luminance."""
    if layout.photometric == "PALETTE COLOR":
        try:
            array = apply_color_lut(array, dataset)
        except Exception as error:
            # pydicom raises ValueError, AttributeError or IndexError, by what is wrong with the palette.
            raise ImageError(
                f"{header.path} has a damaged colour palette ({in_short(error)}).", _AGAIN
            ) from error
        depth = 8 * array.itemsize
    else:
        depth = layout.stored
    if array.ndim != 3 or array.shape[2] < 3:
        raise ImageError(f"{header.path} has a colour model that cannot be turned into gray.", _AGAIN)
    top = float((1 << depth) - 1)
    gray = np.zeros(array.shape[:2], dtype=np.float32)
    for channel, weight in enumerate(_LUMA):
        gray += np.float32(weight) * array[..., channel]
    dtype = np.uint8 if depth <= 8 else np.uint16
    note = f"Colour ({layout.photometric}) was turned into gray."
    return np.clip(np.rint(gray), 0, top).astype(dtype), [note]
