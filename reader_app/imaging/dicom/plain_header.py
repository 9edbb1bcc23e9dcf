"""The header of an ordinary file, read in one go; whatever is unusual is left to pydicom.

A cohort has 100,000 files, nearly all of them written by the book: elements in ascending order, little
endian, lengths that fit. Of these only the few elements that a header needs are taken (PS3.5 7.1,
PS3.10 7.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from struct import Struct
from typing import cast

from pydicom.charset import convert_encodings
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement, empty_value_for_VR
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import BaseTag

REACH = 1 << 16
"""Bytes at the beginning of a file within which an ordinary header ends."""

_SYNTAXES = b"1.2.840.10008.1.2"
_IMPLICIT = b"1.2.840.10008.1.2"
# Big endian and deflated data, which no byte can be taken from as it stands.
_NOT_PLAIN = (
    b"1.2.840.10008.1.2.2",
    b"1.2.840.10008.1.2.1.99",
    b"1.2.840.10008.1.2.4.95",
    b"1.2.840.10008.1.2.4.205",
)
_SHORT = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_NESTING = 16
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_META_END = 0x00030000
_PIXELS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
_CHARACTER_SET = 0x00080005
_SYNTAX = 0x00020010

_TAG = Struct("<HH").unpack_from
_LENGTH_16 = Struct("<H").unpack_from
_LENGTH_32 = Struct("<I").unpack_from

Elements = dict[BaseTag, DataElement | RawDataElement]


class _Unusual(Exception):
    """Something that pydicom is to judge."""


def plain_header(start: bytes, *, whole: bool, wanted: Mapping[int, BaseTag]) -> Dataset | None:
    """Read what a header needs from the first bytes of a file.

    Parameters
    ----------
    start
        The first bytes of the file, `REACH` of them or all.
    whole
        Whether `start` is the whole file.
    wanted
        Tags of the elements that are taken, by number.

    Returns
    -------
    Dataset or None
        With raw elements and the file meta group, as pydicom would read it; None where anything is unusual.
    """
    if start[128:132] != b"DICM":
        return None
    try:
        meta, place = _elements(start, 132, wanted=None, explicit=True, whole=whole)
        syntax = _plain_syntax(meta)
        explicit = syntax != _IMPLICIT
        found, _ = _elements(start, place, wanted=wanted, explicit=explicit, whole=whole)
        return _dataset(meta, found, explicit=explicit)
    except (_Unusual, IndexError, LookupError, ValueError):
        return None


def _plain_syntax(meta: Elements) -> bytes:
    element = meta.get(BaseTag(_SYNTAX))
    syntax = (element.value or b"").rstrip(b"\0 ") if element is not None else b""
    if not syntax.startswith(_SYNTAXES) or syntax in _NOT_PLAIN:
        raise _Unusual
    return syntax


def _dataset(meta: Elements, found: Elements, *, explicit: bool) -> Dataset:
    dataset = Dataset(found)
    dataset.file_meta = FileMetaDataset(meta)
    stated = found.get(BaseTag(_CHARACTER_SET))
    names = ((stated.value or b"") if stated is not None else b"").decode("ascii").split("\\")
    encodings = convert_encodings([name.strip(" \0") for name in names])
    dataset.set_original_encoding(not explicit, True, encodings)
    return dataset


def _elements(
    data: bytes, place: int, *, wanted: Mapping[int, BaseTag] | None, explicit: bool, whole: bool
) -> tuple[Elements, int]:
    """Take elements up to the pixels, or to the end of the file meta group where none are named.

    Returns
    -------
    tuple
        The elements, and where the first one stands that was not looked at.
    """
    found: Elements = {}
    last = -1
    size = len(data)
    while True:
        if place + 8 > size:
            if whole and place == size:
                return found, place
            raise _Unusual
        group, element = _TAG(data, place)
        number = group << 16 | element
        if number in _PIXELS or (wanted is None and number >= _META_END):
            return found, place
        if number <= last:
            raise _Unusual
        last = number
        vr, length, start = _head(data, place, explicit)
        if length == _UNDEFINED:
            if vr not in (b"SQ", b"UN", b"") or (wanted is not None and number in wanted):
                raise _Unusual
            place = _after_items(data, start, explicit and vr == b"SQ", 0)
            continue
        place = start + length
        if wanted is not None and number not in wanted:
            continue
        if place > size:
            raise _Unusual
        tag = wanted[number] if wanted is not None else BaseTag(number)
        name = vr.decode("ascii") if explicit else _vr_of(number)
        value = data[start:place] if length else cast(bytes | None, empty_value_for_VR(name, raw=True))
        found[tag] = RawDataElement(tag, name, length, value, start, not explicit, True)


def _head(data: bytes, place: int, explicit: bool) -> tuple[bytes, int, int]:
    """VR (empty where implicit), length of the value, and where it begins."""
    if not explicit:
        return b"", _LENGTH_32(data, place + 4)[0], place + 8
    vr = data[place + 4 : place + 6]
    if vr in _SHORT:
        return vr, _LENGTH_16(data, place + 6)[0], place + 8
    if vr in _LONG and place + 12 <= len(data):
        return vr, _LENGTH_32(data, place + 8)[0], place + 12
    raise _Unusual


def _after_items(data: bytes, place: int, explicit: bool, depth: int) -> int:
    """Return where a sequence of undefined length ends (PS3.5 7.5.2)."""
    if depth > _NESTING:
        raise _Unusual
    while place + 8 <= len(data):
        group, element = _TAG(data, place)
        number, length = group << 16 | element, _LENGTH_32(data, place + 4)[0]
        place += 8
        if number == _SEQUENCE_END:
            return place
        if number != _ITEM:
            raise _Unusual
        place = _after_item(data, place, explicit, depth) if length == _UNDEFINED else place + length
    raise _Unusual


def _after_item(data: bytes, place: int, explicit: bool, depth: int) -> int:
    """Return where an item of undefined length ends."""
    while place + 8 <= len(data):
        group, element = _TAG(data, place)
        if group << 16 | element == _ITEM_END:
            return place + 8
        vr, length, start = _head(data, place, explicit)
        if length != _UNDEFINED:
            place = start + length
        elif vr in (b"SQ", b"UN", b""):
            place = _after_items(data, start, explicit and vr == b"SQ", depth + 1)
        else:
            raise _Unusual
    raise _Unusual


@cache
def _vr_of(number: int) -> str:
    return dictionary_VR(number)
