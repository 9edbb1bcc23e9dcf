"""Files that somebody made to do harm, or that look like it."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from tests.imaging.conftest import film_dataset

JPEG_BASELINE, JPEG_EXTENDED, JPEG_LOSSLESS = (
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.70",
)
JPEG_LS, JPEG_2000, HTJ2K, RLE = (
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.5",
)

SIDE = 10_000
"""Rows and columns that are still allowed, but more than any radiograph has."""


def segment(marker: int, content: bytes) -> bytes:
    """One marker segment of a JPEG (ISO/IEC 10918-1 B.1.1.4)."""
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def encoded(path: Path, frame: bytes, syntax: str, *, side: int = 64, dtype: type = np.uint16) -> Path:
    """A film whose pixels are said to be this codestream."""
    dataset = film_dataset(np.zeros((1, 1), dtype))
    dataset.Rows = dataset.Columns = side
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.save_as(path, enforce_file_format=True)
    return path


def jpeg(*, side: int = 64, precision: int = 16, marker: int = 0xC3, between: bytes = b"") -> bytes:
    """A JPEG of one component with next to no image in it; `between` comes after the frame header."""
    size = side.to_bytes(2, "big") * 2
    return (
        b"\xff\xd8"
        + segment(marker, bytes((precision,)) + size + bytes((1, 1, 0x11, 0)))
        + between
        + segment(0xDB, bytes(65))
        + segment(0xC4, bytes((0, 0, 1, 1, *([0] * 13), 4, 5)))
        + segment(0xC4, bytes((0x10, 0, 1, 1, *([0] * 13), 4, 5)))
        + segment(0xDA, bytes((1, 1, 0, 1, 0, 0)))
        + b"\x12\x34" * 2000
        + b"\xff\xd9"
    )


def jpeg_ls(side: int) -> bytes:
    """A JPEG-LS with next to no image in it (ISO/IEC 14495-1 C.2)."""
    size = side.to_bytes(2, "big") * 2
    frame = segment(0xF7, b"\x10" + size + b"\x01\x01\x11\x00")
    return b"\xff\xd8" + frame + segment(0xDA, b"\x01\x01\x00\x00\x00\x00") + bytes(100) + b"\xff\xd9"


def jpeg_2000(side: int, *, tile: int | None = None) -> bytes:
    """A JPEG 2000 of the main header and one tile-part without data (ISO/IEC 15444-1 A.4 and A.5)."""
    edge = side if tile is None else tile
    siz = struct.pack(">H8IH3B", 0, side, side, 0, 0, edge, edge, 0, 0, 1, 15, 1, 1)
    cod = bytes((0, 0, 0, 1, 0, 5, 4, 4, 0, 1))
    qcd = bytes((0x40, *([0x80] * 16)))
    tile_part = segment(0x90, struct.pack(">HIBB", 0, 14, 0, 1)) + b"\xff\x93"
    return (
        b"\xff\x4f" + segment(0x51, siz) + segment(0x52, cod) + segment(0x5C, qcd) + tile_part + b"\xff\xd9"
    )


def run_lengths(*, offsets: tuple[int, ...] = (64, 66), data: bytes = b"\x81\x00" * 2) -> bytes:
    """An RLE frame (PS3.5 G.5): the number of segments, where each begins, and their data."""
    header = struct.pack("<16I", len(offsets), *offsets, *([0] * (15 - len(offsets))))
    return header + data


def png(path: Path, *, side: int, chunks: tuple[tuple[bytes, bytes], ...] = (), rows: int = 0) -> Path:
    """An 8-bit gray PNG that says this size and has so many empty rows, with further chunks before them."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    extra = b"".join(chunk(name, data) for name, data in chunks)
    body = chunk(b"IDAT", zlib.compress(bytes((side + 1) * rows), 9))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + extra + body + chunk(b"IEND", b""))
    return path


def tiff(
    path: Path, entries: dict[int, tuple[int, int, int]], *, following: int = 0, data: bytes = b""
) -> Path:
    """A little-endian TIFF of one directory; `entries` are tag: (type, count, value)."""
    listed = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    path.write_bytes(
        b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + listed + struct.pack("<I", following) + data
    )
    return path


def gray_tiff(
    side: int, *, compression: int = 1, strip_at: int = 0, strip_bytes: int = 0
) -> dict[int, tuple[int, int, int]]:
    """Entries of an 8-bit gray TIFF in one strip."""
    return {
        256: (4, 1, side),
        257: (4, 1, side),
        258: (3, 1, 8),
        259: (3, 1, compression),
        262: (3, 1, 1),
        273: (4, 1, strip_at),
        277: (3, 1, 1),
        278: (4, 1, side),
        279: (4, 1, strip_bytes),
    }


def webp(path: Path, side: int) -> Path:
    """A lossless WebP that says this size; its image is that of 8 x 8 black pixels."""
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, format="WEBP", lossless=True)
    data = bytearray(buffer.getvalue())
    at = data.index(b"VP8L") + 9  # behind length and signature: twice 14 bits, each less one
    rest = int.from_bytes(data[at : at + 4], "little") >> 28 << 28
    data[at : at + 4] = (rest | (side - 1) << 14 | (side - 1)).to_bytes(4, "little")
    path.write_bytes(data)
    return path


def nested(depth: int) -> Dataset:
    """A data set with that many sequences inside each other."""
    inner = Dataset()
    inner.CodeMeaning = "innermost"
    for _ in range(depth):
        outer = Dataset()
        outer.ViewCodeSequence = [inner]
        inner = outer
    return inner
