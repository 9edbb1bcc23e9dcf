"""Whether the head of a JPEG codestream holds together: looked at before a decoder that might not survive."""

from __future__ import annotations

_SOF_LOSSLESS = 0xC3
_SOFS = frozenset({0xC0, 0xC1, 0xC2, _SOF_LOSSLESS})  # Huffman coded, not hierarchical
_DHT, _SOI, _SOS, _DQT, _DRI, _COM = 0xC4, 0xD8, 0xDA, 0xDB, 0xDD, 0xFE
_MISCELLANEOUS = frozenset({_DRI, _COM, *range(0xE0, 0xF0)})


def jpeg_fault(data: bytes) -> str:
    """Say what is wrong with a JPEG up to its first scan (ISO/IEC 10918-1 B.1 and B.2).

    GDCM, which alone decodes JPEG Lossless and 12-bit JPEG, ends the whole program where a codestream states
    an impossible precision or loses its thread between two segments.

    Parameters
    ----------
    data
        One frame. Huffman-coded sequential, progressive or lossless.

    Returns
    -------
    str
        Words without a full stop; empty where nothing is wrong.
    """
    if data[:2] != bytes((0xFF, _SOI)):
        return "they do not begin like a JPEG"
    at, has_frame = 2, False
    while True:
        while data[at : at + 2] == b"\xff\xff":  # fill bytes
            at += 1
        if len(data) < at + 4 or data[at] != 0xFF:
            return "they end, or lose their thread, before the image begins"
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at + 4 : at + 2 + length]
        if length < 2 or len(segment) != length - 2:
            return "a segment before the image is longer than the data"
        if marker in _SOFS:
            fault = "they describe two images" if has_frame else _frame_fault(marker, segment)
            has_frame = True
        elif marker == _SOS:
            return _scan_fault(segment) if has_frame else "the size of the image is missing"
        elif marker == _DHT:
            fault = _huffman_fault(segment)
        elif marker == _DQT:
            fault = _quantization_fault(segment)
        else:
            fault = (
                "" if marker in _MISCELLANEOUS else f"the marker FF{marker:02X} has no place before an image"
            )
        if fault:
            return fault
        at += 2 + length


def _frame_fault(marker: int, segment: bytes) -> str:
    """B.2.2: precision, lines, samples a line, components with their sampling factors."""
    if len(segment) < 6 or len(segment) != 6 + 3 * segment[5] or not 1 <= segment[5] <= 4:
        return "the description of the image has a wrong length"
    precision = segment[0]
    allowed = range(2, 17) if marker == _SOF_LOSSLESS else (8, 12)
    if precision not in allowed:
        return f"a precision of {precision} bits is impossible"
    for factors, table in zip(segment[7::3], segment[8::3], strict=True):
        if not (1 <= factors >> 4 <= 4 and 1 <= factors & 15 <= 4 and table <= 3):
            return "the sampling of a component is impossible"
    return ""


def _scan_fault(segment: bytes) -> str:
    """B.2.3: components of the scan with their tables, then three bytes that many producers get wrong."""
    if len(segment) < 1 or not 1 <= segment[0] <= 4 or len(segment) != 4 + 2 * segment[0]:
        return "the beginning of the image has a wrong length"
    return ""


def _huffman_fault(segment: bytes) -> str:
    """B.2.4.2: one or more tables of 16 counts and their values; no more codes of a length than fit."""
    while segment:
        counts = segment[1:17]
        if len(counts) < 16 or segment[0] >> 4 > 1 or segment[0] & 15 > 3:
            return "a Huffman table is damaged"
        free = 1
        for count in counts:
            free = 2 * free - count
            if free < 0:
                return "a Huffman table has more codes than there can be"
        total = 17 + sum(counts)
        if len(segment) < total:
            return "a Huffman table is damaged"
        segment = segment[total:]
    return ""


def _quantization_fault(segment: bytes) -> str:
    """B.2.4.1: one or more tables of 64 values of one or two bytes."""
    while segment:
        if segment[0] >> 4 > 1 or segment[0] & 15 > 3:
            return "a quantization table is damaged"
        total = 1 + 64 * (1 + (segment[0] >> 4))
        if len(segment) < total:
            return "a quantization table is damaged"
        segment = segment[total:]
    return ""
