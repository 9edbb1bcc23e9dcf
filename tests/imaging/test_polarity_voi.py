"""Every polarity with every VOI transformation, against values worked out by hand from the standard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from reader_app.imaging.display import named_voi, to_display, voi_choices
from reader_app.imaging.files import read_radiograph

MakeDicom = Callable[..., Path]
STORED = np.array([[0, 800, 801, 900, 999, 1000, 1100, 1199, 1200, 4095]], dtype=np.uint16)


def lut(first: int, bits: int, entries: list[int]) -> Sequence:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries), first, bits])
    item.LUTExplanation = "by hand"
    item.add_new("LUTData", "US", entries)
    return Sequence([item])


VOI: dict[str, tuple[dict[str, Any], list[int]]] = {
    # C.11.2.1.2.1: below or at c - 0.5 - (w-1)/2 = 800 black, above 999.5 + 199.5 = 1199 white, between
    # ((x - 999.5) / 399 + 0.5) * 255.
    "LINEAR": (
        {"WindowCenter": 1000, "WindowWidth": 400},
        [0, 0, 1, 64, 127, 128, 192, 255, 255, 255],
    ),
    # C.11.2.1.3.2: 800 black, 1200 white, between ((x - 1000) / 400 + 0.5) * 255.
    "LINEAR_EXACT": (
        {"WindowCenter": 1000, "WindowWidth": 400, "VOILUTFunction": "LINEAR_EXACT"},
        [0, 0, 1, 64, 127, 128, 191, 254, 255, 255],
    ),
    # C.11.2.1.3.1: 255 / (1 + exp(-4 (x - 1000) / 400)).
    "SIGMOID": (
        {"WindowCenter": 1000, "WindowWidth": 400, "VOILUTFunction": "SIGMOID"},
        [0, 30, 31, 69, 127, 128, 186, 224, 225, 255],
    ),
    # C.11.2.1.1: 12-bit entries for 999 to 1001, the outer ones for all beyond; 1000 / 4095 * 255 = 62.3.
    "TABLE": (
        {"VOILUTSequence": lut(999, 12, [0, 1000, 4095])},
        [0, 0, 0, 0, 0, 62, 255, 255, 255, 255],
    ),
}
POLARITY = [
    ("MONOCHROME2", None, False),
    ("MONOCHROME1", None, True),
    ("MONOCHROME2", "IDENTITY", False),
    ("MONOCHROME2", "INVERSE", True),
    ("MONOCHROME1", "IDENTITY", False),
    ("MONOCHROME1", "INVERSE", True),  # once, never twice
    ("MONOCHROME1", "NONSENSE", True),
]


@pytest.mark.parametrize("inverted", [False, True], ids=["as read", "reader inverts"])
@pytest.mark.parametrize("voi", VOI)
@pytest.mark.parametrize(("photometric", "shape", "inverse"), POLARITY)
def test_polarity_and_voi(
    make_dicom: MakeDicom, photometric: str, shape: str | None, inverse: bool, voi: str, inverted: bool
) -> None:
    elements, by_hand = VOI[voi]
    if shape is not None:
        elements = {**elements, "PresentationLUTShape": shape}
    film = read_radiograph(
        make_dicom(STORED, PhotometricInterpretation=photometric, BitsStored=12, HighBit=11, **elements)
    )
    expected = [255 - gray for gray in by_hand] if inverse != inverted else by_hand
    assert to_display(film, inverted=inverted)[0].tolist() == expected
    assert bool(film.header.notes) == (shape == "NONSENSE")


def test_rescale_comes_before_the_window(make_dicom: MakeDicom) -> None:
    # stored 1400 * 0.5 + 300 = 1000, the window's centre; 1000 -> 800 its lower edge; 1800 -> 1200 above it.
    stored = np.array([[1000, 1400, 1800]], dtype=np.uint16)
    path = make_dicom(stored, RescaleSlope="0.5", RescaleIntercept="300", WindowCenter=1000, WindowWidth=400)
    assert to_display(read_radiograph(path))[0].tolist() == [0, 128, 255]


def test_modality_table_comes_before_the_window_and_in_place_of_the_slope(make_dicom: MakeDicom) -> None:
    stored = np.array([[9, 10, 11, 12, 13]], dtype=np.uint16)
    path = make_dicom(
        stored,
        ModalityLUTSequence=lut(10, 16, [800, 1000, 1200]),
        RescaleSlope="7",
        RescaleIntercept="0",
        WindowCenter=1000,
        WindowWidth=400,
    )
    film = read_radiograph(path)
    assert to_display(film)[0].tolist() == [0, 0, 128, 255, 255]
    assert "beside a rescale slope" in film.header.notes[0]


def test_signed_pixels_with_a_negative_window(make_dicom: MakeDicom) -> None:
    stored = np.array([[-1200, -1000, -800, 0]], dtype=np.int16)
    path = make_dicom(stored, WindowCenter=-1000, WindowWidth=400, VOILUTFunction="LINEAR_EXACT")
    assert to_display(read_radiograph(path))[0].tolist() == [0, 128, 255, 255]


def test_a_window_of_width_one_is_a_threshold(make_dicom: MakeDicom) -> None:
    stored = np.array([[999, 1000, 1001]], dtype=np.uint16)
    path = make_dicom(stored, WindowCenter=1000, WindowWidth=1)
    assert to_display(read_radiograph(path))[0].tolist() == [0, 255, 255]


def test_several_windows_are_offered_by_name(make_dicom: MakeDicom) -> None:
    path = make_dicom(
        STORED,
        WindowCenter=[1000, 2000, 0],
        WindowWidth=[400, 4000, 0],
        WindowCenterWidthExplanation=["BONE", "SOFT", "BROKEN"],
    )
    film = read_radiograph(path)
    assert [voi.name for voi in film.choices] == ["BONE", "SOFT"]
    assert any("Window 3" in note for note in film.header.notes)
    soft = named_voi(film, "SOFT")
    assert soft is not None
    assert to_display(film, window=soft)[0, 5] == 64  # (1000 - 1999.5) / 3999 + 0.5 = 0.25006
    assert named_voi(film, "LUNG") is None


def test_alternatives_without_names_get_them(make_dicom: MakeDicom) -> None:
    path = make_dicom(
        STORED,
        WindowCenter=[1000, 2000, 3000, 500],
        WindowWidth=[400, 4000, 100, 200],
        WindowCenterWidthExplanation=["BONE", "BONE", "", "automatic"],
        VOILUTSequence=lut(999, 12, [0, 1000, 4095]),
    )
    film = read_radiograph(path)
    names = [choice.name for choice in voi_choices(film)]
    assert names == ["by hand", "BONE", "BONE (2)", "window 3", "automatic (2)", "automatic"]
    assert [choice.name for choice in film.choices] == names[:-1]
    second = named_voi(film, "BONE (2)")
    assert second is film.windows[1]
    assert to_display(film, window=second)[0, 5] == 64


SIGNED = np.array([[-12, -11, -10, -9, -8, 5]], dtype=np.int16)


@pytest.mark.parametrize(("photometric", "shape", "inverse"), POLARITY)
def test_both_tables_over_signed_pixels(
    make_dicom: MakeDicom, photometric: str, shape: str | None, inverse: bool
) -> None:
    # -11, -10, -9 -> 999, 1000, 1001 by the modality table, the ends for all beyond; the VOI table takes
    # these to 0, 1000 and 4095 of 4095, thus 0, 62 and 255.
    modality = lut(0, 16, [999, 1000, 1001])
    modality[0].add_new("LUTDescriptor", "SS", [3, -11, 16])
    elements: dict[str, Any] = {"ModalityLUTSequence": modality}
    elements["VOILUTSequence"] = lut(999, 12, [0, 1000, 4095])
    if shape is not None:
        elements["PresentationLUTShape"] = shape
    film = read_radiograph(make_dicom(SIGNED, PhotometricInterpretation=photometric, **elements))
    by_hand = [0, 0, 62, 255, 255, 255]
    assert to_display(film)[0].tolist() == ([255 - gray for gray in by_hand] if inverse else by_hand)


def test_a_negative_slope_turns_the_grays_by_itself(make_dicom: MakeDicom) -> None:
    # -800 + 1800 = 1000 is the centre, -1000 + 1800 = 800 the lower edge, -600 + 1800 = 1200 the upper one.
    stored = np.array([[600, 800, 1000]], dtype=np.uint16)
    elements = {"RescaleSlope": "-1", "RescaleIntercept": "1800", "WindowCenter": 1000, "WindowWidth": 400}
    film = read_radiograph(make_dicom(stored, VOILUTFunction="LINEAR_EXACT", **elements))
    assert to_display(film)[0].tolist() == [255, 128, 0]
    film = read_radiograph(
        make_dicom(stored, VOILUTFunction="LINEAR_EXACT", PhotometricInterpretation="MONOCHROME1", **elements)
    )
    assert to_display(film)[0].tolist() == [0, 127, 255]


def test_a_table_goes_before_windows(make_dicom: MakeDicom) -> None:
    path = make_dicom(
        STORED, VOILUTSequence=lut(999, 12, [4095, 4095, 0]), WindowCenter=1000, WindowWidth=400
    )
    assert to_display(read_radiograph(path))[0].tolist() == [255] * 6 + [0] * 4


@pytest.mark.parametrize(
    ("elements", "note"),
    [
        ({"WindowCenter": 1000}, "incomplete"),
        ({"WindowCenter": 1000, "WindowWidth": -5}, "not allowed"),
        ({"WindowCenter": 1000, "WindowWidth": 400, "VOILUTFunction": "CUBIC"}, "unknown"),
        ({"VOILUTSequence": lut(0, 12, [5000, 0])}, "does not fit into 12 bits"),
        ({"RescaleSlope": "0", "RescaleIntercept": "5"}, "impossible"),
    ],
)
def test_a_broken_transformation_is_left_out_and_noted(
    make_dicom: MakeDicom, elements: dict[str, Any], note: str
) -> None:
    film = read_radiograph(make_dicom(STORED, **elements))
    assert any(note in said for said in film.header.notes), film.header.notes
    assert to_display(film).shape == STORED.shape
