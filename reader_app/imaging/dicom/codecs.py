"""Decoders of compressed pixel data: what is here, what is missing, and the size a codestream claims."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

_PACKAGES = {
    "1.2.840.10008.1.2.4.50": ("python-gdcm",),
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
}
"""Compressed transfer syntaxes that can be read, with the packages that do it best."""


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
        What to install for it.
    """

    syntax: str
    name: str
    available: bool
    packages: tuple[str, ...]


def codec_for(syntax: UID) -> Codec | None:
    """Return the codec of a transfer syntax; None where there is none that we could install."""
    name = syntax.name.split(":")[0].strip()
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        return None
    packages = _PACKAGES.get(str(syntax), ())
    return Codec(str(syntax), name, bool(decoder.is_available), packages)


def codecs() -> tuple[Codec, ...]:
    """Return all compressed transfer syntaxes that the program knows, with their availability."""
    found = (codec_for(UID(syntax)) for syntax in _PACKAGES)
    return tuple(codec for codec in found if codec is not None)


def coded_size(data: bytes) -> tuple[int, int, int] | None:
    """Rows, columns and samples that a JPEG, JPEG-LS or JPEG 2000 codestream claims.

    A decoder reserves memory for this size and not for the one in the data set, so that it has to be looked
    at first (ISO/IEC 10918-1 B.2.2, 14495-1 C.2.2, 15444-1 A.5.1).

    Returns
    -------
    tuple of int or None
        None where the bytes are no such codestream or end before saying so.
    """
    if data[:2] == b"\xff\xd8":
        return _jpeg_size(data)
    start = data.find(b"\xff\x4f\xff\x51", 0, 4096)  # SOC and SIZ, alone or inside a JP2 box
    if start < 0 or len(data) < start + 42:
        return None
    siz = data[start + 4 :]
    right, bottom, left, top = (int.from_bytes(siz[at : at + 4], "big") for at in (4, 8, 12, 16))
    return bottom - top, right - left, int.from_bytes(siz[36:38], "big")


def _jpeg_size(data: bytes) -> tuple[int, int, int] | None:
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
            return rows, columns, data[at + 9]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
