"""Texts inside compressed images: comments and application data of JPEG, JPEG-LS and JPEG 2000.

A codestream can say who made it and of whom, beside the picture. What decides no pixel is taken out or
blanked; the compressed picture itself stays bit by bit.
"""

from __future__ import annotations

import re

_SOI, _EOI, _SOS, _COM, _SOF_LS, _LSE = 0xD8, 0xD9, 0xDA, 0xFE, 0xF7, 0xF8
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_APP0, _APP8, _APP14, _APP15 = 0xE0, 0xE8, 0xEE, 0xEF
_JFIF_LENGTH = 14  # up to the thumbnail
_LONGEST_COLOUR_TRANSFORM = 9
# Behind FF, coded data have 00 or a restart marker in JPEG, and a byte below 80 in JPEG-LS
# (ISO/IEC 10918-1 B.1.1.5, 14495-1 A.1).
_NEXT_JPEG = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_NEXT_JPEG_LS = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]", re.DOTALL)

_J2K_START = b"\xff\x4f\xff\x51"
_JP2_START = b"\x00\x00\x00\x0cjP  "
_SOT, _SOD, _J2K_EOC, _J2K_COM = 0x90, 0x93, 0xD9, 0x64
_CHANGING_BOXES = frozenset({b"pclr", b"cmap", b"cdef"})  # a palette or another order of channels


def without_texts(codestream: bytes) -> bytes | None:
    """Return a JPEG, JPEG-LS or JPEG 2000 codestream without the texts that it carries.

    JPEG (ISO/IEC 10918-1 B.2): comments and application segments go, but for the three that tell a decoder
    about colour: JFIF without its thumbnail, "mrfx" and "Adobe". JPEG 2000 (ISO/IEC 15444-1 A.9.2, I.4):
    the content of comments becomes zeros, so that all lengths in the codestream hold; of a JP2 file the
    codestream alone stays. Whatever follows the end of the image goes.

    Returns
    -------
    bytes or None
        None where the structure cannot be followed to its end, so that nothing can be promised about it.
    """
    if codestream[:2] == b"\xff\xd8":
        return _jpeg(codestream)
    if codestream.startswith(_JP2_START):
        inner = _contiguous_codestream(codestream)
        return None if inner is None else _jpeg_2000(inner)
    if codestream.startswith(_J2K_START):
        return _jpeg_2000(codestream)
    return None


def _jpeg(data: bytes) -> bytes | None:
    kept = [data[:2]]
    at, is_ls = 2, False
    while at + 1 < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker == _EOI:
            return b"".join((*kept, data[at : at + 2]))
        if marker in _STANDALONE:
            kept.append(data[at : at + 2])
            at += 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end < at + 4 or end > len(data) or not _is_known(marker):
            return None
        is_ls = is_ls or marker == _SOF_LS
        kept.append(_kept_segment(marker, data[at:end]))
        at = end
        if marker == _SOS:
            found = (_NEXT_JPEG_LS if is_ls else _NEXT_JPEG).search(data, at)
            if found is None:
                return None
            kept.append(data[at : found.start()])
            at = found.start()
    return None  # truncated


def _is_known(marker: int) -> bool:
    return 0xC0 <= marker <= _APP15 or marker in (_COM, _SOF_LS, _LSE)


def _kept_segment(marker: int, segment: bytes) -> bytes:
    """What stays of a marker segment; `segment` begins with its marker and length."""
    if marker == _COM:
        return b""
    if not _APP0 <= marker <= _APP15:
        return segment
    payload = segment[4:]
    if marker == _APP0 and payload[:5] == b"JFIF\x00" and len(payload) >= _JFIF_LENGTH:
        return segment[:2] + (_JFIF_LENGTH + 2).to_bytes(2, "big") + payload[: _JFIF_LENGTH - 2] + b"\x00\x00"
    if marker == _APP8 and payload[:4] == b"mrfx" and len(payload) <= _LONGEST_COLOUR_TRANSFORM:
        return segment
    if marker == _APP14 and payload[:5] == b"Adobe" and len(payload) >= 12:
        return segment[:2] + b"\x00\x0e" + payload[:12]
    return b""


def _contiguous_codestream(data: bytes) -> bytes | None:
    """Codestream of a JP2 file; None where another box decides about the picture."""
    at = 0
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        start = at + 8
        if length == 1:
            length, start = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        end = len(data) if length == 0 else at + length
        if kind == b"jp2c":
            return data[start:end]
        if end < start or (kind == b"jp2h" and any(box in data[start:end] for box in _CHANGING_BOXES)):
            return None
        at = end
    return None


def _jpeg_2000(data: bytes) -> bytes | None:
    blanked = bytearray(data)
    at = 2
    while data[at : at + 1] == b"\xff":
        marker = data[at + 1 : at + 2]
        if marker == bytes((_J2K_EOC,)):
            return bytes(blanked[: at + 2])
        reach = _tile_part if marker == bytes((_SOT,)) else _segment
        after = reach(data, blanked, at)
        if after is None:
            return None
        at = after
    return None  # truncated


def _segment(data: bytes, blanked: bytearray, at: int) -> int | None:
    """Blank a marker segment that is a comment; where the next one begins, None if that is nowhere."""
    if at + 4 > len(data):
        return None
    end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    if data[at] != 0xFF or data[at + 1] < 0x40 or end < at + 4 or end > len(data):
        return None
    if data[at + 1] == _J2K_COM:
        blanked[at + 4 : end] = bytes(end - at - 4)
    return end


def _tile_part(data: bytes, blanked: bytearray, start: int) -> int | None:
    """Blank the comments in the header of a tile-part; where the next one begins."""
    length = int.from_bytes(data[start + 6 : start + 10], "big")
    at = start + 12
    while data[at : at + 2] != bytes((0xFF, _SOD)):
        after = _segment(data, blanked, at)
        if after is None:
            return None
        at = after
    if length == 0:  # the last one, up to the end of the image
        end = data.rfind(bytes((0xFF, _J2K_EOC)), at)
        return end if end >= 0 else None
    return max(start + length, at + 2)
