"""Stored pixel values of a DICOM image: unpacked, masked, signed, gray."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import UID, JPEGExtended12Bit, JPEGLSTransferSyntaxes, RLELossless

from reader_app.errors import ImageError
from reader_app.imaging.dicom.codecs import (
    Codec,
    CodedFrame,
    codec_for,
    coded_frame,
    decode_extended,
    has_endless_box,
)
from reader_app.imaging.dicom.dataset import in_short, text, transfer_syntax, whole
from reader_app.imaging.dicom.header import syntax_name
from reader_app.imaging.limits import check_size
from reader_app.imaging.radiograph import RadiographHeader

_AGAIN = "Export the film again from its source."
_JPEG_END, _JPEG_TAIL = b"\xff\xd9", 64  # padding may follow the marker
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
        return self.rows * self.columns * self.samples * self.allocated // 8

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


def stored_values(
    dataset: Dataset, header: RadiographHeader, layout: PixelLayout
) -> tuple[npt.NDArray[Any], list[str]]:
    """Decode the first frame.

    Returns
    -------
    ndarray, list of str
        Gray values (rows, columns), uint8, uint16 or int16, and notes about what was done to get them.

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
    native = not syntax.is_private and syntax.is_transfer_syntax and not syntax.is_encapsulated
    _, little = dataset.original_encoding
    if native and layout.is_gray and layout.allocated in (8, 16) and little is not False:
        return _native(dataset, header, layout)
    decoded = _decoded(dataset, header, layout, syntax)
    if not layout.is_gray:
        return _gray(dataset, header, layout, decoded)
    if layout.allocated == 1:
        return decoded.astype(np.uint8), []
    # Big-endian files come as big-endian arrays: bits may only be looked at in the machine's own order.
    decoded = decoded.astype(decoded.dtype.newbyteorder("="), copy=False)
    values = decoded.view(np.dtype(f"u{decoded.itemsize}"))
    if values.dtype.itemsize * 8 != layout.allocated:
        raise ImageError(
            f"{header.path} says {layout.allocated} bits for each pixel, but its image has another depth.",
            _AGAIN,
        )
    if native or syntax == RLELossless:
        return _unpacked(values, layout), []
    return _clipped(decoded, layout), []


def _native(
    dataset: Dataset, header: RadiographHeader, layout: PixelLayout
) -> tuple[npt.NDArray[Any], list[str]]:
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
    notes = []
    if present < expected:
        whole_rows = present // layout.columns
        values = np.concatenate([values, np.zeros(expected - present, dtype)])
        notes.append(
            f"The file is truncated: {whole_rows} of {layout.rows} rows are there, the rest is empty."
        )
    return _unpacked(values.reshape(layout.rows, layout.columns), layout), notes


def _decoded(
    dataset: Dataset, header: RadiographHeader, layout: PixelLayout, syntax: UID
) -> npt.NDArray[Any]:
    """Pixels of the first frame through pydicom's decoders, checked before and after."""
    name = syntax_name(syntax)
    codec = codec_for(syntax)
    if codec is None:
        raise ImageError(
            f"{header.path} is encoded as {name}, which cannot be decoded.",
            "Export it uncompressed or as JPEG 2000 or JPEG-LS.",
        )
    if not codec.available:
        raise ImageError(
            f"{header.path} is encoded as {name}, for which no decoder is installed.",
            f"Install {' and '.join(codec.packages) or 'a decoder for it'} beside this program.",
        )
    try:
        array = _through_codec(dataset, header, layout, codec)
    except (ImageError, MemoryError):
        raise
    except Exception as error:
        # Each codec has its own exceptions for damaged data.
        raise ImageError(
            f"{header.path} cannot be decoded: its {name} data are damaged ({_codec_message(error)}).",
            _AGAIN,
        ) from error
    if array.shape[:2] != (layout.rows, layout.columns):
        raise ImageError(
            f"{header.path} says {layout.rows} x {layout.columns} pixels, but its image has "
            f"{' x '.join(str(n) for n in array.shape[:2])}.",
            _AGAIN,
        )
    return array


def _codec_message(error: BaseException) -> str:
    """What the last decoder said, without pydicom's frame around it."""
    return in_short(error).removeprefix(
        "Unable to decode as exceptions were raised by all available plugins: "
    )


def _through_codec(
    dataset: Dataset, header: RadiographHeader, layout: PixelLayout, codec: Codec
) -> npt.NDArray[Any]:
    raw = layout.samples == 1
    syntax = UID(codec.syntax)
    if not syntax.is_encapsulated:
        array, _ = get_decoder(syntax).as_array(dataset, index=0, raw=raw)
        return array
    frame, coded = _first_frame(dataset, header, layout)
    if syntax == JPEGExtended12Bit and coded is not None and coded.bits > 8 and coded.samples == 1:
        return decode_extended(frame, coded)
    failure: BaseException | None = None
    for plugin in codec.plugins:
        try:
            array, _ = get_decoder(syntax).as_array(dataset, index=0, raw=raw, decoding_plugin=plugin)
        except MemoryError:
            raise
        except BaseException as error:
            # A panic in a decoder written in Rust is no `Exception`, but is about the file like any other.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            failure = error
        else:
            return array
    raise ValueError(_codec_message(failure) if failure else "no decoder took them")


def _first_frame(
    dataset: Dataset, header: RadiographHeader, layout: PixelLayout
) -> tuple[bytes, CodedFrame | None]:
    """Return the first compressed frame, refused if its own size is not the one in the header."""
    frame = get_frame(dataset.PixelData, 0, number_of_frames=header.frames)
    if not frame:
        raise ImageError(f"{header.path} has no data in its first frame.", _AGAIN)
    if transfer_syntax(dataset) in JPEGLSTransferSyntaxes and _JPEG_END not in frame[-_JPEG_TAIL:]:
        # CharLS would look for the end again and again, for minutes on a large film.
        raise ImageError(f"{header.path} is truncated: the end of its JPEG-LS data is missing.", _AGAIN)
    if has_endless_box(frame):
        raise ImageError(f"{header.path} has a damaged JPEG 2000 image: a part of it has no length.", _AGAIN)
    coded = coded_frame(frame)
    if coded is None or coded.rows == 0:
        return frame, coded
    check_size(header.path, rows=coded.rows, columns=coded.columns, samples=coded.samples)
    if (coded.rows, coded.columns, coded.samples) != (layout.rows, layout.columns, layout.samples):
        raise ImageError(
            f"{header.path} says {layout.rows} x {layout.columns} pixels of {layout.samples} values, but its "
            f"compressed image has {coded.rows} x {coded.columns} of {coded.samples}.",
            _AGAIN,
        )
    return frame, coded


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
