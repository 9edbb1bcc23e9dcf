"""Overlay planes: packed or in the pixels, on or off the film, whole or broken (PS3.3 C.9.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRBigEndian, RLELossless

from reader_app.imaging.correction import FilmCorrection, corrected
from reader_app.imaging.files import read_header, read_radiograph
from reader_app.imaging.geometry import Box
from reader_app.imaging.overlay_planes import Overlay
from tests.imaging.conftest import literal_runs, rle_frame

MakeDicom = Callable[..., Path]
Mask = npt.NDArray[np.bool_]

FILM = np.zeros((8, 6), dtype=np.uint16)
CROSS = np.zeros((5, 7), dtype=np.bool_)
CROSS[2], CROSS[:, 3] = True, True


def _with_plane(dataset: Dataset, mask: Mask, *, group: int = 0x6000, **more: Any) -> None:
    """Add an overlay plane; `more` are elements by number, as "x0050", None leaves one out."""
    data = np.packbits(mask.ravel(), bitorder="little").tobytes()
    elements: dict[str, tuple[str, Any]] = {
        "x0010": ("US", mask.shape[0]),
        "x0011": ("US", mask.shape[1]),
        "x0040": ("CS", "G"),
        "x0050": ("SS", [1, 1]),
        "x0100": ("US", 1),
        "x0102": ("US", 0),
        "x3000": ("OB", data + b"\0" * (len(data) % 2)),
    }
    elements.update(more)
    for element, (vr, value) in elements.items():
        if value is not None:
            dataset.add_new((group, int(element[1:], 16)), vr, value)


def _film_with(path: Path, *planes: dict[str, Any]) -> Path:
    dataset = pydicom.dcmread(path)
    for plane in planes:
        _with_plane(dataset, **plane)
    dataset.save_as(path)
    return path


def test_a_plane_lies_where_its_origin_says(make_dicom: MakeDicom) -> None:
    path = _film_with(make_dicom(np.zeros((9, 10), np.uint16)), {"mask": CROSS, "x0050": ("SS", [3, 2])})
    (overlay,) = read_radiograph(path).overlays
    assert overlay.name == "overlay 1"
    expected = np.zeros((9, 10), dtype=np.bool_)
    expected[2:7, 1:8] = CROSS  # row 3, column 2, counted from one
    assert np.array_equal(overlay.mask, expected)


@pytest.mark.parametrize("origin", [[-1, -2], [6, 4], [-1, 4], [0, 0]])
def test_what_reaches_beyond_the_film_is_cut(make_dicom: MakeDicom, origin: list[int]) -> None:
    path = _film_with(make_dicom(FILM), {"mask": CROSS, "x0050": ("SS", origin)})
    (overlay,) = read_radiograph(path).overlays
    expected = np.zeros_like(FILM, dtype=np.bool_)
    for row, column in np.argwhere(CROSS):
        place = row + origin[0] - 1, column + origin[1] - 1
        if 0 <= place[0] < 8 and 0 <= place[1] < 6:
            expected[place] = True
    assert np.array_equal(overlay.mask, expected)


def test_several_planes_have_names_of_their_own(make_dicom: MakeDicom) -> None:
    path = _film_with(
        make_dicom(FILM),
        {"mask": CROSS, "x1500": ("LO", "Axis")},
        {"mask": CROSS, "group": 0x6002, "x1500": ("LO", "Axis")},
        {"mask": CROSS, "group": 0x6004, "x0022": ("LO", "Cup\nline")},
        {"mask": CROSS, "group": 0x601E},
    )
    names = [overlay.name for overlay in read_radiograph(path).overlays]
    assert names == ["Axis", "Axis (2)", "Cup line", "overlay 16"]


@pytest.mark.parametrize("position", [12, 15])
@pytest.mark.parametrize("compressed", [False, True], ids=["uncompressed", "RLE"])
def test_a_plane_in_the_unused_bits_of_the_pixels(
    make_dicom: MakeDicom, position: int, compressed: bool
) -> None:
    values = np.arange(48, dtype=np.uint16).reshape(8, 6) * 80
    mask = values % 240 == 0
    cells = values | (mask.astype(np.uint16) << position)
    path = make_dicom(cells, BitsStored=12, HighBit=11)
    dataset = pydicom.dcmread(path)
    _with_plane(dataset, mask, x0100=("US", 16), x0102=("US", position), x3000=("OB", None))
    if compressed:  # not by pydicom, which clears unused bits
        dataset.PixelData = encapsulate([rle_frame(*literal_runs(cells))])
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = RLELossless
    dataset.save_as(path)
    film = read_radiograph(path)
    assert np.array_equal(film.pixels, values)
    (overlay,) = film.overlays
    assert np.array_equal(overlay.mask, mask)


def test_a_plane_below_shifted_pixels(make_dicom: MakeDicom) -> None:
    values = np.arange(48, dtype=np.uint16).reshape(8, 6) * 80
    path = make_dicom((values << 4) | (values > 2000), BitsStored=12, HighBit=15)
    dataset = pydicom.dcmread(path)
    _with_plane(dataset, values > 2000, x0100=("US", 16), x0102=("US", 0), x3000=("OB", None))
    dataset.save_as(path)
    film = read_radiograph(path)
    assert np.array_equal(film.pixels, values)
    assert np.array_equal(film.overlays[0].mask, values > 2000)


def test_words_of_big_endian_planes_are_turned(make_dicom: MakeDicom) -> None:
    path = make_dicom(FILM, TransferSyntaxUID=ExplicitVRBigEndian)
    dataset = pydicom.dcmread(path)
    data = np.packbits(CROSS.ravel(), bitorder="little").tobytes()
    words = np.frombuffer(data + b"\0" * (len(data) % 2), "<u2").astype(">u2").tobytes()
    _with_plane(dataset, CROSS, x3000=("OW", words))
    dataset.save_as(path)
    assert np.array_equal(read_radiograph(path).overlays[0].mask[:5], CROSS[:, :6])


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no size": ({"x0010": ("US", None)}, "how large"),
    "no rows": ({"x0010": ("US", 0)}, "how large"),
    "absurd size": ({"x0010": ("US", 65535), "x0011": ("US", 65535)}, "more than any film has"),
    "no data": ({"x3000": ("OB", b"")}, "no data"),
    "beside the film": ({"x0050": ("SS", [900, 1])}, "beside the film"),
    "malformed origin": ({"x0050": ("SS", [1])}, "origin is malformed"),
    "eight bits a pixel": ({"x0100": ("US", 8)}, "one bit a pixel"),
    "a later frame": ({"x0015": ("IS", "3"), "x0051": ("US", 2)}, "later frame"),
    "nothing drawn": ({"x3000": ("OB", b"\0" * 6)}, "nothing is drawn"),
    "in bits that are used": ({"x3000": ("OB", None), "x0102": ("US", 4)}, "bit 4 of the pixels"),
    "in bits beyond the cell": ({"x3000": ("OB", None), "x0102": ("US", 40)}, "bit 40 of the pixels"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plane_is_left_out_and_noted(make_dicom: MakeDicom, case: str) -> None:
    elements, words = BROKEN[case]
    path = _film_with(make_dicom(FILM, BitsStored=12, HighBit=11), {"mask": CROSS, **elements})
    film = read_radiograph(path)
    assert film.overlays == ()
    (note,) = film.header.notes
    assert note.startswith("The overlay 'overlay 1' was left out")
    assert words in note
    assert np.array_equal(film.pixels, FILM)


def test_a_truncated_plane_is_shown_as_far_as_it_goes(make_dicom: MakeDicom) -> None:
    mask = np.ones((8, 6), dtype=np.bool_)
    path = _film_with(make_dicom(FILM), {"mask": mask, "x3000": ("OB", b"\xff\xff")})
    film = read_radiograph(path)
    assert film.overlays[0].mask.ravel().tolist() == [True] * 16 + [False] * 32
    assert film.header.notes == ("The overlay 'overlay 1' is truncated: 2 of its 8 rows are there.",)


def test_planes_cost_the_header_nothing(make_dicom: MakeDicom) -> None:
    path = _film_with(make_dicom(FILM), {"mask": CROSS, "x0050": ("SS", [900, 1])})
    assert read_header(path).notes == ()


def test_a_compression_that_kept_no_unused_bits_is_told(make_dicom: MakeDicom) -> None:
    path = make_dicom(np.arange(2400, dtype=np.uint16).reshape(60, 40), BitsStored=12, HighBit=11)
    dataset = pydicom.dcmread(path)
    dataset.compress("1.2.840.10008.1.2.4.90")
    _with_plane(dataset, CROSS, x0102=("US", 13), x3000=("OB", None))
    dataset.save_as(path)
    film = read_radiograph(path)
    assert film.overlays == ()
    assert "compression has not kept" in film.header.notes[0]


def test_a_box_out_hides_what_is_drawn_there(make_dicom: MakeDicom) -> None:
    film = read_radiograph(_film_with(make_dicom(FILM), {"mask": CROSS}))
    hidden = corrected(film, FilmCorrection(box_outs=(Box(0.5, 1.5, 2.0, 1.0),)))
    expected = film.overlays[0].mask
    expected[1:3, 0:3] = False
    assert np.array_equal(hidden.overlays[0].mask, expected)
    assert hidden.overlays[0].name == film.overlays[0].name
    assert corrected(film, FilmCorrection(inverse_polarity=True)).overlays == film.overlays


@given(arrays(np.bool_, st.tuples(st.integers(1, 20), st.integers(1, 20))))
def test_a_mask_comes_back_as_it_went_in(mask: Mask) -> None:
    overlay = Overlay("line", mask)
    assert np.array_equal(overlay.mask, mask)
    assert overlay.nbytes == mask.shape[0] * -(-mask.shape[1] // 8)
    assert overlay == Overlay("line", mask)
    assert overlay != Overlay("another", mask)
    assert overlay != Overlay("line", ~mask)


def test_memory_of_planes_is_counted(make_dicom: MakeDicom) -> None:
    film = read_radiograph(_film_with(make_dicom(FILM), {"mask": CROSS}))
    assert film.nbytes == replace(film, overlays=()).nbytes + film.overlays[0].nbytes
    with pytest.raises(ValueError, match="rows and columns"):
        Overlay("cube", np.zeros((2, 2, 2), dtype=np.bool_))
