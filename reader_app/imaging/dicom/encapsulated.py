"""Compressed frames: decoded by whatever is installed, and shown as far as they go where they break off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    UID,
    JPEG2000TransferSyntaxes,
    JPEGExtended12Bit,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLELossless,
)

from reader_app.errors import ImageError
from reader_app.imaging.dicom.codecs import (
    Codec,
    CodedFrame,
    codec_for,
    coded_frame,
    decode_extended,
    has_endless_box,
)
from reader_app.imaging.dicom.dataset import in_short
from reader_app.imaging.dicom.header import syntax_name
from reader_app.imaging.dicom.jpeg import jpeg_fault
from reader_app.imaging.dicom.salvage import rle_rows, whole_rows
from reader_app.imaging.limits import check_size
from reader_app.imaging.radiograph import RadiographHeader

_AGAIN = "Export the film again from its source."
_END, _TAIL = b"\xff\xd9", 64  # EOI and EOC are the same two bytes; padding may follow
_HTJ2K = ("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203")
_ENDED = frozenset({*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes, *JPEG2000TransferSyntaxes, *_HTJ2K})
"""Syntaxes whose codestreams have an end marker (ISO/IEC 10918-1 B.1.1.3, 14495-1, 15444-1 A.4.4)."""

_BY_GDCM = frozenset({"1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"})


@dataclass(frozen=True)
class FrameForm:
    """What the image pixel module says of a frame, as far as a decoder must agree with it.

    Parameters
    ----------
    rows, columns, samples
        Size.
    allocated
        Bits of a cell.
    """

    rows: int
    columns: int
    samples: int
    allocated: int


def installed_codec(header: RadiographHeader, syntax: UID) -> Codec:
    """Return the codec of a transfer syntax.

    Raises
    ------
    ImageError
        If there is none, with what to install or to do.
    """
    name = syntax_name(syntax)
    codec = codec_for(syntax)
    if codec is None:
        raise ImageError(
            f"{header.path} is encoded as {name}, which cannot be decoded.",
            "Export it uncompressed or as JPEG 2000 or JPEG-LS.",
        )
    if not codec.available:
        raise _not_installed(header, name, codec.packages)
    return codec


def decoded_frame(
    dataset: Dataset, header: RadiographHeader, form: FrameForm, codec: Codec
) -> tuple[npt.NDArray[Any], list[str]]:
    """Decode the first frame of encapsulated pixel data (PS3.5 A.4): (array, notes).

    Each installed decoder is tried in turn. A frame that breaks off is shown as far as it goes where its
    kind of compression allows that, and a note says so.

    Parameters
    ----------
    dataset, header
        The open file and what it says.
    form
        Size that the header states; the result has it.
    codec
        Of the file's transfer syntax, from `installed_codec`.

    Raises
    ------
    ImageError
        If nothing of the frame can be shown.
    """
    try:
        frame, coded = _first_frame(dataset, header, form)
        array, notes = _decoded(dataset, header, form, codec, frame, coded)
    except (ImageError, MemoryError):
        raise
    except ImportError as error:
        raise _not_installed(header, codec.name, ("python-gdcm",)) from error
    except Exception as error:
        # Each codec has its own exceptions for damaged data.
        raise ImageError(
            f"{header.path} cannot be decoded: its {codec.name} data are damaged ({_codec_message(error)}).",
            _AGAIN,
        ) from error
    if array.shape[:2] != (form.rows, form.columns):
        raise ImageError(
            f"{header.path} says {form.rows} x {form.columns} pixels, but its image has "
            f"{' x '.join(str(n) for n in array.shape[:2])}.",
            _AGAIN,
        )
    return array, notes


def _not_installed(header: RadiographHeader, name: str, packages: tuple[str, ...]) -> ImageError:
    return ImageError(
        f"{header.path} is encoded as {name}, for which no decoder is installed.",
        f"Install {' and '.join(packages) or 'a decoder for it'} beside this program.",
    )


def _codec_message(error: BaseException) -> str:
    """What the last decoder said, without pydicom's frame around it."""
    said = in_short(error).removeprefix(
        "Unable to decode as exceptions were raised by all available plugins: "
    )
    return "GDCM found no image in them" if "NoneType" in said else said


def _first_frame(
    dataset: Dataset, header: RadiographHeader, form: FrameForm
) -> tuple[bytes, CodedFrame | None]:
    """Return the first compressed frame, refused if its own size is not the one in the header."""
    frame = get_frame(dataset.PixelData, 0, number_of_frames=header.frames)
    if not frame:
        raise ImageError(f"{header.path} has no data in its first frame.", _AGAIN)
    if has_endless_box(frame):
        raise ImageError(f"{header.path} has a damaged JPEG 2000 image: a part of it has no length.", _AGAIN)
    coded = coded_frame(frame)
    if coded is None or coded.rows == 0:
        return frame, coded
    check_size(header.path, rows=coded.rows, columns=coded.columns, samples=coded.samples)
    if (coded.rows, coded.columns, coded.samples) != (form.rows, form.columns, form.samples):
        raise ImageError(
            f"{header.path} says {form.rows} x {form.columns} pixels of {form.samples} values, but its "
            f"compressed image has {coded.rows} x {coded.columns} of {coded.samples}.",
            _AGAIN,
        )
    return frame, coded


def _decoded(
    dataset: Dataset,
    header: RadiographHeader,
    form: FrameForm,
    codec: Codec,
    frame: bytes,
    coded: CodedFrame | None,
) -> tuple[npt.NDArray[Any], list[str]]:
    syntax = UID(codec.syntax)
    if syntax == RLELossless:
        return _run_lengths(dataset, header, form, codec, frame)
    if syntax not in _ENDED or _END in frame[-_TAIL:]:
        return _by_plugins(dataset, codec, form, frame, coded), []
    # With an end put to it a JPEG decodes as far as it goes; and CharLS, which looks for the end of a large
    # film for minutes, finds one.
    closed = _single_frame(dataset, frame.rstrip(b"\0") + _END)
    try:
        array = _by_plugins(closed, codec, form, frame + _END, coded)
    except ValueError as error:
        raise ImageError(
            f"{header.path} is truncated: the end of its {codec.name} data is missing, and what is there "
            "shows nothing.",
            _AGAIN,
        ) from error
    if syntax not in JPEGTransferSyntaxes:
        return array, ["The file is truncated: the mark at the end of its image is missing."]
    return _cut(array, whole_rows(array, block=_block(syntax, form)), header)


def _block(syntax: UID, form: FrameForm) -> int:
    """Rows that a JPEG codes together: single ones without loss, else 8, or 16 with reduced colours."""
    if syntax in ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"):
        return 1
    return 8 if form.samples == 1 else 16


def _run_lengths(
    dataset: Dataset, header: RadiographHeader, form: FrameForm, codec: Codec, frame: bytes
) -> tuple[npt.NDArray[Any], list[str]]:
    try:
        return _by_plugins(dataset, codec, form, frame, None), []
    except ValueError as error:
        if form.allocated == 1:
            raise ImageError(
                f"{header.path} has run lengths of single bits, which cannot be decoded.",
                "Export it uncompressed.",
            ) from error
        # All installed decoders want the frame whole.
        if form.samples != 1 or form.allocated not in (8, 16):
            raise
        array, rows = rle_rows(
            frame, rows=form.rows, columns=form.columns, bytes_per_pixel=form.allocated // 8
        )
        if rows in (0, form.rows):
            raise
        return _cut(array, rows, header)


def _cut(array: npt.NDArray[Any], rows: int, header: RadiographHeader) -> tuple[npt.NDArray[Any], list[str]]:
    """Empty what lies below the rows that are there, and say so."""
    total = array.shape[0]
    if rows == 0:
        raise ImageError(f"{header.path} ends before the first row of its image.", _AGAIN)
    if rows == total:
        return array, ["The file is truncated: the mark at the end of its image is missing."]
    array = array.copy()
    array[rows:] = 0
    return array, [f"The file is truncated: {rows} of {total} rows are there, the rest is empty."]


def _single_frame(dataset: Dataset, frame: bytes) -> Dataset:
    """A data set with the same image pixel module around another compressed frame."""
    single = dataset.group_dataset(0x0028)
    single.file_meta = dataset.file_meta
    if "NumberOfFrames" in single:
        del single.NumberOfFrames
    single.PixelData = encapsulate([frame])
    single["PixelData"].VR = "OB"
    return single


def _by_plugins(
    dataset: Dataset, codec: Codec, form: FrameForm, frame: bytes, coded: CodedFrame | None
) -> npt.NDArray[Any]:
    """Array of the first decoder that takes the frame.

    Raises
    ------
    ValueError
        If none does; with what the last one said.
    ImportError
        If the only one for this kind of frame is not installed.
    """
    syntax = UID(codec.syntax)
    if syntax in _BY_GDCM and (fault := jpeg_fault(frame)):
        raise ValueError(fault)
    if syntax == JPEGExtended12Bit and coded is not None and coded.bits > 8 and coded.samples == 1:
        return decode_extended(frame, coded)
    failure: BaseException | None = None
    # Run lengths keep what lies in the unused bits: overlays, which are taken off later.
    kept: dict[str, Any] = {"correct_unused_bits": False} if syntax == RLELossless else {}
    for plugin in codec.plugins:
        try:
            array, _ = get_decoder(syntax).as_array(
                dataset, index=0, raw=form.samples == 1, decoding_plugin=plugin, **kept
            )
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
