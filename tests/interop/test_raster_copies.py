"""Copies of PNG, JPEG, TIFF and WebP films: pixels, and nothing else."""

from __future__ import annotations

import stat
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import ExifTags, Image, PngImagePlugin

from reader_app.errors import ImageError
from reader_app.imaging.files import read_radiograph
from reader_app.interop.deidentify import deidentified_copy
from tests.interop.conftest import how

SECRET = "Doe^Jane 1949"


def gray() -> npt.NDArray[np.uint8]:
    return (np.add.outer(np.arange(24), 3 * np.arange(32)) % 256).astype(np.uint8)


def exif(orientation: int = 1) -> Image.Exif:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    tags[ExifTags.Base.ImageDescription] = SECRET
    tags.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = SECRET
    return tags


def chunks(png: Path) -> list[bytes]:
    """Names of the chunks of a PNG file."""
    data, at, found = png.read_bytes(), 8, []
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        found.append(name)
        at += 12 + length
    return found


def copy_of(source: Path) -> Path:
    target = source.with_name("copy.png")
    deidentified_copy(source, target, how())
    return target


def save(folder: Path, kind: str, picture: Image.Image) -> Path:
    """A film with a person in all the places that its format has."""
    path = folder / f"source.{kind}"
    options: dict[str, Any] = {"exif": exif()}
    if kind == "png":
        text = PngImagePlugin.PngInfo()
        text.add_text("Patient", SECRET)
        text.add_itxt("XML:com.adobe.xmp", SECRET)
        options |= {"pnginfo": text, "icc_profile": SECRET.encode(), "dpi": (300, 300)}
    elif kind == "jpg":
        options |= {
            "comment": SECRET,
            "icc_profile": SECRET.encode(),
            "xmp": SECRET.encode(),
            "dpi": (300, 300),
        }
    elif kind == "tif":
        options |= {"description": SECRET, "artist": SECRET, "resolution": 300}
    else:
        options |= {"lossless": True, "xmp": SECRET.encode(), "icc_profile": SECRET.encode()}
    picture.save(path, **options)
    return path


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("colour", [False, True])
def test_pixels_stay_and_words_go(kind: str, colour: bool, tmp_path: Path) -> None:
    pixels = np.stack([gray(), gray().T.reshape(24, 32), 255 - gray()], axis=-1) if colour else gray()
    source = save(tmp_path, kind, Image.fromarray(pixels))
    assert SECRET.encode() in source.read_bytes()
    copy = copy_of(source)
    assert set(chunks(copy)) == {b"IHDR", b"IDAT", b"IEND"}
    assert read_radiograph(copy).pixel_sha256 == read_radiograph(source).pixel_sha256
    with Image.open(copy) as image:
        assert image.mode == read_radiograph(source).header.photometric
        assert image.info == {}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpg", "tif", "png"])
def test_a_copy_stands_upright_without_saying_how_it_stood(
    orientation: int, kind: str, tmp_path: Path
) -> None:
    source = tmp_path / f"source.{kind}"
    Image.fromarray(np.stack([gray()] * 3, axis=-1)).save(source, exif=exif(orientation))
    before, after = read_radiograph(source), read_radiograph(copy_of(source))
    assert after.pixels.shape == before.pixels.shape
    assert after.pixel_sha256 == before.pixel_sha256


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "CMYK", "I;16"])
def test_every_mode_is_copied_as_readers_see_it(mode: str, tmp_path: Path) -> None:
    wide = Image.fromarray(gray().astype(np.uint16) * 200)
    source = tmp_path / "source.tif"
    (wide if mode == "I;16" else Image.fromarray(gray()).convert("RGB").convert(mode)).save(source)
    assert read_radiograph(copy_of(source)).pixel_sha256 == read_radiograph(source).pixel_sha256


def test_the_second_image_of_a_file_is_left_behind(tmp_path: Path) -> None:
    source = tmp_path / "source.tif"
    second = Image.fromarray(255 - gray())
    Image.fromarray(gray()).save(source, save_all=True, append_images=[second])
    notes = deidentified_copy(source, tmp_path / "copy.png", how())
    assert any("first of 2 images" in note for note in notes)
    with Image.open(tmp_path / "copy.png") as image:
        assert getattr(image, "n_frames", 1) == 1


def test_somebody_is_asked_to_look_for_burned_in_text(tmp_path: Path) -> None:
    source = save(tmp_path, "png", Image.fromarray(gray()))
    notes = deidentified_copy(source, tmp_path / "copy.png", how())
    assert any("burned into the picture" in note for note in notes)


def test_a_damaged_film_leaves_no_copy(tmp_path: Path) -> None:
    source = save(tmp_path, "png", Image.fromarray(gray()))
    source.write_bytes(source.read_bytes()[:200])
    with pytest.raises(ImageError, match="damaged"):
        copy_of(source)
    assert [path.name for path in tmp_path.iterdir()] == ["source.png"]


def test_an_older_copy_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "copy.png").write_bytes(b"older")
    copy = copy_of(save(tmp_path, "jpg", Image.fromarray(gray())))
    assert read_radiograph(copy).pixels.shape == (24, 32)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_a_copy_can_be_read_by_whoever_may_enter_the_folder(tmp_path: Path) -> None:
    copy = copy_of(save(tmp_path, "jpg", Image.fromarray(gray())))
    assert stat.S_IMODE(copy.stat().st_mode) == 0o644


@given(
    pixels=st.one_of(
        arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=24)),
        arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=24)),
    )
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_grays_survive(pixels: npt.NDArray[Any], tmp_path: Path) -> None:
    source = tmp_path / "source.png"
    Image.fromarray(pixels).save(source)
    assert np.array_equal(read_radiograph(copy_of(source)).pixels, pixels)
