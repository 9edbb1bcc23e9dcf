from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reader_app.errors import ImageError
from reader_app.imaging.display import to_display
from reader_app.imaging.files import image_format, read_header, read_radiograph

EIGHT = np.arange(200, dtype=np.uint8).reshape(10, 20)
SIXTEEN = (np.arange(200, dtype=np.uint16) * 300).reshape(10, 20)


@pytest.mark.parametrize(("suffix", "kind"), [("png", "PNG"), ("tif", "TIFF"), ("webp", "WebP")])
def test_eight_bits_are_shown_as_they_are(tmp_path: Path, suffix: str, kind: str) -> None:
    path = tmp_path / f"film.{suffix}"
    image = Image.fromarray(EIGHT)
    image.save(path, lossless=True) if suffix == "webp" else image.save(path)
    film = read_radiograph(path)
    assert (film.header.format, image_format(path)) == (kind, kind)
    assert np.array_equal(to_display(film), EIGHT)
    assert np.array_equal(to_display(film, inverted=True), 255 - EIGHT)
    assert not film.header.spacing.measurable


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_kept(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"film.{suffix}"
    Image.fromarray(SIXTEEN).save(path)
    film = read_radiograph(path)
    assert film.header.bits_stored == 16
    assert np.array_equal(film.pixels, SIXTEEN)
    shown = to_display(film)
    assert shown[0, 0] == 0
    assert shown[-1, -1] == 255


def test_big_endian_tiff(tmp_path: Path) -> None:
    path = tmp_path / "film.tif"
    Image.frombytes("I;16B", (20, 10), SIXTEEN.astype(">u2").tobytes()).save(path)
    assert np.array_equal(read_radiograph(path).pixels, SIXTEEN)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "lzw.tif"])
def test_orientation_is_respected(tmp_path: Path, orientation: int, suffix: str) -> None:
    # Where the first stored row and column lie in the upright image (Exif 2.3, 4.6.4 A).
    upright = {
        1: EIGHT,
        2: EIGHT[:, ::-1],
        3: EIGHT[::-1, ::-1],
        4: EIGHT[::-1],
        5: EIGHT.T,
        6: EIGHT.T[:, ::-1],
        7: EIGHT.T[::-1, ::-1],
        8: EIGHT.T[::-1],
    }[orientation]
    image = Image.fromarray(EIGHT)
    exif = image.getexif()
    exif[0x0112] = orientation
    path = tmp_path / f"film.{suffix}"
    if suffix == "lzw.tif":
        image.save(path, exif=exif, compression="tiff_lzw")
    else:
        image.save(path, exif=exif, quality=100)
    header = read_header(path)
    film = read_radiograph(path)
    assert (header.rows, header.columns) == upright.shape == film.pixels.shape
    assert np.abs(film.pixels.astype(int) - upright).max() <= (2 if suffix == "jpg" else 0)
    assert bool(film.header.notes) == (orientation != 1)


def test_colour_and_transparency_become_gray_on_black(tmp_path: Path) -> None:
    colour = np.zeros((1, 3, 4), dtype=np.uint8)
    colour[0] = [[255, 0, 0, 255], [90, 90, 90, 255], [255, 255, 255, 0]]
    path = tmp_path / "film.png"
    Image.fromarray(colour).save(path)
    film = read_radiograph(path)
    assert film.pixels[0].tolist() == [76, 90, 0]
    assert "gray" in film.header.notes[0]


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_truncated_file_is_one_sentence(tmp_path: Path, suffix: str, share: float) -> None:
    rng = np.random.default_rng(3)
    path = tmp_path / f"film.{suffix}"
    Image.fromarray(rng.integers(0, 255, (100, 100), dtype=np.uint8)).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ImageError) as caught:
        read_radiograph(path)
    assert str(path) in caught.value.what
    assert "damaged or truncated" in caught.value.what


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    path = tmp_path / "bomb.png"
    for side in (15_000, 60_000):
        size = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        path.write_bytes(
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
        )
        for read in (read_header, read_radiograph):
            with pytest.raises(ImageError, match=r"million values|absurdly large"):
                read(path)


def test_floating_point_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "film.tif"
    Image.fromarray(SIXTEEN.astype(np.float32)).save(path)
    with pytest.raises(ImageError, match="floating-point"):
        read_radiograph(path)
