"""Decoders of compressed pixel data: what is here, what is missing, and the size a codestream claims."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

# OpenJPEG decodes code blocks on as many threads as this says, one where it says nothing. Worker processes,
# which are as many as there are cores, say so before.
os.environ.setdefault("OPJ_NUM_THREADS", str(min(os.cpu_count() or 1, 8)))

DEFLATED_FRAMES = UID("1.2.840.10008.1.2.8.1")
"""Deflated Image Frame Compression (PS3.5 A.4): newer than pydicom's list; needs nothing but Python."""

_PACKAGES = {
    "1.2.840.10008.1.2.4.50": ("pillow", "python-gdcm"),
    "1.2.840.10008.1.2.4.51": ("python-gdcm",),
    "1.2.840.10008.1.2.4.57": ("python-gdcm",),
    "1.2.840.10008.1.2.4.70": ("python-gdcm",),
    "1.2.840.10008.1.2.4.80": ("pyjpegls", "python-gdcm"),
    "1.2.840.10008.1.2.4.81": ("pyjpegls", "python-gdcm"),
    "1.2.840.10008.1.2.4.90": ("pylibjpeg", "pylibjpeg-openjpeg"),
    "1.2.840.10008.1.2.4.91": ("pylibjpeg", "pylibjpeg-openjpeg"),
    "1.2.840.10008.1.2.4.201": ("pylibjpeg", "pylibjpeg-openjpeg"),
    "1.2.840.10008.1.2.4.202": ("pylibjpeg", "pylibjpeg-openjpeg"),
    "1.2.840.10008.1.2.4.203": ("pylibjpeg", "pylibjpeg-openjpeg"),
    "1.2.840.10008.1.2.5": ("pylibjpeg", "pylibjpeg-rle"),
    DEFLATED_FRAMES: (),
}
"""Compressed transfer syntaxes that can be read, with the packages that do it best."""


_PREFERRED = {
    "1.2.840.10008.1.2.4.50": ("pillow",),
    "1.2.840.10008.1.2.4.51": ("pillow",),
    "1.2.840.10008.1.2.4.80": ("pyjpegls",),
    "1.2.840.10008.1.2.4.81": ("pyjpegls",),
    "1.2.840.10008.1.2.4.90": ("pillow", "pylibjpeg"),
    "1.2.840.10008.1.2.4.91": ("pillow", "pylibjpeg"),
    "1.2.840.10008.1.2.5": ("pylibjpeg", "pydicom"),
}
"""pydicom's plugins to be tried, in this order, where any of them is installed.

They are the faster ones on CR films; and GDCM, which ends the whole program on some damaged codestreams, is
left to the syntaxes that nobody else decodes.
"""


@dataclass(frozen=True)
class Codec:
    """Whether pixel data of a transfer syntax can be decoded on this machine.

    Parameters
    ----------
    syntax
        Transfer syntax UID.
    name
        Its name in the standard.
    available
        Whether a decoder is installed.
    packages
        What to install for it; nothing where it comes with Python.
    plugins
        pydicom's plugins in the order in which they are to be tried.
    """

    syntax: str
    name: str
    available: bool
    packages: tuple[str, ...]
    plugins: tuple[str, ...] = ()


def codec_for(syntax: UID) -> Codec | None:
    """Return the codec of a transfer syntax; None where there is none that we could install."""
    if syntax == DEFLATED_FRAMES:
        return Codec(str(syntax), "Deflated Image Frame Compression", True, ())
    name = syntax.name.split(":")[0].strip()
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        return None
    available = decoder.available_plugins if syntax.is_encapsulated else ()
    preferred = tuple(plugin for plugin in _PREFERRED.get(str(syntax), ()) if plugin in available)
    return Codec(
        str(syntax),
        name,
        bool(decoder.is_available),
        _PACKAGES.get(str(syntax), ()),
        preferred or tuple(available),
    )


def codecs() -> tuple[Codec, ...]:
    """Return all compressed transfer syntaxes that the program knows, with their availability."""
    found = (codec_for(UID(syntax)) for syntax in _PACKAGES)
    return tuple(codec for codec in found if codec is not None)


@dataclass(frozen=True)
class CodedFrame:
    """What a codestream says about itself.

    Parameters
    ----------
    rows, columns, samples
        Size; rows may be 0 in a JPEG that states them after its first scan.
    bits
        Precision of a sample.
    """

    rows: int
    columns: int
    samples: int
    bits: int


def coded_frame(data: bytes) -> CodedFrame | None:
    """Read the size that a JPEG, JPEG-LS or JPEG 2000 codestream claims.

    A decoder reserves memory for this size and not for the one in the data set, so that it has to be looked
    at first (ISO/IEC 10918-1 B.2.2, 14495-1 C.2.2, 15444-1 A.5.1).

    Returns
    -------
    CodedFrame or None
        None where the bytes are no such codestream or end before saying so.
    """
    if data[:2] == b"\xff\xd8":
        return _jpeg_frame(data)
    start = data.find(b"\xff\x4f\xff\x51", 0, 4096)  # SOC and SIZ, alone or inside a JP2 box
    if start < 0 or len(data) < start + 43:
        return None
    siz = data[start + 4 :]
    right, bottom, left, top = (int.from_bytes(siz[at : at + 4], "big") for at in (4, 8, 12, 16))
    return CodedFrame(bottom - top, right - left, int.from_bytes(siz[36:38], "big"), (siz[38] & 0x7F) + 1)


def has_endless_box(data: bytes) -> bool:
    """Whether a JP2 file has a box of no length before its codestream: pydicom would never get past it.

    Boxes as in ISO/IEC 15444-1 I.4; a bare codestream has none.
    """
    if not data.startswith(b"\x00\x00\x00\x0cjP  "):
        return False
    at = 12
    while at < len(data) and data[at + 4 : at + 8] != b"jp2c":
        length = int.from_bytes(data[at : at + 4], "big")
        if length < 8:
            return True
        at += length
    return False


def _jpeg_frame(data: bytes) -> CodedFrame | None:
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        is_frame = 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)
        if is_frame or marker == 0xF7:
            rows = int.from_bytes(data[at + 5 : at + 7], "big")
            columns = int.from_bytes(data[at + 7 : at + 9], "big")
            return CodedFrame(rows, columns, data[at + 9], data[at + 4])
        at += 2 + max(int.from_bytes(data[at + 2 : at + 4], "big"), 2)
    return None


def decode_extended(frame: bytes, coded: CodedFrame) -> npt.NDArray[np.uint16]:
    """Decode 12-bit gray JPEG Extended (Process 2 and 4) with GDCM.

    pydicom keeps GDCM from this syntax because it hands over the bits of the data set; with the precision of
    the codestream itself GDCM decodes it rightly.

    Parameters
    ----------
    frame
        One compressed frame.
    coded
        What it says about itself.

    Returns
    -------
    ndarray
        Shape (rows, columns).

    Raises
    ------
    ValueError
        If GDCM cannot decode it.
    ImportError
        If GDCM is not installed.
    """
    import gdcm

    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((coded.columns, coded.rows, 1))
    image.SetDataElement(element)
    image.SetPhotometricInterpretation(
        gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2)
    )
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGExtendedProcess2_4))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, coded.bits, coded.bits - 1, 0))
    buffer = image.GetBuffer()
    if buffer is None:
        raise ValueError("GDCM found no image in them")
    # The bindings hand over bytes as text.
    values = np.frombuffer(buffer.encode("utf-8", "surrogateescape"), dtype="<u2")
    if values.size != coded.rows * coded.columns:
        raise ValueError("the image is incomplete")
    return values.reshape(coded.rows, coded.columns)
